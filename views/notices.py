"""The bell: what the reader has been told, newest first."""

from __future__ import annotations

from typing import Any

from flask import redirect
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.wrappers import Response

from models.base import utcnow
from models.notice import Notice
from models.registry import record_types
from rules.notices import mark_read
from rules.policy import Action
from views.context import actor, unit_of_work
from views.presentation import MenuEntry
from views.records import RecordView
from views.registry import view_of


class NoticeView(RecordView):
    """One's own notices; opening one leads to the record that it is about."""

    model = Notice
    route_base = "/notices"
    menu = (MenuEntry("工作台", "消息", "fa-bell", 20),)
    list_columns = ["title", "created_at", "read_at"]
    filter_columns = []
    labels = {"created_at": "时间", "read_at": "状态"}
    form_groups = [("消息", ["title", "created_at", "read_at"])]
    list_template = "notices.html"
    tabs = [("", "全部", None), ("unread", "未读", Notice.read_at.is_(None))]
    exclude_route_methods = {"show", "add", "edit", "delete", "options"}
    demands = {
        "can_list": Action.READ,
        "can_open": Action.EDIT,
        "can_read_all": Action.EDIT,
    }
    empty_text = "还没有消息。协议到期、需求认领和服务项目的进展会在这里提醒您。"

    def cell_read_at(self, record: Any) -> Markup | str:
        """Say in a word whether it has been read."""
        if record.read_at is None:
            return Markup('<span class="badge badge-info">{}</span>').format(_("未读"))
        return _("已读")

    def cell_title(self, record: Any) -> Markup | str:
        """A button, for opening a notice marks it as read: that is a write."""
        return Markup(
            '<form method="post" action="{}"><input type="hidden" name="csrf_token" value="{}">'
            '<button type="submit" class="link-button">{}</button></form>'
        ).format(self.url("open", pk=record.id), generate_csrf(), record.title)

    @expose("/open/<int:pk>", methods=["POST"])
    @has_access
    def open(self, pk: int) -> Response:
        """Mark the notice as read, and lead to what it is about if the reader may open such pages."""
        notice = self.found(pk)
        model = record_types().get(notice.record_type)
        view = view_of(model) if model is not None else None
        record_id = notice.record_id
        with unit_of_work():
            notice.read_at = notice.read_at or utcnow()
        if view is None or not view.may("can_show"):
            return redirect(self.url("list"))
        return redirect(view.url("show", pk=record_id))

    @expose("/read-all", methods=["POST"])
    @has_access
    def read_all(self) -> Response:
        """Mark everything as read."""
        with unit_of_work() as database:
            mark_read(database, actor())
        return redirect(self.url("list"))

    def list_context(self) -> dict[str, Any]:
        """Offer to mark everything as read."""
        return {"read_all_url": self.url("read_all")}
