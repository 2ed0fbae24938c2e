"""Pictures of one letter, three lists: each round leaves the county as the next one needs it."""

from __future__ import annotations

from collections.abc import Callable

from camera import IMAGES, NARROW, Camera, record, step
from playwright.sync_api import FilePayload, Page

SCHOOL_CLASS = "放学后无人看护的孩子"
HOLIDAY_CARE = "暑期托管班"


def agreements(camera: Camera) -> None:
    """Agreements as a ledger, their scans, and who has none."""
    with camera.acting_as("party") as page:
        page.goto("/agreements/list/")
        camera.keep(page, "party-agreements", 560)
        record(page, "/agreements/list/", "〔2026〕1号")
        scan: FilePayload = {
            "name": "示党共建2026-1号签字页.png",
            "mimeType": "image/png",
            "buffer": (IMAGES / "tickets.png").read_bytes(),
        }
        page.set_input_files("input[type=file]", [scan])
        confirm(page)
        camera.keep(page, "party-scan", 1400, part=card("扫描件"))
        page.goto("/coverage/")
        camera.keep(page, "party-coverage", 780)
        page.goto("/imports/needs/")
        camera.keep(page, "party-import", 470)
        record(page, "/needs/list/", "独居老人")
        page.get_by_role("link", name="查看全部").first.click()
        camera.keep(page, "party-match", 560)


def arranging(camera: Camera) -> None:
    """A community registers, finds what fits, and makes a service of it by one click."""
    with camera.acting_as("community", NARROW, 740) as page:
        page.goto("/needs/add?wish=1")
        page.fill("#title", "孙大爷想要一副老花镜")
        camera.keep(page, "community-need-phone")
    with camera.acting_as("community") as page:
        record(page, "/needs/list/", "独居老人")
        page.get_by_role("link", name="查看全部").first.click()
        camera.keep(page, "community-match", 480)
        record(page, "/needs/list/", SCHOOL_CLASS)
        page.get_by_role("link", name="查看全部").first.click()
        page.get_by_role("button", name="安排服务").click()
        page.wait_for_load_state("networkidle")


def unit(camera: Camera) -> None:
    """A liaison looks at the board, claims a wish, takes a service up, completes another."""
    with camera.acting_as("unit", NARROW, 900) as page:
        page.goto("/board/")
        camera.keep(page, "unit-board-phone")
    with camera.acting_as("unit") as page:
        page.goto("/resources/list/")
        camera.keep(page, "unit-resources", 480)
        record(page, "/needs/list/?tab=wish", "小宇")
        step(page, "claim")
        camera.keep(page, "unit-claim", 560)
        record(page, "/services/list/", SCHOOL_CLASS)
        camera.keep(page, "unit-service", 620)
        record(page, "/services/list/", HOLIDAY_CARE)
        camera.keep(page, "unit-sessions", 1500, part=card("场次"))
        step(page, "complete")
        page.fill("dialog[open] [name=outcome]", "40 名小学生有人看护，作业当天完成。")
        confirm(page)


def closing(camera: Camera) -> None:
    """The community sees all four columns, rates the service, confirms a check-in."""
    with camera.acting_as("community") as page:
        page.goto("/board/")
        camera.keep(page, "community-board", 760)
        record(page, "/services/list/", HOLIDAY_CARE)
        step(page, "rate")
        camera.keep(page, "community-rate-service", 560)
        record(page, "/check-ins/list/", "陈立新")
        camera.keep(page, "community-check-in", 560)


def leader(camera: Camera) -> None:
    """Figures of the county, and a number that is not for everybody."""
    with camera.acting_as("leader") as page:
        page.goto("/numbers/")
        camera.keep(page, "leader-numbers", 920)
        record(page, "/needs/list/", "独居老人")
        camera.keep(page, "leader-masked", 1400, part=card("联系人"))


def card(title: str) -> str:
    """Return the selector of the card with a title."""
    return f"section.card:has(h2:has-text('{title}'))"


def confirm(page: Page) -> None:
    """Send the form that is filled in, the dialogue's if one is open."""
    dialogue = page.locator("dialog[open] [type=submit]")
    button = dialogue if dialogue.count() else page.get_by_role("button", name="上传", exact=True)
    button.first.click()
    page.wait_for_load_state("networkidle")


ROUNDS: tuple[Callable[[Camera], None], ...] = (agreements, arranging, unit, closing, leader)
