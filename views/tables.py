"""From rows to the table of a list page: cells, sorting, filters, cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import inspect

from models.base import Titled
from rules import personal
from views import kept_lists, listing, table_html
from views.context import actor, session
from views.presentation import Column, Crumb, Filter, Link, Row, Tab, Table
from views.registry import view_of
from views.rendering import EMPTY, shown

if TYPE_CHECKING:
    from views.records import RecordView


class ListPage:
    """What ``list.html`` shows of one view for one request."""

    def __init__(self, view: RecordView, asked: listing.Request) -> None:
        self.view, self.asked = view, asked
        #: what the address asks for, whichever page it names
        self.kept: dict[str, Any] = {
            key: value for key, value in request.args.items() if key not in listing.CURSORS
        }

    def context(self) -> dict[str, Any]:
        """Return the template's variables."""
        view = self.view
        table = self.table()
        links = [each for each in view.extra_links(None) if table.rows or not each.of_rows]
        title, add = view.titled("list", view.noun), None
        asked = kept_lists.asked_of(view, request.args.items())
        chips = kept_lists.chips(view, asked)
        bulk = view.bulk_offers() if table.rows else []
        keepable = bool(asked) and not any(each.active for each in chips)
        if view.may("can_add"):
            add = Link(view.titled("add", _("新增")), view.url("add"), "fa-plus", "primary")
        return {
            "view_title": title,
            "table": table,
            "tabs": self.tabs(),
            "counts_url": self._counts_url(),
            "body": table_html.body(table, ticks=bool(bulk)),
            "bulk": bulk,
            "chips": chips,
            "asked_query": asked,
            "keep_url": url_for("SavedViewView.keep") if keepable else None,
            "saved_url": url_for("SavedViewView.list"),
            "view_name": view.endpoint,
            "filters": self.filters(),
            "q": self.asked.query,
            "search_placeholder": self._placeholder(),
            "reset_url": view.url("list"),
            "links": [*links, *([add] if add else [])],
            "workbook_links": view.workbook_links(request.args.to_dict()),
            "empty_text": self._empty(),
            "empty_link": None if self._narrowed() or self._tab() else add,
            "hidden_query": self._hidden(),
            "crumbs": [Crumb(title)],
        }

    def table(self) -> Table:
        """Return the rows with their cursors and the capped count."""
        page, count_text = self.view.page(self.asked)
        return Table(
            columns=[self._column(name) for name in self.view.list_columns],
            rows=rows_of(self.view, page.rows),
            count_text=count_text,
            first_url=self._url() if page.has_previous else None,
            previous_url=self._url(before=page.first_cursor) if page.has_previous else None,
            next_url=self._url(after=page.last_cursor) if page.has_next else None,
            last_url=self._url(last="1") if page.has_next else None,
        )

    def tabs(self) -> list[Tab]:
        """Return the ready-made filters; switching keeps the others."""
        asked = self.asked.tab or (self.view.tabs[0][0] if self.view.tabs else "")
        return [
            Tab(_(label), self._url(tab=name), name == asked, name=name)
            for name, label, _criterion in self.view.tabs
        ]

    def _counts_url(self) -> str | None:
        """Return where the page's script asks how many records stand behind each tab."""
        if not self.view.may("can_counts"):
            return None
        asked = {name: value for name, value in self.kept.items() if name != "tab"}
        return f"{self.view.url('counts')}?{urlencode(asked)}"

    def filters(self) -> list[Filter]:
        """Return the filter bar with what is set."""
        always = self.view.filter_names(quiet=False)
        names = self.view.filter_names()
        return [
            self._filter(each) for each in names if each in always or each in self.asked.filters
        ]

    def _filter(self, name: str) -> Filter:
        view, value = self.view, self.asked.filters.get(name, "")
        mapper = inspect(view.model)
        own = view.own_filters.get(name)
        if own is not None and own.words is not None:
            return Filter(name, _(own.label), "choice", value, [(value, own.words(value))])
        if own is not None and own.target is None:
            return Filter(name, _(own.label), "text", value)
        if own is not None or name in mapper.relationships:
            number = listing.id_of(value)
            chosen = session().get(view.target(name), number) if number is not None else None
            return Filter(
                name,
                _(own.label) if own else view.label(name),
                "record",
                value,
                source=view.url("options", field=name),
                text=str(chosen) if chosen else "",
            )
        if name not in mapper.columns:
            base, end = name.rsplit("_", 1)
            text = "%(label)s起" if end == "from" else "%(label)s止"
            return Filter(name, _(text, label=view.label(base)), "date", value)
        kind = mapper.columns[name].type
        if getattr(kind, "enum_class", None):
            members: type[Titled] = kind.enum_class
            options = [(member.value, _(member.title)) for member in members]
        else:
            options = [("1", _("是")), ("0", _("否"))]
        return Filter(name, view.label(name), "choice", value, options)

    def _column(self, name: str) -> Column:
        label = self.view.label(name)
        wide_only = name in self.view.wide_only
        if name not in self.view.order_columns:
            return Column(name, label, wide_only=wide_only)
        order = self.asked.order
        current = order.column == name
        descending = current and not order.descending
        url = self._url(order=name, direction="desc" if descending else "asc")
        direction = ("desc" if order.descending else "asc") if current else None
        return Column(name, label, url, direction, wide_only)

    def _url(self, **changes: Any) -> str:
        return f"{request.path}?{urlencode(self.kept | changes)}"

    def _hidden(self) -> list[tuple[str, str]]:
        kept = ("order", "direction", "tab")
        return [(name, request.args[name]) for name in kept if name in request.args]

    def _tab(self) -> str:
        """Return the label of the ready-made filter that is on, unless it lets everything through."""
        asked = self.asked.tab
        return next(
            (
                _(label)
                for name, label, test in self.view.tabs
                if name == asked and test is not None
            ),
            "",
        )

    def _narrowed(self) -> bool:
        return bool(self.asked.query or self.asked.filters)

    def _empty(self) -> str:
        if self._narrowed():
            return _("没有符合条件的记录，请换个条件试试。")
        if tab := self._tab():
            return _("“%(tab)s”里没有记录。", tab=tab)
        return _(self.view.empty_text) if self.view.empty_text else _("还没有记录。")

    def _placeholder(self) -> str:
        names = [name.split(".")[0] for name in self.view.search_columns]
        return _("、").join(dict.fromkeys(self.view.label(name) for name in names))


def rows_of(view: RecordView, records: list[Any], without: str = "") -> list[Row]:
    """Return a view's cells for some records; the first cell leads to the detail page.

    ``without``: a column to leave out, where every row would say the same.
    """
    # The address ends in the id, which spares building it for each row.
    where = view.url("show", pk=0)[:-1] if view.may("can_show") else None
    columns = [cell_of(view, name) for name in view.list_columns if name != without]
    return [
        Row(
            id=record.id,
            url=f"{where}{record.id}" if where else None,
            cells=[each(record) for each in columns],
        )
        for record in records
    ]


def cell_of(view: RecordView, name: str) -> Callable[[Any], Markup | str]:
    """Return what makes a column's cells: the view's own ``cell_NAME``, else the value as usual."""
    own: Callable[[Any], Markup | str] | None = getattr(view, f"cell_{name}", None)
    if own is not None:
        return own
    who = actor()
    return lambda record: shown(personal.value_for(who, record, name))


def cell(view: RecordView, record: Any, name: str) -> Markup | str:
    """Return one cell of a record."""
    return cell_of(view, name)(record)


def links_to(records: Sequence[Any]) -> Markup | str:
    """Return records as links to their pages; what the gate has kept back (None) is left out."""
    found = []
    for each in records:
        view = view_of(type(each)) if each is not None else None
        if view is not None:
            link = Markup('<a href="{}">{}</a>').format(view.url("show", pk=each.id), str(each))
            found.append(link if view.may("can_show") else escape(str(each)))
    return escape(_("、")).join(found) if found else EMPTY


def table_of(
    view: RecordView,
    records: list[Any],
    count_text: str = "",
    more_url: str | None = None,
    without: str = "",
) -> Table:
    """Return a short table of a view's records, for related lists and queues."""
    columns = [
        Column(name, view.label(name), wide_only=name in view.wide_only)
        for name in view.list_columns
        if name != without
    ]
    return Table(columns, rows_of(view, records, without), count_text, more_url=more_url)
