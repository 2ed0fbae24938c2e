"""The page of a recurring problem: the counts before and after, its tickets, and what to do next."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from models.base import utcnow
from models.recurring import ProblemStatus, ProblemTicket, RecurringProblem
from models.ticket import Ticket
from reports.heat import Cases, Weight, month_days
from reports.pictures import Bar, Chart
from rules import problems
from rules.calendar import shanghai_date
from rules.policy import Action
from rules.recurring import WATCHED
from views.charts import by_month, highest
from views.context import session
from views.details import DetailPage
from views.occurrences import cases_url
from views.presentation import Group
from views.registry import view_of
from views.rendering import EMPTY, badge

if TYPE_CHECKING:
    from views.recurring import RecurringProblemView

#: Tickets that the page shows of those that are tied, the newest.
SHOWN = 50
S = ProblemStatus


class ProblemPage(DetailPage):
    """What ``problem_show.html`` shows of one problem."""

    view: RecurringProblemView
    record: RecurringProblem

    def context(self) -> dict[str, Any]:
        """Add the counts, the picture, the tickets and the words on what comes next."""
        context, record = super().context(), self.record
        mine = self._may("can_tie", Action.EDIT) and record.status in WATCHED
        cases = self._cases()
        ids = [each["id"] for each in cases]
        more = problems.suggested(session(), record, utcnow()) if mine else []
        return context | {
            "sentence": self._sentence(),
            "hint": self._hint(),
            "chart": self._chart(),
            "cases": cases[:SHOWN],
            "cases_more": len(cases) > SHOWN,
            "suggested": [_case(each) for each in more if each.id not in ids],
            "tie_url": self.view.url("tie", pk=record.id) if mine else None,
            "cases_url": self.view.url("cases", pk=record.id),
            "untie_url": lambda number: self.view.url("untie", pk=record.id, ticket_id=number),
        }

    def groups(self) -> list[Group]:
        """Leave out what there is nothing of yet."""
        kept = [
            replace(group, details=[each for each in group.details if each.value != EMPTY])
            for group in super().groups()
        ]
        return [group for group in kept if group.details]

    def _cases(self) -> list[dict[str, Any]]:
        """Return the tied tickets that the reader may see, the newest first."""
        rows = session().scalars(
            select(ProblemTicket)
            .join(ProblemTicket.ticket)
            .where(ProblemTicket.problem_id == self.record.id)
            .options(contains_eager(ProblemTicket.ticket).joinedload(Ticket.organization))
            .order_by(ProblemTicket.ticket_id.desc())
            .limit(SHOWN + 1)
        )
        return [_case(row.ticket) | {"by": row.added_by} for row in rows.unique()]

    def _hint(self) -> str:
        """Say what keeps the problem where it is, if something does."""
        record = self.record
        if record.status is S.DONE:
            return problems.why_not_closed(session(), record, utcnow()) or ""
        if record.status is S.PLANNED and record.due_on and record.due_on < shanghai_date(utcnow()):
            return _("已过完成期限 %(day)s，请督促牵头单位。", day=record.due_on)
        if record.status is S.CLOSED:
            again = self._since()
            if again:
                return _("销号后同类问题又发生 %(n)s 件，可以重新整治。", n=again)
        return ""

    def _since(self) -> int:
        """Return how often the rule finds the matter of a closed problem since it was done."""
        found = problems.look(session(), self.record.organization, self.record.matter, utcnow())
        if found is None:
            return 0
        again = problems.again_of(session(), self.record.organization)
        level = found.signs.level
        matters = problems.returned(session(), [found], utcnow(), again.days, level)
        one = matters.get((found.area_id, found.matter))
        return one.since if one is not None and one.since >= again.times else 0

    def _chart(self) -> Chart:
        """Return the picture of the last months: what was before the plan, during the work, and after."""
        record = self.record
        counts = problems.by_month(session(), record, utcnow())
        names = by_month([(month // 100, month % 100) for month, _number in counts])
        bars = [
            Bar(
                label,
                number,
                str(number),
                url=self._cases_url(*month_days(month)),
                tone=self._tone(month),
                mark=f"{mark} {self._turning(month)}".strip(),
            )
            for (month, number), (label, mark) in zip(counts, names, strict=True)
        ]
        seen = _("只统计您能看到的哨单。")
        turns = _(
            "下方标出定方案、报告完成的月份：橙色在定方案之前，蓝色是整治期间，绿色在报告完成之后。"
        )
        return Chart(
            "problem",
            _("每月发生件数"),
            _(
                "“%(matter)s”在%(place)s每月发生的件数。",
                matter=record.matter,
                place=record.organization,
            ),
            (_("月份"), _("件数")),
            bars,
            columns=True,
            note=turns + seen if record.planned_on else seen,
            caption=highest(bars),
        )

    def _tone(self, month: int) -> str:
        planned, done = _month(self.record.planned_on), _month(self.record.done_on)
        if done and month > done:
            return "success"
        return "info" if planned and month >= planned else "warning"

    def _turning(self, month: int) -> str:
        """Return what a month stands for beside its colour, which paper may not show."""
        if month == _month(self.record.done_on):
            return _("完成")
        return _("定方案") if month == _month(self.record.planned_on) else ""

    def _cases_url(self, first: dt.date, last: dt.date) -> str | None:
        """Return the list of what came up on these days, for who may open it."""
        record = self.record
        cases = Cases(Weight.RAISED, first, last, record.organization_id, record.matter)
        return cases_url(cases)

    def _sentence(self) -> Markup | str:
        """Return the counts before and after, each with its list; "" while there is nothing to compare."""
        turn = problems.turn(session(), self.record, utcnow())
        if turn is None:
            return ""
        if turn.days < 1:
            return _("今天刚开始计算，明天起可以看到前后对比。")
        if turn.done:
            said = _("整治前 %(days)s 天 %(before)s 件，整治后 %(days)s 天 %(after)s 件")
        else:
            said = _("定方案前 %(days)s 天 %(before)s 件，定方案后 %(days)s 天 %(after)s 件")
        before, after = (
            _linked(number, self._cases_url(*side))
            for number, side in zip((turn.before, turn.after), turn.sides, strict=True)
        )
        counted = Markup(said) % {"days": turn.days, "before": before, "after": after}  # noqa: S704 - our own words
        return counted + _change(turn)


def _month(day: dt.date | None) -> int:
    """Return a day's month such as 202611; 0 of none."""
    return day.year * 100 + day.month if day is not None else 0


def _linked(number: int, url: str | None) -> Markup | str:
    """Return a count as a link to what it counts; nothing leads nowhere."""
    if not number or url is None:
        return str(number)
    return Markup('<a href="{}">{}</a>').format(url, number)


def _change(turn: problems.Turn) -> str:
    if turn.change is None:
        return _("。")
    if turn.change < 0:
        return _("，下降 %(share)s%%。", share=abs(turn.change))
    if turn.change > 0:
        return _("，上升 %(share)s%%。", share=turn.change)
    return _("，没有变化。")


def _case(ticket: Ticket) -> dict[str, Any]:
    view = view_of(Ticket)
    leads = view is not None and view.may("can_show")
    return {
        "id": ticket.id,
        "title": ticket.title,
        "number": ticket.number,
        "status": badge(ticket.status),
        "place": ticket.organization.name,
        "at": ticket.raised_at,
        "url": view.url("show", pk=ticket.id) if view is not None and leads else None,
    }
