"""``flask --app app match-duty``: which duty item is meant by everyday words (domain section 5)."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from database import db
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from rules.duty_match import Match, match


@click.command("match-duty")
@click.argument("text")
@click.option("--organization", "code", required=True, help="Code of the place that would whistle.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, best first.")
@with_appcontext
def match_duty(text: str, code: str, as_json: bool) -> None:
    """Find the duty items that TEXT may mean on the published lists of a place, best first.

    Exit status 2: there is no such organisation.
    """
    session = db.session()
    with acting_as(session, SYSTEM):
        place = session.scalars(select(Organization).where(Organization.code == code)).first()
        if place is None:
            click.echo(f"没有代码为“{code}”的机构，请核对 --organization。", err=True)
            sys.exit(2)
        found = match(session, place, text)
        if as_json:
            click.echo(json.dumps([as_plain(each) for each in found], ensure_ascii=False, indent=2))
            return
        if not found:
            click.echo(f"“{place.name}”的已发布清单里没有找到相近的事项，请换个说法。")
        for row in _table(found):
            click.echo(row)


def as_plain(found: Match) -> dict[str, Any]:
    """Return a match as the command prints it: codes for list type and verdict, names otherwise."""
    return {
        "item": found.item.name,
        "list_type": found.list_type.value,
        "departments": [each.name for each in found.departments],
        "verdict": found.verdict.value,
        "reason": found.reason,
    }


def _table(found: list[Match]) -> list[str]:
    cells = [("事项", "清单", "部门", "吹哨资格")] if found else []
    for each in found:
        named = "、".join(place.name for place in each.departments) or "—"
        cells.append((each.item.name, each.list_type.title, named, each.verdict.title))
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
