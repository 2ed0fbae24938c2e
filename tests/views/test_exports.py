"""Lists as workbooks: whose rows, which of them, masked for whom; templates and buttons."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from models.agreement import Agreement
from models.base import utcnow
from models.need import Need
from models.ticket import Ticket
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.views import expectations as due
from tests.views.pages import errors_of, row_ids
from tests.views.stage import PEOPLE, Stage, Watch, mark

#: Record type → the address of its list.
LISTS = {
    "agreement": "/agreements",
    "resource": "/resources",
    "need": "/needs",
    "service_project": "/services",
    "service_session": "/sessions",
    "check_in": "/check-ins",
    "check_in_activity": "/check-in-activities",
    "ticket": "/tickets",
    "duty_list": "/duty-lists",
    "duty_item": "/duty-items",
    "organization": "/organizations",
    "account": "/accounts",
    "audit_entry": "/audit",
    "import_batch": "/import-batches",
    "mechanism": "/mechanisms",
    "calendar_override": "/calendar",
}
#: Those that have a template and an import behind the list's buttons.
IMPORTED = (
    *("agreement", "resource", "need", "service_project", "check_in", "service_session"),
    *("check_in_activity", "duty_list", "organization", "calendar_override"),
)
#: Records that were there before any could be marked, by what only they are called.
CALLED = {"oA11": "甲一一社区", "oB11": "乙一一社区", "mA": "甲县", "mB": "乙县"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows_of(answer: TestResponse) -> list[tuple[Any, ...]]:
    """Return the rows of a workbook that was sent, of all its sheets."""
    assert answer.status_code == 200
    assert answer.mimetype == XLSX
    book: Any = load_workbook(io.BytesIO(answer.data))
    answer.close()
    return [row for page in book for row in page.iter_rows(values_only=True)]


def text_of(rows: list[tuple[Any, ...]]) -> str:
    """Return all that the rows say."""
    return "\n".join(str(cell) for row in rows for cell in row if cell is not None)


def titles(client: FlaskClient, path: str) -> list[str]:
    """Return the number or the title of each row of an export."""
    heads, *rows = rows_of(client.get(path))
    place = next(heads.index(name) for name in ("协议编号", "需求名称") if name in heads)
    return [row[place] for row in rows]


@pytest.mark.parametrize("account", PEOPLE)
def test_an_export_holds_what_the_list_shows(stage: Stage, watch: Watch, account: str) -> None:
    """The same table of domain section 7, record by record; whoever has no list has no export."""
    client = stage.client(account)
    watch.written()
    for kind, path in LISTS.items():
        answer = client.get(f"{path}/export")
        if account not in due.READ[kind]:
            assert answer.status_code == 403, (kind, account)
            continue
        said = text_of(rows_of(answer))
        # A child says in its first columns whose it is, and is marked itself.
        shown = {name for name in stage.of(kind) if CALLED.get(name, mark(name)) in said}
        assert shown == set(due.READ[kind][account]), (kind, account)
    assert not watch.written()


def test_a_file_is_called_by_its_type_and_the_day(stage: Stage) -> None:
    answer = stage.client("party").get("/needs/export")
    day = shanghai_date(utcnow()).isoformat()
    sent = re.search(r"filename\*=UTF-8''(\S+)", answer.headers["Content-Disposition"])
    assert sent is not None
    assert unquote(sent[1]) == f"治理需求_{day}.xlsx"
    assert "no-store" in answer.headers["Cache-Control"]
    answer.close()


def test_an_export_follows_search_filter_tab_and_order(stage: Stage) -> None:
    client = stage.client("party")
    assert titles(client, "/agreements/export?order=number") == sorted(
        titles(client, "/agreements/export")
    )
    newest = titles(client, "/agreements/export")
    oldest = titles(client, "/agreements/export?order=number&direction=desc")
    assert oldest == sorted(newest, reverse=True)
    in_force = titles(client, "/agreements/export?status=in_force")
    assert 0 < len(in_force) < len(newest)
    assert titles(client, f"/agreements/export?q={mark('e11')}") == [
        name for name in newest if mark("e11") in name
    ]
    everything = titles(client, "/needs/export")
    published = titles(client, "/needs/export?tab=published")
    assert set(published) < set(everything)
    place = stage.id("oA11")
    assert len(titles(client, f"/needs/export?community={place}")) == 2


def test_cursors_are_no_part_of_what_is_asked_for(stage: Stage, watch: Watch) -> None:
    """An export from the second page is all of the list."""
    with stage.session() as session, acting_as(session, SYSTEM):
        first = session.get_one(Need, stage.id("n11"))
        for number in range(40):
            need = Need(
                community_id=first.community_id, title=f"需求{number}", category=first.category
            )
            session.add(need)
        category = first.category.value
        session.commit()
    client = stage.client("party")
    page = client.get(f"/needs/list/?category={category}&last=1")
    [found] = re.findall(r'href="(/needs/export[^"]*)"', page.text)
    assert "last" not in found
    assert len(row_ids(page.text)) <= 25
    everything = titles(client, found.replace("&amp;", "&"))
    assert len(everything) >= 40
    assert everything == titles(client, f"/needs/export?category={category}")


@pytest.mark.parametrize("asked", ["status=nothing", "order=phone", "community=x", "after=xyz"])
def test_what_a_list_does_not_know_is_refused(stage: Stage, asked: str) -> None:
    answer = stage.client("party").get(f"/needs/export?{asked}")
    assert answer.status_code == 422
    assert re.search(r"[\u4e00-\u9fff]{4,}", errors_of(answer.text))


def test_numbers_are_masked_as_on_the_page(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        agreement = session.get_one(Agreement, stage.id("g11"))
        need = session.get_one(Need, stage.id("n11"))
        agreement.unit_phone, need.phone = "13812345678", "13912345678"
        session.commit()
    whole, hidden = "13812345678", "138****5678"
    for account, reads in (
        ("party", True),
        ("unit", True),
        ("community", True),
        ("admin", False),
        ("leader", False),
        ("township", False),
        ("office", False),
    ):
        said = text_of(rows_of(stage.client(account).get("/agreements/export")))
        assert (whole in said, hidden in said) == (reads, not reads), account
    for account, reads in (("community", True), ("party", True), ("unit", False)):
        said = text_of(rows_of(stage.client(account).get("/needs/export")))
        assert ("13912345678" in said) is reads, account


def buttons(html: str) -> list[str]:
    """Return the workbook buttons of a list's head."""
    head = html.split('<div class="page-actions">', 1)[1].split("</div>\n    </div>", 1)[0]
    known = ("导出", "下载模板", "从 Excel 导入")
    return [each for each in known if re.search(rf"</i>{each}</a>", head)]


@pytest.mark.parametrize("account", ["admin", "party", "community", "unit", "leader", "township"])
def test_buttons_are_what_may_be_done(stage: Stage, account: str) -> None:
    client = stage.client(account)
    for kind, path in LISTS.items():
        if account not in due.READ[kind]:
            continue
        page = client.get(f"{path}/list/")
        importing = kind in IMPORTED and account in due.IMPORT[due.TEMPLATES[kind]]
        wanted = ["导出", "下载模板", "从 Excel 导入"] if importing else ["导出"]
        assert buttons(page.text) == wanted, (kind, account)
        for found in re.findall(
            rf'href="({path}/(?:export|template)[^"]*|/imports/[^"]+)"', page.text
        ):
            answer = client.get(found)
            assert answer.status_code == 200, found
            answer.close()


def test_lists_that_only_leave_have_no_template(stage: Stage) -> None:
    """Tickets are blown, accounts opened and batches made one by one: docs/decisions/0012."""
    client = stage.client("admin")
    for path in ("/accounts", "/tickets", "/audit", "/import-batches", "/mechanisms"):
        assert client.get(f"{path}/template").status_code == 404
        assert buttons(client.get(f"{path}/list/").text) == ["导出"]
    assert client.get("/duty-items/template").status_code == 404
    for path in ("/letter-templates", "/notices"):
        for route in ("export", "template"):
            assert stage.client("party").get(f"{path}/{route}").status_code == 404


def test_a_version_leaves_from_its_page(stage: Stage) -> None:
    client, pk = stage.client("township"), stage.id("p1")
    assert f'href="/duty-lists/export/{pk}"' in client.get(f"/duty-lists/show/{pk}").text
    said = text_of(rows_of(client.get(f"/duty-lists/export/{pk}")))
    assert mark("ip1") in said
    assert mark("i1") not in said
    assert stage.client("townshipb").get(f"/duty-lists/export/{pk}").status_code == 404
    assert stage.client("unit").get(f"/duty-lists/export/{pk}").status_code == 403


def test_files_of_lists_are_called_after_no_single_list(stage: Stage) -> None:
    client = stage.client("duty")
    for path, name in (
        ("/duty-lists/template", "履职事项清单导入模板"),
        ("/duty-lists/export", "履职事项清单_"),
        ("/duty-items/export", "履职事项_"),
    ):
        answer = client.get(path)
        assert f"''{name}" in unquote(answer.headers["Content-Disposition"])
        answer.close()


def test_items_of_a_filter_leave_by_their_lists(stage: Stage) -> None:
    said = text_of(rows_of(stage.client("duty").get(f"/duty-items/export?q={mark('i2')}")))
    assert mark("i2") in said
    assert mark("ip1") not in said
    assert "部分事项" in said


def test_what_a_resident_told_stays_on_the_ticket_s_page(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        ticket = session.get_one(Ticket, stage.id("t11"))
        ticket.contact_name, ticket.contact_phone = "某居民", "13812345678"
        session.commit()
    rows = rows_of(stage.client("office").get("/tickets/export"))
    said = text_of(rows)
    assert mark("t11") in said
    assert "某居民" not in said
    assert "5678" not in said
    assert not {"现场联系人", "联系电话"} & set(rows[0])


def test_the_log_leaves_without_what_was_written(stage: Stage) -> None:
    """Numbers are masked on an entry's page; the file names the columns only."""
    heads, *rows = rows_of(stage.client("auditor").get("/audit/export"))
    row = next(each for each in rows if mark("xA") in str(each[heads.index("记录")]))
    assert row[heads.index("改动的内容")] == "共建目标"
    assert row[heads.index("记录类型")] == "共驻共建协议"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[heads.index("时间")])


def test_accounts_leave_with_their_roles_and_no_secrets(stage: Stage) -> None:
    heads, *rows = rows_of(stage.client("admin").get("/accounts/export"))
    party = next(row for row in rows if row[0] == "party")
    assert party[heads.index("角色")] == "组织部门"
    assert party[heads.index("启用")] == "是"
    assert "密码" not in heads
    assert "scrypt" not in text_of(rows)
    assert stage.client("party").get("/accounts/export").status_code == 403


def test_a_template_offers_what_the_reader_may_choose(stage: Stage) -> None:
    answer = stage.client("community").get("/needs/template")
    book = load_workbook(io.BytesIO(answer.data))
    answer.close()
    assert book.sheetnames[0] == "治理需求"
    said = text_of([row for page in book for row in page.iter_rows(values_only=True)])
    assert "甲一一社区" in said
    assert "甲一二社区" not in said
    assert "乙" not in said
    assert stage.client("unit").get("/needs/template").status_code == 403


def test_the_page_s_days_are_the_file_s(stage: Stage) -> None:
    heads, *rows = rows_of(stage.client("party").get("/agreements/export"))
    place = heads.index("到期日期")
    assert {row[place] for row in rows} == {dt.datetime(2099, 12, 31)}  # noqa: DTZ001 - a day
