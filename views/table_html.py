"""The body of a list as HTML. It is most of what a list page sends, and a template takes ten times
as long over its two hundred cells.
"""

from __future__ import annotations

from flask_babel import gettext as _
from markupsafe import Markup, escape

from views.presentation import Column, Table
from views.rendering import EMPTY

#: Text of this length that is all ASCII is a number or a day, and is not broken.
_SHORT = 20
_BADGE = '<span class="badge'


def body(table: Table, *, ticks: bool = False) -> Markup:
    """Return a table's rows; ``ticks`` puts a box before each, in the form around the table."""
    name, tick, nothing = str(escape(_("勾选"))), "", _("（无）")
    # Once for each column, not for each cell.
    columns = [_opening(each) for each in table.columns[1:]]
    lines = []
    for row in table.rows:
        if ticks:
            title = escape(row.cells[0])
            tick = (
                f'<td class="tick"><input type="hidden" name="page_ids" value="{row.id}"><input'
                f' type="checkbox" name="ids" value="{row.id}" aria-label="{name} {title}"></td>'
            )
        cells = [
            opening[_kind(cell, named)] + str(escape(cell)) + "</td>"
            if cell
            else opening["none"] + "</td>"
            for cell, (opening, named) in zip(row.cells[1:], columns, strict=True)
        ]
        lines.append(f"<tr>{tick}{_head(row.cells[0], row.url, nothing)}{''.join(cells)}</tr>")
    return Markup("\n".join(lines))  # noqa: S704 - put together of escaped cells


def _head(cell: Markup | str, url: str | None, nothing: str) -> str:
    kind = ' class="short"' if _kind(cell, True) == "short" else ""
    text = escape(cell)
    if url:
        text = Markup('<a class="row-link" href="{}">{}</a>').format(url, cell or nothing)
    return f'<th scope="row"{kind}>{text}</th>'


def _opening(column: Column) -> tuple[dict[str, str], bool]:
    """Return a column's opening tag by kind of cell, and whether it keeps its name on a phone."""
    wide, label = " wide-only" if column.wide_only else "", escape(column.label)
    kinds = ("none", "tag", "short", "")
    return {
        kind: f'<td class="{(kind + wide).strip()}" data-label="{label}">' for kind in kinds
    }, column.named


def _kind(cell: Markup | str, named: bool) -> str:
    """Return how a cell is laid out: nothing in it, a badge, on one line, or as it comes."""
    if cell == EMPTY or not cell:
        return "none"
    if not named and cell.startswith(_BADGE):
        return "tag"
    return "short" if len(cell) <= _SHORT and cell.isascii() else ""
