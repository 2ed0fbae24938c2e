"""Personal numbers: whole for the parties and the organisation department, else masked."""

from __future__ import annotations

import pytest

from models.agreement import Agreement
from models.need import Need
from models.organization import Organization
from rules.actor import SYSTEM
from rules.personal import masked, may_read, personal_fields, value_for
from tests.factories import ledgers as make
from tests.factories.world import World


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812345678", "138****5678"),
        ("138 1234 5678", "138****5678"),
        ("0952-2010088", "095****0088"),
        ("1234567", "****67"),
        ("1", "****1"),
        ("", ""),
        (None, None),
    ],
)
def test_the_middle_is_hidden(number: str | None, shown: str | None) -> None:
    assert masked(number) == shown


def test_the_columns_say_which_are_personal() -> None:
    assert personal_fields(Agreement) == {"community_phone", "unit_phone"}
    assert personal_fields(Need) == {"phone"}
    assert personal_fields(Organization) == set()


def test_the_parties_and_the_organisation_department_read_them(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    need = make.need(one_world, "A11", phone="13812345678")
    whole = {
        name
        for name in ("party", "admin", "leader", "inspector", "office", "township", "community",
                     "community2", "unit", "handler")
        if value_for(one_world.actor(name), need, "phone") == "13812345678"
    }  # fmt: skip
    assert whole == {"party", "community"}
    assert value_for(one_world.actor("leader"), need, "phone") == "138****5678"
    assert value_for(one_world.actor("leader"), need, "title") == need.title
    # Whoever has claimed it must be able to call.
    one_world.step(need, "claim", "unit")
    assert may_read(one_world.actor("unit"), need)
    assert may_read(SYSTEM, need)


def test_both_sides_of_a_record_with_two_read_them(one_world: World) -> None:
    member = make.check_in(one_world, "A-U1", "A11", phone="13812345678")
    activity = make.activity(one_world, member)
    for record in (member, activity):
        readers = {
            name
            for name in ("unit", "community", "unit2", "community2", "township", "admin")
            if may_read(one_world.actor(name), record)
        }
        assert readers == {"unit", "community"}
