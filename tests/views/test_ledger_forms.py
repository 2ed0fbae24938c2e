"""The forms of resources, needs, services, sessions and check-ins, as their keepers fill them in."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.check_in import CheckIn, CheckInActivity
from models.need import Need, NeedStatus
from models.resource import Resource
from models.service import ServiceProject, ServiceSession
from rules.actor import SYSTEM, acting_as
from tests.factories import ledgers as make
from tests.factories.world import World
from tests.views.pages import errors_of, record_form, step_forms
from tests.views.stage import Stage, Watch, mark

OUT_OF_SCOPE = "不在您的权限范围内"


@pytest.fixture
def place(stage: Stage) -> Any:
    """Return the ids of some organisations by their codes."""
    with stage.session() as session, acting_as(session, SYSTEM):
        codes = ("A11", "A12", "A21", "B11", "A-U1", "A-U2", "B-U1", "A-D1", "A1")
        return {code: World(session).place(code).id for code in codes}


def add(client: FlaskClient, path: str, **values: Any) -> TestResponse:
    """Fill in the empty form as it is shown, and post it."""
    page = client.get(path)
    assert page.status_code == 200, page.status_code
    return client.post(path, data=record_form(page.text).data(**values))


def made(stage: Stage, model: type[Any], **values: Any) -> Any:
    """Return the one record with these values, detached."""
    with stage.session() as session, acting_as(session, SYSTEM):
        query = select(model).filter_by(**values)
        record = session.scalars(query).unique().one()
        session.expunge(record)
    return record


def refused(answer: TestResponse, watch: Watch, sentence: str) -> None:
    assert answer.status_code in (404, 422), answer.status_code
    assert sentence in errors_of(answer.text)
    assert not watch.written()


def test_a_liaison_registers_a_resource_of_his_unit(stage: Stage, watch: Watch, place: Any) -> None:
    client = stage.client("unit")
    answer = add(client, "/resources/add", name="报告厅", category="venue", quantity="2", offers=[place["A11"], place["A12"]])  # fmt: skip
    assert answer.status_code == 302
    found = made(stage, Resource, name="报告厅")
    assert (found.owner_id, found.quantity, found.status.value) == (place["A-U1"], 2, "draft")
    page = client.get(f"/resources/show/{found.id}").text
    assert "甲一一社区" in page
    assert "甲一二社区" in page
    edited = record_form(client.get(f"/resources/edit/{found.id}").text)
    assert len(edited.data()["offers"]) == 2
    client.post(f"/resources/edit/{found.id}", data=edited.data(offers=[place["A12"]]))
    page = client.get(f"/resources/show/{found.id}").text
    assert "甲一一社区" not in page.split("修改记录")[0]


@pytest.mark.parametrize("owner", ["A-U2", "A-D1", "B-U1", "A11"])
def test_a_liaison_registers_nothing_for_others(
    stage: Stage, watch: Watch, place: Any, owner: str
) -> None:
    client = stage.client("unit")
    watch.written()
    answer = add(client, "/resources/add", name="报告厅", category="venue", owner=place[owner])
    refused(answer, watch, OUT_OF_SCOPE)


def test_a_community_registers_publishes_and_recalls_a_wish(
    stage: Stage, watch: Watch, place: Any
) -> None:
    client = stage.client("community")
    answer = add(client, "/needs/add?wish=1", title="想要轮椅", category="equipment", is_wish="y")
    assert answer.status_code == 302
    need = made(stage, Need, title="想要轮椅")
    assert (need.community_id, need.is_wish, need.status.value) == (place["A11"], True, "gathered")
    for action, status in (("publish", "published"), ("recall", "gathered")):
        page = client.get(f"/needs/show/{need.id}").text
        form = step_forms(page)[action]
        assert client.post(form.action, data=form.data(note="再想想")).status_code == 302
        assert made(stage, Need, id=need.id).status.value == status


@pytest.mark.parametrize("code", ["A12", "A1", "B11", "A-U1"])
def test_a_community_registers_no_need_elsewhere(
    stage: Stage, watch: Watch, place: Any, code: str
) -> None:
    client = stage.client("community")
    watch.written()
    answer = add(client, "/needs/add", title="井", category="venue", community=place[code])
    refused(answer, watch, OUT_OF_SCOPE)


def test_a_service_is_made_with_needs_and_resources(stage: Stage, watch: Watch, place: Any) -> None:
    client, need, room = stage.client("unit"), stage.id("n11"), stage.id("r1")
    answer = add(client, "/services/add", title="活动室开放", community=place["A11"], need_links=[need], resource_links=[room], funds="12.5")  # fmt: skip
    assert answer.status_code == 302, errors_of(answer.text)
    service = made(stage, ServiceProject, title="活动室开放")
    assert (service.provider_id, str(service.funds)) == (place["A-U1"], "12.50")
    taken = made(stage, Need, id=need)
    assert (taken.status, taken.claimed_by_id) == (NeedStatus.CLAIMED, place["A-U1"])
    page = client.get(f"/services/show/{service.id}").text
    assert mark("n11") in page
    assert mark("r1") in page
    # Without them the need returns to the board.
    form = record_form(client.get(f"/services/edit/{service.id}").text)
    assert {"provider", "community"}.isdisjoint(form.names)
    data = {name: value for name, value in form.data().items() if "links" not in name}
    assert client.post(f"/services/edit/{service.id}", data=data).status_code == 302
    assert made(stage, Need, id=need).status is NeedStatus.PUBLISHED


@pytest.mark.parametrize(
    ("account", "values", "sentence"),
    [
        ("unit", {"community": "A12"}, OUT_OF_SCOPE),
        ("unit", {"community": "B11"}, OUT_OF_SCOPE),
        ("unit", {"community": "A11", "provider": "A-U2"}, OUT_OF_SCOPE),
        ("community", {"provider": "A-U2"}, OUT_OF_SCOPE),
        ("community", {"provider": "A-U1", "community": "A12"}, OUT_OF_SCOPE),
        ("unit", {"community": "A11", "need_links": "n12"}, OUT_OF_SCOPE),
        ("unit", {"community": "A11", "need_links": "n11d"}, OUT_OF_SCOPE),
        ("unit", {"community": "A11", "resource_links": "r2"}, OUT_OF_SCOPE),
        ("unit", {"community": "A11", "resource_links": "r1d"}, "现在是“草拟”"),
        ("unit", {"community": "A11", "planned_until": "2020-01-01"}, "不应早于"),
        ("unit", {"community": "A11", "funds": "-1"}, "经费"),
        ("party", {"provider": "A-U1", "community": "A11", "need_links": "n12"}, "不是甲一一社区"),
        ("party", {"provider": "B-U1", "community": "A11"}, OUT_OF_SCOPE),
    ],
)
def test_what_a_service_may_not_be_made_of(
    stage: Stage, watch: Watch, place: Any, account: str, values: dict[str, str], sentence: str
) -> None:
    client = stage.client(account)
    posted = {
        name: place[value] if value in place else stage.records.get(value, (0, value))[1]
        for name, value in values.items()
    }
    watch.written()
    answer = add(client, "/services/add", **({"title": "义诊"} | posted))
    refused(answer, watch, sentence)


def test_a_session_and_its_attendance(stage: Stage, watch: Watch) -> None:
    client, number = stage.client("unit"), stage.id("s11")
    path = f"/sessions/add?service={number}"
    times = {"held_on": make.days(-1).isoformat(), "starts_at": "14:00", "ends_at": "15:30"}
    assert add(client, path, place="活动室", **times).status_code == 302
    held = made(stage, ServiceSession, place="活动室")
    form = record_form(client.get(f"/sessions/edit/{held.id}").text)
    assert form.data()["starts_at"] == ["14:00"]
    assert (
        client.post(f"/sessions/edit/{held.id}", data=form.data(attended="21")).status_code == 302
    )
    # Ten came to the session that was there before.
    assert "31 人次" in client.get(f"/services/show/{number}").text
    watch.written()
    late = {"held_on": make.days(3).isoformat(), "attended": "5"}
    refused(add(client, path, place="礼堂", **(times | late)), watch, "还没有开展")
    backwards = add(client, path, place="礼堂", **(times | {"ends_at": "13:00"}))
    refused(backwards, watch, "结束时间应晚于开始时间")


def test_a_session_of_somebody_elses_project_is_refused(stage: Stage, watch: Watch) -> None:
    client = stage.client("unit")
    watch.written()
    values = {"held_on": "2026-01-01", "starts_at": "14:00", "ends_at": "15:30", "place": "礼堂"}
    answer = add(client, "/sessions/add", service=stage.id("s12"), **values)
    refused(answer, watch, OUT_OF_SCOPE)
    assert add(client, f"/sessions/add?service={stage.id('s12')}").status_code == 422


def test_a_finished_project_takes_no_session(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        service = session.get_one(ServiceProject, stage.id("s11"))
        make.stepped(world, service, "start")
        make.stepped(world, service, "complete", outcome="办好了")
        session.commit()
    client = stage.client("unit")
    assert client.get(f"/sessions/edit/{stage.id('v11')}").status_code == 409
    assert client.get(f"/services/edit/{stage.id('s11')}").status_code == 409
    assert "安排场次" not in client.get(f"/services/show/{stage.id('s11')}").text
    assert watch.touched()


def test_a_member_reports_and_serves(stage: Stage, watch: Watch, place: Any) -> None:
    client = stage.client("unit")
    answer = add(client, "/check-ins/add", member="赵党员", community=place["A11"], phone="13812345678")  # fmt: skip
    assert answer.status_code == 302
    member = made(stage, CheckIn, member="赵党员")
    assert (member.unit_id, member.reported_on) == (place["A-U1"], make.today())
    watch.written()
    path = f"/check-in-activities/add?check_in={member.id}"
    refused(add(client, path, hours="2", content="助老", check_in=member.id), watch, OUT_OF_SCOPE)
    page = stage.client("community").get(f"/check-ins/show/{member.id}").text
    form = step_forms(page)["confirm"]
    assert stage.client("community").post(form.action, data=form.data()).status_code == 302
    assert add(client, path, hours="1.5", content="助老").status_code == 302
    assert str(made(stage, CheckInActivity, content="助老").hours) == "1.5"
    assert "1.5" in client.get(f"/check-ins/show/{member.id}").text


def test_two_members_of_one_name_at_one_post_are_one(
    stage: Stage, watch: Watch, place: Any
) -> None:
    client = stage.client("unit")
    watch.written()
    answer = add(client, "/check-ins/add", member=mark("k11"), community=place["A11"])
    assert answer.status_code == 422
    assert "与已有记录重复" in errors_of(answer.text)
    assert not watch.written()
