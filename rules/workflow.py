"""The workflow engine: tables of steps, and the one writer of every ``status`` (design 2.3).

A record type's table lives in ``rules/workflows/``. ``apply`` takes a step, always in the same
order: permission, state, input, change, event. It never commits. Buttons, bulk actions and commands
read the same tables through ``available``, so nothing shows that would be refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Table, Update, event, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.orm.exc import StaleDataError

from models.base import Titled, utcnow
from models.ledger import Event
from models.registry import type_name
from presets.roles import Role
from rules import ledger
from rules.actor import Actor
from rules.errors import Conflict, Forbidden, Invalid
from rules.locking import lock
from rules.mechanisms import asked_once
from rules.scope import named_columns
from rules.step_inputs import Data, checked, fitting
from rules.step_inputs import Input as Input


class Relation(Titled):
    """How an actor stands to a record."""

    AREA = "area", "属地"
    LEAD = "lead", "主办单位"
    ASSISTING = "assisting", "协办单位"
    COMMUNITY = "community", "社区一方"
    UNIT = "unit", "单位一方"
    PARTNER = "partner", "签约单位"
    HOLDER = "holder", "认领单位"
    IN_HAND = "in_hand", "正在处置"
    ANY = "any", "权限范围内"


@dataclass
class Context:
    """What a guard or an effect may look at: the session, the record, who, when, with what.

    ``log`` becomes the event's ``data``; ``sequence`` is the event's number, once it is written;
    ``memo`` keeps what was looked up for this step, so that it is asked once.
    """

    session: Session
    record: Any
    actor: Actor
    now: dt.datetime
    data: Data = field(default_factory=dict)
    log: Data = field(default_factory=dict)
    sequence: int | None = None
    memo: Data = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A line of the table.

    ``to`` is the next state, None if the record's own state stays, or a function that decides.
    ``who`` are (role, relation) pairs, any of which suffices; an empty ``who`` marks a step that
    only other steps take. ``when`` returns a sentence if the step does not fit this record now;
    ``effect`` runs before the event is written, ``then`` after it.
    """

    action: str
    label: str
    froms: tuple[Titled, ...]
    to: Titled | Callable[[Context], Titled] | None
    who: tuple[tuple[Role, Relation], ...]
    inputs: tuple[Input, ...] = ()
    tone: str = "primary"
    help: str = ""
    when: Callable[[Context], str | None] | None = None
    effect: Callable[[Context], None] | None = None
    then: Callable[[Context], None] | None = None


@dataclass(frozen=True)
class Workflow:
    """A record type's table, its first state, and how an actor stands to one of its records.

    ``settle`` makes true, after every step and before it is written, what follows from the record's
    new state; ``after`` runs when the event is written, whichever step it was. ``mark`` tells apart
    what one state has several of, such as the steps of a review. ``told`` are the columns of whose
    change the steps' events tell, so that the audit need not (``told_by_event``).
    """

    model: type[Any]
    initial: Titled
    steps: tuple[Step, ...]
    relations: Callable[[Session, Any, Actor], frozenset[Relation]]
    settle: Callable[[Context], None] | None = None
    after: Callable[[Context, Step], None] | None = None
    mark: Callable[[Any], str] | None = None
    told: frozenset[str] = frozenset({"status"})

    def step(self, action: str) -> Step | None:
        """Return the step of that name."""
        return next((step for step in self.steps if step.action == action), None)


_workflows: dict[type[Any], Workflow] = {}
_kept: set[str] = set()
_writing: ContextVar[bool] = ContextVar("chuishao_status_writer", default=False)


def register(workflow: Workflow) -> Workflow:
    """Put a record type under its table; from now on nobody else can write its ``status``."""
    _workflows[workflow.model] = workflow
    guard_status(workflow.model, workflow.initial)
    return workflow


def workflow_of(model: type[Any]) -> Workflow | None:
    """Return a record type's table, if its status is kept by one."""
    return _workflows.get(model)


def workflows() -> Mapping[type[Any], Workflow]:
    """Return every registered table."""
    return dict(_workflows)


def guard_status(model: type[Any], initial: Titled) -> None:
    """Refuse every assignment to ``model.status`` that does not come from ``apply``."""

    def refuse(target: Any, value: Any, old: Any, initiator: Any) -> None:
        fresh = not inspect(target).has_identity and value == initial
        if not (_writing.get() or fresh):
            raise StatusIsTheWorkflows(f"{model.__name__}.status is written by rules.workflow only")

    event.listen(model.status, "set", refuse)
    _kept.add(model.__tablename__)


def guard_bulk(state: ORMExecuteState) -> None:
    """Refuse a bulk UPDATE of a status, whoever asks: it would leave no event and check nothing."""
    if not state.is_update or "status" not in named_columns(state):
        return
    table = cast(Update, state.statement).table
    if isinstance(table, Table) and table.name in _kept:
        raise StatusIsTheWorkflows(f"{table.name}.status is written by rules.workflow only")


class StatusIsTheWorkflows(Exception):
    """Code outside the workflow assigned a status."""


def told_by_event(record: Any) -> frozenset[str]:
    """Return the columns of a record whose changes are told by the event that is being written.

    None while no step is taken: then whoever changes them leaves a line of the audit.
    """
    workflow = _workflows.get(type(record))
    return workflow.told if workflow and _writing.get() else frozenset()


@contextmanager
def _status_writer() -> Iterator[None]:
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def begin(
    session: Session,
    record: Any,
    actor: Actor,
    *,
    note: str | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Write the first event of a new record. It must have been flushed."""
    workflow = _workflows[type(record)]
    ledger.append(
        session,
        record,
        actor,
        action="create",
        label="新建",
        from_status=None,
        to_status=workflow.initial,
        note=note,
        at=at,
    )


def begin_many(session: Session, records: Sequence[Any], actor: Actor, *, note: str) -> None:
    """Write the first events of many records of one type, made and flushed in this transaction."""
    if records:
        initial = _workflows[type(records[0])].initial
        ledger.append_first(session, records, actor, to_status=initial, note=note)


def available(session: Session, record: Any, actor: Actor) -> list[Step]:
    """Return the steps that the actor may take on the record now, in the table's order.

    Each has just the inputs that are asked of this record.
    """
    workflow = _workflows[type(record)]
    context = Context(session, record, actor, utcnow())
    relations = workflow.relations(session, record, actor)
    return [
        replace(step, inputs=fitting(step.inputs, record))
        for step in workflow.steps
        if record.status in step.froms
        and _permitted(step, actor, relations)
        and (step.when is None or step.when(context) is None)
    ]


def apply(
    session: Session,
    record: Any,
    action: str,
    actor: Actor,
    data: Data | None = None,
    *,
    seen_status: str | None = None,
    now: dt.datetime | None = None,
) -> Titled:
    """Take a step and return the new state.

    ``data`` holds the step's inputs by name; ``seen_status`` what ``seen`` said when the person was
    shown the record, or the state's value alone.
    Raises ``Forbidden`` (not theirs to take), ``Conflict`` (the state has moved on) or ``Invalid``
    (input missing or wrong); then nothing is changed but what the caller must roll back.
    """
    workflow = _workflows[type(record)]
    step = workflow.step(action)
    if step is None:
        raise Invalid(f"没有“{action}”这个步骤。")
    lock(session, record)
    relations = workflow.relations(session, record, actor)
    if not _permitted(step, actor, relations):
        raise Forbidden(f"您无权对“{record}”办理“{step.label}”。")
    check_state(session, record, step, seen_status)
    with asked_once(session):
        values = checked(fitting(step.inputs, record), data or {})
        context = Context(session, record, actor, now or utcnow(), values)
        sentence = step.when(context) if step.when else None
        if sentence:
            raise Conflict(sentence)
        return _take(context, step)


def apply_internally(
    context: Context, record: Any, action: str, data: Data | None = None
) -> Titled:
    """Take a step on another record as part of a step: no person asked for it.

    ``data`` is what the step's effect needs; without it, the context's own. Raises ``Conflict``,
    naming who was there before, if the record is no longer in a state that the step begins in.
    """
    step = _workflows[type(record)].step(action)
    if step is None or step.who:
        raise ValueError(f"{type(record).__name__} has no internal step {action}")
    lock(context.session, record)
    check_state(context.session, record, step, None)
    given = context.data if data is None else data
    return _take(Context(context.session, record, context.actor, context.now, given), step)


def follow(context: Context, action: str, data: Data, *, now: dt.datetime, log: Data) -> Titled:
    """Take a further step on the same record, as a consequence of one that was asked for.

    Neither permission nor ``when`` is asked again, for the step that leads here has judged the whole;
    the state is. ``log`` goes into the event's data. Raises ``Conflict``.
    """
    step = _workflows[type(context.record)].step(action)
    if step is None:
        raise ValueError(f"{type(context.record).__name__} has no step {action}")
    check_state(context.session, context.record, step, None)
    further = Context(context.session, context.record, context.actor, now, dict(data), dict(log))
    return _take(further, step)


def _permitted(step: Step, actor: Actor, relations: frozenset[Relation]) -> bool:
    if not step.who:
        return False
    if actor.system:
        return True
    return any(role in actor.roles and relation in relations for role, relation in step.who)


def seen(record: Any) -> str:
    """Return what a person is shown of where a record stands; ``apply`` takes it back.

    The state's value, and behind a colon which part of the state it is, where a state has several:
    whoever approves twice by mistake does not take the next review's step as well.
    """
    mark = _workflows[type(record)].mark
    part = mark(record) if mark else ""
    return f"{record.status.value}:{part}" if part else str(record.status.value)


def check_state(session: Session, record: Any, step: Step, seen_status: str | None) -> None:
    """Raise ``Conflict``, naming who was there before, if the step cannot begin in its state."""
    moved_on = seen_status is not None and seen_status not in (record.status.value, seen(record))
    if record.status in step.froms and not moved_on:
        return
    last = ledger.events_of(session, record)[-1:]
    who = "".join(
        f"，最近一步是{each.organization_name}{each.actor_name}办理的“{each.label}”"
        for each in last
    )
    raise Conflict(
        f"“{record}”现在是“{record.status.title}”{who}，不能再办理“{step.label}”。请核对后再操作。"
    )


def _take(context: Context, step: Step) -> Titled:
    record, title = context.record, str(context.record)
    workflow, before = _workflows[type(record)], record.status
    try:
        with _status_writer():
            if step.effect:
                step.effect(context)
            after = step.to(context) if callable(step.to) else step.to or before
            if after is not before:
                record.status = after
            if workflow.settle:
                workflow.settle(context)
            event = ledger.append(
                context.session,
                record,
                context.actor,
                action=step.action,
                label=step.label,
                from_status=before,
                to_status=after,
                note=context.data.get("note"),
                data=context.log,
                at=context.now,
            )
    except (StaleDataError, IntegrityError):
        # Another record was written at the same moment that rules this step out.
        raise Conflict(f"“{title}”刚刚有别人在办理，这一步没有生效。请刷新后再操作。") from None
    context.sequence = event.sequence
    if workflow.after:
        workflow.after(context, step)
    if step.then:
        step.then(context)
    status: Titled = record.status
    return status


def last_status_before(
    session: Session, record: Any, status: Titled, *, aside: tuple[Titled, ...] = ()
) -> Titled:
    """Return the state that the record was in when it last entered ``status``.

    Entering it from one of ``aside`` does not count: from there it only came back to where it was.
    """
    found = session.scalars(
        select(Event.from_status)
        .where(
            Event.record_type == type_name(type(record)),
            Event.record_id == record.id,
            Event.to_status == status.value,
            Event.from_status.not_in([each.value for each in aside]),
        )
        .order_by(Event.sequence.desc())
        .limit(1)
    ).first()
    return next(state for state in type(status) if state.value == found)
