"""A list as a workbook, and the empty workbook to fill in, for record types that declare one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, ClassVar

from flask import send_file, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from imports.export import export as write_export
from imports.sheets import XLSX
from imports.specs import RecordSpec, spec_of
from imports.template import template as write_template
from models.base import utcnow
from rules.calendar import shanghai_date
from rules.policy import Action
from views.context import session
from views.listing import CURSORS
from views.presentation import Link
from views.queries import ListQueries

#: Bytes of a workbook that are kept in memory before they go to a file.
_IN_MEMORY = 1 << 20


class Workbooks(ListQueries):
    """The routes of a record view by which its records leave in a workbook and come in by one."""

    #: What the routes ask of the policy.
    workbook_demands: ClassVar[dict[str, Action]] = {
        "can_export": Action.READ,
        "can_template": Action.IMPORT,
    }
    may: Callable[[str], bool]
    url: Callable[..., str]

    @property
    def workbook(self) -> RecordSpec | None:
        """The declaration by which the record type stands in a workbook."""
        return spec_of(self.model)

    def missing_routes(self) -> set[str]:
        """Return the routes that this record type does not have."""
        spec = self.workbook
        if spec is None:
            return {"export", "template"}
        return set() if spec.imported else {"template"}

    def workbook_links(self, args: dict[str, Any]) -> list[Link]:
        """Return the buttons of the list's head; ``args`` is the list's address."""
        links = []
        if self.may("can_export"):
            asked = {name: value for name, value in args.items() if name not in CURSORS}
            links.append(Link(_("导出"), self.url("export", **asked), "fa-file-export"))
        if self.may("can_template"):
            links.append(Link(_("下载模板"), self.url("template"), "fa-file-arrow-down"))
            where = url_for(f"{type(self).__name__.removesuffix('View')}ImportView.upload")
            links.append(Link(_("从 Excel 导入"), where, "fa-file-import"))
        return links

    @expose("/template")
    @has_access
    def template(self) -> Response:
        """Send the empty workbook, with drop-downs of what the actor may choose."""
        spec = self._declared()
        with _book() as file:
            write_template(session(), spec, file)
            return _sent(file, _("%(what)s导入模板", what=_(spec.label)))

    @expose("/export")
    @has_access
    def export(self) -> Response:
        """Send what the list's address asks for, all of it, as a workbook."""
        spec, asked = self._declared(), self.asked_for()
        statement = self.ordered(self.narrowed(asked), asked)
        with _book() as file:
            write_export(session(), spec, statement, file)
            return _sent(file, f"{_(spec.label)}_{shanghai_date(utcnow()).isoformat()}")

    def _declared(self) -> RecordSpec:
        spec = self.workbook
        if spec is None:
            raise LookupError(f"{self.model.__name__} has no declaration")
        return spec


@contextmanager
def _book() -> Iterator[IO[bytes]]:
    """Give a file for a workbook; it is closed if nothing comes of it, else when it is sent."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        yield file
    except BaseException:
        file.close()
        raise


def _sent(file: IO[bytes], name: str) -> Response:
    size = file.tell()
    file.seek(0)
    answer = send_file(file, mimetype=XLSX, as_attachment=True, download_name=f"{name}.xlsx")
    answer.content_length = size
    answer.headers["Cache-Control"] = "no-store"
    return answer
