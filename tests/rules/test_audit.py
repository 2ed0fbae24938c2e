"""The audit of edits: who changed which field from what to what, in the same transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.agreement import AgreementKind
from models.ledger import AuditEntry
from models.organization import Organization
from models.organization import OrganizationKind as K
from models.ticket import TicketStatus as S
from rules import audit
from rules.actor import SYSTEM, acting_as
from rules.ledger import events_of
from tests.factories.roads import brought_to, inputs
from tests.factories.world import World


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> None:
    """The seeded world has left entries of its own: remember where they end."""
    name = "session" if "session" in request.fixturenames else "one_session"
    session: Session = request.getfixturevalue(name)
    session.info["test.last"] = session.scalar(select(func.max(AuditEntry.id))) or 0


def entries(session: Session, record_type: str | None = None) -> list[AuditEntry]:
    """Return what was written since the world was seeded, oldest first."""
    session.flush()
    query = select(AuditEntry).where(AuditEntry.id > session.info["test.last"])
    if record_type:
        query = query.where(AuditEntry.record_type == record_type)
    return list(session.scalars(query.order_by(AuditEntry.id)))


def changes(session: Session, record_type: str | None = None) -> list[tuple[str, Any]]:
    return [(each.action, each.changes) for each in entries(session, record_type)]


def test_creating_a_record_writes_down_every_value(session: Session, world: World) -> None:
    actor = world.actor("admin")
    with acting_as(session, actor):
        new = Organization(code="A-D9", name="甲县水利局", kind=K.DEPARTMENT, phone="0793-1")
        new.parent = world.place("A")
        session.add(new)
        session.flush()
    (entry,) = entries(session)
    assert (entry.record_type, entry.record_id) == ("organization", new.id)
    assert (entry.record_title, entry.action) == ("甲县水利局", "create")
    county = world.place("A").id
    assert entry.changes == {
        "code": [None, "A-D9"],
        "name": [None, "甲县水利局"],
        "kind": [None, "department"],
        "parent_id": [None, county],
        "realm_id": [None, county],
        "phone": [None, "0793-1"],
        "active": [None, True],
    }
    assert (entry.actor_id, entry.actor_name) == (actor.user_id, "admin")
    assert (entry.organization_id, entry.organization_name) == (county, "甲县")
    assert dt.datetime.now(dt.UTC) - entry.at < dt.timedelta(minutes=5)


def test_editing_writes_down_what_changed_and_only_that(session: Session, world: World) -> None:
    agreement = world.agreement("A11", "A-U1", "1号", objectives="旧目标")
    session.commit()
    actor, other = world.actor("party"), world.place("A-U2")
    session.info["test.last"] = entries(session)[-1].id
    with acting_as(session, actor):
        assert agreement.number == "1号"
        agreement.objectives = "新目标"
        agreement.kind = AgreementKind.JOINT_COMMITTEE
        agreement.valid_until = dt.date(2028, 12, 31)
        agreement.unit = other
        agreement.unit_phone = "0793-2"
        session.flush()
    (entry,) = entries(session)
    assert (entry.action, entry.actor_name, entry.organization_name) == ("update", "party", "甲县")
    assert entry.changes == {
        "objectives": ["旧目标", "新目标"],
        "kind": ["co_building", "joint_committee"],
        "valid_until": ["2099-12-31", "2028-12-31"],
        "unit_id": [world.place("A-U1").id, world.place("A-U2").id],
        "unit_phone": [None, "0793-2"],
    }


def test_the_old_value_is_known_though_the_record_had_expired(
    session: Session, world: World
) -> None:
    """After a commit, assigning to what was not read again replaces a value nobody has seen."""
    agreement = world.agreement("A11", "A-U1", "1号", objectives="旧目标")
    session.commit()
    session.info["test.last"] = entries(session)[-1].id
    other = world.place("A-U2")
    session.expire_all()
    agreement.objectives = "新目标"
    agreement.unit = other
    assert changes(session) == [
        (
            "update",
            {
                "objectives": ["旧目标", "新目标"],
                "unit_id": [world.place("A-U1").id, world.place("A-U2").id],
            },
        )
    ]


def test_a_save_that_changes_nothing_leaves_nothing(one_session: Session, one_world: World) -> None:
    place = one_world.place("A11")
    for value in ("甲一一社区", "临时", "甲一一社区"):
        place.name = value
    place.parent = one_world.place("A1")
    assert changes(one_session) == []
    one_session.expire_all()
    place.name = "甲一一社区"
    assert changes(one_session) == []


def test_two_edits_are_two_entries(one_session: Session, one_world: World) -> None:
    place = one_world.place("A11")
    for name in ("甲一一村", "甲一一新村"):
        place.name = name
        one_session.flush()
    assert changes(one_session) == [
        ("update", {"name": ["甲一一社区", "甲一一村"]}),
        ("update", {"name": ["甲一一村", "甲一一新村"]}),
    ]
    shown = audit.history(one_session, place)
    assert [each.changes["name"][1] for each in shown][:2] == ["甲一一新村", "甲一一村"]
    assert len(audit.history(one_session, place, limit=1)) == 1


def test_deleting_writes_down_what_is_gone(session: Session, world: World) -> None:
    agreement = world.agreement("A11", "A-U1", "1号")
    session.commit()
    session.info["test.last"] = entries(session)[-1].id
    session.delete(agreement)
    (entry,) = entries(session)
    assert (entry.action, entry.record_title) == ("delete", "1号")
    assert entry.changes["number"] == ["1号", None]
    assert entry.changes["unit_id"] == [world.place("A-U1").id, None]
    assert "objectives" not in entry.changes


@pytest.mark.parametrize("how", ["with its list", "out of its list"])
def test_a_child_that_goes_with_its_parent_is_written_down_as_gone(
    one_session: Session, one_world: World, how: str
) -> None:
    item = one_world.item("路灯安装与维修")
    if how == "with its list":
        one_session.delete(item.duty_list)
    else:
        item.duty_list.items.remove(item)
    lost = [each for each in entries(one_session, "duty_item") if each.record_title == item.name]
    (entry,) = lost
    assert (entry.action, entry.changes["name"]) == ("delete", ["路灯安装与维修", None])
    assert entry.changes["duty_list_id"][0] is not None


# Secrets and noise


def test_a_password_is_said_to_have_changed_and_never_shown(session: Session, world: World) -> None:
    account = world.account("community")
    account.password = "scrypt:new-hash"
    assert changes(session) == [("update", {"password": ["（已更改）", "（已更改）"]})]
    session.add(
        Account(
            username="new",
            last_name="新",
            first_name="人",
            email="new@example.invalid",
            active=True,
            password="scrypt:other-hash",
        )
    )
    (*_rest, (action, values)) = changes(session)
    assert (action, values["password"]) == ("create", [None, "（已更改）"])
    session.delete(account)
    (*_rest, (action, values)) = changes(session)
    assert (action, values["password"]) == ("delete", ["（已更改）", None])
    assert not any("hash" in str(each.changes) for each in entries(session))


def test_logging_in_is_not_an_edit_but_a_lock_is(one_session: Session, one_world: World) -> None:
    account = one_world.account("community")
    account.last_login = dt.datetime(2026, 3, 1, tzinfo=dt.UTC).replace(tzinfo=None)
    account.login_count, account.fail_login_count = 5, 2
    assert changes(one_session) == []
    account.locked_until = dt.datetime(2026, 3, 1, 1, 15, tzinfo=dt.UTC)
    assert changes(one_session) == [
        ("update", {"locked_until": [None, "2026-03-01T01:15:00+00:00"]})
    ]


def test_a_change_of_roles_is_written_down(session: Session, world: World) -> None:
    account = world.account("community")
    roles = {role.name: role for role in session.scalars(select(FabRole))}
    account.roles = [roles["community_staff"], roles["leader"]]
    assert changes(session) == [
        ("update", {"roles": ["community_staff", "community_staff、leader"]})
    ]
    session.commit()
    account.roles = []
    assert changes(session)[1:] == [("update", {"roles": ["community_staff、leader", None]})]


def test_rows_that_only_serve_others_are_not_audited(
    one_session: Session, one_world: World
) -> None:
    one_world.place("A12").parent = one_world.place("A2")
    kinds = {each.record_type for each in entries(one_session)}
    assert kinds == {"organization"}
    one_world.dispatched()
    kinds = {each.record_type for each in entries(one_session)}
    assert kinds == {"organization", "ticket"}


# One transaction


def test_a_rollback_takes_the_entries_along(session: Session, world: World) -> None:
    session.commit()
    world.place("A11").name = "甲一一村"
    assert len(entries(session)) == 1
    session.rollback()
    assert entries(session) == []
    world.place("A11").name = "甲一一新村"
    session.commit()
    assert changes(session) == [("update", {"name": ["甲一一社区", "甲一一新村"]})]


def test_a_savepoint_takes_its_entries_along(one_session: Session, one_world: World) -> None:
    one_world.place("A11").phone = "0793-1"
    one_session.flush()
    with one_session.begin_nested() as savepoint:
        one_world.place("A12").phone = "0793-2"
        assert len(entries(one_session)) == 2
        savepoint.rollback()
    assert [each.record_title for each in entries(one_session)] == ["甲一一社区"]


def test_what_is_refused_leaves_no_entry(one_session: Session, one_world: World) -> None:
    one_session.commit()
    with acting_as(one_session, one_world.actor("community")):
        one_world.place("A11").name = "甲一一村"
        with pytest.raises(Exception, match="没有找到这条记录"):
            one_session.flush()
    one_session.rollback()
    with acting_as(one_session, SYSTEM):
        assert entries(one_session) == []


def test_the_system_is_named_as_such(one_session: Session, one_world: World) -> None:
    one_world.place("A11").phone = "0793-1"
    (entry,) = entries(one_session)
    assert (entry.actor_id, entry.actor_name, entry.organization_id) == (None, "系统", None)


def test_a_step_is_told_by_its_event_and_not_once_more(
    one_session: Session, one_world: World
) -> None:
    """State, deadlines, who is at work, the result: the event has them, chained and unchangeable."""
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    one_session.flush()
    one_session.info["test.last"] = one_session.scalar(select(func.max(AuditEntry.id)))
    for action, who in (("dispatch", "office"), ("accept", "handler"), ("arrive", "handler")):
        one_world.step(ticket, action, who, **inputs(one_world, ticket, action))
    one_world.step(ticket, "report_result", "handler", result="已修好")
    assert entries(one_session, "ticket") == []
    assert events_of(one_session, ticket)[-1].data["result"] == "已修好"


def test_what_a_step_changes_besides_is_written_down_as_ever(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_session.flush()
    one_session.info["test.last"] = one_session.scalar(select(func.max(AuditEntry.id)))
    one_world.step(ticket, "approve_return", "returns", note="不属于该局职责")
    (entry,) = entries(one_session, "ticket")
    assert entry.changes["return_count"] == [0, 1]
    assert entry.changes["status"] == ["return_pending", "pending_dispatch"]


def test_whoever_changes_a_deadline_without_a_step_leaves_a_line(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    one_session.flush()
    one_session.info["test.last"] = one_session.scalar(select(func.max(AuditEntry.id)))
    ticket.resolve_due = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    (entry,) = entries(one_session, "ticket")
    assert list(entry.changes) == ["resolve_due"]
