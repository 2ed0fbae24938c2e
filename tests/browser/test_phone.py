"""On a phone: the drawer, and an urgent whistle that goes straight to a department."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.checks import barriers, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import PHONE, Person

pytestmark = pytest.mark.browser

TITLE = "燃气管道被挖断，现场有异味"


def test_an_urgent_whistle_from_a_phone(visit: Visit) -> None:
    """Whom it goes to must be said where no list says it, and then nobody stands between."""
    community = visit("community")
    page = community.page
    community.resize(PHONE)
    open_drawer(community)
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="我要吹哨").click()
    page.get_by_label("标题").fill(TITLE)
    page.get_by_label("情况说明").fill("施工挖断燃气支管，已疏散周边住户。")
    page.get_by_label("突发紧急").check()
    expect(page.get_by_label("提示")).to_contain_text("突发紧急，可以吹哨")
    page.get_by_label("急哨").check()
    page.get_by_role("button", name="吹哨", exact=True).click()
    refusal = page.get_by_role("alert").filter(has_text="没有保存")
    expect(refusal).to_contain_text("请选择派往部门")
    assert overflowing(page) == []
    assert barriers(page) == []
    community.picture("40-urgent-refused", PHONE)
    community.resize(PHONE)
    expect(page.get_by_label("标题")).to_have_value(TITLE)
    expect(page.get_by_label("急哨")).to_be_checked()
    community.choose(page, "派往部门", "住房和城乡", "县住房和城乡建设局")
    page.get_by_role("button", name="吹哨", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="现在待应哨")).to_be_visible()
    community.picture("41-urgent-raised", PHONE)
    page.get_by_role("link", name="哨单台账").first.click()
    box = page.get_by_role("checkbox", name=f"勾选 {TITLE}")
    box.check()  # and the card's link does not lie over it
    expect(box).to_be_checked()
    community.troubles.clear()  # the console repeats the 422


def open_drawer(person: Person) -> None:
    """Open the drawer, see that Escape shuts it and gives the focus back, and open it again."""
    page = person.page
    opener = page.get_by_role("button", name="打开导航")
    drawer = page.get_by_role("navigation", name="主导航")
    expect(drawer).to_be_hidden()
    opener.click()
    expect(drawer).to_be_visible()
    assert barriers(page) == []
    person.picture("39-drawer", PHONE, whole=False)
    person.resize(PHONE)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    expect(drawer).to_be_visible()
