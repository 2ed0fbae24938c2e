"""Bulletins (通报): a month's figures of a county or city, written once and kept as issued."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Anchored


class BulletinStatus(Titled):
    """Where a bulletin stands: ``jobs`` writes it, ``rules.workflow`` issues it."""

    WAITING = "waiting", "等待生成", "muted"
    WRITING = "writing", "正在生成", "progress"
    READY = "ready", "待签发", "warning"
    FAILED = "failed", "没有生成", "danger"
    ISSUED = "issued", "已签发", "success"


class Bulletin(Record):
    """One month's bulletin. ``month`` is 202611; hashes name the files (SHA-256) in the store.

    ``issued_to_id`` is empty until it is issued, and the place itself from then on: that is what
    lets everybody below read it. An issued one is never written again; a correction is a new one.
    """

    __tablename__ = "bulletin"
    __label__ = "通报"
    __scope__ = Anchored(("organization_id",), line_column="issued_to_id")
    __table_args__ = (Index("ix_bulletin_organization", "organization_id", "month", "id"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("通报单位")
    )
    issued_to_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("通报范围")
    )
    month: Mapped[int] = mapped_column(Integer, info=field("月份"))
    issue: Mapped[int] = mapped_column(Integer, default=1, info=field("期号"))
    title: Mapped[str] = mapped_column(
        String(200), default="", info=field("标题", help="留空时按单位和月份拟定。")
    )
    remarks: Mapped[str | None] = mapped_column(Text, info=field("工作要求", widget="textarea"))
    status: Mapped[BulletinStatus] = mapped_column(
        titled_type(BulletinStatus), default=BulletinStatus.WAITING, info=field("状态")
    )
    docx_hash: Mapped[str | None] = mapped_column(String(64))
    xlsx_hash: Mapped[str | None] = mapped_column(String(64))
    template_id: Mapped[int | None] = mapped_column(
        ForeignKey("bulletin_template.id", ondelete="SET NULL"), info=field("模板")
    )
    problem: Mapped[str | None] = mapped_column(String(300), info=field("说明"))
    issued_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("签发时间"))
    issued_by: Mapped[str | None] = mapped_column(String(100), info=field("签发人"))

    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("通报单位")
    )
    template: Mapped[BulletinTemplate | None] = relationship(info=field("模板"))

    def __str__(self) -> str:
        return self.title


class BulletinTemplate(Record):
    """A docx that a county's bulletins are written from, in place of the built-in one."""

    __tablename__ = "bulletin_template"
    __label__ = "通报模板"
    __scope__ = Anchored(("organization_id",))
    __table_args__ = (Index("ix_bulletin_template_organization", "organization_id"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("适用单位")
    )
    name: Mapped[str] = mapped_column(String(100), info=field("模板名称"))
    file_name: Mapped[str] = mapped_column(String(255), info=field("文件名"))
    file_hash: Mapped[str] = mapped_column(String(64), info=field("文件指纹（SHA-256）"))
    in_use: Mapped[bool] = mapped_column(default=True, info=field("启用"))

    organization: Mapped[Organization] = relationship(info=field("适用单位"))

    def __str__(self) -> str:
        return self.name
