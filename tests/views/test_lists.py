"""Lists: paging that visits each row once, filters, searches, capped counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.duty import DutyItem
from models.organization import Organization, OrganizationKind
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, logger_in, session_factory
from tests.views.many import VARIED, Many
from tests.views.pages import count_text, errors_of, link, row_ids, words_of
from views import listing

ROWS = 63


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def ledger(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A database with many rows of every type, for reading only."""
    found: Backend = request.getfixturevalue(f"{request.param}_backend")
    found.reset()
    with session_factory(found.app)() as session, acting_as(session, SYSTEM):
        Many(session).add(ROWS)
    yield found
    found.reset()


@pytest.fixture(scope="module")
def client(ledger: Backend) -> Callable[[str], FlaskClient]:
    """Return the client of an account, logged in once."""
    log_in = logger_in(ledger.app)
    found: dict[str, FlaskClient] = {}

    def of(account: str) -> FlaskClient:
        if account not in found:
            found[account] = log_in(account)
        return found[account]

    return of


@pytest.fixture
def rows(ledger: Backend) -> Iterator[Session]:
    """A session of the system's over the many rows."""
    with session_factory(ledger.app)() as session, acting_as(session, SYSTEM):
        yield session


def walk(client: FlaskClient, path: str, forwards: str, backwards: str) -> list[list[int]]:
    """Follow the pager from a page to its end, and back; the way back must be the same."""
    pages, html = [], client.get(path).text
    while True:
        pages.append(row_ids(html))
        following = link(html, forwards)
        if following is None:
            break
        html = client.get(following).text
    way_back = [row_ids(html)]
    while (previous := link(html, backwards)) is not None:
        html = client.get(previous).text
        way_back.append(row_ids(html))
    assert way_back[::-1] == pages
    return pages


ORDERS = [
    ("party", "/agreements/list/", Agreement, "id", True),
    ("party", "/agreements/list/?order=valid_until&direction=asc", Agreement, "valid_until", False),
    ("party", "/agreements/list/?order=valid_until&direction=desc", Agreement, "valid_until", True),
    (
        "party",
        "/agreements/list/?order=number&direction=asc&status=draft",
        Agreement,
        "number",
        False,
    ),
    ("duty", "/duty-items/list/?order=name&direction=desc", DutyItem, "name", True),
    ("admin", "/organizations/list/", Organization, "code", False),
    (
        "admin",
        "/organizations/list/?order=name&direction=desc&kind=unit",
        Organization,
        "name",
        True,
    ),
]


@pytest.mark.parametrize(("account", "path", "model", "column", "descending"), ORDERS)
def test_paging_visits_each_row_once_in_order(
    client: Callable[[str], FlaskClient],
    rows: Session,
    account: str,
    path: str,
    model: Any,
    column: str,
    descending: bool,
) -> None:
    pages = walk(client(account), path, "下一页", "上一页")
    seen = [pk for page in pages for pk in page]
    assert len(pages) >= 3
    assert all(len(page) == listing.PAGE_SIZE for page in pages[:-1])
    assert Counter(seen).most_common(1)[0][1] == 1, "a row was shown twice"
    statement = select(model.id)
    if "status=draft" in path:
        statement = statement.where(model.status == AgreementStatus.DRAFT)
    if "kind=unit" in path:
        statement = statement.where(model.kind == OrganizationKind.UNIT)
    if model is DutyItem:
        statement = statement.join(DutyItem.duty_list).join(Organization)
        statement = statement.where(Organization.code.startswith("A"))
    assert sorted(seen) == sorted(rows.scalars(statement)), "a row was left out"
    ordering = getattr(model, column)
    tie = model.id
    ordered = select(model.id).where(model.id.in_(seen))
    keys = (ordering.desc(), tie.desc()) if descending else (ordering.asc(), tie.asc())
    assert seen == list(rows.scalars(ordered.order_by(*keys)))


def test_first_and_last_page(client: Callable[[str], FlaskClient]) -> None:
    party = client("party")
    path = "/agreements/list/?order=valid_until&direction=asc"
    pages = walk(party, path, "下一页", "上一页")
    first = party.get(path).text
    assert link(first, "首页") is None
    assert link(first, "上一页") is None
    last_url = link(first, "末页")
    assert last_url
    last = party.get(last_url).text
    seen = [pk for page in pages for pk in page]
    assert row_ids(last) == seen[-listing.PAGE_SIZE :]
    assert link(last, "下一页") is None
    back_url = link(last, "首页")
    assert back_url
    assert row_ids(party.get(back_url).text) == pages[0]
    assert "order=valid_until" in back_url, "the order is kept on the way"
    previous = link(last, "上一页")
    assert previous
    assert row_ids(party.get(previous).text) == seen[-2 * listing.PAGE_SIZE : -listing.PAGE_SIZE]


def test_filters_and_search_stay_on_the_way(client: Callable[[str], FlaskClient]) -> None:
    community = client("community")
    path = "/tickets/list/?q=路灯&status=draft&theme=livelihood"
    html = community.get(path).text
    assert count_text(html) == str(ROWS)
    following = link(html, "下一页")
    assert following
    for part in ("q=", "status=draft", "theme=livelihood"):
        assert part in following
    pages = walk(community, path, "下一页", "上一页")
    assert sum(map(len, pages)) == ROWS
    assert 'value="路灯"' in html
    assert '<option value="draft" selected' in html


def test_tickets_page_by_page_for_each_party(client: Callable[[str], FlaskClient]) -> None:
    """A department's list is found by the party table: as complete, and as free of doubles."""
    at_work, all_of_them = ROWS + 3 * VARIED, 2 * ROWS + 5 * VARIED
    for account, number in (("handler", at_work), ("office", all_of_them)):
        pages = walk(client(account), "/tickets/list/", "下一页", "上一页")
        seen = [pk for page in pages for pk in page]
        assert len(seen) == len(set(seen)) == number, account
        assert seen == sorted(seen, reverse=True)
        assert count_text(client(account).get("/tickets/list/").text) == str(number)


def test_tabs_narrow(client: Callable[[str], FlaskClient]) -> None:
    office = client("office")
    numbers = {"dispatch": VARIED, "work": ROWS + VARIED, "return": VARIED, "rate": VARIED}
    for tab, number in (numbers | {"closed": 0}).items():
        html = office.get(f"/tickets/list/?tab={tab}").text
        assert count_text(html) == (str(number) if number else None), tab
        assert 'aria-current="true"' in html


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/agreements/list/?status=in_force", ROWS),
        ("/agreements/list/?valid_until_until=2020-01-01", 0),
        ("/agreements/list/?valid_until_from=2020-01-01&status=draft", ROWS),
        ("/agreements/list/?kind=joint_committee", 0),
        ("/agreements/list/?q=协001", 2),
        ("/agreements/list/?q=单位00", 20),
        ("/agreements/list/?q=%25", 0),
        ("/agreements/list/?q=__", 0),
        ("/agreements/list/?q=IN_FORCE", ROWS),
        ("/duty-items/list/?q=事项6", 18),
        ("/organizations/list/?kind=unit&active=0", 0),
    ],
)
def test_filters_count_what_they_keep(
    client: Callable[[str], FlaskClient], path: str, number: int
) -> None:
    account = "party" if "agreements" in path else "admin"
    html = client(account).get(path).text
    assert count_text(html) == (str(number) if number else None)
    if not number:
        assert "没有符合条件的记录" in html


def test_sorting_turns_over(client: Callable[[str], FlaskClient]) -> None:
    html = client("party").get("/agreements/list/?order=number&direction=asc").text
    assert 'aria-sort="ascending"' in html
    assert "order=number&amp;direction=desc" in html
    assert html.count('class="sort"') == 3


def test_a_refused_page_says_so(client: Callable[[str], FlaskClient]) -> None:
    answer = client("party").get("/agreements/list/?order=status")
    assert answer.status_code == 422
    assert "不能按“status”排序" in errors_of(answer.text)


def test_counting_stops_at_the_cap(
    client: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody needs to know that there are 1,431; but up to the cap it is exact."""
    monkeypatch.setattr(listing.count, "__defaults__", (ROWS,))
    party = client("party")
    assert count_text(party.get("/agreements/list/").text) == f"{ROWS}+"
    assert count_text(party.get("/agreements/list/?status=draft").text) == str(ROWS)


def test_the_cap_is_a_thousand(ledger: Backend, rows: Session) -> None:
    """With rows enough to pass it, counted in the database."""
    assert listing.COUNT_CAP == 1000
    template = rows.scalars(select(Organization).where(Organization.code == "U000")).one()
    values = {"kind": "unit", "active": True, "parent_id": template.parent_id, "version": 1}
    values |= {"realm_id": template.realm_id, "created_at": template.created_at}
    values |= {"updated_at": template.created_at}
    added = [values | {"code": f"X{number}", "name": f"众{number}"} for number in range(1001)]
    rows.execute(insert(Organization.__table__), added)
    some = select(Organization).where(Organization.name.startswith("众"))
    assert listing.count(rows, Organization, some) == "1000+"
    assert listing.count(rows, Organization, some.where(Organization.name != "众7")) == "1000"
    rows.rollback()


def test_cursors_lead_over_equal_values(client: Callable[[str], FlaskClient]) -> None:
    """Many agreements end on the same day, and a page ends within such a day."""
    pages = walk(
        client("party"), "/agreements/list/?order=valid_until&direction=asc", "下一页", "上一页"
    )
    assert all(set(one).isdisjoint(two) for one, two in pairwise(pages))


def test_an_empty_list_says_what_to_do(client: Callable[[str], FlaskClient]) -> None:
    html = client("partyb").get("/agreements/list/").text
    assert row_ids(html) == []
    assert any("还没有共驻共建协议" in text for text in words_of(html))
    assert 'href="/agreements/add"' in html
    reader = client("officeb").get("/agreements/list/").text
    assert 'href="/agreements/add"' not in reader


def test_an_organisation_is_found_by_its_alias(
    client: Callable[[str], FlaskClient], rows: Session
) -> None:
    """In its list, and in the select boxes that ask for one; it is found once, not once a name."""
    wanted = rows.scalars(select(Organization).where(Organization.code == "A-D1")).one()
    assert "住建局" in wanted.aliases
    assert "住建局" in wanted.name
    page = client("community").get("/organizations/list/?q=住建局").text
    assert row_ids(page).count(wanted.id) == 1
    wanted.set_aliases([*wanted.aliases, "建设口子"])
    rows.flush()
    rows.commit()
    for path in ("/organizations/list/?q=口子", "/organizations/list/?q=口子&last=1"):
        assert row_ids(client("community").get(path).text) == [wanted.id]
    offered = client("admin").get("/organizations/options/home_department?q=口子").json["results"]
    assert [each["id"] for each in offered] == [wanted.id]
