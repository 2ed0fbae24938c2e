"""The tables of the page that compares townships' duty lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from markupsafe import Markup, escape

from models.duty import DutyListStatus, DutyListType
from reports.duty_comparison import Category, Comparison, Dispute, Standing, Township, Version
from reports.duty_departments import Item, Silent, Unnamed
from rules.calendar import shanghai_date
from views.duty_changes import short
from views.list_links import list_url
from views.presentation import Column, Row, Table
from views.registry import view_named
from views.rendering import EMPTY, badge

#: How many townships a cell names before it counts the others.
NAMES = 6


@dataclass(frozen=True)
class Part:
    """A section of the page: its first rows, how many it leaves out, and what it says if empty."""

    name: str
    title: str
    number: int
    table: Table
    left_out: int
    help: str
    empty: str


@dataclass(frozen=True)
class Grid:
    """The categories of one list by township."""

    kind: DutyListType
    title: str
    table: Table
    left_out: int


def _columns(*labels: str) -> list[Column]:
    return [Column(str(number), label, named=True) for number, label in enumerate(labels)]


def matrix(found: Comparison) -> Table:
    """Return a row for each township, and a column for each list: items, version, since when."""
    rows = [
        Row(
            each.id,
            None,
            [each.name, *(_listed(found.version(each, kind)) for kind in found.kinds)],
        )
        for each in found.townships
    ]
    return Table(_columns(_("乡镇（街道）"), *(short(kind) for kind in found.kinds)), rows)


def _listed(version: Version | None) -> Markup:
    if version is None:
        return badge_of("warning", _("没有"))
    number = linked(str(version.items), list_url("DutyItemView", {"duty_list": version.id}))
    name = linked(_("第 %(n)s 版", n=version.number), _page("DutyListView", version.id))
    since: Markup | str = (
        badge(version.status) if version.status is DutyListStatus.DRAFT else day_of(version)
    )
    return Markup('<span class="duty-cell">{} <span class="aside">{} {}</span></span>').format(
        _with_unit(number), name, since
    )


def _with_unit(number: Markup) -> Markup:
    """Return a linked number of items with its unit; the sentence stays one for translators."""
    before, after = _("{number} 项").split("{number}")
    return escape(before) + number + escape(after)


def day_of(version: Version) -> str:
    """Return the day on which a version was published; "" for a draft."""
    return shanghai_date(version.published_at).isoformat() if version.published_at else ""


def badge_of(tone: str, text: str) -> Markup:
    """Return a badge that says something no enum says."""
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, text)


def linked(text: str, url: str | None) -> Markup:
    """Return a text as a link, if there is a page to lead to."""
    return Markup('<a href="{}">{}</a>').format(url, text) if url else escape(text)


def _page(view_name: str, pk: int) -> str | None:
    view = view_named(view_name)
    return view.url("show", pk=pk) if view is not None and view.may("can_show") else None


# Categories


def categories(found: Comparison, shown: int) -> list[Grid]:
    """Return for each list its categories by township, against the mean."""
    made = []
    for kind in found.kinds:
        lines = [each for each in found.categories if each.list_type is kind]
        places = found.having(kind)
        if not lines:
            continue
        columns = _columns(_("类别"), _("平均"), *(each.name for each in places))
        rows = [
            Row(number, None, _category(each, places)) for number, each in enumerate(lines[:shown])
        ]
        left_out = max(0, len(lines) - shown)
        made.append(Grid(kind, _(kind.title), Table(columns, rows), left_out))
    return made


def _category(line: Category, places: Sequence[Township]) -> list[Markup | str]:
    return [
        line.name or _("（未分类）"),
        tenths(line.mean),
        *(_count(line, each.id) for each in places),
    ]


def _count(line: Category, township_id: int) -> Markup:
    """Return a count with how far it lies from the mean; far ones say so in colour and word."""
    off = line.deviation(township_id)
    far = line.far(township_id)
    tone, word = {1: ("high", _("偏多")), -1: ("low", _("偏少")), 0: ("near", "")}[far]
    return Markup('{} <span class="deviation deviation-{}">{}{}</span>').format(
        line.counts[township_id], tone, signed(off), f" {word}" if word else ""
    )


def tenths(number: Decimal) -> str:
    """Return a mean as people read it: one decimal, none where there is none."""
    return f"{number:.1f}".removesuffix(".0")


def signed(number: Decimal) -> str:
    """Return a difference with its sign; "±0" where there is none."""
    text = tenths(abs(number))
    return "±0" if text == "0" else f"{'+' if number > 0 else '−'}{text}"


# What is to be mended


def missing(found: Comparison, shown: int) -> Part:
    """Return the townships that lack a list."""
    lacking = found.missing
    rows = [
        Row(number, None, [place.name, badge(kind)])
        for number, (place, kind) in enumerate(lacking[:shown])
    ]
    return Part(
        "missing",
        _("缺少清单的乡镇（街道）"),
        len(lacking),
        Table(_columns(_("乡镇（街道）"), _("缺少的清单")), rows),
        max(0, len(lacking) - shown),
        _("没有发布清单的乡镇（街道），吹哨时只能由吹哨办逐件研判。"),
        _("没有：每个乡镇（街道）的清单都齐全。"),
    )


def disputes(found: Comparison, shown: int) -> Part:
    """Return the matters that stand in different lists, with the townships of each."""
    kinds = [kind for kind in DutyListType if any(kind in d.places for d in found.disputes)]
    rows = [
        Row(number, None, _dispute(each, kinds))
        for number, each in enumerate(found.disputes[:shown])
    ]
    labels = (_("事项名称"), *(short(kind) for kind in kinds), _("不一致"))
    return Part(
        "disputes",
        _("归类不一的事项"),
        len(found.disputes),
        Table(_columns(*labels), rows),
        max(0, len(found.disputes) - shown),
        _(
            "同一事项在不同乡镇（街道）列在不同清单里，按不一致的个数排列；事项名称不计空格和全角半角。"
        ),
        _("没有：同名事项都列在同一种清单里。"),
    )


def _dispute(dispute: Dispute, kinds: Sequence[DutyListType]) -> list[Markup | str]:
    off = str(dispute.disagreeing)
    number: Markup | str = off
    if dispute.twice:
        names = _("、").join(dispute.twice[:NAMES])
        note = _("%(places)s同时列在两张清单", places=names)
        number = Markup('{} <span class="aside">{}</span>').format(off, note)
    return [dispute.name, *(_places(dispute.places.get(kind, [])) for kind in kinds), number]


def _places(standings: Sequence[Standing]) -> Markup | str:
    if not standings:
        return EMPTY
    links = [
        Markup('<span class="duty-place">{}</span>').format(
            linked(each.township.name, _page("DutyItemView", each.item_id))
        )
        for each in standings[:NAMES]
    ]
    text = escape(_("、")).join(links)
    if len(standings) > NAMES:
        text += escape(_("等 %(n)s 个", n=len(standings)))
    return text


def unnamed(found: Unnamed) -> Part:
    """Return the items that name no department, how many by list, and the first of them."""
    rows = [
        Row(
            each.id,
            _page("DutyItemView", each.id),
            [each.name, each.category or EMPTY, *_where(each)],
        )
        for each in found.items
    ]
    counts = _("；").join(
        _(
            "%(place)s%(list)s %(n)s 项",
            place=version.township.name,
            list=short(version.list_type),
            n=number,
        )
        for version, number in found.counts
    )
    labels = (_("事项名称"), _("类别"), _("乡镇（街道）"), _("清单"))
    return Part(
        "unnamed",
        _("未写明部门的事项"),
        found.total,
        Table(_columns(*labels), rows),
        found.total - len(rows),
        counts,
        _("没有：配合、收回清单的每一项都写明了部门。"),
    )


def _where(item: Item) -> list[Markup | str]:
    return [item.version.township.name, badge(item.version.list_type)]


def silent(found: Sequence[Silent], shown: int) -> Part:
    """Return the departments that would not answer, why, and the first items that name them."""
    rows = [
        Row(
            each.id,
            _page("OrganizationView", each.id),
            [each.name, badge_of("warning", reason(each)), str(each.number), _items(each)],
        )
        for each in found[:shown]
    ]
    labels = (_("对应部门"), _("原因"), _("涉及事项"), _("事项"))
    return Part(
        "silent",
        _("无法接哨的部门"),
        len(found),
        Table(_columns(*labels), rows),
        max(0, len(found) - shown),
        _("哨单派到这些部门不会有人签收：请启用机构、改派其他部门，或为它开设接哨员账号。"),
        _("没有：清单写明的部门都有人接哨。"),
    )


def reason(department: Silent) -> str:
    """Return why a department would not answer."""
    if not department.active:
        return _("已停用")
    if not department.can_receive:
        return _("不能承办哨单")
    return _("没有接哨员")


def _items(department: Silent) -> Markup:
    links = [
        Markup("{}（{}）").format(
            linked(each.name, _page("DutyItemView", each.id)), each.version.township.name
        )
        for each in department.items
    ]
    text = escape(_("、")).join(links)
    if department.number > len(links):
        text += escape(_("等 %(n)s 项", n=department.number))
    return text
