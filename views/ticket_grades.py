"""The grades of a ticket as tables: by rater and round, with what a grade was before it was amended."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from models.rating import Rater, Rating
from models.ticket import Ticket
from views.presentation import Column, Row, Table
from views.rendering import EMPTY, badge, label_of, shown


@dataclass(frozen=True)
class Stars:
    """What the residents gave: their number of stars, and their words."""

    count: int
    comment: str


#: A department's grades of one round, by dimension: each with those that it took the place of.
Lines = dict[tuple[int, int], dict[int, list[Rating]]]


def grades(record: Ticket) -> list[tuple[str, Table]]:
    """Return a table for each rater: a line for each round and department, its grades side by side.

    Who gave them, and when, stands in the timeline.
    """
    found = []
    for rater, title in (
        (Rater.RAISER, _("吹哨单位的评价")),
        (Rater.LEAD, _("主办单位对协办的评价")),
    ):
        given = [each for each in record.ratings if each.rater is rater]
        if given:
            found.append((title, _table(given)))
    return found


def of_round(record: Ticket, organization_id: int, number: int) -> Table:
    """Return the raising place's grades of one department in one round."""
    return _table(
        [
            each
            for each in record.ratings
            if (each.organization_id, each.round) == (organization_id, number)
            and each.rater is Rater.RAISER
        ]
    )


def _table(given: list[Rating]) -> Table:
    again = any(each.round > 1 for each in given)
    dimensions = list({each.dimension_id: each.dimension for each in given}.values())
    lines: Lines = {}
    for each in sorted(given, key=lambda one: (one.round, one.revision, one.id)):
        line = lines.setdefault((each.round, each.organization_id), {})
        line.setdefault(each.dimension_id, []).append(each)
    rows = []
    for number, ((round_, _organization), line) in enumerate(lines.items()):
        one = next(iter(line.values()))[-1]
        cells = [shown(one.organization), *(_cell(line.get(each.id)) for each in dimensions)]
        rows.append(Row(number, None, [*cells, str(round_)] if again else cells))
    columns = [
        Column("organization", label_of(Rating, "organization")),
        *(Column(f"grade-{each.id}", each.name, named=True) for each in dimensions),
    ]
    if again:
        columns.append(Column("round", label_of(Rating, "round")))
    return Table(columns, rows)


def _cell(revisions: list[Rating] | None) -> Markup | str:
    """Return the grade that counts, and below it those that it took the place of."""
    if not revisions:
        return EMPTY
    *former, present = revisions
    if not former:
        return badge(present.grade)
    was = _("、").join(_(each.grade.title) for each in former)
    return Markup('{}<span class="stamp former">{}</span>').format(
        badge(present.grade), _("原评：%(grade)s", grade=was)
    )


def stars(record: Ticket) -> Stars | None:
    """Return the residents' stars and words, if they gave any."""
    if record.stars is None:
        return None
    return Stars(record.stars, record.stars_comment or "")
