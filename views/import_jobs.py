"""An uploaded workbook on its way: what is open, what it would do, and the word to do it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, jsonify, redirect, request, send_file, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired

from imports.findings import counts
from imports.marked import marked, remarks_of
from jobs.imports import NEEDS_PLACE, discard, in_reach, key_of, resumed, stored
from jobs.queue import queue
from models.import_job import BUSY, OPEN, ImportJob, ImportJobState, ImportLayout
from models.organization import Organization
from rules.errors import Conflict, Invalid
from rules.policy import Action
from views.context import STALE, actor, session, unit_of_work
from views.forms import RecordSelectField, chooser, options_of
from views.import_batches import kind_title
from views.import_bundles import Bundles, upload_crumb
from views.import_decisions import (
    DecisionForm,
    candidates,
    decided_headings,
    decided_names,
    headings_form,
    merged,
    names_form,
)
from views.import_work import set_to_work, upload_endpoint
from views.presentation import Crumb, Link
from views.records import RecordView
from views.rendering import badge

S = ImportJobState


class ImportJobView(Bundles, RecordView):
    """One's own uploads: nothing is written before the person who uploaded the file says so."""

    model = ImportJob
    route_base = "/import-jobs"
    list_columns = ["file_name", "kind", "organization", "state", "created_at"]
    search_columns = ["file_name"]
    filter_columns = ["state"]
    form_groups = [("上传", ["file_name", "kind", "organization", "created_at", "message"])]
    labels = {"created_at": "上传时间"}
    exclude_route_methods = {"add", "edit", "options"}
    demands = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_bundle": Action.READ,
        "can_progress": Action.READ,
        "can_organizations": Action.READ,
        "can_marked": Action.READ,
        "can_place": Action.EDIT,
        "can_headings": Action.EDIT,
        "can_names": Action.EDIT,
        "can_retire": Action.EDIT,
        "can_apply": Action.EDIT,
        "can_apply_all": Action.EDIT,
        "can_cancel": Action.EDIT,
        "can_delete": Action.DELETE,
    }
    empty_text = "还没有上传过文件。"

    def titled(self, route: str, otherwise: str) -> str:
        """Nobody else's uploads are here."""
        return _("我的上传") if route == "list" else otherwise

    def cell_kind(self, record: Any) -> str:
        """Name what is imported."""
        return kind_title(record.kind)

    def editable(self, record: Any) -> str | None:
        """A job that is being worked on must be called off before it is removed."""
        return _("文件正在处理，请先取消。") if record.state in BUSY else None

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead on to the batch that has been written, and to the errors in the file itself."""
        links = []
        if record is not None and record.batch_id is not None:
            batch = url_for("ImportBatchView.show", pk=record.batch_id)
            links.append(Link(_("查看导入批次"), batch, "fa-file-import", "primary"))
        if record is not None and record.state is S.FAULTY:
            where = self.url("marked", pk=record.id)
            links.append(Link(_("下载标注错误的文件"), where, "fa-file-arrow-down"))
        return links

    # Pages

    def shown(self, record: Any, status: int | None = None, **more: Any) -> Any:
        """Show how far the job is, what is open, and what it would do."""
        found = record.findings
        if status is None:
            status = 422 if record.state in (S.FAULTY, S.REFUSED) else 200
        context = {
            "view_title": record.file_name,
            "badge_html": badge(record.state),
            "job": record,
            "kind_title": kind_title(record.kind),
            "back_url": url_for(upload_endpoint(record.kind)),
            "busy": record.state in BUSY,
            "progress_url": self.url("progress", pk=record.id),
            "cancel_url": self.url("cancel", pk=record.id),
            "apply_url": self.url("apply", pk=record.id),
            "retire_url": self.url("retire", pk=record.id),
            "found": found,
            "counts": counts(found),
            "retire": bool(record.decisions.get("retire")),
            "links": self.extra_links(record),
            "delete_url": None if record.state in BUSY else self.url("delete", pk=record.id),
            "version_form": self._version_form(record),
            "crumbs": self._crumbs(record),
        }
        if record.state in OPEN:
            context |= self._open_questions(record)
        return self.render_template("import_job.html", **(context | more)), status

    def _open_questions(self, job: ImportJob) -> dict[str, Any]:
        if job.state is S.PLACE:
            return {"place_form": self._place_form(job), "place_url": self.url("place", pk=job.id)}
        form, groups = headings_form(job)
        names, lines = names_form(job, self.url)
        return {
            "headings_form": form,
            "heading_groups": groups,
            "headings_url": self.url("headings", pk=job.id),
            "names_form": names,
            "name_lines": lines,
            "names_url": self.url("names", pk=job.id),
        }

    def _crumbs(self, job: ImportJob) -> list[Crumb]:
        upload = upload_crumb(job.kind)
        same = select(ImportJob.id).where(ImportJob.bundle == job.bundle).limit(2)
        if len(session().scalars(same).all()) == 1:
            return [upload, Crumb(job.file_name)]
        together = Crumb(_("一起上传的文件"), self.url("bundle", bundle=job.bundle))
        return [upload, together, Crumb(job.file_name)]

    def _version_form(self, job: ImportJob) -> DecisionForm:
        return DecisionForm(formdata=None, data={"version": str(job.version)})

    def _place_form(self, job: ImportJob) -> Any:
        field = RecordSelectField(
            _("清单所属地区"),
            source=url_for(upload_endpoint(job.kind, "owners")),
            choose=chooser(session(), in_reach(session(), job.kind), Organization),
            validators=[InputRequired(_("请选择清单所属地区。"))],
        )
        kind: type[DecisionForm] = type("PlaceForm", (DecisionForm,), {"organization": field})
        return kind().about(job)

    @expose("/progress/<int:pk>")
    @has_access
    def progress(self, pk: int) -> Response:
        """Tell the page's script how far the job is."""
        job = self.found(pk)
        phase, done, total = queue().progress(key_of(pk)) or ("", 0, 0)
        says = {
            "read": _("正在读取文件"),
            "check": _("正在核对每一行"),
            "compare": _("正在与已有内容比较"),
            "write": _("正在写入"),
        }.get(phase, _(job.state.title))
        return jsonify(busy=job.state in BUSY, phase=says, done=done, total=total)

    @expose("/organizations")
    @has_access
    def organizations(self) -> Any:
        """Answer the select box of organisations that a name may mean."""
        return options_of(candidates(), Organization, request.args.get("q", ""))

    @expose("/marked/<int:pk>")
    @has_access
    def marked(self, pk: int) -> Response:
        """Send the uploaded workbook with every cell in error coloured and commented."""
        job = self.found(pk)
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        if job.state is not S.FAULTY or not stored(app, job).is_file():
            raise Conflict(_("这个文件没有要标注的错误，或上传的文件已经清理。"))
        plan = resumed(app, session(), job)
        content = marked(stored(app, job), job.file_name, remarks_of(plan))
        name = _("%(name)s（标注错误）.xlsx", name=Path(job.file_name).stem)
        return send_file(io.BytesIO(content), as_attachment=True, download_name=name)

    # Decisions

    @expose("/place/<int:pk>", methods=["POST"])
    @has_access
    def place(self, pk: int) -> Any:
        """Take the word on whose lists they are, and read the file for that place."""
        job = self._decidable(pk)
        if job.kind not in NEEDS_PLACE:
            abort(404)
        form = self._place_form(job)
        if not form.validate():
            return self.shown(job, 422, place_form=form)
        return self._anew(pk, form, lambda: {"organization": form["organization"].data})

    @expose("/headings/<int:pk>", methods=["POST"])
    @has_access
    def headings(self, pk: int) -> Any:
        """Take the word on columns, remember it for such a layout, and read the file anew."""
        job = self._decidable(pk)
        form, groups = headings_form(job)
        if not form.validate():
            return self.shown(job, 422, headings_form=form, heading_groups=groups)

        def decide() -> dict[str, Any]:
            lists, headings = decided_headings(job, form)
            self._remember(job, headings)
            return {"decisions": merged(job, lists=lists, headings=headings)}

        return self._anew(pk, form, decide, headings_form=form, heading_groups=groups)

    def _remember(self, job: ImportJob, headings: dict[str, Any]) -> None:
        """Keep what has been said of layouts for the next file, if the actor has an organisation."""
        mine = actor().organization_id
        if mine is None:
            return
        for mark, said in headings.items():
            known = session().scalars(
                select(ImportLayout).where(
                    ImportLayout.organization_id == mine,
                    ImportLayout.kind == job.kind,
                    ImportLayout.mark == mark,
                )
            )
            layout = known.first() or ImportLayout(organization_id=mine, kind=job.kind, mark=mark)
            layout.list_type, layout.columns = said.list_type, dict(said.columns)
            session().add(layout)

    @expose("/names/<int:pk>", methods=["POST"])
    @has_access
    def names(self, pk: int) -> Any:
        """Take the word on who is meant by names, for all rows at once, and read the file anew."""
        job = self._decidable(pk)
        form, lines = names_form(job, self.url)
        if not form.validate():
            return self.shown(job, 422, names_form=form, name_lines=lines)

        def decide() -> dict[str, Any]:
            return {"decisions": merged(job, names=decided_names(job, form, lines))}

        return self._anew(pk, form, decide, names_form=form, name_lines=lines)

    @expose("/retire/<int:pk>", methods=["POST"])
    @has_access
    def retire(self, pk: int) -> Any:
        """Switch whether what the file lacks goes, and show what that would do."""
        job = self._decidable(pk)
        wanted = request.form.get("retire") == "1"
        return self._anew(
            pk,
            DecisionForm(),
            lambda: {"decisions": merged(job) | {"retire": wanted}},
        )

    def _decidable(self, pk: int) -> ImportJob:
        job: ImportJob = self.found(pk)
        if job.state not in OPEN:
            raise Conflict(
                _("这个文件现在是“%(state)s”，不能再改。请刷新后核对。", state=_(job.state.title))
            )
        return job

    def _anew(self, pk: int, form: Any, decide: Any, **again: Any) -> Any:
        """Write a decision into the job and have its file read anew; a refusal shows the form again."""
        try:
            with unit_of_work():
                job = self._as_seen(pk, form)
                for name, value in decide().items():
                    setattr(job, name, value)
                job.state, job.message = S.WAITING, None
                size = job.size
        except Invalid as refusal:
            flash(refusal.message, "danger")
            return self.shown(self.found(pk), refusal.status, **again)
        set_to_work("import-read", pk, size)
        return redirect(self.url("show", pk=pk))

    def _as_seen(self, pk: int, form: Any) -> ImportJob:
        """Return the job if it is still as the person was shown it."""
        job: ImportJob = self.found(pk)
        if form["version"].data != str(job.version):
            raise Conflict(_(STALE))
        return job

    # Doing it

    @expose("/apply/<int:pk>", methods=["POST"])
    @has_access
    def apply(self, pk: int) -> Any:
        """Do what was shown, all of it or nothing."""
        with unit_of_work():
            job = self._as_seen(pk, DecisionForm())
            if job.state is not S.READY:
                raise Conflict(_not_ready(job))
            job.state, job.message = S.WRITING, None
            size = job.size
        set_to_work("import-write", pk, size)
        session().expire_all()
        job = self.found(pk)
        if job.state is S.DONE:
            flash(_("已导入。核对下面的结果，需要时可以整批撤销。"), "success")
            return redirect(url_for("ImportBatchView.show", pk=job.batch_id))
        if job.state is S.READY:
            return self.shown(job, 409)
        return redirect(self.url("show", pk=pk))

    @expose("/cancel/<int:pk>", methods=["POST"])
    @has_access
    def cancel(self, pk: int) -> Any:
        """Call a job off: at once while it waits, at its next beat while it is being worked on."""
        with unit_of_work():
            job = self.found(pk)
            state = job.state
            if state not in BUSY:
                raise Conflict(_("这个文件没有在处理，不用取消。"))
            if state is S.WAITING:
                job.state = S.CANCELLED
                job.message = _("已取消，没有写入任何内容。")
        if state is not S.WAITING:
            queue().call_off(key_of(pk))
            flash(_("正在取消，请稍候。"), "info")
        return redirect(self.url("show", pk=pk))

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Remove the upload and its file; what has been imported stays."""
        job = self.found(pk)
        if reason := self.editable(job):
            raise Conflict(reason)
        kind = job.kind
        with unit_of_work() as database:
            discard(current_app._get_current_object(), job)  # type: ignore[attr-defined]
            database.delete(job)
        flash(_("已移除上传的文件。"), "success")
        return redirect(url_for(upload_endpoint(kind)))


def _not_ready(job: ImportJob) -> str:
    if job.state is S.FAULTY:
        n = job.findings.get("errors", 0)
        return _("文件里有 %(n)s 处错误，没有导入。请改正后重新上传。", n=n)
    return _("这个文件现在是“%(state)s”，不能确认。请刷新后核对。", state=_(job.state.title))
