"""Workbooks as officers bring them: dropped, settled, mended, worked on behind the scenes, taken back."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from cli.worker import Beside
from tests.browser.conftest import Visit
from tests.browser.officer import HEAD, SHEET, Officer, lists, long_list
from tests.browser.person import DESK
from tests.browser.test_pages import tab_to

pytestmark = pytest.mark.browser

ODD = ("编号", "归口", "干什么", "谁牵头", "他们做什么", "咱们做什么")
LONG_NAME = "关于进一步明确和规范乡镇街道配合履职事项清单的通知附件" * 9

_DROPPED = """(files) => {
  const dropped = new DataTransfer();
  for (const [name, content] of files)
    dropped.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
  return dropped;
}"""


@pytest.fixture(scope="module", autouse=True)
def worker(server: str) -> Iterator[Beside]:
    """The worker that ``serve`` starts beside itself, over the module's copy of the county."""
    beside = Beside()
    beside.start()
    yield beside
    beside.stop()


@pytest.fixture(scope="module")
def outlines() -> set[tuple[int, str]]:
    """The outlines that axe has seen, by width."""
    return set()


@pytest.fixture
def duty(visit: Visit, outlines: set[tuple[int, str]]) -> Iterator[Officer]:
    """The duty-list officer of the county, whose pages did nothing that no page may do."""
    person = visit("duty")
    person.resize(DESK)
    yield Officer(person, outlines)
    # The console repeats the status of a page that shows errors: nothing else may be in it.
    troubles = [each for each in person.troubles if "status of 422" not in each]
    person.troubles.clear()
    assert troubles == []


# Several files at once


def test_files_that_are_dropped_go_each_to_its_township(duty: Officer, tmp_path: Path) -> None:
    """Two name their township; one is asked about; the sound ones are confirmed by one word."""
    names = ("清水镇配合清单.xlsx", f"和平镇{LONG_NAME}"[:250] + ".xlsx", "清单（最终版）.xlsx")
    paths = [lists(tmp_path / f"{n}.xlsx", f"困难家庭探访{n}") for n in range(len(names))]
    content = [base64.b64encode(path.read_bytes()).decode() for path in paths]
    page = duty.page
    duty.person.walk("清单版本", "从 Excel 导入")
    form = page.locator("form[data-drop]")
    files = page.evaluate_handle(_DROPPED, list(zip(names, content, strict=True)))
    form.dispatch_event("dragover", {"dataTransfer": files})
    expect(form).to_have_class(re.compile("drop-over"))
    duty.looks("9a-drag")
    form.dispatch_event("drop", {"dataTransfer": files})
    expect(form).not_to_have_class(re.compile("drop-over"))
    expect(page.get_by_role("button", name="上传并预览")).to_be_focused()
    duty.press("上传并预览")
    rows = page.get_by_role("main").get_by_role("row")
    expect(rows.filter(has_text="清水镇配合清单")).to_contain_text("待确认")
    expect(rows.filter(has_text="和平镇")).to_contain_text("待确认")
    asked = rows.filter(has_text="最终版")
    expect(asked).to_contain_text("待选择地区")
    duty.looks("9b-bundle")
    bundle = page.url
    asked.get_by_role("link").click()
    duty.looks("9c-place")
    duty.person.choose(page, "清单所属地区", "红旗街道")
    duty.press("继续")
    duty.stands("待确认")
    page.goto(bundle)
    duty.press("确认导入 3 个无误的文件")
    expect(rows.get_by_text("已导入")).to_have_count(3)
    for place in ("清水镇", "和平镇", "红旗街道"):
        page.goto(bundle)
        rows.filter(has_text=place).get_by_role("link").click()
        if place == "和平镇":
            duty.looks("9d-done")
        page.get_by_role("link", name="查看导入批次").click()
        assert duty.person.fact("所属机构") == place
    duty.looks("9e-batch")


# What a file leaves open


def test_names_that_nobody_goes_by(duty: Officer, tmp_path: Path) -> None:
    """One is chosen for all rows, one becomes an alias for good, one a department of its own."""
    names = ("县住房城乡建设管理局", "县综合行政执法大队", "县大数据发展中心")
    path = lists(tmp_path / "清水镇.xlsx", *(f"联合检查{n}" for n in range(12)), by=names)
    page = duty.page
    duty.upload(path)
    duty.stands("有错误")
    duty.looks("9f-names")
    near, alias, made = (page.get_by_role("group", name=name) for name in names)
    expect(near).to_contain_text(f"4 处：{SHEET}!D2、D5、D8…")
    assert near.get_by_role("radio").count() == 6, "three that are like it, and three ways out"
    expect(near.get_by_label("同时加为别名")).to_be_hidden()
    near.get_by_label("县住房和城乡建设局").check()
    expect(near.get_by_label("同时加为别名")).to_be_visible()
    expect(near.get_by_label("新部门的机构代码")).to_be_hidden()
    alias.get_by_label("其他机构", exact=True).and_(page.get_by_role("radio")).check()
    duty.person.choose(alias, "其他机构", "综合执法", "县综合执法局")
    alias.get_by_label("同时加为别名").check()
    made.get_by_label("新建为部门").check()
    duty.press("按此处理，重新核对")
    expect(page.get_by_role("alert").first).to_contain_text("要填写机构代码")
    expect(near.get_by_label("县住房和城乡建设局")).to_be_checked()
    duty.looks("9g-names-refused")
    made.get_by_label("新部门的机构代码").fill("640199-D40")
    duty.press("按此处理，重新核对")
    duty.stands("待确认")
    duty.confirm()
    duty.person.find("组织机构", "县综合执法局")
    assert names[1] in duty.person.fact("别名")
    duty.person.find("组织机构", "大数据发展")
    assert duty.person.fact("机构代码") == "640199-D40"


def test_a_name_is_chosen_and_confirmed_by_keys_alone(duty: Officer, tmp_path: Path) -> None:
    """Tab, arrows, space and Enter lead from the unknown name to the batch."""
    duty.upload(lists(tmp_path / "城关镇.xlsx", "养老机构检查", by=["县民政和养老局"]))
    duty.stands("有错误")
    page, keys = duty.page, duty.page.keyboard
    name = page.get_by_role("group", name="县民政和养老局")
    tab_to(page, name.get_by_label("先不处理"))
    while not name.get_by_label("县民政局", exact=True).is_checked():
        keys.press("ArrowUp")
    tab_to(page, page.get_by_role("button", name="按此处理，重新核对"))
    keys.press("Enter")
    duty.stands("待确认")
    tab_to(page, page.get_by_role("button", name="确认导入"))
    keys.press("Enter")
    expect(page.get_by_role("button", name="撤销导入")).to_be_visible()


def test_headings_that_nobody_knows_are_asked_about_once(duty: Officer, tmp_path: Path) -> None:
    """What a person says of a layout holds for the next file that has it."""
    page = duty.page
    duty.upload(lists(tmp_path / "和平镇.xlsx", "河道巡查", head=ODD))
    duty.stands("有错误")
    duty.looks("9h-headings")
    mapping = page.get_by_role("group", name=SHEET)
    mapping.get_by_label("这张表是").select_option("不导入这张表")
    expect(mapping.get_by_label(ODD[0])).to_be_hidden()
    mapping.get_by_label("这张表是").select_option(SHEET)
    for heading, column in zip(ODD, HEAD, strict=True):
        mapping.get_by_label(heading).select_option(column)
    duty.press("按此对应，重新读取")
    duty.stands("待确认")
    expect(page.get_by_role("rowheader", name="河道巡查")).to_be_visible()
    duty.confirm()
    duty.upload(lists(tmp_path / "红旗街道.xlsx", "桥梁巡查", head=ODD))
    duty.stands("待确认")
    expect(page.get_by_role("rowheader", name="桥梁巡查")).to_be_visible()


def test_errors_are_mended_in_the_file_itself(duty: Officer, tmp_path: Path) -> None:
    """The same workbook comes back coloured and commented; mended there, it is imported."""
    path = lists(tmp_path / "和平镇.xlsx", *(f"巡查事项{n}" for n in range(40)), by=["县巡查局", "", "县民政局"])  # fmt: skip
    duty.upload(path)
    duty.stands("有错误")
    duty.looks("9i-errors")
    name, content = duty.person.save(duty.page.get_by_role("link", name="下载标注错误的文件"))
    assert name == "和平镇（标注错误）.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book[SHEET]
    wrong = [cell for row in sheet for cell in row if cell.comment]
    assert {cell.column_letter for cell in wrong} == {"D"}
    for cell in wrong:
        assert cell.fill.fgColor.rgb.endswith(("FFC7CE", "FFEB9C"))
        cell.value = "县民政局"
    book.save(tmp_path / name)
    duty.upload(tmp_path / name)
    duty.stands("待确认")
    duty.confirm()
    assert {"巡查事项0", "巡查事项1", "巡查事项2"} <= set(duty.items("和平镇"))


# Behind the scenes


def test_a_long_file_is_read_while_its_owner_is_elsewhere(duty: Officer, tmp_path: Path) -> None:
    """The page says how far it is; whoever leaves finds it again under his uploads."""
    page = duty.page
    duty.upload(long_list(tmp_path / "配合履职长表.csv", 10_000), place="红旗街道")
    expect(page.locator("[data-progress-says]")).to_have_text(
        re.compile(r"^(排队等候|正在读取|正在读取文件)…$|^正在.+（\d+ / \d+）$")
    )
    expect(page.get_by_role("main")).to_contain_text("可以离开或关闭这个页面")
    job = page.url
    duty.person.open("/duty-lists/list/")
    expect(page.get_by_role("heading", level=1)).to_have_text("清单版本")
    duty.person.walk("清单版本", "从 Excel 导入", "我的上传")
    row = page.get_by_role("row").filter(has_text="配合履职长表")
    duty.person.follow(row.get_by_role("link"))
    assert page.url == job
    duty.stands("待确认")
    expect(duty.count("新增")).to_have_text("10000")
    duty.looks("9j-long")
    duty.press("确认导入")
    expect(page.locator("[data-progress-says]")).to_have_text(re.compile("正在写入|排队等候"))
    duty.stands("已导入")
    page.get_by_role("link", name="查看导入批次").click()
    result = page.get_by_role("table", name="结果").get_by_role("row").nth(1)
    expect(result.get_by_role("cell", name="10000", exact=True)).to_be_visible()


def test_a_long_file_is_called_off(duty: Officer, tmp_path: Path) -> None:
    """Cancelled while it is read, it leaves nothing behind; the product answers others meanwhile."""
    page = duty.page
    duty.newest("城关镇")
    before = page.url
    duty.upload(long_list(tmp_path / "配合履职超长表.csv", 90_000), place="城关镇")
    expect(page.locator("[data-progress-says]")).to_have_text(re.compile("^正在"))
    duty.looks("9k-busy")
    other = duty.person.context.new_page()
    answer = other.goto(f"{duty.person.address}/duty-lists/list/")
    assert answer is not None
    assert answer.status == 200
    other.close()
    duty.press("取消")
    duty.stands("已取消")
    expect(page.get_by_role("alert")).to_contain_text("没有写入任何内容")
    duty.looks("9l-cancelled")
    duty.press("移除")
    expect(page.get_by_role("status").filter(has_text="已移除上传的文件")).to_be_visible()
    duty.person.walk("清单版本", "从 Excel 导入", "我的上传")
    expect(page.get_by_role("row").filter(has_text="超长表")).to_have_count(0)
    duty.looks("9m-mine")
    duty.newest("城关镇")
    assert page.url == before


def test_who_is_logged_out_meanwhile_is_told(duty: Officer, tmp_path: Path) -> None:
    """The page does not pretend to watch: it leads to the log-in, and the upload is found again."""
    page = duty.page
    duty.upload(long_list(tmp_path / "配合履职再长表.csv", 60_000), place="城关镇")
    expect(page.locator("[data-progress-says]")).to_be_visible()
    duty.person.context.clear_cookies()
    expect(page).to_have_url(re.compile("/login/"))
    duty.person.log_in()
    duty.person.walk("清单版本", "从 Excel 导入", "我的上传", "配合履职再长表.csv")
    duty.press("取消")
    duty.stands("已取消")


# What is there already


def test_what_the_file_lacks_goes_only_if_asked(duty: Officer, tmp_path: Path) -> None:
    """Kept unless asked; asked, it goes; taken back, it is there again."""
    page = duty.page
    duty.upload(lists(tmp_path / "清水镇.xlsx", "打井", "修渠", "植树"))
    duty.stands("待确认")
    duty.confirm()
    duty.newest("清水镇")
    before = duty.person.fact("事项数")
    duty.upload(lists(tmp_path / "清水镇.xlsx", "打井", "修渠"))
    duty.stands("没有变化")
    expect(duty.count("文件中没有")).not_to_have_text("0")
    duty.press("改为一并移除")
    duty.stands("待确认")
    expect(duty.count("将移除")).not_to_have_text("0")
    told = page.get_by_role("status").filter(has_text="新增 0 条，更改 0 条，移除")
    expect(told).to_be_visible()
    duty.looks("9n-retire")
    duty.confirm()
    batch = page.url
    assert duty.items("清水镇") == ["打井", "修渠"]
    assert duty.person.fact("事项数") == "2"
    page.goto(batch)
    duty.person.start("撤销导入").get_by_role("button", name="确认撤销导入").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已撤销")
    duty.newest("清水镇")
    assert duty.person.fact("事项数") == before


def test_what_has_moved_stands_above_the_button(duty: Officer, tmp_path: Path) -> None:
    """A draft says what it changes before it is published; the comparison comes as a workbook."""
    page = duty.page
    duty.upload(lists(tmp_path / "城关镇.xlsx", "冬季取暖检查", "燃气入户检查"))
    duty.stands("待确认")
    duty.confirm()
    duty.newest("城关镇")
    moved = page.get_by_role("region", name="本版变化")
    expect(moved).to_be_visible()
    publish = page.get_by_role("region", name="下一步").get_by_role("button", name="发布")
    above, below = moved.bounding_box(), publish.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]
    duty.looks("9o-draft")
    duty.person.follow(moved.get_by_role("link", name="查看全部变化"))
    expect(page.get_by_role("main")).to_contain_text("燃气入户检查")
    duty.looks("9p-changes")
    page.go_back()
    duty.person.step("发布")
    duty.person.walk("乡镇清单比对")
    expect(page.get_by_role("table", name="各乡镇（街道）的清单")).to_contain_text("城关镇")
    duty.looks("9q-comparison")
    name, content = duty.person.save(page.get_by_role("link", name="导出 Excel").first)
    assert name.startswith("乡镇清单比对")
    assert len(openpyxl.load_workbook(io.BytesIO(content)).sheetnames) > 1
