"""Pictures of one whistle's life, with photos and words; of paper slips, kept lists, many at once."""

from __future__ import annotations

from collections.abc import Callable

from camera import NARROW, Camera, choose, step, ticket
from ledgers import confirm
from playwright.sync_api import FilePayload, Page
from sketches import night

LAMP = "文昌街路灯不亮"


def raising(camera: Camera) -> None:
    """A community raises on a phone: photos, the address book, the duty items that it may be."""
    with camera.acting_as("community", NARROW, 740) as page:
        page.goto("/tickets/add")
        page.fill("#title", LAMP)
        page.fill("#detail", "路口往南 4 盏灯连续三晚不亮，学生晚自习放学看不清路。")
        page.locator(".help-match").first.wait_for()
        attach(page, night("1.jpg", lit=False), night("2.jpg", lit=False, shift=260))
        choose(page, "place", "东环路与文昌街路口")
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        camera.keep(page, "community-raise-phone", 1180)
        page.locator(".help-match").first.click()
        page.click("button[value=raise]")
        page.wait_for_url("**/tickets/show/**")


def reviewing(camera: Camera) -> None:
    """The township takes both of its steps, and enters a slip from paper."""
    with camera.acting_as("township") as page:
        ticket(page, LAMP)
        for _step in ("审核把关", "审批上报"):
            step(page, "approve")
            confirm(page)
        page.goto("/tickets/paper")
        page.fill("#title", "南门巷垃圾清运不及时")
        page.fill("#detail", "三只垃圾桶连续两天未清，污水流到路面。")
        choose(page, "place", "人民巷口")
        times = ("raised_at", "dispatched_at", "accepted_at", "arrived_at", "resolved_at")
        for day, name in enumerate(times, start=2):
            page.fill(f"[name={name}]", f"2026-11-{day:02d}T09:30")
        choose(page, "lead", "综合执法")
        page.fill("[name=result]", "已清运并冲洗路面，改为每日两次。")
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        camera.keep(page, "township-paper", 1330)


def dispatching(camera: Camera) -> None:
    """The office keeps a filter, chooses many at once, dispatches one."""
    with camera.acting_as("office") as page:
        page.goto("/tickets/list/?tab=soon")
        keep_list(page, "快到期的")
        page.goto("/tickets/list/?theme=safety")
        keep_list(page, "安全哨")
        page.goto("/tickets/list/")
        page.locator("[data-tab=all] .count, [data-tab=all] span").first.wait_for()
        camera.keep(page, "tickets", 900)
        page.goto("/tickets/list/?tab=dispatch")
        page.check("#bulk-all")
        page.get_by_role("button", name="批量派单").click()
        choose(page, "lead", "住房和城乡")
        page.evaluate("document.activeElement.blur()")
        camera.keep(page, "office-bulk", 720)
        ticket(page, LAMP)
        step(page, "dispatch")
        confirm(page)


def handling(camera: Camera) -> None:
    """The department accepts, arrives, reports with a photo, and answers a word."""
    with camera.acting_as("community") as page:
        ticket(page, LAMP)
        say(page, "晚自习 21:30 放学，请尽量在这之前修好。")
    with camera.acting_as("handler") as page:
        ticket(page, LAMP)
        step(page, "accept")
        confirm(page)
        say(page, "今晚 20 点前到场，已通知供电公司配合断电。")
        step(page, "arrive")
        confirm(page)
        step(page, "report_result")
        page.fill("dialog[open] [name=result]", "更换镇流器 4 只，4 盏路灯已恢复照明。")
        attach(page, night("3.jpg", lit=True))
        confirm(page)
    with camera.acting_as("community") as page:
        ticket(page, LAMP)
        camera.keep(page, "community-ticket", 1330)
        camera.keep(page, "community-story", part="section.show-side")


def mechanism(camera: Camera) -> None:
    """The administrator edits the mechanism."""
    with camera.acting_as("admin") as page:
        page.goto("/mechanisms/list/")
        page.locator("table.records tbody a").first.click()
        page.get_by_role("link", name="编辑").click()
        page.wait_for_url("**/mechanisms/edit/**")
        camera.keep(page, "admin-mechanism-edit", 1000)


def attach(page: Page, *photos: FilePayload) -> None:
    """Choose photos, in the dialogue if one is open, and wait until they are shown."""
    within = page.locator("dialog[open]") if page.locator("dialog[open]").count() else page
    within.locator("input[type=file][multiple]").first.set_input_files(list(photos))
    within.locator("[data-photos] img, .photos img").nth(len(photos) - 1).wait_for()


def keep_list(page: Page, name: str) -> None:
    """Keep what the list shows under a name."""
    page.click(".chip-keep summary")
    page.fill(".chip-keep [name=name]", name)
    page.click(".chip-keep [type=submit]")
    page.wait_for_load_state("networkidle")


def say(page: Page, words: str) -> None:
    """Leave a word on the ticket's page."""
    page.locator("form[action*='/comment/'] textarea").fill(words)
    page.locator("form[action*='/comment/'] [type=submit]").click()
    page.wait_for_load_state("networkidle")


ROUNDS: tuple[Callable[[Camera], None], ...] = (
    raising,
    reviewing,
    dispatching,
    handling,
    mechanism,
)
