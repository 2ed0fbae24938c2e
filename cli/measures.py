"""``flask --app app measures``: facts made anew or held against the tickets, and measures in figures."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from database import db
from models.base import utcnow
from models.organization import Organization, OrganizationKind
from reports import facts
from reports.measure_types import Unit
from reports.measures import MEASURES, Dimension, Measure, Period, Question, Value, ask, total
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from rules.errors import Refused

measures = AppGroup("measures", help="The measures of whistles, and what they are summed from.")
#: By which dimension an organisation of a kind narrows the measures; a city's are all there are.
_NARROWS = {
    OrganizationKind.COUNTY: Dimension.COUNTY,
    OrganizationKind.TOWNSHIP: Dimension.TOWNSHIP,
    OrganizationKind.COMMUNITY: Dimension.COMMUNITY,
    OrganizationKind.DEPARTMENT: Dimension.DEPARTMENT,
    OrganizationKind.STATION: Dimension.DEPARTMENT,
    OrganizationKind.UNIT: Dimension.DEPARTMENT,
    OrganizationKind.COORDINATION_OFFICE: Dimension.DEPARTMENT,
}


@measures.command("rebuild")
@with_appcontext
def rebuild() -> None:
    """Make the facts of every ticket anew; triggers and the worker keep them from then on."""
    began = time.perf_counter()
    with acting_as(db.session(), SYSTEM):
        number = facts.rebuild(db.session())
        db.session.commit()
    click.echo(f"已重建 {number} 张哨单的统计，用时 {time.perf_counter() - began:.1f} 秒。")


@measures.command("check")
@with_appcontext
def check() -> None:
    """Hold the facts that are kept against the tickets; exit 1 and say where they differ."""
    with acting_as(db.session(), SYSTEM):
        facts.catch_up(db.session(), None)
        db.session.commit()
        sentences = facts.check(db.session())
    for sentence in sentences:
        click.echo(sentence)
    click.echo(f"已核对哨单统计，{len(sentences)} 处不符。")
    if sentences:
        click.echo("请运行 flask --app app measures rebuild 重建。")
        sys.exit(1)


@measures.command("show")
@click.option("--organization", "code", help="Code of a place or department. [default: all]")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="[default: 1 January]")
@click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), help="[default: today]")
@click.option(
    "--by", type=click.Choice([each.value for each in Dimension]), help="A line for each."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def show(
    code: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Print every measure of the whistles of some days, in all and by a dimension.

    Exit status 1: no such organisation, or days that cannot be. The JSON's values are in the measure's
    unit, rounded to four decimals; null where nothing is due.
    """
    with acting_as(db.session(), SYSTEM):
        facts.catch_up(db.session(), None)
        db.session.commit()
        try:
            question = _question(code, first, last, by)
        except Refused as refusal:
            click.echo(refusal.message, err=True)
            sys.exit(1)
        report = _report(question)
    click.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else _text(report))


def _question(
    code: str | None, first: dt.datetime | None, last: dt.datetime | None, by: str | None
) -> Question:
    """Return what is asked; raises ``Refused``."""
    today = shanghai_date(utcnow())
    until = last.date() if last else today
    period = Period(first.date() if first else until.replace(month=1, day=1), until)
    rows = Dimension(by) if by else None  # type: ignore[call-arg]
    if code is None:
        return Question(period, rows)
    found = db.session.scalars(select(Organization).where(Organization.code == code)).first()
    if found is None:
        raise Refused(f"没有代码为“{code}”的机构，请核对 --organization。")
    if found.kind is OrganizationKind.CITY:
        return Question(period, rows)
    if found.kind not in _NARROWS:
        raise Refused(f"“{found.name}”是{found.kind.title}，没有单独的统计，请改用它的上级。")
    return Question(period, rows, None, {_NARROWS[found.kind]: found.id})


def _report(question: Question) -> dict[str, Any]:
    now, session = utcnow(), db.session()
    lines = ask(session, question, MEASURES, now) if question.rows else []
    return {
        "from": f"{question.period.first}",
        "until": f"{question.period.last}",
        "by": question.rows.value if question.rows else None,
        "measures": [
            {
                "code": each.code,
                "title": each.title,
                "unit": each.unit.title,
                "meaning": each.meaning,
            }
            for each in MEASURES
        ],
        "total": _figures(total(session, question, MEASURES, now)),
        "lines": [
            {"key": line.key, "title": line.title, "values": _figures(line.values)}
            for line in lines
        ],
    }


def _figures(values: dict[str, Value]) -> dict[str, dict[str, Any]]:
    return {
        code: {"part": _number(each.part), "of": _number(each.of), "value": _number(each.value)}
        for code, each in values.items()
    }


def _number(value: Any) -> int | float | None:
    if value is None or isinstance(value, int):
        return value
    return round(float(value), 4)


def _text(report: dict[str, Any]) -> str:
    """Return the report as lines of text, a tab between the columns."""
    heads = [f"{each.title}（{each.unit.title}）" for each in MEASURES]
    rows = [["", *heads], ["合计", *map(_word, MEASURES, report["total"].values())]]
    rows += [
        [line["title"], *map(_word, MEASURES, line["values"].values())] for line in report["lines"]
    ]
    days = f"{report['from']} 至 {report['until']}"
    return "\n".join([days, *("\t".join(row) for row in rows)])


def _word(measure: Measure, figures: dict[str, Any]) -> str:
    value = figures["value"]
    if value is None:
        return "—"
    return f"{value:.0f}" if measure.unit is Unit.COUNT else f"{value:.1f}"
