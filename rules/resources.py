"""What makes a resource sound (domain section 4)."""

from __future__ import annotations

from models.organization import OrganizationKind
from models.resource import Resource
from rules.agreements import SECOND_PARTIES
from rules.errors import Invalid


def check(resource: Resource) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound resource."""
    problems: dict[str, str] = {}
    owner = resource.owner
    if owner is not None and owner.kind not in SECOND_PARTIES:
        problems["owner"] = f"资源应属于驻区单位或部门，“{owner.name}”是{owner.kind.title}。"
    if resource.quantity is not None and not 1 <= resource.quantity <= 1_000_000_000:
        problems["quantity"] = "数量应是 1 以上的整数。"
    begin, end = resource.available_from, resource.available_until
    if begin and end and end < begin:
        problems["available_until"] = "可用截止日期不应早于可用起始日期。"
    for offer in resource.offers:
        place = offer.organization
        if place is not None and place.kind is not OrganizationKind.COMMUNITY:
            problems["offers"] = f"提供范围应选村（社区），“{place.name}”是{place.kind.title}。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)
