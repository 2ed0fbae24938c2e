"""Raising on a phone: photos from its camera, where it is, and what is kept while the network is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Geolocation, Locator, Page, expect

from tests.browser.checks import barriers, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE, Person
from tests.factories.photos import photo

pytestmark = pytest.mark.browser

HERE: Geolocation = {"latitude": 38.4872, "longitude": 106.2309, "accuracy": 12}
TITLE = "幸福里小区东门路灯不亮"
#: Whether the device keeps a draft of a title with its photo.
KEPT = """(title) => new Promise((done) => {
  indexedDB.open("chuishao", 1).onsuccess = ({target}) => {
    target.result.transaction("drafts").objectStore("drafts").getAll().onsuccess = (found) => done(
      found.target.result.some((each) => each.title === title
        && each.entries.some(([, value]) => value instanceof Blob)));
  };
})"""


@pytest.fixture
def phone(visit: Visit) -> Iterator[Person]:
    """The community's person with an empty form on a phone; what the console says is looked at."""
    person = visit("community")
    person.troubles.clear()
    person.resize(PHONE)
    person.open("/tickets/add")
    yield person
    person.context.set_offline(False)


def shots(number: int, size: tuple[int, int] = (4000, 3000)) -> list[FilePayload]:
    """Return photos as a phone's camera makes them: large, named by number."""
    return [
        {
            "name": f"IMG_{each:04}.jpg",
            "mimeType": "image/jpeg",
            "buffer": photo((20 * each, 110, 120), size),
        }
        for each in range(number)
    ]


def previews(page: Page) -> Locator:
    """Return the small pictures of what will be sent."""
    return page.locator(".photo-preview img")


def waiting(page: Page) -> Locator:
    """Return what the device keeps for the account, line by line."""
    return page.get_by_role("region", name="存在这台设备上的哨单").get_by_role("listitem")


def blow(page: Page, name: str = "吹哨") -> None:
    """Press one of the buttons at the bottom of the screen."""
    page.get_by_role("button", name=name, exact=True).click()


def fill(page: Page, title: str) -> None:
    """Write what everybody must."""
    page.get_by_label("标题").fill(title)
    page.get_by_label("情况说明").fill("三盏路灯不亮，晚上老人出行危险。")


def found(person: Person, title: str) -> int:
    """Return how many tickets of a title the ledger shows."""
    person.open(f"/tickets/list/?q={title}")
    return person.page.get_by_role("rowheader").count()


def test_a_whistle_in_a_minute(phone: Person) -> None:
    """Title, photos, place, and the button: nothing else is asked for."""
    page = phone.page
    phone.context.grant_permissions(["geolocation"])
    phone.context.set_geolocation(HERE)
    assert overflowing(page) == []
    assert barriers(page) == []
    expect(page.get_by_label("联系电话")).to_be_hidden()
    expect(page.get_by_label("派往部门")).to_be_hidden()
    phone.picture("80-raise-empty", PHONE, whole=False)
    phone.resize(PHONE)
    fill(page, TITLE)
    page.locator("#pictures").set_input_files(shots(3))
    expect(previews(page)).to_have_count(3)
    page.get_by_role("button", name="删去第 2 张照片").click()
    expect(previews(page)).to_have_count(2)
    # The camera adds to what the album has brought.
    page.locator(".photo-camera input").set_input_files(shots(5)[4:])
    expect(previews(page)).to_have_count(3)
    sizes: list[int] = page.evaluate(
        "[...document.querySelector('#pictures').files].map((file) => file.size)"
    )
    assert max(sizes) < len(shots(1)[0]["buffer"])
    page.get_by_role("button", name="用手机定位").click()
    expect(page.get_by_text("已定位，误差约 12 米")).to_be_visible()
    assert overflowing(page) == []
    assert barriers(page) == []
    phone.picture("81-raise-filled", PHONE, DESK)
    phone.resize(PHONE)
    page.get_by_role("button", name="更多").click()
    expect(page.get_by_label("联系电话")).to_be_visible()
    expect(page.get_by_label("纬度")).to_have_value("38.487200")
    assert barriers(page) == []
    blow(page)
    page.wait_for_url(re.compile(r"/tickets/show/\d+$"))
    expect(page.get_by_role("status").filter(has_text="已吹哨，编号")).to_be_visible()
    assert found(phone, TITLE) == 1
    phone.open("/")
    expect(waiting(page)).to_have_count(0)
    assert phone.troubles == []


def test_a_place_of_the_address_book(phone: Person) -> None:
    page = phone.page
    phone.choose(page, "地址簿", "幸福里", "幸福里小区 3 号楼")
    expect(page.get_by_role("textbox", name="地点")).to_have_value("幸福里小区 3 号楼")
    expect(page.get_by_text("位置：北纬 38.487194，东经 106.230909")).to_be_visible()


def test_without_leave_to_know_where_it_is(phone: Person) -> None:
    """The sentence says what else there is; the whistle needs no position."""
    page = phone.page
    phone.context.clear_permissions()
    page.get_by_role("button", name="用手机定位").click()
    expect(page.get_by_text("没有得到定位权限")).to_be_visible()
    assert barriers(page) == []


def test_the_network_is_gone_and_comes_back(phone: Person) -> None:
    """What was written and photographed is kept on the device, and arrives exactly once."""
    page, title = phone.page, "河堤护栏松动"
    fill(page, title)
    page.locator("#pictures").set_input_files(shots(2))
    expect(previews(page)).to_have_count(2)
    phone.context.set_offline(True)
    blow(page)
    expect(waiting(page)).to_contain_text([f"{title}等待联网后提交 · 2 张照片"])
    expect(page.get_by_label("标题")).to_have_value("")
    expect(previews(page)).to_have_count(0)
    assert overflowing(page) == []
    assert barriers(page) == []
    phone.picture("82-raise-offline", PHONE, whole=False)
    phone.resize(PHONE)
    phone.context.set_offline(False)
    panel = page.get_by_role("region", name="存在这台设备上的哨单")
    expect(panel.get_by_role("status")).to_contain_text(f"已提交“{title}”")
    expect(waiting(page)).to_have_count(0)
    panel.get_by_role("link", name="查看哨单").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    assert found(phone, title) == 1
    phone.troubles.clear()  # the console tells of the network


def test_an_answer_that_is_lost_makes_no_second_ticket(phone: Person) -> None:
    """The server has the ticket, the device does not know: it sends again, and is led to it."""
    page, title = phone.page, "人民巷下水道返臭"
    fill(page, title)
    lost: list[str] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().text())
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/tickets/add", lose)
    blow(page)
    expect(waiting(page)).to_contain_text([title])
    assert '"url":"/tickets/show/' in lost[0].replace(" ", "")
    waiting(page).get_by_role("button", name="立即提交").click()
    expect(waiting(page)).to_have_count(0)
    page.unroute("**/tickets/add")
    assert found(phone, title) == 1
    phone.troubles.clear()


def test_a_closed_page_and_the_next_person(phone: Person, visit: Visit) -> None:
    """Another account on the same device neither sees nor sends what waits; its owner's next page does."""
    page, title = phone.page, "老楼外墙砖脱落"
    fill(page, title)
    phone.context.set_offline(True)
    blow(page)
    expect(waiting(page)).to_have_count(1)
    page.goto("about:blank")
    phone.context.set_offline(False)
    owner = phone.context.cookies()
    phone.context.clear_cookies()
    phone.account = "township"
    phone.log_in()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    phone.open("/tickets/add")
    expect(page.get_by_role("button", name="用手机定位")).to_be_visible()
    expect(page.get_by_text(title)).to_have_count(0)
    assert found(phone, title) == 0
    phone.context.clear_cookies()
    phone.context.add_cookies(owner)  # type: ignore[arg-type]
    phone.account = "community"
    phone.open("/")
    panel = page.get_by_role("region", name="存在这台设备上的哨单")
    expect(panel.get_by_role("status")).to_contain_text(f"已提交“{title}”")
    assert found(phone, title) == 1
    phone.troubles.clear()


def test_a_log_in_that_has_ended_keeps_the_draft(phone: Person) -> None:
    """It says so, leads to the log-in, and the next page sends what waits."""
    page, title = phone.page, "楼道灯损坏"
    fill(page, title)
    phone.context.clear_cookies()
    with page.expect_response(re.compile("/login/")):
        page.get_by_label("突发紧急").check()  # the advice beside the form is asked for anew
    expect(page.get_by_label("账号")).to_have_count(0)
    blow(page)
    expect(page.get_by_role("alert").filter(has_text="登录已失效")).to_be_visible()
    expect(waiting(page)).to_contain_text(["登录已失效，请重新登录，登录后自动提交"])
    waiting(page).get_by_role("link", name="去登录").click()
    phone.log_in()
    panel = page.get_by_role("region", name="存在这台设备上的哨单")
    expect(panel.get_by_role("status")).to_contain_text(f"已提交“{title}”")
    assert found(phone, title) == 1
    phone.troubles.clear()


def test_who_cancels_keeps_nothing(phone: Person) -> None:
    page = phone.page
    phone.resize(DESK)
    fill(page, "写错了")
    page.locator("#pictures").set_input_files(shots(1))
    page.wait_for_function(KEPT, arg="写错了")
    page.get_by_role("link", name="取消").click()
    page.wait_for_url(re.compile("/tickets/list/"))
    phone.open("/")
    expect(waiting(page)).to_have_count(0)
    assert phone.troubles == []


def test_a_refusal_stands_at_its_field_and_loses_nothing(phone: Person) -> None:
    page, title = phone.page, "高压线垂落"
    fill(page, title)
    page.locator("#pictures").set_input_files(shots(1))
    expect(previews(page)).to_have_count(1)
    page.get_by_role("button", name="更多").click()
    page.get_by_label("纬度").fill("95")
    page.get_by_label("经度").fill("106")
    page.get_by_role("button", name="更多").click()
    blow(page)
    refusal = page.get_by_role("alert").filter(has_text="没有保存")
    expect(refusal).to_contain_text("纬度应在 -90 到 90 之间")
    expect(refusal).to_be_focused()
    expect(page.get_by_label("纬度")).to_be_visible()
    expect(page.get_by_label("纬度")).to_have_attribute("aria-invalid", "true")
    # The photo is at the server: it is shown from there, and not sent again.
    expect(page.get_by_label("保留")).to_be_checked()
    assert page.locator("#pictures").evaluate("(input) => input.files.length") == 0
    assert overflowing(page) == []
    assert barriers(page) == []
    phone.picture("83-raise-refused", PHONE)
    phone.resize(PHONE)
    page.get_by_label("纬度").fill("38.5")
    blow(page, "存为草稿")
    page.wait_for_url(re.compile(r"/tickets/show/\d+$"))
    assert found(phone, title) == 1
    phone.troubles.clear()  # the console repeats the 422


def test_what_is_half_written_outlives_its_page(phone: Person) -> None:
    """A phone may close the browser while its camera is open."""
    page, title = phone.page, "广场健身器材损坏"
    fill(page, title)
    phone.choose(page, "地址簿", "幸福里", "幸福里小区东门")
    page.locator("#pictures").set_input_files(shots(1))
    expect(previews(page)).to_have_count(1)
    page.wait_for_function(KEPT, arg=title)
    page.goto("about:blank")
    phone.open("/")
    expect(waiting(page)).to_contain_text([f"{title}没有写完，还没有提交 · 1 张照片"])
    assert barriers(page) == []
    phone.picture("84-device-drafts", PHONE, whole=False)
    phone.resize(PHONE)
    waiting(page).get_by_role("link", name="打开").click()
    expect(page.get_by_label("标题")).to_have_value(title)
    expect(page.get_by_role("combobox", name="地址簿").and_(page.locator("input"))).to_have_value(
        "幸福里小区东门"
    )
    expect(previews(page)).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    phone.open("/")
    waiting(page).get_by_role("button", name="删除").click()
    expect(waiting(page)).to_have_count(0)
    assert phone.troubles == []


def test_without_scripts_the_plain_inputs_do(browser: Browser, server: str) -> None:
    person = Person(browser, server, "community", scripts=False)
    person.log_in()
    person.resize(PHONE)
    person.open("/tickets/add")
    page, title = person.page, "没有脚本也能吹哨"
    expect(page.get_by_label("联系电话")).to_be_visible()
    fill(page, title)
    page.locator("#pictures").set_input_files(shots(2, (400, 300)))
    blow(page)
    expect(page.get_by_role("status").filter(has_text="已吹哨，编号")).to_be_visible()
    assert found(person, title) == 1
    person.leave()
