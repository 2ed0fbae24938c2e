"""Tell apart what stands below a heading: items, category banners, totals, notes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from imports.text import one_line

_NUMERAL = "[一二三四五六七八九十百〇零]"
_COUNT = re.compile(r"[(（]\s*共?\s*(\d+)\s*[项条个件]\s*[)）]\s*$")
_BANNER = re.compile(
    rf"(?:[(（]{_NUMERAL}+[)）]|{_NUMERAL}+\s*[、.．:：]|第{_NUMERAL}+(?:类|章|部分|项|节)[、:：\s]?)"
    r"\s*(?P<name>\S.*)",
    re.DOTALL,
)
_NUMERAL_CELL = re.compile(rf"第?[(（]?(?P<numeral>{_NUMERAL}+)[)）]?(?:类|章|部分|[、.．])?")
_NOTE = re.compile(
    r"(备\s*注|注\s*\d*|说\s*明|填\s*[表报]\s*(说明|人|单位|日期|时间)|附\s*注|联系人|制表|编制|审核"
    r"|单位负责人|负责人|分管领导|经办人)(?=[:：\s、.．]|$)|[*※]"
)
_TOTAL = re.compile(r"(合\s*计|总\s*计|小\s*计|共\s*计|总\s*数)[:：]?.{0,20}", re.DOTALL)
_TITLE = re.compile(r".{2,60}(清单|一览表|汇总表|统计表|目录|机构表)([(（].{1,8}[)）])?")
_LONGEST_CATEGORY = 40

_DIGITS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0}


class RowKind(Enum):
    """What a row below the heading is."""

    ITEM = auto()
    BANNER = auto()
    TITLE = auto()
    TOTAL = auto()
    NOTE = auto()
    SERIAL_ONLY = auto()


@dataclass(frozen=True)
class Banner:
    """A category's name, and the number of items it claims to have (``None``: it does not say)."""

    name: str
    count: int | None


def numeral_value(text: str) -> int:
    """Return the value of a Chinese numeral below one hundred: 十五 is 15, 二十 is 20."""
    tens, mark, units = text.rpartition("十")
    if not mark:
        return _DIGITS.get(units, 0)
    return _DIGITS.get(tens, 1 if not tens else 0) * 10 + _DIGITS.get(units, 0)


def banner_of(text: str) -> Banner:
    """Return the category in a banner's text, without its numeral and its count."""
    count = _COUNT.search(text)
    name = text[: count.start()] if count else text
    match = _BANNER.fullmatch(name.strip())
    if match:
        name = match["name"]
    return Banner(" ".join(one_line(name).split()), int(count[1]) if count else None)


def is_total(text: str) -> bool:
    """Tell whether the text heads a row of totals."""
    return _TOTAL.fullmatch(text) is not None


def is_note(text: str) -> bool:
    """Tell whether the text begins a note rather than an item."""
    return _NOTE.match(text) is not None


def classify_sole(text: str, *, in_serial: bool, in_name: bool, leads: bool, wide: bool) -> RowKind:
    """Tell what a row with a single text is, by its words, the column it is in and its width.

    ``leads``: the cell stands in the first column or the category's; ``wide``: it is merged over
    columns to its right. A lone text anywhere else is part of an item that went wrong.
    """
    if is_note(text):
        return RowKind.NOTE
    if is_total(text):
        return RowKind.TOTAL
    if _BANNER.fullmatch(text) or _COUNT.search(text):
        return RowKind.TITLE if _TITLE.fullmatch(banner_of(text).name) else RowKind.BANNER
    if in_serial and unicodedata.normalize("NFKC", text).strip("()、. ").isdigit():
        return RowKind.SERIAL_ONLY
    if not wide and (in_name or not leads):
        return RowKind.ITEM
    if _TITLE.fullmatch(text):
        return RowKind.TITLE
    return RowKind.BANNER if len(text) <= _LONGEST_CATEGORY else RowKind.NOTE


def is_split_banner(serial: str, name: str, *, next_banner: int) -> bool:
    """Tell whether "一、" in the number column with a text beside it, and nothing else, is a banner.

    A bare 一 is one only if it is the next in turn: townships also write an item's own number so.
    """
    match = _NUMERAL_CELL.fullmatch(serial)
    if match is None:
        return False
    marked = match["numeral"] != serial
    return marked or bool(_COUNT.search(name)) or numeral_value(serial) == next_banner
