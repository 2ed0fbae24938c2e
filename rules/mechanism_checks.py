"""What a mechanism must keep to before it may be in force: each fault as a sentence at its place.

Places are named as the editor's fields are: a setting by its column ("return_cap"), a cell of a row
by list, position and column ("classes-0-respond_term", "dimensions-2-weight", "route-1-name"), a
list as a whole by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from models.grade import Grade
from models.mechanism import LowRating, ReviewLevel
from presets.mechanism_plan import (
    CLOCKS,
    TERMS,
    ClassPlan,
    DimensionPlan,
    MechanismPlan,
    TermJSON,
)
from rules.calendar import read_spans
from rules.deadlines import WARNING_UNITS, Term, Unit
from rules.errors import Invalid

#: A place in the plan, and what is wrong there.
Fault = tuple[str, str]

#: The most rows of each list: more is a slip, and nobody could choose among them.
MOST_CLASSES, MOST_STEPS, MOST_DIMENSIONS = 20, 10, 20
CAP = range(10)
AMEND_HOURS = range(24 * 30 + 1)
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LEVELS = (ReviewLevel.COMMUNITY, ReviewLevel.TOWNSHIP, ReviewLevel.OFFICE)
_TERM_NAMES = {
    "respond_term": "应哨时限",
    "arrive_term": "报到时限",
    "resolve_term": "办结时限",
}


def check(plan: MechanismPlan) -> None:
    """Raise ``Invalid`` naming every fault of a plan, the first of each place."""
    found: dict[str, str] = {}
    for place, sentence in faults(plan):
        found.setdefault(place, sentence)
    if found:
        raise Invalid("".join(dict.fromkeys(found.values())), **found)


def faults(plan: MechanismPlan) -> Iterator[Fault]:
    """Yield what is wrong with a plan, in the order of the form."""
    yield from _settings(plan)
    yield from _classes(plan)
    yield from _route(plan)
    yield from _dimensions(plan.dimensions)


def _settings(plan: MechanismPlan) -> Iterator[Fault]:
    yield from _word("name", plan.name, "机制名称", 100)
    yield from _number("return_cap", plan.return_cap, CAP)
    if plan.returns_allowed and plan.return_cap == 0:
        yield "return_cap", "允许退单时上限至少为 1 次；不许退单请取消勾选“允许退单”。"
    yield from _number("extension_cap", plan.extension_cap, CAP)
    yield from _number("amend_hours", plan.amend_hours, AMEND_HOURS)
    if plan.low_grade is Grade.VERY_SATISFIED:
        yield "low_grade", "“非常满意”是最好的评价，不能算不过关，请另选。"
    try:
        read_spans(plan.working_hours)
    except ValueError as error:
        yield "working_hours", str(error)
    if plan.fix_term is not None:
        yield from _term("fix_term", plan.fix_term, plan)
        if plan.fix_term["unit"] in (Unit.per_item, Unit.at_dispatch):
            yield "fix_term", "重办整改时限要写明多久，不能按事项或派单时定，请改成天数或小时数。"
    elif plan.low_action is not LowRating.DECIDE:
        yield "fix_term", "评价不过关自动退回重办时，要写明整改时限，请填写。"


def _word(place: str, text: str, what: str, longest: int) -> Iterator[Fault]:
    if not text.strip():
        yield place, f"请填写“{what}”。"
    elif len(text) > longest:
        yield place, f"“{what}”最多 {longest} 字，现在有 {len(text)} 字，请缩短。"


def _number(place: str, number: int | None, allowed: range) -> Iterator[Fault]:
    if number is None or number not in allowed:
        yield place, f"请填写 {allowed[0]} 到 {allowed[-1]} 之间的整数。"


def _term(place: str, stored: TermJSON, plan: MechanismPlan) -> Iterator[Fault]:
    try:
        term = Term.from_json(stored)
    except ValueError as error:
        yield place, str(error)
        return
    if term.unit is Unit.working_hours and not plan.working_hours:
        yield place, "以“工作小时”计时，要先填写上面的“工作时间”。"


def _classes(plan: MechanismPlan) -> Iterator[Fault]:
    if not plan.classes:
        yield "classes", "至少要有一个哨种，请添加。"
    yield from _at_most("classes", plan.classes, MOST_CLASSES, "哨种")
    yield from _codes("classes", [each.code for each in plan.classes])
    yield from _different("classes", [each.name for each in plan.classes], "哨种")
    for index, each in enumerate(plan.classes):
        place = f"classes-{index}"
        yield from _word(f"{place}-name", each.name, "哨种", 40)
        if len(each.description or "") > 1000:
            yield f"{place}-description", "“适用情形”最多 1000 字，请缩短。"
        for name in TERMS:
            stored: TermJSON | None = getattr(each, name)
            if stored is not None:
                yield from _term(f"{place}-{name}", stored, plan)
                if each.direct_dispatch and stored["unit"] == Unit.at_dispatch:
                    yield f"{place}-{name}", "直派的哨种没有派单环节，时限不能“派单时定”，请改正。"
        for clock in CLOCKS:
            yield from _warning(place, clock, each)


def _warning(place: str, clock: str, each: ClassPlan) -> Iterator[Fault]:
    """A warning needs a deadline to come before, a length, and to be shorter than the deadline."""
    warn: TermJSON | None = getattr(each, f"{clock}_warn")
    term: TermJSON | None = getattr(each, f"{clock}_term")
    if warn is None:
        return
    where, deadline = f"{place}-{clock}_warn", _TERM_NAMES[f"{clock}_term"]
    if warn["unit"] not in WARNING_UNITS:
        yield where, "预警要写明提前多少分钟、小时、天或工作日，请改正。"
    if term is None:
        yield where, f"没有“{deadline}”就没有预警，请填写时限或清空预警。"
    elif term["unit"] == warn["unit"] and _as_long(warn, term):
        yield where, f"预警提前的时间要短于“{deadline}”，请改正。"


def _as_long(warn: TermJSON, term: TermJSON) -> bool:
    lengths = (warn["amount"], term["amount"])
    return all(isinstance(each, int) for each in lengths) and lengths[0] >= lengths[1]


def _route(plan: MechanismPlan) -> Iterator[Fault]:
    yield from _at_most("route", plan.route, MOST_STEPS, "审核环节")
    yield from _different("route", [each.name for each in plan.route], "审核环节")
    reached = 0
    for index, each in enumerate(plan.route):
        yield from _word(f"route-{index}-name", each.name, "环节", 40)
        level = _LEVELS.index(each.level)
        if level < reached:
            yield (
                f"route-{index}-level",
                "审核只能逐级向上，这一环节比前一环节的级别低，请调整次序。",
            )
        reached = max(reached, level)


def _dimensions(dimensions: Sequence[DimensionPlan]) -> Iterator[Fault]:
    if not dimensions:
        yield "dimensions", "至少要有一个评价维度，请添加。"
    yield from _at_most("dimensions", dimensions, MOST_DIMENSIONS, "评价维度")
    yield from _codes("dimensions", [each.code for each in dimensions])
    yield from _different("dimensions", [each.name for each in dimensions], "评价维度")
    whole = True
    for index, each in enumerate(dimensions):
        yield from _word(f"dimensions-{index}-name", each.name, "评价维度", 40)
        if each.weight is None or not 1 <= each.weight <= 100:
            whole = False
            yield f"dimensions-{index}-weight", "请填写 1 到 100 之间的整数。"
    total = sum(each.weight or 0 for each in dimensions)
    if dimensions and whole and total != 100:
        yield "dimensions", f"各维度的权重合计应为 100，现在是 {total}，请调整。"


def _at_most(place: str, rows: Sequence[object], most: int, what: str) -> Iterator[Fault]:
    if len(rows) > most:
        yield place, f"{what}最多 {most} 个，现在有 {len(rows)} 个，请删减。"


def _codes(place: str, codes: Sequence[str]) -> Iterator[Fault]:
    for index, code in enumerate(codes):
        if not _CODE.fullmatch(code):
            yield (
                f"{place}-{index}-code",
                "代码由小写字母开头，只含小写字母、数字、下划线和连字符，最多 40 个，请改正。",
            )
        elif code in codes[:index]:
            yield f"{place}-{index}-code", f"代码“{code}”与上面的重复，请改正。"


def _different(place: str, names: Sequence[str], what: str) -> Iterator[Fault]:
    for index, name in enumerate(names):
        if name.strip() and name in names[:index]:
            yield f"{place}-{index}-name", f"{what}“{name}”与上面的重名，请改正。"
