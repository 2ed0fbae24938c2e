"""The supervision rule of a county: what holds without one, and what will not do."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy.orm import Session

from models.supervision import SupervisionKind, SupervisionRule
from presets.supervision import USUAL, Rung, SupervisionPlan
from rules.errors import Invalid
from rules.supervision_rules import (
    check,
    days_for,
    faults,
    next_rung,
    plan_at,
    plan_for,
    plan_of,
    plans,
    stored,
)
from tests.factories.world import World

K = SupervisionKind
LISTED, INTERVIEW = Rung(72, K.LISTED, 5), Rung(168, K.INTERVIEW, 7)


def plan(**values: object) -> SupervisionPlan:
    return dataclasses.replace(USUAL, **values)  # type: ignore[arg-type]


def test_the_usual_rule_is_as_agreed_and_will_do() -> None:
    assert faults(USUAL) == {}
    assert [(each.hours, each.kind, each.days) for each in USUAL.ladder] == [
        (0, K.ORDINARY, 3),
        (72, K.LISTED, 5),
        (168, K.INTERVIEW, 7),
    ]
    assert (USUAL.near_hours, USUAL.again_times, USUAL.again_days) == (24, 3, 90)
    assert (USUAL.quiet_from, USUAL.quiet_until) == ("22:00", "07:00")


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ({"near_hours": 0}, {"near_hours"}),
        ({"near_hours": 2161}, {"near_hours"}),
        ({"again_times": 1}, {"again_times"}),
        ({"again_times": -2}, {"again_times"}),
        ({"again_days": 0}, {"again_days"}),
        ({"quiet_from": "24:00"}, {"quiet_from"}),
        ({"quiet_from": "9:00"}, {"quiet_from"}),
        ({"quiet_until": "07:60"}, {"quiet_until"}),
        ({"quiet_until": ""}, {"quiet_until"}),
        ({"ladder": ()}, {"ladder"}),
        ({"ladder": (Rung(-1, K.ORDINARY, 3),)}, {"ladder-0-hours"}),
        ({"ladder": (Rung(0, K.ORDINARY, 0),)}, {"ladder-0-days"}),
        ({"ladder": (Rung(0, K.ORDINARY, 367),)}, {"ladder-0-days"}),
        ({"ladder": (Rung(72, K.ORDINARY, 3), LISTED)}, {"ladder-1-hours"}),
        ({"ladder": (Rung(73, K.ORDINARY, 3), LISTED)}, {"ladder-1-hours"}),
        ({"ladder": (LISTED, Rung(168, K.LISTED, 7))}, {"ladder-1-kind"}),
        ({"ladder": (LISTED, Rung(168, K.ORDINARY, 7))}, {"ladder-1-kind"}),
    ],
)
def test_what_makes_no_sense_is_said_at_its_place(
    values: dict[str, object], places: set[str]
) -> None:
    assert set(faults(plan(**values))) == places


@pytest.mark.parametrize(
    "values",
    [
        {"near_hours": 1},
        {"again_times": 2, "again_days": 1},
        {"quiet_from": "00:00", "quiet_until": "23:59"},
        {"ladder": (Rung(0, K.INTERVIEW, 1),)},
        {"ladder": (Rung(71, K.ORDINARY, 3), LISTED, INTERVIEW)},
    ],
)
def test_what_is_unusual_will_do(values: dict[str, object]) -> None:
    assert faults(plan(**values)) == {}


def test_a_rule_is_checked_by_its_columns(one_world: World) -> None:
    rule = SupervisionRule(organization=one_world.place("A"), ladder=stored(USUAL.ladder))
    with pytest.raises(Invalid) as refusal:
        check(rule)
    assert "near_hours" in refusal.value.fields
    rule.near_hours, rule.again_times, rule.again_days = 24, 3, 90
    rule.quiet_from, rule.quiet_until = "22:00", "07:00"
    check(rule)
    assert plan_of(rule) == USUAL


def test_a_countys_rule_holds_for_all_of_it_and_nowhere_else(
    one_session: Session, one_world: World
) -> None:
    rule = SupervisionRule(organization=one_world.place("A"), near_hours=5, ladder=stored([LISTED]))
    one_session.add(rule)
    one_session.flush()
    for code in ("A", "A11", "A-D1", "A-CSB"):
        assert plan_at(one_session, one_world.place(code)).near_hours == 5
    assert plan_at(one_session, one_world.place("B11")) == USUAL
    assert plan_for(one_session, None) == USUAL
    assert plans(one_session) == {one_world.place("A").id: plan_of(rule)}


def test_a_kind_without_a_rung_has_the_usual_days() -> None:
    own = plan(ladder=(Rung(10, K.LISTED, 9),))
    assert [days_for(own, kind) for kind in K] == [3, 9, 7]


def test_the_next_rung_is_the_first_that_is_graver() -> None:
    assert next_rung(USUAL, K.ORDINARY) == LISTED
    assert next_rung(USUAL, K.LISTED) == INTERVIEW
    assert next_rung(USUAL, K.INTERVIEW) is None
    skipping = plan(ladder=(Rung(0, K.ORDINARY, 3), INTERVIEW))
    assert next_rung(skipping, K.ORDINARY) == INTERVIEW
