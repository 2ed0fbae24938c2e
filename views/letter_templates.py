"""Templates of the agreement letter: a county's own in place of ours."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.file import FileField, FileRequired
from markupsafe import Markup
from sqlalchemy import Select, select
from werkzeug.wrappers import Response

from models.letter import LetterTemplate
from models.organization import REALMS, Organization
from reports.letter_templates import LARGEST, check_template
from reports.letters import default_template
from rules.attachments import clean_name, keep, size_text
from rules.errors import Invalid
from rules.letters import FIELDS
from rules.policy import Action
from rules.scope import reachable
from views.context import actor, data_dir, session
from views.forms import RecordForm
from views.letters import send_word_file, template_of
from views.presentation import Column, Link, MenuEntry, Related, Row, Table
from views.records import RecordView


class LetterTemplateView(RecordView):
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
    demands = RecordView.demands | {"can_file": Action.READ, "can_standard": Action.READ}
    empty_text = (
        "还没有自己的协议书模板，打印时用系统自带的。下载自带模板，在 Word 里改好，再新增上传。"
    )

    def choices(self, field: str) -> Select[Any]:
        """A template belongs to a county or a city that the actor keeps agreements of."""
        return (
            super()
            .choices(field)
            .where(
                Organization.kind.in_(REALMS),
                Organization.active,
                reachable(actor(), "letter_template", Organization.id, Action.ADD),
            )
        )

    def fill(self, record: Any) -> None:
        """Start with the actor's own county."""
        own = self.choices("organization").where(Organization.id == actor().area_id)
        record.organization = session().scalars(own).first()

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
        file = form["file"].data
        name = clean_name(file.filename or "", "协议书模板.docx")
        content = file.stream.read(LARGEST + 1)
        try:
            check_template(name, content)
        except Invalid as refusal:
            raise Invalid(refusal.message, file=refusal.message) from refusal
        record.file_name, record.size = name, len(content)
        record.file_hash = keep(content, data_dir())
        record.uploaded_by = actor().name[:100]

    def saved_text(self, record: Any) -> str:
        """Say what changes from now on."""
        return _("模板已保存，%(place)s的协议书从现在起按它打印。", place=record.organization.name)

    def cell_size(self, record: Any) -> str:
        """Show the size as people read it."""
        return size_text(record.size)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer the file, and ours to start from."""
        links = [Link(_("下载自带模板"), self.url("standard"), "fa-download")]
        if record is not None:
            links.insert(0, Link(_("下载"), self.url("file", pk=record.id), "fa-download"))
        return links

    def form_page(self, form: RecordForm, record: Any | None, *args: Any, **more: Any) -> Any:
        """Show beside the form which fields a template may use."""
        # Our own template has escaped what it shows.
        aside = Markup(render_template("parts/letter_fields.html", fields=FIELDS.values()))  # noqa: S704
        return super().form_page(form, record, *args, **({"aside": aside} | more))

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the fields that a template may use."""
        part = Related(_("模板里可以用的字段"), fields_table())
        return super().shown(record, status, **({"related": [part]} | more))

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


def fields_table() -> Table:
    """Return the fields that a template may use, with what each of them says."""
    rows = [
        Row(number, None, [f"{{{{ {each.name} }}}}", _(each.help)])
        for number, each in enumerate(FIELDS.values())
    ]
    return Table([Column("name", _("字段")), Column("help", _("含义"))], rows)
