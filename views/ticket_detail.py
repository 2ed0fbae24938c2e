"""A ticket's own page: stages, clocks, departments at work, its story, ratings, and the next steps."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import JSON, inspect, select
from sqlalchemy.orm import defer, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from models.mechanism import Mechanism, WhistleClass
from models.organization import Organization
from models.rating import Rating
from models.ticket import Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from models.ticket_file import ExtensionStatus, PhotoMoment, TicketExtension
from rules.comments import LONGEST
from rules.wording import local
from rules.workflows import ticket_dispatch
from rules.workflows.ticket_base import PLACE_OF
from rules.workflows.tickets import BY_PLACE
from views import steps
from views.agenda_links import agenda_links
from views.appeals import appeal_links, appeals_of
from views.comments import TicketComments
from views.context import actor, session
from views.details import DetailPage
from views.flow import FlowView
from views.forms import options_of
from views.listing import id_of
from views.presentation import Button, Change, Group
from views.problem_links import problem_links
from views.records import Options
from views.slips import TicketSlips
from views.supervision_page import ticket_order_links, ticket_orders
from views.ticket_clocks import Clockwork
from views.ticket_grades import grades, stars
from views.ticket_page import extensions_of, marks, parties, stages, standing
from views.ticket_story import Story, story_of

#: Where there are both, before and after stand side by side; else photos come as they were taken.
COMPARED = (PhotoMoment.BEFORE, PhotoMoment.AFTER, PhotoMoment.ON_SITE)
#: Steps that the road goes on by; every other one is a side road.
ONWARD = frozenset(
    {
        "raise", "approve", "decline_review", "dispatch", "accept", "arrive", "report_result",
        "assist_accept", "assist_arrive", "assist_report", "approve_return", "refuse_return",
        "approve_extension", "refuse_extension", "rate", "rate_assisting", "close", "solve_locally",
        "hand_up",
    }
)  # fmt: skip
#: Steps that lead on where nothing else does.
ONWARD_AT = {"reopen": S.RESOLVED}


class TicketPage(DetailPage):
    """What ``ticket_show.html`` shows of one ticket."""

    view: TicketDetail
    record: Ticket

    def context(self) -> dict[str, Any]:
        """Add the road, the clocks, the departments at work, the story, the grades."""
        record, story, work = self.record, self.story, self.clockwork
        context = super().context()
        onward, aside = self._sorted(context["buttons"])
        order = COMPARED if all(story.photos[each] for each in COMPARED[:2]) else PhotoMoment
        return context | {
            "number": record.number or _("（草稿）"),
            "ticket_title": record.title,
            "marks": marks(record),
            "standing": standing(record, story.events, self.extensions),
            "stages": stages(record, story.events),
            "clocks": work.of_ticket(),
            "now": work.now,
            "parties": parties(record, work),
            "extensions": extensions_of(self.extensions),
            "grades": grades(record) + appeals_of(record),
            "links": [
                *context["links"],
                *appeal_links(record),
                *ticket_order_links(record),
                *agenda_links(ticket=record),
            ],
            "orders": ticket_orders(record),
            "stars": stars(record),
            "story": story,
            "photos": [(each, story.photos[each]) for each in order if story.photos[each]],
            "photos_compared": order is COMPARED,
            "onward": onward,
            "aside_steps": aside,
            "comment_url": self.view.comment_url(record, takes_steps=bool(onward or aside)),
            "comment_longest": LONGEST,
            "whole_url": self.view.url("show", pk=record.id, timeline="all"),
            "changes_url": None
            if self._changes_asked
            else self.view.url("show", pk=record.id, changes="all"),
            "changes_open": self._changes_asked,
            "slip_url": self.view.url("slip", pk=record.id) if record.number else None,
        }

    @cached_property
    def story(self) -> Story:
        """The latest events, words and photos; all of them if the address asks for that."""
        return story_of(self.record, whole=request.args.get("timeline") == "all")

    @cached_property
    def extensions(self) -> list[TicketExtension]:
        """The requests for more time, oldest first; none before departments are at work."""
        if self.record.dispatched_at is None:
            return []
        return list(
            session().scalars(
                select(TicketExtension)
                .where(TicketExtension.ticket_id == self.record.id)
                .options(joinedload(TicketExtension.organization))
                .order_by(TicketExtension.id)
            )
        )

    @cached_property
    def clockwork(self) -> Clockwork:
        """The clocks, all read at one instant."""
        return Clockwork(self.record, self.extensions)

    @property
    def _changes_asked(self) -> bool:
        return request.args.get("changes") == "all"

    def timeline(self) -> list[Any]:
        """Return nothing: a ticket's story holds words and photos as well."""
        return []

    def changes(self) -> list[Change]:
        """Return who changed which field, once somebody asks: it is folded away."""
        return super().changes() if self._changes_asked else []

    def groups(self) -> list[Group]:
        """Leave out what a ticket does not have: half of its fields are for one road or another."""
        return [
            replace(group, details=[each for each in group.details if str(each.value) != "—"])
            for group in super().groups()
        ]

    def buttons(self) -> list[Button]:
        """Say beside a step what has to be known to take it: the deadline that it would move."""
        return [
            replace(button, help=" ".join(filter(None, (button.help, self._hint(button.name)))))
            for button in super().buttons()
        ]

    def _hint(self, action: str) -> str:
        due = self.record.resolve_due
        if action == "request_extension" and due is not None:
            return _("现在的办结期限：%(time)s。", time=local(due))
        if action in ("approve_extension", "refuse_extension"):
            asked = [each for each in self.extensions if each.status is ExtensionStatus.REQUESTED]
            if asked:
                return _(
                    "现在的办结期限：%(old)s；申请延至：%(new)s。",
                    old=local(asked[-1].old_due),
                    new=local(asked[-1].new_due),
                )
        return ""

    def _sorted(self, buttons: list[Button]) -> tuple[list[Button], list[Button]]:
        """Return the steps that lead on, the first of them standing out, and the side roads."""
        onward = [each for each in buttons if each.name in ONWARD]
        if not onward:
            onward = [each for each in buttons if ONWARD_AT.get(each.name) is self.record.status]
        aside = [each for each in buttons if each not in onward]
        first = next((each for each in onward if each.tone != "danger"), None)
        toned = [
            replace(each, tone="primary" if each is first else _quiet(each.tone)) for each in onward
        ]
        toned.sort(key=lambda each: each.tone != "primary")
        return toned, [replace(each, tone=_quiet(each.tone)) for each in aside]


#: What a department's steps ask of a ticket; the options are made once.
_STEP_LOADS = (joinedload(Ticket.whistle_class, innerjoin=True),)
_MECHANISM = joinedload(WhistleClass.mechanism, innerjoin=True)
_PLACE = joinedload(Ticket.organization, innerjoin=True)
#: Whoever stands to a ticket by its place is asked where that lies, and works by its mechanism.
_STEP_LOADS_BY_PLACE = (
    joinedload(Ticket.whistle_class, innerjoin=True).options(_MECHANISM),
    _PLACE,
)
#: Steps that start no clock.
_WITHOUT_CLOCKS = frozenset({"approve", "decline_review", "decline", "rate", "close"})
_TERMS = tuple(
    defer(getattr(WhistleClass, each.key))
    for each in inspect(WhistleClass).columns
    if isinstance(each.type, JSON)
)
_STEP_LOADS_WITHOUT_TERMS = (
    joinedload(Ticket.whistle_class, innerjoin=True).options(_MECHANISM, *_TERMS),
    _PLACE,
)
#: A dispatch asks of the mechanism whether it is still in force, and by which hours it counts.
_STEP_LOADS_OF_DISPATCH = (
    joinedload(Ticket.whistle_class, innerjoin=True).options(
        _MECHANISM.load_only(Mechanism.in_force, Mechanism.number, Mechanism.working_hours),
        defer(WhistleClass.description),
    ),
    _PLACE,
    defer(Ticket.detail),
)


def _quiet(tone: str) -> str:
    """Return a tone that leaves the first step alone standing out; danger stays danger."""
    return "danger" if tone == "danger" else "default"


class TicketDetail(TicketComments, TicketSlips, FlowView):
    """The page of one ticket."""

    model = Ticket
    show_template = "ticket_show.html"
    step_asides = (PLACE_OF,)
    show_groups = [
        ("问题", ["detail", "address", "contact_name", "contact_phone"]),
        (
            "吹哨",
            ["organization", "raised_by", "whistle_class", "theme", "channel", "nature"],
        ),
        ("清单依据", ["duty_item_name", "verdict", "verdict_reason", "emergency", "local_tried"]),
        ("办理", ["result", "return_count", "reopen_count", "problems"]),
    ]

    def detail_problems(self, record: Any) -> Markup | str:
        """Lead to the recurring problems that it is a case of."""
        return problem_links(record)

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Any:
        """Answer the select box of departments that this ticket may be sent to."""
        statement = steps.receivers(self.found(pk), request.args.get("step", ""))
        return options_of(statement, Organization, request.args.get("q", ""))

    @expose("/twins/<int:pk>")
    @has_access
    def twins(self, pk: int) -> Any:
        """Answer the select box of open tickets that this one may be merged into."""
        return options_of(steps.twins(self.found(pk)), Ticket, request.args.get("q", ""))

    def detail_loads(self) -> Options:
        """What every ticket's page needs comes along, however many departments there are."""
        return [
            joinedload(Ticket.organization),
            joinedload(Ticket.whistle_class).joinedload(WhistleClass.mechanism),
            selectinload(Ticket.assignments).joinedload(TicketAssignment.organization),
        ]

    def step_loads(self, action: str) -> Options:
        """What every step asks of a ticket; who is at work on it is read under the step's lock."""
        if not actor().has(*BY_PLACE):
            return list(_STEP_LOADS)
        if action == "dispatch":
            return list(_STEP_LOADS_OF_DISPATCH)
        light = action in _WITHOUT_CLOCKS
        return list(_STEP_LOADS_WITHOUT_TERMS if light else _STEP_LOADS_BY_PLACE)

    def look_ahead(self, record: Any, action: str) -> None:
        """A dispatch asks for much; the department that was chosen comes along."""
        if action == "dispatch":
            ticket_dispatch.read(session(), record, id_of(request.form.get("lead", "")))

    def page_of(self, record: Any, refused: tuple[str, steps.StepForm] | None = None) -> DetailPage:
        """Return a ticket's own page."""
        _load_grades(record)
        return TicketPage(self, record, refused)


def _load_grades(record: Ticket) -> None:
    """Read the grades with their dimensions at once; before a first result there are none."""
    found: list[Rating] = []
    if record.resolved_at is not None or record.reopen_count:
        found = list(
            session().scalars(
                select(Rating)
                .where(Rating.ticket_id == record.id)
                .options(joinedload(Rating.dimension), joinedload(Rating.organization))
                .order_by(Rating.id)
            )
        )
    set_committed_value(record, "ratings", found)
