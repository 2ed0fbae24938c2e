"""Make the pictures of the README and the guide anew, from the demo county: ``make pictures``.

A county of its own is built in a temporary folder and served on the first free port from 8120 to
8129; nothing of it stays but the pictures, as PNGs with a palette.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import follow
import ledgers
import whistles
from camera import IMAGES, NARROW, ROOT, Camera, choose, record, step, ticket
from county import served
from playwright.sync_api import Page, sync_playwright

MESSY = ROOT / "tests" / "samples" / "messy"
PASSWORD = f"guide-{secrets.token_hex(4)}"


def community(camera: Camera) -> None:
    """Raise, and rate."""
    with camera.acting_as("community") as page:
        camera.keep(page, "community-workbench", 860)
        page.goto("/tickets/add")
        page.fill("#title", "人民巷井盖坏了")
        page.fill("#detail", "井盖裂成两半，晚上看不清，怕有人踩空。")
        page.locator(".help-match").first.click()
        page.locator(".help-similar").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        camera.keep(page, "community-raise", 1200)
        ticket(page, "校门口道路坑洼")
        step(page, "rate")
        camera.keep(page, "community-rate", 720)


def township(camera: Camera) -> None:
    """Review what communities raise."""
    with camera.acting_as("township") as page:
        camera.keep(page, "township-workbench", 900)
        ticket(page, "人民巷下水井盖破损")
        step(page, "approve")
        camera.keep(page, "township-approve", 620)


def office(camera: Camera) -> None:
    """Dispatch, and strike off."""
    with camera.acting_as("office") as page:
        camera.keep(page, "office-workbench", 860)
        ticket(page, "农贸市场门口占道经营")
        step(page, "dispatch")
        choose(page, "lead", "综合执法")
        camera.keep(page, "office-dispatch", 640)


def handler(camera: Camera) -> None:
    """Accept, arrive, report."""
    with camera.acting_as("handler") as page:
        camera.keep(page, "handler-workbench", 860)
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
        page.locator("form[action*='/apply/'] [type=submit]").click()
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
    page.wait_for_url("**/import-jobs/show/**")


def others(camera: Camera) -> None:
    """One picture for each role that mostly reads; the administrator's ledgers."""
    with camera.acting_as("unit") as page:
        camera.keep(page, "unit-workbench", 420)
    with camera.acting_as("inspector") as page:
        page.goto("/tickets/list/?tab=work")
        camera.keep(page, "inspector-tickets", 660)
    with camera.acting_as("leader") as page:
        camera.keep(page, "leader-workbench", 760)
    with camera.acting_as("admin") as page:
        record(page, "/organizations/list/?q=东关社区", "东关社区")
        page.get_by_role("link", name="编辑").first.click()
        page.fill("#phone", "0952-3012345")
        page.locator("main form [type=submit]").first.click()
        page.wait_for_url("**/organizations/show/**")
    with camera.acting_as("auditor") as page:
        page.goto("/audit/list/?q=东关社区")
        camera.keep(page, "auditor-list", 560)
        page.locator("table.records tbody tr").filter(has_text="修改").locator("a").first.click()
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
    *follow.ROUNDS,
    *whistles.ROUNDS,
    *ledgers.ROUNDS,
)


def main() -> None:
    """Make every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), PASSWORD) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-lcd-text"],
        )
        camera = Camera(browser, address, PASSWORD)
        for take in ROUNDS:
            take(camera)
        browser.close()
    total = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    print(f"  共 {total / 1024:.0f} KB")


if __name__ == "__main__":
    main()
