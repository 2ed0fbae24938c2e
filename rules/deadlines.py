"""Time limits and the instants they end at: pure arithmetic, no database, no request.

Domain section 3: a deadline is an amount and a unit. Counting follows 民法典 §200–203:

- §200: by Gregorian days and hours.
- §201: a term in days does not count the day it starts on; a term in hours (and
  minutes) starts at the very moment.
- §202: a term in months ends on the corresponding day. Duty lists write "1个月" for
  "about thirty days", so here a month is 30 calendar days and needs no anchor date.
- §203: the last day ends at 24:00, kept as 23:59:59 so that it shows the right date.
  Its roll-over of a last day that is a holiday is left out: §204 lets the parties agree
  otherwise, and a mechanism that wants to spare holidays says "working days".

"Day" always means the date in Asia/Shanghai.
"""

import datetime
import enum
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, TypeVar

from rules.calendar import WorkCalendar, as_utc, end_of_day, shanghai_date

_T = TypeVar("_T")


class Unit(enum.StrEnum):
    """What a time limit is measured in (domain section 3)."""

    minutes = "minutes"
    hours = "hours"
    calendar_days = "calendar_days"
    working_days = "working_days"
    working_hours = "working_hours"
    same_day = "same_day"
    per_item = "per_item"
    at_dispatch = "at_dispatch"

    @property
    def label(self) -> str:
        """The unit's Chinese name, for forms and messages."""
        return _UNIT_LABELS[self]

    @property
    def takes_amount(self) -> bool:
        """Whether a term in this unit needs a number."""
        return self in _LARGEST_AMOUNT


_UNIT_LABELS = {
    Unit.minutes: "分钟",
    Unit.hours: "小时",
    Unit.calendar_days: "天",
    Unit.working_days: "个工作日",
    Unit.working_hours: "个工作小时",
    Unit.same_day: "当日",
    Unit.per_item: "按事项时限",
    Unit.at_dispatch: "派单时定",
}

# Ten years or so: beyond that it is a slip of the keyboard, not a time limit.
_LARGEST_AMOUNT = {
    Unit.minutes: 10 * 366 * 24 * 60,
    Unit.hours: 10 * 366 * 24,
    Unit.calendar_days: 10 * 366,
    Unit.working_days: 10 * 250,
    Unit.working_hours: 10 * 250 * 8,
}


@dataclass(frozen=True)
class Term:
    """A time limit: ``amount`` of ``unit``.

    ``amount`` is a whole number for minutes, hours, calendar days, working days and
    working hours, and ``None`` for the other units. Zero is allowed for minutes only and means at
    once (即时). ``ValueError`` with a Chinese sentence otherwise.
    """

    unit: Unit
    amount: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.unit, Unit):
            raise ValueError(f"时限单位“{self.unit}”无效，请从列表中选择。")
        largest = _LARGEST_AMOUNT.get(self.unit)
        name = self.unit.label.removeprefix("个")
        if largest is None:
            if self.amount is not None:
                raise ValueError(f"时限单位“{name}”不带数量，请把数量留空。")
            return
        # A bool is an int to Python; True days is a mistake, not one day.
        if not isinstance(self.amount, int) or isinstance(self.amount, bool):
            raise ValueError(f"以“{name}”计的时限需要数量，请填写整数。")
        smallest = 0 if self.unit is Unit.minutes else 1
        if not smallest <= self.amount <= largest:
            raise ValueError(
                f"以“{name}”计的时限应在 {smallest} 到 {largest} 之间，"
                f"现在是 {self.amount}，请改正。"
            )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a duty-list cell such as "3个工作日内办结"; ``None`` if not understood.

        The whole cell must be understood: "3月15日前", "1至3日" or a cell with two
        different limits gives ``None`` rather than a guess.
        """
        found = _read_cell(text)
        if found is None:
            return None
        try:
            return cls(*found)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        """The term in Chinese: "2 个工作日", "即时", "当日", "按事项时限"."""
        if self.amount is None:
            return self.unit.label
        if self.amount == 0:
            return "即时"
        return f"{self.amount} {self.unit.label}"

    def to_json(self) -> dict[str, str | int | None]:
        """Return ``{"unit": str, "amount": int | None}`` for a JSON column."""
        return {"unit": self.unit.value, "amount": self.amount}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Rebuild a term from ``to_json``; ``ValueError`` for anything else."""
        if not isinstance(data, dict) or set(data) != {"unit", "amount"}:
            raise ValueError("时限数据格式不对，应当只含 unit 和 amount 两项，请改正。")
        try:
            unit = Unit(data["unit"])
        except ValueError:
            allowed = "、".join(Unit)
            raise ValueError(f"时限单位“{data['unit']}”无效，只能是：{allowed}。") from None
        return cls(unit, data["amount"])


def due(
    start: datetime.datetime,
    term: Term,
    calendar: WorkCalendar,
    *,
    item_term: Term | None = None,
    at_dispatch: datetime.datetime | None = None,
) -> datetime.datetime | None:
    """Return the last instant (aware, UTC) at which the term is still kept.

    Args:
        start: the aware instant at which the clock starts.
        term: the time limit of the mechanism's whistle class.
        calendar: which days are working days, and which of their hours working hours.
        item_term: the duty item's own limit; used when ``term`` is ``per_item``.
        at_dispatch: the aware instant the dispatcher set; used when the term in
            force is ``at_dispatch``.

    Minutes and hours are exact elapsed time. Days do not count the day of the start
    and end at 23:59:59 Asia/Shanghai of the n-th (working) day after it; ``same_day``
    ends so on the day of the start. Working hours run in the calendar's spans of working
    days only, so that a clock started at night first moves in the morning. ``None`` when there is no limit: an item without
    one, or no instant set at dispatch. ``ValueError`` for a naive time, or for an item
    whose limit is itself ``per_item``. See the module for the law behind it.
    """
    start = as_utc(start)
    if at_dispatch is not None:
        at_dispatch = as_utc(at_dispatch)
    if term.unit is Unit.per_item:
        if item_term is None:
            return None
        if item_term.unit is Unit.per_item:
            raise ValueError("事项自己的时限不能再写“按事项时限”，请在事项清单中填写具体时限。")
        term = item_term
    if term.unit is Unit.at_dispatch:
        return at_dispatch
    return _end(start, term, calendar)


def _end(start: datetime.datetime, term: Term, calendar: WorkCalendar) -> datetime.datetime:
    """Return the end of a term whose unit can be counted from ``start`` alone."""
    amount = term.amount or 0
    if term.unit is Unit.minutes:
        return start + datetime.timedelta(minutes=amount)
    if term.unit is Unit.hours:
        return start + datetime.timedelta(hours=amount)
    if term.unit is Unit.working_hours:
        return calendar.add_working_time(start, datetime.timedelta(hours=amount))
    day = shanghai_date(start)
    if term.unit is Unit.calendar_days:
        day += datetime.timedelta(days=amount)
    elif term.unit is Unit.working_days:
        day = calendar.add_working_days(day, amount)
    return end_of_day(day)


#: What a warning may be counted in: the other units do not say how long before a deadline it comes.
WARNING_UNITS = frozenset(_LARGEST_AMOUNT)


def warn_at(due: datetime.datetime, term: Term, calendar: WorkCalendar) -> datetime.datetime:
    """Return the instant (aware, UTC) at which a deadline comes near: ``term`` before ``due``.

    Minutes, hours and calendar days are elapsed time. Working days keep the deadline's time of day
    and go back over days off; a deadline that falls on a day off counts from the end of the working
    day before it, since nobody works in between. Working hours run backwards through the
    calendar's spans. ``ValueError`` for a naive time and for the units that have no length.
    """
    due = as_utc(due)
    if term.unit not in WARNING_UNITS or term.amount is None:
        raise ValueError(f"预警不能用“{term.unit.label}”计，请填写提前多少小时或多少天。")
    if term.unit is Unit.working_hours:
        return calendar.subtract_working_time(due, datetime.timedelta(hours=term.amount))
    if term.unit is Unit.working_days:
        return _working_days_before(due, term.amount, calendar)
    return due - elapsed(term)


def elapsed(term: Term) -> datetime.timedelta:
    """Return how long a term in minutes, hours or calendar days is; ``KeyError`` for other units."""
    return _ELAPSED[term.unit] * (term.amount or 0)


_ELAPSED = {
    Unit.minutes: datetime.timedelta(minutes=1),
    Unit.hours: datetime.timedelta(hours=1),
    Unit.calendar_days: datetime.timedelta(days=1),
}


def _working_days_before(
    due: datetime.datetime, n: int, calendar: WorkCalendar
) -> datetime.datetime:
    day = shanghai_date(due)
    if not calendar.is_working_day(day):
        day = calendar.subtract_working_days(day, 1)
        due = end_of_day(day)
    return due - (day - calendar.subtract_working_days(day, n))


# --- Reading a cell ------------------------------------------------------------------

_WORDS = {
    "即时|即刻|立即|立刻|马上|当场|实时|即接即办|即办|即办件|随到随办": (
        Unit.minutes,
        0,
    ),
    "当日|当天|即日": (Unit.same_day, None),
    "按事项时限": (Unit.per_item, None),
    "派单时定": (Unit.at_dispatch, None),
}

# Unit as written → unit, and how many of it one of the written is. A bare "月" is
# missing on purpose: "3月" is March.
_WRITTEN_UNITS = {
    "分钟": (Unit.minutes, 1),
    "小时|个小时|钟头|个钟头|h|H": (Unit.hours, 1),
    "工作日|个工作日": (Unit.working_days, 1),
    "工作小时|个工作小时": (Unit.working_hours, 1),
    "日|天|自然日|个自然日|日历日|个日历日": (Unit.calendar_days, 1),
    "周|星期|个星期": (Unit.calendar_days, 7),
    "个月": (Unit.calendar_days, 30),
}

_DIGITS = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {"两": 2}
_PLACES = {"十": 10, "百": 100}
_DIGIT = f"[{''.join(_DIGITS)}]"
_CHINESE_NUMBER = f"{_DIGIT}百(?:零{_DIGIT}|{_DIGIT}十{_DIGIT}?)?|{_DIGIT}?十{_DIGIT}?|{_DIGIT}"
# "半小时", "1.5小时", "3个半小时", "1小时30分钟", "三个工作日".
_QUANTITY = (
    r"(?:(?P<number>\d{1,7}(?:\.\d{1,2})?|" + _CHINESE_NUMBER + r")(?P<and_half>个半)?"
    r"|(?P<half>半))"
    rf"(?P<unit>{'|'.join(_WRITTEN_UNITS)})"
    rf"(?:(?P<more>\d{{1,7}}|{_CHINESE_NUMBER})分钟)?"
)

# What may stand before and after without changing the limit. Kept to plain verbs:
# anything else, such as "每月15日前", must not be mistaken for a limit.
_BEFORE = (
    r"(?:(?:办理|办结|响应|到场|处置)?(?:时限|期限)[为:]?)?"
    r"(?:[自从在]?(?:接到|收到|受理|接单|派单|接报|签收|应哨|交办|登记|立案)"
    r"(?:哨单|派单|工单|任务|通知|报告|诉求|申请|材料)?"
    r"(?:之日|之时|当日|当天|时)?(?:起|后|之后),?)?"
    r"(?:应当|应|须|需)?在?(?:不超过|最长|限时|限|一般|原则上)?"
)
_AFTER = (
    r"(?:以内|之内|内)?(?:必须|应当|应|须)?"
    r"(?:到场|到位|到达|到达现场|赶到|赶到现场|赶赴现场|报到|响应|应哨|签收|受理"
    r"|办理|办理完毕|办完|办结|处理|处理完毕|处置|处置完毕|完成|解决|反馈|答复|回复)?"
    r"[。.;]?"
)
_CELL = re.compile(f"{_BEFORE}(?:(?P<word>{'|'.join(_WORDS)})|{_QUANTITY}){_AFTER}")


def _read_cell(text: str) -> tuple[Unit, int | None] | None:
    """Return the unit and amount a cell states, or ``None`` if it is not plain."""
    # NFKC turns full-width digits and punctuation into the plain ones.
    compact = "".join(unicodedata.normalize("NFKC", text).split())
    cell = _CELL.fullmatch(compact)
    if cell is None:
        return None
    if cell["word"]:
        return _lookup(_WORDS, cell["word"])
    unit, factor = _lookup(_WRITTEN_UNITS, cell["unit"])
    amount = Fraction(1, 2) if cell["half"] else _number(cell["number"])
    if cell["and_half"]:
        amount += Fraction(1, 2)
    amount *= factor
    if unit is Unit.hours and (cell["more"] or amount.denominator != 1):
        unit, amount = Unit.minutes, amount * 60
        if cell["more"]:
            amount += _number(cell["more"])
    elif cell["more"]:
        return None
    # Half a working day, or "0天", has no end that everyone would agree on.
    if amount.denominator != 1 or amount == 0:
        return None
    return unit, int(amount)


def _lookup(table: dict[str, _T], word: str) -> _T:
    return next(value for words, value in table.items() if word in words.split("|"))


def _number(text: str) -> Fraction:
    """Return the value of an ASCII decimal or of a Chinese number below a thousand."""
    if text[0].isdecimal():
        return Fraction(text)
    total = digit = 0
    for character in text.replace("零", ""):
        if character in _PLACES:
            total += (digit or 1) * _PLACES[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return Fraction(total + digit)
