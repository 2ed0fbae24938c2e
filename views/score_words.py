"""How scores are written: points, spans, places, changes, and the words that say how they come about."""

from __future__ import annotations

from flask_babel import gettext as _
from markupsafe import Markup

from models.grade import Grade
from reports.measures import Period
from reports.score_lists import Behind, tickets_of
from reports.shrinking import FLOOR, PRIOR, Estimate, written
from reports.township_scores import PARTS, Share
from rules.grade_sums import POINTS
from views.list_links import list_url
from views.rendering import EMPTY


def points(value: float | None) -> str:
    """Return points with one decimal; a dash where there are none."""
    return EMPTY if value is None else str(written(value))


def spanned(found: Estimate) -> Markup:
    """Return what is ranked by, with the span in which it lies below it."""
    return Markup('{}<span class="stamp score-span">{}</span>').format(
        points(found.value), span(found)
    )


def span(found: Estimate) -> str:
    """Return the span in which a score lies."""
    return f"{points(found.low)}–{points(found.high)}"


def place(rank: int | None) -> Markup | str:
    """Return a place, or that there is too little to give one."""
    if rank is None:
        return Markup('<span class="badge badge-muted">{}</span>').format(_("样本不足"))
    return str(rank)


def change(now: float | None, before: float | None) -> Markup | str:
    """Return how points have changed against the period before: the sign says which way."""
    if now is None or before is None:
        return EMPTY
    difference = written(now) - written(before)
    if not difference:
        return _("持平")
    tone = "up" if difference > 0 else "down"
    sign = "+" if difference > 0 else "−"
    return Markup('<span class="score-{}">{}{}</span>').format(tone, sign, abs(difference))


def linked(number: int, behind: Behind, organization_id: int, period: Period) -> Markup | str:
    """Return a count of tickets that opens their list; nothing leads nowhere."""
    url = list_url("TicketView", tickets_of(behind, organization_id, period)) if number else None
    if url is None:
        return str(number)
    return Markup('<a href="{}">{}</a>').format(url, number)


def share(found: Share, text: Markup | str = "") -> Markup | str:
    """Return a share in per cent, with how many of how many below it."""
    if found.value is None:
        return EMPTY
    return Markup('{}%<span class="stamp">{}</span>').format(
        written(100 * found.value), text or f"{found.good}/{found.of}"
    )


def department_meanings() -> list[tuple[str, str, str]]:
    """Return the words on how departments are scored: heading, unit, explanation."""
    worth = _("、").join(f"{_(grade.title)} {POINTS[grade]}" for grade in Grade)
    return [
        (
            _("评价折分"),
            "",
            _("%(worth)s 分。以每一轮评价最后一次修改为准；申诉改评的立即计入。", worth=worth),
        ),
        (
            _("本单位均分"),
            "",
            _(
                "每一轮评价按派单时机制版本的维度权重加权平均，再对各轮取平均。退回重办的，每一轮都算。"
                "主办、协办同样计分；主办对协办的评价、群众星级另列，不计入。"
            ),
        ),
        (
            _("得分"),
            "",
            _(
                "得分 =（本单位均分 × 评价轮数 + 全部单位均分 × %(prior)s）÷（评价轮数 + %(prior)s）。"
                "评价少的单位偶然性大，先按平均水平补足 %(prior)s 轮，评价越多越接近本单位均分。",
                prior=PRIOR,
            ),
        ),
        (
            _("区间"),
            "",
            _("得分下面的区间是得分 95% 可能所在的范围，区间互相重叠的单位不宜强分高下。"),
        ),
        (
            _("名次"),
            "",
            _(
                "按得分排；一位小数相同的并列。评价不足 %(floor)s 张哨单的不排名次，标“样本不足”。",
                floor=FLOOR,
            ),
        ),
        (_("统计期间"), "", _("按派单到现承办单位的日期；较上期指与前一个同样长的期间相比。")),
    ]


def township_meanings() -> list[tuple[str, str, str]]:
    """Return the words on how townships are scored."""
    return [
        *(
            (_(each.title), _("权重 %(weight)s%%", weight=each.weight), _(each.meaning))
            for each in PARTS
        ),
        (
            _("得分"),
            "",
            _(
                "各项先按全部乡镇（街道）的平均水平补足 %(prior)s 张再算比例，按权重相加，满分 100。"
                "有结论的哨单不足 %(floor)s 张的不排名次。",
                prior=PRIOR,
                floor=FLOOR,
            ),
        ),
    ]
