"""How the list of needs (治理需求清单) stands in a workbook (domain section 4)."""

from __future__ import annotations

from imports.specs.records import declare
from models.need import Need, NeedStatus
from models.organization import OrganizationKind
from rules.needs import check

NEEDS = declare(
    "needs",
    Need,
    columns=(
        "community",
        "title",
        "category",
        "is_wish",
        "urgency",
        "source",
        "detail",
        "beneficiaries",
        "beneficiary_count",
        "wanted_from",
        "wanted_until",
        "contact",
        "phone",
        "status",
        "published_on",
        "claimed_by",
        "due_on",
        "done_on",
        "result",
        "grade",
    ),
    key=("community", "title"),
    shown=("status", "published_on", "claimed_by", "due_on", "done_on", "result", "grade"),
    check=check,
    open_in=(NeedStatus.GATHERED,),
    within="community",
    kinds={"community": (OrganizationKind.COMMUNITY,)},
    hints=r"需求|心愿",
    headings={
        "community": ("社区", "村社区", "社区名称", "所在村（社区）"),
        "urgency": ("紧急", "是否紧急"),
        "source": ("来源", "发现方式", "需求来源"),
        "beneficiaries": ("服务对象", "受益对象"),
        "beneficiary_count": ("人数", "服务人数"),
        "wanted_from": ("开始日期", "希望开始时间"),
        "wanted_until": ("希望完成时间",),
        "phone": ("电话", "联系方式"),
    },
    examples={
        "community": "东关社区",
        "title": "课后托管辅导老师",
        "detail": "每周二、四下午四点半到六点，辅导小学生作业",
        "beneficiaries": "放学后无人看护的儿童",
        "beneficiary_count": "30",
        "contact": "王芳",
    },
)
