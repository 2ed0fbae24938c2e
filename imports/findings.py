"""What the preview of a plan shows, as plain JSON: it outlives the process that made the plan."""

from __future__ import annotations

from collections import Counter
from typing import Any

from imports.plan import Plan, PlannedRow, RowState, SheetPlan
from imports.specs import SPECS
from imports.tables import Offer, Problem
from imports.values import shorten

#: Changes, errors and warnings of a sheet, and unknown names, that a page lists.
SHOWN = 200
SHOWN_NAMES = 50
_CELLS = 3


def findings(plan: Plan) -> dict[str, Any]:
    """Return the sheets with their first changes and remarks, and what a person may decide.

    ``unknown`` are names that nobody goes by, with those who are called most alike; ``offers`` the
    rows of headings that could not be read for sure. ``retires``: leaving rows out is possible.
    """
    return {
        "sheets": [_sheet(sheet) for sheet in plan.sheets],
        "offers": [_offer(offer, plan.kind) for offer in plan.offers],
        "unknown": _unknown(plan),
        "errors": len(plan.errors),
        "differs": plan.differs,
        "empty": plan.empty,
        "retirable": any(sheet.retirable and sheet.missing for sheet in plan.sheets),
    }


def _sheet(sheet: SheetPlan) -> dict[str, Any]:
    result = sheet.result()
    rows = [row for row in sheet.rows if row.state is not RowState.UNCHANGED]
    changes = [_change(sheet, row) for row in rows[:SHOWN]]
    left = SHOWN - len(changes)
    kind = "retired" if sheet.retires else "missing"
    changes += [
        {"title": each.title, "cell": "", "kind": kind, "fields": []}
        for each in sheet.missing[:left]
    ]
    return result | {
        "label": sheet.label,
        "retires": sheet.retires,
        "error_count": len(sheet.errors),
        "warning_count": len(sheet.warnings),
        "errors": result["errors"][:SHOWN],
        "warnings": result["warnings"][:SHOWN],
        "changes": changes,
        "change_count": len(rows) + len(sheet.missing),
    }


def _change(sheet: SheetPlan, row: PlannedRow) -> dict[str, Any]:
    cells = [change.cell for change in row.changes if change.cell]
    return {
        "title": row.title,
        "cell": cells[0] if cells else row.item.cells.get(sheet.main, ""),
        "kind": row.state.value,
        "fields": [[change.label, change.before, change.after] for change in row.changes],
    }


def _unknown(plan: Plan) -> list[dict[str, Any]]:
    """Return the names that nobody goes by, the commonest first, each with its first cells."""
    finder = plan.importer.finder
    if finder is None:
        return []
    problems: dict[str, list[str]] = {}
    for sheet in plan.sheets:
        for problem in sheet.errors:
            problems.setdefault(problem.value, []).append(_where(sheet, problem))
    found = [
        (name, problems[shorten(name)]) for name in finder.unknown() if shorten(name) in problems
    ]
    found.sort(key=lambda each: -len(each[1]))
    return [
        {
            "name": name,
            "count": len(cells),
            "cells": cells[:_CELLS],
            "nearest": [[id_, title] for id_, title in finder.nearest_known(name)],
        }
        for name, cells in found[:SHOWN_NAMES]
    ]


def _where(sheet: SheetPlan, problem: Problem) -> str:
    return f"{sheet.sheet}!{problem.cell}" if problem.cell else sheet.sheet


def _offer(offer: Offer, kind: str) -> dict[str, Any]:
    specs = {spec.list_type: spec for spec in SPECS[kind]}
    return {
        "sheet": offer.sheet,
        "row": offer.row,
        "mark": offer.mark,
        "list_type": offer.list_type,
        "lists": [[each, specs[each].label] for each in offer.lists],
        "columns": {each: [column.label for column in specs[each].columns] for each in offer.lists},
        "headings": [list(heading) for heading in offer.headings],
        "missing": list(offer.missing),
    }


def counts(found: dict[str, Any]) -> Counter[str]:
    """Return the findings' totals over all sheets: new, changed, unchanged, missing."""
    total: Counter[str] = Counter()
    for sheet in found.get("sheets", ()):
        for name in ("new", "changed", "unchanged", "missing"):
            total[name] += sheet[name]
    return total
