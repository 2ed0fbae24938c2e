"""How the organisation tree stands in a workbook (domain section 2)."""

from __future__ import annotations

import re

from sqlalchemy.orm import joinedload, selectinload

from imports.specs.base import Column, Field, Kind, model_column, model_field
from imports.specs.outward import SheetSpec
from models.organization import Organization, OrganizationKind, OrganizationName

#: What townships write for a kind, beside the kind's own title.
KINDS: dict[str, str] = {
    **{kind.title: kind.value for kind in OrganizationKind},
    "县": "county",
    "区": "county",
    "旗": "county",
    "县级市": "county",
    "乡镇": "township",
    "乡": "township",
    "镇": "township",
    "街道": "township",
    "村": "community",
    "社区": "community",
    "部门": "department",
    "派出机构": "station",
    "单位": "unit",
    "企业": "unit",
    "企事业单位": "unit",
    "学校": "unit",
}

_SENT_BY = re.compile(r"(?:派出|主管|所属|隶属)(?:单位|部门|机构)\s*[:：]\s*([^\s，,；;。]+)")


def split_remark(text: str) -> dict[str, str]:
    """Read the department that sent a station from its remark: 派出单位：县公安局.

    A remark that names none says nothing about the department, and leaves it as it is.
    """
    match = _SENT_BY.search(text)
    return {"remarks": text, "home_department": match[1]} if match else {"remarks": text}


ORGANIZATIONS = SheetSpec(
    list_type="organizations",
    label="组织机构",
    key=("code",),
    hints=r"组织机构|机构表|机构名册|单位名册|机构目录",
    fields=(
        model_field(Organization.code, required=True),
        model_field(Organization.name, required=True),
        Field(
            "aliases",
            "别名",
            Kind.NAMES,
            max_length=OrganizationName.name.type.length,
            help="别名不能与其他机构的名称或别名重复",
        ),
        model_field(Organization.kind, Kind.CHOICE, required=True, choices=KINDS),
        Field("parent", "上级代码", Kind.PARENT),
        model_field(Organization.phone),
        model_field(Organization.remarks),
        Field(
            "home_department",
            "派出单位",
            Kind.DEPARTMENT,
            kinds=(OrganizationKind.DEPARTMENT,),
            help="只有派驻机构填写",
        ),
        model_field(Organization.active, Kind.FLAG, clearable=False),
    ),
    columns=(
        Column("序号", ("serial",), ("编号", "顺序号")),
        model_column(
            Organization.code, "组织机构代码", "单位代码", "机构编码", "组织代码", expected=True
        ),
        model_column(
            Organization.name, "组织机构名称", "机构全称", "全称", "组织名称", expected=True
        ),
        Column("别名", ("aliases",), ("简称", "又名", "机构别名", "曾用名")),
        model_column(Organization.kind, "机构类别", "单位类型", "机构性质", expected=True),
        Column(
            "上级代码",
            ("parent",),
            ("上级机构代码", "上级单位代码", "父级代码", "上级编码", "所属上级代码", "上级"),
            expected=True,
        ),
        model_column(Organization.phone, "联系方式", "办公电话", "电话号码"),
        Column("派出单位", ("home_department",), ("派出部门", "主管部门")),
        model_column(
            Organization.remarks,
            "备注说明",
            split=split_remark,
            fields=("remarks", "home_department"),
        ),
        model_column(Organization.active, "是否启用", "在用"),
    ),
    model=Organization,
    order=(
        "code",
        "name",
        "aliases",
        "kind",
        "parent",
        "phone",
        "remarks",
        "home_department",
        "active",
    ),
    ways={
        "parent": lambda record: record.parent.code if record.parent else None,
        "aliases": lambda record: record.aliases,
        "home_department": lambda record: record.home_department,
    },
    loading=lambda: (
        selectinload(Organization.names),
        joinedload(Organization.parent),
        joinedload(Organization.home_department),
    ),
    examples={
        "code": "640199100",
        "name": "城关镇",
        "aliases": "城关、城关街道",
        "kind": "乡镇",
        "parent": "640199",
        "phone": "0951-1234567",
        "active": "是",
    },
    rows=(
        {"code": "640199", "name": "示范县", "kind": "县", "active": "是"},
        {"code": "640199-D01", "name": "县公安局", "kind": "部门", "parent": "640199"},
        {"code": "640199100", "name": "城关镇", "kind": "镇", "parent": "640199"},
        {"code": "640199100201", "name": "东关社区", "kind": "社区", "parent": "640199100"},
        {
            "code": "640199100-PCS",
            "name": "城关镇派出所",
            "kind": "派驻机构",
            "parent": "640199100",
            "home_department": "县公安局",
        },
    ),
    notes=("上级先于下级或晚于下级写都可以；县（市、区）可以没有上级。",),
    retirable=True,
)
