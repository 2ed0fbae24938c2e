"""The command that finds the duty item: what it prints, and what it answers to nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from cli.match_duty import match_duty
from tests.conftest import Backend

Run = Callable[..., Result]


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(*words: str) -> Result:
        return app.test_cli_runner().invoke(match_duty, words)

    return invoke


def test_json_has_the_five_keys_best_first(run: Run) -> None:
    result = run("路灯不亮", "--organization", "A11", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == [
        {
            "item": "路灯安装与维修",
            "list_type": "coordinating",
            "departments": ["甲县住建局", "甲县执法局"],
            "verdict": "listed",
            "reason": "“路灯安装与维修”在配合履职事项清单内，可以吹哨，派往：甲县住建局、甲县执法局。",
        }
    ]


@pytest.mark.parametrize(
    ("text", "item", "verdict"),
    [
        ("邻居吵架", "调解邻里纠纷", "own_duty"),
        ("狗没拴绳", "犬只管理", "local_first"),
        ("楼顶违建塌了砸到人", "拆除违法建筑", "emergency"),
    ],
)
def test_each_verdict_is_named(run: Run, text: str, item: str, verdict: str) -> None:
    found = json.loads(run(text, "--organization", "A1", "--json").output)
    assert (found[0]["item"], found[0]["verdict"]) == (item, verdict)


def test_a_reader_gets_a_table(run: Run) -> None:
    lines = run("路灯不亮", "--organization", "A11").output.splitlines()
    assert lines[0].split() == ["事项", "清单", "部门", "吹哨资格"]
    assert lines[1].split() == [
        "路灯安装与维修", "配合履职事项清单", "甲县住建局、甲县执法局", "清单内，可以吹哨",
    ]  # fmt: skip


def test_nothing_found_is_no_error(run: Run) -> None:
    result = run("你好", "--organization", "A11", "--json")
    assert (result.exit_code, json.loads(result.output)) == (0, [])
    assert "没有找到相近的事项" in run("你好", "--organization", "A11").output


def test_an_unknown_place_is_said_so(run: Run) -> None:
    result = run("路灯不亮", "--organization", "没有", "--json")
    assert result.exit_code == 2
    assert "没有代码为“没有”的机构" in result.output


def test_hostile_text_is_only_text(run: Run) -> None:
    for text in ("", "路灯" * 5000, "'; DROP TABLE ticket; --", "\u202e路灯", "%_\\"):
        result = run(text, "--organization", "A11", "--json")
        assert result.exit_code == 0
        assert isinstance(json.loads(result.output), list)
