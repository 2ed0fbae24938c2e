"""Scores as tables, tiles and a picture: plain values that the templates lay out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from markupsafe import Markup

from reports.measures import Period
from reports.pictures import Bar, Chart
from reports.score_lists import Behind
from reports.scores import Card, DimensionScore, Scores
from reports.shrinking import written
from reports.township_scores import PARTS, Share, TownshipCard
from views.presentation import Column, Row, Table
from views.rendering import EMPTY
from views.score_words import change, linked, place, points, share, span, spanned

CardUrl = Callable[[int], str]


@dataclass(frozen=True)
class Tile:
    """A number of a card with what stands below it."""

    label: str
    value: Markup | str
    note: Markup | str = ""


def departments(found: Scores, url: CardUrl) -> Table:
    """Return the ranking: a line for each department, each dimension in a column."""
    columns = [
        Column("department", _("部门")),
        Column("rank", _("名次"), named=True),
        Column("score", _("得分"), named=True),
        Column("change", _("较上期"), named=True),
        Column("tickets", _("评价哨单"), named=True),
        Column("own", _("本单位均分"), named=True),
        *(
            Column(f"dimension-{number}", name, named=True)
            for number, name in enumerate(found.dimensions)
        ),
        *([Column("stars", _("群众星级"), named=True)] if _starred(found) else []),
        *([Column("pending", _("待复核申诉"), named=True)] if _disputed(found) else []),
    ]
    return Table(columns, [_department(found, each, url) for each in found.cards])


def _starred(found: Scores) -> bool:
    """Tell whether residents gave any stars: some mechanisms ask for none."""
    return any(each.starred for each in found.cards)


def _disputed(found: Scores) -> bool:
    """Tell whether any appeal waits."""
    return any(each.pending for each in found.cards)


def _department(found: Scores, card: Card, url: CardUrl) -> Row:
    by_name = {each.name: points(each.score) for each in card.dimensions}
    cells: list[Markup | str] = [
        card.title,
        place(card.rank),
        spanned(card.estimate) if card.estimate else points(card.score),
        change(card.compared, card.before),
        linked(card.tickets, Behind.GRADED, card.id, found.period),
        points(card.score),
        *(by_name.get(name, EMPTY) for name in found.dimensions),
    ]
    if _starred(found):
        cells.append(points(card.stars))
    if _disputed(found):
        pending = linked(card.pending, Behind.APPEALED, card.id, found.period)
        cells.append(pending if card.pending else EMPTY)
    return Row(card.id, url(card.id), cells)


def townships(found: list[TownshipCard], period: Period, url: CardUrl) -> Table:
    """Return the townships' ranking: a column for each share."""
    columns = [
        Column("township", _("乡镇（街道）")),
        Column("rank", _("名次"), named=True),
        Column("score", _("得分"), named=True),
        Column("change", _("较上期"), named=True),
        *(Column(each.code, _(each.title), named=True) for each in PARTS),
    ]
    rows = []
    for card in found:
        cells: list[Markup | str] = [
            card.title,
            place(card.rank),
            spanned(card.estimate) if card.estimate else EMPTY,
            change(card.estimate.value if card.estimate else None, card.before),
            *(_share(card.shares[each.code], each.code, card.id, period) for each in PARTS),
        ]
        rows.append(Row(card.id, url(card.id), cells))
    return Table(columns, rows)


#: Share → the lists of what is amiss, and of all that it is taken over.
_LISTS = {
    "blown": (Behind.DECLINED, Behind.BLOWN),
    "rated": (Behind.UNRATED, Behind.RATED),
    "fair": (Behind.CORRECTED, Behind.RATED),
}
_AMISS = {"blown": "不予吹哨", "rated": "逾期未评", "fair": "申诉改评"}


def _share(found: Share, code: str, number: int, period: Period) -> Markup | str:
    """Return a share with what is amiss below it: both lead to their tickets."""
    amiss, whole = _LISTS[code]
    of = found.good if code == "rated" else found.of
    return share(
        found,
        Markup("{} {} / {}").format(
            _(_AMISS[code]),
            linked(found.of - found.good, amiss, number, period),
            linked(of, whole, number, period),
        ),
    )


# One card


def department_tiles(card: Card, found: Scores, appeals_url: str | None) -> list[Tile]:
    """Return a card's numbers; without an estimate it is one's own, and tells of nobody else."""
    pending = Markup('<a href="{}">{}</a>').format(appeals_url, card.pending)
    return [
        *_ranked(card, found),
        Tile(
            _("评价哨单"),
            linked(card.tickets, Behind.GRADED, card.id, found.period),
            _("共 %(number)s 轮评价", number=card.rounds),
        ),
        Tile(
            _("群众星级"),
            points(card.stars),
            _("%(number)s 张哨单，不计入得分", number=card.starred),
        ),
        Tile(
            _("主办单位评协办"),
            points(card.by_leads),
            _("%(number)s 轮评价，不计入得分", number=card.by_leads_rounds),
        ),
        Tile(
            _("待复核申诉"),
            pending if card.pending and appeals_url else str(card.pending),
            _("改评后立即计入得分"),
        ),
    ]


def _ranked(card: Card, found: Scores) -> list[Tile]:
    """Return what a department is ranked by, and its own mean; the mean alone where there is no rank."""
    own = _("本单位均分")
    if card.estimate is None:
        return [Tile(own, points(card.score), _against(card.score, card.before))]
    number = sum(each.rank is not None for each in found.cards)
    return [
        Tile(
            _("得分"),
            points(card.estimate.value),
            Markup("{}<br>{}").format(
                _("区间 %(span)s", span=span(card.estimate)),
                _against(card.estimate.value, card.before),
            ),
        ),
        Tile(_("名次"), place(card.rank), _("共 %(number)s 个单位参加排名", number=number)),
        Tile(own, points(card.score), _("全部单位均分 %(mean)s", mean=points(found.mean))),
    ]


def _against(now: float | None, before: float | None) -> Markup:
    """Say how points stand against the period before."""
    return Markup("{} {}").format(_("较上期"), change(now, before))


def dimension_chart(card: Card) -> Chart:
    """Return the picture of a department's dimensions."""
    return Chart(
        "dimensions",
        _("各维度得分"),
        _("%(name)s在各评价维度上的平均分，满分 100。", name=card.title),
        (_("维度"), _("得分")),
        [
            Bar(each.name, written(each.score), points(each.score), tone=_tone(each))
            for each in card.dimensions
        ],
        whole=100,
    )


def _tone(each: DimensionScore) -> str:
    """Below a pass is red, below good work yellow."""
    if each.score < 60:
        return "danger"
    return "warning" if each.score < 85 else "success"


def dimension_table(card: Card) -> Table:
    """Return a department's dimensions as a table."""
    rows = []
    for number, each in enumerate(card.dimensions):
        weight = written(each.weight).normalize()
        cells: list[Markup | str] = [
            each.name,
            f"{weight:f}%" if weight != Decimal(0) else "0%",
            points(each.score),
            str(each.rounds),
        ]
        rows.append(Row(number, None, cells))
    columns = [
        Column("dimension", _("评价维度")),
        Column("weight", _("权重"), named=True),
        Column("score", _("平均分"), named=True),
        Column("rounds", _("评价轮数"), named=True),
    ]
    return Table(columns, rows)


def township_tiles(card: TownshipCard, number: int, period: Period) -> list[Tile]:
    """Return the numbers of a place's card."""
    tiles = []
    if card.estimate:
        tiles = [
            Tile(
                _("得分"),
                points(card.estimate.value),
                Markup("{}<br>{}").format(
                    _("区间 %(span)s", span=span(card.estimate)),
                    _against(card.estimate.value, card.before),
                ),
            ),
            Tile(_("名次"), place(card.rank), _("共 %(number)s 个乡镇（街道）", number=number)),
        ]
    return [
        *tiles,
        Tile(
            _("三项加权"),
            points(card.score),
            "" if card.estimate else _against(card.score, card.before),
        ),
        Tile(_("吹哨数"), str(card.raised), _("不计入得分")),
    ]


def part_table(card: TownshipCard, period: Period) -> Table:
    """Return the shares of a place as a table."""
    rows = []
    for number, each in enumerate(PARTS):
        cells: list[Markup | str] = [
            _(each.title),
            f"{each.weight}%",
            _share(card.shares[each.code], each.code, card.id, period),
        ]
        rows.append(Row(number, None, cells))
    columns = [
        Column("part", _("项目")),
        Column("weight", _("权重"), named=True),
        Column("share", _("比例"), named=True),
    ]
    return Table(columns, rows)
