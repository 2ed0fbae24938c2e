"""Scans of signed agreements: uploaded, sent and removed on the agreement's own page."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.agreement import Agreement
from models.scan import AgreementScan, ScanKind
from rules import personal
from rules.attachments import path_of, size_text
from rules.errors import Forbidden, Refused
from rules.policy import Action
from rules.scans import ENDINGS, LARGEST, MOST, attach
from views import permissions
from views.context import actor, data_dir, session, unit_of_work
from views.details import writable
from views.listing import LARGEST_ID
from views.registry import view_of

MIMETYPES = {
    ScanKind.PDF: "application/pdf",
    ScanKind.JPEG: "image/jpeg",
    ScanKind.PNG: "image/png",
    ScanKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


#: A scan shows what the page masks.
NOT_FOR_OTHERS = "扫描件上有双方联系人的电话，只有协议双方和组织部门可以打开。"


class AgreementScanView(BaseView):
    """The files of an agreement: whoever may edit it keeps them, its parties read them.

    Its status does not matter: the signed paper comes after the signing.
    """

    route_base = "/agreement-scans"

    def __init__(self) -> None:
        super().__init__()
        permissions.declare(
            self.class_permission_name,
            {
                "can_upload": ("agreement", Action.EDIT),
                "can_file": ("agreement", Action.READ),
                "can_delete": ("agreement", Action.EDIT),
            },
        )

    @expose("/upload/<int:pk>", methods=["POST"])
    @has_access
    def upload(self, pk: int) -> Any:
        """Attach the posted files to an agreement: all of them, or none."""
        page: Any = view_of(Agreement)
        agreement = page.found(pk)
        self._refuse_strangers(agreement)
        given = [each for each in request.files.getlist("files") if each.filename]
        if not given:
            flash(_("请选择要上传的扫描件。"), "danger")
            return page.shown(agreement, 422)
        files = [(each.filename or "", each.stream.read(LARGEST + 1)) for each in given]
        try:
            with unit_of_work() as database:
                added = attach(database, agreement, files, actor(), data_dir())
                number = len(added)
        except Refused as refusal:
            flash(refusal.message, "danger")
            return page.shown(page.found(pk), refusal.status)
        flash(_("已上传 %(n)s 个扫描件。", n=number), "success")
        return redirect(page.url("show", pk=pk) + "#scans")

    @expose("/file/<int:pk>")
    @has_access
    def file(self, pk: int) -> Response:
        """Send a scan under the name it came with; never to be opened by the browser in place."""
        scan = self._found(pk)
        if not personal.may_read(actor(), scan.agreement):
            raise Forbidden(_(NOT_FOR_OTHERS))
        path = path_of(scan.file_hash, data_dir())
        if not path.is_file():
            abort(404)
        return send_file(
            path,
            mimetype=MIMETYPES[scan.kind],
            as_attachment=True,
            download_name=scan.file_name,
        )

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Remove a scan from its agreement; the bytes may be another agreement's too, and stay."""
        scan = self._found(pk)
        agreement_id, name = scan.agreement_id, scan.file_name
        self._refuse_strangers(scan.agreement)
        with unit_of_work() as database:
            database.delete(scan)
        flash(_("已删除“%(title)s”。", title=name), "success")
        return redirect(url_for("AgreementView.show", pk=agreement_id) + "#scans")

    def _found(self, pk: int) -> AgreementScan:
        found = session().get(AgreementScan, pk) if pk <= LARGEST_ID else None
        if found is None:
            abort(404)
        return found

    def _refuse_strangers(self, agreement: Agreement) -> None:
        """Answer 404 to who reads the agreement but may not edit this one."""
        page: Any = view_of(Agreement)
        if not writable(page, agreement, Action.EDIT):
            abort(404)


def scans_context(agreement: Agreement) -> dict[str, Any]:
    """Return what ``parts/scans.html`` shows of an agreement, and may offer the reader."""
    page: Any = view_of(Agreement)
    mine = permissions.allowed(actor().roles, "can_upload", AgreementScanView.__name__) and (
        writable(page, agreement, Action.EDIT)
    )
    query = (
        select(AgreementScan)
        .where(AgreementScan.agreement_id == agreement.id)
        .order_by(AgreementScan.id)
    )
    open_to_reader = personal.may_read(actor(), agreement)
    scans = [
        {
            "name": scan.file_name,
            "kind": scan.kind.title,
            "size": size_text(scan.size),
            "who": scan.uploaded_by,
            "at": scan.created_at,
            "id": scan.id,
            "url": url_for("AgreementScanView.file", pk=scan.id) if open_to_reader else None,
            "delete_url": url_for("AgreementScanView.delete", pk=scan.id) if mine else None,
        }
        for scan in session().scalars(query)
    ]
    room = mine and len(scans) < MOST
    return {
        "scans": scans,
        "scans_full": mine and not room,
        "upload_url": url_for("AgreementScanView.upload", pk=agreement.id) if room else None,
        "upload_accepts": ",".join(f".{ending}" for ending in ENDINGS),
        "upload_help": _(
            "pdf、jpg、png、docx；每个不超过 20 MB，一次合计不超过 100 MB，每份协议最多 %(n)s 个。",
            n=MOST,
        ),
    }
