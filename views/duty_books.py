"""Duty lists as workbooks: the empty one, a version, a place's lists, the items of a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, select
from werkzeug.wrappers import Response

from imports.duty_export import export_items
from imports.specs.duty_items import LISTS
from imports.specs.outward import SheetSpec
from imports.template import template as write_template
from models.duty import DutyItem, DutyList
from rules.policy import Action
from rules.workbook_cells import title_of
from views.context import session
from views.exports import Workbooks, book, sent
from views.presentation import Link


class DutyListBooks(Workbooks):
    """The workbooks of versions: the file of a place's lists is what the import reads."""

    found: Callable[..., Any]
    workbook_demands = Workbooks.workbook_demands | {"can_export_one": Action.READ}

    @property
    def workbook(self) -> SheetSpec | None:
        """Any of the lists' declarations: all of them are imported."""
        return next(iter(LISTS.values()))

    def book_name(self) -> str:
        """Return what files of all the lists are called."""
        return _(self.model.__label__)

    def import_view(self) -> str:
        """Return the name of the view that takes the lists in."""
        return "DutyItemImportView"

    def write_template(self, file: IO[bytes]) -> None:
        """Write the empty workbook, a sheet for each list."""
        write_template(session(), tuple(LISTS.values()), file)

    def write_export(self, statement: Select[Any], file: IO[bytes]) -> None:
        """Write the versions of a statement, each whole."""
        chosen = statement.with_only_columns(DutyList.id).order_by(None)
        items = select(DutyItem).where(DutyItem.duty_list_id.in_(chosen))
        export_items(session(), items, file, whole=True)

    def version_links(self, record: Any | None) -> list[Link]:
        """Return the button of a version's page."""
        if record is None or not self.may("can_export_one"):
            return []
        return [Link(_("导出"), self.url("export_one", pk=record.id), "fa-file-export")]

    @expose("/export/<int:pk>")
    @has_access
    def export_one(self, pk: int) -> Response:
        """Send one version as a workbook."""
        version = self.found(pk)
        items = select(DutyItem).where(DutyItem.duty_list_id == version.id)
        with book() as file:
            export_items(session(), items, file, whole=True)
            return sent(file, title_of(str(version)))


class DutyItemBooks(Workbooks):
    """The items of a filter, in the lists that they stand on."""

    def missing_routes(self) -> set[str]:
        """The empty workbook belongs to the lists."""
        return {"template"}

    @property
    def workbook(self) -> SheetSpec | None:
        """Any of the lists' declarations: their items are what is exported."""
        return next(iter(LISTS.values()))

    def book_name(self) -> str:
        """Return what files of items are called."""
        return _(self.model.__label__)

    def write_export(self, statement: Select[Any], file: IO[bytes]) -> None:
        """Write the items of a statement, version by version."""
        export_items(session(), statement, file)
