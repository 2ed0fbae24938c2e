"""The page of a recurring problem: the counts before and after, its tickets, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from models.base import utcnow
from models.recurring import ProblemStatus, ProblemTicket, RecurringProblem
from models.ticket import Ticket
from reports.pictures import Bar, Chart
from rules import problems
from rules.calendar import shanghai_date
from rules.policy import Action
from rules.recurring import WATCHED
from views.charts import by_month, highest
from views.context import session
from views.details import DetailPage
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
            "sentence": turn_sentence(problems.turn(session(), record, utcnow())),
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
            Bar(label, number, str(number), tone=self._tone(month), mark=mark)
            for (month, number), (label, mark) in zip(counts, names, strict=True)
        ]
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
            note=_("橙色是定方案之前，蓝色是整治期间，绿色是报告完成之后。只统计您能看到的哨单。"),
            caption=highest(bars),
        )

    def _tone(self, month: int) -> str:
        planned, done = self.record.planned_on, self.record.done_on
        if done is not None and month > done.year * 100 + done.month:
            return "success"
        if planned is not None and month >= planned.year * 100 + planned.month:
            return "info"
        return "warning"


def turn_sentence(turn: problems.Turn | None) -> str:
    """Return the counts before and after as a plain sentence; "" while there is nothing to compare."""
    if turn is None:
        return ""
    if turn.days < 1:
        return _("今天刚开始计算，明天起可以看到前后对比。")
    values = {"days": turn.days, "before": turn.before, "after": turn.after}
    if turn.done:
        said = _("整治前 %(days)s 天 %(before)s 件，整治后 %(days)s 天 %(after)s 件", **values)
    else:
        said = _("定方案前 %(days)s 天 %(before)s 件，定方案后 %(days)s 天 %(after)s 件", **values)
    return said + _change(turn)


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
