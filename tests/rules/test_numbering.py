"""Ticket numbers: township, year and a running number; no two alike whatever happens to names."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from models.organization import Organization
from models.organization import OrganizationKind as K
from models.ticket import Ticket
from rules.numbering import next_number
from tests.factories.world import World

MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def number(world: World, place: str, at: dt.datetime = MARCH) -> str:
    return next_number(world.session, world.place(place), at)


def test_numbers_run_by_township_and_year(session: Session, world: World) -> None:
    assert number(world, "A11") == "甲一镇2026-0001"
    assert number(world, "A111") == "甲一镇2026-0002"
    assert number(world, "A1") == "甲一镇2026-0003"
    assert number(world, "A21") == "甲二镇2026-0001"
    assert number(world, "A11", dt.datetime(2027, 1, 1, tzinfo=dt.UTC)) == "甲一镇2027-0001"
    assert number(world, "A11") == "甲一镇2026-0004"


def test_the_year_is_shanghais(one_world: World) -> None:
    last_second = dt.datetime(2026, 12, 31, 15, 59, 59, tzinfo=dt.UTC)
    assert number(one_world, "A11", last_second) == "甲一镇2026-0001"
    assert number(one_world, "A11", last_second + dt.timedelta(seconds=1)) == "甲一镇2027-0001"


def test_a_place_outside_any_township_counts_for_itself(one_world: World) -> None:
    assert number(one_world, "A") == "甲县2026-0001"


def test_more_than_four_digits_are_written_out(session: Session, world: World) -> None:
    assert number(world, "A1") == "甲一镇2026-0001"
    sequence = session.connection().exec_driver_sql("UPDATE ticket_sequence SET last = 9999")
    assert sequence.rowcount == 1
    assert number(world, "A1") == "甲一镇2026-10000"


def test_namesakes_say_their_county(one_session: Session, one_world: World) -> None:
    one_session.add(
        Organization(code="B9", name="甲一镇", kind=K.TOWNSHIP, parent=one_world.place("B"))
    )
    one_session.flush()
    assert number(one_world, "A11") == "甲县甲一镇2026-0001"
    assert number(one_world, "B9") == "乙县甲一镇2026-0001"
    assert number(one_world, "A21") == "甲二镇2026-0001"


def test_a_place_that_takes_over_a_name_goes_on_where_the_other_stopped(
    session: Session, world: World
) -> None:
    first, second = world.raised("A11"), world.raised("A11")
    year = dt.datetime.now(dt.UTC).year
    assert {first.number, second.number} == {f"甲一镇{year}-0001", f"甲一镇{year}-0002"}
    world.place("A1").name = "甲新镇"
    world.place("A2").name = "甲一镇"
    session.commit()
    assert world.raised("A21", "township2").number == f"甲一镇{year}-0003"
    assert world.raised("A11").number == f"甲新镇{year}-0003"


@pytest.mark.parametrize("length", [31, 32, 100])
def test_a_long_name_is_cut_to_fit_the_column(session: Session, world: World, length: int) -> None:
    world.place("A1").name = "镇" * length
    session.commit()
    year = dt.datetime.now(dt.UTC).year
    numbers = {world.raised("A11").number for _turn in range(2)}
    shown = "镇" * min(length, Ticket.number.type.length - 9)
    assert numbers == {f"{shown}{year}-0001", f"{shown}{year}-0002"}


def test_a_number_that_was_rolled_back_is_given_out_again(session: Session, world: World) -> None:
    session.commit()
    assert number(world, "A11") == "甲一镇2026-0001"
    session.rollback()
    assert number(world, "A11") == "甲一镇2026-0001"


def test_a_draft_has_no_number_and_raising_gives_one(one_world: World) -> None:
    ticket = one_world.draft()
    assert ticket.number is None
    one_world.step(ticket, "raise", "community", now=MARCH)
    assert ticket.number == "甲一镇2026-0001"
