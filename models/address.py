"""A community's address book: named places with where they lie, to choose from in a whistle."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, field
from models.organization import Organization
from models.scoping import Anchored


class AddressEntry(Record):
    """A place that people of a community know by name. Degrees are WGS 84."""

    __tablename__ = "address_entry"
    __label__ = "地址簿"
    __scope__ = Anchored(("community_id",))
    __table_args__ = (UniqueConstraint("community_id", "name", name="uq_address_entry_name"),)

    community_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("社区")
    )
    name: Mapped[str] = mapped_column(
        String(200), info=field("地点", help="小区、楼栋、路口等，如“幸福里小区 3 号楼”")
    )
    latitude: Mapped[float | None] = mapped_column(Float, info=field("纬度"))
    longitude: Mapped[float | None] = mapped_column(Float, info=field("经度"))
    note: Mapped[str | None] = mapped_column(String(200), info=field("说明"))

    community: Mapped[Organization] = relationship(info=field("社区"))

    def __str__(self) -> str:
        return self.name
