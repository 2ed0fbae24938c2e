"""``flask --app app import …``: the engine at the command line, acting as the system.

Exit status 0: no error; 1: an error, and nothing was written; 2: the arguments are of no use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from database import db
from imports.decisions import NONE, Decisions
from imports.engine import apply, preview
from imports.plan import Plan
from imports.probe import WorkbookRefused
from imports.specs import RECORDS
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from rules.errors import Refused

import_group = AppGroup("import", help="Import a workbook: all of it or nothing.")

#: The folder in the data directory that keeps every imported file.
ARCHIVE = "imports"


@dataclass(frozen=True)
class _Order:
    """What is to be imported: the kind, the file, whose lists they are, and what was decided."""

    kind: str
    file: Path
    code: str | None = None
    decisions: Decisions = NONE


def _existing(context: click.Context, parameter: click.Parameter, value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise click.UsageError(f"找不到文件“{value}”，请核对路径。")
    return path


_file = click.argument("file", callback=_existing)
_preview = click.option("--preview", "only_preview", is_flag=True, help="Show, write nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_retire = click.option("--retire", is_flag=True, help="Items that the file lacks go.")


@import_group.command("organizations")
@_file
@_preview
@_json
def organizations(file: Path, only_preview: bool, as_json: bool) -> None:
    """Import organisations, matched by their code."""
    _run(_Order("organizations", file), only_preview, as_json)


@import_group.command("duty-items")
@_file
@click.option(
    "--organization", "code", required=True, help="Code of the place whose lists they are."
)
@_retire
@_preview
@_json
def duty_items(file: Path, code: str, retire: bool, only_preview: bool, as_json: bool) -> None:
    """Import duty lists into the draft versions of a place."""
    order = _Order("duty-items", file, code, Decisions(retire=retire))
    _run(order, only_preview, as_json)


def _ledger_command(kind: str, label: str) -> None:
    """Add the command that imports one of the declared ledgers."""

    @import_group.command(kind, help=f"Import {label}, matched by their key.")
    @_file
    @_preview
    @_json
    def command(file: Path, only_preview: bool, as_json: bool) -> None:
        _run(_Order(kind, file), only_preview, as_json)


for _spec in RECORDS:
    if _spec.imported:
        _ledger_command(_spec.list_type, _spec.list_type.replace("-", " "))


def _run(order: _Order, only_preview: bool, as_json: bool) -> None:
    with acting_as(db.session(), SYSTEM):
        result, sentence = _import(order, only_preview)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        _print(order.file.name, result, sentence)
    if any(sheet["errors"] for sheet in result["sheets"]):
        raise SystemExit(1)


def _owner(code: str) -> Organization:
    owner = db.session.scalar(select(Organization).where(Organization.code == code))
    if owner is None:
        raise click.UsageError(f"没有代码为“{code}”的组织机构，请核对 --organization。")
    return owner


def _import(order: _Order, only_preview: bool) -> tuple[dict[str, Any], str]:
    """Preview, and apply unless only a preview is wanted; return the JSON and a sentence."""
    owner = _owner(order.code) if order.code is not None else None
    try:
        plan = preview(db.session(), order.kind, order.file, owner=owner, decisions=order.decisions)
        if plan.errors:
            return plan.result(), f"有 {len(plan.errors)} 处错误，没有导入。"
        if plan.empty:
            return plan.result(), "文件里没有数据，没有可以导入的内容。"
        if not plan.differs:
            return plan.result(), _same(plan)
        if only_preview:
            return plan.result(), "以上是预览，没有写入。"
        return _apply(plan)
    except (WorkbookRefused, Refused) as refusal:
        db.session.rollback()
        return _refused(order.file, str(refusal)), "没有导入。"


def _same(plan: Plan) -> str:
    kept = sum(len(sheet.missing) for sheet in plan.sheets if sheet.retirable)
    if kept:
        return f"没有需要导入的内容；文件里没有的 {kept} 项保持不动，要去掉请加 --retire。"
    return "文件内容与库里的完全一致，没有需要导入的内容。"


def _apply(plan: Plan) -> tuple[dict[str, Any], str]:
    folder = Path(current_app.config["DATA_DIR"]) / ARCHIVE
    batch = apply(db.session(), plan, archive=folder)
    db.session.commit()
    if batch is None:
        return plan.result(), "没有需要导入的内容。"
    return plan.result(batch.id), f"已导入，批次 {batch.id}。"


def _refused(file: Path, message: str) -> dict[str, Any]:
    """Return the result of a run that could not even look at the file's lists."""
    error = {"cell": "", "value": file.name, "message": message}
    counts = dict.fromkeys(("new", "changed", "unchanged", "missing"), 0)
    sheet = {"sheet": "", "list_type": "", **counts, "errors": [error], "warnings": []}
    return {"batch": None, "applied": False, "sheets": [sheet]}


def _print(name: str, result: dict[str, Any], sentence: str) -> None:
    click.echo(name)
    for sheet in result["sheets"]:
        click.echo(
            f"  {sheet['sheet']}：新增 {sheet['new']}，更改 {sheet['changed']}，"
            f"不变 {sheet['unchanged']}，文件中没有 {sheet['missing']}"
        )
        for word, problems in (("错误", sheet["errors"]), ("提醒", sheet["warnings"])):
            for problem in problems:
                where = " ".join(part for part in (problem["cell"], problem["value"]) if part)
                click.echo(f"    {word} {where}：{problem['message']}")
    click.echo(sentence)
