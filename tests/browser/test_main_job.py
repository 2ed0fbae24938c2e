"""The main job as people click it: an agreement, a township's lists, a whistle from blow to closure."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from presets.demo_county import DUTY_LISTS
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE

pytestmark = pytest.mark.browser

AGREEMENT = "示党共建〔2026〕9号"
TITLE = "东关路井盖塌陷，夜间有人绊倒"
ITEM = "市政道路与井盖维修隐患（问题）排查整治"
LEAD, ASSISTING = "县住房和城乡建设局", "县综合执法局"
DIMENSIONS = ("报到效率", "事项办理", "群众满意度", "履职尽责")
URGENT = "阳光家园 3 号楼外墙脱落"
REST = ("应哨签收", "协办签收", "现场报到", "协办报到", "协办反馈", "反馈结果", "评哨", "销号")


def test_the_main_job(visit: Visit) -> None:
    """Nine people take the product's three jobs from start to end, and no page goes wrong."""
    make_an_agreement(visit)
    import_three_lists(visit)
    publish_them(visit)
    number = blow_the_whistle(visit)
    review_and_dispatch(visit, number)
    departments_report_for_duty(visit, number)
    rate_and_close(visit, number)
    a_return_is_refused(visit)
    people = ["party", "duty", "community", "township", "office", "handler", "handler2", "returns"]
    assert [trouble for name in people for trouble in visit(name).troubles] == []


def make_an_agreement(visit: Visit) -> None:
    """The organisation department writes an agreement and brings it into force."""
    party = visit("party")
    party.picture("01-workbench-party", DESK, PHONE)
    party.walk("共驻共建协议", "新增")
    page = party.page
    today = dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()
    page.get_by_label("协议编号").fill(AGREEMENT)
    party.choose(page, "甲方：村（社区）", "宝湖", "宝湖社区")
    party.choose(page, "乙方：驻区单位", "职业技术", "示范县职业技术学校")
    page.get_by_label("生效日期").fill(today.isoformat())
    page.get_by_label("到期日期").fill((today + dt.timedelta(days=365)).isoformat())
    page.get_by_label("共建目标").fill("开放实训教室，每季度为居民开一次技能课。")
    party.picture("02-agreement-form", DESK, PHONE)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(AGREEMENT)
    party.start("生效")
    party.picture("03-agreement-dialogue", DESK, PHONE, whole=False)
    party.confirm("生效")
    expect(page.get_by_role("heading", level=1)).to_contain_text("生效")
    party.picture("04-agreement-in-force", DESK, PHONE)


def import_three_lists(visit: Visit) -> None:
    """The duty-list officer brings three lists in for another township, once seen and confirmed."""
    duty = visit("duty")
    page = duty.page
    duty.walk("清单版本", "从 Excel 导入")
    page.get_by_label("Excel 文件").set_input_files(DUTY_LISTS)
    duty.choose(page, "清单所属地区", "清水", "清水镇")
    duty.picture("05-import-upload", DESK, PHONE)
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("待确认")
    for title, number in (("基本履职", 129), ("配合履职", 103), ("上级部门收回", 138)):
        sheet = page.get_by_role("region").filter(has_text=title).first
        expect(sheet).to_contain_text(re.compile(rf"新增\s*{number}"))
    duty.picture("06-import-preview", DESK, PHONE)
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_role("status")).to_contain_text("已导入")
    expect(page.get_by_role("button", name="撤销导入")).to_be_visible()
    duty.picture("07-import-batch", DESK, PHONE)


def publish_them(visit: Visit) -> None:
    """Each list is published from the workbench; the same file again changes nothing."""
    duty = visit("duty")
    page = duty.page
    for left in (3, 2, 1):
        duty.walk("工作台")
        queue = page.get_by_role("region", name=re.compile("待发布的清单"))
        expect(queue.get_by_role("rowheader")).to_have_count(left)
        queue.get_by_role("rowheader").first.get_by_role("link").click()
        duty.step("发布")
    duty.picture("08-list-published", DESK, PHONE)
    duty.walk("清单版本", "从 Excel 导入")
    page.get_by_label("Excel 文件").set_input_files(DUTY_LISTS)
    duty.choose(page, "清单所属地区", "清水", "清水镇")
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("main")).to_contain_text("完全一致")
    expect(page.get_by_role("button", name="确认导入")).to_have_count(0)
    duty.picture("09-import-nothing-new", DESK, PHONE)


def blow_the_whistle(visit: Visit) -> str:
    """A community raises a ticket: the form says whether it may be blown, and why."""
    community = visit("community")
    page = community.page
    community.picture("10-workbench-community", DESK, PHONE)
    community.walk("我要吹哨")
    page.get_by_label("标题").fill(TITLE)
    page.get_by_label("情况说明").fill("井盖下沉约 10 厘米，已放置警示锥桶，昨晚有老人绊倒。")
    page.get_by_label("地点").fill("东关路 18 号门前")
    community.choose(page, "对应履职事项", "井盖维修隐患", ITEM)
    advice = page.get_by_label("提示")
    expect(advice).to_contain_text("清单内，可以吹哨")
    expect(advice).to_contain_text(LEAD)
    community.picture("11-raise-form", DESK, PHONE)
    page.get_by_role("button", name="吹哨", exact=True).click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(TITLE)
    expect(heading).to_contain_text("待审核")
    expect(page.get_by_role("status").filter(has_text="已吹哨，编号")).to_be_visible()
    community.picture("12-ticket-raised", DESK, PHONE)
    found = re.search(r"城关镇\d{4}-\d{4}", page.get_by_role("main").inner_text())
    assert found is not None
    return found[0]


def review_and_dispatch(visit: Visit, number: str) -> None:
    """The township vets and approves; the office dispatches to a lead and an assisting department."""
    township = visit("township")
    township.picture("13-workbench-township", DESK, PHONE)
    find(visit, "township", number)
    township.step("审核通过", note="情况属实，急需修复。")
    township.step("审核通过", note="同意上报。")
    office = visit("office")
    office.picture("14-workbench-office", DESK, PHONE)
    find(visit, "office", number)
    dialogue = office.start("派单")
    expect(dialogue.get_by_role("combobox", name="主办单位")).to_have_value(LEAD)
    office.choose(dialogue, "主办单位", "住房和城乡", LEAD)
    office.choose(dialogue, "协办单位", "综合执法", ASSISTING)
    office.picture("15-dispatch-dialogue", DESK, PHONE, whole=False)
    office.confirm("派单")
    office.picture("16-ticket-dispatched", DESK, PHONE)


def departments_report_for_duty(visit: Visit, number: str) -> None:
    """The lead accepts, arrives and reports; the assisting department does its own part."""
    handler, handler2 = visit("handler"), visit("handler2")
    handler.open("/")
    handler.picture("17-workbench-handler", DESK, PHONE)
    find(visit, "handler", number)
    handler.step("应哨签收", note="今天下午到现场。")
    find(visit, "handler2", number)
    handler2.step("协办签收")
    handler.step("现场报到")
    handler2.step("协办报到")
    handler2.step("协办反馈", result="已疏导交通，围挡作业区。")
    handler2.picture("18-ticket-assisted", DESK, PHONE)
    handler.step("反馈结果", result="已更换井盖并加固井圈，路面恢复平整。")
    handler.picture("19-ticket-reported", DESK, PHONE)


def rate_and_close(visit: Visit, number: str) -> None:
    """The community grades both departments in four dimensions; the office strikes the ticket off."""
    community, office = visit("community"), visit("office")
    find(visit, "community", number)
    dialogue = community.start("评哨")
    for department in (LEAD, ASSISTING):
        part = dialogue.get_by_role("group", name=department)
        for dimension in DIMENSIONS:
            part.get_by_role("group", name=dimension).get_by_text("满意", exact=True).click()
    community.picture("20-rate-dialogue", DESK, PHONE, whole=False)
    community.confirm("评哨")
    find(visit, "office", number)
    office.step("销号", note="回访居民满意，予以销号。")
    page = office.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("已销号")
    story = page.get_by_role("region", name="办理过程").locator(".timeline-head strong")
    expect(story).to_have_text(["新建", "吹哨", "审核通过", "审核通过", "派单", *REST])
    office.picture("21-ticket-closed", DESK, PHONE)
    page.emulate_media(media="print")
    office.picture("22-ticket-printed")
    page.emulate_media(media="screen")
    office.walk("哨单台账")
    office.picture("23-ticket-list", DESK, PHONE)


def a_return_is_refused(visit: Visit) -> None:
    """A department asks to give a ticket back; it is refused, and the clock never stopped."""
    handler, returns = visit("handler"), visit("returns")
    find(visit, "handler", URGENT)
    due = clock(visit, "handler")
    handler.step("申请退单", note="外墙由产权单位负责维修。")
    assert clock(visit, "handler") == due
    returns.open("/")
    returns.picture("24-workbench-returns", DESK, PHONE)
    find(visit, "returns", URGENT)
    returns.start("驳回退单").locator("[name=note]").fill("危及群众安全，先行处置再明确责任。")
    returns.picture("25-refuse-dialogue", DESK, PHONE, whole=False)
    returns.confirm("驳回退单")
    find(visit, "handler", URGENT)
    expect(handler.page.get_by_role("heading", level=1)).to_contain_text("待应哨")
    assert clock(visit, "handler") == due
    handler.picture("26-ticket-back", DESK, PHONE)


def find(visit: Visit, account: str, what: str) -> None:
    """Look a ticket up in the ledger by its number or title, and open it."""
    visit(account).find("哨单台账", what)


def clock(visit: Visit, account: str) -> str:
    """Return the instant until which the department must respond, as the ticket's page shows it."""
    tile = visit(account).page.get_by_role("region", name="时限").locator(".tile").first
    found = re.search(r"时限 (\d{4}-\d\d-\d\d \d\d:\d\d)", tile.inner_text())
    assert found is not None
    return found[1]
