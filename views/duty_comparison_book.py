"""The comparison of townships' duty lists as a workbook: one sheet for each table, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reports.duty_changes import THREE
from reports.duty_comparison import Comparison
from reports.duty_departments import Silent, silent_items, unnamed_items
from reports.workbook import Content, Sheet
from rules.calendar import shanghai_date
from views.duty_changes import short
from views.duty_tables import reason

TENTHS = "#,##0.0"


def sheets(session: Session, found: Comparison, quiet: Sequence[Silent]) -> list[Sheet]:
    """Return the sheets of the workbook; items are read while they are written."""
    place, kind, item = _("乡镇（街道）"), _("清单"), (_("事项名称"), _("类别"))
    return [
        Sheet(
            _("清单概况"),
            (place, kind, _("事项数"), _("版本号"), _("状态"), _("发布日期")),
            _matrix(found),
            widths=(20, 12, 10, 10, 10, 14),
        ),
        Sheet(
            _("类别比对"),
            (kind, _("类别"), place, _("事项数"), _("平均"), _("与平均之差"), _("提示")),
            _categories(found),
            ("", "", "", "", TENTHS, TENTHS),
            (12, 24, 20),
        ),
        Sheet(
            _("归类不一的事项"),
            (_("事项名称"), *(short(each) for each in THREE), _("不一致"), _("同时列在两张清单")),
            _disputes(found),
            widths=(40, 40, 40, 40),
        ),
        Sheet(
            _("未写明部门的事项"),
            (*item, place, kind),
            _unnamed(session, found),
            widths=(40, 20, 20),
        ),
        Sheet(
            _("无法接哨的部门"),
            (_("对应部门"), _("原因"), _("涉及事项")),
            ((each.name, reason(each), each.number) for each in quiet),
            widths=(30, 16),
        ),
        Sheet(
            _("无法接哨的事项"),
            (_("对应部门"), *item, place, kind),
            _quiet(session, found, quiet),
            widths=(30, 40, 20, 20),
        ),
    ]


def _matrix(found: Comparison) -> Iterator[tuple[Content, ...]]:
    for place in found.townships:
        for kind in found.kinds:
            version = found.version(place, kind)
            if version is None:
                yield place.name, short(kind), None, None, _("没有"), None
            else:
                at = version.published_at
                since = shanghai_date(at) if at else None
                state = _(version.status.title)
                yield place.name, short(kind), version.items, version.number, state, since


def _categories(found: Comparison) -> Iterator[tuple[Content, ...]]:
    words = {1: _("偏多"), -1: _("偏少"), 0: ""}
    for line in found.categories:
        for place in found.having(line.list_type):
            yield (
                short(line.list_type),
                line.name or _("（未分类）"),
                place.name,
                line.counts[place.id],
                line.mean,
                line.deviation(place.id),
                words[line.far(place.id)],
            )


def _disputes(found: Comparison) -> Iterator[tuple[Content, ...]]:
    for each in found.disputes:
        places = (
            _("、").join(one.township.name for one in each.places.get(kind, [])) for kind in THREE
        )
        yield each.name, *places, each.disagreeing, _("、").join(each.twice)


def _unnamed(session: Session, found: Comparison) -> Iterator[tuple[Content, ...]]:
    for each in unnamed_items(session, found.versions):
        version = each.version
        yield each.name, each.category, version.township.name, short(version.list_type)


def _quiet(
    session: Session, found: Comparison, quiet: Sequence[Silent]
) -> Iterator[tuple[Content, ...]]:
    for department, each in silent_items(session, found.versions, quiet):
        version = each.version
        yield (
            department.name,
            each.name,
            each.category,
            version.township.name,
            short(version.list_type),
        )
