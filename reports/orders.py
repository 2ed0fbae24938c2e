"""The printed supervision order (督办单): one page under the order's own number."""

from __future__ import annotations

from models.base import utcnow
from models.supervision import Supervision
from presets.order import SUPERVISION_ORDER
from reports.letters import letter
from reports.slips import cut, lines
from rules.letters import text_of
from rules.wording import local

#: Characters of a text that still leave room for the signatures on the page.
LONGEST = {"督办事项": 72, "情况说明": 255, "整改情况": 320, "责任单位": 28, "属地": 28}


def order(record: Supervision) -> bytes:
    """Return an order as the bytes of a .docx. It must have been issued."""
    if record.number is None:
        raise ValueError("an order that was not issued is not printed")
    return letter(SUPERVISION_ORDER.read_bytes(), values_of(record))


def values_of(record: Supervision) -> dict[str, str]:
    """Return what each field of the order says; "" for what is not known yet, to be written by hand."""
    milder = record.escalated_from
    values = {
        "编号": record.number,
        "督办方式": record.kind.title,
        "督办事项": record.matter,
        "责任单位": record.department.name if record.department else None,
        "责任领导": record.head,
        "属地": record.organization.name,
        "督办事由": record.cause.title,
        "哨单编号": record.ticket.number if record.ticket else None,
        "下达日期": local(record.issued_at, with_time=False) if record.issued_at else None,
        "情况说明": lines(record.reason),
        "办结期限": record.due_on.isoformat() if record.due_on else None,
        "由何升级": milder.number if milder else None,
        "整改情况": lines(record.answer or ""),
        "打印日期": local(utcnow(), with_time=False),
    }
    return {name: cut(text_of(value), LONGEST.get(name)) for name, value in values.items()}
