"""Workbooks for the tests: the samples, and small ones made on the spot."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "presets" / "demo"
MESSY = ROOT / "tests" / "samples" / "messy"

ORGANIZATIONS = DEMO / "示范县组织机构.xlsx"
THREE_LISTS = DEMO / "城关镇履职事项三张清单.xlsx"
CATALOGUE = DEMO / "市级事项清单_18类1568项.xlsx"


def make_book(
    path: Path,
    *sheets: tuple[str, Sequence[Sequence[Any]]],
    merges: Sequence[str] = (),
    hidden: Sequence[str] = (),
) -> Path:
    """Write a workbook with the sheets' rows; ``merges`` are ranges of the first sheet."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        if title in hidden:
            sheet.sheet_state = "hidden"
    for area in merges:
        book.worksheets[0].merge_cells(area)
    book.save(path)
    return path


def replace_part(path: Path, part: str, content: bytes) -> Path:
    """Put other bytes into one part of a workbook's zip."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path
