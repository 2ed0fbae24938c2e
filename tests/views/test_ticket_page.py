"""A ticket's page: where it stands, its clocks, its departments, its story, its grades."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.base import utcnow
from models.ticket import Ticket
from models.ticket_file import PhotoMoment
from rules.calendar import shanghai_date
from rules.wording import local
from tests.conftest import Backend
from tests.views.pages import errors_of, step_forms, words_of
from tests.views.tickets_at import Tickets

Client = Callable[[str], FlaskClient]


@pytest.fixture
def tickets(sqlite: Backend, one_session: Session) -> Tickets:
    """Makes tickets on SQLite."""
    return Tickets(one_session, Path(sqlite.app.config["DATA_DIR"]))


@pytest.fixture
def page(as_seen_by: Client) -> Callable[..., str]:
    """Return a ticket's page as an account sees it."""

    def show(who: str, ticket: Ticket, query: str = "") -> str:
        answer = as_seen_by(who).get(f"/tickets/show/{ticket.id}{query}")
        assert answer.status_code == 200, answer.status_code
        return answer.text

    return show


Page = Callable[..., str]


def stages_of(html: str) -> list[tuple[str, str]]:
    """Return the stage bar as (state, label)."""
    found = re.findall(
        r'<li class="stage-(\w+)".*?stage-label">([^<]+)', html.split('class="stages"')[1], re.S
    )
    return [(state, label) for state, label in found]


def actions_of(html: str) -> set[str]:
    """Return the labels of the buttons that lead from the page to another."""
    return {text.strip() for text in re.findall(r'class="btn[^>]*>(?:<[^>]*>)*([^<]+)', html)}


def standings_of(html: str) -> str:
    """Return what the page says of a ticket off the main road."""
    found = re.findall(r'<p class="standing[^>]*>(.*?)</p>', html, re.S)
    return re.sub(r"<[^>]+>", "", " ".join(found))


def test_the_review_route_is_named_step_by_step(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.raised()
    names = [each.name for each in ticket.whistle_class.mechanism.route]
    bar = stages_of(page("community", ticket))
    labels = [label for _state, label in bar]
    assert [label for label in labels if label in names] == names
    (due,) = [label for state, label in bar if state == "current"]
    assert due == next(
        each.name
        for each in ticket.whistle_class.mechanism.route
        if each.position == ticket.review_position
    )


def test_ended_roads_say_why_and_who(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.raised()
    tickets.take(ticket, "community", "withdraw", note="居民自己修好了")
    html = page("community", ticket)
    assert stages_of(html)[-1] == ("ended", "已撤哨")
    assert all(state != "current" for state, _label in stages_of(html))
    assert "居民自己修好了（甲一一社区 community" in standings_of(html)


def test_the_grid_s_own_road_and_its_end(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.draft()
    ticket.whistle_class.mechanism.grid_route = True
    tickets.take(ticket, "community", "hold_locally")
    html = page("community", ticket)
    assert ("current", "属地处置") in stages_of(html)
    assert "现由甲一一社区处置" in standings_of(html)
    tickets.take(ticket, "community", "solve_locally", result="社区电工换了灯泡")
    html = page("community", ticket)
    assert stages_of(html)[-1] == ("done", "就地解决")
    assert "社区电工换了灯泡" in html
    assert 'class="next-steps"' not in html


def test_supervised_and_paper_are_marked_beside_the_title(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    title = page("office", ticket).split("<h1>")[1].split("</h1>")[0]
    assert "督办" not in title
    assert "线下补录" not in title
    ticket.supervised_at, ticket.paper = utcnow(), True
    title = page("office", ticket).split("<h1>")[1].split("</h1>")[0]
    assert str(ticket.number) in title
    assert "督办" in title
    assert "线下补录" in title


def test_nobody_is_urged_about_what_was_withdrawn(tickets: Tickets, page: Page) -> None:
    ticket = tickets.take(tickets.world.draft(), "community", "raise")
    assert {"督办", "列入会议议题"} <= actions_of(page("office", ticket))
    tickets.take(ticket, "community", "withdraw", note="已自行修好")
    assert not {"督办", "列入会议议题"} & actions_of(page("office", ticket))


def test_a_return_under_review_stops_no_clock_and_says_so(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    tickets.take(ticket, "handler", "request_return", note="不归我局管")
    html = page("returns", ticket)
    assert "退单待审" in standings_of(html)
    assert "不归我局管" in standings_of(html)
    assert "data-due=" in html
    assert ("current", "应哨") in stages_of(html)


def test_a_merged_ticket_leads_to_the_main_one_for_those_who_see_it(
    tickets: Tickets, page: Page
) -> None:
    world = tickets.world
    main = tickets.dispatched(title="主单标题")
    other = world.raised("A21", who="township2", title="重复的")
    tickets.take(other, "office", "merge", ticket=main.id, note="重复")
    assert f'href="/tickets/show/{main.id}"' in page("office", other)
    assert "主单标题" in standings_of(page("office", other))
    assert f'href="/tickets/show/{other.id}">{other.number} 重复的' in page("office", main)
    for who in ("township", "handler"):
        assert str(other.number) not in page(who, main), "it lies in another township"
    theirs = page("township2", other)
    assert "已并入另一张哨单" in standings_of(theirs)
    assert "主单标题" not in theirs
    assert str(main.number) not in theirs
    assert f"/tickets/show/{main.id}" not in theirs


def test_clocks_count_down_turn_yellow_and_red(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    now = utcnow()
    cases = [
        (now + dt.timedelta(hours=9), now + dt.timedelta(hours=8), "info", "剩 8 小时"),
        (now + dt.timedelta(hours=9), now - dt.timedelta(hours=1), "warning", "剩 8 小时"),
        (
            now - dt.timedelta(hours=3, minutes=5),
            now - dt.timedelta(days=1),
            "danger",
            "超期 3 小时",
        ),
    ]
    for due, warn, tone, said in cases:
        ticket.respond_due = ticket.next_due = due
        ticket.next_warn = warn
        tile = page("handler", ticket).split('class="tiles tiles-clocks"')[1].split("</div>")[0]
        assert f'class="tile tile-{tone}"' in tile
        assert f'data-due="{due.isoformat()}"' in tile
        assert f'data-warn="{warn.isoformat()}"' in tile
        assert said in tile


def test_what_is_done_no_longer_counts(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    ticket.respond_due = utcnow() - dt.timedelta(hours=1)
    tickets.take(ticket, "handler", "accept")
    tile = page("handler", ticket).split('class="tiles tiles-clocks"')[1].split("</div>")[0]
    assert "超期完成" in tile
    assert "data-due" not in tile


def test_an_extension_shows_the_old_deadline_and_the_new(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    old = ticket.resolve_due
    assert old is not None
    day = shanghai_date(old) + dt.timedelta(days=3)
    html = page("handler", ticket)
    panel = html.split('id="step-request_extension"')[1].split("</form>")[0]
    assert f"现在的办结期限：{local(old)}" in panel, "whoever asks sees what he asks to move"

    tickets.take(ticket, "handler", "request_extension", new_due=day, note="等配件")
    asked = page("returns", ticket)
    assert f"从 {local(old)} 延至 {day.isoformat()} 23:59" in standings_of(asked)
    assert f"申请延至 {day.isoformat()} 23:59" in asked
    assert "等配件" in asked
    tickets.take(ticket, "returns", "approve_extension", note="同意")
    granted = page("community", ticket)
    assert f"原时限 {local(old)}" in granted
    assert f"时限 {day.isoformat()} 23:59" in granted
    assert standings_of(granted) == ""


def test_each_department_stands_by_its_own_deadlines(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched("A-D2")
    helping = next(each for each in ticket.assignments if each.organization_id != ticket.lead_id)
    helping.respond_due = utcnow() - dt.timedelta(hours=30)
    tickets.take(ticket, "handler", "accept")
    table = page("office", ticket).split("承办单位</h2>")[1].split("</table>")[0]
    lead, assisting = re.findall(r"<tr>.*?</tr>", table.split("<tbody>")[1], re.S)
    assert "甲县住建局" in lead
    assert "按期完成" in lead
    assert "甲县执法局" in assisting
    assert "协办" in assisting
    assert "超期 1 天" in assisting


def test_the_story_holds_steps_words_and_photos_in_order(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.draft()
    before = tickets.photo(ticket, "community", PhotoMoment.BEFORE, 1)
    tickets.take(ticket, "community", "raise")
    tickets.world.reviewed(ticket)
    tickets.take(ticket, "office", "dispatch", lead=tickets.world.place("A-D1").id)
    tickets.take(ticket, "handler", "accept")
    tickets.say(ticket, "handler", "明天上午到")
    tickets.take(ticket, "handler", "arrive", photos=[tickets.picture(2)])
    after = [tickets.picture(3), tickets.picture(4)]
    tickets.take(ticket, "handler", "report_result", result="换了灯泡", photos=after)
    html = page("community", ticket)
    story = html.split('<ol class="timeline">')[1].split("</ol>")[0]
    said = ["吹哨", "派单", "应哨签收", "明天上午到", "现场报到", "换了灯泡"]
    places = [story.index(each) for each in said]
    assert places == sorted(places)
    blown = story.split("<strong>吹哨</strong>")[1].split("</li>\n  <li")[0]
    assert f"/tickets/thumb/{before.id}" in blown, "photos of the draft belong to the whistle"
    assert len(re.findall(r'<img src="/tickets/thumb/\d+" alt="[^"]+"', story)) == 4
    strip = html.split("photo-compared")[1].split("</section>")[0]
    assert strip.index("吹哨时") < strip.index("办理后") < strip.index("现场")


def test_terms_are_told_in_words_and_nothing_as_json(tickets: Tickets, page: Page) -> None:
    ticket = tickets.resolved("A-D2")
    grades = tickets.grades(ticket, "rate", "satisfied")
    tickets.take(ticket, "community", "rate", grades=grades)
    html = page("office", ticket)
    story = html.split('<ol class="timeline">')[1].split('<form class="comment-form"')[0]
    assert "5 个工作日" in story
    for raw in ("{", "}", "working_days", "None", "T00:", "+00:00", "satisfied"):
        texts = [text for text in words_of(story) if raw in text]
        assert texts == [], raw


def test_a_long_story_is_folded_and_unfolds(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched()
    for number in range(30):
        tickets.say(ticket, "community", f"第{number:02d}句")
    short = page("office", ticket)
    assert "第29句" in short
    assert "第00句" not in short
    assert "显示更早的过程和留言" in short
    whole = page("office", ticket, "?timeline=all")
    assert all(f"第{number:02d}句" in whole for number in range(30))
    assert "<strong>吹哨</strong>" in whole
    assert "显示更早的过程和留言" not in whole


def test_a_slip_from_paper_says_when_it_was_entered(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.draft()
    raised = utcnow() - dt.timedelta(days=2)
    tickets.take(ticket, "community", "enter_paper", raised_at=raised, note="停电时手写")
    html = page("community", ticket)
    assert "线下补录" in html
    story = html.split('<ol class="timeline">')[1]
    blown = story.split("<strong>吹哨</strong>")[1].split("</li>")[0]
    assert local(raised) in blown
    assert "补录" in blown


def test_grades_stand_by_rater_and_an_amended_one_keeps_its_former(
    tickets: Tickets, page: Page
) -> None:
    ticket = tickets.resolved("A-D2")
    given = tickets.grades(ticket, "rate", "satisfied")
    tickets.take(ticket, "community", "rate", grades=given)
    one = sorted(given)[0]
    better = given | {one: "very_satisfied"}
    tickets.take(ticket, "community", "amend_rating", grades=better, note="填错了")
    helping = tickets.grades(ticket, "rate_assisting", "fair")
    tickets.take(ticket, "handler", "rate_assisting", grades=helping)
    html = page("office", ticket)
    table = html.split("吹哨单位的评价</h2>")[1].split("</table>")[0]
    assert "非常满意" in table
    assert table.count("原评：满意") == 1
    lead = html.split("主办单位对协办的评价</h2>")[1].split("</table>")[0]
    assert "甲县执法局" in lead
    assert "甲县住建局" not in lead
    assert "基本满意" in lead
    form = step_forms(page("community", ticket))["amend_rating"].data()
    assert form[f"grade-{one.replace(':', '-')}"] == ["very_satisfied"], "as they stand now"


def test_residents_stars_and_words(tickets: Tickets, page: Page, as_seen_by: Client) -> None:
    tickets.world.whistle_class("ordinary").mechanism.resident_stars = True
    ticket = tickets.resolved()
    form = step_forms(page("community", ticket))["rate"]
    names = [name for name in form.names if name.startswith("grade-")]
    data = form.data(**dict.fromkeys(names, "satisfied"), stars=6, stars_comment="亮了")
    client = as_seen_by("community")
    refused = client.post(form.action, data=data)
    assert refused.status_code == 422
    assert "请选择一至五星" in refused.text
    assert step_forms(refused.text)["rate"].data()["stars_comment"] == ["亮了"]
    answer = client.post(form.action, data=data | {"stars": ["4"]})
    assert answer.status_code == 302, errors_of(answer.text)
    html = page("leader", ticket)
    assert "★★★★☆" in html
    assert "4 星" in html
    assert "亮了" in html


def test_one_step_stands_out_and_side_roads_fold_away(tickets: Tickets, page: Page) -> None:
    ticket = tickets.dispatched("A-D2")
    html = page("handler", ticket)
    bar = html.split('class="next-steps"')[1].split("</section>")[0]
    tones = re.findall(r'<summary class="btn btn-([\w-]+)">', bar)
    assert tones.count("primary") == 1
    onward, aside = bar.split("更多办理")
    assert 'id="step-accept"' in onward
    for each in ("request_return", "request_extension"):
        assert f'id="step-{each}"' in aside


def test_who_is_taken_off_is_at_work_and_who_is_called_in_is_not(
    tickets: Tickets, as_seen_by: Client
) -> None:
    ticket = tickets.dispatched("A-D2")
    client = as_seen_by("office")

    def offered(step: str) -> list[str]:
        answer = client.get(f"/tickets/receivers/{ticket.id}?step={step}&q=局").get_json()
        return [each["text"] for each in answer["results"]]

    assert offered("remove_assisting") == ["甲县执法局"]
    assert "甲县执法局" not in offered("add_assisting")
    assert "甲县公安局" in offered("add_assisting")
    assert "甲县住建局" not in offered("hand_over")
    assert "甲县执法局" in offered("hand_over")


def test_tickets_to_merge_into_are_open_and_in_scope(tickets: Tickets, as_seen_by: Client) -> None:
    here = tickets.dispatched(title="路灯一")
    near = tickets.world.raised(title="路灯二")
    far = tickets.world.raised("A21", who="township2", title="路灯三")
    gone = tickets.world.raised(title="路灯四")
    tickets.take(gone, "community", "withdraw", note="算了")
    tickets.world.draft(title="路灯五")

    def offered(who: str, query: str) -> list[int]:
        answer = as_seen_by(who).get(f"/tickets/twins/{here.id}?q={query}").get_json()
        return [each["id"] for each in answer["results"]]

    assert offered("office", "路灯") == [far.id, near.id], "newest first, itself left out"
    assert offered("township", "路灯") == [near.id]
    assert offered("office", near.number or "") == [near.id]
    assert as_seen_by("officeb").get(f"/tickets/twins/{here.id}").status_code == 404


def test_changes_of_fields_are_read_when_asked_for(tickets: Tickets, page: Page) -> None:
    ticket = tickets.world.raised(title="改过的")
    html = page("community", ticket)
    assert "查看修改记录" in html
    assert 'class="changes"' not in html
    assert 'class="changes"' in page("community", ticket, "?changes=all")
