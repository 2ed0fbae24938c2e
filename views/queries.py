"""What a list asks the database for: scope, ready-made filters, the reader's own, search, order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from flask import request
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, inspect, select
from sqlalchemy.orm import joinedload, raiseload

from models.base import Record
from rules.errors import Invalid
from views import listing
from views.context import actor, session
from views.listing import Order, Page, Request, filtered, matches, parse
from views.presentation import BulkAction

Names = list[str]
Options = list[Any]
Tabs = list[tuple[str, str, Any]]


@dataclass(frozen=True)
class OwnFilter:
    """A filter of a list that is no column of its records.

    With a ``target`` the reader chooses one of its records, and ``test`` takes the id; without, he
    types a text. With ``words`` other pages lead here with a value, which these put into words: the bar
    shows it only while it is set, to be kept or dropped.
    """

    label: str
    test: Callable[[Any], ColumnElement[bool]]
    target: type[Any] | None = None
    words: Callable[[str], str] | None = None


OwnFilters = dict[str, OwnFilter]


class ListQueries:
    """The part of a record view that turns an address into a statement."""

    model: ClassVar[type[Record]]
    list_columns: ClassVar[Names]
    search_columns: ClassVar[Names] = []
    filter_columns: ClassVar[Names] = []
    #: further columns that an address may filter by; the bar shows them only while they do
    quiet_filters: ClassVar[Names] = []
    order_columns: ClassVar[Names] = []
    default_order: ClassVar[Order] = Order()
    #: ready-made filters above the list: (name in the URL, label, criterion or None for all)
    #: … or a function that makes one for the actor
    tabs: ClassVar[Tabs] = []
    #: further filters, by their name in the URL
    own_filters: ClassVar[OwnFilters] = {}

    def query(self) -> Select[Any]:
        """Return the rows of the list; the gate narrows them to the actor's scope."""
        return select(self.model)

    def asked(self) -> Request:
        """Return the request for the list as it opens."""
        return Request(self.default_order)

    def asked_for(self) -> Request:
        """Return what the address asks for."""
        return parse(
            request.args,
            orders=self.order_columns,
            default=self.default_order,
            filters=self.filter_names(),
        )

    def filter_names(self, *, quiet: bool = True) -> Names:
        """Return the filters' names in a URL, with the quiet ones or without; a date has two ends."""
        view: Any = type(self)
        return list(_filter_names(view, quiet))

    def narrowed(self, asked: Request) -> Select[Any]:
        """Return the statement of all that is asked for, in no order, with nothing beside the rows."""
        columns = {name: v for name, v in asked.filters.items() if name not in self.own_filters}
        statement = filtered(self.query(), self.model, columns)
        for name in asked.filters.keys() & self.own_filters.keys():
            statement = statement.where(self._own_test(name, asked.filters[name]))
        tab = self.tab_test(asked.tab)
        if tab is not None:
            statement = statement.where(tab)
        if asked.query and self.search_columns:
            statement = statement.where(self.searched(asked.query))
        return statement

    def tab_test(self, name: str) -> ColumnElement[bool] | None:
        """Return the criterion of a ready-made filter for the actor; None lets everything through."""
        test = next((test for each, _label, test in self.tabs if each == name), None)
        found: ColumnElement[bool] | None = test(actor()) if callable(test) else test
        return found

    def searched(self, text: str) -> ColumnElement[bool]:
        """Return the criterion of the quick search."""
        return matches(self.model, self.search_columns, text)

    def _own_test(self, name: str, value: str) -> ColumnElement[bool]:
        own = self.own_filters[name]
        if own.target is None:
            return own.test(value)
        number = listing.id_of(value)
        if number is None:
            raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=value))
        return own.test(number)

    def page(self, asked: Request) -> tuple[Page, str]:
        """Return the asked page and how many rows match in all, as text."""
        statement, database = self.listed(asked), session()
        if not self.lies_thin(asked):
            page = listing.fetch(database, self.model, statement, asked)
            return page, listing.count(database, self.model, statement, page)
        walked, key = listing.walk(database, self.model, statement)
        page = listing.fetch(database, self.model, walked, asked, key)
        return page, listing.count_near(database, self.model, statement, page)

    def listed(self, asked: Request) -> Select[Any]:
        """Return the list's statement: related names come along, anything else lazy is an error."""
        relations = inspect(self.model).relationships
        loads: Options = [
            joinedload(getattr(self.model, name))
            for name in self.list_columns
            if name in relations and not relations[name].uselist
        ]
        return self.narrowed(asked).options(*loads, *self.loads(), raiseload("*"))

    def ordered(self, statement: Select[Any], asked: Request) -> Select[Any]:
        """Put the order that is asked for on a statement; the number breaks ties."""
        names = dict.fromkeys((asked.order.column, "id"))
        columns = [getattr(self.model, name) for name in names]
        down = asked.order.descending
        return statement.order_by(*(each.desc() if down else each.asc() for each in columns))

    def loads(self) -> Options:
        """Return further loader options that the list's cells need."""
        return []

    def bulk_offers(self) -> list[BulkAction]:
        """Return the steps that the actor may take on all rows that are ticked."""
        return []

    def lies_thin(self, asked: Request) -> bool:
        """Tell whether no index finds what is asked for but the one of the reader's own records."""
        return not asked.filters and not asked.tab


@cache
def _filter_names(view: type[ListQueries], quiet: bool) -> tuple[str, ...]:
    names: Names = []
    for name in [*view.filter_columns, *(view.quiet_filters if quiet else [])]:
        column = inspect(view.model).columns.get(name)
        is_date = column is not None and issubclass(listing.kind_of(column.type), dt.date)
        names += [f"{name}_from", f"{name}_until"] if is_date else [name]
    return (*names, *(name for name, own in view.own_filters.items() if quiet or not own.words))
