"""The gate, reading: every account × every scoped record type × every door to the rows."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role as FabRole
from flask_appbuilder.security.sqla.models import User as FabUser
from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import (
    Session,
    aliased,
    joinedload,
    selectinload,
    sessionmaker,
    subqueryload,
)

import database
from models.account import Account
from models.address import AddressEntry
from models.agreement import Agreement
from models.delivery import Delivery, NoticePreference
from models.duty import DutyItem, DutyItemDepartment, DutyList
from models.export_job import ExportJob
from models.import_job import ImportJob, ImportLayout
from models.imports import ImportBatch, ImportChange
from models.ledger import AuditEntry, Event
from models.measure import FactMark
from models.mechanism import (
    CalendarOverride,
    Mechanism,
    RatingDimension,
    ReviewStep,
    WhistleClass,
)
from models.notice import Notice
from models.organization import Organization, OrganizationLine, OrganizationName
from models.rating import Rating
from models.registry import record_types, type_name
from models.saved_view import SavedView
from models.ticket import Ticket, TicketAssignment, TicketParty, TicketSequence
from models.ticket_file import TicketComment, TicketExtension, TicketPhoto
from presets.roles import Role
from rules import workflow
from rules.actor import NOBODY, SYSTEM, Actor, acting_as, current, set_actor
from rules.policy import Action
from rules.scope import UnreviewedStatement, criterion
from tests.factories.follow_stage import FOLLOW
from tests.factories.ledger_stage import LEDGERS
from tests.factories.stage import TICKETS, Stage, built
from tests.factories.world import ACCOUNTS, World
from tests.rules.doors import COUNTS, DOORS, KNOCKS, through_alias

SCOPED: list[type[Any]] = [
    Ticket,
    TicketAssignment,
    TicketParty,
    Rating,
    TicketPhoto,
    TicketComment,
    TicketExtension,
    AddressEntry,
    SavedView,
    ExportJob,
    Agreement,
    DutyList,
    DutyItem,
    DutyItemDepartment,
    ImportBatch,
    ImportChange,
    Account,
    *LEDGERS,
    *FOLLOW,
]
OPEN = [
    Organization,
    OrganizationName,
    OrganizationLine,
    Mechanism,
    WhistleClass,
    RatingDimension,
    ReviewStep,
    CalendarOverride,
    TicketSequence,
    # Numbers of tickets whose figures are out of date, and nothing else.
    FactMark,
]
#: One account for everything, area and line, area alone, party, own, and nothing but oneself.
OF_EACH_SCOPE = ("admin", "community", "duty", "handler2", "unit", "auditor")


@pytest.fixture
def stage(world: World) -> Stage:
    """One of everything in both counties, on both databases."""
    return built(world)


@pytest.fixture
def one_stage(one_world: World) -> Stage:
    """The same on SQLite."""
    return built(one_world)


#: Those whose organisations lie in the county A.
OF_A = [name for name, (place, _role) in ACCOUNTS.items() if place.startswith("A")]
#: What nobody sees all of: everybody has his own, or his organisation's.
PRIVATE = (
    Account,
    Notice,
    ImportJob,
    ImportLayout,
    SavedView,
    ExportJob,
    NoticePreference,
    Delivery,
)


def test_every_record_type_is_tested_here() -> None:
    assert set(record_types().values()) == {*SCOPED, *OPEN, Event, AuditEntry}


def test_nothing_out_of_scope_comes_through_any_door(
    one_session: Session, one_stage: Stage
) -> None:
    """Every account at the first door of each kind, those of each scope at every one."""
    for model in SCOPED:
        _try_the_doors(one_session, one_stage, model)


def _try_the_doors(one_session: Session, one_stage: Stage, model: type[Any]) -> None:
    sample = {min(ids) for ids in one_stage.ids[model].values() if ids}
    for account in ACCOUNTS:
        actor = one_stage.world.actor(account)
        seen = one_stage.seen(model, account)
        number = None if account in OF_EACH_SCOPE else 1
        one_session.expunge_all()
        with acting_as(one_session, actor):
            for name, door in list(DOORS.items())[:number]:
                assert door(one_session, model) == seen, (model, account, name)
            one_session.expunge_all()
            for name, knock in list(KNOCKS.items())[:number]:
                found = {each for each in sample if knock(one_session, model, each)}
                assert found == seen & sample, (model, account, name)
            for name, count in list(COUNTS.items())[:number]:
                assert count(one_session, model) == len(seen), (model, account, name)


def test_the_same_holds_on_both_databases(session: Session, stage: Stage) -> None:
    doors = ("column", "alias of a subquery", "outer join")
    for account in OF_EACH_SCOPE:
        with acting_as(session, stage.world.actor(account)):
            for model in SCOPED:
                session.expunge_all()
                seen = stage.seen(model, account)
                for name in doors:
                    assert DOORS[name](session, model) == seen, (account, model, name)


def test_somebody_sees_each_scope_of_the_policy(one_stage: Stage) -> None:
    """The expectations would prove nothing if everybody saw all or nothing."""
    for model in SCOPED:
        sizes = {len(one_stage.seen(model, account)) for account in ACCOUNTS}
        assert {0, len(one_stage.all(model))} <= sizes or model in PRIVATE


def test_reference_data_are_read_by_all_who_are_logged_in(
    one_session: Session, one_stage: Stage
) -> None:
    one_session.add(CalendarOverride(day=dt.date(2026, 3, 3), working=False))
    one_session.flush()
    counts = [select(func.count(model.id)) for model in OPEN]
    totals = [one_session.scalar(count) for count in counts]
    assert all(totals)
    for account in ACCOUNTS:
        with acting_as(one_session, one_stage.world.actor(account)):
            assert [one_session.scalar(count) for count in counts] == totals, account


# Without an actor


def test_a_session_that_nobody_spoke_for_reads_nothing(one_stage: Stage) -> None:
    maker = session_factory_of(one_stage)
    with maker() as session:
        assert current(session) is NOBODY
        for model in [*SCOPED, *OPEN, Event, AuditEntry]:
            assert session.scalars(select(model.id)).all() == [], model
            for number in (1, 2, 3):
                assert session.get(model, number) is None


def session_factory_of(stage: Stage) -> Any:
    """Return a maker of further sessions over the stage's database."""
    maker = sessionmaker(stage.world.session.get_bind())
    database.install(maker)
    return maker


def test_an_actor_without_role_or_place_sees_no_record(
    one_session: Session, one_stage: Stage
) -> None:
    community = one_stage.world.actor("community")
    for actor in (
        replace(community, roles=frozenset()),
        replace(community, organization_id=None, area_id=None),
        replace(one_stage.world.actor("handler"), organization_id=None),
    ):
        with acting_as(one_session, actor):
            for model in SCOPED:
                found = set(one_session.scalars(select(model.id)))
                mine = found if model in PRIVATE and model is not ImportLayout else set()
                assert found == mine, model
                assert model is not Account or found == {actor.user_id}


def test_the_actor_is_the_sessions_and_comes_back(one_session: Session, one_world: World) -> None:
    community, office = one_world.actor("community"), one_world.actor("office")
    set_actor(one_session, office)
    with acting_as(one_session, community):
        assert current(one_session) is community
        with acting_as(one_session, SYSTEM):
            assert current(one_session).system
        assert current(one_session) is community
    assert current(one_session) is office
    set_actor(one_session, SYSTEM)


# Statements that the gate cannot judge


@pytest.mark.parametrize("account", ["admin", "office", "community", None])
def test_a_statement_that_cannot_be_guarded_is_refused(
    one_session: Session, one_world: World, account: str | None
) -> None:
    actor = one_world.actor(account) if account else NOBODY
    table = Ticket.__table__
    with acting_as(one_session, actor):
        for statement in (
            text("SELECT id FROM ticket"),
            text("DELETE FROM ticket"),
            select(table.c.id),
            select(func.count()).select_from(table),
            select(Ticket).from_statement(text("SELECT * FROM ticket")),
            select(Ticket).from_statement(select(table)),
            table.update().values(title="改"),
            table.delete(),
            table.insert().values(title="新"),
        ):
            with pytest.raises(UnreviewedStatement):
                one_session.execute(statement)


def test_every_criterion_can_be_built() -> None:
    """Each role × record type × action: no line of the policy names a scope that does not fit."""
    for role in Role:
        actor = Actor(1, "某", 1, "某单位", 1, frozenset({role}))
        for model in record_types().values():
            for action in Action:
                assert criterion(actor, model, action) is not None


def test_tickets_by_hand(one_stage: Stage) -> None:
    """The stage itself is what the expectations speak of."""
    assert set(one_stage.ids[Ticket]) == TICKETS["admin"]
    assert len(one_stage.all(Ticket)) == 4


# Relations


LOADS: list[Any] = [None, joinedload, selectinload, subqueryload]


def test_a_relation_leads_to_nothing_hidden(session: Session, stage: Stage) -> None:
    """A department sees the ticket, but neither the township's list nor its item."""
    (ticket_id,) = stage.ids[Ticket]["A11"]
    query = select(Ticket).where(Ticket.id == ticket_id)
    for load, (account, item) in itertools.product(
        LOADS, (("handler", None), ("community", "路灯安装与维修"))
    ):
        options = [load(Ticket.duty_item), load(Ticket.assignments)] if load else []
        session.expunge_all()
        with acting_as(session, stage.world.actor(account)):
            ticket = session.scalars(query.options(*options)).unique().one()
            assert (ticket.duty_item and ticket.duty_item.name) == item, (load, account)
            assert len(ticket.assignments) == 2
            assert ticket.duty_item_id is not None


def test_hidden_rows_answer_no_question_asked_through_a_relation(
    session: Session, stage: Stage
) -> None:
    """Neither has() nor any(), nor a join or an order by what a department may not see."""
    named = DutyItem.name == "路灯安装与维修"
    belongs = DutyItem.id == Ticket.duty_item_id
    questions: list[Any] = [
        select(Ticket.id).where(Ticket.duty_item.has(named)),
        select(Ticket.id).where(Ticket.duty_item.has()),
        select(Ticket.id).where(exists().where(belongs)),
        select(Ticket.id).join(Ticket.duty_item),
        select(Ticket.id).join(DutyItem, belongs),
        select(Organization.id).where(exists().where(DutyList.organization_id == Organization.id)),
        select(Organization.id).where(Organization.id.in_(select(DutyList.organization_id))),
        select(Ticket.id).where(select(DutyItem.name).where(belongs).scalar_subquery() > ""),
    ]
    for question in questions:
        answers = {}
        for account in ("handler", "community"):
            with acting_as(session, stage.world.actor(account)):
                answers[account] = session.execute(question).all()
        assert (answers["handler"], bool(answers["community"])) == ([], True), str(question)


def test_fabs_own_relations_lead_to_no_other_account(session: Session, stage: Stage) -> None:
    """FAB's roles know their users by FAB's base class: it is guarded as well."""
    for load, account in itertools.product(LOADS, ("community", "office", "auditor", "admin")):
        query = select(FabRole).options(*([load(FabRole.user)] if load else []))
        session.expunge_all()
        with acting_as(session, stage.world.actor(account)):
            roles = session.scalars(query).unique().all()
            found = {user.id for role in roles for user in role.user}
            assert found == stage.seen(Account, account)
            assert set(session.scalars(select(FabUser.id))) == stage.seen(Account, account)
            assert through_alias(session, aliased(FabUser)) == stage.seen(Account, account)


# Logs


def test_a_log_line_is_read_by_whoever_reads_its_record(
    one_session: Session, one_stage: Stage
) -> None:
    tables = {type_name(model): model for model in workflow.workflows()}
    with acting_as(one_session, SYSTEM):
        of_the_county = {
            (kind, record_id)
            for kind, record_id, actor_id in one_session.execute(
                select(Event.record_type, Event.record_id, Event.actor_id)
            )
            if actor_id in {one_stage.world.account(each).id for each in OF_A}
        }
    for account in ACCOUNTS:
        with acting_as(one_session, one_stage.world.actor(account)):
            rows = one_session.execute(select(Event.record_type, Event.record_id).distinct()).all()
        found = {(kind, record_id) for kind, record_id in rows}
        expected = {
            (kind, each)
            for kind, model in tables.items()
            for each in one_stage.seen(model, account)
        }
        # The auditor reads what the people of the county did, whatever it is about.
        assert found == (of_the_county if account == "auditor" else expected), account


def test_the_auditor_reads_what_was_done_in_the_county(session: Session, stage: Stage) -> None:
    """By the place of whoever did it; and nobody but auditors and administrators sees accounts."""
    world = stage.world
    for account in ("community", "communityb"):
        world.account(account).locked_until = None
        world.account(account).first_name = "新"
        with acting_as(session, world.actor(account)):
            world.place("A11" if account == "community" else "B11")
        session.flush()
    logs = [select(log.actor_name, log.record_type) for log in (AuditEntry, Event)]
    seen = {}
    for account in ("auditor", "admin", "community", "handler", "officeb"):
        with acting_as(session, world.actor(account)):
            seen[account] = {tuple(each) for log in logs for each in session.execute(log)}
    with acting_as(session, SYSTEM):
        assert seen["admin"] == {tuple(each) for log in logs for each in session.execute(log)}
    assert {who for who, _kind in seen["auditor"]} >= {"township", "office", "handler"}
    assert not {who for who, _kind in seen["auditor"]} & {"officeb", "communityb"}
    for account in ("community", "handler", "officeb"):
        assert "account" not in {kind for _who, kind in seen[account]}
    assert not {who for who, _kind in seen["officeb"]} & {"township", "office", "handler"}
