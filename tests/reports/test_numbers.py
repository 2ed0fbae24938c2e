"""Figures against a slow and obvious computation, whoever reads; what is refused; pages of lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.check_in import CheckIn
from models.need import Need
from models.resource import Resource
from models.service import ServiceProject
from reports import numbers
from reports.numbers import FIGURES, Asked, Period, every_line, figures_of, page_of
from reports.overview import months, overview
from reports.sums import Side, sides
from rules.actor import acting_as
from rules.errors import Invalid
from tests.factories.world import World
from tests.reports.oracle import COMMUNITIES, PERIOD, UNITS, Maker, Oracle

TODAY = dt.date(2026, 6, 30)
IN_A = {"A11", "A12", "A21"}
UNITS_OF_A = {"A-U1", "A-U2", "A-D1", "A-D2", "A-D3", "A1-PCS", "A-CSB"}
#: account → (units whose line it reads, communities whose line it reads)
READERS: dict[str, tuple[set[str], set[str]]] = {
    "admin": ({*UNITS_OF_A, "B-U1", "B-D1", "B-CSB"}, set(COMMUNITIES)),
    "party": (UNITS_OF_A, IN_A),
    "office": (UNITS_OF_A, IN_A),
    "inspector": (UNITS_OF_A, IN_A),
    "leader": (UNITS_OF_A, IN_A),
    "partyb": ({"B-U1", "B-D1", "B-CSB"}, {"B11"}),
    "township": (set(), {"A11", "A12"}),
    "community": (set(), {"A11"}),
    "unit": ({"A-U1"}, set()),
    "handler": ({"A-D1"}, set()),
    "returns": (set(), set()),
    "duty": (set(), set()),
    "auditor": (set(), set()),
}
#: Accounts whose reach is a county: the sides of a record that the gate asks for it.
COUNTIES = {"party": "A", "office": "A", "inspector": "A", "leader": "A", "partyb": "B"}


def gate(world: World, account: str) -> Callable[[Any], bool]:
    """Return what a county's reader sees of a record; to others their own lines are whole."""
    county = COUNTIES.get(account)
    if county is None:
        return lambda record: True
    inside = {world.place(code).id for code in COMMUNITIES + UNITS if code.startswith(county)}

    def sees(record: Any) -> bool:
        if isinstance(record, Need):
            return record.community_id in inside
        if isinstance(record, Resource):
            return record.owner_id in inside
        if isinstance(record, ServiceProject):
            return bool({record.provider_id, record.community_id} & inside)
        assert isinstance(record, Agreement | CheckIn)
        return bool({record.unit_id, record.community_id} & inside)

    return sees


@pytest.mark.parametrize("seed", [1, 2])
def test_every_line_is_what_slow_counting_gives(session: Session, world: World, seed: int) -> None:
    Maker(world, seed).make(25)
    for account, readable in READERS.items():
        oracle = Oracle.of(session, gate(world, account))
        actor = world.actor(account)
        for side, codes in zip(Side, readable, strict=True):
            with acting_as(session, actor):
                lines = {each.id: each.values for each in every_line(session, side, PERIOD)}
            places = {world.place(code).id for code in codes}
            assert set(lines) == places, (account, side)
            for place in places:
                assert lines[place] == oracle.figures(side, {place}), (account, side, place)


@pytest.mark.parametrize("account", ["admin", "party", "township", "community", "unit"])
def test_totals_count_each_record_once(session: Session, world: World, account: str) -> None:
    Maker(world, 4).make(40)
    oracle = Oracle.of(session, gate(world, account))
    units, communities = READERS[account]
    side = Side.COMMUNITY if communities else Side.UNIT
    places = {world.place(code).id for code in (communities or units)}
    expected = oracle.figures(side, places)
    if units:
        owners = {world.place(code).id for code in units}
        expected["resources"] = len(oracle.resources(True, owners, []))
    with acting_as(session, world.actor(account)):
        found = overview(session, PERIOD, TODAY)
    assert found.side is side
    assert found.values == expected
    assert account != "admin" or all(expected.values()), "nothing to count in some figure"
    needs = [
        n
        for n in oracle.all(Need)
        if (n.community_id if communities else n.claimed_by_id) in places
    ]
    assert sum(number for _status, number in found.by_status) == len(needs)
    assert [(year, month) for year, month, _hours in found.hours] == [
        (2026, m) for m in range(1, 7)
    ]


def test_the_months_and_units_of_an_overview_come_to_its_hours(
    one_session: Session, one_world: World
) -> None:
    Maker(one_world, 6).make(25)
    with acting_as(one_session, one_world.actor("admin")):
        found = overview(one_session, PERIOD, TODAY)
    by_unit = [hours for _number, _name, hours in found.units]
    assert by_unit == sorted(by_unit, reverse=True)
    # Each part is rounded to a tenth by itself.
    for parts in (by_unit, [hours for _year, _month, hours in found.hours]):
        assert abs(sum(parts) - found.values["hours"]) < len(parts) / 10  # type: ignore[operator]
    assert len(by_unit) == len(UNITS)


def test_pages_of_lines_are_sorted_and_agree_with_the_whole(
    one_session: Session, one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Maker(one_world, 7).make(25)
    monkeypatch.setattr(numbers, "LINES", 4)
    with acting_as(one_session, one_world.actor("admin")):
        whole = {each.id: each for each in every_line(one_session, Side.UNIT, PERIOD)}
        for order in ("name", *(each.name for each in figures_of(Side.UNIT))):
            for descending in (False, True):
                shown = []
                for page in (1, 2, 3):
                    asked = Asked(order=order, descending=descending, page=page)
                    found = page_of(one_session, Side.UNIT, PERIOD, asked)
                    assert (found.number, found.pages, found.total) == (page, 3, len(whole))
                    shown += found.lines
                assert {each.id: each for each in shown} == whole
                values = [e.name if order == "name" else e.values[order] for e in shown]
                known = [each for each in values if each is not None]
                assert values == known + [None] * (len(values) - len(known))
                assert known == sorted(known, reverse=descending)


def test_names_are_searched_and_pages_beyond_the_last_are_the_last(
    one_session: Session, one_world: World
) -> None:
    with acting_as(one_session, one_world.actor("party")):
        found = page_of(one_session, Side.UNIT, PERIOD, Asked(query="医院", page=99))
        assert [each.name for each in found.lines] == ["甲县医院"]
        assert (found.number, found.pages, found.total) == (1, 1, 1)
        assert page_of(one_session, Side.UNIT, PERIOD, Asked(query="%")).lines == []
        with pytest.raises(Invalid, match="不存在的"):
            page_of(one_session, Side.UNIT, PERIOD, Asked(order="不存在的"))
        with pytest.raises(Invalid, match="needs_published"):
            page_of(one_session, Side.UNIT, PERIOD, Asked(order="needs_published"))


def test_more_rows_cost_no_more_statements(one_session: Session, one_world: World) -> None:
    seen: list[str] = []
    event.listen(
        one_session.get_bind(), "before_cursor_execute", lambda *each: seen.append(each[2])
    )
    maker, actor = Maker(one_world, 8), one_world.actor("party")

    def sent(ask: Callable[[], object]) -> int:
        with acting_as(one_session, actor):
            seen.clear()
            ask()
            return len(seen)

    asked: list[Callable[[], object]] = [
        lambda: page_of(one_session, Side.UNIT, PERIOD, Asked(order="hours")),
        lambda: every_line(one_session, Side.COMMUNITY, PERIOD),
        lambda: overview(one_session, PERIOD, TODAY),
    ]
    maker.make(3)
    few = [sent(ask) for ask in asked]
    maker.make(40)
    assert [sent(ask) for ask in asked] == few
    assert few == [8, 8, 8]


def test_a_period_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(Invalid, match="不应晚于"):
        Period(dt.date(2026, 2, 1), dt.date(2026, 1, 31))
    for first, last in ((dt.date(1, 1, 1), TODAY), (TODAY, dt.date(9999, 12, 31))):
        with pytest.raises(Invalid, match="统计期间应在"):
            Period(first, last)
    assert Period(TODAY, TODAY).last == TODAY


def test_months_end_with_the_present_one() -> None:
    year = Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert months(year, dt.date(2026, 3, 5)) == [(2026, 1), (2026, 2), (2026, 3)]
    turn = Period(dt.date(2025, 11, 15), dt.date(2026, 1, 2))
    assert months(turn, TODAY) == [(2025, 11), (2025, 12), (2026, 1)]
    assert months(year, dt.date(2025, 3, 5))[-1] == (2026, 12)


def test_every_figure_says_what_it_means_and_what_it_reads() -> None:
    names = [each.name for each in FIGURES]
    assert len(set(names)) == len(names)
    for figure in FIGURES:
        assert figure.help.endswith("。")
        assert figure.label
        assert figure.measure
        # The formula reads what it says, and nothing else.
        ones = dict.fromkeys(figure.reads, 1)
        assert figure.formula(ones) != figure.formula({})
        others = {name: 1 for each in FIGURES for name in each.reads if name not in figure.reads}
        assert figure.formula(others) == figure.formula({})


def test_who_keeps_count_of_whom(one_world: World) -> None:
    for account, (units, communities) in READERS.items():
        expected = [side for side, codes in zip(Side, (units, communities), strict=True) if codes]
        assert sides(one_world.actor(account).roles) == expected, account


def test_bodies_out_of_use_keep_their_line(one_session: Session, one_world: World) -> None:
    one_world.place("A-U2").active = False
    one_session.flush()
    with acting_as(one_session, one_world.actor("party")):
        lines = {each.name: each.active for each in every_line(one_session, Side.UNIT, PERIOD)}
    assert lines["甲县医院"] is False
    assert lines["甲县第一中学"] is True
