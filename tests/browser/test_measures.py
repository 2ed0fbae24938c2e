"""A leader and the measures: at a glance, narrowed, crossed, down to the tickets, and on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import barriers, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE, Person

pytestmark = pytest.mark.browser

#: Texts of pictures that lie over each other, or are too small to be read.
_PICTURES = """() => [...document.querySelectorAll("svg.chart")].flatMap((picture) => {
  const texts = [...picture.querySelectorAll("text")].filter((text) => text.getClientRects().length);
  const small = texts.filter((text) => parseFloat(getComputedStyle(text).fontSize) < 11);
  const beyond = texts.filter((text) =>
    text.getBoundingClientRect().right > picture.getBoundingClientRect().right + 6);
  const under = texts.filter((text) => text.classList.contains("chart-under"))
    .map((text) => text.getBoundingClientRect());
  const over = under.filter((box, place) => place && Math.abs(box.top - under[place - 1].top) < 2
    && box.left < under[place - 1].right - 1);
  return [...small, ...beyond].map((text) => text.textContent).concat(over.map(() => "overlap"));
})"""


def looked_at(person: Person, name: str) -> None:
    """See that a page fits both windows, bars nobody's way, and keep pictures of it."""
    for width in (DESK, PHONE):
        person.resize(width)
        assert overflowing(person.page) == [], (name, width)
        assert barriers(person.page) == [], (name, width)
        assert person.page.evaluate(_PICTURES) == [], (name, width)
        person.picture(name, width)
    person.resize(DESK)


def number(page: Page, title: str) -> int:
    """Return the count that a tile shows."""
    value = page.locator(".measure-tile", has_text=title).first.locator(".tile-value a").first
    return int(value.inner_text().replace(",", ""))


def test_a_leader_follows_a_number_to_its_tickets(visit: Visit) -> None:
    leader = visit("leader")
    leader.walk("指标")
    page = leader.page
    raised = number(page, "吹哨数")
    assert raised > 0
    looked_at(leader, "80-measures")
    tile = page.locator(".measure-tile", has_text="吹哨数").first
    tile.get_by_text("口径").click()
    expect(tile.get_by_text("已经吹响的哨单")).to_be_visible()
    leader.follow(tile.locator(".tile-value a"))
    expect(page.get_by_text(f"共 {raised} 条")).to_be_visible()
    assert leader.troubles == []


def test_measures_are_narrowed_and_told_apart(visit: Visit) -> None:
    leader = visit("leader")
    leader.walk("指标", "分类统计")
    page = leader.page
    page.locator(".measures-filters > summary").click()
    kind = page.get_by_role("combobox", name="哨种").and_(page.locator("input"))
    kind.click()
    page.locator(".combo-popup:visible [role=option]").first.click()
    page.get_by_label("按", exact=True).select_option(label="来源")
    page.get_by_label("对比").select_option(label="上一期")
    page.get_by_role("button", name="统计").click()
    page.wait_for_url(re.compile(r"by=channel"))
    expect(page.locator(".measures-set")).to_have_count(1)
    expect(page.get_by_role("rowheader", name="合计")).to_be_visible()
    looked_at(leader, "81-measures-lines")
    leader.walk("指标", "交叉统计")
    expect(page.get_by_role("table")).to_be_visible()
    looked_at(leader, "82-measures-crossing")
    leader.walk("指标", "指标口径")
    looked_at(leader, "83-measures-about")
    assert leader.troubles == []


def test_on_paper_the_measures_stand_without_what_is_pressed(visit: Visit) -> None:
    leader = visit("leader")
    leader.walk("指标")
    page = leader.page
    page.emulate_media(media="print")
    expect(page.locator(".measures-ask")).to_be_hidden()
    expect(page.locator(".period-said")).to_be_visible()
    expect(page.locator("svg.chart").first).to_be_visible()
    expect(page.locator(".heat-table")).to_be_visible()
    page.emulate_media(media="screen")
