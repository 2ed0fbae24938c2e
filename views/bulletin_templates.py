"""Templates of bulletins: a county's own Word document in place of ours."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.file import FileField
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.bulletin import Bulletin, BulletinTemplate
from presets.bulletin import MONTHLY_BULLETIN
from reports.bulletins import FIELDS, PURPOSE
from rules.attachments import path_of
from rules.errors import Conflict, Invalid
from views.context import data_dir, session
from views.forms import RecordForm
from views.letters import send_word_file
from views.presentation import MenuEntry
from views.word_templates import WordTemplateView


class BulletinTemplateView(WordTemplateView):
    """The office brings a Word template; without one, ours is used."""

    model = BulletinTemplate
    route_base = "/bulletin-templates"
    menu = (MenuEntry("跟踪问效", "通报模板", "fa-file-word", 65),)
    list_columns = ["name", "organization", "file_name", "in_use", "updated_at"]
    search_columns = ["name"]
    form_groups = [("模板", ["name", "organization", "in_use", "file"])]
    show_groups = [("模板", ["name", "organization", "file_name", "in_use", "updated_at"])]
    labels = {"file": "模板文件", "updated_at": "上传时间"}
    purpose = PURPOSE
    fields = FIELDS
    aside = "parts/bulletin_fields.html"
    unnamed = "通报模板.docx"
    empty_text = (
        "还没有自己的通报模板，生成时用系统自带的。下载自带模板，在 Word 里改好，再新增上传。"
    )

    def fill(self, record: Any) -> None:
        """A new one is for use."""
        super().fill(record)
        record.in_use = True

    def extra_fields(self) -> dict[str, Any]:
        """The file itself; one that is there stays unless another is brought."""
        return {
            "file": FileField(
                _("模板文件"),
                description=_("Word 文档（docx），不超过 5 MB。编辑时不选文件，就保留原来的。"),
            )
        }

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Check the file and keep it."""
        if form["file"].data:
            self.take(record, form)
        elif record.id is None:
            raise Invalid(_("请选择模板文件。"), file=_("请选择模板文件。"))

    def saved_text(self, record: Any) -> str:
        """Say what changes from now on."""
        return _("模板已保存，以后生成通报时可以选用。")

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Delete a template that no bulletin names; one that was used is put out of use instead."""
        record = self.found(pk)
        used = select(Bulletin.id).where(Bulletin.template_id == record.id).limit(1)
        if session().scalar(used):
            raise Conflict(
                _(
                    "“%(name)s”已有通报用过，要留作依据。不再用它，请编辑并取消“启用”。",
                    name=record.name,
                )
            )
        return super().delete(pk)

    @expose("/file/<int:pk>")
    @has_access
    def file(self, pk: int) -> Response:
        """Send a template under the name it came with."""
        record = self.found(pk)
        path = path_of(record.file_hash, data_dir())
        if not path.is_file():
            raise Conflict(_("模板“%(name)s”的文件找不到了，请重新上传。", name=record.file_name))
        return send_word_file(path.read_bytes(), record.file_name)

    @expose("/standard")
    @has_access
    def standard(self) -> Response:
        """Send our own template, to be changed and brought back."""
        return send_word_file(MONTHLY_BULLETIN.read_bytes(), "通报（自带模板）.docx")
