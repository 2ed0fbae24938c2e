"""The administrator's small ledgers, the policy as a page, and the audit log."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup
from sqlalchemy import inspect, select

from models.ledger import AuditEntry, Event
from models.mechanism import CalendarOverride
from models.registry import record_types
from presets.roles import Role
from rules.errors import Invalid
from rules.policy import POLICY, Action, beyond
from views import details, permissions
from views.context import actor, session
from views.forms import RecordForm
from views.listing import Order
from views.presentation import Change, MenuEntry
from views.records import RecordView
from views.rendering import badge


class CalendarOverrideView(RecordView):
    """Days that count otherwise than the national calendar says."""

    model = CalendarOverride
    route_base = "/calendar"
    menu = (MenuEntry("基础资料", "工作日调整", "fa-calendar-days", 40),)
    list_columns = ["day", "working", "note"]
    order_columns = ["day"]
    form_groups = [("日期", ["day", "working", "note"])]
    empty_text = "没有调整。工作日按国家法定节假日安排（含调休）计算；需要改变某一天时在这里新增。"

    def before_save(self, record: Any, form: RecordForm) -> None:
        """A day is adjusted once: say which adjustment to change instead."""
        same = select(CalendarOverride.id).where(CalendarOverride.day == record.day)
        if session().scalar(same.where(CalendarOverride.id != (record.id or 0))) is not None:
            message = _("%(day)s已经有调整，请直接修改那一条。", day=record.day.isoformat())
            raise Invalid(message, day=message)


class AuditView(RecordView):
    """Who changed what, when, and from what to what."""

    model = AuditEntry
    route_base = "/audit"
    menu = (MenuEntry("系统管理", "审计日志", "fa-clock-rotate-left", 60),)
    list_columns = ["record_title", "kind", "action", "actor_name", "organization_name", "at"]
    search_columns = ["record_title", "actor_name"]
    default_order = Order()
    form_groups = [
        ("修改", ["record_title", "kind", "action", "actor_name", "organization_name", "at"])
    ]
    labels = {"kind": "记录类型"}
    exclude_route_methods = {"add", "edit", "delete", "options"}
    demands = {"can_list": Action.READ, "can_show": Action.READ}

    def cell_kind(self, record: Any) -> str:
        """Name the record type in Chinese."""
        model = record_types().get(record.record_type)
        return _(model.__label__) if model else record.record_type

    def cell_action(self, record: Any) -> str:
        """Name the kind of write in Chinese."""
        return details.action_name(record.action)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Show the entry's own fields, before and after."""
        model = record_types().get(record.record_type)
        whole = actor().has(Role.ORGANIZATION_DEPARTMENT)
        changes: list[Change] = [details.change_of(model, record, whole)] if model else []
        return super().shown(
            record,
            status,
            view_title=record.record_title,
            changes=changes,
            changes_open=True,
            **more,
        )


class EventView(RecordView):
    """Every step of every record's life: what the audit log does not say a second time."""

    model = Event
    route_base = "/events"
    menu = (MenuEntry("系统管理", "流转记录", "fa-timeline", 61),)
    list_columns = [
        "label",
        "kind",
        "record_id",
        "reached",
        "actor_name",
        "organization_name",
        "at",
    ]
    default_order = Order()
    form_groups = [
        (
            "步骤",
            [
                "label",
                "kind",
                "record_id",
                "reached",
                "actor_name",
                "organization_name",
                "at",
                "note",
            ],
        )
    ]
    labels = {"kind": "记录类型", "reached": "状态"}
    exclude_route_methods = {"add", "edit", "delete", "options"}
    demands = {"can_list": Action.READ, "can_show": Action.READ}

    cell_kind = AuditView.cell_kind

    def cell_label(self, record: Event) -> str:
        """Name the step as its button does."""
        return pgettext("step", record.label)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Head the page by the step as its button names it."""
        label = self.cell_label(record)
        named = {"view_title": label, "crumbs": details.crumbs(self, None, label)}
        return super().shown(record, status, **(named | more))

    def cell_reached(self, record: Event) -> Markup:
        """Show the state that the step led to."""
        model = record_types()[record.record_type]
        members: Any = inspect(model).columns["status"].type
        return badge(members.enum_class(record.to_status))


class PolicyView(BaseView):
    """The policy table as a page that a lawyer could read."""

    route_base = "/policy"
    default_view = "list"
    menu = (MenuEntry("系统管理", "角色与权限", "fa-scale-balanced", 50),)

    def __init__(self) -> None:
        super().__init__()
        permissions.declare("PolicyView", {"can_list": ("account", Action.ADD)})

    @expose("/list/")
    @has_access
    def list(self) -> Any:
        """Show what each role may do to each record type, and how far."""
        roles = []
        for role in Role:
            lines: dict[str, list[tuple[str, Markup, str]]] = {}
            for holder, kind, actions, scope in POLICY:
                if holder is role:
                    label = _(record_types()[kind].__label__)
                    more = beyond(kind, scope)
                    note = _(more) if more else ""
                    cells = [(_(action.title), badge(scope), note) for action in actions]
                    lines.setdefault(label, []).extend(cells)
            roles.append((_(role.title), list(lines.items())))
        return self.render_template("policy.html", roles=roles)
