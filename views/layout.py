"""What every page carries: who is logged in, the navigation by task, languages, filters."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from models.base import utcnow
from rules import notices
from rules.actor import NOBODY, Actor
from rules.wording import local, remaining
from views import flask_app
from views.context import session as database
from views.permissions import allowed
from views.presentation import NavGroup, NavItem
from views.rendering import badge
from views.security import current_actor

#: The groups of the side navigation, in this order; a view names its group in ``menu``.
GROUPS = ("工作台", "吹哨报到", "跟踪问效", "一书三单", "履职清单", "基础资料", "系统管理")


def init_app(app: Flask) -> None:
    """Give templates what every page carries."""
    flask_app.init_app(app)
    app.context_processor(page_context)
    app.add_template_filter(local, "local")
    app.add_template_filter(lambda day: local(day, with_time=False), "local_date")
    app.add_template_filter(lambda due: remaining(due, utcnow(), _), "remaining")
    app.add_template_filter(badge, "badge")


def page_context() -> dict[str, Any]:
    """Return the variables of the base layout."""
    actor = current_actor()
    locale = str(get_locale() or "zh")
    return {
        "product_name": _("吹哨报到"),
        "me": None if actor is NOBODY else actor,
        "role_titles": _("、").join(_(title) for title in actor.role_titles),
        "navigation": navigation,
        # What a part of a page that is kept depends on beside its own values.
        "page_key": (locale, request.script_root),
        "nav_key": (actor.roles, _here(), session.get("waiting")),
        "unread_count": _unread(actor),
        "notices_url": url_for("NoticeView.list", tab="unread"),
        "bell_url": url_for("NoticeView.count"),
        "notice_settings_url": url_for("NoticeSettingsView.edit"),
        "crumbs": [],
        "locale": locale,
        "locale_urls": [
            ("中文", url_for("LocaleView.index", locale="zh")),
            ("English", url_for("LocaleView.index", locale="en")),
        ],
        "password_url": url_for("MyPasswordView.change"),
        "logout_url": url_for("LoginView.logout"),
    }


def _unread(actor: Actor) -> int:
    """Return the bell's number; an error page is shown even where the database has failed."""
    try:
        return notices.unread(database(), actor)
    except SQLAlchemyError:
        return 0


def _here() -> str | None:
    """Return the endpoint that is shown if the navigation has it: its entry is marked."""
    endpoint = request.endpoint
    return endpoint if endpoint in _entries() else None


def _entries() -> frozenset[str]:
    """Return the endpoints of the navigation, whoever looks at it."""
    builder = current_app.extensions["appbuilder"]
    found: frozenset[str] | None = builder.__dict__.get("chuishao_entries")
    if found is None:
        found = frozenset(
            f"{view.endpoint}.{entry.route}"
            for view in builder.baseviews
            for entry in getattr(view, "menu", ())
        )
        builder.chuishao_entries = found
    return found


def navigation() -> list[NavGroup]:
    """Return the entries of all views that the actor may open, by task."""
    roles = current_actor().roles
    found: dict[str, list[tuple[int, NavItem]]] = {group: [] for group in GROUPS}
    for view in current_app.extensions["appbuilder"].baseviews:
        for entry in getattr(view, "menu", ()):
            if not allowed(roles, f"can_{entry.route}", view.class_permission_name):
                continue
            endpoint = f"{view.endpoint}.{entry.route}"
            item = NavItem(
                _(entry.label),
                url_for(endpoint),
                entry.icon,
                request.endpoint == endpoint,
                badge=session.get("waiting") if entry.route == "index" else None,
            )
            found.setdefault(entry.group, []).append((entry.rank, item))
    return [
        NavGroup(_(group), [item for _rank, item in sorted(items, key=lambda each: each[0])])
        for group, items in found.items()
        if items
    ]
