"""The board: needs by how far they have come, 点单—派单—接单—评单 (domain section 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from markupsafe import Markup
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, raiseload

from models.base import utcnow
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind
from models.resource import Category
from presets.roles import Role
from rules import workflow
from rules.calendar import end_of_day, shanghai_date
from rules.policy import Action, allows
from rules.scope import reachable
from rules.wording import remaining
from views import listing, permissions
from views.context import actor, session
from views.forms import options_of
from views.presentation import Column, Crumb, Filter, Link, MenuEntry, Row, Table
from views.registry import view_of
from views.rendering import EMPTY, badge

S = NeedStatus
CARDS = 20
LATEST = 5
#: A column is counted so far; beyond it says "10000+".
CAP = 10_000
COMMUNITIES = 50

#: The columns: status, title, what it means, and what an empty one says.
COLUMNS = (
    (S.PUBLISHED, "点单", "已公布，等单位认领", "没有待认领的需求。"),
    (S.CLAIMED, "派单", "已认领，等单位开始办理", "没有已认领而未开始的需求。"),
    (S.IN_HAND, "接单", "正在办理", "没有正在办理的需求。"),
    (S.DONE, "评单", "已办结，等社区评价", "没有待评价的需求。"),
)
#: The numbers of a community in the table below the columns.
COUNTED = (S.GATHERED, S.PUBLISHED, S.CLAIMED, S.IN_HAND, S.DONE, S.RATED)


@dataclass(frozen=True)
class Card:
    """A need on the board. ``clock`` is its age or the time that remains, ``tone`` its colour."""

    title: str
    url: str
    badges: list[Markup]
    community: str
    category: str
    clock: str
    tone: str
    holder: str
    links: list[Link]


@dataclass(frozen=True)
class Lane:
    """A column of the board; ``latest`` are the cards of what has just left it."""

    name: str
    title: str
    help: str
    count: str
    url: str
    cards: list[Card]
    empty: str
    empty_link: Link | None
    latest: list[Card]


class BoardView(BaseView):
    """Needs in four columns, urgent ones first, and the communities' numbers below."""

    route_base = "/board"
    menu = (MenuEntry("一书三单", "点单派单", "fa-table-columns", 5, "board"),)

    def __init__(self) -> None:
        super().__init__()
        permissions.declare(
            self.class_permission_name,
            {"can_board": ("need", Action.READ), "can_communities": ("need", Action.READ)},
        )

    @expose("/")
    @has_access
    def board(self) -> Any:
        """Show the columns; at most nine statements of its own, however many needs there are."""
        filters = asked()
        return self.render_template(
            "board.html",
            view_title=_("点单派单"),
            crumbs=[Crumb(_("点单派单"))],
            lanes=lanes(filters),
            filters=filter_bar(filters),
            reset_url=url_for("BoardView.board"),
            table=None if "community" in filters else tally(filters),
            links=_links(),
        )

    @expose("/communities")
    @has_access
    def communities(self) -> Any:
        """Answer the select box: communities of which the reader sees any need."""
        some = select(Need.id).where(Need.community_id == Organization.id).exists()
        found = select(Organization).where(Organization.kind == OrganizationKind.COMMUNITY, some)
        return options_of(found, Organization, request.args.get("q", ""))


def asked() -> dict[str, str]:
    """Return the filters that the address sets."""
    names = ("community", "category", "is_wish")
    given = {name: request.args.get(name, "").strip() for name in names}
    return {name: value for name, value in given.items() if value}


def filter_bar(filters: Mapping[str, str]) -> list[Filter]:
    """Return the filters with what is set."""
    number = listing.id_of(filters.get("community", ""))
    chosen = session().get(Organization, number) if number is not None else None
    return [
        Filter(
            "community",
            _("所在社区"),
            "record",
            filters.get("community", ""),
            source=url_for("BoardView.communities"),
            text=str(chosen) if chosen else "",
        ),
        Filter(
            "category",
            _("需求类别"),
            "choice",
            filters.get("category", ""),
            [(each.value, _(each.title)) for each in Category],
        ),
        Filter(
            "is_wish",
            _("微心愿"),
            "choice",
            filters.get("is_wish", ""),
            [("1", _("只看微心愿")), ("0", _("不看微心愿"))],
        ),
    ]


def _links() -> list[Link]:
    needs = view_of(Need)
    if needs is None or not needs.may("can_add"):
        return []
    return [Link(_("登记需求"), needs.url("add"), "fa-plus", "primary")]


# The columns


def lanes(filters: Mapping[str, str]) -> list[Lane]:
    """Return the four columns: one statement counts them, one each reads their first cards."""
    base = listing.filtered(select(Need), Need, filters)
    counts = _counts(base)
    today = shanghai_date(utcnow())
    found = []
    for status, title, words, empty in COLUMNS:
        urgent_first = (Need.urgency.desc(), Need.id)
        cards = _cards(base, status, urgent_first, CARDS, today) if counts[status] else []
        latest = []
        if status is S.DONE:
            newest_first = (Need.done_on.desc(), Need.id.desc())
            latest = _cards(base, S.RATED, newest_first, LATEST, today)
        number = counts[status]
        lane = Lane(
            status.value,
            _(title),
            _(words),
            f"{CAP}+" if number > CAP else str(number),
            _list_url(filters, status=status.value),
            cards,
            _("没有符合条件的需求。") if filters else _(empty),
            None if filters else _way_on(status),
            latest,
        )
        found.append(lane)
    return found


def _counts(base: Select[Any]) -> dict[NeedStatus, int]:
    """Return how many needs stand in each column, counted up to the cap."""
    numbers = []
    for status, *_words in COLUMNS:
        some = base.where(Need.status == status).with_only_columns(Need.id).limit(CAP + 1)
        rows = some.subquery()
        numbers.append(select(func.count(rows.c.id)).scalar_subquery().label(status.value))
    row = session().execute(select(*numbers)).one()
    return {status: row[place] for place, (status, *_words) in enumerate(COLUMNS)}


def _cards(
    base: Select[Any], status: NeedStatus, order: tuple[Any, ...], limit: int, today: dt.date
) -> list[Card]:
    query = (
        base.where(Need.status == status)
        .order_by(*order)
        .options(joinedload(Need.community), joinedload(Need.claimed_by), raiseload("*"))
        .limit(limit)
    )
    return [_card(need, today) for need in session().scalars(query)]


def _card(need: Need, today: dt.date) -> Card:
    view = view_of(Need)
    marks = []
    if need.urgency.value == "urgent":
        marks.append(badge(need.urgency))
    if need.is_wish:
        marks.append(Markup('<span class="badge badge-info">{}</span>').format(_("微心愿")))
    if need.status is S.RATED and need.grade is not None:
        marks.append(badge(need.grade))
    words, tone = _clock(need, today)
    holder = need.claimed_by.name if need.claimed_by else ""
    return Card(
        title=need.title,
        url=view.url("show", pk=need.id) if view else "",
        badges=marks,
        community=need.community.name,
        category=_(need.category.title),
        clock=words,
        tone=tone,
        holder=_("认领：%(name)s", name=holder) if holder else "",
        links=_next(need),
    )


def _clock(need: Need, today: dt.date) -> tuple[str, str]:
    """Return the time that remains where there is a day to keep, else the age; and its tone."""
    due = need.due_on if need.status is S.CLAIMED else need.wanted_until
    if need.status in (S.CLAIMED, S.IN_HAND) and due is not None:
        left = remaining(end_of_day(due), utcnow(), _)
        tone = "danger" if due < today else "warning" if due <= today + _SOON else "info"
        return left, tone
    if need.status is S.RATED:
        return need.done_on.isoformat() if need.done_on else "", "muted"
    since = {S.PUBLISHED: need.published_on, S.DONE: need.done_on}.get(need.status, need.claimed_on)
    if since is None:
        return "", "muted"
    days = max((today - since).days, 0)
    if need.status is S.PUBLISHED:
        return (
            ngettext("公布 %(num)s 天", "公布 %(num)s 天", days) if days else _("今天公布")
        ), "muted"
    if need.status is S.DONE:
        return (
            ngettext("办结 %(num)s 天", "办结 %(num)s 天", days) if days else _("今天办结")
        ), "muted"
    return (
        ngettext("认领 %(num)s 天", "认领 %(num)s 天", days) if days else _("今天认领")
    ), "muted"


_SOON = dt.timedelta(days=2)


def _next(need: Need) -> list[Link]:
    """Return what the reader may do about a published need: claim it, or find a resource for it."""
    view = view_of(Need)
    if need.status is not S.PUBLISHED or view is None:
        return []
    links = []
    roles = actor().roles
    step = "claim" if _takers("claim") & roles else "claim_for" if need.is_wish else ""
    if _takers(step) & roles:
        url = view.url("show", pk=need.id) + f"#step-{step}"
        links.append(Link(pgettext("step", "认领"), url, "fa-hand"))
    if allows(roles, "service_project", Action.ADD):
        url = url_for("MatchView.need", pk=need.id)
        links.append(Link(_("匹配资源"), url, "fa-puzzle-piece"))
    return links


def _takers(action: str) -> set[Role]:
    """Return the roles that may take a step of a need; the page itself asks who exactly."""
    table = workflow.workflow_of(Need)
    step = table.step(action) if table else None
    return {role for role, _relation in step.who} if step else set()


def _way_on(status: NeedStatus) -> Link | None:
    """Return what to do about an empty column: only the first waits for the reader to fill it."""
    return next(iter(_links()), None) if status is S.PUBLISHED else None


def _list_url(filters: Mapping[str, str], **more: Any) -> str:
    view = view_of(Need)
    return view.url("list", **{**filters, **more}) if view else ""


# The communities


def tally(filters: Mapping[str, str]) -> Table | None:
    """Return the communities in the reader's reach with their numbers, fifty a page by their code.

    None where there is but one.
    """
    inside = reachable(actor(), "need", Organization.id, Action.READ)
    query = select(Organization).where(Organization.kind == OrganizationKind.COMMUNITY, inside)
    after, before = request.args.get("after", ""), request.args.get("before", "")
    if before:
        query = query.where(Organization.code < before).order_by(Organization.code.desc())
    else:
        query = query.where(Organization.code > after).order_by(Organization.code)
    rows = list(session().scalars(query.limit(COMMUNITIES + 1)))
    more = len(rows) > COMMUNITIES
    rows = rows[:COMMUNITIES]
    if before:
        rows.reverse()
    if not (after or before or len(rows) > 1):
        return None
    has_previous, has_next = (more, True) if before else (bool(after), more)
    numbers = _numbers([each.id for each in rows], filters)
    labels = [_(each.title) for each in COUNTED]
    return Table(
        columns=[Column("name", _("所在社区")), *(Column(each, each) for each in labels)],
        rows=[_row(each, numbers, filters) for each in rows],
        first_url=_page_url(filters) if has_previous else None,
        previous_url=_page_url(filters, before=rows[0].code) if rows and has_previous else None,
        next_url=_page_url(filters, after=rows[-1].code) if rows and has_next else None,
    )


def _numbers(ids: list[int], filters: Mapping[str, str]) -> dict[tuple[int, NeedStatus], int]:
    query = (
        listing.filtered(select(Need), Need, filters)
        .with_only_columns(Need.community_id, Need.status, func.count(Need.id))
        .where(Need.community_id.in_(ids), Need.status.in_(COUNTED))
        .group_by(Need.community_id, Need.status)
    )
    rows = session().execute(query)
    return {(community_id, status): number for community_id, status, number in rows}


def _row(
    place: Organization, numbers: dict[tuple[int, NeedStatus], int], filters: Mapping[str, str]
) -> Row:
    cells: list[Markup | str] = [place.name]
    for status in COUNTED:
        number = numbers.get((place.id, status), 0)
        url = _list_url(filters, community=place.id, status=status.value)
        label = _("%(place)s：%(status)s", place=place.name, status=_(status.title))
        link = Markup('<a href="{}" aria-label="{} {}">{}</a>').format(url, label, number, number)
        cells.append(link if number else EMPTY)
    return Row(place.id, _url(filters, community=place.id), cells)


def _page_url(filters: Mapping[str, str], **more: Any) -> str:
    return _url(filters, **more) + "#communities"


def _url(filters: Mapping[str, str], **more: Any) -> str:
    values: dict[str, Any] = {**filters, **more}
    return url_for("BoardView.board", **values)
