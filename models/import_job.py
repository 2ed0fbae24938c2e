"""An uploaded workbook on its way to be imported, and what a person has said of its headings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.imports import ImportBatch
from models.organization import Organization
from models.scoping import Anchored


class ImportJobState(Titled):
    """Where an uploaded workbook stands; only ``jobs`` and the wizard change it."""

    WAITING = "waiting", "排队等候", "muted"
    READING = "reading", "正在读取", "progress"
    PLACE = "place", "待选择地区", "warning"
    FAULTY = "faulty", "有错误", "danger"
    READY = "ready", "待确认", "info"
    SAME = "same", "没有变化", "muted"
    WRITING = "writing", "正在写入", "progress"
    DONE = "done", "已导入", "success"
    REFUSED = "refused", "不能导入", "danger"
    CANCELLED = "cancelled", "已取消", "muted"


#: While it is in one of these, somebody is at work on it, or will be.
BUSY = (ImportJobState.WAITING, ImportJobState.READING, ImportJobState.WRITING)
#: In these a person may still decide about it.
OPEN = (
    ImportJobState.PLACE,
    ImportJobState.FAULTY,
    ImportJobState.READY,
    ImportJobState.SAME,
)


class ImportJob(Record):
    """One uploaded workbook: nothing of it is in the records before its owner confirms.

    ``organization`` is the place whose lists they are, where the kind needs one. ``bundle`` is shared
    by files that were uploaded together. ``decisions`` is ``imports.decisions.Decisions`` as JSON,
    ``findings`` what the preview shows. ``token`` stands for the plan that has been shown. ``size``
    counts bytes.
    """

    __tablename__ = "import_job"
    __label__ = "导入任务"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (
        Index("ix_import_job_account", "account_id", "id"),
        Index("ix_import_job_bundle", "bundle"),
        Index("ix_import_job_state", "state"),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), info=field("上传人")
    )
    kind: Mapped[str] = mapped_column(String(40), info=field("导入内容"))
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("导入到")
    )
    bundle: Mapped[str] = mapped_column(String(32))
    state: Mapped[ImportJobState] = mapped_column(
        titled_type(ImportJobState), default=ImportJobState.WAITING, info=field("状态")
    )
    file_name: Mapped[str] = mapped_column(String(255), info=field("文件名"))
    stored_name: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(Integer)
    decisions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    findings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    token: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[str | None] = mapped_column(Text, info=field("说明"))
    batch_id: Mapped[int | None] = mapped_column(
        ForeignKey("import_batch.id", ondelete="SET NULL"), index=True, info=field("导入批次")
    )

    organization: Mapped[Organization | None] = relationship(info=field("导入到"))
    batch: Mapped[ImportBatch | None] = relationship(info=field("导入批次"))

    def __str__(self) -> str:
        return self.file_name


class ImportLayout(Record):
    """What somebody has said that the headings of one layout mean, remembered for the next file.

    ``mark`` is the layout's fingerprint; ``columns`` maps a heading to the label of a column, or to
    the empty text where the column is left out. Shared by everybody of one organisation.
    """

    __tablename__ = "import_layout"
    __label__ = "表头对应"
    __scope__ = Anchored(("organization_id",))
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "kind", "mark", name="uq_import_layout_mark"),
    )

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), info=field("所属机构")
    )
    kind: Mapped[str] = mapped_column(String(40), info=field("导入内容"))
    mark: Mapped[str] = mapped_column(String(32))
    list_type: Mapped[str] = mapped_column(String(40), info=field("清单类型"))
    columns: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    organization: Mapped[Organization] = relationship(info=field("所属机构"))

    def __str__(self) -> str:
        return self.mark
