"""Whistle tickets (哨单), the departments at work on them, and who is party to them (domain 6)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import (
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    column,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.duty import DutyItem
from models.mechanism import WhistleClass
from models.organization import Organization
from models.scoping import Parties, Reference, Through

if TYPE_CHECKING:
    from models.rating import Rating
    from models.ticket_file import TicketComment, TicketExtension, TicketPhoto


class TicketStatus(Titled):
    """A ticket's stages and side roads; only ``rules.workflow`` changes it."""

    DRAFT = "draft", "草稿", "muted"
    PENDING_REVIEW = "pending_review", "待审核", "warning"
    PENDING_DISPATCH = "pending_dispatch", "待派单", "warning"
    DISPATCHED = "dispatched", "待应哨", "info"
    ACCEPTED = "accepted", "已应哨", "progress"
    ARRIVED = "arrived", "已报到", "progress"
    RESOLVED = "resolved", "待评价", "info"
    CLOSED = "closed", "已销号", "success"
    DECLINED = "declined", "不予吹哨", "muted"
    WITHDRAWN = "withdrawn", "已撤哨", "muted"
    RETURN_PENDING = "return_pending", "退单待审", "danger"
    REOPENED = "reopened", "重办", "danger"
    LOCAL = "local", "属地处置", "progress"
    SOLVED_LOCALLY = "solved_locally", "就地解决", "success"
    MERGED = "merged", "已并单", "muted"


FINAL = (
    TicketStatus.CLOSED,
    TicketStatus.DECLINED,
    TicketStatus.WITHDRAWN,
    TicketStatus.SOLVED_LOCALLY,
    TicketStatus.MERGED,
)
#: Ended otherwise than by a department's work: nobody is urged, and there is nothing to meet about.
SET_ASIDE = tuple(each for each in FINAL if each is not TicketStatus.CLOSED)
AT_DEPARTMENT = (
    TicketStatus.DISPATCHED,
    TicketStatus.ACCEPTED,
    TicketStatus.ARRIVED,
    TicketStatus.RETURN_PENDING,
    TicketStatus.REOPENED,
)


class Nature(Titled):
    """公事 goes to departments, 共事 to the grid party branch, 家事 to micro-grid volunteers."""

    PUBLIC = "public", "公事"
    SHARED = "shared", "共事"
    HOUSEHOLD = "household", "家事"


class Theme(Titled):
    """The four themes of whistles."""

    LIVELIHOOD = "livelihood", "民生哨"
    SAFETY = "safety", "安全哨"
    ENVIRONMENT = "environment", "环境哨"
    CARE = "care", "暖心哨"


class Channel(Titled):
    """Where the whistle came from."""

    PATROL = "patrol", "网格巡哨"
    RESIDENT = "resident", "群众点哨"
    PROACTIVE = "proactive", "主动预哨"
    HOTLINE = "hotline", "12345"
    SNAPSHOT = "snapshot", "随手拍"
    VISIT = "visit", "走访"


class Verdict(Titled):
    """What the duty lists say of a whistle (domain section 5)."""

    LISTED = "listed", "清单内，可以吹哨", "success"
    EMERGENCY = "emergency", "突发紧急，可以吹哨", "danger"
    OFFICE_DECIDES = "office_decides", "清单外，由吹哨办研判", "warning"
    OWN_DUTY = "own_duty", "基本履职事项，不予吹哨", "muted"
    LOCAL_FIRST = "local_first", "派驻机构可以解决，先行协调", "muted"


class AssignmentRole(Titled):
    """One lead, any number of assisting departments."""

    LEAD = "lead", "主办", "progress"
    ASSISTING = "assisting", "协办", "info"


class AssignmentStatus(Titled):
    """How far one department has come; only ``rules.workflow`` changes it."""

    DISPATCHED = "dispatched", "待应哨", "info"
    ACCEPTED = "accepted", "已应哨", "progress"
    ARRIVED = "arrived", "已报到", "progress"
    REPORTED = "reported", "已反馈", "success"
    RETURNED = "returned", "已退单", "muted"
    HANDED_OVER = "handed_over", "已移交", "muted"
    REMOVED = "removed", "不再协办", "muted"


#: A department in one of these is no longer at work on the ticket, and no longer party to it.
OFF_WORK = (AssignmentStatus.RETURNED, AssignmentStatus.HANDED_OVER, AssignmentStatus.REMOVED)
#: A department in one of these owes its next step.
OWING = (AssignmentStatus.DISPATCHED, AssignmentStatus.ACCEPTED, AssignmentStatus.ARRIVED)


class PartyRelation(Titled):
    """Why an organisation may see a ticket."""

    RAISER = "raiser", "吹哨单位"
    AREA = "area", "属地"
    LEAD = "lead", "主办单位"
    ASSISTING = "assisting", "协办单位"


def _some(name: str, first: str, *columns: str) -> Index:
    """Return an index of the rows that have its first column: most have not, and cost nothing then."""
    there: ColumnElement[bool] = column(first).is_not(None)
    return Index(name, first, *columns, sqlite_where=there, postgresql_where=there)


class Ticket(Record):
    """A whistle ticket. Instants are UTC; due instants are fixed at dispatch and never reset.

    ``next_due`` is the earliest deadline of a step that the lead owes and has not taken, and
    ``next_warn`` when it turns yellow; both are empty while nothing is owed. ``holder`` has a grid
    whistle in hand (domain section 6). ``client_key`` names one filling-in of the form, on whatever
    device: the same key never makes two tickets. ``paper`` marks a slip that was entered later, with
    its true times. Degrees are WGS 84.
    """

    __tablename__ = "ticket"
    __label__ = "哨单"
    __scope__ = Parties("organization_id")
    __table_args__ = (
        Index("ix_ticket_status", "status", "id"),
        Index("ix_ticket_organization", "organization_id", "id"),
        Index("ix_ticket_lead", "lead_id", "status", "id"),
        Index("ix_ticket_next_due", "next_due"),
        Index("ix_ticket_waiting", "organization_id", "status", "next_due", "id"),
        _some("ix_ticket_holder", "holder_id", "status"),
        _some("ix_ticket_merged_into_id", "merged_into_id"),
        Index("uq_ticket_client_key", "client_key", unique=True),
    )

    number: Mapped[str | None] = mapped_column(
        String(40), unique=True, info=field("哨单编号", help="吹哨时自动生成")
    )
    title: Mapped[str] = mapped_column(
        String(200), info=field("标题", help="一句话说清楚什么地方出了什么问题")
    )
    detail: Mapped[str] = mapped_column(
        Text, info=field("情况说明", help="写明现状、影响和已采取的措施", widget="textarea")
    )
    address: Mapped[str | None] = mapped_column(String(200), info=field("地点"))
    latitude: Mapped[float | None] = mapped_column(Float, info=field("纬度"))
    longitude: Mapped[float | None] = mapped_column(Float, info=field("经度"))
    contact_name: Mapped[str | None] = mapped_column(String(40), info=field("现场联系人"))
    contact_phone: Mapped[str | None] = mapped_column(String(40), info=field("联系电话"))
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("吹哨单位")
    )
    whistle_class_id: Mapped[int] = mapped_column(
        ForeignKey("whistle_class.id"), info=field("哨种")
    )
    channel: Mapped[Channel] = mapped_column(
        titled_type(Channel), default=Channel.PATROL, info=field("来源")
    )
    theme: Mapped[Theme] = mapped_column(
        titled_type(Theme), default=Theme.LIVELIHOOD, info=field("主题")
    )
    nature: Mapped[Nature] = mapped_column(
        titled_type(Nature), default=Nature.PUBLIC, info=field("性质")
    )
    emergency: Mapped[bool] = mapped_column(default=False, info=field("突发紧急"))
    local_tried: Mapped[bool] = mapped_column(
        default=False,
        info=field("已协调派驻机构", help="已请派驻机构就地处理，仍不能解决"),
    )
    duty_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("duty_item.id"), index=True, info=field("对应履职事项")
    )
    duty_item_name: Mapped[str | None] = mapped_column(
        String(300),
        info=field("对应履职事项", help="吹哨时的事项名称，承办部门不看清单也能看到依据"),
    )
    verdict: Mapped[Verdict] = mapped_column(
        titled_type(Verdict), default=Verdict.OFFICE_DECIDES, info=field("吹哨资格")
    )
    verdict_reason: Mapped[str | None] = mapped_column(Text, info=field("资格说明"))
    status: Mapped[TicketStatus] = mapped_column(
        titled_type(TicketStatus), default=TicketStatus.DRAFT, info=field("状态")
    )
    lead_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("主办单位")
    )
    holder_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("处置单位")
    )
    review_position: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0", info=field("审核环节")
    )
    merged_into_id: Mapped[int | None] = mapped_column(
        ForeignKey("ticket.id"), info=field("并入哨单")
    )
    client_key: Mapped[str | None] = mapped_column(String(64))
    paper: Mapped[bool] = mapped_column(
        default=False, server_default=false(), info=field("线下补录")
    )
    raised_by: Mapped[str | None] = mapped_column(String(100), info=field("吹哨人"))
    raised_by_id: Mapped[int | None] = mapped_column(Integer, info=field("吹哨人编号"))
    raised_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("吹哨时间"))
    dispatched_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("派单时间"))
    respond_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("应哨期限"))
    arrive_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("报到期限"))
    resolve_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("办结期限"))
    next_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("下一步期限"))
    next_warn: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("预警时间"))
    accepted_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("应哨时间"))
    arrived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("报到时间"))
    resolved_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("反馈时间"))
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("销号时间"))
    result: Mapped[str | None] = mapped_column(Text, info=field("办理结果", widget="textarea"))
    return_count: Mapped[int] = mapped_column(Integer, default=0, info=field("退单次数"))
    reopen_count: Mapped[int] = mapped_column(Integer, default=0, info=field("回流次数"))
    supervised_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("督办时间"))
    stars: Mapped[int | None] = mapped_column(Integer, info=field("群众星级"))
    stars_comment: Mapped[str | None] = mapped_column(Text, info=field("群众评语"))

    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("吹哨单位")
    )
    lead: Mapped[Organization | None] = relationship(foreign_keys=[lead_id], info=field("主办单位"))
    holder: Mapped[Organization | None] = relationship(
        foreign_keys=[holder_id], info=field("处置单位")
    )
    merged_into: Mapped[Ticket | None] = relationship(
        remote_side="Ticket.id", info=field("并入哨单")
    )
    duplicates: Mapped[list[Ticket]] = relationship(
        remote_side="Ticket.merged_into_id", order_by="Ticket.id", viewonly=True
    )
    whistle_class: Mapped[WhistleClass] = relationship(info=field("哨种"))
    duty_item: Mapped[DutyItem | None] = relationship(info=field("对应履职事项"))
    assignments: Mapped[list[TicketAssignment]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="TicketAssignment.id"
    )
    parties: Mapped[list[TicketParty]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan"
    )
    ratings: Mapped[list[Rating]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="Rating.id"
    )
    photos: Mapped[list[TicketPhoto]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="TicketPhoto.id"
    )
    comments: Mapped[list[TicketComment]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="TicketComment.id"
    )
    extensions: Mapped[list[TicketExtension]] = relationship(
        back_populates="ticket", cascade="all, delete-orphan", order_by="TicketExtension.id"
    )

    @property
    def due(self) -> dt.datetime | None:
        """The earliest deadline of a step that the lead owes; the same as ``next_due``."""
        return self.next_due

    def __str__(self) -> str:
        return f"{self.number or '（草稿）'} {self.title}"


class TicketAssignment(Record):
    """One department's part in a ticket: its own accept, arrive and report."""

    __tablename__ = "ticket_assignment"
    __label__ = "承办记录"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (
        Index("ix_ticket_assignment_organization", "organization_id", "status", "ticket_id"),
        Index("ix_ticket_assignment_ticket", "ticket_id"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("承办单位")
    )
    role: Mapped[AssignmentRole] = mapped_column(titled_type(AssignmentRole), info=field("分工"))
    status: Mapped[AssignmentStatus] = mapped_column(
        titled_type(AssignmentStatus), default=AssignmentStatus.DISPATCHED, info=field("进度")
    )
    respond_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("应哨期限"))
    arrive_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("报到期限"))
    resolve_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("反馈期限"))
    accepted_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("应哨时间"))
    arrived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("报到时间"))
    reported_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("反馈时间"))
    result: Mapped[str | None] = mapped_column(Text, info=field("办理情况"))

    ticket: Mapped[Ticket] = relationship(back_populates="assignments")
    organization: Mapped[Organization] = relationship(info=field("承办单位"))


class TicketParty(Record):
    """An organisation that may see a ticket; ``rules.parties`` derives these rows.

    Walking ``(organization_id, ticket_id)`` backwards gives an organisation's tickets, newest
    first, without looking at anybody else's.
    """

    __tablename__ = "ticket_party"
    __label__ = "哨单相关方"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "ticket_id", "relation", name="uq_ticket_party"),
        Index("ix_ticket_party_ticket", "ticket_id"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    relation: Mapped[PartyRelation] = mapped_column(titled_type(PartyRelation))

    ticket: Mapped[Ticket] = relationship(back_populates="parties")


class TicketSequence(Record):
    """The last ticket number that a place has given out in a year."""

    __tablename__ = "ticket_sequence"
    __label__ = "编号序列"
    __scope__ = Reference()
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id", "year", name="uq_ticket_sequence"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    year: Mapped[int] = mapped_column(Integer)
    last: Mapped[int] = mapped_column(Integer, default=0)
