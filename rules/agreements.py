"""What makes an agreement sound (domain section 4): the right two sides, dates in order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.organization import OrganizationKind
from rules.errors import Invalid

FIRST_PARTIES = (OrganizationKind.COMMUNITY,)
SECOND_PARTIES = (
    OrganizationKind.UNIT,
    OrganizationKind.DEPARTMENT,
    OrganizationKind.STATION,
    OrganizationKind.COORDINATION_OFFICE,
)
#: Databases cap the values of a statement.
_SLICE = 400


def check(agreement: Agreement) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound agreement."""
    problems: dict[str, str] = {}
    community, unit = agreement.community, agreement.unit
    if community is not None and community.kind not in FIRST_PARTIES:
        problems["community"] = f"甲方应为村（社区），“{community.name}”是{community.kind.title}。"
    if unit is not None and unit.kind not in SECOND_PARTIES:
        problems["unit"] = f"乙方应为驻区单位或部门，“{unit.name}”是{unit.kind.title}。"
    if agreement.valid_from and agreement.valid_until:
        if agreement.valid_until <= agreement.valid_from:
            problems["valid_until"] = "到期日期应晚于生效日期。"
        if agreement.signed_on and agreement.signed_on > agreement.valid_until:
            problems["signed_on"] = "签订日期不应晚于到期日期。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def check_period(session: Session, agreement: Agreement) -> None:
    """Raise ``Invalid`` if the agreement's days overlap those of another one in force for the pair.

    The agreement that it renews is no obstacle: it is taken over (``rules.workflows.agreements``).
    """
    [refusal] = check_periods(session, [agreement])
    if refusal is not None:
        raise refusal


def check_periods(session: Session, agreements: Sequence[Agreement]) -> list[Invalid | None]:
    """Return for each agreement what ``check_period`` would raise: one statement for many pairs."""
    pairs = sorted({(each.community.id, each.unit.id) for each in agreements})
    in_force: dict[tuple[int, int], list[Agreement]] = {}
    for start in range(0, len(pairs), _SLICE):
        statement = (
            select(Agreement)
            .where(
                tuple_(Agreement.community_id, Agreement.unit_id).in_(
                    pairs[start : start + _SLICE]
                ),
                Agreement.status == AgreementStatus.IN_FORCE,
            )
            .order_by(Agreement.id)
        )
        for other in session.scalars(statement):
            in_force.setdefault((other.community_id, other.unit_id), []).append(other)
    return [
        _overlap(each, in_force.get((each.community.id, each.unit.id), [])) for each in agreements
    ]


def _overlap(agreement: Agreement, others: list[Agreement]) -> Invalid | None:
    for other in others:
        apart = other.valid_from > agreement.valid_until or other.valid_until < agreement.valid_from
        if not apart and other.id not in (agreement.id, agreement.renews_id):
            sentence = (
                f"{agreement.community.name}与{agreement.unit.name}已有生效的协议“{other.number}”"
                f"（{other.valid_from}至{other.valid_until}），期限不能与它重叠。"
                "请改日期，或在那份协议上办理续签。"
            )
            return Invalid(sentence, valid_from=sentence)
    return None


def waiting_renewal(session: Session, agreement: Agreement) -> Agreement | None:
    """Return the renewal of an agreement that is still a draft, if there is one."""
    return session.scalars(
        select(Agreement)
        .where(Agreement.renews_id == agreement.id, Agreement.status == AgreementStatus.DRAFT)
        .limit(1)
    ).first()


def next_number(session: Session, old: Agreement) -> str:
    """Return a free number for a renewal: the old one with "续1", "续2", …

    A very long number is cut so that the suffix still fits the column.
    """
    stem = re.sub(r"-续\d+$", "", old.number)[:58]
    taken = set(
        session.scalars(select(Agreement.number).where(Agreement.number.startswith(f"{stem}-续")))
    )
    return next(number for turn in range(1, 1000) if (number := f"{stem}-续{turn}") not in taken)
