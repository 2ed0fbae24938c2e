"""What the letter of an agreement says: the fields that a template may use, and their values."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.base import utcnow
from models.letter import LetterTemplate
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import shanghai_date
from rules.personal import value_for

Value = Callable[[Agreement, Actor], str | dt.date | None]


@dataclass(frozen=True)
class LetterField:
    """A field of the letter: what a template calls it, what it means, what it says."""

    name: str
    help: str
    value: Value


def _column(name: str) -> Value:
    """Return a column's value as whoever prints the letter may read it."""
    return lambda agreement, actor: value_for(actor, agreement, name)


FIELDS: dict[str, LetterField] = {
    field.name: field
    for field in (
        LetterField("协议编号", help="协议的编号", value=_column("number")),
        LetterField("甲方", help="村（社区）的名称", value=lambda each, _: each.community.name),
        LetterField("乙方", help="驻区单位或部门的名称", value=lambda each, _: each.unit.name),
        LetterField(
            "所属地区",
            help="甲方所在的县（市、区）",
            value=lambda each, _: each.community.realm.name if each.community.realm else None,
        ),
        LetterField(
            "协议类型", help="共驻共建、结对帮扶或联合党委", value=lambda each, _: each.kind.title
        ),
        LetterField("签订日期", help="没有填写时为空", value=_column("signed_on")),
        LetterField("生效日期", help="协议开始的日期", value=_column("valid_from")),
        LetterField("到期日期", help="协议的最后一天", value=_column("valid_until")),
        LetterField("共建目标", help="分行的，仍然分行", value=_column("objectives")),
        LetterField("甲方承诺", help="分行的，仍然分行", value=_column("community_promises")),
        LetterField("乙方承诺", help="分行的，仍然分行", value=_column("unit_promises")),
        LetterField("甲方联络员", help="甲方联络员的姓名", value=_column("community_liaison")),
        LetterField(
            "甲方联系电话",
            help="只有双方和组织部门打印时是完整的",
            value=_column("community_phone"),
        ),
        LetterField("乙方联络员", help="乙方联络员的姓名", value=_column("unit_liaison")),
        LetterField(
            "乙方联系电话", help="只有双方和组织部门打印时是完整的", value=_column("unit_phone")
        ),
        LetterField(
            "续签自",
            help="原协议的编号；不是续签的协议为空",
            value=lambda each, _: each.renews.number if each.renews else None,
        ),
        LetterField(
            "打印日期", help="打印当天的日期", value=lambda each, _: shanghai_date(utcnow())
        ),
    )
}


def values_of(agreement: Agreement, actor: Actor) -> dict[str, str]:
    """Return what each field of an agreement's letter says to whoever prints it; "" if nothing."""
    return {name: text_of(field.value(agreement, actor)) for name, field in FIELDS.items()}


def text_of(value: str | dt.date | None) -> str:
    """Return a value as the letter writes it: dates in Chinese form, no character that XML lacks."""
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return f"{value.year}年{value.month}月{value.day}日"
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        each
        for each in text
        if each in "\n\t"
        or (unicodedata.category(each) not in ("Cc", "Cs") and each not in "\ufffe\uffff")
    )


def template_for(session: Session, realm_id: int | None) -> LetterTemplate | None:
    """Return the template that a county or city has brought, if any.

    Whoever reads an agreement prints it by its county's template, also those who may not read the
    templates as records.
    """
    if realm_id is None:
        return None
    with acting_as(session, SYSTEM):
        return session.scalars(
            select(LetterTemplate).where(LetterTemplate.organization_id == realm_id)
        ).first()
