"""What a step of a ticket changed, in words: an event's data as people read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from models.ledger import Event
from models.ticket import Verdict
from rules.deadlines import Term
from rules.wording import local
from views.mechanism_words import term_text
from views.presentation import Detail
from views.rendering import paragraphs

Teller = Callable[[Any], Markup | str]


def details_of(event: Event) -> list[Detail]:
    """Return what a step changed, label by label; what nobody has words for is left out."""
    data = event.data or {}
    found = []
    for name, label, teller in _TELLERS:
        value = data.get(name)
        if value in (None, "", [], {}):
            continue
        text = teller(value)
        if text:
            found.append(Detail(_(label), text, wide=name in _LONG))
    return found


def _names(value: Any) -> str:
    """Return the names of organisations, or of whatever else was written down with its name."""
    people = value if isinstance(value, list) else [value]
    return _("、").join(str(each["name"]) for each in people if each.get("name"))


def _instant(value: Any) -> str:
    return local(dt.datetime.fromisoformat(value))


def _clocks(value: Any) -> Markup:
    """Return the deadlines that were fixed, each with the term that it was reckoned by."""
    lines = []
    # Where only a later deadline was granted, the step says so itself.
    if "terms" not in value:
        return Markup("")
    for clock, label in (("respond", "应哨"), ("arrive", "报到"), ("resolve", "办结")):
        due, term = value.get("due", {}).get(clock), value.get("terms", {}).get(clock)
        if not due:
            continue
        text = _("%(what)s %(when)s", what=_(label), when=_instant(due))
        if term:
            text = _("%(due)s（%(term)s）", due=text, term=term_text(Term.from_json(term)))
        lines.append(text)
    return paragraphs("\n".join(lines))


def _verdict(value: Any) -> str:
    return next((_(each.title) for each in Verdict if each.value == value), "")


def _extension(value: Any) -> str:
    """Return the deadline that was, and the one that is asked for or granted."""
    old, new = _instant(value["old"]), value.get("new")
    if new:
        return _("从 %(old)s 延至 %(new)s", old=old, new=_instant(new))
    return _("从 %(old)s，申请延至 %(new)s", old=old, new=_instant(value["asked"]))


def _stars(value: Any) -> str:
    return _("%(n)s 星", n=value)


def _said(value: Any) -> str:
    return str(value)


def _reviewed(value: Any) -> str:
    return _(value["name"])


def _yes(_value: Any) -> str:
    return _("是")


#: What an event's data may hold: (its name there, what people call it, how it is told).
_TELLERS: Iterable[tuple[str, str, Teller]] = (
    ("lead", "主办单位", _names),
    ("assisting", "协办单位", _names),
    ("review", "审核环节", _reviewed),
    ("handed_over_by", "原主办单位", _names),
    ("removed", "撤销协办", _names),
    ("returned_by", "退单单位", _names),
    ("handed_up_by", "上报单位", _names),
    ("holder", "处置单位", _names),
    ("solved_by", "处置单位", _names),
    ("extension", "办结期限", _extension),
    ("extension_dropped", "延期申请", _said),
    ("clocks", "期限", _clocks),
    ("verdict", "吹哨资格", _verdict),
    ("registered_at_office", "直派，同时报吹哨办备案", _yes),
    ("fix_by", "限期整改", _instant),
    ("supervised", "督办", _yes),
    ("stars", "群众星级", _stars),
    ("stars_comment", "群众评语", paragraphs),
    ("result", "办理结果", paragraphs),
)
_LONG = frozenset({"clocks", "result", "stars_comment"})
