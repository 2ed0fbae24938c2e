"""How co-building agreements stand in a workbook (domain section 4)."""

from __future__ import annotations

from imports.specs.records import declare
from models.agreement import Agreement, AgreementStatus
from rules.agreements import FIRST_PARTIES, SECOND_PARTIES, check, check_periods

AGREEMENTS = declare(
    "agreements",
    Agreement,
    columns=(
        "number",
        "kind",
        "community",
        "unit",
        "signed_on",
        "valid_from",
        "valid_until",
        "objectives",
        "community_promises",
        "unit_promises",
        "community_liaison",
        "community_phone",
        "unit_liaison",
        "unit_phone",
        "status",
    ),
    key=("number",),
    shown=("status",),
    check=check,
    check_all=check_periods,
    open_in=(AgreementStatus.DRAFT,),
    within="community",
    kinds={"community": FIRST_PARTIES, "unit": SECOND_PARTIES},
    hints=r"协议",
    headings={
        "number": ("编号", "协议书编号"),
        "kind": ("类型", "协议种类"),
        "community": ("甲方", "社区", "村社区", "社区名称", "甲方名称"),
        "unit": ("乙方", "单位", "驻区单位", "单位名称", "共建单位", "乙方名称"),
        "signed_on": ("签订时间", "签约日期", "签订日"),
        "valid_from": ("开始日期", "起始日期", "有效期起"),
        "valid_until": ("截止日期", "终止日期", "有效期至", "有效期止"),
        "community_phone": ("甲方电话", "社区联系电话"),
        "unit_phone": ("乙方电话", "单位联系电话"),
    },
    examples={
        "number": "示党共建〔2026〕1号",
        "community": "东关社区",
        "unit": "县第一中学",
        "valid_until": "2027-12-31",
        "objectives": "共同办好社区课后托管",
        "community_promises": "提供场地，组织报名",
        "unit_promises": "每周派两名教师辅导",
        "community_liaison": "王芳",
        "unit_liaison": "李强",
    },
)
