"""Templates of the printable agreement letter, one for each county that brings its own."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, field
from models.organization import Organization
from models.scoping import Anchored


class LetterTemplate(Record):
    """A county's own Word template of the agreement letter; its file lies in the data directory."""

    __tablename__ = "letter_template"
    __label__ = "协议书模板"
    __scope__ = Anchored(("organization_id",))

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), unique=True, info=field("所属县（市、区）")
    )
    file_name: Mapped[str] = mapped_column(String(255), info=field("文件名"))
    file_hash: Mapped[str] = mapped_column(String(64), info=field("文件指纹（SHA-256）"))
    size: Mapped[int] = mapped_column(Integer, info=field("大小（字节）"))
    uploaded_by: Mapped[str] = mapped_column(String(100), info=field("上传人"))

    organization: Mapped[Organization] = relationship(info=field("所属县（市、区）"))

    def __str__(self) -> str:
        return self.file_name
