"""A whole city as one area of a matter that comes back: found, shown, opened, by its own office."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.organization import Organization
from models.organization import OrganizationKind as K
from models.recurring import RecurringProblem
from models.ticket import Ticket
from presets.roles import Role
from reports.heat import Axis, Cases, Sought, Weight, behind, heat
from rules import problems
from rules.actor import SYSTEM, acting_as, actor_of
from rules.recurring import Level, found, untied
from tests.factories.facts import LIGHTS, fact, facts
from tests.factories.world import World

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)


@pytest.fixture
def city(session: Session, world: World) -> Organization:
    """A city with its office over county A and a township of its own; county B stands alone."""
    with acting_as(session, SYSTEM):
        made = Organization(code="C", name="丙市", kind=K.CITY)
        office = Organization(code="C-CSB", name="丙市吹哨办", kind=K.COORDINATION_OFFICE)
        office.parent = made
        own = Organization(code="C1", name="丙市直管镇", kind=K.TOWNSHIP, parent=made)
        session.add_all([made, office, own])
        session.flush()
        world.place("A").parent = made
        session.flush()
    session.expire_all()
    facts(world, [DAY, DAY], "A11")
    facts(world, [DAY], "A21")
    facts(world, [DAY] * 5, "B11")
    ticket = world.draft("A12", number="C1-1")
    fact(world, ticket, DAY, "C1")
    return made


def test_a_city_is_one_area_over_its_counties(
    session: Session, world: World, city: Organization
) -> None:
    seen = found(session, None, NOON, 3, 90, Level.CITY)
    assert [(each.area_id, each.matter, each.count) for each in seen] == [(city.id, LIGHTS, 4)]
    assert (seen[0].signs.places, seen[0].signs.most) == (1, 3), "counties below"
    assert found(session, [city.id], NOON, 5, 90, Level.CITY) == []
    months = (202611,)
    sought = Sought(Axis.PLACE, Axis.MONTH, Level.CITY, Weight.RAISED, months)
    shown = heat(session, sought)
    assert shown.rows == [(city.id, "丙市")]
    assert shown.cells == {(city.id, 202611): 4}
    cases = Cases(Weight.RAISED, DAY, DAY, city.id, LIGHTS)
    assert len(list(session.scalars(select(Ticket.id).where(behind(session, cases))))) == 4
    # Of a ledger without cities there is nothing to find.
    with acting_as(session, SYSTEM):
        world.place("A").parent = None
        session.flush()
    assert [each.count for each in found(session, None, NOON, 1, 90, Level.CITY)] == [1]


def test_a_city_s_office_opens_a_problem_of_all_its_counties(
    session: Session, world: World, city: Organization
) -> None:
    with acting_as(session, SYSTEM):
        account = session.get_one(Account, world.account("officeb").id)
        account.organization = world.place("C-CSB")
        session.flush()
        actor = actor_of(session, account)
    assert actor.has(Role.DISPATCHER)
    with acting_as(session, actor):
        (seen,) = found(session, None, NOON, 3, 90, Level.CITY)
        assert seen.count == 4, "nothing of the county that is not the city's"
        problem = RecurringProblem(organization=city, title="路灯", matter=LIGHTS)
        problems.check(session, problem)
        session.add(problem)
        session.flush()
        assert problems.times_in(session, problem, DAY, DAY) == 4
        look = problems.look(session, city, LIGHTS, NOON)
        assert look is not None
        assert look.signs.level is Level.CITY
        assert untied(session, [seen]) == []
        counties = found(session, None, NOON, 3, 90, Level.COUNTY)
        assert [each.area_id for each in counties] == [world.place("A").id]
        assert untied(session, counties) == [], "the city's problem watches over its counties"
        assert problems.tie(session, problem, seen.ticket_ids[:2], actor, NOON) == 2
    with acting_as(session, world.actor("office")):
        assert list(session.scalars(select(RecurringProblem.id))) == [], "not the county's own"
