"""Make the pictures of the README and the guide anew, from the demo county: ``make pictures``.

A county of its own is built in a temporary folder and served on the first free port from 8120 to
8129; nothing of it stays but the pictures, as PNGs with a palette.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
MESSY = ROOT / "tests" / "samples" / "messy"
PALETTE = Path(__file__).with_name("palette.js").read_text(encoding="utf-8")
PASSWORD = f"guide-{secrets.token_hex(4)}"
PORTS = range(8120, 8130)
COLOURS = 160
WIDE, NARROW = 1280, 360


class Camera:
    """A browser at one address that logs in as an account and keeps what it sees."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self.darkroom = browser.new_page()

    @contextmanager
    def acting_as(self, username: str, width: int = WIDE, height: int = 720) -> Iterator[Page]:
        """Yield a page on which the account is logged in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            base_url=self.address,
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto("/login/")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.click("main [type=submit], form [type=submit]")
        page.wait_for_url(f"{self.address}/")
        yield page
        context.close()

    def keep(self, page: Page, name: str, height: int | None = None) -> None:
        """Write what the page shows, from its top, as docs/images/NAME.png."""
        if height is not None:
            width = page.viewport_size["width"] if page.viewport_size else WIDE
            page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("networkidle")
        source = base64.b64encode(page.screenshot(animations="disabled")).decode("ascii")
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
    page.goto(f"/tickets/list/?q={words}")
    page.locator("table.records tbody tr").filter(has_text=words).locator("a").first.click()
    page.wait_for_load_state("networkidle")


def step(page: Page, name: str) -> None:
    """Open the dialogue of a workflow step."""
    page.click(f"button#step-{name}")


def choose(page: Page, field: str, words: str) -> None:
    """Pick from a select box that looks its choices up as one types."""
    combo = page.locator(f".combo:has(select[name={field}])")
    combo.locator("input").fill(words)
    combo.locator("[role=option]", has_text=words).first.click()


def community(camera: Camera) -> None:
    """Raise, follow, rate."""
    with camera.acting_as("community") as page:
        camera.keep(page, "community-workbench", 560)
        page.goto("/tickets/add")
        page.fill("#title", "东关路与学府街路口路灯不亮")
        page.fill("#detail", "路口往东 6 盏路灯连续三晚不亮，夜间有行人摔倒。")
        choose(page, "duty_item", "路灯")
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        camera.keep(page, "community-raise", 1540)
        ticket(page, "校门口道路坑洼")
        camera.keep(page, "community-ticket", 760)
        step(page, "rate")
        camera.keep(page, "community-rate", 620)
    with camera.acting_as("community", NARROW, 740) as page:
        page.goto("/tickets/add")
        page.fill("#title", "学府街井盖松动")
        camera.keep(page, "community-raise-phone")


def township(camera: Camera) -> None:
    """Review what communities raise."""
    with camera.acting_as("township") as page:
        camera.keep(page, "township-workbench", 620)
        ticket(page, "人民巷下水井盖破损")
        step(page, "approve")
        camera.keep(page, "township-approve", 620)


def office(camera: Camera) -> None:
    """Dispatch, and strike off."""
    with camera.acting_as("office") as page:
        camera.keep(page, "office-workbench", 560)
        page.goto("/tickets/list/")
        camera.keep(page, "tickets", 800)
        ticket(page, "农贸市场门口占道经营")
        step(page, "dispatch")
        choose(page, "lead", "综合执法")
        camera.keep(page, "office-dispatch", 640)


def handler(camera: Camera) -> None:
    """Accept, arrive, report."""
    with camera.acting_as("handler") as page:
        camera.keep(page, "handler-workbench", 640)
        ticket(page, "老城区雨水管网堵塞")
        camera.keep(page, "handler-ticket", 860)
        ticket(page, "阳光家园 3 号楼外墙脱落")
        step(page, "request_return")
        camera.keep(page, "handler-return", 560)
    with camera.acting_as("handler", NARROW, 740) as page:
        ticket(page, "阳光家园 3 号楼外墙脱落")
        camera.keep(page, "handler-phone")


def returns(camera: Camera) -> None:
    """Decide on a return."""
    with camera.acting_as("returns") as page:
        ticket(page, "公厕停水三天")
        camera.keep(page, "returns-ticket", 860)
        step(page, "refuse_return")
        camera.keep(page, "returns-refuse", 560)


def party(camera: Camera) -> None:
    """Keep the agreements."""
    with camera.acting_as("party") as page:
        camera.keep(page, "party-workbench", 520)
        page.goto("/agreements/add")
        camera.keep(page, "party-add", 460)
        page.goto("/agreements/list/?status=draft")
        page.locator("table.records tbody a").first.click()
        camera.keep(page, "party-agreement", 620)


def duty(camera: Camera) -> None:
    """Import lists, look through what they would change, publish."""
    with camera.acting_as("duty") as page:
        upload(page, "和平镇_收回清单_五处错误.xlsx", "和平镇")
        camera.keep(page, "duty-errors", 720)
        upload(page, "清水镇_基本清单_表头在第四行.xlsx", "清水镇")
        camera.keep(page, "duty-preview", 720)
        page.locator("form[action$='/apply'] [type=submit]").click()
        page.wait_for_load_state("networkidle")
        camera.keep(page, "duty-batch", 700)
        page.goto("/duty-lists/list/?status=draft")
        page.locator("table.records tbody a").first.click()
        step(page, "publish")
        camera.keep(page, "duty-publish", 560)


def upload(page: Page, file: str, owner: str) -> None:
    """Upload a workbook for a township, and come to its preview."""
    page.goto("/imports/duty-items/")
    choose(page, "owner", owner)
    page.set_input_files("input[type=file]", MESSY / file)
    page.locator("main form [type=submit]").first.click()
    page.wait_for_url("**/preview**")


def others(camera: Camera) -> None:
    """One picture for each role that mostly reads; the administrator's ledgers."""
    with camera.acting_as("unit") as page:
        camera.keep(page, "unit-workbench", 420)
    with camera.acting_as("inspector") as page:
        page.goto("/tickets/list/?tab=work")
        camera.keep(page, "inspector-tickets", 660)
    with camera.acting_as("leader") as page:
        camera.keep(page, "leader-workbench", 420)
    with camera.acting_as("auditor") as page:
        page.goto("/audit/list/?q=示党共建")
        camera.keep(page, "auditor-list", 560)
        page.locator("table.records tbody tr").filter(has_text="修改").locator("a").first.click()
        page.locator("summary").filter(has_text="修改记录").click()
        camera.keep(page, "auditor-entry", 560)
    with camera.acting_as("admin") as page:
        page.goto("/accounts/list/")
        camera.keep(page, "admin-accounts", 640)
        page.goto("/policy/list/")
        camera.keep(page, "admin-policy", 640)
        page.goto("/mechanisms/list/")
        page.locator("table.records tbody a").first.click()
        camera.keep(page, "admin-mechanism", 700)


ROUNDS: tuple[Callable[[Camera], None], ...] = (
    community,
    township,
    office,
    handler,
    returns,
    party,
    duty,
    others,
)


def free_port() -> int:
    """Return the first port of ours that nobody listens on."""
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"端口 {PORTS.start}–{PORTS.stop - 1} 都被占用，请先停掉占用它们的程序。")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Build the demo county in the folder and serve it; yields its address."""
    port = free_port()
    settings = {name: text for name, text in os.environ.items() if not name.startswith("CHUISHAO_")}
    settings |= {
        "CHUISHAO_DATA_DIR": str(folder),
        "CHUISHAO_PORT": str(port),
        "CHUISHAO_DEMO_PASSWORD": PASSWORD,
    }
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    for words in (["db", "upgrade"], ["sync-roles"], ["demo"]):
        subprocess.run([*flask, *words], cwd=ROOT, env=settings, check=True, capture_output=True)  # noqa: S603 - our own commands
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(  # noqa: S603 - our own server
        [*flask, "serve"], cwd=ROOT, env=settings, stdout=quiet, stderr=quiet
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, seconds: float = 30) -> None:
    """Return when somebody listens on the port; ``SystemExit`` if nobody does in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("示范县的服务没有启动，请先运行 make run 看它报什么错。")


def main() -> None:
    """Make every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-lcd-text"],
        )
        camera = Camera(browser, address)
        for take in ROUNDS:
            take(camera)
        browser.close()
    total = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    print(f"  共 {total / 1024:.0f} KB")


if __name__ == "__main__":
    main()
