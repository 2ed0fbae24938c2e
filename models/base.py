"""The base of every record type: column annotations, UTC time, titled enums, optimistic locking."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from flask_appbuilder import Model
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    Integer,
    TypeDecorator,
    event,
    func,
    literal_column,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from models.scoping import ScopeRule


def utcnow() -> dt.datetime:
    """Return the present instant, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


#: In words: a comma that is a value has a statement's words put together anew each time it is sent.
_COMMA: Any = literal_column("','")


def listed(values: ColumnElement[str]) -> ColumnElement[str]:
    """Return what gathers the texts of several rows into one, parted by commas."""
    return func.aggregate_strings(values, _COMMA)


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An instant: aware in Python, UTC in the database on both SQLite and PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse a naive time: nobody could say which zone it was meant in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        """SQLite forgets the zone; what is stored is always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Titled(enum.StrEnum):
    """An enum whose members carry the word that the interface shows and a tone for its badge.

    Tones: ``muted``, ``info``, ``progress``, ``success``, ``warning``, ``danger``.
    """

    title: str  # type: ignore[assignment]  # a word in the interface, not str.title()
    tone: str

    def __new__(cls, value: str, title: str, tone: str = "muted") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.title = title
        member.tone = tone
        return member


def titled_type(members: type[Titled]) -> Enum:
    """Return the column type of a titled enum: its values as text, the same on both databases."""
    return Enum(
        members,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda kind: [member.value for member in kind],
        validate_strings=True,
    )


@dataclass(frozen=True)
class Field:
    """What a column says of itself to forms, lists and workbooks (design section 2.1)."""

    label: str
    help: str = ""
    widget: str = ""
    headings: tuple[str, ...] = ()
    personal: bool = False


def field(
    label: str,
    *,
    help: str = "",
    widget: str = "",
    headings: tuple[str, ...] = (),
    personal: bool = False,
) -> dict[str, Field]:
    """Return a column's ``info``: its label, a help line, the widget and its Excel headings.

    ``personal``: somebody's own telephone number; ``rules.personal`` says who reads it whole.
    """
    return {"field": Field(label, help, widget, headings, personal)}


@dataclass(frozen=True)
class Sheet:
    """How a record type stands in a workbook: what tells its records apart, and its columns.

    The names are those of columns, and of relations to an organisation; the last of the key is what
    a row is called by. Without ``columns`` the sheet has all that have a label, as the model orders
    them.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...] = ()


class Record(Model):
    """A row that people edit: numbered, dated, and guarded against two people saving at once.

    ``version`` is checked by every UPDATE: the second of two writers gets ``StaleDataError``.
    A record type states its Chinese name in ``__label__``, how the gate finds its organisation
    in ``__scope__``, and whether changes to it are written to the audit log in ``__audited__``.
    With ``__sheet__`` it has a template, an import and an export; types whose sheets need more than
    that are declared in ``imports/specs/``.
    """

    __abstract__ = True
    __scope__: ClassVar[ScopeRule]
    __label__: ClassVar[str]
    __audited__: ClassVar[bool] = True
    __sheet__: ClassVar[Sheet | None] = None

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=field("编号"))
    created_at: Mapped[dt.datetime] = mapped_column(
        UTCDateTime, default=utcnow, info=field("创建时间")
    )
    updated_at: Mapped[dt.datetime] = mapped_column(
        UTCDateTime, default=utcnow, onupdate=utcnow, info=field("更新时间")
    )
    version: Mapped[int] = mapped_column(Integer, default=1, info=field("版本"))

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        """Lock every concrete record type optimistically on its ``version``."""
        return {"version_id_col": cls.version}


@event.listens_for(Record, "instrument_class", propagate=True)
def _never_reuse_an_id(mapper: Any, record: type[Record]) -> None:
    """SQLite would give a deleted record's id to the next one, and its log lines with it."""
    mapper.local_table.dialect_options["sqlite"]["autoincrement"] = True
