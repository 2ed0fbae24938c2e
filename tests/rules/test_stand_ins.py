"""Actors of the same roles share the gate's statements, and each gets what is his."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from models.base import utcnow
from models.notice import Notice
from models.ticket import Ticket
from rules import scope
from rules.actor import NOBODY, SYSTEM, Actor, acting_as
from rules.policy import Action
from rules.stand_ins import NobodysIds, ids_of, stand_in
from tests.factories.world import World

PLACES = {"community": "A11", "communityb": "B11"}


@pytest.fixture
def actors(one_world: World, one_session: Session) -> dict[str, Actor]:
    """Two accounts of the same roles, each with a ticket of its community's."""
    found = {name: one_world.actor(name) for name in PLACES}
    with acting_as(one_session, SYSTEM):
        for name, place in PLACES.items():
            one_world.draft(place, title=f"{name}的哨单")
        one_session.commit()
    return found


def test_they_share_criteria_and_see_their_own(
    actors: dict[str, Actor], one_session: Session
) -> None:
    one, other = actors.values()
    assert one.roles == other.roles
    assert one.organization_id != other.organization_id
    (first,), (second,) = (scope.read_options(each, Action.READ) for each in (one, other))
    assert first is not second
    assert first._criteria is second._criteria
    for name, actor in [*actors.items(), *actors.items()]:
        with acting_as(one_session, actor):
            assert one_session.scalars(select(Ticket.title)).all() == [f"{name}的哨单"]
            one_session.expunge_all()


def test_who_lacks_an_id_does_not_share(actors: dict[str, Actor], one_session: Session) -> None:
    """Without an organisation there is nothing to compare with: the words are others."""
    one = actors["community"]
    nowhere = replace(one, organization_id=None, area_id=None)
    assert stand_in(nowhere, "gate").organization_id is None
    assert stand_in(one, "gate").organization_id is not None
    assert set(ids_of(nowhere, "gate")) == {"gate_user_id"}
    for actor in (nowhere, NOBODY):
        with acting_as(one_session, actor):
            assert one_session.scalar(select(func.count(Ticket.id))) == 0


def test_a_statement_without_anybodys_ids_is_refused(
    actors: dict[str, Actor], one_session: Session
) -> None:
    actor = actors["community"]
    inside = scope.criterion(stand_in(actor, "tried"), Ticket)
    statement = select(func.count(Ticket.id)).where(inside)
    with acting_as(one_session, SYSTEM):
        assert one_session.scalar(statement, ids_of(actor, "tried")) == 1
        with pytest.raises(StatementError) as refused:
            one_session.scalar(statement)
    assert isinstance(refused.value.orig, NobodysIds)


def test_a_bulk_update_changes_ones_own_and_what_the_session_holds_of_it(
    one_world: World, one_session: Session
) -> None:
    """SQLAlchemy cannot look at a stand-in's id itself, and asks the database which rows are meant."""
    mine, others = (one_world.actor(name) for name in PLACES)
    with acting_as(one_session, SYSTEM):
        told = [
            Notice(account_id=each.user_id, key="k", title="t", record_type="ticket", record_id=1)
            for each in (mine, others)
        ]
        one_session.add_all(told)
        one_session.commit()
        assert [each.read_at for each in told] == [None, None]
    for actor in (mine, others):
        with acting_as(one_session, actor):
            one_session.execute(update(Notice).values(read_at=utcnow()))
        assert told[0].read_at is not None
        assert (told[1].read_at is None) is (actor is mine)


def test_the_system_needs_nobody_to_stand_in() -> None:
    assert stand_in(SYSTEM, "gate") is SYSTEM
    assert stand_in(NOBODY, "gate") == replace(NOBODY, name="", organization_name="")
