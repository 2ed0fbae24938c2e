"""What the tests of duty lists ask of versions, and the changes they make to workbooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from sqlalchemy.orm import Session

from models.duty import DutyList, DutyListStatus, DutyListType
from tests.imports.books import THREE_LISTS
from tests.imports.conftest import lists_of_demo


def lists(session: Session, *status: DutyListStatus) -> list[DutyList]:
    """Return the demo county's versions, all or those of some states."""
    return [each for each in lists_of_demo(session) if not status or each.status in status]


def items(session: Session) -> int:
    """Return how many items they hold."""
    return sum(len(each.items) for each in lists_of_demo(session))


def of_type(session: Session, list_type: DutyListType) -> DutyList:
    """Return the one version of a type."""
    [found] = [each for each in lists(session) if each.list_type is list_type]
    return found


def edited(tmp_path: Path, change: Callable[[Workbook], None]) -> Path:
    """Return a changed copy of the township's workbook."""
    workbook = load_workbook(THREE_LISTS)
    change(workbook)
    workbook.save(tmp_path / "城关镇修订.xlsx")
    return tmp_path / "城关镇修订.xlsx"


def counts(result: dict[str, Any]) -> list[tuple[str, int, int, int, int]]:
    """Return what a result counts, sheet by sheet."""
    return [
        (each["list_type"], each["new"], each["changed"], each["unchanged"], each["missing"])
        for each in result["sheets"]
    ]


def revise(book: Workbook) -> None:
    """Change the township's workbook as a year does."""
    basic = book["基本履职事项清单"]
    basic["B4"] = "组织学习宣传党的理论"
    basic["A142"], basic["B142"] = 130, "新增的一项"
    basic.delete_rows(141)
    coordinating = book["配合履职事项清单"]
    coordinating["C4"] = "县发改局\n县财政局"
