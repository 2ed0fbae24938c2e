"""The bell: what the reader has been told, newest first."""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models.base import utcnow
from models.notice import Notice
from models.registry import record_types
from rules.notices import mark_read, unread
from rules.policy import Action
from rules.wording import local
from views.context import actor, session, unit_of_work
from views.listing import Page, Request
from views.presentation import Link, MenuEntry
from views.records import RecordView
from views.registry import view_of


class NoticeView(RecordView):
    """One's own notices; opening one leads to the record that it is about.

    What a page holds of one record stands in one row, the newest first.
    """

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
        "can_count": Action.READ,
    }
    empty_text = "还没有消息。哨单轮到您办、临近期限，协议到期和服务项目的进展，都会在这里提醒您。"

    def page(self, asked: Request) -> tuple[Page, str]:
        """Return the page with one row for each record, that of its newest notice."""
        page, count = super().page(asked)
        kept: dict[tuple[str, int], Any] = {}
        for each in sorted(page.rows, key=lambda row: -row.id):
            first = kept.setdefault((each.record_type, each.record_id), each)
            if first is each:
                each.earlier = []
            else:
                first.earlier.append(each)
        page.rows = list(kept.values())
        return page, count

    def cell_read_at(self, record: Any) -> Markup | str:
        """Say in a word whether it, and what stands below it, has been read."""
        waiting = sum(each.read_at is None for each in (record, *record.earlier))
        if not waiting:
            return _("已读")
        word = _("未读") if waiting == 1 else _("未读 %(n)s 条", n=waiting)
        return Markup('<span class="badge badge-info">{}</span>').format(word)

    def cell_title(self, record: Any) -> Markup | str:
        """A button, for opening a notice marks it as read: that is a write."""
        button = Markup(
            '<form method="post" action="{}"><input type="hidden" name="csrf_token" value="{}">'
            '<button type="submit" class="link-button">{}</button></form>'
        ).format(self.url("open", pk=record.id), generate_csrf(), record.title)
        if not record.earlier:
            return button
        lines = Markup("").join(
            Markup("<li>{} {}</li>").format(local(each.created_at), each.title)
            for each in record.earlier
        )
        says = _("此前还有 %(n)s 条", n=len(record.earlier))
        return button + Markup(
            '<details class="earlier"><summary>{}</summary><ul>{}</ul></details>'
        ).format(says, lines)

    @expose("/open/<int:pk>", methods=["POST"])
    @has_access
    def open(self, pk: int) -> Response:
        """Mark what is told of the record as read, and lead to it if the reader may open such pages."""
        notice = self.found(pk)
        model = record_types().get(notice.record_type)
        view = view_of(model) if model is not None else None
        record_id = notice.record_id
        with unit_of_work() as database:
            notice.read_at = notice.read_at or utcnow()
            _mark_older(database, notice)
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

    @expose("/count")
    @has_access
    def count(self) -> Response:
        """Answer the bell with how many are unread: ``{"unread": 3}``, 100 for more than 99."""
        return jsonify(unread=unread(session(), actor()))

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead to the settings."""
        return [Link(_("消息设置"), url_for("NoticeSettingsView.edit"), "fa-sliders")]

    def list_context(self) -> dict[str, Any]:
        """Offer to mark everything as read."""
        return {"read_all_url": self.url("read_all")}


def _mark_older(database: Session, notice: Notice) -> None:
    """Mark what was told earlier of the same record: its page shows how it has gone on."""
    database.execute(
        update(Notice)
        .where(
            Notice.account_id == actor().user_id,
            Notice.record_type == notice.record_type,
            Notice.record_id == notice.record_id,
            Notice.id < notice.id,
            Notice.read_at.is_(None),
        )
        .values(read_at=utcnow())
        .execution_options(synchronize_session=False)
    )
