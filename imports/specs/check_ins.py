"""How check-ins (双报到) and their activities stand in a workbook (domain section 4)."""

from __future__ import annotations

from imports.specs.records import Parent, declare
from models.check_in import CheckIn, CheckInActivity, CheckInStatus
from models.organization import OrganizationKind
from rules.agreements import SECOND_PARTIES
from rules.check_ins import check, check_activity
from rules.workflows.check_ins import SERVING

CHECK_INS = declare(
    "check-ins",
    CheckIn,
    columns=(
        "unit",
        "community",
        "member",
        "post",
        "skills",
        "phone",
        "reported_on",
        "status",
        "report",
        "grade",
    ),
    key=("unit", "community", "member"),
    shown=("status", "report", "grade"),
    check=check,
    open_in=(
        CheckInStatus.REGISTERED,
        CheckInStatus.ACTIVE,
        CheckInStatus.REPORTED,
        CheckInStatus.APPRAISED,
    ),
    within="unit",
    kinds={"unit": SECOND_PARTIES, "community": (OrganizationKind.COMMUNITY,)},
    hints=r"报到|党员",
    headings={
        "unit": ("单位", "单位名称", "工作单位"),
        "community": ("社区", "村社区", "社区名称", "报到村（社区）"),
        "post": ("岗位", "服务岗位"),
        "skills": ("专长", "个人特长"),
        "phone": ("电话", "联系方式", "手机号码"),
        "reported_on": ("报到时间",),
    },
    examples={
        "unit": "县第一中学",
        "community": "东关社区",
        "member": "李强",
        "post": "政策宣传岗",
        "skills": "书法、摄影",
        "reported_on": "2026-03-01",
    },
)

ACTIVITIES = declare(
    "activities",
    CheckInActivity,
    parent=Parent("check_in", CHECK_INS, SERVING),
    columns=("held_on", "hours", "content", "place"),
    key=("held_on", "content"),
    check=check_activity,
    hints=r"服务记录|服务活动|服务时长",
    headings={
        "check_in.unit": ("单位", "单位名称", "工作单位"),
        "check_in.community": ("社区", "村社区", "社区名称", "报到村（社区）"),
        "check_in.member": ("姓名", "党员"),
        "held_on": ("日期", "服务时间"),
        "hours": ("时长", "服务时长", "小时"),
        "content": ("内容", "活动内容"),
        "place": ("地址", "服务地点"),
    },
    examples={
        "check_in.unit": "县第一中学",
        "check_in.community": "东关社区",
        "check_in.member": "李强",
        "held_on": "2026-03-05",
        "content": "清扫楼道，劝导文明停车",
    },
)
