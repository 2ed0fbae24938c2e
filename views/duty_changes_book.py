"""What a version of a duty list changes, as a workbook: every part of the page, whole."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _

from reports.duty_changes import Edit, Matter, Twice, VersionChanges
from reports.workbook import Content, Sheet
from views.duty_changes import against, chips, field_label, short, version_name

WIDTHS = (40, 18, 30, 20, 20)


def sheets(found: VersionChanges) -> list[Sheet]:
    """Return the sheets of the workbook."""
    item = (_("事项名称"), _("类别"), _("对应部门"))
    return [
        Sheet(_("汇总"), (_("项目"), _("数量")), _totals(found), widths=(40, 10)),
        Sheet(
            _("清单之间的调整"),
            (*item, _("原在"), _("现在")),
            ((*_said(each.matter), short(each.source), short(each.target)) for each in found.moved),
            widths=WIDTHS,
        ),
        Sheet(_("新增"), item, map(_said, found.added), widths=WIDTHS),
        Sheet(_("移出"), item, map(_said, found.removed), widths=WIDTHS),
        Sheet(
            _("内容变化"),
            (_("事项名称"), _("项目"), _("原为"), _("改为")),
            _edits(found.changed),
            widths=(40, 18, 40, 40),
        ),
        Sheet(_("同时列在两张清单"), (*item, _("也列在")), map(_twice, found.twice), widths=WIDTHS),
    ]


def _totals(found: VersionChanges) -> Iterator[tuple[Content, ...]]:
    yield str(found.version), found.items
    yield against(found), None
    for each in chips(found):
        yield each.label, each.number


def _said(matter: Matter) -> tuple[Content, ...]:
    return matter.name, matter.category, _("、").join(matter.departments)


def _edits(edits: list[Edit]) -> Iterator[tuple[Content, ...]]:
    for each in edits:
        for name, before, after in each.fields:
            yield each.after.name, field_label(name), before, after


def _twice(twice: Twice) -> tuple[Content, ...]:
    elsewhere = (f"{version_name(each)}（{_(each.status.title)}）" for each in twice.elsewhere)
    return (*_said(twice.matter), _("、").join(elsewhere))
