"""How the list of service projects (服务项目清单) and their sessions stand in a workbook."""

from __future__ import annotations

from imports.specs.records import Parent, declare
from models.organization import OrganizationKind
from models.service import OPEN, ServiceProject, ServiceSession
from rules.agreements import SECOND_PARTIES
from rules.services import check, check_session

SERVICES = declare(
    "services",
    ServiceProject,
    columns=(
        "community",
        "provider",
        "title",
        "category",
        "planned_from",
        "planned_until",
        "funds",
        "content",
        "contact",
        "phone",
        "status",
        "actual_from",
        "actual_until",
        "people_served",
        "outcome",
        "grade",
    ),
    key=("community", "provider", "title"),
    shown=("status", "actual_from", "actual_until", "people_served", "outcome", "grade"),
    check=check,
    open_in=OPEN,
    within="community",
    kinds={"provider": SECOND_PARTIES, "community": (OrganizationKind.COMMUNITY,)},
    hints=r"服务项目|项目清单",
    headings={
        "community": ("社区", "村社区", "社区名称", "所在社区"),
        "provider": ("单位", "单位名称", "承接单位", "服务单位"),
        "category": ("项目类型",),
        "planned_from": ("开始日期", "计划开始时间"),
        "planned_until": ("结束日期", "计划结束时间"),
        "funds": ("经费", "金额", "投入资金"),
        "content": ("内容",),
        "phone": ("电话", "联系方式"),
    },
    examples={
        "community": "东关社区",
        "provider": "县第一中学",
        "title": "暑期托管",
        "planned_from": "2026-07-10",
        "planned_until": "2026-08-20",
        "funds": "3000.00",
        "content": "每周一至周五上午看护和辅导",
        "contact": "李强",
    },
)

SESSIONS = declare(
    "sessions",
    ServiceSession,
    parent=Parent("service", SERVICES, OPEN),
    columns=(
        "held_on",
        "starts_at",
        "ends_at",
        "place",
        "staff",
        "expected",
        "attended",
        "note",
    ),
    key=("held_on", "starts_at", "place"),
    check=check_session,
    hints=r"场次|排班",
    headings={
        "service.community": ("社区", "村社区", "社区名称", "所在社区"),
        "service.provider": ("单位", "单位名称", "承接单位", "服务单位"),
        "service.title": ("服务项目", "项目"),
        "held_on": ("服务日期", "时间", "开展日期"),
        "starts_at": ("开始",),
        "ends_at": ("结束",),
        "place": ("地址", "服务地点"),
        "staff": ("人员",),
        "attended": ("实到人数",),
        "note": ("说明",),
    },
    examples={
        "service.community": "东关社区",
        "service.provider": "县第一中学",
        "service.title": "暑期托管",
        "held_on": "2026-07-11",
        "starts_at": "09:00",
        "ends_at": "11:30",
        "place": "社区活动室",
        "staff": "李强、王芳",
        "expected": "30",
        "attended": "",
    },
)
