"""Registers that are exported, and the administrator's calendar, which is imported as well.

Why the others take no import stands in docs/decisions/0012.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import joinedload, selectinload

from imports import specs
from imports.specs.records import declare
from models.account import Account
from models.imports import ImportBatch
from models.ledger import AuditEntry
from models.mechanism import CalendarOverride, Mechanism
from models.registry import record_types
from models.ticket import AssignmentRole, Ticket, TicketAssignment
from presets.roles import Role

CALENDAR = declare(
    "calendar",
    CalendarOverride,
    columns=("day", "working", "note"),
    key=("day",),
    hints=r"工作日|节假日|放假|调休",
    headings={
        "day": ("调整日期", "年月日"),
        "working": ("是否工作日", "工作日", "上班"),
        "note": ("原因", "备注"),
    },
    examples={"day": "2026-10-10", "working": "是", "note": "国庆节调休上班"},
    retirable=True,
)

#: A resident's name and number are not for lists: they stand on each ticket's own page.
TICKETS = declare(
    "tickets",
    Ticket,
    columns=(),
    shown={
        "number": "哨单编号",
        "title": "标题",
        "detail": "情况说明",
        "address": "地点",
        "status": "状态",
        "organization": "吹哨单位",
        "whistle_class": "哨种",
        "theme": "主题",
        "channel": "来源",
        "nature": "性质",
        "emergency": "突发紧急",
        "duty_item_name": "对应履职事项",
        "verdict": "吹哨资格",
        "lead": "主办单位",
        "assisting": "协办单位",
        "raised_by": "吹哨人",
        "raised_at": "吹哨时间",
        "dispatched_at": "派单时间",
        "respond_due": "应哨期限",
        "accepted_at": "应哨时间",
        "arrive_due": "报到期限",
        "arrived_at": "报到时间",
        "resolve_due": "办结期限",
        "resolved_at": "反馈时间",
        "closed_at": "销号时间",
        "result": "办理结果",
        "return_count": "退单次数",
        "reopen_count": "回流次数",
    },
    ways={
        "whistle_class": lambda record: str(record.whistle_class),
        "assisting": lambda record: [
            each.organization
            for each in record.assignments
            if each.role is AssignmentRole.ASSISTING
        ],
    },
    loading=lambda: (
        joinedload(Ticket.whistle_class),
        selectinload(Ticket.assignments).joinedload(TicketAssignment.organization),
    ),
    key=("title",),
    imported=False,
)


def _roles(account: Any) -> list[str]:
    titles = {role.value: role.title for role in Role}
    return [titles[role.name] for role in account.roles if role.name in titles]


ACCOUNTS = declare(
    "accounts",
    Account,
    columns=(),
    shown={
        "username": "账号",
        "full_name": "姓名",
        "organization": "所属机构",
        "roles": "角色",
        "email": "电子邮箱",
        "active": "启用",
        "last_login": "最近登录",
        "locked_until": "锁定至",
    },
    ways={
        "full_name": lambda record: record.get_full_name(),
        "roles": _roles,
        "last_login": lambda record: record.last_login and record.last_login.astimezone(),
    },
    loading=lambda: (selectinload(Account.roles),),
    key=("username",),
    imported=False,
)


def _kind(entry: AuditEntry) -> str:
    model = record_types().get(entry.record_type)
    return model.__label__ if model else entry.record_type


def _fields(entry: AuditEntry) -> list[str]:
    """Name what was changed, not from what to what."""
    model = record_types().get(entry.record_type)
    columns = inspect(model).columns if model else {}
    infos = {name: columns[name].info.get("field") for name in entry.changes if name in columns}
    return [info.label if (info := infos.get(name)) else name for name in entry.changes]


_ACTIONS = {"create": "新建", "update": "修改", "delete": "删除"}

#: What was changed stands on the entry's page, where numbers are masked as for the record itself.
AUDIT = declare(
    "audit",
    AuditEntry,
    columns=(),
    shown={
        "at": "时间",
        "actor_name": "操作人",
        "organization_name": "所在机构",
        "action": "操作",
        "record_type": "记录类型",
        "record_title": "记录",
        "fields": "改动的内容",
    },
    ways={
        "record_type": _kind,
        "action": lambda record: _ACTIONS.get(record.action, record.action),
        "fields": _fields,
    },
    key=("record_title",),
    imported=False,
)

BATCHES = declare(
    "import-batches",
    ImportBatch,
    columns=(),
    shown={
        "file_name": "文件名",
        "kind": "导入内容",
        "organization": "所属机构",
        "state": "状态",
        "new": "新增",
        "changed": "更改",
        "unchanged": "不变",
        "actor_name": "操作人",
        "created_at": "导入时间",
        "undone_by": "撤销人",
        "undone_at": "撤销时间",
        "file_hash": "文件指纹（SHA-256）",
    },
    ways={
        "kind": lambda record: specs.kind_label(record.kind),
        **{
            name: (lambda record, name=name: sum(each.get(name, 0) for each in record.summary))
            for name in ("new", "changed", "unchanged")
        },
    },
    key=("file_name",),
    imported=False,
)

MECHANISMS = declare(
    "mechanisms",
    Mechanism,
    columns=(),
    shown={
        "name": "机制名称",
        "organization": "所属县（市、区）",
        "number": "版本号",
        "in_force": "现行",
        "classes": "哨种",
        "dimensions": "评价维度",
    },
    ways={
        "classes": lambda record: [each.name for each in record.classes],
        "dimensions": lambda record: [
            f"{each.name}（{each.weight}%）" for each in record.dimensions
        ],
    },
    loading=lambda: (selectinload(Mechanism.classes), selectinload(Mechanism.dimensions)),
    key=("name",),
    imported=False,
)
