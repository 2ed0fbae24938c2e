"""What a page is made of, as plain values: views fill these in, templates only lay them out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from wtforms import Form


@dataclass(frozen=True)
class NavItem:
    """One entry of the side navigation. ``badge`` is the number that waits behind it."""

    label: str
    url: str
    icon: str
    active: bool = False
    badge: int | None = None


@dataclass(frozen=True)
class MenuEntry:
    """A view's entry in the side navigation; ``rank`` sorts within the group."""

    group: str
    label: str
    icon: str
    rank: int = 50
    route: str = "list"


@dataclass(frozen=True)
class NavGroup:
    """A task's entries under one heading."""

    label: str
    items: list[NavItem]


@dataclass(frozen=True)
class Crumb:
    """A step of the breadcrumbs; the last has no ``url``."""

    label: str
    url: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of a list; ``sort_url`` is None where the list cannot be sorted by it.

    ``wide_only`` leaves it out on a phone; ``named`` keeps its name beside a badge there.
    """

    name: str
    label: str
    sort_url: str | None = None
    direction: str | None = None
    wide_only: bool = False
    named: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a list: the first cell is its title and links to ``url``."""

    id: int
    url: str | None
    cells: list[Markup | str]


@dataclass(frozen=True)
class Tab:
    """A ready-made filter above a list."""

    label: str
    url: str
    active: bool = False
    count: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Filter:
    """A filter that the reader may set. ``kind``: ``choice``, ``record``, ``date``, ``text``.

    ``options`` are (value, title) for a choice; a record filter asks ``source`` (JSON:
    ``{"results": [{"id": 1, "text": "…"}], "more": bool}`` for ``?q=``) and shows ``text``.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)
    source: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Link:
    """A button that leads somewhere by GET. ``of_rows``: of no use where the list shows none."""

    label: str
    url: str
    icon: str = ""
    tone: str = "default"
    of_rows: bool = False


@dataclass(frozen=True)
class BulkAction:
    """A step that may be taken on all rows that are ticked; the form POSTs them to ``url``."""

    label: str
    url: str


@dataclass(frozen=True)
class Chip:
    """A list as the reader has kept it for himself."""

    label: str
    url: str
    active: bool = False


@dataclass(frozen=True)
class Table:
    """A list's visible page. ``count_text`` is exact, or capped ("10000+")."""

    columns: list[Column]
    rows: list[Row]
    count_text: str = ""
    first_url: str | None = None
    previous_url: str | None = None
    next_url: str | None = None
    last_url: str | None = None
    more_url: str | None = None


@dataclass(frozen=True)
class Detail:
    """A labelled value on a detail page."""

    label: str
    value: Markup | str
    wide: bool = False


@dataclass(frozen=True)
class Group:
    """A titled part of a detail page."""

    title: str
    details: list[Detail]


@dataclass(frozen=True)
class FormGroup:
    """A titled part of a form; ``fields`` are names in the form."""

    title: str
    fields: list[str]
    help: str = ""


@dataclass(frozen=True)
class Clash:
    """A field that two people changed at once: what each of them wrote."""

    label: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Button:
    """A workflow step that may be taken now: a dialogue with ``form`` that POSTs to ``url``."""

    name: str
    label: str
    url: str
    tone: str
    form: Form
    groups: list[FormGroup]
    help: str = ""


@dataclass(frozen=True)
class Related:
    """Rows of another record type that hang from the one shown."""

    title: str
    table: Table
    add_url: str | None = None


@dataclass(frozen=True)
class Step:
    """A line of the timeline."""

    label: str
    at: dt.datetime
    who: str
    organization: str
    note: str
    tone: str
    to_status: str
    details: list[Detail] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """A line of the audit: one save with its fields before and after."""

    at: dt.datetime
    who: str
    organization: str
    action: str
    fields: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Queue:
    """A workbench queue: what waits for the reader, nearest deadline first."""

    title: str
    table: Table
    count_text: str
    url: str
    empty: str
    hint: Any = None
