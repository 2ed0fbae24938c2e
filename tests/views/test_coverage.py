"""The page of coverage: who opens it, that its numbers lead to what they count, and its workbook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.organization import Organization, OrganizationKind
from tests.factories.ledgers import days
from tests.factories.pairs import Pairs
from tests.views.figure_pages import count_statements, leads, listed, pictures, sheets_of, unsafe

Clients = Callable[[str], FlaskClient]
LOOK_AFTER = ["admin", "office", "party", "township", "community", "inspector", "leader"]
OTHERS = ["unit", "handler", "duty", "returns", "auditor"]
ROUTES = ["/coverage/", "/coverage/units/", "/coverage/communities/", "/coverage/export"]


@pytest.fixture
def letters(pairs: Pairs) -> Pairs:
    """Agreements in both counties: one late, one that ends soon, one draft."""
    pairs.bond("A11", "A-U1")
    pairs.bond("A12", "A-U1").valid_until = days(20)
    pairs.bond("A11", "A1-PCS").valid_until = days(-3)
    pairs.bond("B11", "B-U1")
    pairs.world.agreement("A21", "A-U2", "草拟1号")
    pairs.session.flush()
    return pairs


def test_who_opens_it(letters: Pairs, as_seen_by: Clients) -> None:
    for account in LOOK_AFTER:
        for route in ROUTES:
            assert as_seen_by(account).get(route).status_code == 200, (account, route)
        assert "/coverage/" in as_seen_by(account).get("/").text
    for account in OTHERS:
        for route in ROUTES:
            assert as_seen_by(account).get(route).status_code == 403, (account, route)
        assert "/coverage/" not in as_seen_by(account).get("/").text


@pytest.mark.parametrize("account", LOOK_AFTER)
def test_every_number_leads_to_the_list_that_it_counts(
    letters: Pairs, as_seen_by: Clients, account: str
) -> None:
    client = as_seen_by(account)
    found = leads(client.get("/coverage/").text)
    assert len(found) >= 4
    for url, number in found:
        assert listed(client, url) == number, url


def test_a_county_sees_its_own_and_not_its_neighbours(letters: Pairs, as_seen_by: Clients) -> None:
    page = as_seen_by("party").get("/coverage/").text
    assert "甲县医院" in page
    assert "甲二一社区" in page
    assert "乙" not in page
    page = as_seen_by("partyb").get("/coverage/").text
    assert "乙县住建局" in page
    assert "甲" not in page


def test_lists_are_searched_filtered_and_paged(letters: Pairs, as_seen_by: Clients) -> None:
    for number in range(30):
        letters.unit(f"A-N{number:02}", f"新单位{number:02}", "A")
    client = as_seen_by("party")
    first = client.get("/coverage/units/")
    assert "共 34 条" in first.text
    assert "新单位29" not in first.text
    assert "新单位29" in client.get("/coverage/units/?last=1").text
    assert listed(client, "/coverage/units/?q=新单位1") == 10
    assert listed(client, "/coverage/units/?kind=department") == 3
    assert client.get("/coverage/units/?kind=community").status_code == 422
    assert client.get("/coverage/units/?after=nonsense").status_code == 422
    assert listed(client, "/coverage/communities/") == 1
    # The page itself shows a few, and how many there are.
    page = client.get("/coverage/").text
    assert "新单位09" not in page
    assert "/coverage/units/" in page


def test_the_picture_has_words_and_nothing_inline(letters: Pairs, as_seen_by: Clients) -> None:
    page = as_seen_by("party").get("/coverage/").text
    ((title, told),) = pictures(page)
    assert title == "今后 12 个月到期的协议"
    assert "另有 1 份已过到期日" in told
    assert unsafe(page) == []


def test_the_workbook_holds_the_lists_whole(letters: Pairs, as_seen_by: Clients) -> None:
    for number in range(60):
        letters.unit(f"A-N{number:02}", f"新单位{number:02}", "A")
    letters.session.add(
        Organization(
            code="A-EVIL", name="=1+1", kind=OrganizationKind.UNIT, parent=letters.world.place("A")
        )
    )
    letters.session.flush()
    found = sheets_of(as_seen_by("party"), "/coverage/export")
    assert list(found) == [
        "覆盖情况",
        "未签协议的单位",
        "未结对的村（社区）",
        "协议类型",
        "到期情况",
        "到期协议",
    ]
    units = [row[0] for row in found["未签协议的单位"][1:]]
    assert len(units) == 60 + 1 + 4
    assert "=1+1" in units
    assert [row[0] for row in found["未结对的村（社区）"][1:]] == ["甲二一社区"]
    shares = {row[0]: row[1:] for row in found["覆盖情况"][1:]}
    assert shares["村（社区）"] == (3, 1, pytest.approx(2 / 3))
    assert shares["派驻机构"] == (1, 0, 1)
    spans = dict(found["到期情况"][1:])  # type: ignore[arg-type]
    assert spans["已过到期日"] == 1
    assert sum(spans.values()) == 3
    assert [row[1] for row in found["到期协议"][1:]] == ["甲一一社区", "甲一二社区"]


def test_a_township_takes_nothing_home_that_is_not_its_own(
    letters: Pairs, as_seen_by: Clients
) -> None:
    found: dict[str, list[tuple[Any, ...]]] = sheets_of(as_seen_by("township2"), "/coverage/export")
    words = {str(cell) for rows in found.values() for row in rows for cell in row}
    assert "甲二一社区" in words
    assert not {word for word in words if "甲一" in word or "乙县" in word or "医院" in word}


def test_many_bodies_cost_no_more_statements(letters: Pairs, as_seen_by: Clients) -> None:
    client = as_seen_by("party")
    paths = ["/coverage/", "/coverage/units/"]
    few = [count_statements(client, path) for path in paths]
    for number in range(40):
        letters.unit(f"A-N{number:02}", f"新单位{number:02}", "A")
        if number % 4 == 0:
            letters.bond("A11", f"A-N{number:02}")
    as_seen_by("party")
    many = [count_statements(client, path) for path in paths]
    # A list that fits one page knows its number without counting.
    assert many[0] == few[0] <= 12
    assert many[1] == few[1] + 1 <= 7
