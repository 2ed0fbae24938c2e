"""The kinds of values beside text: how a cell is read, compared, stored, shown and written.

A value is held in three forms: *plain* (JSON, in plans and batches), *live* (what a record's
column holds), and the cell's own.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from imports.specs.base import Field, Kind
from imports.text import CellValue, clean, heading_key, is_blank, one_line
from models.base import Titled

#: A plain value; organisations are their ids, dates and times ISO texts, decimals texts.
Value = str | int | bool | None | list[str] | list[int]

#: What the databases' integers hold.
LARGEST = 2**31 - 1
YES, NO = "是", "否"
_YES = frozenset({"是", "有", "对", "√", "✓", "✔", "y", "yes", "true", "1"})
_NO = frozenset({"否", "不是", "没有", "无", "×", "✗", "✘", "n", "no", "false", "0"})
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:00?:00(?::00)?)?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2})(?::|点|时)(\d{1,2})?分?(?::\d{1,2})?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


class Unreadable(Exception):
    """A cell does not say such a value; the text is the sentence for the person."""


def _plain_text(text: str) -> str:
    """Return text in one width and without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _read_date(field: Field, text: str, value: CellValue) -> Value:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    plain = _plain_text(text)
    match = _DATE.fullmatch(plain) or _COMPACT_DATE.fullmatch(plain)
    try:
        if match is None:
            raise ValueError(plain)
        return dt.date(*(int(part) for part in match.groups())).isoformat()
    except ValueError:
        raise Unreadable(
            f"“{field.label}”不是日期，请写成 2026-11-21 这样的年月日，或把单元格设为日期格式。"
        ) from None


def _read_time(field: Field, text: str, value: CellValue) -> Value:
    if isinstance(value, dt.datetime):
        value = value.time()
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    match = _TIME.fullmatch(_plain_text(text))
    try:
        if match is None:
            raise ValueError(text)
        return dt.time(int(match[1]), int(match[2] or 0)).strftime("%H:%M")
    except ValueError:
        raise Unreadable(f"“{field.label}”不是时间，请写成 14:05 这样的时和分。") from None


def _number(text: str) -> decimal.Decimal | None:
    """Return the number in a text that may use full width and 1,000 for a thousand."""
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", _plain_text(text))
    return decimal.Decimal(plain) if _NUMBER.fullmatch(plain) else None


def _read_integer(field: Field, text: str, value: CellValue) -> Value:
    number = None if isinstance(value, bool | dt.date | dt.time) else _number(text)
    if number is None or number != number.to_integral_value():
        raise Unreadable(f"“{field.label}”应是整数，只填数字，不要写单位。")
    if abs(number) > LARGEST:
        raise Unreadable(f"“{field.label}”太大，最多是 {LARGEST}。")
    return int(number)


def _read_decimal(field: Field, text: str, value: CellValue) -> Value:
    number = None if isinstance(value, bool | dt.date | dt.time) else _number(text)
    if number is None:
        raise Unreadable(f"“{field.label}”应是数字，不要写单位。")
    digits, places = field.digits
    if abs(number) >= decimal.Decimal(10) ** (digits - places):
        raise Unreadable(f"“{field.label}”太大，整数部分最多 {digits - places} 位。")
    exact = number.quantize(decimal.Decimal(1).scaleb(-places))
    if exact != number:
        raise Unreadable(f"“{field.label}”最多 {places} 位小数，请四舍五入后再填。")
    return str(exact)


def _read_flag(field: Field, text: str, value: CellValue) -> Value:
    if isinstance(value, bool):
        return value
    key = _plain_text(text).casefold()
    if key in _YES or key in _NO:
        return key in _YES
    raise Unreadable(f"“{field.label}”请填“{YES}”或“{NO}”。")


def read_choice(field: Field, text: str, shown: str) -> Value:
    """Return the value that a title stands for; ``shown`` is the text as a sentence quotes it."""
    key = heading_key(text)
    for label, value in field.choices.items():
        if heading_key(label) == key:
            return value
    first: dict[str, str] = {}
    for label, value in field.choices.items():
        first.setdefault(value, label)
    raise Unreadable(f"不认识“{shown}”这个{field.label}，可以填：{'、'.join(first.values())}。")


#: What reads a cell that is not empty: (field, its clean text, the value as stored) → plain.
READERS: dict[Kind, Callable[[Field, str, CellValue], Value]] = {
    Kind.DATE: _read_date,
    Kind.TIME: _read_time,
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.FLAG: _read_flag,
}


def is_nothing(field: Field, text: str, *, literal: bool) -> bool:
    """Tell whether a cell says nothing: 无 and a dash do, unless a name must be taken literally."""
    if literal and field.kind is Kind.TEXT and field.required:
        return text == ""
    if field.kind is Kind.FLAG and text in _NO:
        return False
    return is_blank(text)


def texts_of(value: Value) -> list[str]:
    """Return the texts of a value that is a list of them; of any other, none."""
    return [str(each) for each in value] if isinstance(value, list) else []


def as_read(field: Field, value: Value) -> Value:
    """Return what the import would read of a stored text: it may hold what no cell can say."""
    if field.kind is not Kind.TEXT or not isinstance(value, str):
        return value
    text = clean(value)
    if is_nothing(field, text, literal=True):
        return None
    return text if field.multiline else one_line(text)


def plain(field: Field, live: Any) -> Value:
    """Return the plain form of what a column holds."""
    if live is None or live == "":
        return None
    if field.kind is Kind.DATE:
        return str(live.isoformat())
    if field.kind is Kind.TIME:
        return str(live.strftime("%H:%M"))
    if field.kind is Kind.DECIMAL:
        exact = decimal.Decimal(str(live))  # a float's own digits, not those of its binary form
        return str(exact.quantize(decimal.Decimal(1).scaleb(-field.digits[1])))
    if isinstance(live, Titled):
        return live.value
    found: Value = live
    return found


def live(field: Field, value: Value, members: type[Titled] | None) -> Any:
    """Return what a column holds for a plain value; ``members`` are those of its enum."""
    if value is None:
        return None
    if field.kind is Kind.DATE:
        return dt.date.fromisoformat(str(value))
    if field.kind is Kind.TIME:
        return dt.time.fromisoformat(str(value))
    if field.kind is Kind.DECIMAL:
        return decimal.Decimal(str(value))
    if field.kind is Kind.ENUM and members is not None:
        return next(each for each in members if each.value == value)
    return value


def shown(field: Field, value: Value) -> str:
    """Return a plain value as a page or a sentence shows it; organisations are not among them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if field.kind is Kind.ENUM:
        return next(title for title, each in field.choices.items() if each == value)
    return str(value)
