"""What makes a check-in and its activities sound (domain section 4: 双报到、双报告)."""

from __future__ import annotations

import decimal

from models.base import utcnow
from models.check_in import CheckIn, CheckInActivity
from models.organization import OrganizationKind
from rules.agreements import SECOND_PARTIES
from rules.calendar import shanghai_date
from rules.errors import Invalid

LONGEST = decimal.Decimal(24)


def check(check_in: CheckIn) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound check-in."""
    problems: dict[str, str] = {}
    unit, community = check_in.unit, check_in.community
    if unit is not None and unit.kind not in SECOND_PARTIES:
        problems["unit"] = f"所在单位应为驻区单位或部门，“{unit.name}”是{unit.kind.title}。"
    if community is not None and community.kind is not OrganizationKind.COMMUNITY:
        problems["community"] = (
            f"报到社区应为村（社区），“{community.name}”是{community.kind.title}。"
        )
    if check_in.reported_on and check_in.reported_on > shanghai_date(utcnow()):
        problems["reported_on"] = "报到日期不能晚于今天。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def check_activity(activity: CheckInActivity) -> None:
    """Raise ``Invalid`` for an activity of the future, or of more hours than a day has."""
    problems: dict[str, str] = {}
    if activity.held_on and activity.held_on > shanghai_date(utcnow()):
        problems["held_on"] = "服务日期不能晚于今天，服务之后再登记。"
    hours = activity.hours
    if hours is not None and not decimal.Decimal(0) < hours <= LONGEST:
        problems["hours"] = "服务时长应大于 0 小时，不超过 24 小时。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)
