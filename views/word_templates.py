"""What views of Word templates have in common: a county's own in place of ours, and what it may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select

from models.organization import REALMS, Organization
from models.registry import type_name
from reports.letter_templates import LARGEST, LETTER, Purpose, check_template
from rules.attachments import clean_name, keep
from rules.errors import Invalid
from rules.policy import Action
from rules.scope import reachable
from views.context import actor, data_dir, session
from views.forms import RecordForm
from views.presentation import Column, Link, Related, Row, Table
from views.records import RecordView


class WordTemplateView(RecordView):
    """A county or a city brings a Word template; without one, ours is used.

    ``purpose`` says what it must be fit for, ``fields`` what it may say (name → help), ``aside`` is the
    part of the page that shows them beside the form. ``unnamed`` is what a file without any name is
    called. Each view has the routes ``file`` and ``standard`` of its own.
    """

    purpose: ClassVar[Purpose] = LETTER
    fields: ClassVar[Mapping[str, str]]
    aside: ClassVar[str]
    unnamed: ClassVar[str]
    demands = RecordView.demands | {"can_file": Action.READ, "can_standard": Action.READ}

    def choices(self, field: str) -> Select[Any]:
        """A template belongs to a county or a city that the actor keeps such templates of."""
        return (
            super()
            .choices(field)
            .where(
                Organization.kind.in_(REALMS),
                Organization.active,
                reachable(actor(), type_name(self.model), Organization.id, Action.ADD),
            )
        )

    def fill(self, record: Any) -> None:
        """Start with the actor's own county."""
        own = self.choices("organization").where(Organization.id == actor().area_id)
        record.organization = session().scalars(own).first()

    def take(self, record: Any, form: RecordForm) -> int:
        """Check the file that was brought and keep it; return how many bytes it has."""
        file = form["file"].data
        name = clean_name(file.filename or "", self.unnamed)
        content = file.stream.read(LARGEST + 1)
        try:
            check_template(name, content, self.purpose)
        except Invalid as refusal:
            raise Invalid(refusal.message, file=refusal.message) from refusal
        record.file_name, record.file_hash = name, keep(content, data_dir())
        return len(content)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer the file, and ours to start from."""
        links = [Link(_("下载自带模板"), self.url("standard"), "fa-download")]
        if record is not None:
            links.insert(0, Link(_("下载"), self.url("file", pk=record.id), "fa-download"))
        return links

    def form_page(self, form: RecordForm, record: Any | None, *args: Any, **more: Any) -> Any:
        """Show beside the form which fields a template may use."""
        fields = [{"name": name, "help": text} for name, text in self.fields.items()]
        # Our own template has escaped what it shows.
        aside = Markup(render_template(self.aside, fields=fields))  # noqa: S704
        return super().form_page(form, record, *args, **({"aside": aside} | more))

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the fields that a template may use."""
        rows = [
            Row(number, None, [f"{{{{ {name} }}}}", _(text)])
            for number, (name, text) in enumerate(self.fields.items())
        ]
        table = Table([Column("name", _("字段")), Column("help", _("含义"))], rows)
        part = Related(_("模板里可以用的字段"), table)
        return super().shown(record, status, **({"related": [part]} | more))
