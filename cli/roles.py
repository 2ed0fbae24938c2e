"""``flask --app app sync-roles``: FAB's roles and permissions from the policy, as often as you like."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import db
from presets.roles import Role
from rules.actor import SYSTEM, acting_as
from views.permissions import allowed


@click.command("sync-roles")
@with_appcontext
def sync_roles() -> None:
    """Write the policy's roles and permissions into FAB's tables; safe to run again."""
    with acting_as(db.session(), SYSTEM):
        number = sync(db.session())
        db.session.commit()
    click.echo(f"已同步 {len(Role)} 个角色、{number} 项权限。")


def sync(session: Session) -> int:
    """Make FAB's roles and permissions what the policy says; return how many permissions there are.

    Never commits. Roles that the policy does not know lose all permissions but are not removed.
    """
    wanted = {
        (permission, view.class_permission_name)
        for view in current_app.extensions["appbuilder"].baseviews
        for permission in view.base_permissions
    }
    permissions = {each.name: each for each in session.scalars(select(Permission))}
    menus = {each.name: each for each in session.scalars(select(ViewMenu))}
    pairs = {
        (each.permission.name, each.view_menu.name): each
        for each in session.scalars(select(PermissionView))
    }
    for permission, view in sorted(wanted - set(pairs)):
        pairs[permission, view] = PermissionView(
            permission=permissions.setdefault(permission, Permission(name=permission)),
            view_menu=menus.setdefault(view, ViewMenu(name=view)),
        )
        session.add(pairs[permission, view])
    roles = {each.name: each for each in session.scalars(select(FabRole))}
    for role in Role:
        if role.value not in roles:
            roles[role.value] = FabRole(name=role.value)
            session.add(roles[role.value])
    known = {role.value: frozenset({role}) for role in Role}
    for name, fab_role in roles.items():
        fab_role.permissions = [
            pairs[pair] for pair in sorted(wanted) if name in known and allowed(known[name], *pair)
        ]
    for pair in set(pairs) - wanted:
        session.delete(pairs[pair])
    session.flush()
    return len(wanted)
