"""What is posted beside or beyond the form: foreign keys out of scope, fields that nobody offered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect, select
from werkzeug.test import TestResponse

from models.registry import record_types
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.views.pages import errors_of, record_form, step_forms
from tests.views.stage import Stage, Watch

OUT_OF_SCOPE = "不在您的权限范围内"


@pytest.fixture
def place(stage: Stage) -> Any:
    """Return the id of an organisation by its code."""
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        return {code: world.place(code).id for code in CODES}


CODES = ["A", "A1", "A11", "A111", "A12", "A2", "A21", "A-D1", "A-D2", "A-U1", "A-U2", "A-CSB"]
CODES += ["A1-PCS", "B", "B1", "B11", "B-D1", "B-U1"]


def row(stage: Stage, name: str) -> dict[str, Any]:
    """Return a record's columns as they stand in the database."""
    kind, pk = stage.records[name]
    table = record_types()[kind].__table__
    with stage.session() as session:
        found = session.connection().execute(select(table).where(table.c.id == pk))
        return dict(found.mappings().one())


def post(client: FlaskClient, path: str, **changes: Any) -> TestResponse:
    """Post a page's own form with some fields changed."""
    form = record_form(client.get(path).text)
    return client.post(path, data=form.data(**changes))


def refused(answer: TestResponse, watch: Watch, sentence: str) -> None:
    """Hold an answer to a refusal in words that wrote nothing."""
    assert answer.status_code in (404, 422)
    assert sentence in errors_of(answer.text)
    assert not watch.written()


AGREEMENT = {
    "number": "协议9",
    "kind": "co_building",
    "valid_from": "2026-01-01",
    "valid_until": "2027-01-01",
}


@pytest.mark.parametrize(
    ("community", "unit"),
    [("B11", "A-U1"), ("A11", "B-U1"), ("B11", "B-U1"), ("B", "A-U1"), ("A1", "A-U1")],
)
def test_an_agreement_binds_one_s_own_area(
    stage: Stage, watch: Watch, place: Any, community: str, unit: str
) -> None:
    client = stage.client("party")
    data = AGREEMENT | {"community": place[community], "unit": place[unit]}
    watch.written()
    refused(client.post("/agreements/add", data=data), watch, OUT_OF_SCOPE)
    path = f"/agreements/edit/{stage.id('e11')}"
    answer = post(client, path, community=place[community], unit=place[unit])
    refused(answer, watch, OUT_OF_SCOPE)


def test_an_agreement_in_scope_is_made_and_moved(stage: Stage, watch: Watch, place: Any) -> None:
    client = stage.client("party")
    data = AGREEMENT | {"community": place["A12"], "unit": place["A-U1"]}
    assert client.post("/agreements/add", data=data).status_code == 302
    answer = post(client, f"/agreements/edit/{stage.id('e11')}", community=place["A21"])
    assert answer.status_code == 302
    assert row(stage, "e11")["community_id"] == place["A21"]


TICKET = {
    "title": "井盖破损",
    "detail": "东街井盖破损",
    "theme": "safety",
    "channel": "patrol",
    "nature": "public",
}


@pytest.mark.parametrize("code", ["A12", "A1", "A", "A21", "B11", "A-D1", "A-U1"])
def test_a_whistle_is_blown_for_one_s_own_place(
    stage: Stage, watch: Watch, place: Any, code: str
) -> None:
    client = stage.client("community")
    watch.written()
    answer = post(client, "/tickets/add", **TICKET, organization=place[code])
    refused(answer, watch, OUT_OF_SCOPE)
    answer = post(client, f"/tickets/edit/{stage.id('d11')}", organization=place[code])
    refused(answer, watch, OUT_OF_SCOPE)
    assert row(stage, "d11")["organization_id"] == place["A11"]


def test_a_grid_of_one_s_own_may_be_chosen(stage: Stage, watch: Watch, place: Any) -> None:
    client = stage.client("community")
    answer = post(client, f"/tickets/edit/{stage.id('d11')}", organization=place["A111"])
    assert answer.status_code == 302
    assert row(stage, "d11")["organization_id"] == place["A111"]


@pytest.mark.parametrize("item", ["i1", "i2", "ib"])
def test_only_published_items_of_one_s_own_line(
    stage: Stage, watch: Watch, place: Any, item: str
) -> None:
    """A draft's item, a sibling township's, another county's."""
    client = stage.client("community")
    watch.written()
    answer = post(client, "/tickets/add", **TICKET, duty_item=stage.id(item))
    refused(answer, watch, OUT_OF_SCOPE)


def test_a_class_of_another_county_is_none(stage: Stage, watch: Watch) -> None:
    client = stage.client("community")
    foreign = record_form(stage.client("communityb").get("/tickets/add").text)
    (code,) = foreign.data()["whistle_class"]
    watch.written()
    answer = post(client, "/tickets/add", **TICKET, whistle_class=code)
    assert answer.status_code == 422
    assert not watch.written()


@pytest.mark.parametrize("code", ["B-D1", "B-U1", "A1", "A11", "B"])
def test_a_ticket_goes_to_departments_of_its_own_county(
    stage: Stage, watch: Watch, place: Any, code: str
) -> None:
    pk = pending(stage, watch)
    client = stage.client("office")
    form = step_forms(client.get(f"/tickets/show/{pk}").text)["dispatch"]
    watch.written()
    for fields in (
        {"lead": place[code]},
        {"lead": place["A-D1"], "assisting": [place["A-D2"], place[code]]},
    ):
        answer = client.post(form.action, data=form.data(**fields))
        assert answer.status_code == 422
        assert OUT_OF_SCOPE in errors_of(answer.text)
        assert not watch.written()


def pending(stage: Stage, watch: Watch) -> int:
    """Bring the draft to the office, and return its id."""
    pk = stage.id("d11")
    for account, action in (("community", "raise"), *[("township", "approve")] * 2):
        client = stage.client(account)
        form = step_forms(client.get(f"/tickets/show/{pk}").text)[action]
        assert client.post(form.action, data=form.data()).status_code == 302
    return pk


def test_lead_and_assisting_are_two(stage: Stage, watch: Watch, place: Any) -> None:
    pk = pending(stage, watch)
    client = stage.client("office")
    form = step_forms(client.get(f"/tickets/show/{pk}").text)["dispatch"]
    watch.written()
    data = form.data(lead=place["A-D1"], assisting=[place["A-D1"]])
    answer = client.post(form.action, data=data)
    refused(answer, watch, "已是主办单位，不能同时协办")


@pytest.mark.parametrize("code", ["A2", "A", "B1", "B", "A11", "A-D1"])
def test_a_list_belongs_to_one_s_own_township(
    stage: Stage, watch: Watch, place: Any, code: str
) -> None:
    client = stage.client("township")
    data = {"organization": place[code], "list_type": "basic", "title": "新清单"}
    watch.written()
    answer = client.post("/duty-lists/add", data=data)
    assert answer.status_code in (404, 422)
    assert re.search(f"无权|{OUT_OF_SCOPE}", errors_of(answer.text))
    assert not watch.written()
    answer = post(client, f"/duty-lists/edit/{stage.id('l1')}", organization=place[code])
    assert answer.status_code in (404, 422)
    assert not watch.written()


@pytest.mark.parametrize("target", ["l2", "lb", "lc", "p1"])
def test_an_item_stays_in_lists_that_one_may_write(stage: Stage, watch: Watch, target: str) -> None:
    client = stage.client("township")
    watch.written()
    data = {"duty_list": stage.id(target), "name": "新事项"}
    answer = client.post("/duty-items/add", data=data)
    assert answer.status_code in (404, 422)
    assert not watch.written()
    answer = post(client, f"/duty-items/edit/{stage.id('i1')}", duty_list=stage.id(target))
    assert answer.status_code in (404, 422)
    assert not watch.written()


def test_an_item_names_departments_of_its_own_county(
    stage: Stage, watch: Watch, place: Any
) -> None:
    client = stage.client("township")
    watch.written()
    path = f"/duty-items/edit/{stage.id('i1')}"
    answer = post(client, path, departments=[place["A-D1"], place["B-D1"]])
    assert answer.status_code == 422
    assert not watch.written()
    assert post(client, path, departments=[place["A-D2"]]).status_code == 302


#: Fields that no form offers, with values that would matter; by record.
SMUGGLED: dict[str, tuple[str, dict[str, Any]]] = {
    "d11": ("community", {"status": "closed", "lead_id": 9, "number": "偷改", "return_count": 9}),
    "e11": ("party", {"status": "in_force", "community_id": 19, "unit_id": 20, "renews_id": 1}),
    "l1": ("duty", {"status": "published", "number": 77, "item_count": 9, "organization_id": 19}),
    "i1": ("duty", {"duty_list_id": 1, "position": 77}),
    "oA11": ("admin", {"realm_id": 19, "parent_id": 19, "lines": "1", "names": "1"}),
    "acA": (
        "admin",
        {"organization_id": 19, "locked_until": "2099-01-01", "session_generation": 9, "roles": 1},
    ),
    "mA": ("admin", {"organization_id": 19, "number": 77, "preset": "偷改", "organization": 19}),
    "c1": ("admin", {"id": 77}),
}
ALWAYS = {"id": 4242, "created_at": "2000-01-01", "updated_at": "2000-01-01", "raised_by": "偷改"}


@pytest.mark.parametrize("name", SMUGGLED)
def test_fields_that_nobody_offered_change_nothing(stage: Stage, watch: Watch, name: str) -> None:
    account, fields = SMUGGLED[name]
    view = {"oA11": "organizations", "acA": "accounts", "mA": "mechanisms", "c1": "calendar"}
    kind = {"ticket": "tickets", "agreement": "agreements"}.get(stage.records[name][0])
    stem = kind or view.get(name) or {"l1": "duty-lists", "i1": "duty-items"}[name]
    path = f"/{stem}/edit/{stage.id(name)}"
    client = stage.client(account)
    assert post(client, path).status_code == 302
    before = row(stage, name)
    answer = post(client, path, **(ALWAYS | fields))
    assert answer.status_code == 302, answer.text
    after = row(stage, name)
    model = record_types()[stage.records[name][0]]
    columns = {column.key for column in inspect(model).columns} - {"version", "updated_at"}
    columns -= {"changed_on"}
    changed = {key for key in columns if key in before and before[key] != after[key]}
    assert not changed


def test_a_step_takes_its_own_fields_only(stage: Stage, watch: Watch, place: Any) -> None:
    pk = stage.id("d11")
    client = stage.client("community")
    form = step_forms(client.get(f"/tickets/show/{pk}").text)["raise"]
    extra = {"status": "closed", "to": "closed", "organization_id": place["B11"], "note": "偷写"}
    answer = client.post(form.action, data=form.data(**extra, lead_id=place["B-D1"]))
    assert answer.status_code == 302
    after = row(stage, "d11")
    assert after["status"] == "pending_review"
    assert after["organization_id"] == place["A11"]
    assert after["lead_id"] is None


def test_a_new_record_starts_where_it_must(stage: Stage, watch: Watch, place: Any) -> None:
    client = stage.client("party")
    data = AGREEMENT | {
        "community": place["A12"],
        "unit": place["A-U1"],
        "status": "in_force",
        "id": 4242,
        "version": 99,
        "renews_id": stage.id("gb"),
        "renews": stage.id("gb"),
    }
    answer = client.post("/agreements/add", data=data)
    assert answer.status_code == 302
    pk = int(answer.headers["Location"].rsplit("/", 1)[1])
    stage.records["new"] = ("agreement", pk)
    after = row(stage, "new")
    del stage.records["new"]
    assert pk != 4242
    assert (after["status"], after["renews_id"], after["version"]) == ("draft", None, 1)


def test_one_s_own_password_and_nobody_else_s(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        other = World(session).account("office").id
    client = stage.client("unit")
    data = {"old": "wrong", "new": "neu-pass-2026", "again": "neu-pass-2026", "user_id": other}
    watch.written()
    answer = client.post(f"/my-password/?user_id={other}", data=data)
    assert answer.status_code == 422
    assert not watch.written()
