"""Mechanism presets (domain section 3): a county starts from one and edits it; no code of its own.

Where the domain says nothing, a preset takes what suits most counties: one review by the township,
two requests to return and one to extend, whistles judged by the duty lists (section 5), a warning
early enough to act upon, and nothing automatic after a low rating but what the place is known for.
"""

from __future__ import annotations

from typing import Any

from models.mechanism import (
    LowRating,
    Mechanism,
    RatingDimension,
    ReviewLevel,
    ReviewStep,
    WhistleClass,
)
from models.organization import Organization
from presets.mechanism_plan import (
    SETTINGS,
    TERMS,
    ClassPlan,
    DimensionPlan,
    MechanismPlan,
    StepPlan,
    TermJSON,
)


def _term(unit: str, amount: int | None = None) -> TermJSON:
    return {"unit": unit, "amount": amount}


# What is called ``label`` or ``help`` is a text for readers, and gathered for translation.


def _class(code: str, *, label: str, help: str, **terms: Any) -> ClassPlan:
    return ClassPlan(code, label, help, **terms)


def _step(*, label: str, level: ReviewLevel) -> StepPlan:
    return StepPlan(label, level)


def _dimension(code: str, *, label: str, weight: int) -> DimensionPlan:
    return DimensionPlan(code, label, weight)


def _plan(preset: str, *, label: str, **settings: Any) -> MechanismPlan:
    settings.setdefault("route", (_step(label="街乡审核", level=ReviewLevel.TOWNSHIP),))
    return MechanismPlan(preset, label, **settings)


AT_ONCE = _term("minutes", 0)

# Failing departments are followed up and their heads called in, so a low rating is supervised.
YINCHUAN = _plan(
    "yinchuan", label="银川：即接即办、一般诉求、复杂疑难",
    classes=(
        _class(
            "immediate", label="即接即办",
            help="突发事故、危及群众生命财产安全，以及供水、供电、供气、供热等急难事项："
            "直派部门，同时报吹哨办登记，即接即办。",
            direct_dispatch=True,
            respond_term=AT_ONCE, arrive_term=AT_ONCE, resolve_term=AT_ONCE,
        ),
        _class(
            "ordinary", label="一般诉求",
            help="职责清楚、按常规可以办理的诉求：经吹哨办派单，7 天内办结。",
            resolve_term=_term("calendar_days", 7), resolve_warn=_term("calendar_days", 2),
        ),
        _class(
            "complex", label="复杂疑难",
            help="涉及多个部门或历史遗留的诉求：经吹哨办派单，15 天内办结。",
            resolve_term=_term("calendar_days", 15), resolve_warn=_term("calendar_days", 3),
        ),
    ),
    dimensions=(
        _dimension("arrival", label="到场率", weight=50),
        _dimension("cooperation", label="配合度", weight=50),
    ),
    low_action=LowRating.SUPERVISE,
    fix_term=_term("calendar_days", 7),
)  # fmt: skip

# 首问负责: what has been received is not passed back. 共事 and 家事 stay with the grid.
XINGQING = _plan(
    "xingqing", label="兴庆：快捷哨、攻坚哨、应急哨",
    classes=(
        _class(
            "quick", label="快捷哨",
            help="无照经营、小型违建、困难救助、就业帮扶等可以快办的事项：经吹哨办派单，1 天内办结。",
            resolve_term=_term("calendar_days", 1), resolve_warn=_term("hours", 8),
        ),
        _class(
            "hard", label="攻坚哨",
            help="老旧小区、地下管网、环境整治、工程建设等需要攻坚的事项：办结时限由吹哨办派单时确定。",
            resolve_term=_term("at_dispatch"), resolve_warn=_term("working_days", 3),
        ),
        _class(
            "emergency", label="应急哨",
            help="突发紧急事项：直派部门，同时报吹哨办登记，1 小时内到现场。",
            direct_dispatch=True,
            arrive_term=_term("hours", 1), arrive_warn=_term("minutes", 20),
        ),
    ),
    dimensions=(
        _dimension("community", label="社区评分", weight=50),
        _dimension("residents", label="群众评分", weight=50),
    ),
    returns_allowed=False,
    grid_route=True,
)  # fmt: skip

# 提出 is the raising itself; 收集 is skipped where the community raises, being its own level.
JIUJIANG = _plan(
    "jiujiang", label="九江：急哨、平哨",
    classes=(
        _class(
            "urgent", label="急哨",
            help="突发事件和危及群众生命财产安全的事项：直派部门，同时报吹哨办登记，当日响应。",
            direct_dispatch=True,
            respond_term=_term("same_day"), respond_warn=_term("hours", 6),
        ),
        _class(
            "ordinary", label="平哨",
            help="一般事项：经街乡审核、吹哨办派单，部门两个工作日内响应。",
            respond_term=_term("working_days", 2), respond_warn=_term("working_days", 1),
        ),
    ),
    route=(
        _step(label="收集", level=ReviewLevel.COMMUNITY),
        _step(label="审核把关", level=ReviewLevel.TOWNSHIP),
        _step(label="审批上报", level=ReviewLevel.TOWNSHIP),
    ),
    dimensions=(
        _dimension("arrival", label="报到效率", weight=25),
        _dimension("handling", label="事项办理", weight=25),
        _dimension("satisfaction", label="群众满意度", weight=25),
        _dimension("duty", label="履职尽责", weight=25),
    ),
    grid_route=True,
    low_action=LowRating.REOPEN,
    fix_term=_term("working_days", 2),
)  # fmt: skip

# 评哨 by five stars, from the community and from residents.
HOHHOT = _plan(
    "hohhot", label="呼和浩特：村居吹哨",
    classes=(
        _class(
            "village", label="村居吹哨",
            help="村、社区对照事项清单吹哨：经吹哨办派单，按事项清单载明的时限办结。",
            resolve_term=_term("per_item"), resolve_warn=_term("working_days", 1),
        ),
    ),
    dimensions=(
        _dimension("community", label="社区评星", weight=50),
        _dimension("residents", label="群众评星", weight=50),
    ),
    resident_stars=True,
    grid_route=True,
)  # fmt: skip

# What is unsolved or unsatisfactory is supervised and fixed by a date; then struck off.
QINGSHUIHE = _plan(
    "qingshuihe", label="清水河：一般、紧急",
    classes=(
        _class(
            "ordinary", label="一般",
            help="一般事项：经吹哨办派单，部门接单即应。",
            respond_term=AT_ONCE,
        ),
        _class(
            "urgent", label="紧急",
            help="紧急事项：直派部门，同时报吹哨办登记，部门接单即应。",
            direct_dispatch=True, respond_term=AT_ONCE,
        ),
    ),
    dimensions=(
        _dimension("solved", label="解决情况", weight=50),
        _dimension("satisfaction", label="群众满意度", weight=50),
    ),
    low_action=LowRating.SUPERVISE,
    fix_term=_term("calendar_days", 7),
)  # fmt: skip

WUZHONG = _plan(
    "wuzhong", label="吴忠：日常哨、攻坚哨、应急哨",
    classes=(
        _class(
            "daily", label="日常哨",
            help="日常治理事项：经吹哨办派单。"),
        _class(
            "hard", label="攻坚哨",
            help="需要多个部门合力解决的难题：经吹哨办派单。"),
        _class(
            "emergency", label="应急哨",
            help="突发紧急事项：直派部门，同时报吹哨办登记。",
            direct_dispatch=True,
        ),
    ),
    dimensions=(
        _dimension("handling", label="事项办理", weight=50),
        _dimension("satisfaction", label="群众满意度", weight=50),
    ),
)  # fmt: skip

PRESETS: dict[str, MechanismPlan] = {
    each.preset: each for each in (YINCHUAN, XINGQING, JIUJIANG, HOHHOT, QINGSHUIHE, WUZHONG)
}

#: What each is known for, in a sentence or two for who chooses among them (domain section 3).
KNOWN_FOR_LABELS = {
    "yinchuan": "按难易分三类限时办理；街道给部门的到场率和配合度打分，评价不过关的督办整改。",
    "xingqing": "首问负责，接到哨单的部门不得退回；公事派部门，共事、家事由网格就地解决；"
    "社区和群众评分计入年终考核。",
    "jiujiang": "提出、收集、审核把关、审批上报四步；急哨当日响应，平哨两个工作日响应；"
    "四个维度评价，主办单位评协办单位，不满意的退回重办。",
    "hohhot": "对照事项清单吹哨，按事项时限办结；退单由专职审核员审核；社区和群众五星评哨。",
    "qingshuihe": "接单即应，台账销号管理；未解决或不满意的督办，限期整改。",
    "wuzhong": "联合党委统筹，日常、攻坚、应急三类哨，时限由各地自行补充。",
}


def build(plan: MechanismPlan, organization: Organization, number: int = 1) -> Mechanism:
    """Return a new, unsaved mechanism of the county or city that says what the plan says."""
    mechanism = Mechanism(organization_id=organization.id, number=number, preset=plan.preset)
    fill(mechanism, plan)
    return mechanism


def fill(mechanism: Mechanism, plan: MechanismPlan) -> None:
    """Make a mechanism say what the plan says; classes and dimensions of the same code stay rows."""
    for name in SETTINGS:
        setattr(mechanism, name, getattr(plan, name))
    mechanism.working_hours = [list(span) for span in plan.working_hours] or None
    classes = {each.code: each for each in mechanism.classes}
    mechanism.classes = [
        _set(classes.get(each.code) or WhistleClass(code=each.code), each, CLASS_COLUMNS, position)
        for position, each in enumerate(plan.classes)
    ]
    dimensions = {each.code: each for each in mechanism.dimensions}
    mechanism.dimensions = [
        _set(
            dimensions.get(each.code) or RatingDimension(code=each.code),
            each,
            ("name", "weight"),
            position,
        )
        for position, each in enumerate(plan.dimensions)
    ]
    # A place in the route is a key of its own, so the rows stay and take their new words.
    steps = list(mechanism.route)
    mechanism.route = [
        _set(
            steps[position] if position < len(steps) else ReviewStep(),
            each,
            ("name", "level"),
            position,
        )
        for position, each in enumerate(plan.route)
    ]


CLASS_COLUMNS = ("name", "description", "direct_dispatch", *TERMS)


def _set(row: Any, plan: Any, names: tuple[str, ...], position: int) -> Any:
    for name in names:
        setattr(row, name, getattr(plan, name))
    row.position = position
    return row


def plan_of(mechanism: Mechanism) -> MechanismPlan:
    """Return what a mechanism says."""
    return MechanismPlan(
        preset=mechanism.preset,
        **{name: getattr(mechanism, name) for name in SETTINGS},
        working_hours=tuple(tuple(span) for span in mechanism.working_hours or ()),
        classes=tuple(
            ClassPlan(each.code, **{name: getattr(each, name) for name in CLASS_COLUMNS})
            for each in mechanism.classes
        ),
        route=tuple(StepPlan(each.name, each.level) for each in mechanism.route),
        dimensions=tuple(
            DimensionPlan(each.code, each.name, each.weight) for each in mechanism.dimensions
        ),
    )
