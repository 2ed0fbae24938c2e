"""The measures as a workbook; every sheet says what its figures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from reports.measure_types import Unit
from reports.measures import MEASURES, Line, Measure, Value
from reports.workbook import SHARE, Content, Sheet
from views.measure_address import Asked
from views.measure_words import heading, rounded

FORMATS = {Unit.COUNT: "#,##0", Unit.PERCENT: SHARE, Unit.HOURS: "#,##0.0", Unit.STARS: "0.0"}


def lines_sheets(
    asked: Asked, lines: Sequence[Line], whole: Mapping[str, Value], said: str
) -> list[Sheet]:
    """Return the sheet of lines with all of them together below, and the one of meanings."""
    rows: list[Sequence[Content]] = [
        (line.title, *(content(each, line.values[each.code]) for each in MEASURES))
        for line in lines
    ]
    rows.append((_("合计"), *(content(each, whole[each.code]) for each in MEASURES)))
    titles = (_(asked.rows.title), *(name(each) for each in MEASURES))
    formats = ("", *(FORMATS[each.unit] for each in MEASURES))
    return [Sheet(_(asked.rows.title), titles, rows, formats, (30,)), meanings(MEASURES, said)]


def crossing_sheets(
    asked: Asked,
    lines: Sequence[Line],
    columns: Sequence[tuple[int | str | None, str]],
    said: str,
) -> list[Sheet]:
    """Return the sheet of a crossing, and the one that says what its measure means."""
    measure = asked.measure
    nothing = measure.valued(0, 0)

    def cell(line: Line, key: int | str | None) -> Content:
        return content(measure, line.cells[key][measure.code] if key in line.cells else nothing)

    rows: list[Sequence[Content]] = [
        (
            line.title,
            *(cell(line, key) for key, _title in columns),
            content(measure, line.values[measure.code]),
        )
        for line in lines
    ]
    corner = f"{_(asked.rows.title)}＼{_(asked.columns.title)}"
    titles = (corner, *(title for _key, title in columns), _("合计"))
    formats = ("", *(FORMATS[measure.unit] for _each in titles[1:]))
    return [Sheet(_(measure.title), titles, rows, formats, (30,)), meanings([measure], said)]


def meanings(measures: Sequence[Measure], said: str) -> Sheet:
    """Return the sheet that says what the measures mean, and of what they were taken."""
    rows: list[Sequence[Content]] = [
        (_("统计范围"), said),
        *((name(each), _(each.meaning)) for each in measures),
    ]
    return Sheet(_("指标口径"), (_("指标"), _("口径")), rows, widths=(24, 100))


def name(measure: Measure) -> str:
    """Return a measure's heading; a share's cells carry its sign."""
    return _(measure.title) if measure.unit is Unit.PERCENT else heading(measure)


def content(measure: Measure, value: Value) -> Content:
    """Return a value as a cell holds it: shares as ratios, counts whole."""
    if value.value is None:
        return None
    if measure.unit is Unit.COUNT:
        return int(value.value)
    return value.value / 100 if measure.unit is Unit.PERCENT else rounded(measure, value.value)
