"""A browser that logs in to the demo county and keeps what it sees, as PNGs with a palette."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
PALETTE = Path(__file__).with_name("palette.js").read_text(encoding="utf-8")
COLOURS = 160
WIDE, NARROW = 1280, 360


class Camera:
    """A browser at one address that logs in as an account and keeps what it sees."""

    def __init__(self, browser: Browser, address: str, password: str) -> None:
        self.browser, self.address, self.password = browser, address, password
        self.darkroom = browser.new_page()

    @contextmanager
    def acting_as(self, username: str, width: int = WIDE, height: int = 720) -> Iterator[Page]:
        """Yield a page on which the account is logged in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            has_touch=width == NARROW,
            is_mobile=width == NARROW,
            base_url=self.address,
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto("/login/")
        page.fill("#username", username)
        page.fill("#password", self.password)
        page.click("main [type=submit], form [type=submit]")
        page.wait_for_url(f"{self.address}/")
        yield page
        context.close()

    def keep(
        self, page: Page, name: str, height: int | None = None, *, part: str | None = None
    ) -> None:
        """Write what the page shows as docs/images/NAME.png, or only a part of it (a selector)."""
        if height is not None:
            width = page.viewport_size["width"] if page.viewport_size else WIDE
            page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("networkidle")
        shown = page.locator(part).first if part else page
        source = base64.b64encode(shown.screenshot(animations="disabled")).decode("ascii")
        found = self.darkroom.evaluate(
            PALETTE, {"source": f"data:image/png;base64,{source}", "limit": COLOURS}
        )
        path = IMAGES / f"{name}.png"
        path.write_bytes(png(found))
        print(f"  {path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} KB")


def png(picture: dict[str, Any]) -> bytes:
    """Return a PNG with a palette: ``width``, ``height``, ``palette`` (r, g, b), ``pixels`` (base64)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    width, height = picture["width"], picture["height"]
    pixels = base64.b64decode(picture["pixels"])
    lines = b"".join(b"\0" + pixels[at * width : (at + 1) * width] for at in range(height))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", bytes(part for colour in picture["palette"] for part in colour)),
            chunk(b"IDAT", zlib.compress(lines, 9)),
            chunk(b"IEND", b""),
        )
    )


def ticket(page: Page, words: str) -> None:
    """Open the ticket whose title contains the words."""
    record(page, f"/tickets/list/?q={words}", words)


def record(page: Page, address: str, words: str) -> None:
    """Open the record in whose row of a list the words stand."""
    page.goto(address)
    page.locator("table.records tbody tr").filter(has_text=words).locator("a").first.click()
    page.wait_for_load_state("networkidle")


def step(page: Page, name: str) -> None:
    """Open the dialogue of a workflow step, which may be folded away among the side roads."""
    button = page.locator(f"button#step-{name}")
    button.wait_for(state="attached")
    if not button.is_visible():
        page.locator("details.more-steps > summary").click()
    button.click()


def choose(page: Page, field: str, words: str) -> None:
    """Pick from a select box that looks its choices up as one types."""
    combo = page.locator(f".combo:has(select[name={field}])")
    combo.locator("input").fill(words)
    combo.locator("[role=option]", has_text=words).first.click()
