"""The page of what a version of a duty list changes, and the summary above its publish button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup

from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from reports.duty_changes import DEPARTMENTS, Edit, Matter, Move, Twice, VersionChanges
from views.presentation import Column, Row, Table
from views.rendering import EMPTY, badge, label_of

#: How many rows of a part stand open, and how many more are folded below; the workbook has all.
SHOWN, FOLDED = 200, 1000
#: An item that says something else: its name, its address, (label, before, after) of each field.
Edited = tuple[str, str, list[tuple[str, str, str]]]
#: The lists in two words, for sentences.
SHORT = {
    DutyListType.BASIC: "基本履职",
    DutyListType.COORDINATING: "配合履职",
    DutyListType.RECLAIMED: "上级收回",
    DutyListType.CATALOGUE: "事项清单",
}


@dataclass(frozen=True)
class Chip:
    """A number of the summary; ``kind`` picks its colour, the label says what it counts."""

    label: str
    number: int
    kind: str


@dataclass(frozen=True)
class Summary:
    """What stands above the publish button: a sentence, numbers, warnings, and where to read on."""

    sentence: str
    chips: list[Chip]
    warnings: list[str]
    url: str


@dataclass(frozen=True)
class Part:
    """A section of the page: its rows, those folded below them, and how many it leaves out."""

    name: str
    title: str
    number: int
    table: Table
    folded: Table | None
    left_out: int
    tone: str = ""
    edits: list[Edited] = field(default_factory=list)
    more_edits: list[Edited] = field(default_factory=list)

    @property
    def folded_number(self) -> int:
        """How many are folded below those that stand open."""
        return len(self.folded.rows if self.folded else self.more_edits)


def short(kind: DutyListType) -> str:
    """Return what a list is called in a sentence."""
    return _(SHORT[kind])


def version_name(version: DutyList) -> str:
    """Return what a version is called beside its place: list and number."""
    return _("%(list)s第 %(number)s 版", list=short(version.list_type), number=version.number)


def field_label(name: str) -> str:
    """Return the label of what an item says."""
    return _("对应部门") if name == DEPARTMENTS else label_of(DutyItem, name)


def summary(found: VersionChanges) -> Summary:
    """Return what the page of a version says of its changes."""
    return Summary(
        against(found),
        chips(found),
        _warnings(found),
        url_for("DutyListView.changes", pk=found.version.id),
    )


def against(found: VersionChanges) -> str:
    """Return the sentence that says what the version is held against."""
    former = found.former
    if former is None:
        return _("这是该地区这张清单的第一个版本，共 %(n)s 项，没有可比的版本。", n=found.items)
    number = former.number
    if found.version.status is DutyListStatus.DRAFT:
        said = _("与现行的第 %(number)s 版相比", number=number)
    else:
        said = _("与它替代的第 %(number)s 版相比", number=number)
    if found.nothing and not found.renumbered:
        return _("%(said)s：没有变化。", said=said)
    return _("%(said)s：", said=said)


def chips(found: VersionChanges) -> list[Chip]:
    """Return the numbers of the summary: what changed, then what moved between the lists."""
    shown = []
    if found.former is not None:
        shown = [
            Chip(_("新增"), len(found.added), "new"),
            Chip(_("移出"), len(found.removed), "missing"),
            Chip(_("内容变化"), len(found.changed), "changed"),
            Chip(_("序号变化"), found.renumbered, "same"),
        ]
    moved = [
        Chip(
            _("从“%(source)s”转入“%(target)s”", source=short(source), target=short(target)),
            number,
            "moved",
        )
        for source, target, number in found.moves()
    ]
    return [each for each in (*shown, *moved) if each.number]


def _warnings(found: VersionChanges) -> list[str]:
    """Return what is to be mended; of a version that is past, nothing is."""
    if found.version.status is DutyListStatus.SUPERSEDED:
        return []
    standing = [each for each in found.twice if not each.leaving]
    said = []
    if standing:
        said.append(
            _(
                "有 %(n)s 项同时列在本地区的两张清单里，吹哨研判时无法确定归谁："
                "%(names)s。请在其中一张清单里移出。",
                n=len(standing),
                names=_names(standing),
            )
        )
    if leaving := [each for each in found.twice if each.leaving]:
        said.append(
            _(
                "有 %(n)s 项还在另一张现行清单里，那张清单的草稿已移出：%(names)s。"
                "请把草稿一并发布。",
                n=len(leaving),
                names=_names(leaving),
            )
        )
    return said


def _names(items: Sequence[Twice]) -> str:
    names = _("、").join(_("“%(name)s”", name=each.matter.name) for each in items[:3])
    return names + _("等") if len(items) > 3 else names


# The page


def parts(found: VersionChanges) -> list[Part]:
    """Return the sections of the page; what is empty is left out."""
    arrived = {each.matter.id: each for each in found.moved if each.matter.id == each.item_id}
    left = {each.matter.id: each for each in found.moved if each.matter.id != each.item_id}
    added = found.added if found.former is not None else []
    made = [
        _part("twice", _("同时列在两张清单的事项"), found.twice, _twice, tone="warning"),
        _part("moved", _("清单之间的调整"), found.moved, _move),
        _part("added", _("新增的事项"), added, lambda each: _matter(each, arrived)),
        _part("removed", _("移出的事项"), found.removed, lambda each: _matter(each, left)),
        _changed(found.changed),
    ]
    return [each for each in made if each.number]


def _part(
    name: str,
    title: str,
    things: Sequence[Any],
    row: Callable[[Any], tuple[int, list[Markup | str]]],
    tone: str = "",
) -> Part:
    def table(some: Sequence[Any]) -> Table:
        made = [row(each) for each in some]
        return Table(_columns(name), [Row(pk, _item_url(pk), cells) for pk, cells in made])

    folded = things[SHOWN : SHOWN + FOLDED]
    return Part(
        name,
        title,
        len(things),
        table(things[:SHOWN]),
        table(folded) if folded else None,
        max(0, len(things) - SHOWN - FOLDED),
        tone=tone,
    )


def _columns(name: str) -> list[Column]:
    labels = [_("事项名称"), _("类别"), _("对应部门")]
    if name == "moved":
        labels += [_("原在"), _("现在")]
    elif name == "twice":
        labels += [_("也列在")]
    else:
        labels += [_("清单之间")]
    return [Column(str(number), label, named=True) for number, label in enumerate(labels)]


def _item_url(pk: int) -> str:
    return url_for("DutyItemView.show", pk=pk)


def _said(matter: Matter) -> list[Markup | str]:
    return [matter.name, matter.category or EMPTY, _("、").join(matter.departments) or EMPTY]


def _matter(matter: Matter, moves: dict[int, Move]) -> tuple[int, list[Markup | str]]:
    move = moves.get(matter.id)
    if move is None:
        said: Markup | str = EMPTY
    elif move.item_id == matter.id:
        said = _("从“%(list)s”转入", list=short(move.source))
    else:
        said = _("转入“%(list)s”", list=short(move.target))
    return matter.id, [*_said(matter), said]


def _move(move: Move) -> tuple[int, list[Markup | str]]:
    return move.item_id, [*_said(move.matter), badge(move.source), badge(move.target)]


def _twice(twice: Twice) -> tuple[int, list[Markup | str]]:
    elsewhere = Markup(" ").join(
        Markup("{} {}").format(version_name(each), badge(each.status)) for each in twice.elsewhere
    )
    if twice.leaving:
        elsewhere += Markup('<span class="aside">{}</span>').format(_("草稿已移出"))
    return twice.matter.id, [*_said(twice.matter), elsewhere]


def _changed(edits: Sequence[Edit]) -> Part:
    """Return the items that say something else: each with its fields before and after."""
    shown = [
        (
            each.after.name,
            _item_url(each.after.id),
            [(field_label(name), was, became) for name, was, became in each.fields],
        )
        for each in edits[: SHOWN + FOLDED]
    ]
    return Part(
        "changed",
        _("内容变化的事项"),
        len(edits),
        Table([], []),
        None,
        max(0, len(edits) - SHOWN - FOLDED),
        edits=shown[:SHOWN],
        more_edits=shown[SHOWN:],
    )
