"""One letter, three lists, as people click it: a need from wish to rating, a claim, an agreement, a ledger."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.checks import barriers, overflowing
from tests.browser.conftest import Visit
from tests.browser.person import DESK, PHONE, Person
from tests.factories.files import text_in, word

pytestmark = pytest.mark.browser

NEED = "周末想有一间屋子教老人下棋"
RESOURCE = "阶梯教室"
AGREEMENT = "示党共建〔2026〕2号"
WISH = "三年级的小宇想要一套课外书"
GATHERED = "楼下健身器材除锈上漆"
OUTCOME = "26 位老人学会记谱，约定每月赛一次。"


def today() -> dt.date:
    """Return the day in Shanghai, as the pages count it."""
    return dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()


def shoot(person: Person, name: str, *widths: int, whole: bool = True) -> None:
    """Keep a picture at each width, and see that nothing sticks out of the window."""
    person.page.wait_for_load_state()
    before = person.page.viewport_size
    for width in widths:
        person.resize(width)
        assert overflowing(person.page) == [], f"{name} at {width}"
        person.picture(name, width, whole=whole)
    if before is not None:
        person.page.set_viewport_size(before)


# A need from the community's desk to the rating


def test_the_way_of_a_need(visit: Visit) -> None:
    """Four people: registered, published, matched, arranged, served, rated, and counted."""
    community, party, unit = visit("community"), visit("party"), visit("unit")
    unit.resize(PHONE)
    before = figures(unit)
    register_and_publish(community)
    arrange(party)
    take_up(unit)
    hold_a_session(unit)
    complete(unit)
    rate(community)
    on_the_board(community)
    after = figures(unit)
    shoot(unit, "68-unit-numbers", DESK, PHONE)
    assert after["办成需求"] == before["办成需求"] + 1
    assert after["服务项目"] == before["服务项目"] + 1
    assert after["服务场次"] == before["服务场次"] + 1
    assert after["服务人次"] == before["服务人次"] + 26
    assert [trouble for each in (community, party, unit) for trouble in each.troubles] == []


def figures(person: Person) -> dict[str, float]:
    """Return the figures of one's own page of numbers, by what they are called."""
    person.walk("一书三单统计")
    tiles = person.page.get_by_role("region", name="合计").locator(".tile")
    expect(tiles.first).to_be_visible()
    found = {}
    for label, value in tiles.evaluate_all(
        """tiles => tiles.map((tile) => [tile.querySelector(".tile-label").textContent,
          tile.querySelector(".tile-value").firstChild.textContent])"""
    ):
        number = value.strip().replace(",", "").rstrip("%")
        found[label] = float(number) if number != "—" else 0
    return found


def register_and_publish(community: Person) -> None:
    """The community writes a need down and publishes it; until then it is its own."""
    page = community.page
    community.walk("点单派单")
    shoot(community, "50-board-before", DESK, PHONE)
    page.get_by_role("main").get_by_role("link", name="登记需求").first.click()
    page.get_by_label("需求名称").fill(NEED)
    page.get_by_label("需求类别").select_option(label="场地")
    page.get_by_label("需求内容").fill("楼里老人想学象棋，周六下午一间能坐 30 人的屋子就行。")
    page.get_by_label("受益人群").fill("老年人")
    page.get_by_label("受益人数").fill("30")
    page.get_by_role("textbox", name="联系人").fill("老年协会秦会长")
    page.get_by_label("联系电话").fill("13995210017")
    shoot(community, "51-need-form", DESK, PHONE)
    page.get_by_role("button", name="保存").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("征集")
    community.step("公布")
    expect(heading).to_contain_text(NEED)
    expect(heading).to_contain_text("公布")
    shoot(community, "52-need-published", DESK, PHONE)


def arrange(party: Person) -> None:
    """The organisation department sees what fits and why, and arranges it with one click."""
    page = party.page
    party.find("治理需求清单", NEED)
    panel = page.get_by_role("table", name="匹配资源").get_by_role("row").filter(has_text=RESOURCE)
    expect(panel).to_contain_text("协议生效中（示党共建〔2026〕1号）")
    expect(panel).to_contain_text("同类别（场地）")
    expect(panel).to_contain_text("该时段空闲")
    shoot(party, "53-need-matches", DESK, PHONE)
    panel.get_by_role("link", name="安排服务").click()
    match = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=RESOURCE))
    expect(match).to_contain_text("数量 1/2 可用")
    assert barriers(page) == []
    shoot(party, "54-matching", DESK, PHONE)
    match.get_by_role("button", name="安排服务").click()
    expect(page.get_by_role("status")).to_contain_text("已生成服务项目")
    expect(page.get_by_role("heading", level=1)).to_contain_text("待接单")
    shoot(party, "55-service-arranged", DESK, PHONE)


def take_up(unit: Person) -> None:
    """On a phone the liaison learns of it by the bell, and takes the order."""
    page = unit.page
    unit.told("已派单")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(NEED)
    shoot(unit, "57-service-to-take", PHONE)
    dialogue = unit.start("接单")
    expect(dialogue).to_be_in_viewport()
    assert barriers(page) == []
    shoot(unit, "58-take-dialogue", PHONE, whole=False)
    unit.confirm("接单")
    expect(heading).to_contain_text("实施中")


def hold_a_session(unit: Person) -> None:
    """A session is scheduled from the project's page; afterwards those who came are counted."""
    page = unit.page
    page.get_by_role("main").get_by_role("link", name="安排场次").click()
    expect(page.get_by_role("combobox", name="服务项目").and_(page.locator("input"))).to_have_value(
        re.compile(NEED)
    )
    page.get_by_label("日期").fill(today().isoformat())
    page.get_by_label("开始时间").fill("00:00")
    page.get_by_label("结束时间").fill("02:00")
    page.get_by_label("地点").fill("一中阶梯教室")
    page.get_by_label("服务人员").fill("周建国、志愿者 3 人")
    page.get_by_label("预计人数").fill("30")
    shoot(unit, "59-session-form", PHONE)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="编辑").click()
    page.get_by_label("到场人数").fill("26")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_be_visible()
    shoot(unit, "60-session-held", PHONE)
    page.get_by_role("main").get_by_role("link", name=NEED).first.click()


def complete(unit: Person) -> None:
    """The liaison completes the project; the visits are those of its sessions."""
    page = unit.page
    assert "26" in unit.fact("服务人次")
    unit.start("完成").locator("[name=outcome]").fill(OUTCOME)
    shoot(unit, "61-complete-dialogue", PHONE, whole=False)
    unit.confirm("完成")
    expect(page.get_by_role("heading", level=1)).to_contain_text("待评价")
    assert unit.fact("服务人次") == "26"
    shoot(unit, "62-service-completed", PHONE)


def rate(community: Person) -> None:
    """The community, on a phone too, is told by the bell and grades it."""
    page = community.page
    community.resize(PHONE)
    community.told("服务项目已完成，请评价")
    dialogue = community.start("评价")
    dialogue.get_by_text("非常满意", exact=True).click()
    assert barriers(page) == []
    shoot(community, "63-rate-service", PHONE, whole=False)
    community.confirm("评价")
    assert community.fact("评价") == "非常满意"
    shoot(community, "64-service-rated", DESK, PHONE)


def on_the_board(community: Person) -> None:
    """The need stands among those rated, on the board and in the list, with what came of it."""
    page = community.page
    community.walk("点单派单")
    rated = page.get_by_role("region", name="评单")
    rated.get_by_text("最近评价").click()
    expect(rated.get_by_role("listitem").filter(has_text=NEED)).to_contain_text("非常满意")
    assert barriers(page) == []
    shoot(community, "65-board-after", DESK, PHONE)
    community.resize(DESK)
    community.walk("治理需求清单", "已评价")
    page.get_by_role("rowheader").filter(has_text=NEED).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("评价")
    assert community.fact("办理结果") == OUTCOME
    assert community.fact("认领单位") == "示范县第一中学"
    story = page.get_by_role("region", name="办理过程").locator(".timeline-head strong")
    expect(story).to_have_text(["新建", "公布", "派单", "接单", "办结", "评价"])
    shoot(community, "66-need-rated", DESK, PHONE)


# Two at once


def test_two_claim_one_wish(visit: Visit) -> None:
    """Both have the dialogue open: one gets it, the other reads who, and finds what he had typed."""
    community, unit = visit("community"), visit("unit")
    unit.resize(DESK)
    community.resize(DESK)
    for person in (community, unit):
        person.find("治理需求清单", WISH)
    due = (today() + dt.timedelta(days=12)).isoformat()
    late = community.start("党员认领")
    community.choose(late, "认领党员", "马秀兰", "马秀兰（示范县人民医院）")
    late.locator("[name=due_on]").fill(due)
    shoot(community, "70-claim-for-dialogue", DESK, PHONE, whole=False)
    unit.start("认领")
    unit.confirm("认领")
    expect(unit.page.get_by_role("heading", level=1)).to_contain_text("认领")
    late.get_by_role("button", name="确认党员认领").click()
    refusal = community.page.get_by_role("alert")
    expect(refusal.first).to_contain_text("最近一步是示范县第一中学一中联络员办理的“认领”")
    kept = refusal.filter(has_text="您刚才填写的内容没有保存")
    expect(kept).to_contain_text("马秀兰")
    expect(kept).to_contain_text(due)
    assert community.fact("认领单位") == "示范县第一中学"
    shoot(community, "71-claimed-before", DESK, PHONE)
    community.troubles.clear()  # the console repeats the 409
    unit.step("退回认领", note="学校图书角下周才到货，请先给别家认领。")
    expect(unit.page.get_by_role("heading", level=1)).to_contain_text("公布")
    assert unit.troubles == []


# The letter


def test_the_letter(visit: Visit, tmp_path: Path) -> None:
    """A signed scan goes in, the letter comes out, and a template that asks too much is refused."""
    party = visit("party")
    party.find("共驻共建协议", AGREEMENT)
    scan_the_paper(party, tmp_path)
    name, letter = party.save(party.page.get_by_role("main").get_by_role("link", name="打印协议书"))
    assert name == f"{AGREEMENT}.docx"
    assert AGREEMENT in text_in(letter)
    refuse_a_template(party, tmp_path)
    party.troubles.clear()  # the console repeats the 422s


def scan_the_paper(party: Person, folder: Path) -> None:
    """A text that calls itself a PDF is refused; a real one is kept and comes back unchanged."""
    page = party.page
    scans = page.get_by_role("region", name="扫描件")
    lie, scan = folder / "假的.pdf", folder / "签字页.pdf"
    lie.write_text("这不是 PDF。", encoding="utf-8")
    scan.write_bytes(a_pdf())
    for file in (lie, scan):
        scans.get_by_label("上传签字盖章后的扫描件").set_input_files(file)
        scans.get_by_role("button", name="上传", exact=True).click()
        if file == lie:
            expect(page.get_by_role("alert")).to_contain_text("假的.pdf")
            shoot(party, "75-scan-refused", DESK, PHONE)
    expect(page.get_by_role("status")).to_contain_text("已上传 1 个扫描件")
    shoot(party, "76-scan-kept", DESK, PHONE)
    assert party.save(scans.get_by_role("link", name="签字页.pdf")) == ("签字页.pdf", a_pdf())


def refuse_a_template(party: Person, folder: Path) -> None:
    """The sentence names the field that nobody knows, and nothing is replaced."""
    page = party.page
    file = folder / "县里的协议书.docx"
    file.write_bytes(word("{{ 协议编号 }}，书记：{{ 社区书记 }}"))
    party.walk("协议书模板", "新增")
    page.get_by_label("模板文件").set_input_files(file)
    page.get_by_role("button", name="保存").click()
    refusal = page.get_by_role("alert").filter(has_text="没有保存")
    expect(refusal).to_contain_text("社区书记")
    expect(refusal).not_to_contain_text("协议编号")
    shoot(party, "77-template-refused", DESK, PHONE)
    party.walk("协议书模板")
    expect(page.get_by_role("main")).to_contain_text("还没有自己的协议书模板")
    shoot(party, "78-no-templates", DESK, PHONE)


def a_pdf() -> bytes:
    """Return a page of PDF with a word on it, its table of objects in order."""
    drawn = b"BT /F1 24 Tf 40 90 Td (Signed) Tj ET"
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file, places = io.BytesIO(b"%PDF-1.4\n"), []
    file.seek(0, io.SEEK_END)
    for number, part in enumerate(parts, 1):
        places.append(file.tell())
        file.write(b"%d 0 obj\n%s\nendobj\n" % (number, part))
    table = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1))
    file.writelines(b"%010d 00000 n \n" % place for place in places)
    file.write(
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, table)
    )
    return file.getvalue()


# A ledger out and in again


def test_needs_by_workbook(visit: Visit, tmp_path: Path) -> None:
    """Out to Excel, one cell changed, in again: the preview names the cell, and undo restores it."""
    community = visit("community")
    page = community.page
    community.resize(DESK)
    community.walk("治理需求清单")
    shoot(community, "80-needs", DESK, PHONE)
    name, sent = community.save(
        page.get_by_role("main").get_by_role("link", name="导出", exact=True)
    )
    assert name.endswith(f"_{today()}.xlsx")
    cell, changed = change_a_row(sent, tmp_path / "治理需求.xlsx")
    community.walk("治理需求清单", "从 Excel 导入")
    page.get_by_label("Excel 文件").set_input_files(changed)
    shoot(community, "81-needs-upload", DESK, PHONE)
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("main")).to_contain_text("新增 0 条，更改 1 条")
    row = page.get_by_role("row").filter(has_text=GATHERED)
    expect(row).to_contain_text("受益人数")
    expect(row).to_contain_text("300")
    expect(row).to_contain_text("320")
    expect(row.get_by_role("cell", name=cell, exact=True)).to_be_visible()
    shoot(community, "82-needs-preview", DESK, PHONE)
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_role("status")).to_contain_text("已导入")
    shoot(community, "83-needs-imported", DESK, PHONE)
    batch = page.url
    assert beneficiaries(community) == "320"
    page.goto(batch)
    community.start("撤销导入").get_by_role("button", name="确认撤销导入").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已撤销")
    shoot(community, "84-needs-undone", DESK, PHONE)
    assert beneficiaries(community) == "300"
    assert community.troubles == []


def change_a_row(file: bytes, kept: Path) -> tuple[str, Path]:
    """Change how many a need is for; return the cell's name and the new file."""
    book = openpyxl.load_workbook(io.BytesIO(file))
    sheet = next(each for each in book if each.sheet_state == "visible")
    place = {
        str(each.value).split("\n")[0].rstrip("*"): each.column
        for row in sheet.iter_rows()
        for each in row
        if each.value in ("需求名称", "受益人数")
    }
    row = next(
        number
        for number in range(1, sheet.max_row + 1)
        if sheet.cell(number, place["需求名称"]).value == GATHERED
    )
    cell = sheet.cell(row, place["受益人数"])
    assert str(cell.value) == "300"
    cell.value = 320
    book.save(kept)
    return cell.coordinate, kept


def beneficiaries(community: Person) -> str:
    """Return how many the need is for, as its page says."""
    community.find("治理需求清单", GATHERED)
    return community.fact("受益人数")
