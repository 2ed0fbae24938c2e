"""What has been read of a workbook, kept on disk from its preview until somebody confirms it.

The preview is made in one process, the import in another, perhaps hours later. The stage holds the
lists as they were read, so that nobody opens the workbook twice; everything that depends on the records
(departments by name, what is there already, who may do what) is asked anew when it is resumed, and
what has changed since shows in the plan's token.

Messages in msgpack, plain data only: the head, then each list followed by its rows. A row is
``[number, category, columns, values]``, or has its cells by label in a fifth place where merged cells
are part of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import msgpack
from sqlalchemy.orm import Session

from imports.decisions import Decisions, Watch, unwatched
from imports.engine import held, importer_of
from imports.items import Item
from imports.packing import pack_date, unpack_date
from imports.plan import Plan
from imports.specs import SPECS
from imports.specs.base import Column, Spec
from imports.tables import Layout, Offer, Problem, RawCell, RawRow, SheetProblem, Table
from models.organization import Organization
from rules.errors import Invalid, OutOfScope

#: Counted up whenever the lines mean something else.
FORMAT = 2
#: Bytes of one message at most: a row, or what is said of a list.
_LONGEST = 256 << 20
_STRIDE = 4096
#: What comes of reading something that is no stage, or half of one.
_BROKEN = (ValueError, LookupError, TypeError, StopIteration, msgpack.UnpackException)
_AGAIN = "这次上传留下的内容已经不能再用，请重新上传。"


def keep(plan: Plan, path: Path) -> None:
    """Write what was read for a plan to ``path``, in place of what may be there, in one step."""
    pack = msgpack.Packer(default=pack_date, unicode_errors="surrogatepass").pack
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        temporary = Path(file.name)
        try:
            for message in _messages(plan):
                file.write(pack(message))
            file.flush()
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def resume(
    session: Session,
    path: Path,
    *,
    owner: Organization | None = None,
    retire: bool | None = None,
    watch: Watch = unwatched,
) -> Plan:
    """Return the plan of a stage, held against the records as they are now.

    ``owner`` must be the one that it was made for; ``retire`` overrules what was decided then about
    rows that the file lacks. Raises ``Invalid`` if the stage is gone, damaged, or of another release,
    and what ``preview`` raises if the actor may not import this.
    """
    try:
        with path.open("rb") as file:
            messages = msgpack.Unpacker(
                file,
                ext_hook=unpack_date,
                unicode_errors="surrogatepass",
                strict_map_key=False,
                max_buffer_size=_LONGEST,
            )
            head = next(messages)
            if head["format"] != FORMAT:
                raise Invalid(_AGAIN)
            layout = _layout(head, messages, watch)
            decisions = Decisions.of_json(head["decisions"])
    except (*_BROKEN, OSError) as error:
        raise Invalid(_AGAIN) from error
    if head["owner"] != (owner.id if owner else None):
        raise OutOfScope
    if retire is not None:
        decisions = replace(decisions, retire=retire)
    importer = importer_of(session, head["kind"], owner, decisions)
    plan = Plan(
        head["kind"],
        Path(head["path"]),
        head["name"],
        head["hash"],
        head["owner"],
        importer,
        layout,
        decisions,
    )
    return held(plan, watch)


# Writing


def _messages(plan: Plan) -> Iterator[Any]:
    layout = plan.layout
    yield {
        "format": FORMAT,
        "kind": plan.kind,
        "path": str(plan.path),
        "name": plan.file_name,
        "hash": plan.file_hash,
        "owner": plan.owner_id,
        "decisions": plan.decisions.to_json(),
        "offers": [astuple(offer) for offer in layout.offers],
        "errors": layout.errors,
        "warnings": layout.warnings,
        "lists": len(layout.tables),
    }
    for table in layout.tables:
        ways: list[dict[int, Column]] = [table.columns]
        for row in _rows(table):
            if row.columns is not ways[-1] and all(row.columns is not way for way in ways):
                ways.append(row.columns)
        yield {
            "sheet": table.sheet,
            "list": table.list_type,
            "title": table.title,
            "heading": table.heading_row,
            "columns": [{place: each.label for place, each in way.items()} for way in ways],
            "notes": table.notes,
            "errors": table.errors,
            "warnings": table.warnings,
            "rows": len(table.rows),
        }
        numbers = {id(way): number for number, way in enumerate(ways)}
        for row in _rows(table):
            line = [row.number, row.category, numbers[id(row.columns)], row.values]
            yield line if row.held is None else [*line, row.held]


def _rows(table: Table) -> Iterator[RawRow]:
    """Return the rows as they were read; the check has left the items of plain ones in their place."""
    found: list[RawRow | Item] = list(table.rows)
    return (row.as_read() if isinstance(row, Item) else row for row in found)


# Reading


def _layout(head: dict[str, Any], messages: Iterator[Any], watch: Watch) -> Layout:
    specs = {spec.list_type: spec for spec in SPECS[head["kind"]]}
    layout = Layout(
        errors=[SheetProblem(sheet, Problem(*problem)) for sheet, problem in head["errors"]],
        warnings=[SheetProblem(sheet, Problem(*problem)) for sheet, problem in head["warnings"]],
        offers=[_offer(*each) for each in head["offers"]],
    )
    for _number in range(head["lists"]):
        about = next(messages)
        layout.tables.append(_table(about, specs[about["list"]], messages, watch))
    return layout


def _offer(sheet: str, row: int, mark: str, list_type: str, *rest: Any) -> Offer:
    lists, headings, missing = rest
    told = tuple((ref, text, key, label) for ref, text, key, label in headings)
    return Offer(sheet, row, mark, list_type, tuple(lists), told, tuple(missing))


def _table(about: dict[str, Any], spec: Spec, messages: Iterator[Any], watch: Watch) -> Table:
    labels = {column.label: column for column in spec.columns}
    ways = [
        {int(place): labels.get(label) or Column(label, ("",)) for place, label in way.items()}
        for way in about["columns"]
    ]
    table = Table(
        about["sheet"],
        spec,
        about["title"],
        about["heading"],
        ways[0],
        notes=about["notes"],
        errors=[Problem(*each) for each in about["errors"]],
        warnings=[Problem(*each) for each in about["warnings"]],
    )
    total = about["rows"]
    for at in range(total):
        if at % _STRIDE == 0:
            watch("read", at, total)
        table.rows.append(_row(next(messages), ways, literal=spec.literal))
    return table


def _row(line: list[Any], ways: list[dict[int, Column]], *, literal: bool) -> RawRow:
    number, category, way, values, *held = line
    row = RawRow(number, category, values, ways[way], literal)
    if held:
        row.held = {
            label: RawCell(text, value, at, place)
            for label, (text, value, at, place) in held[0].items()
        }
    return row
