"""Mechanisms in the browser: started from a preset, read, edited row by row, and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.mechanism import LowRating, Mechanism, ReviewLevel
from presets.mechanisms import JIUJIANG, PRESETS, plan_of
from tests.factories.world import World
from tests.views.pages import errors_of, forms_of, record_form, words_of

Clients = Callable[[str], FlaskClient]


@pytest.fixture
def admin(as_seen_by: Clients) -> FlaskClient:
    return as_seen_by("admin")


def of(session: Session, code: str = "A") -> list[Mechanism]:
    """Return a county's versions as they stand in the database, the first first."""
    session.expire_all()
    own = select(Mechanism).where(Mechanism.organization.has(code=code))
    return list(session.scalars(own.order_by(Mechanism.number)))


def use(session: Session) -> None:
    """Let a ticket use what is in force in county A."""
    World(session).raised()
    session.commit()


def edit(client: FlaskClient, record: Mechanism, **changes: Any) -> Any:
    """Post the editor's form with some cells changed; double underscores are hyphens."""
    path = f"/mechanisms/edit/{record.id}"
    form = record_form(client.get(path).text)
    cells = {name.replace("__", "-"): value for name, value in changes.items()}
    return client.post(path, data=form.data(**cells))


def said(html: str) -> str:
    return " ".join(words_of(html))


# Starting


def test_a_county_starts_from_a_preset(one_session: Session, admin: FlaskClient) -> None:
    (former,) = of(one_session)
    assert admin.post(f"/mechanisms/retire/{former.id}").status_code == 302
    page = admin.get("/mechanisms/add")
    assert page.status_code == 200
    assert record_form(page.text).data()["organization"] == [str(former.organization_id)]
    text = said(page.text)
    for plan in PRESETS.values():
        assert plan.name in text
        assert all(each.name in text and (each.description or "") in text for each in plan.classes)
    assert "首问负责：接到哨单的部门不得退回。" in text
    form = record_form(page.text)
    answer = admin.post("/mechanisms/add", data=form.data(preset="xingqing"))
    assert answer.status_code == 302
    _first, second = of(one_session)
    assert (second.number, second.in_force, second.preset) == (2, True, "xingqing")
    assert plan_of(second) == PRESETS["xingqing"]
    assert answer.location.endswith(f"/mechanisms/show/{second.id}")


def test_only_who_has_none_in_force_may_start(one_session: Session, admin: FlaskClient) -> None:
    (running,) = of(one_session)
    township = World(one_session).place("A1").id
    offered = admin.get("/mechanisms/options/organization").get_json()["results"]
    assert offered == []
    form = record_form(admin.get("/mechanisms/add").text)
    for place in (running.organization_id, township, 99999, ""):
        answer = admin.post("/mechanisms/add", data=form.data(organization=place, preset="hohhot"))
        assert answer.status_code == 422
    assert admin.post(f"/mechanisms/retire/{running.id}").status_code == 302
    names = admin.get("/mechanisms/options/organization").get_json()["results"]
    assert [each["text"] for each in names] == ["甲县"]
    for preset in ("", "nowhere", None):
        answer = admin.post(
            "/mechanisms/add",
            data=form.data(organization=running.organization_id, preset=preset),
        )
        assert answer.status_code == 422
        assert answer.text.count('class="error-summary"') == 1
    assert len(of(one_session)) == 1


# Reading


@pytest.mark.parametrize("who", ["community", "handler", "leader", "unit", "auditor"])
def test_everybody_reads_what_applies(one_session: Session, as_seen_by: Clients, who: str) -> None:
    (running,) = of(one_session)
    page = as_seen_by(who).get(f"/mechanisms/show/{running.id}")
    assert page.status_code == 200
    text = said(page.text)
    for sentence in (
        "2 个工作日（提前 1 个工作日预警）",
        "吹哨后依次经收集（社区）、审核把关（街乡）、审批上报（街乡），再由吹哨办派单",
        "同一部门被驳回 2 次后，以审核员的决定为准",
        "每张哨单最多申请延期 1 次",
        "报到效率 25%、事项办理 25%、群众满意度 25%、履职尽责 25%",
        "评到“不满意”为不过关，自动退回重办，限 2 个工作日整改。",
        "评价后 12 小时内可以修改",
    ):
        assert sentence in text, sentence
    assert not [form for form in forms_of(page.text) if "/mechanisms/" in form.action]
    assert f"/mechanisms/edit/{running.id}" not in page.text


@pytest.mark.parametrize("who", ["office", "township", "party", "leader", "community", "auditor"])
def test_only_the_administrator_writes(one_session: Session, as_seen_by: Clients, who: str) -> None:
    use(one_session)
    (running,) = of(one_session)
    client = as_seen_by(who)
    for method, path in (
        ("get", "/mechanisms/add"),
        ("post", "/mechanisms/add"),
        ("get", f"/mechanisms/edit/{running.id}"),
        ("post", f"/mechanisms/edit/{running.id}"),
        ("post", f"/mechanisms/restore/{running.id}"),
        ("post", f"/mechanisms/retire/{running.id}"),
    ):
        answer = getattr(client, method)(path, data={} if method == "post" else None)
        assert answer.status_code in (302, 403), path
        assert answer.status_code == 403 or "/mechanisms/" not in answer.location
    assert [each.in_force for each in of(one_session)] == [True]


@pytest.mark.parametrize("path", ["edit", "changes", "show"])
def test_what_is_not_there_is_not_found(admin: FlaskClient, path: str) -> None:
    assert admin.get(f"/mechanisms/{path}/99999").status_code == 404


# Editing


def test_saved_untouched_nothing_changes(one_session: Session, admin: FlaskClient) -> None:
    use(one_session)
    (running,) = of(one_session)
    version = running.version
    assert edit(admin, running).status_code == 302
    (same,) = of(one_session)
    assert (same.version, plan_of(same)) == (version, JIUJIANG)


@pytest.mark.parametrize("used", [True, False])
def test_a_saved_change_applies_from_now_on(
    one_session: Session, admin: FlaskClient, used: bool
) -> None:
    if used:
        use(one_session)
    (running,) = of(one_session)
    answer = edit(
        admin, running,
        name="甲县  吹哨机制", return_cap="１", low_action="supervise",
        working_hours="8:30-12:00、14：00～18:00", returns_allowed=None, resident_stars="y",
        fix_term__amount="3", fix_term__unit="calendar_days",
        classes__1__arrive_term__amount="4", classes__1__arrive_term__unit="working_hours",
        classes__1__arrive_warn__amount="1", classes__1__arrive_warn__unit="hours",
        classes__1__assist_arrive_term__amount="6",
        classes__1__assist_arrive_term__unit="working_hours",
        classes__1__description="  第一行\r\n第二行 ", route__1__level="office",
        route__2__level="office", dimensions__0__weight="40", dimensions__1__weight="10",
    )  # fmt: skip
    assert answer.status_code == 302, errors_of(answer.text)
    versions = of(one_session)
    assert [each.in_force for each in versions] == ([False, True] if used else [True])
    if used:
        assert plan_of(versions[0]) == JIUJIANG
    saved = versions[-1]
    assert saved.name == "甲县 吹哨机制"
    assert (saved.return_cap, saved.returns_allowed, saved.resident_stars) == (1, False, True)
    assert saved.low_action is LowRating.SUPERVISE
    assert saved.fix_term == {"unit": "calendar_days", "amount": 3}
    assert saved.working_hours == [["08:30", "12:00"], ["14:00", "18:00"]]
    ordinary = saved.classes[1]
    assert ordinary.arrive_term == {"unit": "working_hours", "amount": 4}
    assert ordinary.arrive_warn == {"unit": "hours", "amount": 1}
    assert ordinary.assist_arrive_term == {"unit": "working_hours", "amount": 6}
    assert ordinary.description == "第一行\n第二行"
    levels = [ReviewLevel.COMMUNITY, ReviewLevel.OFFICE, ReviewLevel.OFFICE]
    assert [each.level for each in saved.route] == levels
    assert [each.weight for each in saved.dimensions] == [40, 10, 25, 25]
    assert "协办" in said(admin.get(answer.location).text)


def test_rows_are_added_moved_and_removed_without_scripts(
    one_session: Session, admin: FlaskClient
) -> None:
    (running,) = of(one_session)
    path = f"/mechanisms/edit/{running.id}"
    page = admin.get(path)
    assert set(re.findall(r'formaction="([^"#]*)#', page.text)) == {""}, (
        "rows are posted to the form"
    )
    for row in (
        "classes-add", "classes-2-up", "route-0-remove", "dimensions-3-up", "dimensions-0-remove",
        "dimensions-add", "dimensions-9-up", "classes-0-up", "nonsense",
    ):  # fmt: skip
        page = admin.post(path, data=record_form(page.text).data(row=row, name="没保存的名称"))
        assert page.status_code == 200, row
    assert plan_of(of(one_session)[0]) == JIUJIANG
    changes = {
        "classes-1-name": "暖心哨",
        "dimensions-3-name": "服务态度",
        "dimensions-3-weight": "25",
    }
    answer = admin.post(path, data=record_form(page.text).data(**changes))
    assert answer.status_code == 302, errors_of(answer.text)
    (saved,) = of(one_session)
    assert saved.name == "没保存的名称"
    assert [each.name for each in saved.classes] == ["急哨", "暖心哨", "平哨"]
    assert saved.classes[1].code.startswith("class-")
    assert [each.name for each in saved.route] == ["审核把关", "审批上报"]
    names = ["事项办理", "履职尽责", "群众满意度", "服务态度"]
    assert [each.name for each in saved.dimensions] == names


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"dimensions__0__weight": "35"}, "dimensions", "合计应为 100，现在是 110"),
    ({"dimensions__0__weight": "很多"}, "dimensions-0-weight", "1 到 100 之间的整数"),
    ({"classes__1__code": "urgent"}, "classes-1-code", "重复"),
    ({"classes__0__name": ""}, "classes-0-name", "请填写“哨种”"),
    ({"classes__0__arrive_term__amount": "3"}, "classes-0-arrive_term-amount", "还要选择单位"),
    (
        {"classes__0__arrive_term__unit": "hours", "classes__0__arrive_term__amount": "两"},
        "classes-0-arrive_term-amount",
        "请填写整数",
    ),
    ({"classes__0__arrive_term__unit": "years"}, "classes-0-arrive_term-amount", "请选择"),
    ({"classes__1__respond_warn__amount": "2"}, "classes-1-respond_warn-amount", "短于"),
    ({"return_cap": "多次"}, "return_cap", "0 到 9"),
    ({"eligibility": "whatever"}, "eligibility", "请选择"),
    ({"route__1__level": "nobody"}, "route-1-level", "请选择"),
    ({"working_hours": "上午"}, "working_hours", "开始和结束"),
    ({"fix_term__amount": None, "fix_term__unit": None}, "fix_term-amount", "整改时限"),
    ({"name": "x" * 101}, "name", "最多 100 字"),
]


@pytest.mark.parametrize(("changes", "field", "sentence"), WRONG)
def test_what_is_wrong_is_told_at_its_field(
    one_session: Session, admin: FlaskClient, changes: dict[str, Any], field: str, sentence: str
) -> None:
    (running,) = of(one_session)
    answer = edit(admin, running, **changes)
    assert answer.status_code == 422
    assert sentence in errors_of(answer.text)
    summary = answer.text.split('class="error-summary"')[1].split("</ul>")[0]
    assert f'href="#{field}"' in summary
    assert sentence in unescape(summary)
    assert len(re.findall(rf'id="{field}"', answer.text)) == 1
    # What was typed is still there, all of it.
    typed = record_form(answer.text).data()
    for name, value in changes.items():
        if value is not None and value not in ("years", "whatever", "nobody"):
            assert typed[name.replace("__", "-")] == [value]
    assert plan_of(of(one_session)[0]) == JIUJIANG


def test_all_faults_are_told_at_once(one_session: Session, admin: FlaskClient) -> None:
    (running,) = of(one_session)
    answer = edit(
        admin, running, name="", return_cap="-1", classes__0__name="", dimensions__0__weight="1"
    )
    assert answer.status_code == 422
    assert answer.text.count('class="field-error"') == 4


def test_a_mechanism_needs_a_class_and_a_dimension(
    one_session: Session, admin: FlaskClient
) -> None:
    (running,) = of(one_session)
    path = f"/mechanisms/edit/{running.id}"
    data = record_form(admin.get(path).text).data()
    bare = {
        name: value
        for name, value in data.items()
        if not name.startswith(("classes", "dimensions", "route"))
    }
    answer = admin.post(path, data=bare)
    assert answer.status_code == 422
    errors = errors_of(answer.text)
    assert "至少要有一个哨种" in errors
    assert "至少要有一个评价维度" in errors


def test_the_slower_of_two_loses_no_text(one_session: Session, admin: FlaskClient) -> None:
    use(one_session)
    (running,) = of(one_session)
    path = f"/mechanisms/edit/{running.id}"
    late = record_form(admin.get(path).text).data(
        **{"name": "我写的名称", "classes-1-respond_term-amount": "3", "return_cap": "5"}
    )
    assert edit(admin, running, name="别人的名称", extension_cap="2").status_code == 302
    answer = admin.post(path, data=late)
    assert answer.status_code == 409
    text = said(answer.text)
    assert "别人" in text
    assert "我写的名称" in text
    second = of(one_session)[1]
    assert (second.name, second.number) == ("别人的名称", 2)
    (form,) = [form for form in forms_of(answer.text) if "name" in form.names]
    assert form.action == f"/mechanisms/edit/{second.id}"
    kept = form.data()
    assert (kept["name"], kept["return_cap"]) == (["我写的名称"], ["5"])
    # Saved again with open eyes, it goes through: on the newest version, which nobody uses yet.
    assert admin.post(form.action, data=form.data(extension_cap="2")).status_code == 302
    _first, saved = of(one_session)
    assert (saved.name, saved.return_cap, saved.extension_cap) == ("我写的名称", 5, 2)


def test_a_version_out_of_force_is_not_edited(one_session: Session, admin: FlaskClient) -> None:
    (running,) = of(one_session)
    form = record_form(admin.get(f"/mechanisms/edit/{running.id}").text)
    assert admin.post(f"/mechanisms/retire/{running.id}").status_code == 302
    assert admin.get(f"/mechanisms/edit/{running.id}").status_code == 409
    answer = admin.post(f"/mechanisms/edit/{running.id}", data=form.data(name="太晚了"))
    assert answer.status_code == 409
    assert record_form(answer.text).data()["name"] == ["太晚了"]
    assert of(one_session)[0].name == JIUJIANG.name


# Versions


def test_versions_their_changes_and_the_way_back(one_session: Session, admin: FlaskClient) -> None:
    use(one_session)
    (first,) = of(one_session)
    edit(admin, first, classes__0__name="特急哨", dimensions__0__weight="30",
         dimensions__1__weight="20", return_cap="1", classes__0__resolve_term__amount="1",
         classes__0__resolve_term__unit="hours")  # fmt: skip
    _first, second = of(one_session)
    listed = admin.get(f"/mechanisms/show/{second.id}").text
    assert f"/mechanisms/changes/{second.id}" in listed
    assert f"/mechanisms/show/{first.id}" in listed
    page = admin.get(f"/mechanisms/changes/{second.id}").text
    changes = re.findall(r"<h3>(.*?)</h3>(.*?)</ul>", page, re.S)
    told = {title: " ".join(words_of(body)) for title, body in changes}
    assert set(told) == {
        "机制", "哨种“特急哨”", "评价维度“报到效率”", "评价维度“事项办理”",
    }  # fmt: skip
    assert "退单申请上限（次） 原为 2 改为 1" in told["机制"]
    assert "哨种 原为 急哨 改为 特急哨" in told["哨种“特急哨”"]
    assert "办结时限 改为 1 小时" in told["哨种“特急哨”"]
    assert "原为 25 改为 30" in told["评价维度“报到效率”"]
    assert "没有可以比较" not in page
    answer = admin.post(f"/mechanisms/restore/{first.id}")
    assert answer.status_code == 302
    third = of(one_session)[2]
    assert (third.in_force, plan_of(third)) == (True, JIUJIANG)
    against = admin.get(f"/mechanisms/changes/{third.id}?against={first.id}").text
    assert "两版内容相同" in against
    assert admin.post(f"/mechanisms/restore/{first.id}").status_code == 409
    assert len(of(one_session)) == 3


def test_a_first_version_has_nothing_to_compare_with(
    one_session: Session, admin: FlaskClient
) -> None:
    (first,) = of(one_session)
    answer = admin.get(f"/mechanisms/changes/{first.id}")
    assert answer.status_code == 409
    assert "首版" in answer.text
