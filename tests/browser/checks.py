"""What no page may do, seen with the browser's own eyes."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")

#: What sticks out to the right of the window, unless it scrolls in a box of its own.
_OVERFLOW = """() => {
  const edge = document.documentElement.clientWidth;
  const scrolls = (part) => part && (/auto|scroll|hidden/.test(getComputedStyle(part).overflowX)
    && part !== document.body && part !== document.documentElement || scrolls(part.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter((part) => {
    const box = part.getBoundingClientRect();
    return box.width && box.height && box.right > edge + 1 && !scrolls(part.parentElement)
      && part.checkVisibility({visibilityProperty: true});
  });
  const names = out.slice(0, 5).map((part) => `${part.tagName.toLowerCase()}.${part.className}`);
  const wide = document.documentElement.scrollWidth - edge;
  return wide > 0 && !names.length ? [`the page is ${wide} px too wide`] : names;
}"""

#: The page's parts by kind, each kind once: where it is the same, axe has nothing new to say.
_OUTLINE = """(selector) => {
  const kinds = [...document.querySelectorAll(`${selector} *`)].map((part) => [
    part.tagName, part.className, part.getAttribute("role"), part.getAttribute("type"),
    part.hasAttribute("hidden"), ...part.getAttributeNames().filter((name) => /^(aria-|for|id|alt)/.test(name)),
    part.parentElement.className,
  ].join("|"));
  return [...new Set(kinds)].sort().join("\\n");
}"""


def overflowing(page: Page) -> list[str]:
    """Return what makes the page wider than its window."""
    found: list[str] = page.evaluate(_OVERFLOW)
    return found


def outline(page: Page, within: str = "body") -> str:
    """Return what kinds of parts a page, or a part of it, is made of."""
    found: str = page.evaluate(_OUTLINE, within)
    return found


def barriers(page: Page, within: str = "body") -> list[str]:
    """Return what axe finds serious or critical in a page or a part, with the parts it means."""
    violations: list[dict[str, Any]] = Axe().run(page, context=within).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {[node['target'] for node in each['nodes']][:5]}"
        for each in violations
        if each["impact"] in GRAVE
    ]
