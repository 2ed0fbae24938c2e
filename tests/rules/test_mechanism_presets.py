"""Each preset line by line against the table of the domain (section 3), and what else it says there."""

from __future__ import annotations

from typing import Any

import pytest

from models.mechanism import LowRating, Mechanism, ReviewLevel
from models.organization import Organization
from presets.mechanism_plan import TERMS, MechanismPlan
from presets.mechanisms import KNOWN_FOR_LABELS, PRESETS, build, fill, plan_of
from rules.deadlines import WARNING_UNITS, Term
from rules.mechanism_checks import check

#: preset | class | dispatch | respond within | arrive within | resolve within; "-" where none is fixed.
TABLE = """
yinchuan   | 即接即办 | direct | 即时        | 即时   | 即时
yinchuan   | 一般诉求 | office | -           | -      | 7 天
yinchuan   | 复杂疑难 | office | -           | -      | 15 天
xingqing   | 快捷哨   | office | -           | -      | 1 天
xingqing   | 攻坚哨   | office | -           | -      | 派单时定
xingqing   | 应急哨   | direct | -           | 1 小时 | -
jiujiang   | 急哨     | direct | 当日        | -      | -
jiujiang   | 平哨     | office | 2 个工作日  | -      | -
hohhot     | 村居吹哨 | office | -           | -      | 按事项时限
qingshuihe | 一般     | office | 即时        | -      | -
qingshuihe | 紧急     | direct | 即时        | -      | -
wuzhong    | 日常哨   | office | -           | -      | -
wuzhong    | 攻坚哨   | office | -           | -      | -
wuzhong    | 应急哨   | direct | -           | -      | -
"""

#: The review route of each: who takes which step before the office dispatches.
ROUTES = {
    "jiujiang": "收集 社区、审核把关 街乡、审批上报 街乡",  # 提出 is the raising itself
    **dict.fromkeys(("yinchuan", "xingqing", "hohhot", "qingshuihe", "wuzhong"), "街乡审核 街乡"),
}

#: What a department is rated on, with weights in percent.
RATINGS = {
    "yinchuan": "到场率 50、配合度 50",
    "xingqing": "社区评分 50、群众评分 50",
    "jiujiang": "报到效率 25、事项办理 25、群众满意度 25、履职尽责 25",
    "hohhot": "社区评星 50、群众评星 50",
    "qingshuihe": "解决情况 50、群众满意度 50",
    "wuzhong": "事项办理 50、群众满意度 50",
}

#: What each is known for, and no other: setting → the presets that have it.
KNOWN: dict[str, set[str]] = {
    "no returns": {"xingqing"},  # 首问负责
    "stars from residents": {"hohhot"},
    "grids solve or hand up": {"xingqing", "jiujiang", "hohhot"},
    "low rating reopens": {"jiujiang"},
    "low rating is supervised": {"yinchuan", "qingshuihe"},
}

#: When a clock turns yellow; a deadline at once has nothing to warn of.
WARNINGS = {
    ("yinchuan", "一般诉求"): "办结前 2 天",
    ("yinchuan", "复杂疑难"): "办结前 3 天",
    ("xingqing", "快捷哨"): "办结前 8 小时",
    ("xingqing", "攻坚哨"): "办结前 3 个工作日",
    ("xingqing", "应急哨"): "报到前 20 分钟",
    ("jiujiang", "急哨"): "应哨前 6 小时",
    ("jiujiang", "平哨"): "应哨前 1 个工作日",
    ("hohhot", "村居吹哨"): "办结前 1 个工作日",
}


def words(stored: dict[str, Any] | None) -> str:
    return Term.from_json(stored).label if stored else "-"


def test_the_presets_are_those_of_the_domain() -> None:
    assert list(PRESETS) == [*dict.fromkeys(line.split()[0] for line in TABLE.strip().splitlines())]
    assert set(KNOWN_FOR_LABELS) == set(PRESETS)
    assert all(code == plan.preset for code, plan in PRESETS.items())


def test_classes_line_by_line() -> None:
    expected = [
        tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()
    ]
    found = [
        (
            code,
            each.name,
            "direct" if each.direct_dispatch else "office",
            words(each.respond_term),
            words(each.arrive_term),
            words(each.resolve_term),
        )
        for code, plan in PRESETS.items()
        for each in plan.classes
    ]
    assert found == expected
    assert all(each.description for plan in PRESETS.values() for each in plan.classes)


def test_warnings() -> None:
    clocks = {"respond_warn": "应哨", "arrive_warn": "报到", "resolve_warn": "办结"}
    found = {
        (code, each.name): f"{word}前 {words(getattr(each, name))}"
        for code, plan in PRESETS.items()
        for each in plan.classes
        for name, word in clocks.items()
        if getattr(each, name)
    }
    assert found == WARNINGS


def test_routes() -> None:
    found = {
        code: "、".join(f"{step.name} {step.level.title}" for step in plan.route)
        for code, plan in PRESETS.items()
    }
    assert found == ROUTES


def test_ratings() -> None:
    found = {
        code: "、".join(f"{each.name} {each.weight}" for each in plan.dimensions)
        for code, plan in PRESETS.items()
    }
    assert found == RATINGS
    # The lead scores the assisting departments, so that these do something.
    assert all(plan.lead_rates_assisting for plan in PRESETS.values())
    assert {plan.amend_hours for plan in PRESETS.values()} == {12}


def test_what_each_is_known_for() -> None:
    def having(ask: Any) -> set[str]:
        return {code for code, plan in PRESETS.items() if ask(plan)}

    assert {
        "no returns": having(lambda plan: not plan.returns_allowed),
        "stars from residents": having(lambda plan: plan.resident_stars),
        "grids solve or hand up": having(lambda plan: plan.grid_route),
        "low rating reopens": having(lambda plan: plan.low_action is LowRating.REOPEN),
        "low rating is supervised": having(lambda plan: plan.low_action is LowRating.SUPERVISE),
    } == KNOWN
    fixed = KNOWN["low rating reopens"] | KNOWN["low rating is supervised"]
    assert having(lambda plan: plan.fix_term is not None) == fixed
    assert having(lambda plan: plan.working_hours) == set()


@pytest.mark.parametrize("code", PRESETS)
def test_a_preset_may_be_in_force_as_it_stands(code: str) -> None:
    plan = PRESETS[code]
    check(plan)
    assert sum(each.weight or 0 for each in plan.dimensions) == 100
    for each in plan.classes:
        for name in TERMS:
            if stored := getattr(each, name):
                assert "warn" not in name or Term.from_json(stored).unit in WARNING_UNITS


@pytest.mark.parametrize("code", PRESETS)
def test_a_mechanism_says_what_its_plan_says(code: str) -> None:
    mechanism = build(PRESETS[code], Organization(id=7), 3)
    assert (mechanism.organization_id, mechanism.number) == (7, 3)
    assert plan_of(mechanism) == PRESETS[code]


@pytest.mark.parametrize("code", PRESETS)
def test_rows_of_the_same_code_stay_the_same_rows(code: str) -> None:
    """Tickets and grades point at them."""
    mechanism: Mechanism = build(PRESETS["jiujiang"], Organization(id=7))
    before = {each.code: each for each in [*mechanism.classes, *mechanism.dimensions]}
    fill(mechanism, PRESETS[code])
    after = {each.code: each for each in [*mechanism.classes, *mechanism.dimensions]}
    assert all(after[each] is before[each] for each in set(before) & set(after))
    assert says(mechanism) == PRESETS[code]
    assert [each.position for each in mechanism.route] == list(range(len(mechanism.route)))
    assert all(each.level in ReviewLevel for each in mechanism.route)


def says(mechanism: Mechanism) -> MechanismPlan:
    """What a mechanism says; the preset that it came from is what the plan calls it."""
    mechanism.preset = next(code for code, plan in PRESETS.items() if plan.name == mechanism.name)
    return plan_of(mechanism)
