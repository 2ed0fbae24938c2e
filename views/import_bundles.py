"""Files that were uploaded together: where each of them stands, and one word for all that are sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import select

from imports.findings import counts
from models.import_job import BUSY, ImportJob, ImportJobState
from rules.errors import Conflict
from views.context import session, unit_of_work
from views.import_batches import kind_title
from views.import_work import set_to_work, upload_endpoint
from views.presentation import Column, Crumb, Row, Table
from views.rendering import EMPTY, badge, shown

S = ImportJobState


class Bundles:
    """The routes of the upload pages about several files at once."""

    url: Callable[..., str]
    render_template: Callable[..., Any]

    @expose("/bundle/<bundle>")
    @has_access
    def bundle(self, bundle: str) -> Any:
        """Show the files that were uploaded together, and where each of them stands."""
        jobs = self._bundle(bundle)
        ready = [job for job in jobs if job.state is S.READY]
        return self.render_template(
            "import_bundle.html",
            view_title=_("一起上传的 %(n)s 个文件", n=len(jobs)),
            table=self._bundle_table(jobs),
            busy=any(job.state in BUSY for job in jobs),
            ready=len(ready),
            apply_url=self.url("apply_all", bundle=bundle),
            back_url=url_for(upload_endpoint(jobs[0].kind)),
            crumbs=[upload_crumb(jobs[0].kind), Crumb(_("一起上传的文件"))],
        )

    def _bundle(self, bundle: str) -> list[ImportJob]:
        query = select(ImportJob).where(ImportJob.bundle == bundle).order_by(ImportJob.id)
        jobs = list(session().scalars(query))
        if not jobs:
            abort(404)
        return jobs

    def _bundle_table(self, jobs: list[ImportJob]) -> Table:
        labels = [_("文件"), _("导入到"), _("状态"), _("新增"), _("更改"), _("错误"), _("说明")]
        rows = []
        for job in jobs:
            total, unread = counts(job.findings), "" if job.findings else EMPTY
            cells = [
                job.file_name,
                shown(job.organization.name if job.organization else None),
                badge(job.state),
                unread or str(total["new"]),
                unread or str(total["changed"]),
                unread or str(job.findings.get("errors", 0)),
                job.message or "",
            ]
            rows.append(Row(job.id, self.url("show", pk=job.id), cells))
        return Table([Column(str(n), label) for n, label in enumerate(labels)], rows)

    @expose("/apply-all/<bundle>", methods=["POST"])
    @has_access
    def apply_all(self, bundle: str) -> Any:
        """Do what the files of one upload would do, each by itself: all of it or nothing."""
        with unit_of_work():
            ready = [job for job in self._bundle(bundle) if job.state is S.READY]
            for job in ready:
                job.state, job.message = S.WRITING, None
            numbers = [job.id for job in ready]
        if not numbers:
            raise Conflict(_("没有可以确认的文件。请先处理有错误的文件。"))
        for number in numbers:
            set_to_work("import-write", number, None)
        return redirect(self.url("bundle", bundle=bundle))


def upload_crumb(kind: str) -> Crumb:
    """Return the step of the way that leads back to where such files are uploaded."""
    return Crumb(_("导入%(what)s", what=kind_title(kind)), url_for(upload_endpoint(kind)))
