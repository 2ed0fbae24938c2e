"""How the list of resources (共治资源清单) stands in a workbook (domain section 4)."""

from __future__ import annotations

from imports.specs.records import Links, declare
from models.organization import OrganizationKind
from models.resource import Resource, ResourceOffer, ResourceStatus
from rules.agreements import SECOND_PARTIES
from rules.resources import check

RESOURCES = declare(
    "resources",
    Resource,
    columns=(
        "owner",
        "name",
        "category",
        "quantity",
        "measure",
        "available_from",
        "available_until",
        "hours",
        "offers",
        "description",
        "contact",
        "phone",
        "status",
    ),
    key=("owner", "name"),
    shown=("status",),
    check=check,
    open_in=(ResourceStatus.DRAFT, ResourceStatus.AVAILABLE),
    within="owner",
    kinds={"owner": SECOND_PARTIES, "offers": (OrganizationKind.COMMUNITY,)},
    links={
        "offers": Links(
            "提供给的社区",
            "offers",
            ResourceOffer,
            help="几个社区用顿号隔开；不填表示提供给所有签约社区",
        )
    },
    hints=r"资源",
    headings={
        "owner": ("单位", "单位名称", "资源单位", "提供单位"),
        "quantity": ("资源数量",),
        "measure": ("单位（计量）", "计量"),
        "available_from": ("开始日期", "起始日期"),
        "available_until": ("截止日期", "结束日期"),
        "hours": ("开放时间", "时段"),
        "offers": ("提供范围", "面向社区", "服务社区"),
        "phone": ("电话", "联系方式"),
    },
    examples={
        "owner": "县第一中学",
        "name": "多功能报告厅",
        "quantity": "1",
        "measure": "间",
        "hours": "周末 9:00–17:00",
        "offers": "东关社区、西关社区",
        "description": "可容纳 200 人，有投影和音响",
        "contact": "李强",
    },
)
