"""Searching: what is found contains what was asked, as it stands, in scope, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.search import TICKET_SEARCH
from models.ticket import Ticket
from rules import search
from rules.actor import SYSTEM, acting_as
from rules.rarity import Frequencies, frequencies
from rules.scope import reviewed

TITLES = {
    "lamp": "东门路灯不亮",
    "lamps": "路边灯杆歪斜，路灯杆倾倒",
    "cover": "井盖丢失",
    "apart": "路上没有灯",
    "crossing": "道路，灯光扰民",
    "latin": "A座Wifi信号塔WIFI倒塌",
    "signs": "50%_折\\扣\"店'铺 AND 占道 OR *",
    "emoji": "广场😀舞扰民",
}
QUERIES = (
    "路灯", "灯杆", "井盖", "不亮", "路灯杆", "灯不", "路", "灯", "wifi", "WIFI", "fi信", "a座",
    "50", "0%", "%_", "_折", "折\\", "\\扣", '扣"', "'铺", "店'", " AND ", "AND", "OR", "*", " *", "r *",
    "\"店", "😀舞", "场😀", "甲一镇2026", "0001", "没有的词", "东门路灯不亮", "道路，灯",
)  # fmt: skip


@pytest.fixture
def titled(world: Any) -> dict[str, Ticket]:
    """Tickets of a community with these titles, some raised, so that they have a number."""
    made = {name: world.draft(title=title) for name, title in TITLES.items()}
    made["lamp"].address = "中山路灯具城门口"
    world.step(made["lamp"], "raise", "community")
    world.step(made["cover"], "raise", "community")
    world.session.flush()
    return made


def holding(tickets: dict[str, Ticket], text: str) -> set[str]:
    """Return the tickets that contain a text by the plainest means."""
    wanted = text.strip().lower()
    return {
        name
        for name, each in tickets.items()
        if any(wanted in (part or "").lower() for part in (each.number, each.title, each.address))
    }


@pytest.mark.parametrize("text", QUERIES)
def test_found_is_what_contains_the_text(
    session: Session, world: Any, titled: dict[str, Ticket], text: str
) -> None:
    """By the index and by looking through the newest, as the system and as an account."""
    expected = {titled[name].id for name in holding(titled, text)}
    found = session.scalars(select(Ticket.id).where(search.containing(session, text))).all()
    assert set(found) == expected
    assert len(found) == len(expected)
    for actor in (SYSTEM, world.actor("community"), world.actor("office"), world.actor("admin")):
        with acting_as(session, actor):
            near = search.near(session, text)
            assert near.ids == sorted(expected, reverse=True)
            assert near.whole
            assert search.indexed(session, text, most=100) == near


@pytest.mark.parametrize("text", ["", "  ", "\x00", "灯\x00", "不亮\n中山"])
def test_what_no_text_holds_finds_nothing(
    session: Session, titled: dict[str, Ticket], text: str
) -> None:
    """No hit begins in the title and ends in the address."""
    assert session.scalars(select(Ticket.id).where(search.containing(session, text))).all() == []
    assert search.near(session, text).ids == []


def test_nothing_is_found_outside_the_scope(
    session: Session, world: Any, titled: dict[str, Ticket]
) -> None:
    others = ("community2", "township2", "officeb", "handler", "unit")
    assert titled
    for account in others:
        with acting_as(session, world.actor(account)):
            assert search.near(session, "路灯").ids == []
            reached = select(Ticket.id).where(search.containing(session, "路灯"))
            assert session.scalars(reached).all() == []
            assert search.indexed(session, "路灯", most=9) == search.Near([], whole=True)
    with acting_as(session, world.actor("officeb")):
        assert search.near(session, "路灯") == search.Near([], whole=True)


def test_a_department_finds_what_it_is_party_to(session: Session, world: Any) -> None:
    ticket = world.dispatched(title="配电箱冒烟")
    with acting_as(session, world.actor("handler")):
        assert search.near(session, "电箱").ids == [ticket.id]
    with acting_as(session, world.actor("handler2")):
        assert search.near(session, "电箱").ids == []


def test_the_index_follows_every_change(session: Session, world: Any) -> None:
    ticket = world.draft(title="窨井冒水")

    def finds(text: str) -> bool:
        query = select(Ticket.id).where(search.containing(session, text))
        return session.scalars(query).all() == [ticket.id]

    assert finds("窨井")
    ticket.title = "桥下积水"
    session.flush()
    assert not finds("窨井")
    assert finds("积水")
    ticket.address = "胜利桥"
    session.flush()
    assert finds("利桥")
    world.step(ticket, "raise", "community")
    assert ticket.number is not None
    assert finds(ticket.number[-4:])
    number = ticket.number
    session.execute(delete(Ticket).where(Ticket.id == ticket.id))
    for text in ("积水", number[-4:]):
        assert (
            session.scalars(select(Ticket.id).where(search.containing(session, text))).all() == []
        )
    left = session.scalars(
        select(TICKET_SEARCH.c.ticket_id), execution_options=reviewed("looks what is left")
    )
    assert left.all() == []


def test_the_newest_are_looked_through_from_either_end(
    session: Session, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEAR", 3)
    lamps = [world.draft(title=f"第{number}盏路灯").id for number in range(5)]
    covers = [world.draft(title=f"第{number}个井盖").id for number in range(5)]
    assert search.near(session, "井盖").ids == covers[:1:-1]
    assert not search.near(session, "井盖").whole
    assert search.near(session, "路灯").ids == []
    assert search.near(session, "路灯", descending=False).ids == lamps[:3]
    assert search.near(session, "路灯", beyond=covers[0]).ids == lamps[:1:-1]
    last = search.near(session, "路灯", beyond=lamps[2])
    assert last.ids == lamps[1::-1]
    assert last.whole


def test_enough_of_what_is_common_are_looked_for(
    session: Session, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless those looked through are all in reach: then their number is told. Each counts once."""
    raised = [world.draft(title=f"第{number}盏路灯") for number in range(6)]
    for each in raised:
        world.step(each, "raise", "community")
    lamps = [each.id for each in raised]
    with acting_as(session, world.actor("community")):
        assert search.near(session, "路灯", enough=2) == search.Near(lamps[::-1], whole=True)
        monkeypatch.setattr(search, "NEAR", 5)
        assert search.near(session, "路灯", enough=2) == search.Near(lamps[:3:-1], whole=False)
        assert search.near(session, "路灯").ids == lamps[:0:-1]
        rising = search.near(session, "路灯", enough=2, descending=False, beyond=lamps[0])
        assert rising == search.Near(lamps[1:3], whole=False)


def test_texts_are_made_anew(session: Session, world: Any, titled: dict[str, Ticket]) -> None:
    """After rows were written while the triggers were off."""
    option = reviewed("takes the texts away")
    session.execute(delete(TICKET_SEARCH), execution_options=option)
    assert session.scalars(select(Ticket.id).where(search.containing(session, "路灯"))).all() == []
    assert search.rebuild(session) == len(titled)
    for text in ("路灯", "wifi", "0001"):
        found = session.scalars(select(Ticket.id).where(search.containing(session, text)))
        assert set(found) == {titled[name].id for name in holding(titled, text)}


def test_a_long_text_is_asked_whole(session: Session, world: Any) -> None:
    """The index is asked for the first pairs only; the text itself settles the rest."""
    start = "一二三四五六七八九十甲乙丙丁"
    right, wrong = world.draft(title=f"{start}戊己"), world.draft(title=f"{start}庚辛")
    found = session.scalars(select(Ticket.id).where(search.containing(session, f"{start}戊")))
    assert found.all() == [right.id]
    assert wrong.id != right.id


def test_the_first_that_the_index_finds_come_in_order(session: Session, world: Any) -> None:
    """Each ticket once, though the community is party to it in two ways."""
    raised = [world.draft(title=f"第{number}盏路灯") for number in range(4)]
    for each in raised:
        world.step(each, "raise", "community")
    lamps = [each.id for each in raised]
    with acting_as(session, world.actor("community")):
        assert search.indexed(session, "路灯", most=5) == search.Near(lamps[::-1], whole=True)
        assert search.indexed(session, "路灯", most=4) == search.Near(lamps[::-1], whole=False)
        found = search.indexed(session, "路灯", most=1, beyond=lamps[2])
        assert found == search.Near(lamps[1:2], whole=False)
        found = search.indexed(session, "路灯", most=9, beyond=lamps[1], descending=False)
        assert found == search.Near(lamps[2:], whole=True)


def test_statistics_tell_what_is_rare(
    session: Session, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = Frequencies({"路灯": 0.08, "灯不": 0.01, "校车": 0.0004}, texts=1_000_000.0)
    monkeypatch.setattr(search, "frequencies", lambda _session: shares)
    assert search.seems_rare(session, "路灯") is False
    assert search.seems_rare(session, "路灯不") is False
    assert search.seems_rare(session, "校车") is True
    assert search.seems_rare(session, "路灯校车") is True
    assert search.seems_rare(session, "灯塔") is True
    assert search.seems_rare(session, "灯") is None
    monkeypatch.setattr(search, "frequencies", lambda _session: None)
    assert search.seems_rare(session, "校车") is None


def test_the_database_is_asked_for_its_statistics_once(session: Session, world: Any) -> None:
    """SQLite keeps none; PostgreSQL none before it has looked."""
    for number in range(20):
        world.draft(title=f"第{number}盏路灯")
    known = frequencies(session)
    assert frequencies(session) is known
    if session.get_bind().dialect.name == "sqlite":
        assert known is None
    else:
        assert known is None or known.shares
