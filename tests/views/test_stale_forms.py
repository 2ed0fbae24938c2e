"""Two people at one record: the second is shown both texts, and nothing is overwritten unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.duty import DutyItem, DutyList
from tests.factories.world import World
from tests.views.pages import HtmlForm, errors_of, record_form
from views.agreements import AgreementView

Login = Callable[[str], FlaskClient]


@pytest.fixture
def agreement(world: World, session: Session) -> int:
    """A draft agreement's id."""
    found = world.agreement(
        "A11", "A-U1", "协议1", objectives="原来的目标", unit_phone="0951-1", unit_liaison="张联络"
    )
    session.commit()
    return found.id


def opened(client: FlaskClient, pk: int) -> HtmlForm:
    """Return the form as somebody opens it."""
    page = client.get(f"/agreements/edit/{pk}")
    assert page.status_code == 200
    return record_form(page.text)


def column(session: Session, pk: int, name: str) -> Any:
    """Return a column as it stands in the database now."""
    session.expire_all()
    return getattr(session.get_one(Agreement, pk), name)


def test_the_second_sees_both_texts_and_decides(
    login: Login, session: Session, agreement: int
) -> None:
    first, second = login("party"), login("admin")
    path = f"/agreements/edit/{agreement}"
    mine, theirs = opened(first, agreement), opened(second, agreement)
    saved = second.post(path, data=theirs.data(objectives="对方的目标", unit_liaison="李联络"))
    assert saved.status_code == 302

    answer = first.post(path, data=mine.data(objectives="我的目标"))
    assert answer.status_code == 409
    assert "刚刚被别人保存过" in errors_of(answer.text)
    for both in ("我的目标", "对方的目标", "张联络", "李联络"):
        assert both in answer.text
    assert column(session, agreement, "objectives") == "对方的目标"

    again = record_form(answer.text)
    assert again.data()["objectives"] == ["我的目标"]
    decided = first.post(path, data=again.data(unit_liaison="李联络"))
    assert decided.status_code == 302
    assert column(session, agreement, "objectives") == "我的目标"
    assert column(session, agreement, "unit_liaison") == "李联络"


def test_the_second_is_asked_again_if_a_third_was_faster(
    login: Login, session: Session, agreement: int
) -> None:
    first, second = login("party"), login("admin")
    path = f"/agreements/edit/{agreement}"
    mine = opened(first, agreement)
    for number in ("一", "二"):
        theirs = opened(second, agreement)
        assert second.post(path, data=theirs.data(objectives=number)).status_code == 302
        answer = first.post(path, data=mine.data(objectives="我的目标"))
        assert answer.status_code == 409
        mine = record_form(answer.text)
    assert first.post(path, data=mine.data()).status_code == 302
    assert column(session, agreement, "objectives") == "我的目标"


@pytest.mark.parametrize("version", ["", "0", "99", "x", "1.0", None])
def test_a_version_that_nobody_was_shown(
    login: Login, session: Session, agreement: int, version: str | None
) -> None:
    client = login("party")
    form = opened(client, agreement)
    data = form.data(version=version, objectives="偷改")
    answer = client.post(f"/agreements/edit/{agreement}", data=data)
    assert answer.status_code == 409
    assert column(session, agreement, "objectives") == "原来的目标"


def test_another_s_save_between_reading_and_writing(
    app: Flask, login: Login, session: Session, agreement: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window inside one request: the UPDATE finds the version gone, and nothing is lost."""
    client = login("party")
    form = opened(client, agreement)
    usual = AgreementView.before_save

    def meanwhile(view: AgreementView, record: Any, posted: Any) -> None:
        usual(view, record, posted)
        monkeypatch.setattr(AgreementView, "before_save", usual)
        change = text(
            "UPDATE agreement SET objectives='对方的目标', version=version+1 WHERE id=:id"
        )
        session.connection().execute(change, {"id": agreement})
        session.commit()

    monkeypatch.setattr(AgreementView, "before_save", meanwhile)
    answer = client.post(f"/agreements/edit/{agreement}", data=form.data(objectives="我的目标"))
    assert answer.status_code == 409
    assert "对方的目标" in answer.text
    assert "我的目标" in answer.text
    assert column(session, agreement, "objectives") == "对方的目标"
    again = record_form(answer.text)
    assert client.post(f"/agreements/edit/{agreement}", data=again.data()).status_code == 302
    assert column(session, agreement, "objectives") == "我的目标"


def test_a_record_that_was_deleted_meanwhile(login: Login, agreement: int) -> None:
    first, second = login("party"), login("admin")
    form = opened(first, agreement)
    assert second.post(f"/agreements/delete/{agreement}").status_code == 302
    answer = first.post(f"/agreements/edit/{agreement}", data=form.data(objectives="我的目标"))
    assert answer.status_code == 404
    assert "不存在" in errors_of(answer.text)


def test_a_number_that_another_took_meanwhile(
    login: Login, session: Session, world: World, agreement: int
) -> None:
    """The unique index decides, in words, on both databases."""
    client = login("party")
    form = opened(client, agreement)
    world.agreement("A12", "A-U1", "协议2")
    session.commit()
    answer = client.post(f"/agreements/edit/{agreement}", data=form.data(number="协议2"))
    assert answer.status_code == 422
    assert "重复" in errors_of(answer.text)
    assert record_form(answer.text).data()["number"] == ["协议2"]
    assert column(session, agreement, "number") == "协议1"


def test_saving_what_is_the_same_is_no_change(
    login: Login, session: Session, agreement: int
) -> None:
    client = login("party")
    before = column(session, agreement, "version")
    for _time in range(2):
        form = opened(client, agreement)
        assert client.post(f"/agreements/edit/{agreement}", data=form.data()).status_code == 302
    assert column(session, agreement, "version") == before


def test_fields_that_are_no_columns_are_compared_too(
    login: Login, session: Session, world: World
) -> None:
    """Aliases, roles, departments, the class: what the other changed of these is shown as well."""
    ticket, item = world.draft("A11"), world.item("路灯安装与维修")
    version = item.duty_list
    draft = DutyList(organization=version.organization, list_type=version.list_type, number=2)
    draft.items.append(DutyItem(position=1, name="草稿事项"))
    session.add(draft)
    session.commit()
    urgent, third = world.whistle_class("urgent").id, world.place("A-D3").id
    handler = world.account("handler").id
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("admin", f"/organizations/edit/{world.place('A11').id}", {"aliases": "东关"}, "东关"),
        ("admin", f"/accounts/edit/{handler}", {"role_names": ["auditor"]}, "审计员"),
        ("admin", f"/accounts/edit/{handler}", {"last_name": "王五"}, "王五"),
        ("duty", f"/duty-items/edit/{draft.items[0].id}", {"departments": [third]}, "甲县公安局"),
        ("community", f"/tickets/edit/{ticket.id}", {"whistle_class": urgent}, "急哨——"),
    ]
    for account, path, theirs, shown in cases:
        first, second = login(account), login(account)
        mine, other = (record_form(each.get(path).text) for each in (first, second))
        assert second.post(path, data=other.data(**theirs)).status_code == 302
        answer = first.post(path, data=mine.data())
        assert answer.status_code == 409, path
        compared = answer.text.split('class="records compare"')[1].split("</table>")[0]
        assert shown in compared, path
        assert compared.count("<tr>") == 2, f"{path}: only what differs is listed"
        assert "密码" not in compared
