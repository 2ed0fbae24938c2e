"""The import in three verbs: preview what a file would do, apply it, undo it (design section 2.5).

Nothing here commits: the edge (command, view, job) does, once. A refusal leaves nothing behind that
a roll-back does not remove.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from imports.archive import file_hash, keep
from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.duty_lists import DutyListImport
from imports.layout import recognise
from imports.organizations import OrganizationImport
from imports.plan import Importer, Plan, SheetPlan
from imports.probe import LIMITS, Limits
from imports.reader import Sheet, read
from imports.records import RecordImport
from imports.specs import RECORDS, SPECS, ledger
from imports.tables import Layout, Problem, SheetProblem
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import current
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope
from rules.policy import Action, allows
from rules.scope import reachable

#: What can be imported, and the record type whose import permission it needs.
KINDS = {
    "organizations": "organization",
    "duty-items": "duty_list",
    **{each.list_type: each.policy_type for each in RECORDS if each.imported},
}

_STALE = "预览之后，库里的内容已经有了变化，没有导入。请重新预览，核对后再确认。"


def preview(
    session: Session,
    kind: str,
    path: Path,
    *,
    owner: Organization | None = None,
    original_name: str | None = None,
    limits: Limits = LIMITS,
    decisions: Decisions = NONE,
    watch: Watch = unwatched,
) -> Plan:
    """Say what importing a file would do; writes nothing.

    ``kind``: one of ``KINDS``; ``duty-items`` with the ``owner`` of the lists. ``decisions`` settle
    what the file leaves open; ``watch`` is told how far the work is. Raises
    ``WorkbookRefused`` if the file cannot be read, ``OutOfScope`` or ``Forbidden`` if the actor may
    not import this; what is wrong inside the file is in the plan, by cell.
    """
    importer = importer_of(session, kind, owner, decisions)
    name = original_name or path.name
    watch("read", 0, 0)
    with unhurried():
        sheets = read(path, limits=limits, name=name, watch=lambda: watch("read", 0, 0))
        layout = recognise(sheets, SPECS[kind], decisions, watch)
    if not layout.tables:
        _name_other(layout, sheets, kind)
    del sheets
    owner_id = owner.id if owner else None
    plan = Plan(kind, path, name, file_hash(path), owner_id, importer, layout, decisions)
    return held(plan, watch)


def held(plan: Plan, watch: Watch) -> Plan:
    """Hold what has been read, the plan's layout, against the records as they are, and seal it."""
    importer, layout = plan.importer, plan.layout
    importer.watch = watch
    with unhurried():
        plan.sheets = importer.compare(importer.check(layout.tables))
    plan.offers = layout.offers
    _add_sheet_problems(plan, layout)
    plan.seal(importer.state())
    return plan


@contextmanager
def unhurried() -> Iterator[None]:
    """Let the collector of cyclic garbage rest: of the many objects made within, all are in use.

    It would look through all of them again and again, a sixth of an import's work.
    """
    resting = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not resting:
            gc.enable()


def _name_other(layout: Layout, sheets: Sequence[Sheet], kind: str) -> None:
    """Where a sheet holds a list of another kind, say which: the file came to the wrong page."""
    if ledger(kind) is None:
        return
    others = tuple(spec for other, specs in SPECS.items() if other != kind for spec in specs)
    for table in recognise(sheets, others).tables:
        message = (
            f"这张表是“{table.spec.label}”，这里导入的是“{SPECS[kind][0].label}”，"
            f"请到“{table.spec.label}”那里导入。"
        )
        layout.errors = [SheetProblem(table.sheet, Problem("", table.title, message))]


def importer_of(
    session: Session, kind: str, owner: Organization | None, decisions: Decisions
) -> Importer:
    """Return what imports such a file; errors as of ``preview``."""
    if kind not in KINDS:
        raise Invalid(f"没有“{kind}”这种导入。")
    actor = current(session)
    if not actor.system and not allows(actor.roles, KINDS[kind], Action.IMPORT):
        raise Forbidden("您没有导入的权限。")
    if kind == "organizations":
        return OrganizationImport(session, decisions)
    if (spec := ledger(kind)) is not None:
        return RecordImport(session, spec, decisions)
    if owner is None:
        raise Invalid("请选择清单属于哪个地区。")
    inside = reachable(actor, KINDS[kind], Organization.id, Action.IMPORT)
    if session.scalar(select(Organization.id).where(Organization.id == owner.id, inside)) is None:
        raise OutOfScope
    return DutyListImport(session, owner, decisions)


def _add_sheet_problems(plan: Plan, layout: Layout) -> None:
    """Put remarks on sheets without a list where they are seen: on the first list of the file."""
    for sheet, problem in layout.errors:
        plan.sheets.append(SheetPlan(sheet, "", "", errors=[problem]))
    if layout.warnings and not plan.sheets:
        plan.sheets.append(SheetPlan(layout.warnings[0].sheet, "", ""))
    for _sheet, problem in layout.warnings:
        plan.sheets[0].warnings.append(problem)


def apply(
    session: Session,
    plan: Plan,
    *,
    shown: str | None = None,
    archive: Path | None = None,
    watch: Watch = unwatched,
) -> ImportBatch | None:
    """Do what the plan says, all of it, and return the batch; ``None`` if nothing differs. Flushes.

    The plan must have been made in this transaction; ``shown`` is the token of the plan that the
    person has confirmed. ``archive`` is the folder that keeps the file; ``watch`` is told how far the
    work is. Raises ``Invalid`` if the
    plan has errors and ``Conflict`` if the records have changed since; then roll back.
    """
    if shown is not None and shown != plan.token:
        raise Conflict(_STALE)
    if plan.errors:
        raise Invalid(f"文件里有 {len(plan.errors)} 处错误，没有导入。请改正后重新上传。")
    if not plan.differs:
        return None
    actor = current(session)
    batch = ImportBatch(
        kind=plan.kind,
        organization_id=plan.owner_id,
        file_name=plan.file_name[:255],
        file_hash=plan.file_hash,
        stored_name=keep(plan.path, archive, plan.file_hash) if archive else None,
        summary=plan.result()["sheets"],
        actor_id=actor.user_id,
        actor_name=actor.name,
    )
    try:
        with unhurried():
            plan.importer.apply(plan, batch, watch)
        session.add(batch)
        session.flush()
    except (StaleDataError, IntegrityError) as error:
        raise Conflict(_STALE) from error
    return batch
