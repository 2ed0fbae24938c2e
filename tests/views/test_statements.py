"""How many statements a page sends: few, and no more with sixty rows than with three."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event

from database import db
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.views.many import Many
from tests.views.stage import Stage

#: Every list, by an account that sees many of its rows.
LISTS = [
    ("office", "/tickets/list/"),
    ("handler", "/tickets/list/"),
    ("community", "/tickets/list/?status=draft"),
    ("office", "/tickets/list/?tab=overdue&q=路灯"),
    ("admin", "/agreements/list/"),
    ("party", "/agreements/list/?order=valid_until&direction=desc&q=协"),
    ("unit", "/agreements/list/"),
    ("township", "/duty-lists/list/"),
    ("admin", "/duty-items/list/"),
    ("township", "/duty-items/list/?order=name&q=事项"),
    ("admin", "/organizations/list/"),
    ("blank", "/organizations/list/?q=单位"),
    ("admin", "/accounts/list/"),
    ("admin", "/mechanisms/list/"),
    ("admin", "/calendar/list/"),
    ("township", "/import-batches/list/"),
    ("admin", "/audit/list/"),
    ("auditor", "/audit/list/?q=协议"),
    ("admin", "/policy/list/"),
    ("party", "/resources/list/"),
    ("community", "/resources/list/?q=礼堂"),
    ("unit", "/resources/list/"),
    ("party", "/needs/list/"),
    ("community", "/needs/list/?tab=published"),
    ("unit", "/needs/list/?q=想"),
    ("party", "/services/list/"),
    ("unit", "/services/list/?order=planned_from"),
    ("community", "/sessions/list/"),
    ("party", "/check-ins/list/"),
    ("unit", "/check-in-activities/list/?order=held_on"),
    ("unit", "/notices/list/"),
]
#: The bell asks one on every page.
MOST_OF_A_LIST = 8
#: The receivers of a ticket depend on the ticket, which is read first.
MOST_OF_A_BOX = 9
WORKBENCHES = [
    "office",
    "township",
    "community",
    "handler",
    "party",
    "duty",
    "returns",
    "inspector",
    "unit",
    "admin",
]
MOST_OF_A_WORKBENCH = 14
SELECT_BOXES = [
    ("party", "/agreements/options/unit"),
    ("community", "/tickets/options/duty_item"),
    ("duty", "/duty-items/options/duty_list"),
    ("office", "/tickets/receivers/{t11}"),
    ("party", "/resources/options/owner"),
    ("unit", "/services/options/need_links"),
    ("community", "/check-ins/options/unit"),
    ("community", "/needs/claimants/{n11}"),
]
DETAILS = [
    ("office", "/tickets/show/{t11}"),
    ("community", "/tickets/edit/{d11}"),
    ("party", "/agreements/show/{e11}"),
    ("party", "/agreements/edit/{e11}"),
    ("duty", "/duty-lists/show/{l1}"),
    ("duty", "/duty-items/edit/{i1}"),
    ("admin", "/organizations/show/{oA11}"),
    ("admin", "/organizations/edit/{oA11}"),
    ("admin", "/accounts/show/{acA}"),
    ("admin", "/mechanisms/show/{mA}"),
    ("admin", "/import-batches/show/{b1}"),
    ("admin", "/audit/show/{xA}"),
    ("unit", "/resources/show/{r1}"),
    ("community", "/needs/show/{n11}"),
    ("unit", "/needs/show/{n11}"),
    ("community", "/services/show/{s11}"),
    ("unit", "/services/edit/{s11}"),
    ("unit", "/check-ins/show/{k11}"),
    ("unit", "/sessions/edit/{v11}"),
]
MOST_OF_A_DETAIL = 22


@dataclass
class Recorder:
    """Records what is sent to the database."""

    statements: list[str] = field(default_factory=list)

    def __call__(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        def shortened(found: re.Match[str]) -> str:
            # SQLite's dialect writes "LIMIT ? OFFSET ?" with 0 wherever there is a limit.
            offset = parameters[found.string[: found.end()].count("?") - 1]
            return found[0] if offset else " LIMIT ?"

        text = re.sub(r"\s+", " ", statement)
        self.statements.append(re.sub(r" LIMIT \? OFFSET \?", shortened, text))


@pytest.fixture(scope="module")
def recorder(stage: Stage) -> Iterator[Recorder]:
    found = Recorder()
    with stage.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", found)
    yield found
    event.remove(engine, "before_cursor_execute", found)


Sent = dict[tuple[str, str], list[str]]


def visit(stage: Stage, recorder: Recorder, account: str, path: str) -> list[str]:
    """Return what a page sends when it is opened a second time."""
    client = stage.client(account)
    address = path.format_map({name: stage.id(name) for name in stage.records})
    client.get(address)
    recorder.statements.clear()
    answer = client.get(address)
    assert answer.status_code == 200, f"{account} {path}: {answer.status_code}"
    return list(recorder.statements)


@pytest.fixture(scope="module")
def sent(stage: Stage, recorder: Recorder) -> tuple[Sent, Sent]:
    """Return what every page sends with three rows, and with sixty."""
    visits = [*LISTS, *SELECT_BOXES, *DETAILS, *((who, "/") for who in WORKBENCHES)]
    results = []
    with stage.session() as session, acting_as(session, SYSTEM):
        many = Many(session)
        for number in (3, 57):
            many.add(number)
            results.append({each: visit(stage, recorder, *each) for each in visits})
    return results[0], results[1]


def test_no_page_sends_more_for_more_rows(sent: tuple[Sent, Sent]) -> None:
    few, many = sent
    grown = {
        f"{who} {path}": (len(few[who, path]), len(many[who, path]))
        for who, path in few
        if len(many[who, path]) > max(len(few[who, path]), 1) + counting(many[who, path])
    }
    assert not grown


def counting(statements: list[str]) -> int:
    """Return how many counts were sent: a list that fits one page knows its number without."""
    return sum(1 for each in statements if each.startswith("SELECT count("))


@pytest.mark.parametrize(
    ("paths", "most"),
    [
        (LISTS, MOST_OF_A_LIST),
        (SELECT_BOXES, MOST_OF_A_BOX),
        (DETAILS, MOST_OF_A_DETAIL),
        ([(who, "/") for who in WORKBENCHES], MOST_OF_A_WORKBENCH),
    ],
)
def test_pages_send_few_statements(
    sent: tuple[Sent, Sent], paths: list[tuple[str, str]], most: int
) -> None:
    numbers = {f"{who} {path}": len(sent[1][who, path]) for who, path in paths}
    assert max(numbers.values()) <= most, numbers


def test_nobody_pages_by_offset(sent: tuple[Sent, Sent]) -> None:
    for few_or_many in sent:
        for key, statements in few_or_many.items():
            for each in statements:
                assert " OFFSET " not in each.upper(), f"{key}: {each}"


#: Whatever else is read comes by a key that was given: the reader's own row, a page's relations.
BY_KEY = re.compile(r"WHERE (\w+\.\w*id (= \?|IN \(\?)|\? = \w+\.\w*id)")


#: Figures are summed over months that were given, of the reader's own place or department.
BY_MONTH = re.compile(r"FROM ticket_fact WHERE .*ticket_fact\.month BETWEEN \? AND \?")


def unbounded(statements: list[str]) -> list[str]:
    """Return the statements that may read as many rows as a table has."""
    found = []
    for each in statements:
        reads = each.startswith("SELECT")
        if reads and " LIMIT " not in each and not (BY_KEY.search(each) or BY_MONTH.search(each)):
            found.append(each)
    return found


def test_lists_read_no_table_whole(sent: tuple[Sent, Sent]) -> None:
    _few, many = sent
    pages = [*LISTS, *SELECT_BOXES, *((who, "/") for who in WORKBENCHES)]
    for key in pages:
        assert unbounded(many[key]) == [], key


def test_the_checker_knows_what_is_unbounded() -> None:
    bad = "SELECT ticket.id FROM ticket WHERE ticket.status = ?"
    good = ["SELECT ticket.id FROM ticket LIMIT ?", "SELECT a.b FROM a WHERE a.id = ?"]
    assert unbounded([bad, *good, "SELECT a.b FROM a WHERE a.ticket_id IN (?, ?)"]) == [bad]
    assert unbounded(["SELECT a.b FROM a WHERE a.id IN (SELECT b.id FROM b)"]) != []


def test_more_departments_cost_no_more_statements(stage: Stage, recorder: Recorder) -> None:
    """A ticket's page reads its departments and their names at once, however many they are."""
    numbers = []
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        units = ["A-D2", "A-D3", "A-U1", "A-U2", "A1-PCS"]
        for assisting in (units[:1], units):
            ticket = world.dispatched(assisting=tuple(assisting))
            session.commit()
            numbers.append(len(visit(stage, recorder, "office", f"/tickets/show/{ticket.id}")))
    assert numbers[0] == numbers[1]
