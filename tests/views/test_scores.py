"""The pages of scores: who sees which, what they say, where their numbers lead, the workbook."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from database import db
from models.appeal import AppealStatus
from models.grade import Grade
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from reports.facts import catch_up
from rules.policy import BEYOND, POLICY, Action
from tests.factories.roads import brought_to, grades
from tests.factories.scored import Scored
from tests.factories.world import World
from tests.views.pages import row_ids, words_of

Client = Callable[[str], FlaskClient]
SPAN = "from=2026-01-01&until=2026-12-31"


def said(html: str) -> str:
    """Return the words of a page in one line."""
    return " ".join(words_of(html))


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)


@pytest.fixture
def scored(world: World) -> Scored:
    """Graded tickets: many of one department, few of another; their marks are used up."""
    found = Scored(world)
    catch_up(world.session)
    found.graded("A-D1", Grade.SATISFIED, 6)
    found.graded("A-D2", [Grade.VERY_SATISFIED, Grade.FAIR, Grade.FAIR, Grade.FAIR], 8)
    (ticket,) = found.graded("A-D3", Grade.VERY_SATISFIED)
    found.appeal(ticket, "A-D3", AppealStatus.PENDING)
    found.sum_up()
    return found


def cells(html: str) -> dict[str, list[str]]:
    """Return a table's lines by their heading: the words of their cells."""
    found = {}
    body = html.split("<tbody>")[1].split("</tbody>")[0]
    for line in re.findall(r"<tr>(.*?)</tr>", body, re.S):
        parts = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.S)
        words = [unescape(re.sub(r"<[^>]+>", " ", part)).split() for part in parts]
        found[" ".join(words[0])] = [" ".join(each) for each in words[1:]]
    return found


def test_the_ranking_says_who_stands_where(as_seen_by: Client, scored: Scored) -> None:
    html = as_seen_by("office").get(f"/scores/?{SPAN}").text
    lines = cells(html)
    assert list(lines) == ["甲县住建局", "甲县执法局", "甲县公安局"]
    assert [line[0] for line in lines.values()] == ["1", "2", "样本不足"]
    assert lines["甲县住建局"][3:5] == ["6", "85.0"]
    assert lines["甲县公安局"][-1] == "1", "an appeal waits"
    assert "1 个样本不足，不排名次" in said(html)
    assert "得分 =（本单位均分 × 评价轮数 + 全部单位均分 × 10）÷（评价轮数 + 10）" in said(html)


def test_every_number_opens_its_tickets(as_seen_by: Client, scored: Scored) -> None:
    html = as_seen_by("office").get(f"/scores/?{SPAN}").text
    links = [unescape(each) for each in re.findall(r'href="(/tickets/list/\?score=[^"]+)"', html)]
    numbers = [
        int(each) for each in re.findall(r'href="/tickets/list/\?score=[^"]+">(\d+)</a>', html)
    ]
    assert len(links) == 4
    for url, number in zip(links, numbers, strict=True):
        page = as_seen_by("office").get(url).text
        assert len(row_ids(page)) == number, url
        assert "评分" in said(page)


def test_a_department_has_its_card(
    as_seen_by: Client, one_session: Session, scored: Scored, world: World
) -> None:
    number = world.place("A-D2").id
    html = as_seen_by("leader").get(f"/scores/department/{number}?{SPAN}").text
    lines = cells(html.split("得分构成</h2>")[1])
    assert [line[1] for line in lines.values()] == ["100.0", "60.0", "60.0", "60.0"]
    assert "<svg" in html
    other = as_seen_by("leader").get(f"/scores/department/{world.place('B-D1').id}?{SPAN}")
    assert other.status_code == 200
    assert "这段时间没有评价" in other.text
    assert as_seen_by("leader").get("/scores/department/999999").status_code == 404


def test_a_handler_sees_his_own_card_and_no_other_number(
    as_seen_by: Client, scored: Scored, world: World
) -> None:
    html = as_seen_by("handler").get(f"/scores/?{SPAN}").text
    text = said(html)
    assert "甲县住建局" in text
    assert "85.0" in text
    for secret in ("甲县执法局", "甲县公安局", "70.0", "名次 1", "全部单位均分 7"):
        assert secret not in text
    number = world.place("A-D2").id
    for path in (
        f"/scores/department/{number}", "/scores/townships/", "/scores/export",
        f"/scores/township/{world.place('A1').id}",
    ):  # fmt: skip
        assert as_seen_by("handler").get(path).status_code in (302, 403), path
    assert "考核表" not in text


def test_a_township_and_a_community_see_their_own_place(as_seen_by: Client, scored: Scored) -> None:
    for who, name in (("township", "甲一镇"), ("community", "甲一一社区")):
        text = said(as_seen_by(who).get(f"/scores/?{SPAN}").text)
        assert name in text
        assert "有效吹哨率" in text
        assert "甲县住建局" not in text


def test_townships_are_ranked_with_what_is_amiss(
    as_seen_by: Client, scored: Scored, world: World
) -> None:
    for _turn in range(6):
        scored.ticket("A21", grades=4, satisfied=4)
    scored.sum_up()
    html = as_seen_by("inspector").get(f"/scores/townships/?{SPAN}").text
    lines = cells(html)
    assert set(lines) == {"甲一镇", "甲二镇"}
    assert lines["甲二镇"][3] == "100.0% 不予吹哨 0 / 6"
    page = as_seen_by("inspector").get(f"/scores/township/{world.place('A2').id}?{SPAN}")
    assert "评哨率" in said(page.text)
    assert (
        as_seen_by("inspector").get(f"/scores/township/{world.place('A-D1').id}").status_code == 404
    )


def test_the_appraisal_holds_departments_townships_and_the_method(
    as_seen_by: Client, scored: Scored
) -> None:
    shown = as_seen_by("office").get("/scores/?from=2026-04-01&until=2026-06-30").text
    assert "甲县， 2026-04-01" in said(shown)
    assert "导出 2026 年度考核表" in said(shown)
    assert f"/scores/export?{SPAN}" in unescape(shown), "a year's, whatever part of it is shown"
    answer = as_seen_by("office").get(f"/scores/export?{SPAN}")
    assert answer.status_code == 200
    assert quote("年度考核评分-甲县-2026-01-01") in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["部门", "乡镇（街道）", "计算方法"]
    rows = list(book["部门"].iter_rows(values_only=True))
    assert rows[0][:3] == ("部门", "名次", "得分")
    assert [row[0] for row in rows[1:]] == ["甲县住建局", "甲县执法局", "甲县公安局"]
    assert rows[1][8] == 85
    assert rows[3][1] == "样本不足"
    text = " ".join(str(row[1]) for row in book["计算方法"].iter_rows(values_only=True))
    assert "评价轮数 + 10" in text
    places = list(book["乡镇（街道）"].iter_rows(values_only=True))
    assert places[1][0] == "甲一镇"


def test_counties_are_asked_for_one_by_one_by_whoever_reads_several(
    as_seen_by: Client, scored: Scored, world: World
) -> None:
    html = as_seen_by("admin").get(f"/scores/?{SPAN}").text
    assert 'name="county"' in html
    number = world.place("B").id
    assert "甲县住建局" not in said(
        as_seen_by("admin").get(f"/scores/?{SPAN}&county={number}").text
    )
    assert 'name="county"' not in as_seen_by("office").get("/scores/").text
    assert as_seen_by("admin").get("/scores/?county=x").status_code == 422


@pytest.mark.parametrize("query", ["from=2026-13-01", "from=2026-03-01&until=2026-02-01"])
def test_a_period_that_is_none_is_refused(as_seen_by: Client, query: str) -> None:
    assert as_seen_by("office").get(f"/scores/?{query}").status_code == 422


@pytest.mark.parametrize("who", ["unit", "auditor", "party", "returns", "duty"])
def test_who_reads_no_figures_has_no_page(as_seen_by: Client, who: str) -> None:
    assert as_seen_by(who).get("/scores/").status_code in (302, 403)


def test_a_rating_counts_as_soon_as_it_is_given(
    as_seen_by: Client, one_session: Session, world: World
) -> None:
    """The page folds what has changed before it reads."""
    ticket: Ticket = brought_to(world, S.RESOLVED)
    assert "甲县住建局" not in said(as_seen_by("office").get("/scores/").text)
    world.step(ticket, "rate", "community", grades=grades(ticket, Grade.FAIR))
    lines = cells(as_seen_by("office").get("/scores/").text)
    assert lines["甲县住建局"][3:5] == ["1", "60.0"]
    assert "甲县执法局" in lines, "who assists is scored too"


def test_pages_send_few_statements(as_seen_by: Client, world: World, scored: Scored) -> None:
    client = as_seen_by("office")
    for path in ("/scores/", "/scores/townships/"):
        client.get(f"{path}?{SPAN}")
        seen: list[str] = []

        def note(*given: object, seen: list[str] = seen) -> None:
            seen.append(str(given[2]))

        with client.application.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        client.get(f"{path}?{SPAN}")
        event.remove(engine, "before_cursor_execute", note)
        assert 0 < len(seen) <= 22, path


def test_the_table_of_rights_says_whose_figures_count_what_he_may_not_open(
    as_seen_by: Client,
) -> None:
    """Ranks of all in an issued bulletin are granted by the policy, and nowhere else."""
    words = said(as_seen_by("admin").get("/policy/list/").text)
    for each in BEYOND:
        holders = {
            role
            for role, kind, actions, scope in POLICY
            if (kind, scope) == (each.record_type, each.scope) and Action.READ in actions
        }
        assert words.count(each.help) == len(holders) > 0
