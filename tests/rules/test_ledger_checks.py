"""Unsound resources, needs, check-ins and activities are refused with a sentence per field."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any

import pytest

from models.check_in import CheckIn, CheckInActivity
from models.need import Need
from models.resource import Category, Resource, ResourceOffer
from rules import check_ins, needs, resources
from rules.errors import Invalid
from tests.factories import ledgers as make
from tests.factories.world import World


def fields(check: Callable[[Any], None], record: Any) -> set[str]:
    """Return the fields that a check refuses; none if it passes."""
    try:
        check(record)
    except Invalid as refusal:
        return {name for name, sentence in refusal.fields.items() if sentence.endswith("。")}
    return set()


def test_resources(one_world: World) -> None:
    session, day = one_world.session, make.days
    with session.no_autoflush:

        def made(**values: Any) -> Resource:
            owner = values.pop("owner", "A-U1")
            return Resource(
                **{"name": "礼堂", "category": Category.VENUE, "quantity": 1} | values,
                owner=one_world.place(owner),
            )

        assert fields(resources.check, made(available_from=day(1), available_until=day(1))) == set()
        assert fields(resources.check, made(owner="A-D1")) == set()
        assert fields(resources.check, made(owner="A11")) == {"owner"}
        assert fields(resources.check, made(quantity=0)) == {"quantity"}
        window = made(available_from=day(2), available_until=day(1))
        assert fields(resources.check, window) == {"available_until"}
        for code, refused in (("A11", set()), ("A1", {"offers"}), ("A-U2", {"offers"})):
            offer = ResourceOffer(organization=one_world.place(code))
            assert fields(resources.check, made(offers=[offer])) == refused
    session.expunge_all()


def test_needs(one_world: World) -> None:
    session, day = one_world.session, make.days
    with session.no_autoflush:

        def made(place: str = "A11", **values: Any) -> Need:
            return Need(
                title="活动室", category=Category.VENUE, community=one_world.place(place), **values
            )

        assert fields(needs.check, made(beneficiary_count=0, wanted_from=day(1))) == set()
        assert fields(needs.check, made("A1")) == {"community"}
        assert fields(needs.check, made("A-U1")) == {"community"}
        assert fields(needs.check, made(beneficiary_count=-1)) == {"beneficiary_count"}
        assert fields(needs.check, made(wanted_from=day(2), wanted_until=day(1))) == {
            "wanted_until"
        }
    session.expunge_all()


def test_check_ins(one_world: World) -> None:
    session, day = one_world.session, make.days
    with session.no_autoflush:

        def made(unit: str = "A-U1", place: str = "A11", **values: Any) -> CheckIn:
            return CheckIn(
                member="张", unit=one_world.place(unit), community=one_world.place(place), **values
            )

        assert fields(check_ins.check, made(reported_on=day(0))) == set()
        assert fields(check_ins.check, made(unit="A12")) == {"unit"}
        assert fields(check_ins.check, made(place="A1")) == {"community"}
        assert fields(check_ins.check, made(reported_on=day(1))) == {"reported_on"}
    session.expunge_all()


@pytest.mark.parametrize(
    ("hours", "ago", "refused"),
    [
        ("0.5", 0, set()),
        ("24", 1, set()),
        ("0", 0, {"hours"}),
        ("-1", 0, {"hours"}),
        ("24.1", 0, {"hours"}),
        ("1", -1, {"held_on"}),
    ],
)
def test_activities(hours: str, ago: int, refused: set[str]) -> None:
    row = CheckInActivity(hours=decimal.Decimal(hours), held_on=make.days(-ago), content="助老")
    assert fields(check_ins.check_activity, row) == refused
