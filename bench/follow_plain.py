"""The plain SQL of each page's question: what anybody would write over facts, grades, tickets and orders.

No gate, no log-in, no layout, and no sums of months. What a page must show of the answer is told by
``shown``: the benchmark looks for it in the page.
"""

# ruff: noqa: S608 - no words of anybody are put into these statements
from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, bindparam, text

from models.ticket import FINAL, TicketStatus
from presets.supervision import USUAL
from rules.grade_sums import POINTS
from rules.recurring import NOT_COUNTED

Answers = list[Sequence[Any]]
#: Who asks → which facts, orders and the like are his.
FACTS = {
    "city": "1 = 1",
    "office": "f.county_id = :place",
    "township": "f.township_id = :place",
    "community": "f.organization_id = :place",
    "handler": "f.department_id = :place",
}
_BELOW = (
    "organization_id IN (SELECT organization_id FROM organization_line WHERE ancestor_id = :place)"
)
_SUMS = ", ".join(
    (
        "count(*)",
        "count(*) FILTER (WHERE f.dispatched)",
        "count(*) FILTER (WHERE f.closed)",
        "count(*) FILTER (WHERE f.closed AND f.resolved_on_time)",
        "count(*) FILTER (WHERE f.responded_on_time)",
        "count(*) FILTER (WHERE f.responded_on_time IS NOT NULL OR f.respond_due <= :now)",
        "count(*) FILTER (WHERE f.arrived_on_time)",
        "count(*) FILTER (WHERE f.arrived_on_time IS NOT NULL OR f.arrive_due <= :now)",
        "count(*) FILTER (WHERE f.ticket_returned)",
        "count(*) FILTER (WHERE f.reopened)",
        "sum(f.satisfied), sum(f.grades), avg(f.stars)",
        "avg(f.respond_minutes), avg(f.arrive_minutes), avg(f.resolve_minutes)",
    )
)
_SHARES = ", ".join(
    (
        "count(*) FILTER (WHERE f.dispatched)",
        "count(*) FILTER (WHERE f.closed)",
        "count(*) FILTER (WHERE f.responded_on_time)",
        "count(*) FILTER (WHERE f.responded_on_time IS NOT NULL OR f.respond_due <= :now)",
        "count(*) FILTER (WHERE f.closed AND f.resolved_on_time)",
        "count(*) FILTER (WHERE f.closed AND f.resolved_on_time IS NOT NULL)",
        "sum(f.satisfied), sum(f.grades)",
    )
)
_WORTH = " ".join(f"WHEN '{grade.value}' THEN {points}" for grade, points in POINTS.items())
_MONTH = "f.month BETWEEN :first_month AND :month"
_DAYS = "f.day BETWEEN :first AND :last"
#: The dimension whose weakest the first page of measures names, and the columns of its heat table.
_WEAK = {"handler": "f.township_id"}
_HEAT = {
    "city": "f.county_id",
    "office": "f.township_id",
    "township": "f.community_id",
    "community": "f.month",
    "handler": "f.township_id",
}
#: Of which places the rule of what comes back asks.
_AGAIN = {"city": "f.county_id", "office": "f.township_id"}


@dataclass(frozen=True)
class Plain:
    """Statements with their values, and which texts of the answers the page shows."""

    statements: tuple[str, ...]
    values: dict[str, Any]
    shown: Callable[[list[Answers]], list[str]]

    def ask(self, engine: Engine) -> list[Answers]:
        """Ask them all."""
        with engine.connect() as connection:
            return [
                list(connection.execute(_bound(each, self.values), self.values).all())
                for each in self.statements
            ]


def _bound(statement: str, values: dict[str, Any]) -> Any:
    known = {name: value for name, value in values.items() if f":{name}" in statement}
    lists = [
        bindparam(name, expanding=True) for name, each in known.items() if isinstance(each, list)
    ]
    return text(statement).bindparams(*lists)


def _counts(*columns: int) -> Callable[[list[Answers]], list[str]]:
    """Look for some columns of the first answer's rows, as numbers with commas."""
    return lambda found: [f"{row[each]:,}" for row in found[0] for each in columns if row[each]]


def _ids(url: str) -> Callable[[list[Answers]], list[str]]:
    return lambda found: [url.format(row.id) for row in found[0]]


def values_of(today: dt.date, now: dt.datetime, place: int | None) -> dict[str, Any]:
    """Return the values that the statements name: days as the pages' usual periods have them."""
    month = today.replace(day=1)
    first = _months_before(month, 11)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    return {
        "now": now,
        "place": place,
        "today": today,
        "first": first,
        "last": today,
        "first_then": first.replace(year=first.year - 1),
        "last_then": today - dt.timedelta(days=365),
        "first_month": _number(first),
        "month": _number(month),
        "years": _number(_months_before(month, 23)),
        "half": _number(_months_before(month, 5)),
        "thirty": today - dt.timedelta(days=29),
        "sixty": today - dt.timedelta(days=59),
        "quarter": quarter,
        "quarter_before": quarter - (today - quarter) - dt.timedelta(days=1),
        "rule_since": today - dt.timedelta(days=USUAL.again_days - 1),
        "rule_times": USUAL.again_times,
        "waited": now - dt.timedelta(days=3),
        "open": [
            each.value
            for each in TicketStatus
            if each not in FINAL and each is not TicketStatus.DRAFT
        ],
        "not_counted": [each.value for each in NOT_COUNTED],
    }


def _months_before(month: dt.date, number: int) -> dt.date:
    months = month.year * 12 + month.month - 1 - number
    return dt.date(months // 12, months % 12 + 1, 1)


def _number(day: dt.date) -> int:
    return day.year * 100 + day.month


def plain_of(what: str, who: str, values: dict[str, Any]) -> Plain | None:
    """Return the plain SQL of a page's question, None where there is none to ask."""
    mine = FACTS[who]
    if what.endswith("year"):
        year = dt.date(values["today"].year, 1, 1)
        values = values | {
            "quarter": year,
            "quarter_before": year.replace(year=year.year - 1),
            "today": year.replace(month=12, day=31),
        }
    found: tuple[tuple[str, ...], Callable[[list[Answers]], list[str]]] | None = None
    if what == "home page":
        found = _home(who, mine)
    elif what == "measures":
        found = _overview(who, mine)
    elif what == "measures by class":
        lines = f"SELECT f.class_name, {_SUMS} FROM ticket_fact f WHERE f.current AND {mine} AND {_DAYS}"
        whole = lines.replace("f.class_name, ", "", 1)
        found = (f"{lines} GROUP BY f.class_name", whole), _counts(1, 2, 3)
    elif what == "measures, class × month":
        cells = "SELECT f.class_name, f.month, count(*) FILTER (WHERE f.dispatched)"
        where = f"FROM ticket_fact f WHERE f.current AND {mine} AND {_DAYS}"
        found = (f"{cells} {where} GROUP BY f.class_name, f.month",), _counts(2)
    elif what.startswith("scores of townships") or (
        what.startswith("scores") and who in ("township", "community")
    ):
        found = _townships(mine)
    elif what.startswith("scores"):
        found = _scores(who, mine)
    elif what == "what comes back":
        found = _again(who, mine)
    elif what == "a problem":
        found = _problem()
    else:
        found = _list(what, who)
    return Plain(found[0], values, found[1]) if found else None


Asked = tuple[tuple[str, ...], Callable[[list[Answers]], list[str]]]


def _home(who: str, mine: str) -> Asked:
    """Return what waits, soonest first, how much is open and late, and the shares of thirty days."""
    own = "EXISTS (SELECT 1 FROM ticket_party p WHERE p.ticket_id = t.id AND p.organization_id = :place)"
    tickets = f"FROM ticket t WHERE t.status IN :open AND {'1 = 1' if who == 'city' else own}"
    number = "SELECT t.status, count(*), count(*) FILTER (WHERE t.next_due < :now)"
    shares = (
        f"SELECT CASE WHEN f.day >= :thirty THEN 1 ELSE 0 END, {_SHARES} FROM ticket_fact f"
        f" WHERE f.current AND {mine} AND f.day >= :sixty GROUP BY 1"
    )
    months = (
        f"SELECT f.month, {_SHARES} FROM ticket_fact f"
        f" WHERE f.current AND {mine} AND f.month >= :half GROUP BY f.month"
    )
    front = (
        f"SELECT t.id, t.title, t.status, t.next_due {tickets} ORDER BY t.next_due, t.id LIMIT 8"
    )

    def shown(found: list[Answers]) -> list[str]:
        row = next((each for each in found[0] if each[0] == 1), None)
        return [f"{100 * row[3] / row[4]:.1f}%"] if row is not None and row[4] else []

    return (shares, months, f"{number} {tickets} GROUP BY t.status", front), shown


def _overview(who: str, mine: str) -> Asked:
    """Return all measures of twelve months and of those a year before, months, the weakest, a heat table."""
    weak = _WEAK.get(who, "f.department_id")
    current = "f.current AND " if who == "handler" else ""
    heat = _HEAT[who]
    return (
        f"SELECT {_SUMS} FROM ticket_fact f WHERE f.current AND {mine} AND {_DAYS}",
        f"SELECT {_SUMS} FROM ticket_fact f WHERE f.current AND {mine}"
        " AND f.day BETWEEN :first_then AND :last_then",
        f"SELECT f.month, {_SHARES} FROM ticket_fact f WHERE f.current AND {mine}"
        " AND f.month BETWEEN :years AND :month GROUP BY f.month",
        f"SELECT {weak}, {_SHARES}, count(*) FILTER (WHERE f.returned) FROM ticket_fact f"
        f" WHERE {current}{mine} AND {_DAYS} GROUP BY {weak}",
        f"SELECT f.class_name, {heat}, count(*) FILTER (WHERE f.dispatched) FROM ticket_fact f"
        f" WHERE f.current AND {mine} AND {_DAYS} GROUP BY f.class_name, {heat}",
    ), _counts(0, 1, 2, 3)


def _scores(who: str, mine: str) -> Asked:
    """Return each department's rounds and weighted mean, of a period and of the one before."""
    whose = "r.organization_id = :place" if who == "handler" else mine
    worth = f"CASE r.grade {_WORTH} END"
    statement = (
        f"SELECT r.organization_id, CASE WHEN f.day >= :quarter THEN 1 ELSE 0 END AS present,"
        f" r.dimension_id, count(*), sum({worth} * d.weight), sum(d.weight), sum({worth} * {worth})"
        " FROM ticket_fact f JOIN rating r ON r.ticket_id = f.ticket_id"
        " JOIN rating_dimension d ON d.id = r.dimension_id"
        f" WHERE f.current AND {whose} AND f.day BETWEEN :quarter_before AND :today"
        " AND r.rater = 'raiser' AND NOT EXISTS (SELECT 1 FROM rating later"
        " WHERE later.ticket_id = r.ticket_id AND later.organization_id = r.organization_id"
        " AND later.dimension_id = r.dimension_id AND later.round = r.round"
        " AND later.rater = r.rater AND later.revision > r.revision)"
        " GROUP BY 1, 2, 3"
    )

    def shown(found: list[Answers]) -> list[str]:
        sums: dict[int, list[float]] = {}
        for row in found[0]:
            if row[1] == 1:
                mean = sums.setdefault(row[0], [0.0, 0.0])
                mean[0] += float(row[4])
                mean[1] += float(row[5])
        return [f"{points / weight:.1f}" for points, weight in sums.values()]

    return (statement,), shown


def _townships(mine: str) -> Asked:
    """Return how many whistles there are of each township, decided on, declined, rated, left unrated."""
    statement = (
        "SELECT f.township_id, CASE WHEN f.day >= :quarter THEN 1 ELSE 0 END, count(*),"
        " count(*) FILTER (WHERE f.dispatched OR f.refused), count(*) FILTER (WHERE f.refused),"
        " count(*) FILTER (WHERE f.grades > 0),"
        " count(*) FILTER (WHERE t.status = 'resolved' AND f.grades = 0 AND t.resolved_at < :waited)"
        " FROM ticket_fact f JOIN ticket t ON t.id = f.ticket_id"
        f" WHERE f.current AND {mine} AND f.day BETWEEN :quarter_before AND :today GROUP BY 1, 2"
    )

    def shown(found: list[Answers]) -> list[str]:
        there = [row for row in found[0] if row[1] == 1 and row[0] is not None]
        return [f">{row[each]}</a>" for row in there for each in (3, 4, 5) if row[each]]

    return (statement,), shown


def _again(who: str, mine: str) -> Asked:
    """Return how often each matter was raised in each month, and where it came back."""
    area = _AGAIN.get(who, "f.community_id")
    counts = f"f.current AND f.matter IS NOT NULL AND f.status NOT IN :not_counted AND {mine}"
    return (
        "SELECT f.matter, f.month, count(*) AS number FROM ticket_fact f"
        f" WHERE {counts} AND f.month >= :half GROUP BY f.matter, f.month"
        " ORDER BY number DESC, f.matter",
        f"SELECT {area}, f.matter, count(*), min(f.day), max(f.day), count(DISTINCT f.month),"
        f" count(DISTINCT f.community_id) FROM ticket_fact f WHERE {counts}"
        f" AND f.day >= :rule_since GROUP BY {area}, f.matter HAVING count(*) >= :rule_times"
        " ORDER BY 3 DESC LIMIT 50",
    ), lambda found: [f">{row[2]}<" for row in found[0][:3]]


def _problem() -> Asked:
    """Return how often a problem's matter came up in each month, before the plan and since; its tickets."""
    own = (
        "FROM ticket_fact f WHERE f.current AND f.matter = :matter AND f.township_id = :area"
        " AND f.status NOT IN :not_counted"
    )
    return (
        f"SELECT f.month, count(*) {own} AND f.month >= :first_month GROUP BY f.month",
        f"SELECT count(*) {own} AND f.day BETWEEN :planned_before AND :planned_eve",
        f"SELECT count(*) {own} AND f.day BETWEEN :planned_after AND :planned_last",
        "SELECT t.id, t.title, t.status, t.raised_at, o.name FROM problem_ticket c"
        " JOIN ticket t ON t.id = c.ticket_id JOIN organization o ON o.id = t.organization_id"
        " WHERE c.problem_id = :problem ORDER BY t.id DESC LIMIT 51",
    ), lambda found: [str(row[1]) for row in found[0]] + [str(found[1][0][0]), str(found[2][0][0])]


#: List → (table, how a row is linked to, by which column a department has its own)
_LISTS = {
    "supervision": ("supervision", "/supervisions/show/{}", "department_id"),
    "recurring problems": ("recurring_problem", "/problems/show/{}", "owner_id"),
    "meetings": ("coordination_meeting", "/meetings/show/{}", ""),
    "decisions": ("meeting_decision", "/decisions/show/{}", "owner_id"),
    "appeals": ("rating_appeal", "/appeals/show/{}", "department_id"),
}


def _list(what: str, who: str) -> Asked | None:
    if what not in _LISTS:
        return None
    table, url, own = _LISTS[what]
    mine = "1 = 1" if who == "city" else _BELOW
    if own and who == "handler":
        mine = f"{own} = :place"
    elif own == "owner_id" and who == "township":
        mine = f"({mine} OR {own} = :place)"
    where = f"FROM {table} WHERE {mine}"
    return (
        f"SELECT * {where} ORDER BY id DESC LIMIT 25",
        f"SELECT count(*) FROM (SELECT id {where} LIMIT 1001) AS part",
    ), _ids(url)
