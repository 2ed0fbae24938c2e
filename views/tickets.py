"""Whistle tickets: raising, following, and every next step (domain section 6)."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select
from sqlalchemy.orm import joinedload, selectinload
from wtforms import RadioField
from wtforms.validators import InputRequired, Optional

from models.duty import DutyItem, DutyList, DutyListStatus
from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind
from models.ticket import FINAL, Rating, Ticket, TicketAssignment, TicketStatus
from rules import mechanisms, workflow
from rules.eligibility import judge, keep, usable
from rules.errors import Invalid
from rules.parties import sync
from rules.policy import Action
from rules.scope import reachable
from rules.wording import local
from rules.workflows.ticket_effects import DISPATCHABLE
from views import steps
from views.context import actor, session
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser, options_of
from views.listing import Request, id_of
from views.presentation import Clash, Link, MenuEntry
from views.records import Options
from views.rendering import EMPTY, label_of
from views.ticket_page import assignments, clock_cell, clocks, overdue, ratings, stages

#: Ready-made filters above the list.
STATES: list[tuple[str, str, tuple[TicketStatus, ...]]] = [
    ("review", "待审核", (TicketStatus.PENDING_REVIEW,)),
    ("dispatch", "待派单", (TicketStatus.PENDING_DISPATCH,)),
    ("work", "办理中", (TicketStatus.DISPATCHED, TicketStatus.ACCEPTED, TicketStatus.ARRIVED, TicketStatus.REOPENED)),
    ("return", "退单待审", (TicketStatus.RETURN_PENDING,)),
    ("rate", "待评价", (TicketStatus.RESOLVED,)),
    ("closed", "已销号", (TicketStatus.CLOSED,)),
]  # fmt: skip


class TicketView(FlowView):
    """The ledger of tickets; what is seen of it is decided by the party table."""

    model = Ticket
    route_base = "/tickets"
    menu = (
        MenuEntry("吹哨报到", "哨单台账", "fa-bullhorn", 10),
        MenuEntry("吹哨报到", "我要吹哨", "fa-circle-plus", 20, "add"),
    )
    show_template = "ticket_show.html"
    list_columns = ["title", "number", "status", "remaining", "whistle_class", "organization", "lead", "created_at"]  # fmt: skip
    wide_only = ["created_at"]
    search_columns = ["number", "title"]
    filter_columns = ["status", "theme", "organization", "lead"]
    form_groups = [
        ("问题", ["title", "detail", "address"]),
        ("清单依据", ["duty_item", "emergency", "local_tried"]),
        ("分类", ["whistle_class", "lead", "theme", "channel", "nature"]),
        ("吹哨单位与联系人", ["organization", "contact_name", "contact_phone"]),
    ]
    show_groups = [
        ("问题", ["detail", "address", "contact_name", "contact_phone"]),
        (
            "吹哨",
            ["organization", "raised_by", "whistle_class", "theme", "channel", "nature"],
        ),
        ("清单依据", ["duty_item_name", "verdict", "verdict_reason", "emergency", "local_tried"]),
        ("办理", ["result", "return_count", "reopen_count"]),
    ]
    tabs = [
        ("all", "全部", None),
        ("open", "在办", Ticket.status.not_in((*FINAL, TicketStatus.DRAFT))),
        *((name, label, Ticket.status.in_(states)) for name, label, states in STATES),
        ("overdue", "已超期", overdue()),
    ]
    labels = {"remaining": "剩余时间"}
    empty_text = "还没有哨单。发现本级无权解决的问题，就从这里吹哨。"
    demands = FlowView.demands | {
        "can_receivers": Action.ACT,
        "can_eligibility": Action.ADD,
    }

    def lies_thin(self, asked: Request) -> bool:
        """Open tickets are few, and found by their state; a place's or a department's, by it."""
        found_by = {"status", "organization", "lead"} & set(asked.filters)
        return not found_by and asked.tab in ("", "all", "closed")

    def choices(self, field: str) -> Select[Any]:
        """Offer the places of the actor's own area, and the published items of their lists."""
        found = super().choices(field)
        if field == "organization":
            found = found.where(
                Organization.kind.in_(
                    (OrganizationKind.TOWNSHIP, OrganizationKind.COMMUNITY, OrganizationKind.GRID)
                ),
                Organization.active,
            )
            if not self.may("can_add"):
                # Only a filter then, by names that all may read; a party has no area to offer.
                return found
            return found.where(reachable(actor(), "ticket", Organization.id, Action.ADD))
        if field == "lead":
            return found.where(Organization.kind.in_(DISPATCHABLE), Organization.active)
        if field == "duty_item":
            return (
                found.join(DutyItem.duty_list)
                .where(DutyList.status == DutyListStatus.PUBLISHED)
                .options(joinedload(DutyItem.duty_list))
            )
        return found

    def fill(self, record: Any) -> None:
        """A whistle is blown for one's own place unless one says otherwise."""
        record.organization = (
            session().get(Organization, actor().area_id) if actor().area_id else None
        )

    def extra_fields(self) -> dict[str, Any]:
        """The classes are those of the place's mechanism."""
        place = actor().area_id
        classes = mechanisms.classes_for(session(), place) if place else []
        return {
            "whistle_class": RadioField(
                label_of(Ticket, "whistle_class"),
                choices=[(each.id, f"{each.name}——{each.description}") for each in classes],
                coerce=int,
                validators=[InputRequired(_("请选择哨种。"))],
            ),
            "lead": RecordSelectField(
                _("派往部门"),
                source=self.url("options", field="lead"),
                choose=chooser(session(), self.choices("lead"), Organization),
                description=_("只有直派的哨种需要；不填则按清单派往对应部门。"),
                validators=[Optional()],
            ),
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the ticket's class."""
        return {"whistle_class": record.whistle_class_id}

    def form(self, record: Any) -> RecordForm:
        """New whistles are ordinary unless chosen otherwise."""
        form = super().form(record)
        choices = form["whistle_class"].choices
        if not form.is_submitted() and choices:
            form["whistle_class"].data = form["whistle_class"].data or choices[-1][0]
        return form

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Judge the whistle by the duty lists, and keep verdict and reason with the draft."""
        database = session()
        record.whistle_class = database.get(WhistleClass, form["whistle_class"].data)
        mechanism = mechanisms.mechanism_for(database, record.organization.id)
        if record.whistle_class is None or record.whistle_class.mechanism_id != mechanism.id:
            message = _("所选哨种不属于吹哨单位所在地区的机制，请重新选择。")
            raise Invalid(message, whistle_class=message)
        item = record.duty_item
        if item is not None and not usable(database, record.organization, item):
            message = _(
                "“%(item)s”不在吹哨单位所在乡镇（街道）、县（市、区）已发布的清单里，请重新选择。",
                item=item.name,
            )
            raise Invalid(message, duty_item=message)
        found = judge(
            database,
            record.organization,
            item,
            emergency=bool(record.emergency),
            local_tried=bool(record.local_tried),
        )
        keep(record, found)
        sync(database, record)

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Blow the whistle at once if that button was pressed."""
        if request.form.get("submit_action") == "raise":
            chosen = form["lead"].data
            data = {"lead": chosen.id} if chosen else {}
            workflow.apply(session(), record, "raise", actor(), data)

    def saved_text(self, record: Any) -> str:
        """Say whether the whistle has been blown, and what happens next."""
        if record.status is TicketStatus.DRAFT:
            return _("已存为草稿，还没有吹哨。")
        return _(
            "已吹哨，编号%(number)s，现在%(status)s。",
            number=record.number,
            status=_(record.status.title),
        )

    def editable(self, record: Any) -> str | None:
        """What was blown stays as it was blown."""
        if record.status is not TicketStatus.DRAFT:
            return _("哨单“%(number)s”已吹哨，不能再修改。", number=record.number)
        return None

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Any:
        """Answer the select box of departments that this ticket may be sent to."""
        statement = steps.receivers(self.found(pk))
        return options_of(statement, Organization, request.args.get("q", ""))

    @expose("/eligibility")
    @has_access
    def eligibility(self) -> Any:
        """Answer the form: may this be blown, why, and whom it would go to.

        JSON, or with ``format=html`` the panel beside the form.
        """
        place, item = self._choice("organization"), self._choice("duty_item")
        ticked = ("1", "y")
        found = place and judge(
            session(),
            place,
            item,
            emergency=request.args.get("emergency") in ticked,
            local_tried=request.args.get("local_tried") in ticked,
        )
        if request.args.get("format") == "html":
            return self.render_template("parts/eligibility.html", found=found)
        if not found:
            return jsonify(
                verdict=None, reason=_("请先选择吹哨单位。"), may_blow=False, departments=[]
            )
        return jsonify(
            verdict=found.verdict.value,
            title=_(found.verdict.title),
            tone=found.verdict.tone,
            reason=found.reason,
            may_blow=found.may_blow,
            departments=[each.name for each in found.departments],
        )

    def form_page(
        self,
        form: RecordForm,
        record: Any | None,
        status: int = 200,
        clashes: list[Clash] | None = None,
        **more: Any,
    ) -> Any:
        """Offer to blow the whistle at once, and show beside the form whether it may be blown."""
        return super().form_page(
            form,
            record,
            status,
            clashes,
            aside_url=self.url("eligibility", format="html"),
            aside_fields=["duty_item", "organization", "emergency", "local_tried"],
            extra_submits=[Link(_("吹哨"), "raise", "fa-bullhorn")],
            submit_label=_("存为草稿"),
            **more,
        )

    def _choice(self, field: str) -> Any:
        number = id_of(request.args.get(field, ""))
        if number is None:
            return None
        statement = self.choices(field).where(self.target(field).id == number)
        return session().scalars(statement).unique().first()

    def detail_loads(self) -> Options:
        """Departments at work and their ratings come with their names, however many they are."""
        ratings = selectinload(Ticket.ratings)
        return [
            selectinload(Ticket.assignments).joinedload(TicketAssignment.organization),
            ratings.joinedload(Rating.organization),
            ratings.joinedload(Rating.dimension),
        ]

    def cell_title(self, record: Any) -> str:
        """A title is as long as it is."""
        return record.title

    def cell_number(self, record: Any) -> Markup | str:
        """A number stays on one line; a draft has none yet."""
        if not record.number:
            return EMPTY
        return Markup('<span class="short">{}</span>').format(record.number)

    def cell_created_at(self, record: Any) -> str:
        """The day is enough in a list; the page has the minute."""
        return local(record.created_at, with_time=False)

    def cell_whistle_class(self, record: Any) -> Markup | str:
        """Make a class that goes straight to the department stand out."""
        name = str(record.whistle_class)
        if not record.whistle_class.direct_dispatch:
            return name
        return Markup('<span class="badge badge-danger">{}</span>').format(name)

    def cell_remaining(self, record: Any) -> Markup | str:
        """Say how long is left for the next step."""
        return clock_cell(record)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the stage bar, the clocks, the departments at work and the ratings."""
        return super().shown(
            record,
            status,
            number=record.number or _("（草稿）"),
            ticket_title=record.title,
            stages=stages(record),
            clocks=clocks(record),
            assignments=assignments(record),
            ratings=ratings(record),
            **more,
        )
