"""The gate, writing: nothing out of scope is changed, moved, made or removed by any way of writing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.agreement import Agreement, AgreementKind
from models.base import utcnow
from models.duty import DutyItem, DutyList
from models.imports import ImportBatch
from models.ledger import Event
from models.mechanism import CalendarOverride, WhistleClass
from models.organization import Organization
from models.ticket import Ticket, TicketAssignment
from rules.actor import NOBODY, SYSTEM, acting_as
from rules.scope import UnreviewedStatement, named_columns
from tests.factories.stage import Stage, built
from tests.factories.world import ACCOUNTS, World
from tests.factories.writing import granted, one, refused, setting


@pytest.fixture
def stage(world: World) -> Stage:
    """One of everything in both counties, on both databases."""
    return built(world)


@pytest.fixture
def one_stage(one_world: World) -> Stage:
    """The same on SQLite."""
    return built(one_world)


NEW_YEAR = dt.date(2026, 1, 1)


# Who may change what: (record type, place, column) → accounts, by hand

EDITORS: list[tuple[type[Any], str, str, set[str]]] = [
    (Ticket, "A11", "title", {"office", "returns", "township", "community", "handler", "handler2"}),
    (Ticket, "A12", "title", {"office", "returns", "township", "community2", "handler2"}),
    (Ticket, "B11", "title", {"officeb", "townshipb", "communityb", "handlerb"}),
    (Agreement, "A11", "objectives", {"admin", "party"}),
    (Agreement, "B11", "objectives", {"admin", "partyb"}),
    (DutyList, "A1", "title", {"admin", "duty", "township"}),
    (DutyList, "A", "title", {"admin", "duty"}),
    (DutyList, "B1", "title", {"admin", "townshipb"}),
    (DutyItem, "A1", "category", {"admin", "duty", "township"}),
    (DutyItem, "B1", "category", {"admin", "townshipb"}),
    (ImportBatch, "A1", "undone_by", {"admin", "duty", "party", "township"}),
    (ImportBatch, "", "undone_by", {"admin"}),
    (Account, "community", "first_name", {"admin"}),
]


def test_who_may_change_a_row(one_stage: Stage, one_session: Session) -> None:
    for model, place, column, editors in EDITORS:
        for account in ACCOUNTS:
            record = one(one_stage, model, place)
            write = setting(record, **{column: f"由{account}改"})
            if account in editors:
                granted(one_stage, account, write)
            else:
                refused(one_stage, account, write)
                one_session.refresh(record)
                assert getattr(record, column) != f"由{account}改"


def test_who_may_change_rows_in_bulk(one_stage: Stage, one_session: Session) -> None:
    """A bulk UPDATE reaches what EDIT reaches, which is less than a workflow step does."""
    reached: dict[type[Any], dict[str, set[str]]] = {
        Ticket: {
            "township": {"A11", "A12"},
            "township2": {"A21"},
            "community": {"A11"},
            "community2": {"A12"},
            "townshipb": {"B11"},
            "communityb": {"B11"},
        },
        Agreement: {
            "admin": {"A11", "A12", "B11"},
            "party": {"A11", "A12"},
            "partyb": {"B11"},
        },
        DutyItem: {
            "admin": {"A", "A1", "A2", "B1"},
            "duty": {"A", "A1", "A2"},
            "township": {"A1"},
            "township2": {"A2"},
            "townshipb": {"B1"},
        },
        ImportBatch: {
            "admin": {"A1", "B1", ""},
            "duty": {"A1"},
            "party": {"A1"},
            "township": {"A1"},
            "townshipb": {"B1"},
            "partyb": {"B1"},
        },
        Account: {"admin": set(ACCOUNTS)},
    }
    for model, table in reached.items():
        column = {Ticket: "title", Agreement: "objectives", DutyItem: "category"}.get(model)
        column = column or {ImportBatch: "undone_by", Account: "first_name"}[model]
        for account in ACCOUNTS:
            actor = one_stage.world.actor(account)
            with acting_as(one_session, actor):
                one_session.execute(update(model).values({column: account}))
            with acting_as(one_session, SYSTEM):
                changed = set(
                    one_session.scalars(select(model.id).where(getattr(model, column) == account))
                )
            one_session.rollback()
            places = table.get(account, set())
            assert changed == {each for place in places for each in one_stage.ids[model][place]}, (
                model,
                account,
            )


def test_who_may_delete_rows_in_bulk(one_stage: Stage, one_session: Session) -> None:
    reached = {"admin": {"A11", "A12", "B11"}, "party": {"A11", "A12"}, "partyb": {"B11"}}
    for account in ACCOUNTS:
        with acting_as(one_session, one_stage.world.actor(account)):
            one_session.execute(delete(Agreement))
            assert one_session.execute(delete(Ticket)).rowcount == 0
        with acting_as(one_session, SYSTEM):
            left = set(one_session.scalars(select(Agreement.id)))
        one_session.rollback()
        gone = {min(one_stage.ids[Agreement][place]) for place in reached.get(account, set())}
        assert left == one_stage.all(Agreement) - gone, account


@pytest.mark.parametrize("account", [None, "unit", "leader", "auditor"])
def test_bulk_statements_of_those_without_a_right_touch_nothing(
    one_stage: Stage, one_session: Session, account: str | None
) -> None:
    actor = one_stage.world.actor(account) if account else NOBODY
    with acting_as(one_session, actor):
        for model, column in ((Ticket, "title"), (Agreement, "objectives"), (DutyItem, "name")):
            assert one_session.execute(update(model).values({column: "改"})).rowcount == 0
            assert one_session.execute(delete(model)).rowcount == 0


BY_PASSES: dict[str, Callable[[int], tuple[Any, Any]]] = {
    "by key": lambda each: (update(Agreement), [{"id": each, "version": 1, "objectives": "改"}]),
    "moved": lambda each: (update(Agreement).values(unit_id=1), None),
    "moved by parameter": lambda each: (update(Agreement), {"community_id": 1}),
    "moved by object": lambda each: (update(Agreement).values({Agreement.unit_id: 1}), None),
    "moved in order": lambda each: (update(Agreement).ordered_values(("unit_id", 1)), None),
    "moved child": lambda each: (update(DutyItem).values(duty_list_id=1), None),
    "moved ticket": lambda each: (update(Ticket).values(organization_id=1), None),
    "moved account": lambda each: (update(Account).values(organization_id=1), None),
    "another id": lambda each: (update(Agreement).values(id=99), None),
    "another version": lambda each: (
        update(Agreement).execution_options(dml_strategy="core_only").values(objectives="改"),
        None,
    ),
    "insert": lambda each: (insert(Agreement).values(number="新"), None),
    "inserts": lambda each: (insert(Agreement), [{"number": "新"}]),
    "insert past the class": lambda each: (insert(Agreement.__table__).values(number="新"), None),
}


@pytest.mark.parametrize("account", ["party", "admin", "duty", "community"])
def test_bulk_statements_whose_result_cannot_be_judged_are_refused(
    one_session: Session, one_world: World, account: str
) -> None:
    agreement = one_world.agreement("A11", "A-U1", "1号")
    one_session.commit()
    for name, made in BY_PASSES.items():
        statement, parameters = made(agreement.id)
        actor = one_world.actor(account)
        with acting_as(one_session, actor), pytest.raises(UnreviewedStatement) as refusal:
            one_session.execute(statement, parameters)
        assert str(refusal.value), name


def test_what_an_update_names_is_read_however_it_is_written() -> None:
    class State:
        parameters: Any = None
        statement: Any = None

    for statement, parameters in (
        (update(Agreement).values(number="1"), None),
        (update(Agreement).values({"number": "1"}), None),
        (update(Agreement).values({Agreement.number: "1"}), None),
        (update(Agreement.__table__).values({Agreement.__table__.c.number: "1"}), None),
        (update(Agreement).ordered_values((Agreement.number, "1")), None),
        (update(Agreement), {"number": "1"}),
        (update(Agreement), [{"number": "1"}]),
    ):
        state = State()
        state.statement, state.parameters = statement, parameters
        assert named_columns(state) == {"number"}  # type: ignore[arg-type]


# Moving rows


@pytest.mark.parametrize("by", ["object", "id"])
def test_a_row_is_not_moved_out_of_or_into_scope(stage: Stage, by: str) -> None:
    world = stage.world

    def moved(place: str, **to: str) -> Callable[[], None]:
        record = one(stage, Agreement, place)
        values = {
            name if by == "object" else f"{name}_id": (
                world.place(code) if by == "object" else world.place(code).id
            )
            for name, code in to.items()
        }
        return setting(record, **values)

    refused(stage, "party", moved("A11", unit="B-U1"))
    refused(stage, "party", moved("A11", community="B11"))
    refused(stage, "party", moved("A11", community="B11", unit="B-U1"))
    refused(stage, "party", moved("B11", community="A12", unit="A-U1"))
    refused(stage, "partyb", moved("A11", community="B11", unit="B-U1"))
    granted(stage, "party", moved("A11", unit="A-D1"))
    granted(stage, "admin", moved("A11", unit="B-U1"))


@pytest.mark.parametrize("by", ["object", "id"])
def test_a_child_is_not_moved_to_a_hidden_parent(one_stage: Stage, by: str) -> None:
    def moved(place: str, to: str) -> Callable[[], None]:
        item, parent = one(one_stage, DutyItem, place), one(one_stage, DutyList, to)
        return setting(
            item, **({"duty_list": parent} if by == "object" else {"duty_list_id": parent.id})
        )

    refused(one_stage, "duty", moved("A1", "B1"))
    refused(one_stage, "duty", moved("B1", "A1"))
    refused(one_stage, "township", moved("A1", "A2"))
    refused(one_stage, "township", moved("A1", "A"))
    granted(one_stage, "duty", moved("A1", "A2"))


# Making and removing rows


def agreement(world: World, community: str, unit: str, **by_id: int) -> Agreement:
    return Agreement(
        number=f"{community}-{unit}",
        kind=AgreementKind.CO_BUILDING,
        valid_from=NEW_YEAR,
        valid_until=dt.date(2027, 1, 1),
        **(by_id or {"community": world.place(community), "unit": world.place(unit)}),
    )


def test_a_row_is_made_only_within_scope(stage: Stage, session: Session) -> None:
    world = stage.world

    def made(community: str, unit: str) -> Callable[[], None]:
        new = agreement(world, community, unit)
        return lambda: session.add(new)

    granted(stage, "party", made("A11", "A-U2"))
    for community, unit in (("B11", "A-U1"), ("A11", "B-U1"), ("B11", "B-U1")):
        refused(stage, "party", made(community, unit))
    for account in ("township", "community", "unit", "leader", "office", None):
        refused(stage, account, made("A12", "A-U1"))
    ids = {"community_id": world.place("B11").id, "unit_id": world.place("A-U1").id}
    new = agreement(world, "B11", "A-U1", **ids)
    refused(stage, "party", lambda: session.add(new))


def test_a_row_of_no_place_is_nobodys_to_make(one_stage: Stage, one_session: Session) -> None:
    def batch() -> ImportBatch:
        return ImportBatch(kind="x", file_name="x", file_hash="0" * 64, summary=[], actor_name="某")

    for account in ("duty", "township"):
        new = batch()
        refused(one_stage, account, lambda new=new: one_session.add(new))
    granted(one_stage, "admin", lambda: one_session.add(batch()))


def test_a_row_is_removed_only_within_scope(one_stage: Stage, one_session: Session) -> None:
    def removed(model: type[Any], place: str) -> Callable[[], None]:
        record = one(one_stage, model, place)
        return lambda: one_session.delete(record)

    for account in ("partyb", "office", "community", "unit", None):
        refused(one_stage, account, removed(Agreement, "A11"))
    refused(one_stage, "duty", removed(DutyList, "B1"))
    refused(one_stage, "township", removed(DutyItem, "A"))
    refused(one_stage, "party", removed(Ticket, "A11"))
    granted(one_stage, "party", removed(Agreement, "A11"))
    granted(one_stage, "duty", removed(DutyItem, "A2"))


def test_a_child_is_taken_from_its_parents_collection_within_scope_only(
    stage: Stage, session: Session
) -> None:
    """It is removed by the flush without ever having been marked as deleted."""

    def taken(place: str, pick: Any = min) -> Callable[[], None]:
        item = one(stage, DutyItem, place, pick)
        with acting_as(session, SYSTEM):
            items = item.duty_list.items
        return lambda: items.remove(item)

    refused(stage, "duty", taken("B1"))
    refused(stage, "community", taken("A1"))
    granted(stage, "duty", taken("A1"))
    granted(stage, "township", taken("A1", max))


def test_children_of_a_ticket_are_written_by_those_at_work_on_it(
    one_stage: Stage, one_session: Session
) -> None:
    department = one_stage.world.place("A-D3").id

    def added(place: str) -> Callable[[], None]:
        (ticket_id,) = one_stage.ids[Ticket][place]
        part = TicketAssignment(ticket_id=ticket_id, organization_id=department, role="assisting")
        return lambda: one_session.add(part)

    for account in ("handlerb", "community2", "unit", "leader", "party", None):
        refused(one_stage, account, added("A11"))
    granted(one_stage, "office", added("A11"))


def test_reference_data_are_written_by_administrators_only(
    one_stage: Stage, one_session: Session
) -> None:
    world = one_stage.world
    place, kind = world.place("A11"), world.whistle_class("ordinary")
    for account in (*(each for each in ACCOUNTS if each != "admin"), None):
        if account != "duty":
            # The officer of the county's duty lists names departments, and so its organisations.
            refused(one_stage, account, setting(place, name="改名"))
        refused(one_stage, account, setting(kind, name="改名"))
        new = CalendarOverride(day=NEW_YEAR, working=True)
        refused(one_stage, account, lambda new=new: one_session.add(new))
    granted(one_stage, "admin", setting(place, name="改名"))
    granted(one_stage, "admin", setting(kind, name="改名"))
    assert one_session.get_one(WhistleClass, kind.id).name == "改名"
    assert one_session.get_one(Organization, place.id).name == "改名"


def test_a_log_line_is_added_only_about_what_is_seen(
    one_stage: Stage, one_session: Session
) -> None:
    (ticket_id,) = one_stage.ids[Ticket]["A11"]

    def line() -> Event:
        return Event(
            record_type="ticket", record_id=ticket_id, sequence=99, action="x", label="x",
            at=utcnow(), data={}, to_status="x", actor_name="x", organization_name="x", previous_hash="", hash="",
        )  # fmt: skip

    for account in ("communityb", "community2", "party", "unit", None):
        new = line()
        refused(one_stage, account, lambda new=new: one_session.add(new))
