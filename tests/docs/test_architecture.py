"""The arrows of docs/architecture.md are the code's: who imports whom, and who knows Flask."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"app", "config", "database"}
WITHOUT_FLASK = ("models", "presets", "rules", "imports", "reports", "notifications")


def arrows() -> dict[str, set[str]]:
    """Return, by folder, the packages that the page lets it import."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|$", PAGE, re.MULTILINE)
    return {folder: set(re.findall(r"\w+", allowed)) for folder, allowed in rows}


def imported(path: Path) -> set[str]:
    """Return the packages that a module imports, by their first name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_folder_of_code_is_on_the_page() -> None:
    assert set(arrows()) == OURS - {"app", "config", "database", "translations"}


@pytest.mark.parametrize("folder", sorted(arrows()))
def test_dependencies_point_one_way(folder: str) -> None:
    allowed = arrows()[folder] | {folder}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in sorted(imported(path) & OURS - allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", sorted(arrows()))
def test_no_arrow_is_drawn_that_nobody_follows(folder: str) -> None:
    followed: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        followed |= imported(path)
    assert arrows()[folder] - followed == set()


@pytest.mark.parametrize("folder", WITHOUT_FLASK)
def test_the_business_knows_nothing_of_flask(folder: str) -> None:
    web = {"flask", "flask_babel", "flask_login", "flask_wtf", "flask_migrate", "wtforms"}
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / folder).rglob("*.py")
        if (found := imported(path) & web)
    }
    assert wrong == {}


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:[\w-]+/)+[\w-]+\.py|\w+\.py)`", PAGE)
    beside = {"forms.py": "views", "details.py": "views", "tables.py": "views"}
    missing = [n for n in named if not (ROOT / beside.get(n, "") / n).is_file()]
    assert len(named) > 20
    assert missing == []
