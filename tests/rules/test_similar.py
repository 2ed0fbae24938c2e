"""Open tickets that may be the same: by words, by distance, by address, in reach only, at a fixed cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bench.timing import statements
from models.ticket import Ticket, TicketStatus
from rules.actor import acting_as
from rules.similar import CANDIDATES, NEAR, WALKED, Similar, metres, similar
from tests.factories.world import World

HERE = (38.4872, 106.2309)
#: About 80 metres north of there, and about a kilometre.
CLOSE, FAR = (38.48792, 106.2309), (38.4962, 106.2309)


def asked(world: World, title: str, place: str = "A11", **values: Any) -> list[Similar]:
    return similar(world.session, world.place(place), title, **values)


def why(found: list[Similar]) -> list[tuple[str, list[str]]]:
    return [(each.title, [str(reason) for reason in each.reasons]) for each in found]


def located(at: tuple[float, float]) -> dict[str, Any]:
    return {"latitude": at[0], "longitude": at[1]}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (HERE, HERE, 0),
        (HERE, CLOSE, 80),
        (HERE, FAR, 1001),
        ((0, 0), (0, 1), 111_195),
        ((0, 179.9995), (0, -179.9995), 111),
        ((90, 0), (90, 123), 0),
        ((0, 0), (0, 180), 20_015_087),
    ],
)
def test_distances(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert metres(one, other) == pytest.approx(expected, abs=max(1, expected / 1000))
    assert metres(one, other) == pytest.approx(metres(other, one))


def test_what_is_said_alike_is_found(one_world: World) -> None:
    one_world.raised(title="东门 3 盏路灯不亮")
    one_world.raised(title="楼道堆放杂物")
    assert why(asked(one_world, "路灯不亮")) == [("东门 3 盏路灯不亮", ["相似度高"])]
    assert why(asked(one_world, "路灯坏了好几天")) == [("东门 3 盏路灯不亮", ["相似度高"])]
    assert asked(one_world, "井盖丢了") == []
    assert asked(one_world, "") == []


def test_what_is_close_by_is_found(one_world: World) -> None:
    one_world.raised(title="井盖破损", **located(CLOSE))
    one_world.raised(title="公厕停水", **located(FAR))
    one_world.raised(title="外墙脱落", **located(HERE))
    found = asked(one_world, "占道摆摊", **located(HERE))
    assert why(found) == [("外墙脱落", ["相距不到 10 米"]), ("井盖破损", ["相距约 80 米"])]
    assert found[1].distance == pytest.approx(80, abs=1)
    assert metres(HERE, FAR) > NEAR
    assert asked(one_world, "占道摆摊", latitude=HERE[0]) == [], "half a position is none"


def test_the_same_address_is_found(one_world: World) -> None:
    one_world.raised(title="井盖破损", address="人民巷 12 号门前")
    one_world.raised(title="公厕停水", address="东门")
    assert why(asked(one_world, "墙皮掉了", address="人民巷12号")) == [("井盖破损", ["同一地点"])]
    assert asked(one_world, "墙皮掉了", address="东门") == [], "too short to be the same place"


def test_the_likeliest_comes_first(one_world: World) -> None:
    one_world.raised(title="人民巷路灯不亮")
    one_world.raised(title="路灯不亮", address="人民巷 12 号", **located(CLOSE))
    one_world.raised(title="公厕停水", **located(CLOSE))
    found = asked(one_world, "路灯不亮", address="人民巷12号", **located(HERE))
    assert why(found)[0] == ("路灯不亮", ["相似度高", "同一地点", "相距约 80 米"])
    assert [each.title for each in found[1:]] == ["人民巷路灯不亮", "公厕停水"]
    assert len(asked(one_world, "路灯不亮", limit=1)) == 1


def test_only_open_tickets_are_shown(one_session: Session, one_world: World) -> None:
    one_world.draft(title="路灯不亮一")
    withdrawn = one_world.raised(title="路灯不亮二")
    one_world.step(withdrawn, "withdraw", "community", note="误报")
    assert withdrawn.status is TicketStatus.WITHDRAWN
    kept = one_world.raised(title="路灯不亮三")
    one_session.commit()
    assert [each.ticket_id for each in asked(one_world, "路灯不亮")] == [kept.id]
    assert asked(one_world, "路灯不亮", exclude=kept.id) == []


def test_it_is_the_townships_affair(one_world: World) -> None:
    one_world.raised("A12", "community2", title="路灯不亮")
    one_world.raised("A21", "township2", title="路灯不亮")
    assert [each.title for each in asked(one_world, "路灯不亮", "A11")] == ["路灯不亮"]
    assert len(asked(one_world, "路灯不亮", "A2")) == 1


@pytest.mark.parametrize(
    ("who", "place", "expected"),
    [
        ("community", "A11", ["路灯不亮甲"]),
        # the same township, but only his own community's of it
        ("community", "A12", ["路灯不亮甲"]),
        ("community2", "A12", ["路灯不亮乙"]),
        ("township", "A11", ["路灯不亮乙", "路灯不亮甲"]),
        ("township2", "A11", []),
        ("office", "A11", ["路灯不亮乙", "路灯不亮甲"]),
        ("officeb", "A11", []),
        ("communityb", "A11", []),
        ("handler", "A11", []),
        ("auditor", "A11", []),
    ],
)
def test_nobody_is_shown_what_he_may_not_read(
    one_session: Session, one_world: World, who: str, place: str, expected: list[str]
) -> None:
    one_world.raised("A11", "community", title="路灯不亮甲", **located(HERE))
    one_world.raised("A12", "community2", title="路灯不亮乙", **located(HERE))
    one_session.commit()
    actor = one_world.actor(who)
    home = one_world.place(place)
    with acting_as(one_session, actor):
        found = similar(one_session, home, "路灯不亮", **located(HERE))
    assert [each.title for each in found] == expected


def crowd(world: World, count: int) -> None:
    """Add so many open tickets at once, older than what is raised afterwards."""
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    place, kind = world.place("A11"), world.whistle_class("ordinary")
    for number in range(count):
        world.session.add(
            Ticket(
                title=f"井盖破损{number}",
                detail="…",
                organization=place,
                whistle_class=kind,
                number=f"甲-{number}",
                raised_at=now,
            )
        )
    world.session.flush()


def test_the_cost_does_not_grow_with_the_ledger(session: Session, world: World) -> None:
    world.raised(title="路灯不亮")
    session.commit()
    home = world.place("A11")
    actor = world.actor("community")
    counts = []
    for more in (0, 60):
        crowd(world, more)
        session.commit()
        session.refresh(home)
        with acting_as(session, actor), statements(session.get_bind()) as sent:
            found = similar(session, home, "路灯不亮", **located(HERE))
        assert [each.title for each in found] == ["路灯不亮"]
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 3, sent
    assert "LIMIT" in sent[-1]
    assert CANDIDATES <= WALKED
