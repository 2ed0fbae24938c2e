"""What a list asks the database for: scope, ready-made filters, the reader's own, search, order."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import request
from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import joinedload, raiseload

from models.base import Record
from views.listing import Order, Request, filtered, matches, parse

Names = list[str]
Options = list[Any]
Tabs = list[tuple[str, str, Any]]


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
    tabs: ClassVar[Tabs] = []

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
        names = []
        for name in [*self.filter_columns, *(self.quiet_filters if quiet else [])]:
            column = inspect(self.model).columns.get(name)
            is_date = column is not None and column.type.python_type.__name__ == "date"
            names += [f"{name}_from", f"{name}_until"] if is_date else [name]
        return names

    def narrowed(self, asked: Request) -> Select[Any]:
        """Return the statement of all that is asked for, in no order, with nothing beside the rows."""
        statement = filtered(self.query(), self.model, asked.filters)
        tab = next((test for name, _label, test in self.tabs if name == asked.tab), None)
        if tab is not None:
            statement = statement.where(tab)
        if asked.query and self.search_columns:
            statement = statement.where(matches(self.model, self.search_columns, asked.query))
        return statement

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

    def lies_thin(self, asked: Request) -> bool:
        """Tell whether no index finds what is asked for but the one of the reader's own records."""
        return not asked.filters and not asked.tab
