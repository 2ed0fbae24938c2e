"""Time in words, as the pages, notices and exports show it.

Every function takes aware instants and refuses naive ones with ``ValueError``. The words are Chinese
unless the caller passes ``say``, which looks a text up in the reader's language.
"""

import datetime
from collections.abc import Callable

from rules.calendar import SHANGHAI, as_utc

_MINUTE = datetime.timedelta(minutes=1)
_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
_STEPS = ((_DAY, "{n} 天"), (_HOUR, "{n} 小时"), (_MINUTE, "{n} 分钟"))

Say = Callable[[str], str]


def remaining(deadline: datetime.datetime, now: datetime.datetime, say: Say = str) -> str:
    """Return the time left or overdue in its largest unit: "剩 3 小时", "超期 2 天".

    Rounded down, so "剩 2 天" promises at least two full days and "超期 2 天" accuses
    of no more than has passed. Under a minute: "剩不到 1 分钟", or "刚刚到期" from the
    deadline itself on.
    """
    left = as_utc(deadline) - as_utc(now)
    late = left <= datetime.timedelta(0)
    parts = _parts(abs(left), say)
    if not parts:
        return say("刚刚到期" if late else "剩不到 1 分钟")
    return say("超期 {time}" if late else "剩 {time}").format(time=parts[0])


def duration(span: datetime.timedelta) -> str:
    """Return a length of time in its two largest neighbouring units: "2 天 3 小时".

    Rounded down to the minute; "不到 1 分钟" below one. A negative span, which only
    wrong data can give, is shown with a minus sign rather than hidden.
    """
    parts = _parts(abs(span), str)
    text = " ".join(parts) if parts else "不到 1 分钟"
    return f"−{text}" if parts and span < datetime.timedelta(0) else text


def local(moment: datetime.datetime, with_time: bool = True) -> str:
    """Return an instant as people in Asia/Shanghai write it: "2026-11-21 14:05".

    Without ``with_time`` only the date: "2026-11-21".
    """
    shown = as_utc(moment).astimezone(SHANGHAI)
    # isoformat rather than strftime: %Y does not pad years on every platform.
    return shown.date().isoformat() + (f" {shown:%H:%M}" if with_time else "")


def _parts(span: datetime.timedelta, say: Say) -> list[str]:
    """Return the largest non-zero unit and, if not zero, the next smaller one."""
    for index, (step, text) in enumerate(_STEPS):
        count, rest = divmod(span, step)
        if not count:
            continue
        parts = [say(text).format(n=count)]
        if index + 1 < len(_STEPS):
            next_step, next_text = _STEPS[index + 1]
            if next_count := rest // next_step:
                parts.append(say(next_text).format(n=next_count))
        return parts
    return []
