"""The repository's own source, read as text and as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Packages and modules of the product, and what is beside them.
PACKAGES = [
    "models",
    "rules",
    "imports",
    "reports",
    "views",
    "notifications",
    "presets",
    "jobs",
    "cli",
]
MODULES = ["app.py", "config.py", "database.py"]
BESIDE = ["bench", "migrations", "tests", "docs"]
#: Folders that hold no source of ours.
FOREIGN = {".git", ".venv", "var", "__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache"}


@dataclass(frozen=True)
class Source:
    """A file of Python."""

    #: from the repository's root
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def package(self) -> str:
        """The top-level package or module that it belongs to."""
        return self.path.split("/")[0].removesuffix(".py")

    def imports(self) -> Iterator[tuple[str, int]]:
        """Yield every module that the file imports, wherever it does, with the line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    yield each.name, node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    yield f"{node.module}.{each.name}", node.lineno

    def calls(self, name: str) -> Iterator[int]:
        """Yield the lines on which something of that name is called, plain or as a method."""
        if name not in self.text:  # most files: they need not be parsed
            return
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                function = node.func
                called = getattr(function, "attr", None) or getattr(function, "id", None)
                if called == name:
                    yield node.lineno


def source(path: Path) -> Source:
    """Read a file."""
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def python_files(*folders: str) -> list[Source]:
    """Return the Python files below the folders; without any, the product's."""
    wanted = folders or tuple(PACKAGES)
    paths = [path for folder in wanted for path in sorted((ROOT / folder).rglob("*.py"))]
    if not folders:
        paths += [ROOT / name for name in MODULES]
    return [source(path) for path in paths if FOREIGN.isdisjoint(path.parts)]


def text_files(*suffixes: str) -> list[Path]:
    """Return every file of ours with one of the suffixes; those without a suffix are called ""."""
    found = []
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        if path.is_file() and FOREIGN.isdisjoint(inside.parts) and path.suffix in suffixes:
            found.append(path)
    return found
