"""The printed slip of a ticket (哨单): one page that goes along on paper under the same number."""

from __future__ import annotations

import datetime as dt

from models.base import utcnow
from models.ticket import OFF_WORK, AssignmentRole, Ticket
from presets.slip import WHISTLE_SLIP
from reports.letters import letter
from rules.letters import text_of
from rules.wording import local

#: Characters of a text that still leave room for the signatures on the page.
LONGEST = {
    "标题": 72,
    "吹哨单位": 28,
    "地点": 72,
    "现场联系人": 28,
    "哨种": 28,
    "情况说明": 255,
    "清单依据": 105,
    "主办单位": 55,
    "协办单位": 55,
    "办理结果": 105,
}
MORE = "……（全文见系统）"


def slip(ticket: Ticket) -> bytes:
    """Return a ticket's slip as the bytes of a .docx. It must have a number."""
    if ticket.number is None:
        raise ValueError("a ticket that was not blown has no slip")
    return letter(WHISTLE_SLIP.read_bytes(), values_of(ticket))


def values_of(ticket: Ticket) -> dict[str, str]:
    """Return what each field of the slip says; "" for what is not known yet, to be written by hand.

    Texts that would push the signatures off the page are cut, and say so.
    """
    helping = [
        each.organization.name
        for each in ticket.assignments
        if each.role is AssignmentRole.ASSISTING and each.status not in OFF_WORK
    ]
    values = {
        "编号": ticket.number,
        "标题": ticket.title,
        "吹哨单位": ticket.organization.name,
        "吹哨时间": _at(ticket.raised_at),
        "地点": ticket.address,
        "现场联系人": ticket.contact_name,
        "联系电话": ticket.contact_phone,
        "哨种": ticket.whistle_class.name,
        "主题": ticket.theme.title,
        "情况说明": lines(ticket.detail),
        "清单依据": "：".join(filter(None, (ticket.duty_item_name, ticket.verdict.title))),
        "主办单位": ticket.lead.name if ticket.lead else None,
        "协办单位": "、".join(helping),
        "派单时间": _at(ticket.dispatched_at),
        "应哨期限": _at(ticket.respond_due),
        "报到期限": _at(ticket.arrive_due),
        "办结期限": _at(ticket.resolve_due),
        "应哨时间": _at(ticket.accepted_at),
        "报到时间": _at(ticket.arrived_at),
        "反馈时间": _at(ticket.resolved_at),
        "办理结果": lines((ticket.result or "") if ticket.resolved_at else ""),
        "打印日期": local(utcnow(), with_time=False),
    }
    return {name: cut(text_of(value), LONGEST.get(name)) for name, value in values.items()}


def _at(moment: dt.datetime | None) -> str:
    return local(moment) if moment is not None else ""


def lines(text: str) -> str:
    """Return a text without its empty lines, each of which costs a line of the page."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def cut(text: str, longest: int | None) -> str:
    """Return a text as far as it leaves room for what stands below it; it says so if it was cut."""
    if longest is None:
        return text
    # A line of its own takes a line's width, however short it is.
    lines = text.split("\n")
    if len(lines) > longest // 33 + 1:
        text = "；".join(lines)
    if len(text) <= longest:
        return text
    return text[: longest - len(MORE)] + MORE
