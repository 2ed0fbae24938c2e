"""A workbook that is being written of a list's rows, for whoever asked for it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Record, Titled, field, titled_type
from models.scoping import Anchored


class ExportState(Titled):
    """Where a workbook stands; only ``jobs`` changes it."""

    WAITING = "waiting", "排队等候", "muted"
    WRITING = "writing", "正在导出", "progress"
    DONE = "done", "已导出", "success"
    FAILED = "failed", "没有导出", "danger"
    CANCELLED = "cancelled", "已取消", "muted"


class ExportJob(Record):
    """One export in the background: which list (``view``), what was asked of it (``query``, what
    follows the question mark), and the workbook (``file_hash``, SHA-256). ``rows`` counts records.
    """

    __tablename__ = "export_job"
    __label__ = "导出任务"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (Index("ix_export_job_account", "account_id", "id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), info=field("导出人")
    )
    view: Mapped[str] = mapped_column(String(60), info=field("列表"))
    query: Mapped[str] = mapped_column(Text, default="", info=field("筛选条件"))
    state: Mapped[ExportState] = mapped_column(
        titled_type(ExportState), default=ExportState.WAITING, info=field("状态")
    )
    rows: Mapped[int | None] = mapped_column(Integer, info=field("行数"))
    file_name: Mapped[str | None] = mapped_column(String(255), info=field("文件名"))
    file_hash: Mapped[str | None] = mapped_column(String(64))
    problem: Mapped[str | None] = mapped_column(String(300), info=field("说明"))

    def __str__(self) -> str:
        return self.file_name or self.view
