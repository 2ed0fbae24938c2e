"""The board's numbers: the communities' table, capped counts, and how much it all costs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from database import db
from models.need import Need, NeedStatus, Urgency
from models.organization import Organization, OrganizationKind
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.boards import Board, at
from views.board import COMMUNITIES

S = NeedStatus


@pytest.fixture
def look(as_seen_by: Any) -> Any:
    """Return the board as an account sees it."""
    return lambda who, query="": Board(as_seen_by(who), query)


# The communities


def test_the_table_counts_what_the_rows_say(pairs: Pairs, look: Any) -> None:
    states = [S.GATHERED, S.PUBLISHED, S.CLAIMED, S.IN_HAND, S.DONE, S.RATED]
    for number, status in enumerate(states):
        for each in range(number + 1):
            at(pairs, status, f"{status.value}{each}")
    at(pairs, S.PUBLISHED, "别处的", "A12")
    with acting_as(pairs.session, SYSTEM):
        gone = at(pairs, S.PUBLISHED, "取消的")
        workflow.apply(pairs.session, gone, "cancel", SYSTEM, {"note": "不需要了"})
    board = look("party")
    table = board.table()
    assert list(table) == ["甲一一社区", "甲一二社区", "甲二一社区"]
    assert [cell[0] for cell in table["甲一一社区"]] == ["1", "2", "3", "4", "5", "6"]
    assert [cell[0] for cell in table["甲一二社区"]] == ["—", "1", "—", "—", "—", "—"]
    assert [cell[0] for cell in table["甲二一社区"]] == ["—"] * 6
    place = pairs.world.place("A11").id
    assert table["甲一一社区"][3] == (
        "4",
        f"/needs/list/?community={place}&amp;status=in_hand",
    )
    assert list(look("township").table()) == ["甲一一社区", "甲一二社区"]


@pytest.mark.parametrize("who", ["community", "unit", "township2"])
def test_who_reaches_one_community_has_no_table(pairs: Pairs, look: Any, who: str) -> None:
    pairs.bond("A11", "A-U1")
    at(pairs, S.PUBLISHED, "需求")
    assert 'id="communities"' not in look(who).html


def test_a_unit_has_its_partners_in_the_table(pairs: Pairs, look: Any) -> None:
    for place in ("A11", "A12"):
        pairs.bond(place, "A-U1")
        for status in (S.GATHERED, S.PUBLISHED):
            at(pairs, status, f"{status.value}{place}", place)
    at(pairs, S.PUBLISHED, "别处的", "A21")
    table = look("unit").table()
    assert list(table) == ["甲一一社区", "甲一二社区"]
    assert [cell[0] for cell in table["甲一二社区"]] == ["—", "1", "—", "—", "—", "—"]


def test_the_table_is_paged_by_its_key(pairs: Pairs, look: Any) -> None:
    with acting_as(pairs.session, SYSTEM):
        for number in range(COMMUNITIES * 2):
            pairs.session.add(
                Organization(
                    code=f"C{number:03}",
                    name=f"社区{number:03}",
                    kind=OrganizationKind.COMMUNITY,
                    parent=pairs.world.place("A1"),
                )
            )
        pairs.session.flush()
    pages, query = [], ""
    for _page in range(3):
        board = look("party", query)
        pages.append(list(board.table()))
        onward = re.search(r'href="/board/(\?after=[^"#]+)#communities"', board.html)
        query = onward[1] if onward else ""
    assert [len(page) for page in pages] == [50, 50, 3]
    assert len({name for page in pages for name in page}) == 103
    assert not query, "nothing comes after the last page"
    back = re.search(r'href="/board/(\?before=[^"#]+)#communities"', board.html)
    assert back
    assert list(look("party", back[1]).table()) == pages[1]
    first = look("party", back[1])
    assert 'href="/board/#communities"' in first.html
    assert list(look("party", "?before=A12").table()) == ["甲一一社区"]


def test_both_databases_count_the_same(session: Session, world: World, login: Any) -> None:
    pairs = Pairs(world)
    pairs.bond("A11", "A-U1")
    for number, place in enumerate(["A11", "A11", "A12", "B11"]):
        for status in (S.PUBLISHED, S.CLAIMED, S.RATED):
            urgency = Urgency.URGENT if number == 1 else Urgency.NORMAL
            at(pairs, status, f"{status.value}{number}", place, urgency=urgency)
    session.commit()
    for who, order in (("party", "102"), ("unit", "10"), ("community", "10"), ("partyb", "3")):
        board = Board(login(who))
        for lane in ("published", "claimed"):
            if (who, lane) == ("unit", "claimed"):
                continue  # its own, wherever they are
            assert board.titles(lane) == [f"{lane}{number}" for number in order], who
            assert board.count(lane) == str(len(order))
    board = Board(login("party"), "?category=venue")
    assert board.titles("rated") == ["rated2", "rated1", "rated0"]
    assert [cell[0] for cell in board.table()["甲一一社区"]] == ["—", "2", "2", "—", "—", "2"]


# How much it costs


def test_more_needs_cost_no_more_statements(pairs: Pairs, look: Any, sqlite: Backend) -> None:
    pairs.bond("A11", "A-U1")
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    with sqlite.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    numbers: dict[str, list[int]] = {}
    try:
        for batch in (2, 25):
            for status in (S.PUBLISHED, S.CLAIMED, S.IN_HAND, S.DONE, S.RATED):
                for number in range(batch):
                    at(pairs, status, f"{status.value}{batch}-{number}")
            for who in ("party", "township", "community", "unit"):
                look(who)
                sent.clear()
                look(who)
                numbers.setdefault(who, []).append(len(sent))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert numbers["party"] == [10, 10]
    assert all(few == many <= 12 for few, many in numbers.values()), numbers
    assert not any(" OFFSET " in each for each in sent if "LIMIT ? OFFSET ?" not in each)


def test_the_counts_are_capped(pairs: Pairs, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("views.board.CAP", 2)
    for number in range(3):
        at(pairs, S.PUBLISHED, f"需求{number}")
    at(pairs, S.DONE, "一条")
    board = look("party")
    assert (board.count("published"), board.count("done")) == ("2+", "1")
    with acting_as(pairs.session, SYSTEM):
        rows = pairs.session.scalars(select(Need).where(Need.status == S.PUBLISHED)).all()
    assert len(rows) == 3
