"""``flask --app app sync-roles``: FAB's roles and permissions are the policy's, however often it runs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session

from presets.roles import Role
from views.permissions import allowed, demands_of

Pairs = set[tuple[str, str]]


def run(app: Flask) -> Any:
    """Run the command as a deployment does."""
    answer = app.test_cli_runner().invoke(args=["sync-roles"])
    assert answer.exit_code == 0, answer.output
    return answer


def rows(session: Session) -> dict[str, list[Any]]:
    """Return FAB's four tables and who holds what, with their ids."""
    session.rollback()
    session.expire_all()
    found: dict[str, list[Any]] = {
        model.__tablename__: sorted(session.execute(select(model.id, model.name)).all())
        for model in (FabRole, Permission, ViewMenu)
    }
    pairs = select(PermissionView.id, PermissionView.permission_id, PermissionView.view_menu_id)
    found["pairs"] = sorted(session.execute(pairs).all())
    found["held"] = sorted(
        (role.name, each.id)
        for role in session.scalars(select(FabRole))
        for each in role.permissions
    )
    return found


def held(session: Session) -> dict[str, Pairs]:
    session.expire_all()
    return {
        role.name: {(each.permission.name, each.view_menu.name) for each in role.permissions}
        for role in session.scalars(select(FabRole))
    }


def demanded(app: Flask) -> Pairs:
    """Return every permission of every registered view."""
    return {
        (permission, view.class_permission_name)
        for view in app.extensions["appbuilder"].baseviews
        for permission in view.base_permissions
    }


def test_running_it_again_changes_nothing(app: Flask, session: Session) -> None:
    before = rows(session)
    answers = {run(app).output for _turn in range(2)}
    assert rows(session) == before
    (output,) = answers
    assert output == f"已同步 {len(Role)} 个角色、{len(before['pairs'])} 项权限。\n"


def test_fabs_permissions_are_the_policys(app: Flask, session: Session) -> None:
    found = held(session)
    assert set(found) == {role.value for role in Role}
    wanted = demanded(app)
    for role in Role:
        granted = {pair for pair in wanted if allowed(frozenset({role}), *pair)}
        assert found[role.value] == granted, role
    assert {each for pairs in found.values() for each in pairs} <= wanted


@pytest.mark.parametrize(
    ("role", "view", "yes", "no"),
    [
        (Role.COMMUNITY_STAFF, "TicketView", {"can_list", "can_add", "can_step"}, {"can_delete"}),
        (Role.LEADER, "TicketView", {"can_list", "can_show"}, {"can_add", "can_edit", "can_step"}),
        (Role.DEPARTMENT_HANDLER, "TicketView", {"can_step"}, {"can_add", "can_edit"}),
        (Role.DEPARTMENT_HANDLER, "AgreementView", {"can_list"}, {"can_add", "can_step"}),
        (Role.RETURN_REVIEWER, "AgreementView", set(), {"can_list", "can_show"}),
        (Role.ORGANIZATION_DEPARTMENT, "AgreementView", {"can_add", "can_delete"}, set()),
        (Role.ORGANIZATION_DEPARTMENT, "TicketView", set(), {"can_list", "can_show"}),
        (Role.SYSTEM_ADMINISTRATOR, "OrganizationView", {"can_edit", "can_delete"}, set()),
        (Role.AUDITOR, "OrganizationView", {"can_list"}, {"can_edit", "can_add", "can_delete"}),
    ],
)
def test_what_roles_hold_by_hand(
    one_app: Flask, one_session: Session, role: Role, view: str, yes: set[str], no: set[str]
) -> None:
    mine = {permission for permission, of in held(one_session)[role.value] if of == view}
    assert yes <= mine
    assert not mine & no
    assert yes | no <= set(demands_of(view))
    assert one_app.extensions["appbuilder"]


def test_what_nobody_declares_is_taken_back(app: Flask, session: Session) -> None:
    """Hand-made grants, forgotten permissions and roles that the policy does not know."""
    before = held(session)
    stray = PermissionView(
        permission=Permission(name="can_everything"), view_menu=ViewMenu(name="OldView")
    )
    foreign = FabRole(name="旧角色", permissions=[stray])
    leader = session.scalars(select(FabRole).where(FabRole.name == "leader")).one()
    dispatcher = session.scalars(select(FabRole).where(FabRole.name == "dispatcher")).one()
    leader.permissions = [*dispatcher.permissions, stray]
    dispatcher.permissions = []
    session.add(foreign)
    session.commit()
    run(app)
    assert held(session) == before | {"旧角色": set()}
    names = set(session.scalars(select(ViewMenu.name).join(PermissionView)))
    assert "OldView" not in names


def test_people_keep_their_roles(app: Flask, session: Session, world: Any) -> None:
    roles = {name: world.account(name).roles[0].name for name in ("community", "admin")}
    session.commit()
    run(app)
    session.expire_all()
    assert {name: world.account(name).roles[0].name for name in roles} == roles
