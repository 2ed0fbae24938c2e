"""What a mechanism says, in words: its tables, its rules as sentences, and what two versions differ in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from models.mechanism import (
    EligibilityRule,
    LowRating,
    Mechanism,
    RatingDimension,
    ReviewStep,
    WhistleClass,
)
from presets.mechanism_plan import (
    CLOCKS,
    SETTINGS,
    TERMS,
    ClassPlan,
    DimensionPlan,
    MechanismPlan,
    StepPlan,
    TermJSON,
)
from rules.deadlines import Term, Unit
from views.presentation import Column, Detail, Group, Row, Table
from views.rendering import EMPTY, label_of, plain, shown

#: A mechanism's settings that the editor shows, as it orders them.
SHOWN = (*SETTINGS, "working_hours")


# Terms


def term_text(term: Term) -> str:
    """Return a time limit in the reader's language."""
    if term.amount is None:
        return _(term.unit.label)
    if term.amount == 0:
        return _("即时")
    counted = {
        Unit.minutes: ngettext("%(num)s 分钟", "%(num)s 分钟", term.amount),
        Unit.hours: ngettext("%(num)s 小时", "%(num)s 小时", term.amount),
        Unit.calendar_days: ngettext("%(num)s 天", "%(num)s 天", term.amount),
        Unit.working_days: ngettext("%(num)s 个工作日", "%(num)s 个工作日", term.amount),
        Unit.working_hours: ngettext("%(num)s 个工作小时", "%(num)s 个工作小时", term.amount),
    }
    return counted[term.unit]


def stored_text(stored: TermJSON | None) -> str:
    """Return a stored time limit in words; one that is no time limit as it was typed."""
    if stored is None:
        return EMPTY
    try:
        return term_text(Term.from_json(stored))
    except ValueError:
        return f"{stored['amount']} {stored['unit']}"


def spans_text(spans: Any) -> str:
    """Return the hours of a working day: "08:30–12:00、14:00–18:00"."""
    return _("、").join("–".join(span) for span in spans) or EMPTY


# Tables


def classes(plan: MechanismPlan) -> Table:
    """Return the whistle classes with their terms in words."""
    columns = [
        Column("name", label_of(WhistleClass, "name")),
        Column("route", _("路径")),
        *(Column(clock, label_of(WhistleClass, f"{clock}_term")) for clock in CLOCKS),
        Column("assisting", _("协办时限")),
        Column("description", label_of(WhistleClass, "description")),
    ]
    rows = [
        Row(
            number,
            None,
            [
                each.name,
                _("直派部门，同时报吹哨办登记") if each.direct_dispatch else _("经吹哨办派单"),
                *(_deadline(each, clock) for clock in CLOCKS),
                _assisting(each),
                shown(each.description),
            ],
        )
        for number, each in enumerate(plan.classes, 1)
    ]
    return Table(columns, rows)


def _deadline(each: ClassPlan, clock: str) -> str:
    """Return a deadline with its warning: "2 个工作日（提前 1 个工作日预警）"."""
    text = stored_text(getattr(each, f"{clock}_term"))
    warn = getattr(each, f"{clock}_warn")
    if warn is None:
        return text
    return _("%(term)s（提前 %(warn)s预警）", term=text, warn=stored_text(warn))


def _assisting(each: ClassPlan) -> str:
    said = [
        _("%(what)s %(term)s", what=_(word), term=stored_text(term))
        for clock, word in (("respond", "应哨"), ("arrive", "报到"), ("resolve", "反馈"))
        if (term := getattr(each, f"assist_{clock}_term")) is not None
    ]
    return _("、").join(said) or _("与主办相同")


def route(plan: MechanismPlan) -> Table:
    """Return the steps between raising and dispatch."""
    columns = [Column("name", _("环节")), Column("level", label_of(ReviewStep, "level"))]
    rows = [
        Row(number, None, [each.name, plain(each.level)])
        for number, each in enumerate(plan.route, 1)
    ]
    return Table(columns, rows)


def dimensions(plan: MechanismPlan) -> Table:
    """Return the rating dimensions with their weights."""
    columns = [
        Column("name", label_of(RatingDimension, "name")),
        Column("weight", label_of(RatingDimension, "weight")),
    ]
    rows = [
        Row(number, None, [each.name, str(each.weight)])
        for number, each in enumerate(plan.dimensions, 1)
    ]
    return Table(columns, rows)


# Sentences


def rules(plan: MechanismPlan) -> Group:
    """Return what applies, as sentences under their headings."""
    said = [
        (_("谁能吹哨"), _eligibility(plan)),
        (_("审核"), _review(plan)),
        (_("网格"), _grid(plan)),
        (_("退单"), _returns(plan)),
        (_("延期"), _extension(plan)),
        (_("评哨"), _rating(plan)),
        (_("评价不过关"), _low(plan)),
        (_("工作时间"), _hours(plan)),
    ]
    return Group(_("适用规则"), [Detail(label, text, wide=True) for label, text in said])


def _eligibility(plan: MechanismPlan) -> str:
    if plan.eligibility is EligibilityRule.ADVISORY:
        return _("履职清单只作提示，能不能吹哨由吹哨办研判。")
    return _(
        "按履职清单判定：配合履职和上级收回的事项可以吹哨，突发紧急的都可以吹哨；基本履职事项不予吹哨，"
        "派驻机构能解决的先行协调，清单外的由吹哨办研判。"
    )


def _review(plan: MechanismPlan) -> str:
    direct = _("直派的哨种不经审核和派单，直接到部门，同时报吹哨办登记。")
    if not plan.route:
        return _("吹哨后不经审核，由吹哨办派单。") + direct
    steps = _("、").join(
        _("%(step)s（%(level)s）", step=each.name, level=plain(each.level)) for each in plan.route
    )
    way = _("吹哨后依次经%(steps)s，再由吹哨办派单；吹哨单位本级和下级的环节跳过。", steps=steps)
    return way + direct


def _grid(plan: MechanismPlan) -> str:
    if plan.grid_route:
        return _("网格、社区、街乡能解决的就地解决，不能解决的逐级上报。")
    return _("不分级处置，网格发现的问题由社区吹哨。")


def _returns(plan: MechanismPlan) -> str:
    if not plan.returns_allowed:
        return _("首问负责：接到哨单的部门不得退回。")
    return _(
        "部门可以申请退单，由退单审核员决定；同一部门被驳回 %(n)s 次后，以审核员的决定为准，不再受理。"
        "审核期间和驳回后，时限照常计算。",
        n=plan.return_cap,
    )


def _extension(plan: MechanismPlan) -> str:
    if not plan.extension_cap:
        return _("不允许延期。")
    return _(
        "每张哨单最多申请延期 %(n)s 次，须在时限届满前提出，由退单审核员决定。",
        n=plan.extension_cap,
    )


def _rating(plan: MechanismPlan) -> str:
    weights = _("、").join(
        _("%(name)s %(weight)s%%", name=each.name, weight=each.weight) for each in plan.dimensions
    )
    said = [_("吹哨单位给每个部门评价：%(weights)s。", weights=weights)]
    if plan.lead_rates_assisting:
        said.append(_("主办单位评协办单位。"))
    if plan.resident_stars:
        said.append(_("同时记下群众给的一至五星。"))
    if plan.amend_hours:
        said.append(_("评价后 %(n)s 小时内可以修改，修改前后的都保留。", n=plan.amend_hours))
    else:
        said.append(_("评价后不能修改。"))
    return "".join(said)


def _low(plan: MechanismPlan) -> str:
    bar = _("评到“%(grade)s”为不过关", grade=plain(plan.low_grade))
    if plan.low_action is LowRating.DECIDE:
        return _("%(bar)s，是否退回重办由街乡或吹哨办决定。", bar=bar)
    term = stored_text(plan.fix_term)
    if plan.low_action is LowRating.REOPEN:
        return _("%(bar)s，自动退回重办，限 %(term)s整改。", bar=bar, term=term)
    return _("%(bar)s，自动退回重办并督办，限 %(term)s整改。", bar=bar, term=term)


def _hours(plan: MechanismPlan) -> str:
    if not plan.working_hours:
        return _("没有规定。按工作日计的时限到当日 24 时为止。")
    return _(
        "%(spans)s。按“工作小时”计的时限只在工作日的这些时段内走。",
        spans=spans_text(plan.working_hours),
    )


def in_our_words(plan: MechanismPlan) -> MechanismPlan:
    """Return a preset with its own words in the reader's language; what is adopted stays as it is."""
    return replace(
        plan,
        name=_(plan.name),
        classes=tuple(
            replace(each, name=_(each.name), description=_(each.description or ""))
            for each in plan.classes
        ),
        route=tuple(replace(each, name=_(each.name)) for each in plan.route),
        dimensions=tuple(replace(each, name=_(each.name)) for each in plan.dimensions),
    )


# Differences


@dataclass(frozen=True)
class Difference:
    """What differs in one part of two versions; ``cells`` are (label, before, after)."""

    title: str
    cells: list[tuple[str, str, str]]


#: The label of a cell → its text.
Cells = dict[str, str]


def differences(before: MechanismPlan, after: MechanismPlan) -> list[Difference]:
    """Return cell by cell what two plans differ in: settings, then classes, route and dimensions.

    Classes and dimensions are paired by their codes, review steps by their place in the route.
    """
    found = [Difference(_("机制"), _unlike(_settings(before), _settings(after)))]
    found += _paired(_("哨种"), _classes_of(before), _classes_of(after))
    found += _paired(_("审核环节"), _steps_of(before), _steps_of(after))
    found += _paired(_("评价维度"), _dimensions_of(before), _dimensions_of(after))
    return [each for each in found if each.cells]


def _unlike(before: Cells, after: Cells) -> list[tuple[str, str, str]]:
    labels = list(dict.fromkeys([*before, *after]))
    texts = [(label, before.get(label, ""), after.get(label, "")) for label in labels]
    return [each for each in texts if each[1] != each[2]]


def _settings(plan: MechanismPlan) -> Cells:
    return {label_of(Mechanism, name): setting_text(plan, name) for name in SHOWN}


def setting_text(plan: MechanismPlan, name: str) -> str:
    """Return one of a mechanism's settings in words."""
    value = getattr(plan, name)
    if name == "fix_term":
        return stored_text(value)
    if name == "working_hours":
        return spans_text(value)
    return plain(value)


Rows = dict[str, tuple[str, Cells]]


def _classes_of(plan: MechanismPlan) -> Rows:
    names = ("name", "description", "direct_dispatch")
    return {
        each.code: (
            each.name,
            {label_of(WhistleClass, name): plain(getattr(each, name)) for name in names}
            | {label_of(WhistleClass, name): stored_text(getattr(each, name)) for name in TERMS},
        )
        for each in plan.classes
    }


def _steps_of(plan: MechanismPlan) -> Rows:
    def cells(each: StepPlan) -> Cells:
        return {
            label_of(ReviewStep, "name"): each.name,
            label_of(ReviewStep, "level"): plain(each.level),
        }

    return {str(number): (str(number), cells(each)) for number, each in enumerate(plan.route, 1)}


def _dimensions_of(plan: MechanismPlan) -> Rows:
    def cells(each: DimensionPlan) -> Cells:
        return {
            label_of(RatingDimension, "name"): each.name,
            label_of(RatingDimension, "weight"): plain(each.weight),
        }

    return {each.code: (each.name, cells(each)) for each in plan.dimensions}


def _paired(what: str, before: Rows, after: Rows) -> list[Difference]:
    """Return the rows that changed, came and went, and the order if the rows that stay changed it."""
    found = []
    for code in dict.fromkeys([*after, *before]):
        name = (after.get(code) or before[code])[0]
        if code not in before:
            title = _("新增%(what)s“%(name)s”", what=what, name=name)
        elif code not in after:
            title = _("删去%(what)s“%(name)s”", what=what, name=name)
        else:
            title = _("%(what)s“%(name)s”", what=what, name=name)
        was, became = (rows.get(code, ("", {}))[1] for rows in (before, after))
        found.append(Difference(title, _unlike(_told(was), _told(became))))
    kept = [[code for code in rows if code in before and code in after] for rows in (before, after)]
    if kept[0] != kept[1]:
        orders = [_("、").join(after[code][0] for code in codes) for codes in kept]
        found.append(Difference(_("%(what)s的次序", what=what), [(_("次序"), *orders)]))
    return found


def _told(cells: Cells) -> Cells:
    """Return the cells that say something: a row that comes or goes need not list what it lacks."""
    return {label: text for label, text in cells.items() if text != EMPTY}
