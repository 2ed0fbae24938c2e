"""Sheets of the declared ledgers for the tests: rows by field, written under their headings."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.export import export
from imports.plan import Plan
from imports.specs import SPECS, RecordSpec, ledger
from imports.tables import Problem
from models.imports import ImportBatch

LEDGERS = ("agreements", "resources", "needs", "services", "check-ins")
#: What hangs from records of these, and what has no state at all.
CHILDREN = {"sessions": "services", "activities": "check-ins"}
PLAIN = ("calendar", "addresses")

#: A sound row of each ledger, for county A and communities and units of the seeded world.
SOUND: dict[str, dict[str, Any]] = {
    "agreements": {
        "number": "甲党建〔2026〕1号",
        "kind": "共驻共建",
        "community": "甲一一社区",
        "unit": "甲县第一中学",
        "valid_from": "2026-01-01",
        "valid_until": "2026年12月31日",
    },
    "resources": {
        "owner": "甲县第一中学",
        "name": "报告厅",
        "category": "场地",
        "quantity": 2,
        "offers": "甲一一社区、甲一二社区",
        "phone": "13812345678",
    },
    "needs": {
        "community": "甲一一社区",
        "title": "课后托管",
        "category": "人才",
        "is_wish": "是",
        "beneficiary_count": 30,
        "wanted_from": "2026/3/1",
        "phone": "13812345678",
    },
    "services": {
        "community": "甲一一社区",
        "provider": "甲县第一中学",
        "title": "暑期托管",
        "planned_from": "2026.7.10",
        "planned_until": "2026-08-20",
        "funds": "1,234.50",
    },
    "check-ins": {
        "unit": "甲县第一中学",
        "community": "甲一一社区",
        "member": "李强",
        "post": "政策宣传岗",
        "reported_on": "2026-03-01",
        "phone": "13812345678",
    },
    "sessions": {
        "service.community": "甲一一社区",
        "service.provider": "甲县第一中学",
        "service.title": "暑期托管",
        "held_on": "2026-07-11",
        "starts_at": "9:00",
        "ends_at": "11点30分",
        "place": "活动室",
        "staff": "李强、王芳",
        "expected": 30,
    },
    "activities": {
        "check_in.unit": "甲县第一中学",
        "check_in.community": "甲一一社区",
        "check_in.member": "李强",
        "held_on": "2026-03-05",
        "hours": 1.5,
        "content": "清扫楼道",
        "place": "二号楼",
    },
    "calendar": {"day": "2026-10-10", "working": "是", "note": "调休上班"},
    "addresses": {
        "community": "甲一一社区",
        "name": "幸福里 3 号楼",
        "latitude": "38.487194",
        "longitude": "106.230909",
    },
}


def spec_named(kind: str) -> RecordSpec:
    """Return a ledger's declaration."""
    spec = ledger(kind)
    assert spec is not None
    return spec


def sheet(
    folder: Path, kind: str, *rows: Mapping[str, Any], columns: Sequence[str] | None = None
) -> Path:
    """Write rows, given by field, under the headings of a ledger; texts stay texts."""
    spec = spec_named(kind)
    names = list(columns or [name for name in spec.order if any(name in row for row in rows)])
    labels = {each.name: each.label for each in spec.outs(shown=True)}
    book = Workbook()
    page: Any = book.active
    page.title = spec.label
    page.append([labels[name] for name in names])
    for row in rows:
        page.append([None] * len(names))
        for place, name in enumerate(names, 1):
            cell = page.cell(page.max_row, place, row.get(name))
            if isinstance(row.get(name), str):
                cell.data_type = "s"
    path = folder / f"{kind}.xlsx"
    book.save(path)
    return path


def change(kind: str, /, **values: Any) -> dict[str, Any]:
    """Return the sound row of a ledger with some values changed."""
    return SOUND[kind] | values


def planned(session: Session, folder: Path, kind: str, *rows: Mapping[str, Any]) -> Plan:
    """Return what importing these rows would do."""
    return preview(session, kind, sheet(folder, kind, *rows))


def imported(session: Session, folder: Path, kind: str, *rows: Mapping[str, Any]) -> ImportBatch:
    """Import these rows and commit."""
    plan = planned(session, folder, kind, *rows)
    assert plan.errors == []
    batch = apply(session, plan)
    assert batch is not None
    session.commit()
    return batch


def problems(session: Session, folder: Path, kind: str, *rows: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with these rows."""
    return planned(session, folder, kind, *rows).errors


def sentence(session: Session, folder: Path, kind: str, /, **values: Any) -> tuple[str, str, str]:
    """Return (heading, value, sentence) of the one thing that is wrong with a row so changed."""
    path = sheet(folder, kind, change(kind, **values))
    [problem] = preview(session, kind, path).errors
    page: Any = load_workbook(path).active
    return page[f"{problem.cell.rstrip('0123456789')}1"].value, problem.value, problem.message


def counts(plan: Plan) -> tuple[int, int, int, int]:
    """Return how many rows are new, changed, unchanged, and missing from the file."""
    [one] = plan.result()["sheets"]
    return one["new"], one["changed"], one["unchanged"], one["missing"]


def exported(session: Session, folder: Path, kind: str) -> Path:
    """Export all that the session's actor sees of a ledger."""
    spec = spec_named(kind)
    path = folder / f"{kind}-out.xlsx"
    with path.open("wb") as file:
        export(session, spec, select(spec.model).order_by(spec.model.id), file)
    return path


def rows_of(content: bytes | Path) -> list[tuple[Any, ...]]:
    """Return the rows of a workbook's first sheet."""
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    page: Any = load_workbook(source).worksheets[0]
    return list(page.iter_rows(values_only=True))


def all_specs() -> list[str]:
    """Return every kind of import that has a declaration."""
    return [kind for kind in SPECS if ledger(kind) is not None]
