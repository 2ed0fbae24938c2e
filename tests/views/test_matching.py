"""The pages of matches: what they offer to whom, and one click that makes the service."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from database import db
from models.need import Need, NeedStatus
from models.notice import Notice
from models.resource import Resource
from models.service import ServiceProject
from rules import workflow
from rules.actor import SYSTEM, acting_as, set_actor
from tests.conftest import Backend
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.boards import today
from tests.views.pages import HtmlForm, errors_of, forms_of
from views.matching import panel_for_need, panel_for_resource
from views.presentation import Related


@pytest.fixture
def fit(pairs: Pairs) -> tuple[Need, Resource]:
    """A need and a resource of two partners."""
    pairs.bond("A11", "A-U1", "协议一号")
    return pairs.need(), pairs.resource(quantity=2, measure="间", hours="周末")


def items(html: str) -> dict[str, str]:
    """Return what is said of each match, by its name."""
    found = {}
    for part in re.findall(r'<li class="card match".*?</li>', html, re.S):
        name = re.search(r'<h2 class="card-title"><a href="[^"]+">(.*?)</a>', part)
        assert name
        found[unescape(name[1])] = unescape(re.sub(r"<[^>]+>|\s+", " ", part))
    return found


def match_forms(html: str) -> list[HtmlForm]:
    return [form for form in forms_of(html) if form.action == "/matching/arrange"]


def click(client: FlaskClient, path: str, **changes: Any) -> TestResponse:
    """Press the only button of a page of matches."""
    (form,) = match_forms(client.get(path).text)
    return client.post(form.action, data=form.data(**changes))


# What is offered


@pytest.mark.parametrize("who", ["community", "unit", "party", "township", "admin"])
def test_both_pages_offer_the_match_with_its_reasons(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any, who: str
) -> None:
    need, resource = fit
    client = as_seen_by(who)
    page = client.get(f"/matching/need/{need.id}").text
    (said,) = items(page).values()
    for words in (
        "会议室",
        "甲县第一中学",
        "协议生效中（协议一号）",
        "同类别（场地）",
        "该时段空闲",
    ):
        assert words in said
    assert "数量 2/2 可用" in said
    assert "时段：周末" in said
    if who != "community":
        assert list(items(client.get(f"/matching/resource/{resource.id}").text)) == ["放学后托管"]
    (form,) = match_forms(page)
    assert form.data()["planned_from"] == [today().isoformat()]
    assert form.data()["planned_until"] == [(today() + dt.timedelta(days=30)).isoformat()]


@pytest.mark.parametrize("who", ["leader", "inspector", "office", "duty", "auditor"])
def test_who_may_arrange_nothing_has_no_page(
    fit: tuple[Need, Resource], as_seen_by: Any, who: str
) -> None:
    need, resource = fit
    client = as_seen_by(who)
    assert client.get(f"/matching/need/{need.id}").status_code == 403
    assert client.get(f"/matching/resource/{resource.id}").status_code == 403
    data = {"need": need.id, "resource": resource.id}
    assert client.post("/matching/arrange", data=data).status_code == 403


@pytest.mark.parametrize("who", ["community2", "unit2", "handler", "partyb", "communityb"])
def test_what_is_out_of_reach_is_not_there(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any, who: str
) -> None:
    need, resource = fit
    client = as_seen_by(who)
    assert client.get(f"/matching/need/{need.id}").status_code == 404
    assert client.get(f"/matching/resource/{resource.id}").status_code == 404
    data = {
        "need": need.id,
        "resource": resource.id,
        "planned_from": today(),
        "planned_until": today(),
    }
    assert client.post("/matching/arrange", data=data).status_code == 404
    assert pairs.all_of(ServiceProject) == []


@pytest.mark.parametrize("number", ["0", "99999", "99999999999", "x", ""])
def test_records_that_are_not_there(as_seen_by: Any, number: str) -> None:
    client = as_seen_by("party")
    assert client.get(f"/matching/need/{number}").status_code == 404
    data = {"need": number, "resource": number}
    assert client.post("/matching/arrange", data=data).status_code == 404


def test_the_county_is_shown_and_arranged_by_the_organization_department_only(
    pairs: Pairs, as_seen_by: Any
) -> None:
    pairs.bond("A12", "A-U1")
    need, _resource = pairs.need("A11"), pairs.resource()
    path = f"/matching/need/{need.id}"
    page = as_seen_by("township").get(path).text
    assert "没有生效的协议，由组织部门统筹安排。" in items(page)["会议室"]
    assert match_forms(page) == []
    assert len(match_forms(as_seen_by("party").get(path).text)) == 1
    assert items(as_seen_by("community").get(path).text) == {}


def test_no_match_says_why_and_what_to_do(pairs: Pairs, as_seen_by: Any) -> None:
    draft = pairs.resource(name="草拟的", draft=True)
    lonely = pairs.resource(name="没人要的")
    needs = [pairs.need(title=f"需求{number}", gathered=number == 1) for number in range(3)]
    lonely.offers = []
    workflow.apply(pairs.session, needs[2], "cancel", SYSTEM, {"note": "不需要了"})
    client = as_seen_by("community")
    for need, sentence in zip(
        needs,
        [
            "没有找到“场地”类的可用资源。可以请签约单位补充资源，或由组织部门在全县统筹。",
            "这条需求还没有公布。公布之后再匹配资源。",
            "这条需求现在是“已取消”，不再匹配资源。",
        ],
        strict=True,
    ):
        page = client.get(f"/matching/need/{need.id}").text
        assert sentence in page
        assert items(page) == {}
    client = as_seen_by("unit")
    for resource, sentence in (
        (draft, "这项资源还没有提供，或已停用。提供之后再匹配需求。"),
        (lonely, "签约社区目前没有“场地”类的待认领需求。有新的需求公布时可以再来看看。"),
    ):
        assert sentence in client.get(f"/matching/resource/{resource.id}").text


# One click


@pytest.mark.parametrize(
    ("who", "kind"), [("community", "need"), ("unit", "resource"), ("party", "need")]
)
def test_one_click_makes_the_service_and_leads_to_it(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any, who: str, kind: str
) -> None:
    need, resource = fit
    client = as_seen_by(who)
    answer = click(client, f"/matching/{kind}/{(need if kind == 'need' else resource).id}")
    (service,) = pairs.all_of(ServiceProject)
    assert answer.status_code == 302
    assert answer.location == f"/services/show/{service.id}"
    page = client.get(answer.location).text
    assert "已生成服务项目“放学后托管”，并通知双方。" in page
    assert "会议室" in page
    pairs.session.refresh(need)
    assert need.status is NeedStatus.CLAIMED
    assert need.claimed_by_id == resource.owner_id
    told = {each.account_id for each in pairs.all_of(Notice)}
    sides = {pairs.world.account(name).id for name in ("unit", "community")}
    assert told == sides - {pairs.world.account(who).id}


def test_the_dates_that_are_chosen_are_taken(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any
) -> None:
    first, last = today() + dt.timedelta(days=3), today() + dt.timedelta(days=4)
    dates = {"planned_from": first, "planned_until": last}
    click(as_seen_by("unit"), f"/matching/need/{fit[0].id}", **dates)
    (service,) = pairs.all_of(ServiceProject)
    assert (service.planned_from, service.planned_until) == (first, last)


def test_a_refusal_is_said_over_the_page_that_one_came_from(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any
) -> None:
    need, resource = fit
    early, late = today() + dt.timedelta(days=3), today() + dt.timedelta(days=9)
    for kind, record in (("need", need), ("resource", resource)):
        path = f"/matching/{kind}/{record.id}"
        title = {"need": "匹配资源：放学后托管", "resource": "匹配需求：会议室"}[kind]
        for changes, sentence in (
            ({"planned_from": late, "planned_until": early}, "计划结束日期不应早于计划开始日期。"),
            ({"planned_until": ""}, "请填写“计划结束”。"),
        ):
            answer = click(as_seen_by("unit"), path, **changes)
            assert answer.status_code == 422
            assert sentence in errors_of(answer.text)
            assert title in answer.text
            (form,) = match_forms(answer.text)
            typed = {name: str(value) for name, value in changes.items()}
            assert typed.items() <= {name: v[0] for name, v in form.data().items()}.items()
    assert pairs.all_of(ServiceProject) == []


def test_who_comes_second_is_told_who_was_first(
    pairs: Pairs, fit: tuple[Need, Resource], as_seen_by: Any
) -> None:
    need, _resource = fit
    path = f"/matching/need/{need.id}"
    slow = as_seen_by("community")
    (form,) = match_forms(slow.get(path).text)
    click(as_seen_by("unit"), path)
    answer = slow.post(form.action, data=form.data())
    assert answer.status_code == 409
    assert "最近一步是甲县第一中学unit办理的“派单”" in errors_of(answer.text)
    assert "这条需求现在是“认领”（认领单位：甲县第一中学），不再匹配资源。" in answer.text
    assert len(pairs.all_of(ServiceProject)) == 1


def test_what_is_taken_at_the_time_can_be_had_at_another(pairs: Pairs, as_seen_by: Any) -> None:
    pairs.bond("A11", "A-U1")
    need, resource = pairs.need(), pairs.resource()
    pairs.service(resource, "A12", "别处的讲座", (0, 0))
    service = pairs.all_of(ServiceProject)[0]
    service.planned_from, service.planned_until = today(), today() + dt.timedelta(days=5)
    client = as_seen_by("community")
    path = f"/matching/need/{need.id}"
    page = client.get(path).text
    assert "该时段已被占用" in items(page)["会议室"]
    assert "别处的讲座" not in page
    assert "换个时间安排" in items(page)["会议室"]
    answer = click(client, path)
    assert answer.status_code == 409
    assert "已排满" in errors_of(answer.text)
    assert '<details class="match-later"' not in answer.text, "the form stays open as it was sent"
    later = today() + dt.timedelta(days=6)
    assert click(client, path, planned_from=later).status_code == 302


def test_texts_of_records_are_only_texts(pairs: Pairs, as_seen_by: Any) -> None:
    pairs.bond("A11", "A-U1", "<b>号</b>%(x)s")
    need = pairs.need(title="<script>需求%s")
    pairs.resource(name="<img src=x>100%")
    page = as_seen_by("community").get(f"/matching/need/{need.id}").text
    assert "<script>需求" not in page
    assert "<img src=x>" not in page
    assert "协议生效中（&lt;b&gt;号&lt;/b&gt;%(x)s）" in page


# Panels on the records' own pages


def panel(app: Flask, who: str, kind: type[Any], number: int) -> Related | None:
    """Return what the panel of a record shows an account, as within a request of his."""
    with app.test_request_context("/"):
        session = app.extensions["appbuilder"].session()
        with acting_as(session, SYSTEM):
            actor = World(session).actor(who)
        g.actor = actor
        set_actor(session, actor)
        record = session.get(kind, number)
        found = panel_for_need(record) if kind is Need else panel_for_resource(record)
        db.session.remove()
        return found


def test_panels_show_the_best_five(pairs: Pairs, sqlite: Backend, as_seen_by: Any) -> None:
    pairs.bond("A11", "A-U1")
    needs = [pairs.need(title=f"需求{number}") for number in range(6)]
    resources = [pairs.resource(name=f"资源{number}") for number in range(6)]
    pairs.session.commit()
    for who in ("party", "unit", "community"):
        part = panel(sqlite.app, who, Need, needs[0].id)
        assert part
        assert [row.cells[0] for row in part.table.rows] == [f"资源{n}" for n in range(5)], who
        assert part.table.more_url == f"/matching/need/{needs[0].id}"
        assert (
            f"/matching/need/{needs[0].id}#match-{resources[0].id}" in part.table.rows[0].cells[-1]
        )
    part = panel(sqlite.app, "unit", Resource, resources[0].id)
    assert part
    assert [row.cells[0] for row in part.table.rows] == [f"需求{n}" for n in range(5)]


def test_panels_are_empty_for_who_may_arrange_nothing_and_where_nothing_is_open(
    pairs: Pairs, fit: tuple[Need, Resource], sqlite: Backend
) -> None:
    need, resource = fit
    gathered, draft = (
        pairs.need(title="征集的", gathered=True),
        pairs.resource(name="草拟", draft=True),
    )
    pairs.session.commit()
    for who in ("leader", "inspector", "office"):
        assert panel(sqlite.app, who, Need, need.id) is None
        assert panel(sqlite.app, who, Resource, resource.id) is None
    assert panel(sqlite.app, "party", Need, gathered.id) is None
    assert panel(sqlite.app, "party", Resource, draft.id) is None


# How much it costs


def test_more_matches_cost_no_more_statements(
    pairs: Pairs, sqlite: Backend, as_seen_by: Any
) -> None:
    pairs.bond("A11", "A-U1")
    need, resource = pairs.need(), pairs.resource()
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    with sqlite.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    numbers = []
    try:
        for batch in (1, 15):
            for number in range(batch):
                pairs.resource(name=f"资源{batch}-{number}")
                pairs.need(title=f"需求{batch}-{number}")
            for path in (f"/matching/need/{need.id}", f"/matching/resource/{resource.id}"):
                client = as_seen_by("party")
                client.get(path)
                sent.clear()
                page = client.get(path).text
                numbers.append((len(items(page)), len(sent)))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [shown for shown, _sent in numbers] == [2, 2, 17, 17]
    assert len({sent for _shown, sent in numbers[::2]}) == 1, numbers
    assert len({sent for _shown, sent in numbers[1::2]}) == 1, numbers
    assert max(sent for _shown, sent in numbers) <= 9
