"""The gate's edges: accounts and FAB's own tables, what a session remembers, what is shown blank."""

from __future__ import annotations

from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Permission, RegisterUser
from flask_appbuilder.security.sqla.models import Role as FabRole
from flask_appbuilder.security.sqla.models import User as FabUser
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organization import Organization
from models.ticket import Ticket
from rules.actor import SYSTEM, acting_as
from rules.policy import Action
from rules.scope import reachable, read_options
from tests.factories.stage import OF_A, Stage, built
from tests.factories.world import World
from tests.factories.writing import granted, one, refused, setting


@pytest.fixture
def stage(world: World) -> Stage:
    """One of everything in both counties, on both databases."""
    return built(world)


@pytest.fixture
def one_stage(one_world: World) -> Stage:
    """The same on SQLite."""
    return built(one_world)


# Accounts, and FAB's own tables


@pytest.mark.parametrize("account", ["community", "office", "township", "auditor"])
def test_nobody_gives_themselves_a_role_or_a_place(
    one_stage: Stage, one_session: Session, account: str
) -> None:
    with acting_as(one_session, SYSTEM):
        mine = one_stage.world.account(account)
        role = one_session.scalars(
            select(FabRole).where(FabRole.name == "system_administrator")
        ).one()
        assert list(role.user)
        place = one_stage.world.place("B11")
    refused(one_stage, account, lambda: mine.roles.append(role))
    refused(one_stage, account, lambda: role.user.append(mine))
    refused(one_stage, account, setting(mine, organization=place))
    refused(one_stage, account, setting(mine, organization_id=place.id))
    refused(one_stage, account, setting(mine, password="x"))
    with acting_as(one_session, SYSTEM):
        assert role not in mine.roles


FIELDS = ("first_name", "last_name", "username", "password", "email", "registration_hash")


@pytest.mark.parametrize("account", ["admin", "community", None])
def test_fabs_own_tables_are_the_systems_to_write(
    one_stage: Stage, one_session: Session, account: str | None
) -> None:
    """Roles and permissions are synced from the policy; no person writes them, nor FAB's users."""
    with acting_as(one_session, SYSTEM):
        role = one_session.scalars(select(FabRole)).first()
    base = FabUser(first_name="x", last_name="x", username="x", email="x@x.invalid", password="x")
    for write in (
        lambda: one_session.add(FabRole(name="neu")),
        lambda: one_session.add(Permission(name="can_everything")),
        lambda: one_session.add(RegisterUser(**dict.fromkeys(FIELDS, "x"))),
        lambda: one_session.add(base),
        setting(role, name="x"),
        lambda: one_session.delete(role),
    ):
        refused(one_stage, account, write)


def test_an_administrator_writes_accounts_and_their_roles(stage: Stage, session: Session) -> None:
    with acting_as(session, SYSTEM):
        other = stage.world.account("communityb")
        role = session.scalars(select(FabRole).where(FabRole.name == "leader")).one()
    granted(stage, "admin", lambda: other.roles.append(role))
    granted(stage, "admin", setting(other, organization=stage.world.place("A21")))


# What the same session remembers


def test_what_the_session_was_given_before_it_still_holds(stage: Stage, session: Session) -> None:
    """An identity map remembers: an object once loaded is found by its key without a statement.

    So a request must not load rows under the system that it then offers by a posted id. Views find
    records by SELECT, which asks the database: there the remembered object does not come through.
    Nor can it be written.
    """
    ticket, (ticket_id,) = one(stage, Ticket, "B11"), stage.ids[Ticket]["B11"]
    with acting_as(session, stage.world.actor("community")):
        assert session.get(Ticket, ticket.id) is ticket
        by_select = select(Ticket).where(Ticket.id == ticket.id)
        assert session.scalars(by_select).first() is None
        assert session.get(Ticket, ticket.id, populate_existing=True) is None
    refused(stage, "community", setting(ticket, title="改"))
    session.expunge_all()
    with acting_as(session, stage.world.actor("community")):
        assert session.get(Ticket, ticket_id) is None


def test_a_row_that_left_the_scope_can_still_be_named(
    one_stage: Stage, one_session: Session
) -> None:
    """Refreshing what was given stays possible: the answer must name what was just moved away."""
    ticket = one(one_stage, Ticket, "A11")
    with acting_as(one_session, one_stage.world.actor("handlerb")):
        one_session.expire(ticket)
        assert ticket.title == "路灯不亮"
    one_session.rollback()


def test_what_is_shown_blank_is_not_written_as_blank(stage: Stage, session: Session) -> None:
    """A department does not see the duty item; editing the ticket leaves it as it is."""
    with acting_as(session, stage.world.actor("handler")):
        session.expunge_all()
        (ticket_id,) = stage.ids[Ticket]["A11"]
        ticket = session.get_one(Ticket, ticket_id)
        assert ticket.duty_item is None
        ticket.result = "修好了，已通电"
        session.commit()
        item_id = ticket.duty_item_id
    assert item_id is not None
    assert ticket.result == "修好了，已通电"


def test_select_boxes_offer_what_a_write_would_be_allowed(
    one_stage: Stage, one_session: Session
) -> None:
    offers: dict[str, set[str]] = {
        "admin": set(),
        "community": {"A11", "A111"},
        "township": {"A1", "A11", "A111", "A12", "A1-PCS"},
        "office": set(),
    }
    for account, expected in offers.items():
        actor = one_stage.world.actor(account)
        inside = reachable(actor, "ticket", Organization.id, Action.ADD)
        with acting_as(one_session, actor):
            found = set(one_session.scalars(select(Organization.code).where(inside)))
        assert found == expected, account
    everywhere = reachable(SYSTEM, "ticket", Organization.id, Action.ADD)
    with acting_as(one_session, SYSTEM):
        assert len(one_session.scalars(select(Organization.code).where(everywhere)).all()) == 20
    assert set(one_stage.ids[Ticket]) >= OF_A


def test_one_compiled_statement_serves_the_actors_of_a_role_and_no_others(
    one_world: World, one_session: Session
) -> None:
    """The criteria's part of a cache key is a number: the same for the same SQL, and for no other."""

    def key(account: str) -> tuple[Any, list[Any]]:
        options = read_options(one_world.actor(account), Action.READ)
        found = select(Ticket.id).options(*options)._generate_cache_key()
        assert found is not None
        return found.key, [each.value for each in found.bindparams]

    first, second = key("community"), key("community2")
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert len(first[1]) == len(second[1])
    others = [
        key(name)[0] for name in ("community", "township", "office", "handler", "unit", "admin")
    ]
    assert len({str(each) for each in others}) == len(others)
    assert key("community") == first
