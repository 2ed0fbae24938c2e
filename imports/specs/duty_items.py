"""How the three duty lists and the catalogue stand in a workbook (domain section 5)."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import selectinload

from imports.specs.base import Column, Field, Kind, model_column, model_field
from imports.specs.outward import SheetSpec
from models.duty import DutyItem, DutyItemDepartment
from models.organization import Organization
from rules.workflows.ticket_effects import DISPATCHABLE

_LABELLED = re.compile(
    r"(?:承接|责任|接收)(?:部门|单位)\s*[:：]\s*(?P<departments>.*?)\s*"
    r"[;；]?\s*(?:工作|承接|办理)方式\s*[:：]\s*(?P<work_method>.*)",
    re.DOTALL,
)
_DEPARTMENTS_ONLY = re.compile(r"(?:承接|责任|接收)(?:部门|单位)\s*[:：]\s*(.*)", re.DOTALL)


def split_receiver(text: str) -> dict[str, str]:
    """Part 承接部门及工作方式: by its labels, or else into the first line and the rest."""
    text = text.strip()
    if match := _LABELLED.fullmatch(text):
        return match.groupdict()
    if match := _DEPARTMENTS_ONLY.fullmatch(text):
        text = match[1]
    departments, _, method = text.partition("\n")
    return {"departments": departments.strip(), "work_method": method.strip()}


_SERIAL = model_field(DutyItem.serial, Kind.ORDINAL)
_CATEGORY = model_field(DutyItem.category)
_NAME = model_field(DutyItem.name, required=True)
_DEPARTMENTS = Field("departments", "对应部门", Kind.DEPARTMENTS, kinds=DISPATCHABLE)

_COMMON = (
    model_column(DutyItem.serial, "顺序号", "事项序号"),
    model_column(DutyItem.category, "类型", "事项类型", "所属类别", "领域", "事项分类", "分类"),
    model_column(
        DutyItem.name,
        "事项",
        "履职事项",
        "事项内容",
        "具体事项",
        pattern=r"(上级部门|上级)?(基本|配合|收回|回收|上收)?(履职|职权|行政)?(收回|回收|上收)?"
        r"(事项|职权)(清单)?名称",
        expected=True,
    ),
)
_DEPARTMENT_HEADINGS = ("上级部门", "牵头部门", "责任部门", "主管部门", "县级部门", "部门")

_NOTES = (
    "一张表一份清单，不导入的清单请把表删去；标题行可以改成自己的清单名称，但要保留“基本”“配合”“收回”等字样。",
    "类别写在“类别”一列；空着的按上一行的类别。导入后是草稿版本，发布后才用于研判。",
)
_EXAMPLES = {"serial": "1", "category": "民生服务", "name": "特困人员救助供养"}


def _departments(item: DutyItem) -> list[Organization]:
    return [link.organization for link in item.departments]


def _spec(*, label: str, examples: dict[str, str] | None = None, **more: Any) -> SheetSpec:
    """Return the declaration of one list: what it shares with the others is said here."""
    fields: tuple[Field, ...] = more["fields"]
    names = tuple(each.name for each in fields)
    return SheetSpec(
        label=label,
        banners=True,
        model=DutyItem,
        order=names,
        titled=True,
        retirable=True,
        ways={"departments": _departments} if "departments" in names else {},
        loading=lambda: (
            selectinload(DutyItem.departments).joinedload(DutyItemDepartment.organization),
        ),
        examples={**_EXAMPLES, **(examples or {})},
        notes=_NOTES,
        **more,
    )


BASIC = _spec(
    list_type="basic",
    label="基本履职事项清单",
    key=("name",),
    hints=r"基本",
    fields=(_SERIAL, _CATEGORY, _NAME),
    columns=_COMMON,
)

COORDINATING = _spec(
    list_type="coordinating",
    label="配合履职事项清单",
    key=("name",),
    hints=r"配合",
    examples={
        "name": "燃气安全隐患排查整治",
        "departments": "县住房和城乡建设局、县应急管理局",
        "superior_duty": "牵头组织排查，督促燃气企业整改",
        "township_duty": "协助入户排查，发现隐患及时上报",
    },
    fields=(
        _SERIAL,
        _CATEGORY,
        _NAME,
        _DEPARTMENTS,
        model_field(DutyItem.superior_duty),
        model_field(DutyItem.township_duty),
    ),
    columns=(
        *_COMMON,
        Column(
            "对应上级部门",
            ("departments",),
            _DEPARTMENT_HEADINGS,
            pattern=r"(对应|县|区|市|旗|上级)*(直|级|直级)?(牵头|主管|责任|职能|相关)?(部门|单位)(名称)?",
            expected=True,
        ),
        model_column(
            DutyItem.superior_duty,
            "部门职责",
            "上级职责",
            "县级部门职责",
            pattern=r"对应上级部门(履职)?职责|上级部门履职职责",
        ),
        model_column(DutyItem.township_duty, pattern=r".{0,8}配合(履职|事项)?(职责|内容)"),
    ),
)

RECLAIMED = _spec(
    list_type="reclaimed",
    label="上级部门收回事项清单",
    key=("name",),
    hints=r"收回|回收|上收",
    examples={
        "name": "对违法建设的行政处罚",
        "departments": "县综合执法局",
        "work_method": "由县综合执法局直接立案查处",
    },
    fields=(_SERIAL, _CATEGORY, _NAME, _DEPARTMENTS, model_field(DutyItem.work_method)),
    columns=(
        *_COMMON,
        Column(
            "承接部门及工作方式",
            ("departments", "work_method"),
            pattern=r"(承接|接收|责任)(部门|单位)(及|和|与)?(工作|承接|办理)方式",
            expected=True,
            split=split_receiver,
        ),
        Column(
            "承接部门",
            ("departments",),
            ("承接单位", "收回部门", "上收部门", "接收部门", *_DEPARTMENT_HEADINGS),
            expected=True,
        ),
        model_column(DutyItem.work_method, "承接方式", "办理方式", "履职方式"),
    ),
)

CATALOGUE = _spec(
    list_type="catalogue",
    label="事项清单",
    key=("category", "name"),
    repeats=True,
    hints=r"吹哨事项|哨单事项|治理事项|事项目录|事项库",
    weak_hints=r"清单",
    examples={
        "category": "市政公用",
        "name": "井盖缺失、破损",
        "departments": "县住房和城乡建设局",
        "process": "受理—核实—处置—反馈",
        "time_limit": "2个工作日",
    },
    fields=(
        _SERIAL,
        _CATEGORY,
        _NAME,
        _DEPARTMENTS,
        model_field(DutyItem.process),
        model_field(DutyItem.time_limit),
    ),
    columns=(
        *_COMMON,
        model_column(DutyItem.process, "流程", "工作流程", "处置流程"),
        Column(
            "责任部门",
            ("departments",),
            ("责任单位", "承办部门", "承办单位", "主办单位", "办理部门", *_DEPARTMENT_HEADINGS),
            expected=True,
        ),
        model_column(DutyItem.time_limit, "时限", "办结时限", "处置时限", "完成时限"),
    ),
)

#: The lists in the order of a township's workbook, by type.
LISTS: dict[str, SheetSpec] = {
    each.list_type: each for each in (BASIC, COORDINATING, RECLAIMED, CATALOGUE)
}
