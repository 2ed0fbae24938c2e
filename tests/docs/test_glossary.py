"""The glossary says what the code says: every record type, enum member and step, and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import imports
import jobs
import models
import notifications
import presets
import reports
import rules
import views
from models.base import Titled
from models.registry import record_types
from rules import workflow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
#: Every module that may name something is imported, whatever else a run has met.
PACKAGES: tuple[ModuleType, ...] = (
    models,
    presets,
    rules,
    imports,
    reports,
    notifications,
    jobs,
    views,
)
for _package in PACKAGES:
    for _found in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_found.name)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def titled_enums() -> Iterator[type[Titled]]:
    """Return every titled enum of the product."""
    waiting = [Titled]
    while waiting:
        for found in waiting.pop().__subclasses__():
            waiting.append(found)
            if found.__module__.split(".")[0] != "tests":
                yield found


def test_every_record_type_is_named_as_the_interface_names_it() -> None:
    written = [(label, code.strip("`")) for label, code, _note in rows("记录")]
    known = [(model.__label__, model.__name__) for model in record_types().values()]
    assert sorted(written) == sorted(known)


def test_every_enum_is_there() -> None:
    written = [code.strip("`") for code, _what, _members in rows("枚举")]
    assert sorted(written) == sorted(kind.__name__ for kind in titled_enums())


ENUMS: list[type[Titled]] = sorted(titled_enums(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ENUMS)
def test_every_member_is_named_as_the_interface_names_it(kind: type[Titled]) -> None:
    (members,) = [cells for code, _what, cells in rows("枚举") if code == f"`{kind.__name__}`"]
    assert members == "，".join(f"{member.title} `{member.value}`" for member in kind)


def test_every_step_is_named_as_its_button_is() -> None:
    written = dict(rows("办理步骤"))
    known = {
        model.__label__: "，".join(f"{step.label} `{step.action}`" for step in table.steps)
        for model, table in workflow.workflows().items()
    }
    assert written == known


def test_no_two_records_go_by_one_name() -> None:
    labels = re.findall(r"^\| (\S+) \| `\w+` \|", PAGE, re.MULTILINE)
    assert len(labels) == len(set(labels)) == len(record_types())
