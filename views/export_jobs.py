"""Workbooks written in the background: one's own exports, how far they are, and their download."""

from __future__ import annotations

from typing import IO, Any
from urllib.parse import parse_qsl

from flask import abort, current_app, flash, g, jsonify, redirect, request, send_file
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from imports.sheets import XLSX
from jobs.exports import KEPT, MOST, Tell, key_of, stored, write_by
from jobs.queue import queue
from models.base import utcnow
from models.export_job import ExportJob, ExportState
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.policy import Action
from views.context import actor, unit_of_work
from views.kept_lists import asked_of
from views.listing import parse
from views.presentation import Crumb, MenuEntry
from views.records import RecordView
from views.registry import view_named
from views.rendering import badge

S = ExportState
BUSY = (S.WAITING, S.WRITING)
#: Exports of one account that wait or are being written.
MOST_AT_ONCE = 5


@write_by
def write_list(
    database: Session, who: Actor, name: str, query: str, file: IO[bytes], tell: Tell
) -> int:
    """Write a list as the actor would see it now; returns how many rows there are."""
    g.actor = who
    view = view_named(name)
    if view is None or not view.may("can_export"):
        raise Invalid("这个列表现在不能导出，没有生成文件。")
    asked = parse(
        dict(parse_qsl(query)),
        orders=view.order_columns,
        default=view.default_order,
        filters=view.filter_names(),
    )
    statement = view.ordered(view.narrowed(asked), asked)
    return view.write_many(statement, file, tell, MOST)


class ExportJobView(RecordView):
    """One's own exports."""

    model = ExportJob
    route_base = "/export-jobs"
    menu = (MenuEntry("工作台", "我的导出", "fa-file-export", 30),)
    list_columns = ["file_name", "view", "state", "rows", "created_at"]
    filter_columns = ["state"]
    form_groups = [("导出", ["file_name", "view", "state", "rows", "created_at", "problem"])]
    labels = {"created_at": "导出时间", "file_name": "文件"}
    exclude_route_methods = {"add", "edit", "options"}
    demands = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_progress": Action.READ,
        "can_download": Action.READ,
        "can_start": Action.ADD,
        "can_cancel": Action.EDIT,
        "can_delete": Action.DELETE,
    }
    empty_text = "还没有在后台导出过。结果多的列表，导出时会放到这里。"

    def titled(self, route: str, otherwise: str) -> str:
        """Nobody else's exports are here."""
        return _("我的导出") if route == "list" else otherwise

    def cell_view(self, record: Any) -> str:
        """Name the list."""
        view = view_named(record.view)
        return view.titled("list", view.noun) if view is not None else record.view

    def editable(self, record: Any) -> str | None:
        """A job that is being worked on must be called off before it is removed."""
        return _("正在导出，请先取消。") if record.state in BUSY else None

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Show how far the job is, or its file."""
        title = str(record)
        path = stored(current_app, record) if record.state is S.DONE else None
        context = {
            "view_title": title,
            "badge_html": badge(record.state),
            "job": record,
            "busy": record.state in BUSY,
            "list_name": self.cell_view(record),
            "progress_url": self.url("progress", pk=record.id),
            "cancel_url": self.url("cancel", pk=record.id),
            "download_url": self.url("download", pk=record.id) if path else None,
            "kept_until": record.created_at + KEPT,
            "delete_url": None if record.state in BUSY else self.url("delete", pk=record.id),
            "crumbs": [Crumb(self.titled("list", self.noun), self.url("list")), Crumb(title)],
        }
        return self.render_template("export_job.html", **(context | more)), status

    @expose("/start", methods=["POST"])
    @has_access
    def start(self) -> Response:
        """Leave the export of a list to the worker."""
        view = view_named(request.form.get("view", ""))
        if view is None or not view.may("can_export"):
            abort(404)
        query = asked_of(view, parse_qsl(request.form.get("query", "")[:4000]))
        day = shanghai_date(utcnow()).isoformat()
        with unit_of_work() as database:
            waiting = select(func.count(ExportJob.id)).where(ExportJob.state.in_(BUSY))
            if (database.scalar(waiting) or 0) >= MOST_AT_ONCE:
                raise Conflict(_("您已有 %(n)s 个导出在排队，请等它们完成。", n=MOST_AT_ONCE))
            job = ExportJob(
                account_id=actor().user_id,
                view=view.endpoint,
                query=query,
                file_name=f"{view.book_name()}_{day}.xlsx",
            )
            database.add(job)
            database.flush()
            number = job.id
        queue().send("export-write", number)
        return redirect(self.url("show", pk=number))

    @expose("/progress/<int:pk>")
    @has_access
    def progress(self, pk: int) -> Response:
        """Tell the page's script how far the job is."""
        job = self.found(pk)
        _phase, done, _total = queue().progress(key_of(pk)) or ("", 0, 0)
        says = _("已写 %(n)s 行", n=done) if done else _(job.state.title)
        return jsonify(busy=job.state in BUSY, phase=says, done=done, total=0)

    @expose("/cancel/<int:pk>", methods=["POST"])
    @has_access
    def cancel(self, pk: int) -> Response:
        """Call a job off: one that waits at once, one that is being written at its next beat."""
        job = self.found(pk)
        if job.state not in BUSY:
            raise Conflict(_("这个导出已经结束，没有可以取消的。"))
        if job.state is S.WAITING:
            with unit_of_work():
                job.state, job.problem = S.CANCELLED, _("已取消，没有生成文件。")
        else:
            queue().call_off(key_of(pk))
            flash(_("正在取消。"), "info")
        return redirect(self.url("show", pk=pk))

    @expose("/download/<int:pk>")
    @has_access
    def download(self, pk: int) -> Response:
        """Send the workbook to who asked for it, as long as he may read that list."""
        job = self.found(pk)
        view = view_named(job.view)
        if view is None or not view.may("can_export"):
            abort(404)
        path = stored(current_app, job) if job.state is S.DONE else None
        if path is None:
            raise Conflict(_("文件还没有生成，或已经清理。请重新导出。"))
        answer = send_file(path, mimetype=XLSX, as_attachment=True, download_name=job.file_name)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def larger(self, view: RecordView, args: dict[str, str]) -> Any:
        """Show the page that offers to write a list in the background."""
        title = _("导出%(noun)s", noun=view.noun)
        return view.render_template(
            "export_ask.html",
            view_title=title,
            start_url=self.url("start"),
            view_name=view.endpoint,
            query=asked_of(view, args.items()),
            back_url=f"{view.url('list')}?{asked_of(view, args.items())}",
            crumbs=[Crumb(view.titled("list", view.noun), view.url("list")), Crumb(title)],
        )
