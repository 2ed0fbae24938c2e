"""Recognise the lists of a workbook in its sheets, wherever their headings stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from imports.decisions import NONE, Decisions, Headings, Watch, unwatched
from imports.faults import add_faults
from imports.offers import offers_of
from imports.reader import Sheet
from imports.specs.base import Column, Spec
from imports.tables import Layout, Problem, SheetProblem
from imports.walk import SheetWalk

#: Sheets of our own templates: how to fill them in, and what the drop-downs offer.
NOTES_SHEET, OPTIONS_SHEET = "填写说明", "下拉选项"


def recognise(
    sheets: Sequence[Sheet],
    specs: Sequence[Spec],
    decisions: Decisions = NONE,
    watch: Watch = unwatched,
) -> Layout:
    """Return the lists of ``specs`` that the sheets hold, in the order they stand.

    Hidden sheets are left out and named; a sheet with content but no list gets a warning, and it
    is an error if nothing at all was found or a heading suits several lists equally. What our own
    templates carry beside the list is passed over. ``decisions`` say what could not be told; what
    still cannot is in the layout's ``offers``. The sheets are used up: a plain row leaves its sheet.
    """
    layout = Layout()
    known = [_decided(spec, decisions.headings) for spec in specs]
    for sheet in sheets:
        if sheet.name in (NOTES_SHEET, OPTIONS_SHEET):
            continue
        if sheet.hidden:
            message = f"工作表“{sheet.name}”是隐藏的，没有导入；需要导入请先取消隐藏。"
            layout.warnings.append(SheetProblem(sheet.name, Problem("", "", message)))
        elif sheet.rows:
            _read(sheet, known, decisions.lists.get(sheet.name), layout, watch)
    if not layout.tables and not layout.errors:
        layout.errors.append(_nothing_found(sheets, specs))
    return layout


def _read(
    sheet: Sheet, specs: Sequence[Spec], chosen: str | None, layout: Layout, watch: Watch
) -> None:
    """Add a sheet's lists and what it leaves open; ``chosen`` is the list type a person has named."""
    if chosen == "":
        message = f"工作表“{sheet.name}”按您的选择没有导入。"
        layout.warnings.append(SheetProblem(sheet.name, Problem("", "", message)))
        return
    tried = [spec for spec in specs if chosen is None or spec.list_type == chosen]
    first = len(layout.tables)
    SheetWalk(sheet, tried or specs, layout, watch).run()
    add_faults(sheet, layout.tables[first:])
    layout.offers += offers_of(sheet, specs, layout.tables[first:])


def _decided(spec: Spec, headings: Mapping[str, Headings]) -> Spec:
    """Return the spec with the headings that somebody has said are its columns."""
    labels = {column.label: column for column in spec.columns}
    decided = {
        mark: {
            key: labels.get(label) or Column(f"不导入：{key}", ("",))
            for key, label in known.columns.items()
        }
        for mark, known in headings.items()
        if known.list_type == spec.list_type
    }
    return replace(spec, decided=decided) if decided else spec


def _nothing_found(sheets: Sequence[Sheet], specs: Sequence[Spec]) -> SheetProblem:
    names = "、".join(column.label for column in specs[0].columns if column.expected)
    lists = "”“".join(spec.label for spec in specs)
    message = (
        f"没有找到“{lists}”的表头，没有可以导入的内容。表头要有“{names}”等列，请改正后再导入。"
    )
    shown = [each.name for each in sheets if not each.hidden]
    return SheetProblem(shown[0] if shown else "", Problem("", "", message))
