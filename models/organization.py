"""Organisations: the territorial tree, departments, stationed branches and units (domain section 2)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type, utcnow
from models.scoping import Anchored, Through


class OrganizationKind(Titled):
    """What an organisation is; the first five are the territorial levels, outermost first."""

    CITY = "city", "市", "info"
    COUNTY = "county", "县（市、区、旗）", "info"
    TOWNSHIP = "township", "乡镇（街道）", "info"
    COMMUNITY = "community", "村（社区）", "info"
    GRID = "grid", "网格", "info"
    DEPARTMENT = "department", "职能部门", "progress"
    STATION = "station", "派驻机构", "progress"
    UNIT = "unit", "驻区单位", "success"
    COORDINATION_OFFICE = "coordination_office", "吹哨办", "warning"


TERRITORIAL = (
    OrganizationKind.CITY,
    OrganizationKind.COUNTY,
    OrganizationKind.TOWNSHIP,
    OrganizationKind.COMMUNITY,
    OrganizationKind.GRID,
)
REALMS = (OrganizationKind.CITY, OrganizationKind.COUNTY)


class Organization(Record):
    """A place or a body in the tree.

    ``realm_id`` is the county or city it belongs to (its own id for those): names and aliases are
    unique within it. ``lines`` are its ancestors and itself; ``rules.organizations`` keeps
    all three true on every flush.
    """

    __tablename__ = "organization"
    __label__ = "组织机构"
    __scope__ = Anchored(("id",), open_read=True)
    __table_args__ = (Index("ix_organization_parent", "parent_id", "code"),)

    code: Mapped[str] = mapped_column(
        String(64),
        unique=True,
        info=field(
            "机构代码", help="全库唯一，导入时按它对应", headings=("机构代码", "代码", "编码")
        ),
    )
    name: Mapped[str] = mapped_column(
        String(100), index=True, info=field("机构名称", headings=("机构名称", "名称", "单位名称"))
    )
    kind: Mapped[OrganizationKind] = mapped_column(
        titled_type(OrganizationKind), info=field("机构类型", headings=("机构类型", "类型", "类别"))
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"),
        info=field("上级机构", headings=("上级代码", "上级机构代码", "上级")),
    )
    home_department_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"),
        index=True,
        info=field("派出单位", help="派驻机构由哪个职能部门派出"),
    )
    realm_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("所属县（市、区）")
    )
    phone: Mapped[str | None] = mapped_column(
        String(40), info=field("联系电话", headings=("联系电话", "电话"))
    )
    remarks: Mapped[str | None] = mapped_column(
        String(500), info=field("备注", widget="textarea", headings=("备注", "说明"))
    )
    active: Mapped[bool] = mapped_column(default=True, info=field("启用"))

    parent: Mapped[Organization | None] = relationship(
        foreign_keys=[parent_id], remote_side="Organization.id", info=field("上级机构")
    )
    home_department: Mapped[Organization | None] = relationship(
        foreign_keys=[home_department_id], remote_side="Organization.id", info=field("派出单位")
    )
    realm: Mapped[Organization | None] = relationship(
        foreign_keys=[realm_id],
        remote_side="Organization.id",
        post_update=True,
        info=field("所属县（市、区）"),
    )
    names: Mapped[list[OrganizationName]] = relationship(
        back_populates="organization",
        cascade="all, delete-orphan",
        foreign_keys="OrganizationName.organization_id",
        order_by="OrganizationName.id",
    )
    lines: Mapped[list[OrganizationLine]] = relationship(
        back_populates="organization",
        cascade="all, delete-orphan",
        foreign_keys="OrganizationLine.organization_id",
        order_by="OrganizationLine.depth",
    )

    @property
    def aliases(self) -> list[str]:
        """The other names by which workbooks and people call it, in the order they were given."""
        return [name.name for name in self.names if name.is_alias]

    def set_aliases(self, aliases: Iterable[str]) -> None:
        """Replace the aliases: those that stay keep their rows, blanks and repeats are dropped.

        A change of them is a change of the organisation: its version moves, for others to see.
        """
        wanted = list(dict.fromkeys(alias.strip() for alias in aliases if alias.strip()))
        if set(wanted) != set(self.aliases):
            self.updated_at = utcnow()
        for name in [name for name in self.names if name.is_alias]:
            if name.name in wanted:
                wanted.remove(name.name)
            else:
                self.names.remove(name)
        self.names.extend(OrganizationName(name=alias, is_alias=True) for alias in wanted)

    def __str__(self) -> str:
        return self.name


class OrganizationName(Record):
    """A name or an alias. One table holds both, so that the database itself refuses a clash."""

    __tablename__ = "organization_name"
    __label__ = "机构名称"
    __scope__ = Through("organization_id", "organization", open_read=True)
    __audited__ = False
    __table_args__ = (UniqueConstraint("realm_id", "name", name="uq_organization_name_realm"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), index=True
    )
    realm_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[str] = mapped_column(String(100), info=field("名称"))
    is_alias: Mapped[bool] = mapped_column(default=True, info=field("别名"))

    organization: Mapped[Organization] = relationship(
        back_populates="names", foreign_keys=[organization_id]
    )
    realm: Mapped[Organization | None] = relationship(foreign_keys=[realm_id])

    def __str__(self) -> str:
        return self.name


class OrganizationLine(Record):
    """One step of the tree's closure: ``ancestor`` stands ``depth`` levels above (0: itself)."""

    __tablename__ = "organization_line"
    __label__ = "机构层级"
    __scope__ = Through("organization_id", "organization", open_read=True)
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "ancestor_id", name="uq_organization_line"),
        Index("ix_organization_line_ancestor", "ancestor_id", "organization_id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    depth: Mapped[int] = mapped_column(Integer)

    organization: Mapped[Organization] = relationship(
        back_populates="lines", foreign_keys=[organization_id]
    )
    ancestor: Mapped[Organization] = relationship(foreign_keys=[ancestor_id])
