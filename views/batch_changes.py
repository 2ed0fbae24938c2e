"""What an import changed, as far as the reader may read the records that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import get_template_attribute
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from imports import kinds
from imports.kinds import Value
from imports.ledger import load_by_id, load_places, named_places
from imports.specs import RecordSpec, ledger
from imports.specs.base import Field, Kind
from models.imports import ImportBatch, ImportChange
from models.organization import Organization
from presets.roles import Role
from rules.actor import Actor
from rules.personal import masked, may_read, personal_fields
from views.context import actor, session
from views.presentation import Column, Row, Table
from views.rendering import EMPTY

SHOWN_CHANGES = 100

#: A field's label, its text before and after.
FieldTexts = tuple[str, str, str]


@dataclass(frozen=True)
class Line:
    """A row that a batch wrote: ``fields`` only where it was there before."""

    id: int
    title: str
    cell: str
    kind: str
    fields: list[FieldTexts] = field(default_factory=list)


def may_have_file(who: Actor, batch: ImportBatch) -> bool:
    """Tell whether somebody may have the file as it came: some hold whole telephone numbers."""
    spec = ledger(batch.kind)
    if spec is None or not personal_fields(spec.model):
        return True
    own = batch.actor_id is not None and batch.actor_id == who.user_id
    return own or who.has(Role.ORGANIZATION_DEPARTMENT)


def changes_table(batch: ImportBatch) -> Table:
    """Return the first changes of a batch, each field as it was and as it became."""
    changes = session().scalars(
        select(ImportChange)
        .where(ImportChange.batch_id == batch.id)
        .order_by(ImportChange.id)
        .limit(SHOWN_CHANGES)
    )
    spec = ledger(batch.kind)
    if spec is None:
        lines = [Line(each.id, each.title, each.cell or "", _kind(each)) for each in changes]
    else:
        lines = _lines(spec, batch, list(changes))
    detailed = any(line.fields for line in lines)
    columns = [Column("title", _("名称")), Column("kind", _("变化")), Column("cell", _("单元格"))]
    if detailed:
        columns.insert(2, Column("fields", _("内容")))
    return Table(columns, [_row(line, detailed) for line in lines])


def _kind(change: ImportChange) -> str:
    """Return what the batch did with a record."""
    if change.before is None:
        return _("新增")
    if change.after is None:
        return _("移除")
    return _("停用") if change.before.get("active") and _ends(change) else _("更改")


def _ends(change: ImportChange) -> bool:
    return (change.after or {}).get("active") is False


def _row(line: Line, detailed: bool) -> Row:
    cells: list[Markup | str] = [line.title, line.kind, line.cell]
    if detailed:
        before_after = get_template_attribute("macros.html", "before_after")
        cells.insert(2, Markup(before_after(line.fields)) if line.fields else EMPTY)  # noqa: S704
    return Row(line.id, None, cells)


def _lines(spec: RecordSpec, batch: ImportBatch, changes: Sequence[ImportChange]) -> list[Line]:
    """Return the lines of a ledger's batch: the gate says whose titles and texts are shown.

    Whoever made the import knows what was in it, also of records that are gone.
    """
    own = batch.actor_id is not None and batch.actor_id == actor().user_id
    records = load_by_id(session(), spec, {each.record_id for each in changes})
    values = [part for each in changes for part in (each.before, each.after) if part]
    named = {place for each in values for place in named_places(spec, each)}
    places = load_places(session(), named)
    lines = []
    for each in changes:
        record = records.get(each.record_id)
        known = record is not None or own
        reads = record is not None and may_read(actor(), record)
        title = each.title if known else _("（不在您的查看范围内，或已经移除）")
        fields = _texts(spec, each, places, reads) if known and each.before is not None else []
        lines.append(Line(each.id, title, each.cell or "", _kind(each), fields))
    return lines


def _texts(
    spec: RecordSpec, change: ImportChange, places: dict[int, Organization], reads: bool
) -> list[FieldTexts]:
    before, after = change.before or {}, change.after or {}
    found = []
    for each in spec.fields:
        if each.name in after:
            was, is_now = (
                _text(each, part.get(each.name), places, reads) for part in (before, after)
            )
            found.append((_(each.label), was, is_now))
    return found


def _text(each: Field, value: Any, places: dict[int, Organization], reads: bool) -> str:
    if each.kind in (Kind.ORGANIZATION, Kind.ORGANIZATIONS):
        ids = value if isinstance(value, list) else [value] if value else []
        return _("、").join(places[one].name for one in ids if one in places)
    plain: Value = value
    if each.personal and not reads:
        plain = masked(value)
    return kinds.shown(each, plain)
