"""Address books: each community keeps its own, its township keeps all of its area's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.address import AddressEntry
from tests.factories.world import World
from tests.views.pages import record_form
from tests.views.raising import Clients
from tests.views.test_forms import said_at


def entries(session: Session) -> list[tuple[Any, ...]]:
    """Return all entries as they are now."""
    session.rollback()
    found = session.scalars(select(AddressEntry).order_by(AddressEntry.id))
    return [(each.community.name, each.name, each.latitude, each.longitude) for each in found]


@pytest.fixture
def kept(one_session: Session) -> dict[str, int]:
    """One entry in each of three communities; their ids."""
    world = World(one_session)
    made = {
        code: AddressEntry(community=world.place(code), name=f"{code} 东门")
        for code in ("A11", "A12", "B11")
    }
    one_session.add_all(made.values())
    one_session.flush()
    return {code: each.id for code, each in made.items()}


def test_a_community_adds_to_its_own_book(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    form = record_form(client.get("/addresses/add").text)
    data = form.data(name="幸福里 3 号楼", latitude="38.48719449", longitude="106.2309")
    assert client.post("/addresses/add", data=data).status_code == 302
    assert entries(one_session) == [("甲一一社区", "幸福里 3 号楼", 38.487194, 106.2309)]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": ""}, "name", "请填写“地点”"),
        ({"latitude": "99", "longitude": "1"}, "latitude", "纬度应在"),
        ({"latitude": "38", "longitude": ""}, "longitude", "还缺经度"),
        ({"community": "{A12}"}, "community", "所选的记录不存在"),
    ],
)
def test_what_is_refused(
    changes: dict[str, str],
    field: str,
    said: str,
    as_seen_by: Clients,
    one_session: Session,
) -> None:
    world = World(one_session)
    places = {"A12": world.place("A12").id}
    client = as_seen_by("community")
    given = {"name": "东门"} | {key: value.format(**places) for key, value in changes.items()}
    data = record_form(client.get("/addresses/add").text).data(**given)
    answer = client.post("/addresses/add", data=data)
    assert answer.status_code == 422
    assert said in said_at(answer.text, field)
    assert entries(one_session) == []


def test_the_list_is_scoped(kept: dict[str, int], as_seen_by: Clients) -> None:
    for who, seen in (
        ("community", {"A11"}),
        ("township", {"A11", "A12"}),
        ("communityb", {"B11"}),
        ("admin", {"A11", "A12", "B11"}),
    ):
        page = as_seen_by(who).get("/addresses/list/").text
        assert {code for code in kept if f"{code} 东门" in page} == seen, who
        for code, number in kept.items():
            expected = 200 if code in seen else 404
            assert as_seen_by(who).get(f"/addresses/show/{number}").status_code == expected
    assert as_seen_by("handler").get("/addresses/list/").status_code == 403


def test_the_same_name_twice_in_a_book(kept: dict[str, int], as_seen_by: Clients) -> None:
    client = as_seen_by("community")
    data = record_form(client.get("/addresses/add").text).data(name="A11 东门")
    answer = client.post("/addresses/add", data=data)
    assert answer.status_code == 422
    assert "重复" in answer.text
