"""Which matters come back: the same matter in one area at least N times in D days (domain section 8).

What is counted is a whistle that was raised and stands. A withdrawn whistle never was one, a declined
one the office has refused, and a merged one is the same occurrence told twice: it counts through the
whistle that it was merged into. What was solved on the spot did occur, and counts. A whistle without a
duty item has no matter and is not found: titles are too free to be sure of, and a class is far too wide.
The office opens a problem for such by hand.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from models.base import Titled
from models.duty import DutyItem, DutyList, DutyListStatus
from models.measure import TicketFact
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.recurring import ProblemStatus, RecurringProblem, Remedy
from models.ticket import Channel, TicketStatus
from rules.actor import current
from rules.calendar import shanghai_date
from rules.policy import Action, Scope, scopes

#: So many matters are found at once, those with the most whistles, and so many whistles are named of each.
MOST, NAMED = 200, 20
#: Whistles in these states are no occurrence of a matter of their own.
NOT_COUNTED = (
    TicketStatus.DRAFT,
    TicketStatus.WITHDRAWN,
    TicketStatus.DECLINED,
    TicketStatus.MERGED,
)
#: A problem in one of these still watches over its matter.
WATCHED = (ProblemStatus.OPEN, ProblemStatus.PLANNED, ProblemStatus.DONE)
#: Found by those who go and look, and told by residents.
_LOOKED, _VOICED = (
    (Channel.PATROL, Channel.PROACTIVE),
    (Channel.RESIDENT, Channel.HOTLINE, Channel.SNAPSHOT),
)
#: What share is "mostly", from how many months on a matter is "spread", from how many places "scattered".
MOSTLY, SPREAD, SCATTERED = 0.6, 3, 3


class Level(Titled):
    """What counts as one area."""

    CITY = "city", "市"
    COUNTY = "county", "县（市、区）"
    TOWNSHIP = "township", "乡镇（街道）"
    COMMUNITY = "community", "村（社区）"


#: What a territory is one area for.
LEVEL_OF = {
    OrganizationKind.CITY: Level.CITY,
    OrganizationKind.COUNTY: Level.COUNTY,
    OrganizationKind.TOWNSHIP: Level.TOWNSHIP,
    OrganizationKind.COMMUNITY: Level.COMMUNITY,
}


@dataclass(frozen=True)
class Signs:
    """What the whistles of a matter have in common; ``suggest`` goes by these alone.

    ``places`` is how many places below the area raised some, ``most`` how many the one that raised most;
    for a community there is nothing below. ``listed``: the matter stands in a duty list in force.
    """

    count: int
    level: Level
    listed: bool = True
    patrolled: int = 0
    voiced: int = 0
    months: int = 1
    places: int = 1
    most: int = 0


@dataclass(frozen=True)
class Found:
    """A matter that came back: how often, in which days, and the newest of its whistles."""

    area_id: int
    matter: str
    count: int
    first: dt.date
    last: dt.date
    ticket_ids: tuple[int, ...]
    signs: Signs = field(compare=False)


@dataclass(frozen=True)
class Suggestion:
    """A remedy with its reason: a text with places for values, to be said in the reader's language."""

    remedy: Remedy
    label: str
    values: tuple[tuple[str, str | int], ...] = ()

    def __str__(self) -> str:
        return self.label % dict(self.values)


def area_of(session: Session, level: Level) -> Any:
    """Return what names the area of a level: a column of the facts, or for cities what the tree says.

    Facts do not name their city, but its counties, and townships right below it. One statement then.
    """
    if level is not Level.CITY:
        return getattr(TicketFact, f"{level.value}_id")
    line, place, city = OrganizationLine, aliased(Organization), aliased(Organization)
    parts = session.execute(
        select(line.ancestor_id, line.organization_id)
        .join(city, and_(city.id == line.ancestor_id, city.kind == OrganizationKind.CITY))
        .join(place, place.id == line.organization_id)
        .where(
            or_(
                place.kind == OrganizationKind.COUNTY,
                and_(place.kind == OrganizationKind.TOWNSHIP, line.depth == 1),
            )
        )
    )
    below: dict[int, list[int]] = defaultdict(list)
    for city_id, part_id in parts:
        below[city_id].append(part_id)
    whens = [
        (or_(TicketFact.county_id.in_(ids), TicketFact.township_id.in_(ids)), literal(city_id))
        for city_id, ids in sorted(below.items())
    ]
    return case(*whens) if whens else cast(null(), Integer)


def counted(first: dt.date, last: dt.date) -> ColumnElement[bool]:
    """Return which facts are occurrences of a matter on these days, both included."""
    return and_(
        TicketFact.current,
        TicketFact.matter.is_not(None),
        TicketFact.status.not_in(NOT_COUNTED),
        TicketFact.day.between(first, last),
        # The indices know months; without them a county's whole history would be walked.
        TicketFact.month.between(first.year * 100 + first.month, last.year * 100 + last.month),
    )


def own_ground(session: Session) -> list[ColumnElement[bool]]:
    """Return where all facts lie that the session's actor reads, if that is one county or township.

    The gate says so too, by organisations; the place of the facts themselves has an index with months,
    by which a county's quarter is found without walking everybody's.
    """
    actor = current(session)
    if actor.system or actor.area_id is None:
        return []
    if scopes(actor.roles, "ticket_fact", Action.READ) != {Scope.AREA}:
        return []
    area = session.get(Organization, actor.area_id)
    level = LEVEL_OF.get(area.kind) if area is not None else None
    if level not in (Level.COUNTY, Level.TOWNSHIP):
        return []
    return [area_of(session, level) == actor.area_id]


def window(now: dt.datetime, days: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last of the ``days`` days that end with today in Shanghai."""
    last = shanghai_date(now)
    return last - dt.timedelta(days=max(days, 1) - 1), last


def found(
    session: Session,
    areas: Collection[int] | None,
    now: dt.datetime,
    times: int,
    days: int,
    level: Level = Level.TOWNSHIP,
    *,
    matter: str | None = None,
    limit: int = MOST,
    named: int = NAMED,
) -> list[Found]:
    """Return the matters raised at least ``times`` in an area in the last ``days``, most often first.

    ``areas``: ids of organisations of the level; None for all that the session's actor reads of.
    ``matter``: only this one. Only whistles that he may read the figures of are counted. Three
    statements, four for cities, however many are found, and at most ``limit`` of them; of each the newest ``named`` tickets
    are named. Call ``reports.facts.catch_up`` before.
    """
    first, last = window(now, days)
    area, below = area_of(session, level), _below(level)
    tests = [counted(first, last), area.is_not(None), *own_ground(session)]
    if areas is not None:
        tests.append(area.in_(areas))
    if matter is not None:
        tests.append(TicketFact.matter == matter)
    rows = session.execute(_often(area, below, tests, times, limit)).all()
    if not rows:
        return []
    pairs = [(row.area, row.matter) for row in rows]
    tests.append(tuple_(area, TicketFact.matter).in_(pairs))
    newest = _newest(session, area, tests, named) if named else {}
    listed = _listed(session, {matter for _area, matter in pairs})
    return [
        Found(
            row.area,
            row.matter,
            int(row.number),
            row.first,
            row.last,
            newest.get((row.area, row.matter), ()),
            _signs(row, level, row.matter in listed),
        )
        for row in rows
    ]


def _signs(row: Any, level: Level, listed: bool) -> Signs:
    # Sums of sums are decimals on PostgreSQL.
    counts = (row.patrolled, row.voiced, row.months, row.places, row.most)
    return Signs(int(row.number), level, listed, *(int(each) for each in counts))


def _often(
    area: Any, below: Any, tests: Sequence[ColumnElement[bool]], times: int, limit: int
) -> Select[Any]:
    """Return the statement that finds the areas and matters, with what their whistles have in common.

    It counts by place and month first: to count distinct months and places of single whistles, all of
    them would have to be sorted.
    """
    parts = (
        select(
            area.label("area"),
            TicketFact.matter.label("matter"),
            below.label("spot"),
            TicketFact.month.label("month"),
            func.count(TicketFact.id).label("number"),
            func.min(TicketFact.day).label("first"),
            func.max(TicketFact.day).label("last"),
            _times(TicketFact.channel.in_(_LOOKED)).label("patrolled"),
            _times(TicketFact.channel.in_(_VOICED)).label("voiced"),
        )
        .where(*tests)
        .group_by(area, TicketFact.matter, below, TicketFact.month)
        .subquery()
    )
    here = parts.c
    at_spot = func.sum(here.number).over(partition_by=(here.area, here.matter, here.spot))
    part = select(parts, at_spot.label("at_spot")).subquery().c
    number = func.sum(part.number)
    return (
        select(
            part.area,
            part.matter,
            number.label("number"),
            func.min(part.first).label("first"),
            func.max(part.last).label("last"),
            func.sum(part.patrolled).label("patrolled"),
            func.sum(part.voiced).label("voiced"),
            func.count(part.month.distinct()).label("months"),
            func.count(part.spot.distinct()).label("places"),
            func.max(part.at_spot).label("most"),
        )
        .group_by(part.area, part.matter)
        .having(number >= times)
        .order_by(number.desc(), part.area, part.matter)
        .limit(limit)
    )


def _below(level: Level) -> Any:
    """Return the column of the places right below a level; a community is one place."""
    names = {Level.CITY: TicketFact.county_id, Level.COUNTY: TicketFact.township_id}
    return names.get(level, TicketFact.community_id)


def _times(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((test, 1), else_=0))


Pair = tuple[int, str]


def _newest(
    session: Session, area: Any, tests: Sequence[ColumnElement[bool]], number: int
) -> dict[Pair, tuple[int, ...]]:
    """Return the newest tickets of each area and matter, at most ``number``, the newest first."""
    turn = func.row_number().over(
        partition_by=(area, TicketFact.matter),
        order_by=(TicketFact.day.desc(), TicketFact.ticket_id.desc()),
    )
    ranked = select(area.label("area"), TicketFact.matter, TicketFact.ticket_id, turn.label("turn"))
    rows = ranked.where(*tests).subquery()
    wanted = select(rows).where(rows.c.turn <= number).order_by(rows.c.turn)
    named: dict[Pair, tuple[int, ...]] = {}
    for place, matter, ticket_id, _turn in session.execute(wanted):
        named[place, matter] = (*named.get((place, matter), ()), ticket_id)
    return named


def _listed(session: Session, matters: Collection[str]) -> set[str]:
    """Return which matters stand in a duty list in force that the session's actor may read."""
    named = (
        select(DutyItem.name)
        .distinct()
        .join(DutyItem.duty_list)
        .where(DutyItem.name.in_(matters), DutyList.status == DutyListStatus.PUBLISHED)
    )
    return set(session.scalars(named))


def untied(session: Session, matters: Sequence[Found]) -> list[Found]:
    """Return those that no open problem watches over yet: neither of the area nor of one above it."""
    if not matters:
        return []
    areas = {each.area_id for each in matters}
    watching = (
        select(OrganizationLine.organization_id, RecurringProblem.matter)
        .join(RecurringProblem, RecurringProblem.organization_id == OrganizationLine.ancestor_id)
        .where(OrganizationLine.organization_id.in_(areas), RecurringProblem.status.in_(WATCHED))
    )
    watched = {(area, matter) for area, matter in session.execute(watching)}
    return [each for each in matters if (each.area_id, each.matter) not in watched]


def suggest(signs: Signs) -> Suggestion:
    """Return a remedy for a matter that comes back, by what its whistles have in common.

    In this order: nobody's listed duty → onto the duty list; mostly from one place among several →
    a project there; mostly found by patrols, or spread over months → standing patrols; all of one
    community → a project; told by residents all over the area → publicity. Else the office decides.
    """
    if not signs.listed:
        return Suggestion(
            Remedy.DUTY_LIST,
            "现行的履职事项清单里没有这个事项，由谁负责没有写明，建议先纳入清单。",
        )
    if signs.level is not Level.COMMUNITY and _mostly(signs.most, signs) and signs.places > 1:
        return Suggestion(
            Remedy.PROJECT,
            "%(count)s 件中有 %(most)s 件集中在同一个地方，建议在那里立项整治。",
            (("count", signs.count), ("most", signs.most)),
        )
    if _mostly(signs.patrolled, signs):
        return Suggestion(
            Remedy.PATROL,
            "%(count)s 件中有 %(patrolled)s 件由巡查发现，建议定期巡查，早发现早处置。",
            (("count", signs.count), ("patrolled", signs.patrolled)),
        )
    if signs.months >= SPREAD:
        return Suggestion(
            Remedy.PATROL,
            "%(months)s 个月里都有发生，没有断过根，建议定期巡查。",
            (("months", signs.months),),
        )
    if signs.level is Level.COMMUNITY or signs.places <= 1:
        return Suggestion(
            Remedy.PROJECT,
            "%(count)s 件都在同一个地方，建议立项整治。",
            (("count", signs.count),),
        )
    if _mostly(signs.voiced, signs) and signs.places >= SCATTERED:
        return Suggestion(
            Remedy.PUBLICITY,
            "%(places)s 个地方都有群众反映，比较分散，建议宣传引导。",
            (("places", signs.places),),
        )
    return Suggestion(Remedy.OTHER, "没有明显的规律，请吹哨办会同有关单位研判。")


def _mostly(part: int, signs: Signs) -> bool:
    return part >= MOSTLY * signs.count
