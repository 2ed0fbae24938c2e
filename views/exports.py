"""A list as a workbook, and the empty workbook to fill in, for record types that declare one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, ClassVar

from flask import request, send_file, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from imports.export import export as write_export
from imports.sheets import XLSX
from imports.specs import SheetSpec, spec_of
from imports.template import template as write_template
from models.base import utcnow
from rules.calendar import shanghai_date
from rules.policy import Action
from views.context import session
from views.listing import CURSORS
from views.presentation import Link
from views.queries import ListQueries
from views.registry import view_named

#: Rows of a workbook that is written while the reader waits: two seconds.
SMALL = 2000
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
    def workbook(self) -> SheetSpec | None:
        """The declaration by which the record type stands in a workbook."""
        return spec_of(self.model)

    def missing_routes(self) -> set[str]:
        """Return the routes that this record type does not have."""
        spec = self.workbook
        if spec is None:
            return {"export", "template"}
        return set() if spec.imported else {"template"}

    def import_view(self) -> str:
        """Return the name of the view that takes workbooks of the record type in."""
        return f"{type(self).__name__.removesuffix('View')}ImportView"

    def workbook_links(self, args: dict[str, Any]) -> list[Link]:
        """Return the buttons of the list's head; ``args`` is the list's address."""
        links = []
        if self.may("can_export"):
            asked = {name: value for name, value in args.items() if name not in CURSORS}
            links.append(Link(_("导出"), self.url("export", **asked), "fa-file-export"))
        if self.may("can_template"):
            links.append(Link(_("下载模板"), self.url("template"), "fa-file-arrow-down"))
            where = url_for(f"{self.import_view()}.upload")
            links.append(Link(_("从 Excel 导入"), where, "fa-file-import"))
        return links

    @expose("/template")
    @has_access
    def template(self) -> Response:
        """Send the empty workbook, with drop-downs of what the actor may choose."""
        with book() as file:
            self.write_template(file)
            return sent(file, _("%(what)s导入模板", what=self.book_name()))

    @expose("/export")
    @has_access
    def export(self) -> Any:
        """Send what the list's address asks for, all of it, as a workbook.

        Where that is a long wait, offer to have it written in the background.
        """
        asked = self.asked_for()
        statement = self.ordered(self.narrowed(asked), asked)
        if self.in_background and is_large(session(), self.model, statement):
            jobs: Any = view_named("ExportJobView")
            return jobs.larger(self, request.args.to_dict())
        with book() as file:
            self.write_export(statement, file)
            day = shanghai_date(utcnow()).isoformat()
            return sent(file, f"{self.book_name()}_{day}")

    def book_name(self) -> str:
        """Return what files of the record type are called."""
        return _(self._declared().label)

    def write_template(self, file: IO[bytes]) -> None:
        """Write the empty workbook."""
        write_template(session(), self._declared(), file)

    def write_export(self, statement: Select[Any], file: IO[bytes]) -> None:
        """Write the records of a statement."""
        write_export(session(), self._declared(), statement, file)

    def write_many(
        self, statement: Select[Any], file: IO[bytes], tell: Callable[[int], None], most: int
    ) -> int:
        """Write the records of a statement in the background; return how many there are."""
        return write_export(session(), self._declared(), statement, file, most, tell)

    @property
    def in_background(self) -> bool:
        """Tell whether the record type's workbook is the usual one, a row for each record."""
        return type(self).write_export is Workbooks.write_export

    def _declared(self) -> SheetSpec:
        spec = self.workbook
        if spec is None:
            raise LookupError(f"{self.model.__name__} has no declaration")
        return spec


def is_large(database: Session, model: type[Any], statement: Select[Any]) -> bool:
    """Tell whether a statement finds more than ``SMALL`` records."""
    some = statement.with_only_columns(model.id).order_by(None).limit(SMALL + 1).subquery()
    return (database.scalar(select(func.count(some.c.id))) or 0) > SMALL


@contextmanager
def book() -> Iterator[IO[bytes]]:
    """Give a file for a workbook; it is closed if nothing comes of it, else when it is sent."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - sent, then closed
    try:
        yield file
    except BaseException:
        file.close()
        raise


def sent(file: IO[bytes], name: str) -> Response:
    """Answer with a workbook that has been written; ``name`` is what it is saved as."""
    size = file.tell()
    file.seek(0)
    answer = send_file(file, mimetype=XLSX, as_attachment=True, download_name=f"{name}.xlsx")
    answer.content_length = size
    answer.headers["Cache-Control"] = "no-store"
    return answer
