"""Taking an import back: the former state returns, unless a row has been changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.exc import StaleDataError

from imports.duty_undo import undo_version, undone
from imports.engine import KINDS
from imports.kinds import Value, texts_of
from imports.organizations import drop_names, set_values
from imports.record_undo import undo_records
from imports.specs import ledger
from imports.tree import Known, load_known
from models.base import utcnow
from models.imports import ImportBatch, ImportChange, ImportStatus
from models.organization import Organization
from rules.actor import current
from rules.errors import Conflict, Forbidden
from rules.policy import Action, allows
from rules.references import referred_to

_NAMED = 5


@dataclass(frozen=True)
class UndoResult:
    """What an undo did: how many records of the batch were removed, and how many put back."""

    removed: int
    restored: int

    def __str__(self) -> str:
        return f"已撤销：移除 {self.removed} 条新增，恢复 {self.restored} 条原有内容。"


def undo(session: Session, batch: ImportBatch) -> UndoResult:
    """Restore what was there before the batch, all of it. Flushes, never commits.

    Raises ``Conflict`` naming the rows that have been changed, published or referred to since, and
    ``Forbidden`` if the actor may not import such a thing; then roll back.
    """
    actor = current(session)
    if not actor.system and not allows(actor.roles, KINDS[batch.kind], Action.IMPORT):
        raise Forbidden("您没有撤销导入的权限。")
    if batch.state is not ImportStatus.APPLIED:
        raise Conflict(f"“{batch}”已经撤销过了。")
    changes = list(batch.changes)
    batch.state = ImportStatus.UNDONE
    batch.undone_at, batch.undone_by = utcnow(), actor.name
    try:
        # The batch's own row first: of two people who undo it, one is refused here.
        session.flush()
        if batch.kind == "organizations":
            _undo_organizations(session, changes)
        elif (spec := ledger(batch.kind)) is not None:
            own = actor.system or (actor.user_id is not None and batch.actor_id == actor.user_id)
            undo_records(session, spec, changes, own=own)
        else:
            for change in changes:
                if change.record_type == "duty_list":
                    undo_version(session, change, changes)
        session.flush()
    except (StaleDataError, IntegrityError) as error:
        raise Conflict("撤销时有别的人也在修改这些内容，没有撤销。请刷新后再试。") from error
    if batch.kind == "duty-items":
        return UndoResult(*undone(changes))
    removed = sum(1 for change in changes if change.before is None)
    return UndoResult(removed, len(changes) - removed)


def _undo_organizations(session: Session, changes: Sequence[ImportChange]) -> None:
    codes = {
        str(values[name])
        for change in changes
        for values in (change.before or {}, change.after or {})
        for name in ("code", "parent", "home_department")
        if values.get(name)
    }
    known = load_known(session, codes)
    by_id = {each.id: each for each in known.by_code.values()}
    _refuse_changed(known, by_id, changes)
    created = {change.record_id for change in changes if change.before is None}
    _refuse_referred(session, by_id, created)
    restored = [change for change in changes if change.before is not None]
    for change in restored:
        drop_names(by_id[change.record_id], change.before or {})
    session.flush()
    for change in restored:
        set_values(by_id[change.record_id], change.before or {}, known.by_code)
    session.flush()
    # Loaded at once, so that the cascade does not ask for the names and lines of each.
    loaded = session.scalars(
        select(Organization)
        .where(Organization.id.in_(created))
        .options(selectinload(Organization.names), selectinload(Organization.lines))
    ).all()
    for organization in loaded:
        session.delete(organization)


def _refuse_changed(
    known: Known, by_id: dict[int, Organization], changes: Sequence[ImportChange]
) -> None:
    """Raise if an organisation is no longer as the batch left it."""
    names = [
        change.title
        for change in changes
        if change.record_id not in by_id
        or not _same(known.values_of(by_id[change.record_id]), change.after or {})
    ]
    if names:
        raise Conflict(f"导入之后又有改动：{_listed(names)}，不能撤销；请先改回这些机构。")


def _same(now: dict[str, Value], then: dict[str, Value]) -> bool:
    """Tell whether an organisation is as a batch has left it, in all that the batch spoke of."""
    aliases = sorted(texts_of(now.get("aliases")))
    then_aliases = sorted(texts_of(then.get("aliases")))
    plain = {name: value for name, value in then.items() if name != "aliases"}
    as_left = plain == {name: now.get(name) for name in plain}
    return as_left and ("aliases" not in then or aliases == then_aliases)


def _refuse_referred(session: Session, by_id: dict[int, Organization], created: set[int]) -> None:
    """Raise if a record outside the batch refers to an organisation that the batch made."""
    referred = referred_to(session, Organization, created)
    if referred:
        kinds = "、".join(sorted({label for labels in referred.values() for label in labels}))
        names = [by_id[each].name for each in sorted(referred)]
        raise Conflict(
            f"这一批新增的机构已经在使用：{_listed(names)}（{kinds}），不能撤销；请先处理这些记录。"
        )


def _listed(names: Sequence[str]) -> str:
    shown = "”“".join(names[:_NAMED])
    more = f"等 {len(names)} 个" if len(names) > _NAMED else ""
    return f"“{shown}”{more}"
