"""Dates in msgpack, which has no type for them: as extension types in ISO form.

Loaded by the reading process too, and so as small as can be.
"""

from __future__ import annotations

import datetime as dt

import msgpack

_DATE, _DATETIME, _TIME = 1, 2, 3

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes as long to load as calamine
    from typing import Any


def pack_date(value: Any) -> msgpack.ExtType:
    """Pack a date or a time; raises ``TypeError`` for anything else."""
    if isinstance(value, dt.datetime):
        return msgpack.ExtType(_DATETIME, value.isoformat().encode())
    if isinstance(value, dt.date):
        return msgpack.ExtType(_DATE, value.isoformat().encode())
    if isinstance(value, dt.time):
        return msgpack.ExtType(_TIME, value.isoformat().encode())
    raise TypeError(type(value).__name__)


def unpack_date(code: int, data: bytes) -> dt.date | dt.time:
    """Return what ``pack_date`` has packed; raises ``ValueError`` for what it has not."""
    text = data.decode()
    if code == _DATE:
        return dt.date.fromisoformat(text)
    return dt.datetime.fromisoformat(text) if code == _DATETIME else dt.time.fromisoformat(text)
