"""The append-only logs: workflow events, chained by hash within a record, and the audit of edits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_appbuilder import Model
from sqlalchemy import JSON, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import UTCDateTime, field, utcnow
from models.scoping import Ledger


class Event(Model):
    """One step of one record's life: who, which organisation, when, from, to, note (domain 6).

    Names are written down as they were then. ``hash`` covers the row and ``previous_hash``.
    """

    __tablename__ = "event"
    __label__ = "流转记录"
    __audited__ = False
    __scope__ = Ledger("record_type", "record_id", "organization_id")
    __table_args__ = (
        UniqueConstraint("record_type", "record_id", "sequence", name="uq_event_sequence"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=field("编号"))
    record_type: Mapped[str] = mapped_column(String(40), info=field("记录类型"))
    record_id: Mapped[int] = mapped_column(Integer, info=field("记录编号"))
    sequence: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(40), info=field("步骤"))
    label: Mapped[str] = mapped_column(String(40), info=field("步骤"))
    from_status: Mapped[str | None] = mapped_column(String(32), info=field("原状态"))
    to_status: Mapped[str] = mapped_column(String(32), info=field("新状态"))
    actor_id: Mapped[int | None] = mapped_column(Integer)
    actor_name: Mapped[str] = mapped_column(String(100), info=field("操作人"))
    organization_id: Mapped[int | None] = mapped_column(Integer)
    organization_name: Mapped[str] = mapped_column(String(100), info=field("单位"))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, info=field("时间"))
    note: Mapped[str | None] = mapped_column(Text, info=field("说明"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    def __str__(self) -> str:
        return self.label


class AuditEntry(Model):
    """One write to one record: who, when, and each field before and after."""

    __tablename__ = "audit_entry"
    __label__ = "审计日志"
    __audited__ = False
    __scope__ = Ledger("record_type", "record_id", "organization_id")
    __table_args__ = (
        Index("ix_audit_entry_record", "record_type", "record_id", "id"),
        Index("ix_audit_entry_organization", "organization_id", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=field("编号"))
    record_type: Mapped[str] = mapped_column(String(40), info=field("记录类型"))
    record_id: Mapped[int] = mapped_column(Integer, info=field("记录编号"))
    record_title: Mapped[str] = mapped_column(String(300), info=field("记录"))
    action: Mapped[str] = mapped_column(String(20), info=field("操作"))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, info=field("变化"))
    actor_id: Mapped[int | None] = mapped_column(Integer)
    actor_name: Mapped[str] = mapped_column(String(100), info=field("操作人"))
    organization_id: Mapped[int | None] = mapped_column(Integer, info=field("单位编号"))
    organization_name: Mapped[str] = mapped_column(String(100), info=field("单位"))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, info=field("时间"))

    def __str__(self) -> str:
        return self.record_title
