"""Templates of the agreement letter: a county's own in place of ours."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.file import FileField, FileRequired
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.letter import LetterTemplate
from reports.letters import default_template
from rules.attachments import size_text
from rules.errors import Invalid
from rules.letters import FIELDS
from views.context import actor, session
from views.forms import RecordForm
from views.letters import send_word_file, template_of
from views.presentation import MenuEntry
from views.word_templates import WordTemplateView


class LetterTemplateView(WordTemplateView):
    """The organisation department brings a Word template; without one, ours is used."""

    model = LetterTemplate
    route_base = "/letter-templates"
    menu = (MenuEntry("一书三单", "协议书模板", "fa-file-word", 80),)
    list_columns = ["organization", "file_name", "size", "uploaded_by", "updated_at"]
    search_columns = ["file_name", "organization.name"]
    form_groups = [("模板", ["organization", "file"])]
    show_groups = [
        ("模板", ["organization", "file_name", "size", "uploaded_by", "updated_at", "file_hash"])
    ]
    labels = {"file": "模板文件", "size": "大小", "updated_at": "上传时间"}
    fields: ClassVar[dict[str, str]] = {each.name: each.help for each in FIELDS.values()}
    aside = "parts/letter_fields.html"
    unnamed = "协议书模板.docx"
    empty_text = (
        "还没有自己的协议书模板，打印时用系统自带的。下载自带模板，在 Word 里改好，再新增上传。"
    )

    def extra_fields(self) -> dict[str, Any]:
        """The file itself; a new one each time the record is saved."""
        return {
            "file": FileField(
                _("模板文件"),
                description=_("Word 文档（docx），不超过 5 MB。上传即替换原来的。"),
                validators=[FileRequired(_("请选择模板文件。"))],
            )
        }

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Check the file and keep it; a county has one."""
        other = session().scalars(
            select(LetterTemplate).where(
                LetterTemplate.organization_id == record.organization.id,
                LetterTemplate.id != (record.id or 0),
            )
        )
        if (found := other.first()) is not None:
            sentence = _(
                "%(place)s已有模板“%(name)s”，请打开它，用“编辑”替换。",
                place=record.organization.name,
                name=found.file_name,
            )
            raise Invalid(sentence, organization=sentence)
        record.size = self.take(record, form)
        record.uploaded_by = actor().name[:100]

    def saved_text(self, record: Any) -> str:
        """Say what changes from now on."""
        return _("模板已保存，%(place)s的协议书从现在起按它打印。", place=record.organization.name)

    def cell_size(self, record: Any) -> str:
        """Show the size as people read it."""
        return size_text(record.size)

    @expose("/file/<int:pk>")
    @has_access
    def file(self, pk: int) -> Response:
        """Send a county's template under the name it came with."""
        record = self.found(pk)
        return send_word_file(template_of(record.organization_id), record.file_name)

    @expose("/standard")
    @has_access
    def standard(self) -> Response:
        """Send our own template, to be changed and brought back."""
        return send_word_file(default_template(), "共驻共建协议书（自带模板）.docx")
