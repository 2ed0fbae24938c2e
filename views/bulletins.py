"""通报: a month's bulletin, written in the background, read, issued, and kept as issued."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from flask import request, send_file
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import SelectField

from jobs.bulletins import TASK
from jobs.queue import queue
from models.base import utcnow
from models.bulletin import Bulletin, BulletinStatus, BulletinTemplate
from models.organization import REALMS, Organization
from models.scan import ScanKind
from reports.bulletin_figures import month_of, title_of
from reports.workbook import MEDIA_TYPE
from rules import locking, workflow
from rules.attachments import clean_name, path_of
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.policy import Action
from rules.scope import reachable
from views import steps
from views.context import actor, data_dir, session
from views.details import DetailPage
from views.flow import FlowView
from views.forms import RecordForm
from views.listing import Order
from views.presentation import Link, MenuEntry
from views.queries import Options, Tabs
from views.registry import view_of
from views.scans import MIMETYPES

S = BulletinStatus
BUSY = (S.WAITING, S.WRITING)
#: How many months back a bulletin may be written for.
BACK = 24


class BulletinPage(DetailPage):
    """What ``bulletin_show.html`` shows of one bulletin."""

    def context(self) -> dict[str, Any]:
        """Add whether it is being written, and what went wrong."""
        record = self.record
        return super().context() | {
            "busy": record.status in BUSY,
            "problem": record.problem if record.status is S.FAILED else None,
        }


class BulletinView(FlowView):
    """The office's bulletins; everybody below reads those that were issued."""

    model = Bulletin
    route_base = "/bulletins"
    menu = (MenuEntry("跟踪问效", "通报", "fa-newspaper", 60),)
    list_columns = ["title", "month", "organization", "status", "issued_by", "issued_at"]
    wide_only = ["organization", "issued_by"]
    search_columns = ["title"]
    filter_columns = ["status", "organization"]
    order_columns = ["month"]
    default_order = Order("month", descending=True)
    tabs: ClassVar[Tabs] = [
        ("", "全部", None),
        ("ready", "待签发", Bulletin.status == S.READY),
        ("issued", "已签发", Bulletin.status == S.ISSUED),
    ]
    form_groups = [
        ("通报", ["organization", "month", "title"]),
        ("内容", ["remarks", "template"]),
    ]
    show_groups = [
        ("通报", ["organization", "month", "issue", "issued_by", "issued_at", "template"]),
        ("内容", ["remarks"]),
    ]
    chosen_once = ["organization", "month"]
    demands = FlowView.demands | {"can_docx": Action.READ, "can_xlsx": Action.READ}
    show_template = "bulletin_show.html"
    empty_text = "还没有通报。选好月份生成一期，系统在后台算好数据、写成文件，看过以后签发。"

    # The form

    def choices(self, field: str) -> Select[Any]:
        """A bulletin is a county's or a city's; its template that place's own."""
        found = super().choices(field)
        if field != "organization":
            return found.where(BulletinTemplate.in_use)
        found = found.where(Organization.kind.in_(REALMS))
        if not self.may("can_add") or request.endpoint == f"{self.endpoint}.list":
            return found
        mine = reachable(actor(), "bulletin", Organization.id, Action.ADD)
        return found.where(Organization.active, mine)

    def extra_fields(self) -> dict[str, Any]:
        """Months that are over, and the one that runs, newest first."""
        return {
            "month": SelectField(
                self.label("month"), coerce=int, choices=[(each, said(each)) for each in months()]
            )
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Begin with the month that has just ended; once it is made, a bulletin keeps its own."""
        return {"month": record.month or months()[1]} if record.id is None else {}

    def fill(self, record: Any) -> None:
        """Start with the actor's own county and the template that is in use there."""
        own = self.choices("organization").where(Organization.id == actor().area_id)
        record.organization = session().scalars(own).first()
        place = record.organization.id if record.organization else 0
        template = self.choices("template").where(BulletinTemplate.organization_id == place)
        record.template = session().scalars(template.order_by(BulletinTemplate.id.desc())).first()

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Name it and number it within its year; a template must be the place's own."""
        if record.template and record.template.organization_id != record.organization.id:
            sentence = _("这个模板是别的单位的，请另选，或留空用自带模板。")
            raise Invalid(sentence, template=sentence)
        if record.id is None:
            record.month = form["month"].data
            record.issue = self._next_issue(record.organization, record.month // 100)
        record.title = (record.title or "").strip() or title_of(
            record.organization.name, record.month
        )

    def _next_issue(self, place: Organization, year: int) -> int:
        """Return the next number of a place's year; whoever asks at the same moment waits."""
        locking.lock(session(), place)
        last = select(func.max(Bulletin.issue)).where(
            Bulletin.organization_id == place.id,
            Bulletin.month.between(year * 100 + 1, year * 100 + 12),
        )
        return (session().scalar(last) or 0) + 1

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """What was changed must be written anew."""
        if not created and record.status in (S.READY, S.FAILED):
            workflow.apply(session(), record, "rewrite", actor())

    def _save(self, form: RecordForm, record: Any, *, created: bool) -> Any:
        """Leave the writing to the worker, once the row is there for it."""
        answer = super()._save(form, record, created=created)
        if isinstance(answer, Response) and answer.status_code == 302:
            queue().send(TASK, record.id)
        return answer

    def after_step(self, pk: int) -> str:
        """A bulletin that is to be written anew goes to the worker."""
        if self.found(pk).status is S.WAITING:
            queue().send(TASK, pk)
        return super().after_step(pk)

    def saved_text(self, record: Any) -> str:
        """Say what happens now."""
        return _("正在后台生成，完成后在这里查看和签发。")

    def editable(self, record: Any) -> str | None:
        """What was issued stays as it was issued."""
        if record.status is S.ISSUED:
            return _("通报已签发，不能再修改；有错时请另发一期更正。")
        return _("正在生成，请稍候再改。") if record.status in BUSY else None

    # Reading

    def detail_loads(self) -> Options:
        """The page names place and template."""
        return [joinedload(Bulletin.organization), joinedload(Bulletin.template)]

    def step_loads(self, action: str) -> Options:
        """A step asks for whose it is."""
        return [joinedload(Bulletin.organization)]

    def page_of(self, record: Any, refused: tuple[str, steps.StepForm] | None = None) -> DetailPage:
        """Return a bulletin's own page."""
        return BulletinPage(self, record, refused)

    def cell_month(self, record: Any) -> str:
        """Write the month as people do."""
        return said(record.month)

    detail_month = cell_month

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer both files; the list leads to the templates."""
        if record is None:
            templates = view_of(BulletinTemplate)
            if templates is None or not templates.may("can_list"):
                return []
            return [Link(_("通报模板"), templates.url("list"), "fa-file-word")]
        if record.docx_hash is None or record.status in BUSY:
            return []
        return [
            Link(_("下载 Word"), self.url("docx", pk=record.id), "fa-file-word", "primary"),
            Link(_("下载 Excel"), self.url("xlsx", pk=record.id), "fa-file-excel"),
        ]

    @expose("/docx/<int:pk>")
    @has_access
    def docx(self, pk: int) -> Response:
        """Send the Word document as it was written."""
        return self._file(self.found(pk), "docx", MIMETYPES[ScanKind.DOCX])

    @expose("/xlsx/<int:pk>")
    @has_access
    def xlsx(self, pk: int) -> Response:
        """Send the workbook with the figures behind it."""
        return self._file(self.found(pk), "xlsx", MEDIA_TYPE)

    def _file(self, record: Bulletin, ending: str, media: str) -> Response:
        digest = record.docx_hash if ending == "docx" else record.xlsx_hash
        path = path_of(digest, data_dir()) if digest else None
        if path is None or record.status in BUSY:
            raise Conflict(_("文件还没有生成，请稍候再下载。"))
        if not path.is_file():
            raise Conflict(_("“%(title)s”的文件找不到了，请告诉系统管理员。", title=record.title))
        name = clean_name(f"{record.title}.{ending}", f"通报.{ending}")
        answer = send_file(path, mimetype=media, as_attachment=True, download_name=name)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def months() -> list[int]:
    """Return the months that a bulletin may be about, as 202611, this one first."""
    day, found = shanghai_date(utcnow()).replace(day=1), []
    for _turn in range(BACK):
        found.append(month_of(day))
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return found


def said(month: int) -> str:
    """Return a month as people write it."""
    return _("%(year)s年%(month)s月", year=month // 100, month=month % 100)
