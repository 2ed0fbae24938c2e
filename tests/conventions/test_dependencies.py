"""What we import is declared, with a lower and an upper bound, and pinned."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.conventions.source import BESIDE, MODULES, PACKAGES, ROOT, Source, python_files

#: Our own packages, and the modules that lie beside the script that imports them.
OURS = {*PACKAGES, *BESIDE, *(name.removesuffix(".py") for name in MODULES), "translations"}
OURS |= {path.stem for path in (ROOT / "docs" / "guide").glob("*.py")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED: list[str] = PROJECT["dependencies"]
FOR_TESTS: list[str] = PROJECT["optional-dependencies"]["test"]


def name_of(requirement: str) -> str:
    """Return a requirement's distribution, as names are compared."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ]", requirement, maxsplit=1)[0]).lower()


def imported(each: Source) -> Iterator[str]:
    """Yield the top packages that a module imports from elsewhere."""
    for node in ast.walk(each.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in OURS:
                yield top


def undeclared(files: list[Source], declared: set[str]) -> set[str]:
    """Return the imported packages that no declared distribution provides."""
    known = packages_distributions()
    return {
        f"{each.path}: {top}"
        for each in files
        for top in imported(each)
        if not {name_of(found) for found in known.get(top, [])} & declared
    }


def test_what_we_import_is_declared() -> None:
    declared = {name_of(each) for each in NEEDED}
    product = python_files("models", "rules", "imports", "reports", "presets", "views", "cli")
    assert undeclared([*product, *python_files("migrations", "translations")], declared) == set()
    both = declared | {name_of(each) for each in FOR_TESTS}
    # The benchmarks' peers run in environments of their own, by their own list.
    others = python_files("bench", "tests", "docs")
    ours = [each for each in others if not each.path.startswith("bench/peers/")]
    assert undeclared(ours, both) == set()


def test_every_requirement_has_both_bounds() -> None:
    for each in [*NEEDED, *FOR_TESTS]:
        assert re.search(r">=[\d.]+,<[\d.]+$", each), each


def test_every_requirement_is_pinned() -> None:
    for file, needed in (("requirements.txt", NEEDED), ("requirements-test.txt", FOR_TESTS)):
        pinned = {name_of(line) for line in (ROOT / file).read_text().splitlines() if "==" in line}
        assert {name_of(each) for each in needed} <= pinned, file


def test_the_check_finds_what_is_not_declared() -> None:
    source = Source("a.py", "import click\nfrom werkzeug.utils import x\nimport os\n")
    assert undeclared([source], {"click"}) == {"a.py: werkzeug"}
