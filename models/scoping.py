"""How a record type is tied to organisations; ``rules.scope`` turns this and an actor into SQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sharing:
    """Which of a record type's rows the other sides of agreements in force see too (domain 4).

    A row is shared with the partners of the organisation in ``column``: only while its status is
    one of ``statuses`` (if any are named), and only with the organisations that ``offers`` names
    for it, if it names some: (table, column with the row's id, column with the organisation's).
    Whoever stands in one of the ``holders`` columns sees the row whatever became of the agreement.
    """

    column: str
    statuses: tuple[str, ...] = ()
    offers: tuple[str, str, str] | None = None
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Anchored:
    """Tied to organisations by columns of its own.

    ``columns`` hold organisation ids: a row is read if any of them is in reach, and written only
    if all that are set are. ``user_column`` ties the row to one person. ``open_read`` marks
    reference data: everyone who is logged in may read it (design section 2.2). ``sharing`` says
    what partners see of it. ``party_column`` holds the body that has the row in hand, and is what the
    scope PARTY looks at; ``line_column``, where there is one, is what LINE looks at in place of ``columns``.
    ``party_when`` (column, parent's table, statuses): that body sees the row only once its parent has
    come so far.
    """

    columns: tuple[str, ...]
    user_column: str | None = None
    open_read: bool = False
    sharing: Sharing | None = None
    party_column: str | None = None
    party_when: tuple[str, str, tuple[str, ...]] | None = None
    line_column: str | None = None


@dataclass(frozen=True)
class Through:
    """Tied through its parent: whoever reaches the parent reaches the child.

    ``open_read`` marks reference data, as in ``Anchored``.
    """

    column: str
    parent: str
    open_read: bool = False


@dataclass(frozen=True)
class Parties:
    """Tied by the indexed table of a ticket's parties (design section 5)."""

    raiser_column: str


@dataclass(frozen=True)
class Ledger:
    """A line about some other record, named by type and id: read by whoever reads that record."""

    type_column: str
    id_column: str
    organization_column: str


@dataclass(frozen=True)
class Reference:
    """Dictionary data without an organisation: read by all who are logged in."""


ScopeRule = Anchored | Through | Parties | Ledger | Reference
