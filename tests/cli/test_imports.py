"""The import at the command line: JSON of the agreed shape, and exit statuses for scripts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from cli.imports import import_group
from database import db
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend
from tests.imports.books import MESSY, ORGANIZATIONS, THREE_LISTS, make_book
from tests.imports.conftest import lists_of_demo, organizations_of_demo
from tests.imports.ledgers import LEDGERS, SOUND, sheet, spec_named

Run = Callable[..., Result]


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(*words: object) -> Result:
        return app.test_cli_runner().invoke(import_group, [str(word) for word in words])

    return invoke


def count(app: Flask) -> tuple[int, int]:
    """Return how many organisations and duty items the demo county has."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        return (
            organizations_of_demo(db.session()),
            sum(len(each.items) for each in lists_of_demo(db.session())),
        )


def test_json_of_a_run(app: Flask, run: Run) -> None:
    result = run("organizations", ORGANIZATIONS, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "batch": 1,
        "applied": True,
        "sheets": [
            {
                "sheet": "组织机构",
                "list_type": "organizations",
                "new": 95,
                "changed": 0,
                "unchanged": 0,
                "missing": 0,
                "errors": [],
                "warnings": [],
            }
        ],
    }
    assert count(app) == (95, 0)
    digest = hashlib.sha256(ORGANIZATIONS.read_bytes()).hexdigest()
    kept = Path(app.config["DATA_DIR"]) / "imports" / f"{digest}.xlsx"
    assert kept.read_bytes() == ORGANIZATIONS.read_bytes()


def test_again_changes_nothing_and_says_so(app: Flask, run: Run) -> None:
    run("organizations", ORGANIZATIONS)
    result = run("organizations", ORGANIZATIONS, "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["batch"], data["applied"]) == (0, None, False)
    assert data["sheets"][0]["unchanged"] == 95
    assert "完全一致，没有需要导入的内容" in run("organizations", ORGANIZATIONS).stdout
    assert count(app) == (95, 0)


def test_preview_writes_nothing(app: Flask, run: Run) -> None:
    result = run("organizations", ORGANIZATIONS, "--preview", "--json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["applied"], data["sheets"][0]["new"]) == (0, False, 95)
    assert count(app) == (0, 0)
    assert "以上是预览，没有写入" in run("organizations", ORGANIZATIONS, "--preview").stdout


def test_duty_items(app: Flask, run: Run) -> None:
    run("organizations", ORGANIZATIONS)
    result = run("duty-items", THREE_LISTS, "--organization", "640199100", "--json")
    data = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [(each["list_type"], each["new"]) for each in data["sheets"]] == [
        ("basic", 129),
        ("coordinating", 103),
        ("reclaimed", 138),
    ]
    assert count(app) == (95, 370)


def test_what_a_file_lacks_goes_only_if_told(app: Flask, run: Run, tmp_path: Path) -> None:
    run("organizations", ORGANIZATIONS)
    words = ("--organization", "640199100")
    for names in (["甲", "乙", "丙"], ["甲", "丙"]):
        rows = [["类别", "事项名称"], *(["党建", name] for name in names)]
        path = make_book(tmp_path / "基本.xlsx", ("基本履职", rows))
        kept = run("duty-items", path, *words)
    assert count(app) == (95, 3)
    assert "文件里没有的 1 项保持不动，要去掉请加 --retire" in kept.stdout
    data = json.loads(run("duty-items", path, *words, "--retire", "--json").stdout)
    assert (data["applied"], data["sheets"][0]["missing"]) == (True, 1)
    assert count(app) == (95, 2)


def test_errors_by_cell_exit_one_and_write_nothing(app: Flask, run: Run) -> None:
    run("organizations", ORGANIZATIONS)
    path = MESSY / "和平镇_收回清单_五处错误.xlsx"
    words = ("duty-items", path, "--organization", "640199102")
    result = run(*words, "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert (data["batch"], data["applied"]) == (None, False)
    errors = {each["cell"]: each for each in data["sheets"][0]["errors"]}
    assert set(errors) == {"B6", "C10", "B14", "B20"}
    assert errors["C10"]["value"] == "县不存在的局"
    assert set(errors["C10"]) == {"cell", "value", "message"}
    assert count(app) == (95, 0)
    text = run(*words)
    assert text.exit_code == 1
    assert "错误 C10 县不存在的局" in text.stdout
    assert run(*words, "--preview").exit_code == 1


def test_a_file_that_is_no_workbook_is_an_error(app: Flask, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "清单.xlsx"
    path.write_bytes(b"%PDF-1.7 " + bytes(range(256)))
    result = run("organizations", path, "--json")
    assert result.exit_code == 1
    [sheet] = json.loads(result.stdout)["sheets"]
    [error] = sheet["errors"]
    assert error["message"].startswith("文件“清单.xlsx”是PDF")


@pytest.mark.parametrize(
    "words",
    [
        ("organizations", "没有这个文件.xlsx"),
        ("organizations",),
        ("duty-items", THREE_LISTS),
        ("duty-items", THREE_LISTS, "--organization", "999"),
        ("tickets", THREE_LISTS),
        ("organizations", ORGANIZATIONS, "--unknown"),
    ],
)
def test_unusable_arguments_exit_two(app: Flask, run: Run, words: tuple[object, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert count(app) == (0, 0)


@pytest.mark.parametrize("kind", LEDGERS)
def test_ledgers(app: Flask, run: Run, tmp_path: Path, kind: str) -> None:
    """Agreements, resources, needs, services and check-ins, as the system."""
    path = sheet(tmp_path, kind, SOUND[kind])
    assert json.loads(run(kind, path, "--preview", "--json").stdout)["sheets"][0]["new"] == 1
    data = json.loads(run(kind, path, "--json").stdout)
    assert (data["applied"], data["sheets"][0]["new"]) == (True, 1)
    again = run(kind, path)
    assert "完全一致，没有需要导入的内容" in again.stdout
    wrong = run(kind, sheet(tmp_path, kind, SOUND[kind] | {spec_named(kind).places[0]: "没有的"}))
    assert wrong.exit_code == 1
    assert "没有找到机构“没有的”" in wrong.stdout
