"""The written pages, taken apart: their code, their links, their headings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def text(page: Path) -> str:
    """Return a page's text."""
    return page.read_text(encoding="utf-8")


def code(page: Path) -> list[str]:
    """Return every line of code that a page shows, in blocks and within sentences."""
    blocks = [block for _indent, block in _FENCE.findall(text(page))]
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page))
    return [line.strip() for block in blocks for line in block.splitlines()] + spans


def prose(page: Path) -> str:
    """Return a page's text without its blocks of code."""
    return _FENCE.sub("", text(page))


def links(page: Path) -> list[str]:
    """Return what a page's links and pictures point at."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(kept.replace(" ", "-"))
    return found
