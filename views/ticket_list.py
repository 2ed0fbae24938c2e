"""The ledger of tickets as a list: what it shows, its ready-made filters, its cells."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any, ClassVar

from flask import g, jsonify
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import joinedload, load_only
from werkzeug.wrappers import Response

from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.ticket import Ticket, TicketStatus
from rules import queues, search, ticket_lists, ways
from rules.queues import Waiting
from rules.ticket_lists import in_state
from rules.wording import local
from views import listing
from views.context import actor, session
from views.flow import FlowView
from views.listing import COUNT_CAP, PAGE_SIZE, Page, Request
from views.measure_filters import MEASURE_FILTERS
from views.occurrences import CASE_FILTERS
from views.queries import Options, OwnFilter, OwnFilters, Tabs
from views.rendering import EMPTY
from views.score_filters import SCORE_FILTERS
from views.ticket_page import clock_cell

S = TicketStatus
#: Of what is common, more need not be counted while the reader waits: the tabs say it afterwards.
ENOUGH = 50
#: So many of the reader's newest are looked through, one by one, for what is not common.
FAR = 6_000
#: Of so many that contain a text, those are picked that the other filters let through.
MOST_FOUND = 10_000
#: The columns of a ticket that its cells read.
SHOWN = (
    Ticket.id,
    Ticket.title,
    Ticket.number,
    Ticket.paper,
    Ticket.supervised_at,
    Ticket.status,
    Ticket.respond_due,
    Ticket.arrive_due,
    Ticket.resolve_due,
    Ticket.next_due,
    Ticket.next_warn,
    Ticket.accepted_at,
    Ticket.arrived_at,
    Ticket.resolved_at,
    Ticket.raised_at,
)
#: Tabs of tickets that wait in a state or two, which are few and found by the reader's own.
QUEUES = {
    "review": Waiting([S.PENDING_REVIEW]),
    "local": Waiting([S.LOCAL]),
    "dispatch": Waiting([S.PENDING_DISPATCH]),
    "return": Waiting([S.RETURN_PENDING]),
    "returned": Waiting([S.PENDING_DISPATCH], ticket_lists.returned()),
    "rate": Waiting([S.RESOLVED]),
}
#: Places by which the ledger may be narrowed to what was raised in them or below.
AREAS = (OrganizationKind.COUNTY, OrganizationKind.TOWNSHIP, OrganizationKind.COMMUNITY)


def named_item(text: str) -> ColumnElement[bool]:
    """Return which tickets go back to a duty item of such a name."""
    return Ticket.duty_item_name.contains(text[:100], autoescape=True)


class TicketList(FlowView):
    """The list of tickets; what is seen of it is decided by the party table."""

    model = Ticket
    list_columns = ["title", "number", "status", "remaining", "whistle_class", "organization", "lead", "raised_at"]  # fmt: skip
    wide_only = ["raised_at"]
    search_columns = ["number", "title", "address"]
    filter_columns = ["status", "theme", "channel", "whistle_class", "organization", "lead", "raised_at", "paper"]  # fmt: skip
    own_filters: ClassVar[OwnFilters] = {
        "area": OwnFilter("所在地区", ticket_lists.raised_within, Organization),
        "item": OwnFilter("履职事项名称", named_item),
        **MEASURE_FILTERS,
        **SCORE_FILTERS,
        **CASE_FILTERS,
    }
    tabs: ClassVar[Tabs] = [
        ("all", "全部", None),
        ("mine", "我的", ticket_lists.mine),
        ("unit", "本单位", ticket_lists.of_unit),
        ("open", "在办", in_state(*ticket_lists.OPEN)),
        ("soon", "临近到期", ticket_lists.due_soon()),
        ("overdue", "已超期", ticket_lists.past_due()),
        ("review", "待审核", in_state(S.PENDING_REVIEW)),
        ("local", "属地处置", in_state(S.LOCAL)),
        ("dispatch", "待派单", in_state(S.PENDING_DISPATCH)),
        ("work", "办理中", in_state(S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.REOPENED)),
        ("return", "退单待审", in_state(S.RETURN_PENDING)),
        ("extension", "延期待审", ticket_lists.more_time()),
        ("returned", "被退回", ticket_lists.returned()),
        ("rate", "待评价", in_state(S.RESOLVED)),
        ("reopened", "重办", ticket_lists.taken_up_again()),
        ("supervised", "督办", ticket_lists.supervised()),
        ("closed", "已销号", in_state(S.CLOSED)),
        ("merged", "已并单", in_state(S.MERGED)),
    ]
    empty_text = "还没有哨单。发现本级无权解决的问题，就从这里吹哨。"

    def lies_thin(self, asked: Request, but: Set[str] = frozenset()) -> bool:
        """Open tickets are few, and found by their state; a place's or a department's, by it.

        ``but``: filters by which nothing is found this time.
        """
        own = (*MEASURE_FILTERS, *SCORE_FILTERS, *CASE_FILTERS)
        finders = {"status", "organization", "lead", "area", *own}
        found_by = finders & set(asked.filters) - but
        return not found_by and asked.tab in ("", "all", "closed")

    def loads(self) -> Options:
        """Only what the cells show: a ticket and what it leads to have a hundred columns."""
        place = (Organization.id, Organization.name)
        kind = (WhistleClass.id, WhistleClass.name, WhistleClass.direct_dispatch)
        return [
            load_only(*SHOWN),
            *(joinedload(each).load_only(*place) for each in (Ticket.organization, Ticket.lead)),
            joinedload(Ticket.whistle_class).load_only(*kind),
        ]

    # Searching

    def searched(self, text: str) -> ColumnElement[bool]:
        """Any part of a number, a title or an address, from two characters on by the index."""
        return search.containing(session(), text)

    def page(self, asked: Request) -> tuple[Page, str]:
        """Find the page's ids by the shortest way, and read these tickets through the gate."""
        backwards = asked.before is not None or asked.last
        descending = asked.order.descending != backwards
        cursor = asked.before or asked.after
        if asked.query:
            return self._found(asked, cursor, descending, backwards)
        beyond = cursor[1] if cursor else None
        if not asked.filters and asked.tab in QUEUES and queues.has_own(session()):
            return self._waiting(asked, beyond, descending)
        if asked.filters or asked.tab not in ("", "all"):
            return self._common(asked, beyond, descending) or super().page(asked)
        found = ways.first_ids(
            session(),
            Ticket,
            PAGE_SIZE + 1,
            beyond=beyond,
            descending=descending,
            most=COUNT_CAP + 1,
        )
        if found is None:
            return super().page(asked)
        ids, number = found
        return self._of(asked, ids), f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)

    def _of(self, asked: Request, ids: list[int]) -> Page:
        """Return the page of these tickets, which are what is asked for, through the gate."""
        plain = Request(asked.order, after=asked.after, before=asked.before, last=asked.last)
        some = self.listed(plain).where(Ticket.id.in_(ids))
        return listing.fetch(session(), Ticket, some, asked)

    def _waiting(self, asked: Request, beyond: int | None, descending: bool) -> tuple[Page, str]:
        """Find the page among what waits for the reader."""
        ids, number = queues.waiting(
            session(),
            QUEUES[asked.tab],
            rows=PAGE_SIZE + 1,
            descending=descending,
            beyond=beyond,
        )
        text = f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)
        if not number and beyond is None:
            return listing.empty(), text
        return self._of(asked, ids), text

    def _common(
        self, asked: Request, beyond: int | None, descending: bool
    ) -> tuple[Page, str] | None:
        """Find the page among the newest in reach, if what is asked for is common there."""
        rare = asked.filters.get("status", S.CLOSED.value) != S.CLOSED.value
        if rare or not self.lies_thin(asked, but={"status"}):
            return None
        narrowed = self.narrowed(asked)
        for looked_at, enough in ((search.NEAR, ENOUGH + 1), (FAR, PAGE_SIZE + 1)):
            found = ways.first_among(
                session(),
                Ticket,
                narrowed,
                looked_at=looked_at,
                enough=enough,
                beyond=beyond,
                descending=descending,
            )
            if found is None:
                return None
            ids, whole = found
            if len(ids) > PAGE_SIZE or whole:
                break
        else:
            return None
        page = self._of(asked, ids[: PAGE_SIZE + 1])
        if beyond is not None or asked.last:
            return page, ""
        return page, str(len(ids)) if whole else f"{min(len(ids), ENOUGH)}+"

    def _found(
        self, asked: Request, cursor: list[Any] | None, descending: bool, backwards: bool
    ) -> tuple[Page, str]:
        """Look for a text where it will be found: the index has what is rare, the newest the rest."""
        short = len(search.folded(asked.query)) < 2
        plain = Request(
            asked.order, "", asked.tab, asked.filters, asked.after, asked.before, asked.last
        )
        narrowed = bool(asked.filters) or self.tab_test(asked.tab) is not None
        beyond = cursor[1] if cursor else None
        for found in self._ways(asked.query, beyond, descending, narrowed):
            if len(found.ids) <= PAGE_SIZE and not (found.whole or short):
                continue
            ids = found.ids if narrowed else found.ids[: PAGE_SIZE + 1]
            if found.whole and not ids and cursor is None:
                return listing.empty(), "0"
            statement = self.listed(plain).where(Ticket.id.in_(ids))
            page = listing.fetch(session(), Ticket, statement, asked)
            full = len(page.rows) == PAGE_SIZE and (
                page.has_previous if backwards else page.has_next
            )
            if short and not found.whole:
                g.list_note = _(
                    "只写一个字时，只在最近的 %(n)s 张哨单里查找；再写一个字，就查全部。",
                    n=search.NEAR_ONE,
                )
            if not (found.whole or full or short):
                continue
            if cursor or asked.last:
                return page, ""
            number = len(found.ids)
            if narrowed:
                number = int(listing.count(session(), Ticket, statement, page, search.NEAR_ONE))
            return page, f"{number}{'' if found.whole else '+'}"
        return super().page(asked)

    def _ways(
        self, text: str, beyond: int | None, descending: bool, narrowed: bool
    ) -> Iterator[search.Near]:
        """Yield what is found: by the index alone if it is rare, else first among the newest."""
        if not search.seems_rare(session(), text):
            enough = None if narrowed else ENOUGH
            yield search.near(session(), text, beyond=beyond, descending=descending, enough=enough)
        yield search.indexed(
            session(),
            text,
            beyond=beyond,
            descending=descending,
            most=MOST_FOUND if narrowed else COUNT_CAP,
        )

    def list_context(self) -> dict[str, Any]:
        """Say what a search has not looked through."""
        return super().list_context() | {"note": g.get("list_note", "")}

    # What the filters offer

    def relation_fields(self) -> set[str]:
        """The area is chosen like a relation."""
        return super().relation_fields() | {"area"}

    def target(self, field: str) -> type[Any]:
        """Areas are organisations."""
        return Organization if field == "area" else super().target(field)

    def choices(self, field: str) -> Select[Any]:
        """Areas are the counties, townships and communities of the actor's own area."""
        if field != "area":
            return super().choices(field)
        places = select(Organization).where(Organization.kind.in_(AREAS))
        if actor().area_id is None:
            return places
        below = select(OrganizationLine.organization_id).where(
            OrganizationLine.ancestor_id == actor().area_id
        )
        return places.where(Organization.id.in_(below))

    # How many there are behind each tab

    @expose("/counts")
    @has_access
    def counts(self) -> Response:
        """Tell the page's script how many tickets stand behind each tab, up to the cap."""
        asked = self.asked_for()
        parts = []
        for name, _label, _test in self.tabs:
            each = Request(asked.order, asked.query, name, asked.filters)
            some = self.narrowed(each).with_only_columns(Ticket.id).limit(COUNT_CAP + 1).subquery()
            parts.append(select(literal(name), func.count(some.c.id)))
        answer = jsonify(
            {
                name: f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)
                for name, number in session().execute(union_all(*parts))
            }
        )
        answer.headers["Cache-Control"] = "private, max-age=15"
        return answer

    # Cells

    def cell_title(self, record: Any) -> str:
        """A title is as long as it is."""
        return record.title

    def cell_number(self, record: Any) -> Markup | str:
        """A number stays on one line; a draft has none yet. Paper and supervision are marked."""
        if not record.number:
            return EMPTY
        number = Markup('<span class="short">{}</span>').format(record.number)
        if record.supervised_at is not None:
            number += Markup(' <span class="badge badge-danger">{}</span>').format(_("督办"))
        if record.paper:
            number += Markup(' <span class="badge badge-info">{}</span>').format(_("线下补录"))
        return number

    def cell_raised_at(self, record: Any) -> Markup | str:
        """The day is enough in a list; the page has the minute."""
        return local(record.raised_at, with_time=False) if record.raised_at else EMPTY

    def cell_whistle_class(self, record: Any) -> Markup | str:
        """Make a class that goes straight to the department stand out."""
        name = str(record.whistle_class)
        if not record.whistle_class.direct_dispatch:
            return name
        return Markup('<span class="badge badge-danger">{}</span>').format(name)

    def cell_remaining(self, record: Any) -> Markup | str:
        """Say how long is left for the next step."""
        return clock_cell(record)
