"""Workbooks to import: lists of any length, with the long cells of real ones, the same every time."""

from __future__ import annotations

import random
from pathlib import Path

from openpyxl import Workbook

_WORDS = (
    "负责组织开展辖区内安全生产综合监督管理工作依法查处违法行为指导协调督促检查落实各项措施"
    "建立健全长效机制加强宣传教育培训提高群众意识做好日常巡查发现问题及时上报配合有关部门进行处置"
)
DEPARTMENTS = (
    "县公安局",
    "县应急管理局",
    "县住房和城乡建设局",
    "县农业农村局",
    "县民政局",
    "县自然资源局",
)
HEADINGS = ("序号", "类别", "事项名称", "对应上级部门", "上级部门职责", "乡镇（街道）配合职责")
#: A county's catalogue (domain section 5): its items and their classes.
CATALOGUE_ITEMS, CATALOGUE_CLASSES = 4779, 18


def coordinating(path: Path, rows: int, *, changed: int = 0) -> Path:
    """Write a list of ``rows`` items in six columns; every ``rows / changed``-th says something else."""
    chance = random.Random(1)
    step = rows // changed if changed else rows + 1
    book = Workbook(write_only=True)
    sheet = book.create_sheet("配合履职事项清单")
    sheet.append(HEADINGS)
    for number in range(rows):
        name, above, below = (_text(chance, length) for length in (30, 120, 120))
        departments = "\n".join(chance.sample(DEPARTMENTS, 2))
        if number % step == step - 1:
            below = f"{below}并按季度上报。"
        kind = f"第{number // 500}类{_WORDS[number // 500 % 50 :][:6]}"
        sheet.append([number + 1, kind, f"{number}号{name}", departments, above, below])
    book.save(path)
    return path


def catalogue(path: Path) -> Path:
    """Write a county's catalogue: names repeat from class to class, and some within one."""
    chance = random.Random(2)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("事项清单")
    sheet.append(["序号", "事项类别", "事项名称", "工作流程", "责任部门", "办结时限"])
    names = [_text(chance, 12) for _number in range(600)]
    for number in range(CATALOGUE_ITEMS):
        kind = number * CATALOGUE_CLASSES // CATALOGUE_ITEMS
        name = names[number % len(names)]
        sheet.append(
            [
                number + 1,
                f"{_WORDS[kind * 3 :][:4]}类",
                name if number % 7 else f"{name}问题",
                _text(chance, 80),
                "、".join(chance.sample(DEPARTMENTS, 1 + number % 3)),
                f"{1 + number % 15}个工作日",
            ]
        )
    book.save(path)
    return path


def _text(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(_WORDS, k=length))
