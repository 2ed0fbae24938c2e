"""Every page that a role can reach, at a desk's and a phone's width, by keyboard, without scripts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from presets.demo_county import ACCOUNTS
from tests.browser.checks import barriers, outline, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE, Person
from tests.translations.reading import links_of
from tests.views.pages import FILE

pytestmark = pytest.mark.browser

#: Pages of a kind that are looked at: what has a life differs by its state.
LOOKS = {
    "/tickets/show/#": 3,
    "/needs/show/#": 3,
    "/services/show/#": 2,
    "/resources/show/#": 2,
    "/agreements/show/#": 2,
    "/check-ins/show/#": 2,
}
#: How many accounts look at a kind of page in the browser; the others just ask for it.
READERS = 3
LISTS = ("needs", "resources", "services", "sessions", "check-ins", "check-in-activities")
#: What the walk must have come to, beside what every account has: the kinds of pages by account.
ON_THE_WAY = {
    "admin": {
        *(f"/imports/{name}/" for name in ("organizations", "duty-items", "sessions", "activities", "calendar")),
        "/import-jobs/list/", "/duty-comparison/", "/duty-lists/changes/#",
        "/mechanisms/show/#", "/mechanisms/edit/#", "/mechanisms/add", "/addresses/list/",
    },
    "duty": {
        "/imports/duty-items/", "/import-jobs/list/", "/import-batches/list/", "/import-batches/show/#",
        "/duty-comparison/", "/duty-lists/changes/#", "/duty-lists/show/#",
    },
    "township": {
        "/imports/duty-items/", "/import-jobs/list/", "/duty-comparison/", "/duty-lists/changes/#",
    },
    "party": {
        *(f"/{name}/{page}" for name in LISTS for page in ("list/", "show/#", "add")),
        *(f"/imports/{name}/" for name in ("agreements", "needs", "resources", "services", "check-ins")),
        "/board/", "/matching/need/#", "/matching/resource/#",
        "/coverage/", "/coverage/units/", "/coverage/communities/",
        "/numbers/", "/numbers/units/", "/numbers/communities/",
        "/agreements/list/", "/agreements/show/#", "/agreements/add", "/agreements/edit/#",
        "/letter-templates/list/", "/letter-templates/add",
    },
    "community": {
        *(f"/{name}/{page}" for name in LISTS for page in ("list/", "show/#")),
        "/needs/add", "/board/", "/numbers/", "/notices/list/",
        "/tickets/add", "/tickets/paper", "/tickets/show/#", "/tickets/list/", "/addresses/list/",
        "/addresses/show/#", "/addresses/add", "/export-jobs/list/",
    },
    "unit": {
        *(f"/{name}/{page}" for name in LISTS for page in ("list/", "show/#")),
        "/resources/add", "/resources/edit/#", "/sessions/add", "/sessions/edit/#",
        "/board/", "/numbers/", "/notices/list/",
    },
}  # fmt: skip
LONG = "示范县城关镇东关社区老旧小区综合改造与长效管理联合服务中心ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789"


@pytest.fixture(scope="module")
def readers() -> Counter[str]:
    """How many accounts have looked at each kind of page."""
    return Counter()


@pytest.fixture(scope="module")
def outlines() -> set[tuple[int, str]]:
    """The outlines that axe has seen, by width: pages made of the same parts are looked at once."""
    return set()


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_page_in_reach(
    visit: Visit, readers: Counter[str], outlines: set[tuple[int, str]], account: str
) -> None:
    """No page is wider than its window, bars anybody's way, errs, or asks another machine."""
    person = visit(account)
    seen = set()
    known = {kind for kind, number in readers.items() if number >= READERS}
    for path, opened in walk(person, known):
        if opened:
            look(person, path, outlines)
        seen.add(kind_of(path))
    readers.update(seen)
    assert len(seen) >= 5
    assert ON_THE_WAY.get(account, set()) <= seen
    assert person.troubles == []


def walk(person: Person, known: set[str]) -> Iterator[tuple[str, bool]]:
    """Follow the links from the workbench on, each kind of page once or a few times.

    Yield the paths, and whether the browser shows the page: it does unless its kind is known.
    """
    waiting, looked = ["/"], Counter[str]()
    met = set(waiting)
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        looked[kind] += 1
        if looked[kind] > LOOKS.get(kind, 1) or kind.startswith("/lang"):
            continue
        if FILE.search(kind):
            sent = person.context.request.get(f"{person.address}{path}")
            assert (sent.status, sent.headers.get("content-disposition", "")[:10]) == (
                200,
                "attachment",
            ), path
            continue
        opened = kind not in known
        html = opened_page(person, path) if opened else asked_page(person, path)
        yield path, opened
        found = dict.fromkeys(urldefrag(link).url for link in links_of(html))
        waiting += [link for link in found if link not in met]
        met.update(found)


def opened_page(person: Person, path: str) -> str:
    """Return a page as the browser shows it, its scripts run."""
    assert person.open(path) == 200, path
    return person.page.content()


def asked_page(person: Person, path: str) -> str:
    """Return a page as the server sends it."""
    answer = person.context.request.get(f"{person.address}{path}")
    assert answer.status == 200, path
    return answer.text()


def kind_of(path: str) -> str:
    """Return a path without its numbers and its query."""
    return re.sub(r"\d+", "#", urlsplit(path).path)


def look(person: Person, path: str, outlines: set[tuple[int, str]]) -> None:
    """Look at the open page at both widths: on the workbench at its frame too, else within it."""
    page = person.page
    within = "#main" if path not in ("/", "/login/") else "body"
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_count(1)
    assert heading.inner_text().strip(), path
    for width in (DESK, PHONE):
        person.resize(width)
        assert overflowing(page) == [], f"{path} at {width}"
        seen = (width, outline(page, within))
        if seen not in outlines:
            outlines.add(seen)
            assert barriers(page, within) == [], f"{path} at {width}"
    person.resize(DESK)


def test_pages_before_and_beside_the_road(browser: Browser, server: str, visit: Visit) -> None:
    """The log-in and the refusals are pages like all others."""
    stranger = Person(browser, server, "community")
    for path, status in (("/login/", 200), ("/nowhere", 404)):
        assert stranger.open(path) == status
        look(stranger, path, set())
    stranger.leave()
    community = visit("community")
    for path, status in (("/tickets/show/99999", 404), ("/accounts/list/", 403)):
        assert community.open(path) == status
        look(community, path, set())
        expect(community.page.get_by_role("link", name="返回")).to_be_visible()
    community.troubles.clear()  # the console repeats every status above 400


def test_the_checks_see_what_is_wrong(browser: Browser, server: str) -> None:
    """A page with every fault is found out in each of them."""
    person = Person(browser, server, "nobody")
    page = person.page
    page.set_content(
        "<html lang=zh><title>x</title><div style='width:3000px;height:9px'></div><input>"
        "<img src='http://elsewhere.invalid/a.png'><script>console.error('oh')</script>"
    )
    assert overflowing(page) != []
    assert any("label" in barrier for barrier in barriers(page))
    assert any("oh" in trouble for trouble in person.troubles)
    assert any("elsewhere.invalid" in trouble for trouble in person.troubles)
    before = outline(page)
    page.set_content("<p>another")
    assert outline(page) != before
    person.leave()


def test_a_step_by_keyboard_alone(visit: Visit) -> None:
    """The office dispatches a ticket without a mouse: button, dialogue, choosers, confirmation."""
    office = visit("office")
    office.open("/tickets/list/?tab=dispatch")
    office.page.get_by_role("link", name="农贸市场门口占道经营").press("Enter")
    button = office.page.get_by_role("button", name="派单", exact=True)
    expect(button).to_be_visible()
    tab_to(office.page, button)
    assert button.evaluate("part => getComputedStyle(part).boxShadow") != "none"
    office.page.keyboard.press("Enter")
    dialogue = office.page.get_by_role("dialog", name="派单")
    lead = dialogue.get_by_role("combobox", name="主办单位")
    expect(lead).to_be_focused()
    assert barriers(office.page) == []
    leave_and_return(office.page, dialogue, button)
    pick(office.page, lead, "综合执法")
    expect(lead).to_have_value("县综合执法局")
    assisting = dialogue.get_by_role("combobox", name="协办单位")
    tab_to(office.page, assisting)
    pick(office.page, assisting, "市场监督管理局")
    expect(dialogue.get_by_role("button", name="移除县市场监督管理局")).to_be_visible()
    tab_to(office.page, dialogue.get_by_role("button", name="确认派单"))
    office.page.keyboard.press("Enter")
    expect(office.page.get_by_role("status").filter(has_text="已办理“派单”")).to_be_visible()
    assert office.troubles == []


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(60):
        if target.evaluate("part => part === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached by Tab")


def pick(page: Page, box: Locator, typed: str) -> None:
    """Choose by keys what a chooser offers first."""
    page.keyboard.type(typed)
    expect(box).to_have_attribute("aria-activedescendant", re.compile("."))
    assert barriers(page) == []
    page.keyboard.press("Enter")
    expect(box).to_have_attribute("aria-expanded", "false")


def leave_and_return(page: Page, dialogue: Locator, button: Locator) -> None:
    """Escape closes first the list of a chooser, then the dialogue, and gives the focus back."""
    page.keyboard.press("ArrowDown")
    offered = dialogue.get_by_role("listbox", name="可选项").first
    expect(offered).to_be_visible()
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    expect(dialogue).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialogue).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialogue).to_be_visible()


def test_a_step_without_scripts(browser: Browser, server: str) -> None:
    """Where no script runs, a step unfolds on the page and does the same."""
    township = Person(browser, server, "township", scripts=False)
    township.log_in()
    page = township.page
    page.get_by_role("link", name="人民巷下水井盖破损", exact=True).click()
    for note in ("情况属实。", "同意上报。"):
        page.locator("summary", has_text="审核通过").click()
        page.locator("#step-approve [name=note]").fill(note)
        page.get_by_role("button", name="确认审核通过").click()
        expect(page.get_by_role("status").filter(has_text="已办理“审核通过”")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("待派单")
    township.leave()


def test_a_refused_form_says_where(visit: Visit) -> None:
    """What is wrong is read first, leads to its field, and nothing typed is lost."""
    party = visit("party")
    page = party.page
    party.open("/agreements/add")
    page.get_by_label("协议编号").fill("示党共建〔2026〕77号")
    party.choose(page, "甲方：村（社区）", "宝湖", "宝湖社区")
    party.choose(page, "乙方：驻区单位", "人民医院", "示范县人民医院")
    page.get_by_label("生效日期").fill("2026-12-01")
    page.get_by_label("到期日期").fill("2026-01-01")
    page.get_by_role("button", name="保存").click()
    summary = page.get_by_role("alert").filter(has_text="没有保存")
    expect(summary).to_be_focused()
    party.picture("30-refused-form", DESK, PHONE)
    assert barriers(page) == []
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("到期日期")).to_be_focused()
    expect(page.get_by_label("协议编号")).to_have_value("示党共建〔2026〕77号")
    expect(page.locator("input[role=combobox]").first).to_have_value("宝湖社区")
    party.troubles.clear()  # the console repeats the 422


def test_long_names_stay_within_the_page(visit: Visit) -> None:
    """A name of eighty characters wraps, in lists, choosers and titles, at either width."""
    admin = visit("admin")
    page = admin.page
    admin.walk("组织机构")
    page.get_by_role("searchbox").fill("第一中学")
    page.get_by_role("button", name="查询").click()
    page.get_by_role("rowheader").get_by_role("link").click()
    shown = urlsplit(page.url).path
    page.get_by_role("main").get_by_role("link", name="编辑").click()
    page.get_by_label("机构名称").fill(LONG)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(LONG)
    for path in (shown, "/agreements/list/", "/organizations/list/?q=ABCDEFG"):
        admin.open(path)
        for width in (DESK, PHONE):
            admin.resize(width)
            assert overflowing(page) == [], f"{path} at {width}"
        admin.resize(DESK)


def test_on_paper_only_the_record_remains(visit: Visit) -> None:
    """A printed ticket has its number, its story and no buttons."""
    leader = visit("leader")
    page = leader.page
    leader.walk("哨单台账", "老城区雨水管网堵塞")
    page.emulate_media(media="print")
    for part in (".topbar", ".sidebar", ".page-actions", ".crumbs"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator(".print-head")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("城关镇")
    expect(page.get_by_role("region", name="办理过程")).to_be_visible()
    page.emulate_media(media="screen")
