"""Import batches and what each of them changed, so that a batch can be undone (design 2.5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Anchored, Through


class ImportStatus(Titled):
    """Where a batch stands; only ``imports`` changes it."""

    APPLIED = "applied", "已导入", "success"
    UNDONE = "undone", "已撤销", "warning"


class ImportBatch(Record):
    """One applied workbook: who, when, which file, what came of it."""

    __tablename__ = "import_batch"
    __label__ = "导入批次"
    __scope__ = Anchored(("organization_id",))
    __audited__ = False
    __table_args__ = (Index("ix_import_batch_organization", "organization_id", "id"),)

    kind: Mapped[str] = mapped_column(String(40), info=field("导入内容"))
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("所属地区")
    )
    state: Mapped[ImportStatus] = mapped_column(
        titled_type(ImportStatus), default=ImportStatus.APPLIED, info=field("状态")
    )
    file_name: Mapped[str] = mapped_column(String(255), info=field("文件名"))
    file_hash: Mapped[str] = mapped_column(String(64), info=field("文件指纹（SHA-256）"))
    stored_name: Mapped[str | None] = mapped_column(String(255), info=field("存档文件"))
    summary: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info=field("结果"))
    actor_id: Mapped[int | None] = mapped_column(Integer, info=field("操作人编号"))
    actor_name: Mapped[str] = mapped_column(String(100), info=field("操作人"))
    undone_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("撤销时间"))
    undone_by: Mapped[str | None] = mapped_column(String(100), info=field("撤销人"))

    organization: Mapped[Organization | None] = relationship(info=field("所属地区"))
    changes: Mapped[list[ImportChange]] = relationship(
        back_populates="batch", cascade="all, delete-orphan", order_by="ImportChange.id"
    )

    def __str__(self) -> str:
        return f"第{self.id}批：{self.file_name}"


class ImportChange(Record):
    """One row that a batch created or changed; ``before`` and ``after`` hold field values.

    ``row_version`` is the record's version after the batch: if it differs later, somebody has
    changed the row since, and undo must say so instead of overwriting.
    """

    __tablename__ = "import_change"
    __label__ = "导入明细"
    __scope__ = Through("batch_id", "import_batch")
    __audited__ = False

    batch_id: Mapped[int] = mapped_column(
        ForeignKey("import_batch.id", ondelete="CASCADE"), index=True
    )
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int] = mapped_column(Integer)
    row_version: Mapped[int] = mapped_column(Integer)
    cell: Mapped[str | None] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(300))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    batch: Mapped[ImportBatch] = relationship(back_populates="changes")
