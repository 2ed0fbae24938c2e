"""How far one scope reaches, as SQL: the words of the policy turned into expressions.

``rules.scope`` puts these together for an actor and a record type. A *ground* is the actor's own
organisation with what lies below it; its *partners* are the other sides of agreements in force.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, false, or_, select, true
from sqlalchemy.sql.expression import FromClause

from models.agreement import Agreement, AgreementStatus
from models.organization import OrganizationLine
from models.registry import record_types
from models.scoping import Anchored, Parties
from models.ticket import TicketParty
from rules.actor import Actor
from rules.policy import Scope

ColumnOf = Callable[[str], Any]


def reach(
    actor: Actor,
    rule: Anchored | Parties,
    column: ColumnOf,
    scope: Scope,
    *,
    every: bool,
    adding: bool = False,
) -> ColumnElement[bool]:
    """Return the rows within one scope. ``every``: all anchors that are set must lie in it.

    ``adding``: the rows would be new. It matters to one scope only: a row with two sides may be
    made with a partner, and is kept up by either side whatever becomes of their agreement.
    """
    if scope is Scope.EVERYTHING:
        return true()
    if scope is Scope.SELF:
        name = rule.user_column if isinstance(rule, Anchored) else None
        return column(name) == actor.user_id if name and actor.user_id is not None else false()
    if actor.organization_id is None:
        return false()
    if isinstance(rule, Parties):
        return _party(actor, rule, column, scope)
    if scope is Scope.SHARED:
        return _shared(actor, rule, column)
    if scope is Scope.SIDE:
        return _side(actor, rule, column, adding=adding)
    if scope is Scope.PARTY:
        return _in_hand(actor, rule, column)
    inside = _organizations(actor, scope)
    if scope is Scope.LINE and rule.line_column:
        return column(rule.line_column).in_(inside)
    tests = [column(name).in_(inside) for name in rule.columns]
    if every:
        # At least one must be set: a row that is tied to no place is in nobody's area.
        return and_(
            or_(*tests),
            *(or_(column(n).is_(None), t) for n, t in zip(rule.columns, tests, strict=True)),
        )
    return or_(*tests)


def _in_hand(actor: Actor, rule: Anchored, column: ColumnOf) -> ColumnElement[bool]:
    """Return what the actor's body has in hand, once the parent has come so far, if it must have."""
    if rule.party_column is None:
        return false()
    mine: ColumnElement[bool] = column(rule.party_column) == actor.organization_id
    if rule.party_when is None:
        return mine
    name, table, statuses = rule.party_when
    parent = record_types()[table].__table__.alias()
    return and_(mine, some(column(name), parent, parent.c.id, parent.c.status.in_(statuses)))


def _shared(actor: Actor, rule: Anchored, column: ColumnOf) -> ColumnElement[bool]:
    """Return what the actor's partners share with it, as the record type's ``Sharing`` says."""
    sharing = rule.sharing
    if sharing is None:
        return false()
    tests = [column(sharing.column).in_(partners(actor))]
    if sharing.statuses:
        tests.append(column("status").in_(sharing.statuses))
    if sharing.offers is not None:
        table, key, organization = sharing.offers
        offers = record_types()[table].__table__.alias()
        ours = record_types()[table].__table__.alias()
        to_some = exists().where(offers.c[key] == column("id")).correlate_except(offers)
        to_us = some(column("id"), ours, ours.c[key], ours.c[organization].in_(ground(actor)))
        tests.append(or_(and_(column("id").is_not(None), ~to_some), to_us))
    held = [column(name).in_(ground(actor)) for name in sharing.holders]
    return or_(and_(*tests), *held)


def _side(actor: Actor, rule: Anchored, column: ColumnOf, *, adding: bool) -> ColumnElement[bool]:
    own = [column(name).in_(ground(actor)) for name in rule.columns]
    if not adding:
        return or_(*own)
    others = [column(name).in_(partners(actor)) for name in rule.columns]
    sides = zip(rule.columns, own, others, strict=True)
    return and_(
        or_(*own), *(or_(column(name).is_(None), mine, other) for name, mine, other in sides)
    )


def ground(actor: Actor) -> Select[tuple[int]]:
    """Return the ids of the actor's organisation and of those below it."""
    line = OrganizationLine.__table__.alias()
    return select(line.c.organization_id).where(line.c.ancestor_id == actor.organization_id)


def partners(actor: Actor) -> CompoundSelect[Any]:
    """Return the ids of the other sides of agreements in force with the actor's ground."""
    first, second = Agreement.__table__.alias(), Agreement.__table__.alias()
    in_force = AgreementStatus.IN_FORCE
    units = select(first.c.unit_id).where(
        first.c.status == in_force, first.c.community_id.in_(ground(actor))
    )
    communities = select(second.c.community_id).where(
        second.c.status == in_force, second.c.unit_id.in_(ground(actor))
    )
    return units.union_all(communities)


def _party(actor: Actor, rule: Parties, column: ColumnOf, scope: Scope) -> ColumnElement[bool]:
    party = TicketParty.__table__.alias()
    if scope is Scope.OWN:
        return column(rule.raiser_column) == actor.organization_id
    if scope is Scope.LINE:
        raise ValueError("a ticket has no line scope; say area or party in the policy")
    organization_id = actor.area_id if scope is Scope.AREA else actor.organization_id
    if organization_id is None:
        return false()
    return some(column("id"), party, party.c.ticket_id, party.c.organization_id == organization_id)


def some(spoken: Any, rows: FromClause, key: Any, test: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether ``rows`` has one whose ``key`` is the column spoken of, and that passes.

    A probe for each row looked at, not a list of all that may be seen: SQLite would gather the
    list anew for every statement, and it grows with the ledger.

    The column is named outside the probe as well. Where SQLAlchemy cannot tell a criterion which
    alias it is about (an outer join to one), it would put the table into the probe's own FROM
    clause, and every row would pass; named outside, it is an error of the database instead.
    """
    probe = exists().where(key == spoken, test).correlate_except(rows)
    return and_(spoken.is_not(None), probe)


def _organizations(actor: Actor, scope: Scope) -> Select[tuple[int]]:
    """Return the ids of the organisations within AREA, LINE or OWN of the actor."""
    line = OrganizationLine.__table__.alias()
    if scope is Scope.AREA:
        return select(line.c.organization_id).where(line.c.ancestor_id == actor.area_id)
    if scope is Scope.LINE:
        return select(line.c.ancestor_id).where(line.c.organization_id == actor.organization_id)
    if scope is Scope.OWN:
        return select(line.c.organization_id).where(
            line.c.organization_id == actor.organization_id, line.c.depth == 0
        )
    raise ValueError(f"the scope {scope.value} does not fit records tied to organisations")
