"""Sending letters of agreements: one, or all that a list finds, in one Word document."""

from __future__ import annotations

import io
from collections.abc import Sequence

from flask import send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from models.agreement import Agreement
from models.scan import ScanKind
from reports.letters import MOST, default_template, letters
from rules.attachments import clean_name, path_of
from rules.errors import Conflict
from rules.letters import template_for, values_of
from views.context import actor, data_dir, session
from views.scans import MIMETYPES


def letters_of(agreements: Sequence[Agreement]) -> Response:
    """Return the letters of some agreements as one document, each by its own county's template."""
    if not agreements:
        raise Conflict(_("当前条件下没有协议可以打印，请换个条件。"))
    if len(agreements) > MOST:
        raise Conflict(
            _(
                "一次最多打印 %(n)s 份协议书，当前条件下的协议更多。请加上筛选条件，分批打印。",
                n=MOST,
            )
        )
    templates: dict[int | None, bytes] = {}
    for each in agreements:
        realm_id = each.community.realm_id
        if realm_id not in templates:
            templates[realm_id] = template_of(realm_id)
    who = actor()
    content = letters(
        (templates[each.community.realm_id], values_of(each, who)) for each in agreements
    )
    name = _("共驻共建协议书（%(n)s 份）", n=len(agreements))
    if len(agreements) == 1:
        name = agreements[0].number.replace("/", "-").replace("\\", "-")
    return send_word_file(content, clean_name(f"{name}.docx", "协议书.docx"))


def template_of(realm_id: int | None) -> bytes:
    """Return the template by which a county's or city's agreements are printed."""
    own = template_for(session(), realm_id)
    if own is None:
        return default_template()
    path = path_of(own.file_hash, data_dir())
    if not path.is_file():
        raise Conflict(
            _("协议书模板“%(name)s”的文件找不到了，请组织部门重新上传。", name=own.file_name)
        )
    return path.read_bytes()


def send_word_file(content: bytes, name: str) -> Response:
    """Send a Word document to be saved under a name."""
    return send_file(
        io.BytesIO(content),
        mimetype=MIMETYPES[ScanKind.DOCX],
        as_attachment=True,
        download_name=name,
    )
