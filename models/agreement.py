"""The "one letter": co-building agreements between a community and a unit (domain section 4)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.organization import Organization
from models.scoping import Anchored

if TYPE_CHECKING:
    from models.scan import AgreementScan


class AgreementKind(Titled):
    """What kind of bond the agreement makes."""

    CO_BUILDING = "co_building", "共驻共建"
    PAIRED_ASSISTANCE = "paired_assistance", "结对帮扶"
    JOINT_COMMITTEE = "joint_committee", "联合党委"


class AgreementStatus(Titled):
    """Where an agreement stands; only ``rules.workflow`` changes it."""

    DRAFT = "draft", "草拟", "muted"
    IN_FORCE = "in_force", "生效", "success"
    EXPIRED = "expired", "到期", "warning"
    TERMINATED = "terminated", "终止", "danger"
    RENEWED = "renewed", "续签", "info"


class Agreement(Record):
    """A co-building agreement (共驻共建协议书): 甲方 is a community, 乙方 a unit."""

    __tablename__ = "agreement"
    __label__ = "共驻共建协议"
    __scope__ = Anchored(("community_id", "unit_id"))
    __table_args__ = (
        Index("ix_agreement_pair", "community_id", "unit_id", "status"),
        Index(
            "uq_agreement_in_force",
            "community_id",
            "unit_id",
            unique=True,
            sqlite_where=text("status = 'in_force'"),
            postgresql_where=text("status = 'in_force'"),
        ),
        Index("ix_agreement_unit", "unit_id"),
        Index("ix_agreement_valid_until", "valid_until"),
    )

    number: Mapped[str] = mapped_column(
        String(64), unique=True, info=field("协议编号", help="例如：示党共建〔2026〕1号")
    )
    community_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("甲方：村（社区）")
    )
    unit_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("乙方：驻区单位")
    )
    kind: Mapped[AgreementKind] = mapped_column(titled_type(AgreementKind), info=field("协议类型"))
    status: Mapped[AgreementStatus] = mapped_column(
        titled_type(AgreementStatus), default=AgreementStatus.DRAFT, info=field("状态")
    )
    signed_on: Mapped[dt.date | None] = mapped_column(Date, info=field("签订日期"))
    valid_from: Mapped[dt.date] = mapped_column(Date, info=field("生效日期"))
    valid_until: Mapped[dt.date] = mapped_column(Date, info=field("到期日期"))
    objectives: Mapped[str | None] = mapped_column(Text, info=field("共建目标", widget="textarea"))
    community_promises: Mapped[str | None] = mapped_column(
        Text, info=field("甲方承诺", widget="textarea")
    )
    unit_promises: Mapped[str | None] = mapped_column(
        Text, info=field("乙方承诺", widget="textarea")
    )
    community_liaison: Mapped[str | None] = mapped_column(String(40), info=field("甲方联络员"))
    community_phone: Mapped[str | None] = mapped_column(
        String(40), info=field("甲方联系电话", personal=True)
    )
    unit_liaison: Mapped[str | None] = mapped_column(String(40), info=field("乙方联络员"))
    unit_phone: Mapped[str | None] = mapped_column(
        String(40), info=field("乙方联系电话", personal=True)
    )
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"), info=field("续签自"))

    community: Mapped[Organization] = relationship(
        foreign_keys=[community_id], info=field("甲方：村（社区）")
    )
    unit: Mapped[Organization] = relationship(foreign_keys=[unit_id], info=field("乙方：驻区单位"))
    renews: Mapped[Agreement | None] = relationship(
        remote_side="Agreement.id", back_populates="renewals", info=field("续签自")
    )
    renewals: Mapped[list[Agreement]] = relationship(
        back_populates="renews",
        order_by="Agreement.id",
        passive_deletes="all",
        info=field("续签为"),
    )
    #: They go with it when it is deleted.
    scans: Mapped[list[AgreementScan]] = relationship(
        back_populates="agreement",
        cascade="all, delete-orphan",
        order_by="AgreementScan.id",
    )

    def __str__(self) -> str:
        return self.number
