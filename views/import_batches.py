"""Import batches: who imported which file, what it changed, and taking it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, redirect, send_file, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from imports.specs import kind_label
from imports.undo import undo
from models.duty import DutyListStatus, DutyListType
from models.imports import ImportBatch, ImportStatus
from rules.errors import Forbidden, Refused
from rules.policy import Action
from views import permissions
from views.batch_changes import SHOWN_CHANGES, changes_table, may_have_file
from views.context import actor, unit_of_work
from views.presentation import Button, Column, Link, MenuEntry, Related, Row, Table
from views.records import RecordView
from views.rendering import badge


def kind_title(kind: str) -> str:
    """Return the Chinese name of a kind of import."""
    return _(kind_label(kind))


class ImportBatchView(RecordView):
    """The ledger of imports; a batch is never edited, only undone."""

    model = ImportBatch
    route_base = "/import-batches"
    menu = (MenuEntry("基础资料", "导入批次", "fa-file-import", 90),)
    list_columns = ["file_name", "kind", "organization", "state", "actor_name", "created_at"]
    labels = {"organization": "所属机构"}
    search_columns = ["file_name", "actor_name"]
    filter_columns = ["state"]
    form_groups = [
        ("批次", ["file_name", "kind", "organization", "actor_name", "created_at"]),
        ("追溯", ["file_hash", "undone_by", "undone_at"]),
    ]
    exclude_route_methods = {"add", "edit", "delete", "options"}
    demands = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_file": Action.READ,
        "can_undo": Action.EDIT,
    }
    empty_text = "还没有导入过文件。"

    def cell_kind(self, record: Any) -> str:
        """Name what was imported."""
        return kind_title(record.kind)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer what comes next, the lists to publish, and the file itself."""
        if record is None:
            return [Link(_("我的上传"), url_for("ImportJobView.list"), "fa-file-arrow-up")]
        links = []
        applied = record.state is ImportStatus.APPLIED
        may_list = permissions.allowed(actor().roles, "can_list", "DutyListView")
        if record.kind == "duty-items" and applied and may_list:
            drafts = {"organization": record.organization_id, "status": DutyListStatus.DRAFT.value}
            where = url_for("DutyListView.list", **drafts)
            links.append(Link(_("去发布清单"), where, "fa-list-check", "primary"))
        if record.stored_name and may_have_file(actor(), record):
            links.append(Link(_("下载原文件"), self.url("file", pk=record.id), "fa-download"))
        return links

    @expose("/file/<int:pk>")
    @has_access
    def file(self, pk: int) -> Response:
        """Send the file that was imported, under the name it came with."""
        batch = self.found(pk)
        if not may_have_file(actor(), batch):
            raise Forbidden(_("文件里有联系电话，只有导入它的人和组织部门可以下载。"))
        path = Path(current_app.config["DATA_DIR"]) / "imports" / (batch.stored_name or "")
        if not batch.stored_name or not path.is_file():
            abort(404)
        return send_file(path, as_attachment=True, download_name=batch.file_name)

    @expose("/undo/<int:pk>", methods=["POST"])
    @has_access
    def undo(self, pk: int) -> Any:
        """Take the batch back, unless its rows have changed since."""
        batch = self.found(pk)
        try:
            with unit_of_work() as database:
                result = undo(database, batch)
        except Refused as refusal:
            flash(refusal.message, "danger")
            return self.shown(self.found(pk), refusal.status)
        flash(str(result), "success")
        return redirect(self.url("show", pk=pk))

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the result sheet by sheet, the first changes, and the undo."""
        parts = [
            Related(_("结果"), summary_table(record)),
            Related(_("明细（最多列出 %(n)s 条）", n=SHOWN_CHANGES), changes_table(record)),
        ]
        return super().shown(
            record,
            status,
            badge_html=badge(record.state),
            related=parts,
            buttons=self._undo_button(record),
            **more,
        )

    def _undo_button(self, record: ImportBatch) -> list[Button]:
        if record.state is not ImportStatus.APPLIED or not self.may("can_undo"):
            return []
        return [
            Button(
                "undo",
                _("撤销导入"),
                self.url("undo", pk=record.id),
                "danger",
                FlaskForm(formdata=None),
                [],
                _("整批恢复到导入之前；导入后又有改动的，不能撤销，并会列出是哪些。"),
            )
        ]


def summary_table(batch: ImportBatch) -> Table:
    """Return the counts of each sheet."""
    titles = {kind.value: kind.title for kind in DutyListType}
    labels = [_("工作表"), _("类型"), _("新增"), _("更改"), _("不变"), _("文件中没有")]
    names = ["sheet", "list_type", "new", "changed", "unchanged", "missing"]
    rows = []
    for number, sheet in enumerate(batch.summary):
        values = dict(sheet)
        values["list_type"] = _(titles.get(sheet["list_type"], kind_title(batch.kind)))
        rows.append(Row(number, None, [str(values[name]) for name in names]))
    return Table([Column(n, label) for n, label in zip(names, labels, strict=True)], rows)
