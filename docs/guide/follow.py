"""Pictures of what follows: measures, scores, an order, what comes back, a problem, a meeting."""

from __future__ import annotations

from collections.abc import Callable

from camera import Camera
from playwright.sync_api import Page

PROBLEM, MEETING = "城关镇路灯反复不亮", "城关镇路灯、占道经营问题调度会"


def measuring(camera: Camera) -> None:
    """A leader sees how things stand, and who is slow."""
    with camera.acting_as("leader") as page:
        page.goto("/measures/")
        camera.keep(page, "leader-measures", 900)
        page.goto("/measures/lines?by=department")
        camera.keep(page, "leader-measures-lines", 860)


def following(camera: Camera) -> None:
    """The office holds to account, takes problems by the root, and keeps a meeting's word."""
    with camera.acting_as("office") as page:
        page.goto("/scores/")
        camera.keep(page, "office-scores", 720)
        opened(page, "/supervisions/list/?tab=issued")
        camera.keep(page, "office-order", 760)
        page.goto("/recurring/")
        camera.keep(page, "office-recurring", 1240)
        opened(page, "/problems/list/", PROBLEM)
        camera.keep(page, "office-problem", 1100)
        opened(page, "/meetings/list/", MEETING)
        camera.keep(page, "office-meeting", 1000)


def opened(page: Page, address: str, words: str = "") -> None:
    """Open the first record of a list, or the first in whose row the words stand."""
    page.goto(address)
    rows = page.locator("table.records tbody tr").filter(has_text=words)
    rows.locator("a").first.click()
    page.wait_for_load_state("networkidle")


ROUNDS: tuple[Callable[[Camera], None], ...] = (measuring, following)
