"""Every decision names the tests that enforce it, and they are there; some of them are here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_appbuilder import ModelRestApi
from flask_appbuilder.baseviews import BaseCRUDView
from sqlalchemy import select

from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from views import listing
from views.records import RecordView

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
PRODUCT = ("models", "rules", "imports", "views", "presets", "cli")
LINES = 60


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Return every module of the product, parsed."""
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Return the top-level packages that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_names_tests_that_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES
    _before, _, enforced = text.partition("## What enforces it\n")
    named = re.findall(r"^- `(tests/\S+\.py)::(test_\w+)`$", enforced, re.MULTILINE)
    assert named, f"{page.name} names no test that enforces it"
    assert len(named) == len(enforced.strip().splitlines())
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{page.name} names {file}::{test}, which is not there"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert [page.name[:4] for page in PAGES] == [f"{n:04}" for n in range(1, len(PAGES) + 1)]
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\((\d{4}\S+\.md)\)", index) == [page.name for page in PAGES]


def test_no_view_is_one_of_fabs_generated_ones(sqlite: Backend) -> None:
    views = sqlite.app.extensions["appbuilder"].baseviews
    generated = [view for view in views if isinstance(view, BaseCRUDView | ModelRestApi)]
    assert generated == []
    with_records = [view for view in views if getattr(view, "model", None) is not None]
    assert len(with_records) > 5
    assert all(isinstance(view, RecordView) for view in with_records)


def test_nothing_pages_by_offset() -> None:
    paging = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "offset"
    ]
    assert paging == []


@pytest.mark.parametrize(("cap", "shown"), [(4, "4+"), (5, "5"), (6, "5")])
def test_a_count_stops_at_its_cap(sqlite: Backend, cap: int, shown: str) -> None:
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        five = list(session.scalars(select(Organization.id).limit(5)))
        statement = select(Organization).where(Organization.id.in_(five))
        assert listing.count(session, Organization, statement, cap=cap) == shown


def test_only_the_child_process_parses_workbooks() -> None:
    parsers = {"python_calamine", "xlrd", "pandas"}
    found = {str(path): imported(tree) & parsers for path, tree in modules()}
    assert {path: names for path, names in found.items() if names} == {
        "imports/reader_child.py": {"python_calamine"}
    }
    # openpyxl writes workbooks here; it opens one in a process of its own, to mark the errors in it.
    opened = [path for path, tree in modules() for node in ast.walk(tree)
              if getattr(node, "attr", getattr(node, "id", "")) == "load_workbook"]  # fmt: skip
    assert [str(path) for path in opened] == ["imports/marker_child.py"]
