"""What a message says outside the product: what it is about, no number and no name of a resident."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rules.personal import HIDDEN

PRODUCT = "【吹哨报到】"
#: Lines of a daily mail; what is more is only counted.
LINES = 100
#: Identity cards, mobile numbers, landlines: as people write them into titles.
_NUMBERS = re.compile(
    r"(?<![\dA-Za-z])(?:\d{17}[\dXx]|(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
    r"|0\d{2,3}[- ]\d{7,8}|[（(]0\d{2,3}[)）] ?\d{7,8})(?!\d)"
)


def outside(text: str, names: Iterable[str | None] = ()) -> str:
    """Return a text as it may leave the product: personal numbers and these names are masked."""
    for name in sorted({each.strip() for each in names if each}, key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, HIDDEN)
    return _NUMBERS.sub(HIDDEN, text)


def subject(text: str) -> str:
    """Return the subject of a message about one thing."""
    return f"{PRODUCT}{text}"


def body(text: str, site: str) -> str:
    """Return a mail about one thing: what it is, and where to go on."""
    return f"{text}\n\n{_farewell(site)}"


def digest(lines: Sequence[str], site: str) -> tuple[str, str]:
    """Return subject and body of a daily mail; ``lines`` are what was told, oldest first."""
    shown = "\n".join(f"{number}. {line}" for number, line in enumerate(lines[:LINES], 1))
    left = len(lines) - LINES
    more = f"\n另有 {left} 条，请登录查看。" if left > 0 else ""
    return f"{PRODUCT}消息汇总（{len(lines)} 条）", f"{shown}{more}\n\n{_farewell(site)}"


def _farewell(site: str) -> str:
    where = f"请登录系统查看和办理：{site}/notices/list/" if site else "请登录系统查看和办理。"
    return f"{where}\n不想再收到邮件，请在“消息设置”里更改。"
