"""docs/adding-a-record-type.md works as it stands: a copy of the repository follows it to the letter."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding-a-record-type.md").read_text(encoding="utf-8")
LIMIT = 40
LEFT_OUT = shutil.ignore_patterns(
    ".venv", ".git", "var", ".*_cache", ".hypothesis", "__pycache__", "screenshots", "*.png"
)


def new_files() -> dict[str, str]:
    """Return the page's Python by the file that it says the code belongs to."""
    return dict(re.findall(r"^```python (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def additions() -> dict[str, tuple[str, list[str]]]:
    """Return, by file, the line that is there already and the lines that the page puts below it."""
    found = {}
    for name, block in re.findall(r"^```diff (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        there, *added = block.splitlines()
        assert there[0] == " "
        assert all(line[0] == "+" for line in added)
        found[name] = (there[1:], [line[1:] for line in added])
    return found


def commands() -> list[list[str]]:
    """Return the page's shell commands, with this test's Python in place of ``.venv/bin``."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found = []
    for line in block.splitlines():
        program, *words = shlex.split(line)
        found.append([sys.executable, "-m", Path(program).name, *words])
    return found


def run(words: list[str], where: Path, settings: Mapping[str, str]) -> str:
    """Run a command in the copy; return what it printed."""
    done = subprocess.run(words, cwd=where, env=dict(settings), capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the commands: a database of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUISHAO_")}
    folder = tmp_path_factory.mktemp("recipe-data")
    return kept | {"CHUISHAO_ENV": "testing", "CHUISHAO_DATA_DIR": str(folder), "PYTHONPATH": "."}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """A copy of the repository, migrated as it is, to which the page has been applied."""
    copy = tmp_path_factory.mktemp("recipe") / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    run([sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"], copy, settings)
    for name, code in new_files().items():
        assert not (copy / name).exists(), f"{name} is there already: choose another example"
        (copy / name).write_text(code)
    for name, (there, added) in additions().items():
        lines = (copy / name).read_text().split("\n")
        at = lines.index(there) + 1
        (copy / name).write_text("\n".join([*lines[:at], *added, *lines[at:]]))
    for words in commands():
        run(words, copy, settings)
    return copy


@pytest.fixture(scope="module")
def seen(followed: Path, settings: dict[str, str]) -> dict[str, Any]:
    """What a client saw that used the new record type."""
    printed = run([sys.executable, "tests/docs/recipe_client.py"], followed, settings)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_it_takes_fewer_than_forty_lines() -> None:
    assert set(new_files()) == {"models/visit.py", "views/visits.py"}
    assert set(additions()) == {"rules/policy.py"}
    written = [line for code in new_files().values() for line in code.splitlines()]
    written += [line for _there, added in additions().values() for line in added]
    assert 20 < len([line for line in written if line.strip()]) < LIMIT


def test_the_migration_makes_the_one_table_and_nothing_else(
    followed: Path, settings: dict[str, str]
) -> None:
    before = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    new = [p for p in (followed / "migrations" / "versions").glob("*.py") if p.name not in before]
    assert [re.fullmatch(r"\d{4}_visits\.py", path.name) is not None for path in new] == [True]
    script = new[0].read_text()
    assert re.findall(r"op\.create_table\('(\w+)'", script) == ["visit"]
    assert re.findall(r"batch_alter_table\('(\w+)'", script) == ["visit", "visit"]
    checked = run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "check"], followed, settings
    )
    assert "No new upgrade operations" in checked


def test_the_code_keeps_the_house_rules(followed: Path, settings: dict[str, str]) -> None:
    files = [*new_files(), *additions()]
    run([sys.executable, "-m", "ruff", "check", *files], followed, settings)
    run([sys.executable, "-m", "ruff", "format", "--check", *files], followed, settings)


def test_who_may_adds_lists_searches_edits_shows_and_deletes(seen: dict[str, Any]) -> None:
    assert seen["allowed"] == {
        "menu": True,
        "choices": ["甲一一社区", "甲一一社区第1网格"],
        "added": "/visits/show/1",
        "elsewhere": 422,
        "without a date": 422,
        "listed": True,
        "found": True,
        "missed": False,
        "since": False,
        "sorted": True,
        "shown": True,
        "edited": 302,
        "edited twice": 409,
        "audited": True,
        "deleted": 302,
        "gone": 404,
    }


def test_its_rows_leave_and_come_in_by_workbook(seen: dict[str, Any]) -> None:
    assert seen["workbooks"] == {
        "template": ["走访记录", "填写说明", "下拉选项"],
        "headings": ["村（社区）*", "走访日期*", "走访对象*", "走访情况"],
        "upload page": 200,
        "exported": ["甲一一社区", "2026-11-20 00:00:00", "东门王大娘", "扶手已装好"],
        "unchanged": True,
        "previewed": [1, 1, 0, 0],
        "batch": [True, True, True],
        "undone": "已撤销：移除 1 条新增，恢复 1 条原有内容。",
    }


def test_everybody_else_is_refused(seen: dict[str, Any]) -> None:
    assert seen["refused"] == {
        "menu": False,
        # list, the row in it, show, edit, delete, add
        "unit": [403, False, 403, 403, 403, 403],
        "township": [200, True, 200, 403, 403, 403],
        "community2": [200, False, 404, 404, 404, 422],
    }
