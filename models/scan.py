"""Scans of signed agreements: the file's facts; its bytes lie in the data directory."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.agreement import Agreement
from models.base import Record, Titled, field, titled_type
from models.scoping import Through


class ScanKind(Titled):
    """What a scan is, by its content and not by its name."""

    PDF = "pdf", "PDF 文档"
    JPEG = "jpeg", "JPEG 图片"
    PNG = "png", "PNG 图片"
    DOCX = "docx", "Word 文档"


class AgreementScan(Record):
    """A scan attached to an agreement; the same bytes are kept once, under their hash."""

    __tablename__ = "agreement_scan"
    __label__ = "协议扫描件"
    __scope__ = Through("agreement_id", "agreement")
    __table_args__ = (UniqueConstraint("agreement_id", "file_hash", name="uq_agreement_scan_file"),)

    agreement_id: Mapped[int] = mapped_column(
        ForeignKey("agreement.id", ondelete="CASCADE"), info=field("协议")
    )
    file_name: Mapped[str] = mapped_column(String(255), info=field("文件名"))
    kind: Mapped[ScanKind] = mapped_column(titled_type(ScanKind), info=field("类型"))
    size: Mapped[int] = mapped_column(Integer, info=field("大小（字节）"))
    file_hash: Mapped[str] = mapped_column(String(64), info=field("文件指纹（SHA-256）"))
    uploaded_by: Mapped[str] = mapped_column(String(100), info=field("上传人"))

    agreement: Mapped[Agreement] = relationship(back_populates="scans", info=field("协议"))

    def __str__(self) -> str:
        return self.file_name
