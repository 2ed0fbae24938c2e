"""A ticket's page at a desk and on a phone: photos, words, clocks, side roads, the way on at hand."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from models.base import utcnow
from tests.browser.checks import barriers, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE, Person

pytestmark = pytest.mark.browser

RESULT = "更换了三盏路灯，并检修线路。"


def photo(name: str, shade: int) -> FilePayload:
    """Return a file as a camera gives it."""
    file = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 120, 90)).save(file, "JPEG")
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def sound(page: Page) -> None:
    """Hold the page as it is shown to what no page may do."""
    assert overflowing(page) == []
    assert barriers(page) == []


def open_at_work(person: Person) -> str:
    """Open the first ticket that waits for the handler to be on the spot; return its address."""
    person.open("/tickets/list/?status=accepted")
    person.page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(person.page.get_by_role("region", name="下一步")).to_be_visible()
    return person.page.url.removeprefix(person.address)


def test_photos_words_and_the_way_on(visit: Visit) -> None:
    """The handler arrives with a photo and speaks to the others; the community reads both."""
    handler = visit("handler")
    page = handler.page
    where = open_at_work(handler)
    handler.resize(PHONE)
    bar = page.get_by_role("region", name="下一步")
    page.mouse.wheel(0, 3000)
    expect(bar).to_be_in_viewport()
    page.get_by_text("更多办理", exact=True).click()
    expect(page.get_by_role("button", name="增加协办")).to_be_visible()
    sound(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="增加协办")).to_be_hidden()

    dialogue = handler.start("现场报到")
    dialogue.locator("input[type=file]").last.set_input_files(photo("现场", 40))
    expect(dialogue.locator(".photo-preview")).to_have_count(1)
    sound(page)
    handler.picture("46-arrive-with-photo", PHONE, whole=False)
    handler.resize(PHONE)
    handler.confirm("现场报到")

    handler.resize(DESK)
    page.get_by_label("给各方留言").fill("电缆图找到了，下午换灯。")
    page.get_by_role("button", name="发出留言").click()
    expect(page.get_by_role("status")).to_contain_text("留言已发出")
    dialogue = handler.start("反馈结果")
    dialogue.locator("[name=result]").fill(RESULT)
    dialogue.locator("input[type=file]").last.set_input_files(
        [photo("后一", 90), photo("后二", 150)]
    )
    expect(dialogue.locator(".photo-preview")).to_have_count(2)
    handler.confirm("反馈结果")

    community = visit("community")
    community.open(where)
    seen = community.page
    expect(seen.get_by_text("电缆图找到了，下午换灯。")).to_be_visible()
    look_through(seen)
    sound(seen)
    community.picture("47-ticket-page", DESK, PHONE)
    handler.troubles.clear()
    assert community.troubles == []


def look_through(page: Page) -> None:
    """Open a photo over the page, leaf on by the keyboard, and come back to where one was."""
    thumb = page.get_by_role("region", name="照片").get_by_role("link", name="办理后").first
    thumb.click()
    viewer = page.get_by_role("dialog", name="照片")
    expect(viewer).to_be_visible()
    expect(viewer).to_contain_text("1/2")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("2/2")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(thumb).to_be_focused()


def test_a_clock_turns_while_the_page_is_open(visit: Visit) -> None:
    """Nobody reloads: what is left, yellow from the warning and red from the deadline on."""
    office = visit("office")
    page = office.page
    page.clock.install(time=utcnow())
    office.open("/tickets/list/?status=dispatched")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    clock = page.locator(".tile-value [data-due]").first
    expect(clock).to_be_visible()
    # The clocks start with the page's scripts: time that passes before is not theirs.
    page.wait_for_load_state("load")
    due = dt.datetime.fromisoformat(clock.get_attribute("data-due") or "")
    warn = dt.datetime.fromisoformat(clock.get_attribute("data-warn") or "")
    now = dt.datetime.fromisoformat(page.locator("[data-now]").get_attribute("data-now") or "")
    if now < warn:
        page.clock.run_for(int((warn - now).total_seconds() * 1000) + 20_000)
        expect(clock).to_have_class(re.compile("clock-warning"))
        now = warn + dt.timedelta(seconds=20)
    if now < due:
        page.clock.run_for(int((due - now).total_seconds() * 1000) + 120_000)
    expect(clock).to_have_class(re.compile("clock-danger"))
    expect(clock).to_contain_text("超期")
    assert office.troubles == []
