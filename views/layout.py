"""What every page carries: who is logged in, the navigation by task, languages, filters."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from models.base import utcnow
from rules.actor import NOBODY
from rules.wording import local, remaining
from views.permissions import allowed
from views.presentation import NavGroup, NavItem
from views.rendering import badge
from views.security import current_actor

#: (group, [(view, route, label, icon)]): entries that the actor may not open are left out.
NAVIGATION: list[tuple[str, list[tuple[str, str, str, str]]]] = [
    ("工作台", [("WorkbenchView", "index", "工作台", "fa-house")]),
    (
        "吹哨报到",
        [
            ("TicketView", "list", "哨单台账", "fa-bullhorn"),
            ("TicketView", "add", "我要吹哨", "fa-circle-plus"),
        ],
    ),
    ("一书三单", [("AgreementView", "list", "共驻共建协议", "fa-handshake")]),
    (
        "履职清单",
        [
            ("DutyListView", "list", "清单版本", "fa-list-check"),
            ("DutyItemView", "list", "履职事项", "fa-clipboard-list"),
            ("ImportBatchView", "list", "导入批次", "fa-file-import"),
        ],
    ),
    (
        "系统管理",
        [
            ("OrganizationView", "list", "组织机构", "fa-sitemap"),
            ("AccountView", "list", "用户", "fa-users"),
            ("MechanismView", "list", "吹哨机制", "fa-gears"),
            ("CalendarOverrideView", "list", "工作日调整", "fa-calendar-days"),
            ("PolicyView", "list", "角色与权限", "fa-scale-balanced"),
            ("AuditView", "list", "审计日志", "fa-clock-rotate-left"),
        ],
    ),
]


def init_app(app: Flask) -> None:
    """Give templates what every page carries."""
    app.context_processor(page_context)
    app.add_template_filter(local, "local")
    app.add_template_filter(lambda day: local(day, with_time=False), "local_date")
    app.add_template_filter(lambda due: remaining(due, utcnow()), "remaining")
    app.add_template_filter(badge, "badge")


def page_context() -> dict[str, Any]:
    """Return the variables of the base layout."""
    actor = current_actor()
    locale = str(get_locale() or "zh")
    return {
        "product_name": _("吹哨报到"),
        "me": None if actor is NOBODY else actor,
        "navigation": [] if actor is NOBODY else navigation(),
        "waiting_count": session.get("waiting", 0),
        "crumbs": [],
        "locale": locale,
        "locale_urls": [
            ("中文", url_for("LocaleView.index", locale="zh")),
            ("English", url_for("LocaleView.index", locale="en")),
        ],
        "password_url": url_for("MyPasswordView.change"),
        "logout_url": url_for("LoginView.logout"),
    }


def navigation() -> list[NavGroup]:
    """Return the entries that the actor may open, by task."""
    roles = current_actor().roles
    groups = []
    for label, entries in NAVIGATION:
        items = []
        for view, route, text, icon in entries:
            if not allowed(roles, f"can_{route}", view):
                continue
            endpoint = f"{view}.{route}"
            items.append(NavItem(_(text), url_for(endpoint), icon, request.endpoint == endpoint))
        if items:
            groups.append(NavGroup(_(label), items))
    return groups
