"""Coverage as a workbook: the page's tables, and its lists whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import joinedload

from models.agreement import Agreement
from models.organization import Organization, OrganizationKind
from reports.coverage import COMMUNITY_KINDS, UNIT_KINDS, Coverage, Span, running_out, uncovered
from reports.workbook import SHARE, Content, Sheet
from views.context import session


def sheets(found: Coverage, today: dt.date) -> list[Sheet]:
    """Return the sheets of the workbook; lists are whole."""
    organizations = (_("机构名称"), _("机构类型"), _("机构代码"), _("上级机构"))
    span = [(_(label), each.agreements) for label, each in _span_labels(found)]
    listed = [
        Sheet(title, organizations, _organizations(kinds), widths=(30, 14, 18, 24))
        for title, kinds in (
            (_("未签协议的单位"), UNIT_KINDS),
            (_("未结对的村（社区）"), COMMUNITY_KINDS),
        )
    ]
    return [
        Sheet(
            _("覆盖情况"),
            (_("机构类型"), _("总数"), _("未签协议"), _("覆盖率")),
            [
                (_(each.kind.title), each.total, each.without, _covered(each.total, each.without))
                for each in found.shares
            ],
            ("", "", "", SHARE),
            (20,),
        ),
        *listed,
        Sheet(
            _("协议类型"),
            (_("协议类型"), _("现行协议"), _("村（社区）"), pgettext("side", "单位")),
            [
                (_(each.kind.title), each.agreements, each.communities, each.units)
                for each in found.pairs
            ],
            widths=(20,),
        ),
        Sheet(_("到期情况"), (_("到期时间"), _("现行协议")), span, widths=(24,)),
        Sheet(
            _("到期协议"),
            (
                _("协议编号"),
                _("甲方：村（社区）"),
                _("乙方：驻区单位"),
                _("协议类型"),
                _("到期日期"),
            ),
            _agreements(found.expiry[-2].last or today),
            widths=(30, 24, 30, 14, 14),
        ),
    ]


def _span_labels(found: Coverage) -> list[tuple[str, Span]]:
    labels = []
    for each in found.expiry:
        if each.first is None:
            labels.append(("已过到期日", each))
        elif each.last is None:
            labels.append(("12 个月以后", each))
        else:
            labels.append((f"{each.first:%Y-%m}", each))
    return labels


def _covered(total: int, without: int) -> Decimal | None:
    return Decimal(total - without) / total if total else None


def _organizations(kinds: tuple[OrganizationKind, ...]) -> Iterator[tuple[Content, ...]]:
    statement = uncovered(session(), *kinds).options(joinedload(Organization.parent))
    for each in session().scalars(statement.order_by(Organization.code)):
        yield each.name, _(each.kind.title), each.code, str(each.parent or "")


def _agreements(until: dt.date) -> Iterator[tuple[Content, ...]]:
    loads = (joinedload(Agreement.community), joinedload(Agreement.unit))
    for each in session().scalars(running_out(until).options(*loads)):
        yield each.number, each.community.name, each.unit.name, _(each.kind.title), each.valid_until
