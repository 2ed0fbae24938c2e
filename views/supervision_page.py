"""What an order's page shows besides its fields: the ladder, its story; and what a ticket shows of orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.base import utcnow
from models.ledger import Event
from models.supervision import Supervision, SupervisionKind, SupervisionStatus
from models.ticket import SET_ASIDE, Ticket
from rules import ledger
from rules.calendar import shanghai_date
from rules.supervision_rules import KINDS
from rules.workflows.supervision import IN_FORCE, WATCHERS
from views.context import actor, session
from views.details import DetailPage, step_of
from views.presentation import Column, Detail, Group, Link, Related, Row, Step, Table
from views.registry import view_of
from views.rendering import EMPTY, badge, label_of, paragraphs, shown
from views.ticket_page import Stage

S = SupervisionStatus
#: So many orders one after the other are followed; there are no more kinds than that.
_LONGEST = 2 * len(KINDS)


def remaining_days(record: Supervision) -> Markup | str:
    """Return an order's date, with how many days are left or over while it is in force."""
    if record.due_on is None:
        return EMPTY
    if record.status not in IN_FORCE:
        return record.due_on.isoformat()
    left = (record.due_on - shanghai_date(utcnow())).days
    if left < 0:
        tone, said = "danger", _("逾期 %(n)s 天", n=-left)
    elif left == 0:
        tone, said = "warning", _("今天到期")
    else:
        tone, said = "info", _("剩 %(n)s 天", n=left)
    return Markup('<span class="short">{}</span> <span class="badge badge-{}">{}</span>').format(
        record.due_on.isoformat(), tone, said
    )


class SupervisionPage(DetailPage):
    """What ``supervision_show.html`` shows of one order."""

    record: Supervision

    def context(self) -> dict[str, Any]:
        """Add the ladder, and the orders before and after this one."""
        context = super().context()
        orders = self._chain()
        return context | {
            "ladder": self._ladder(orders),
            "kind_badge": badge(self.record.kind),
            "related": [*context["related"], *_chain_table(orders, self.record)],
        }

    def _chain(self) -> list[Supervision]:
        """Return the orders of which one follows the other, the mildest first, as far as they are seen."""
        found = [self.record]
        while len(found) < _LONGEST and (before := found[0].escalated_from) is not None:
            found.insert(0, before)
        while len(found) < _LONGEST:
            follows = select(Supervision).where(
                Supervision.escalated_from_id == found[-1].id,
                Supervision.status != S.DISMISSED,
            )
            after = session().scalars(follows.order_by(Supervision.id.desc()).limit(1)).first()
            if after is None:
                break
            found.append(after)
        return found

    def _ladder(self, orders: list[Supervision]) -> list[Stage]:
        """Return the kinds as stages: those that were ordered, this one's, those that may follow."""
        by_kind: dict[SupervisionKind, Supervision] = {each.kind: each for each in orders}
        last = orders[-1]
        stages: list[Stage] = []
        for kind in KINDS:
            order = by_kind.get(kind)
            if order is None:
                stages.append((_(kind.title), "todo", None))
            elif order is last and order.status in (S.PROPOSED, *IN_FORCE):
                stages.append((_(kind.title), "current", order.issued_at))
            elif order.status is S.DISMISSED:
                stages.append((_(kind.title), "ended", order.closed_at))
            else:
                stages.append((_(kind.title), "done", order.issued_at))
        return stages

    def groups(self) -> list[Group]:
        """Leave out what an order does not say yet: a proposal has neither body nor answer."""
        kept = [
            replace(group, details=[each for each in group.details if each.value != EMPTY])
            for group in super().groups()
        ]
        return [group for group in kept if group.details]

    def timeline(self) -> list[Step]:
        """Return the steps with what each of them said."""
        return [self._told(each) for each in ledger.events_of(session(), self.record)]

    def _told(self, event: Event) -> Step:
        data = event.data or {}
        said: list[Detail] = []
        kind = next((each for each in KINDS if each.value == data.get("kind")), None)
        if kind is not None:
            said.append(Detail(label_of(Supervision, "kind"), badge(kind)))
        if department := data.get("department"):
            said.append(Detail(label_of(Supervision, "department"), department["name"]))
        for name, column in (("head", "head"), ("until", "due_on")):
            if value := data.get(name):
                said.append(Detail(label_of(Supervision, column), str(value)))
        if answer := data.get("answer"):
            said.append(Detail(label_of(Supervision, "answer"), paragraphs(answer), wide=True))
        return replace(step_of(self.view, event), details=said)


def _chain_table(orders: list[Supervision], record: Supervision) -> list[Related]:
    others = [each for each in orders if each is not record]
    return [Related(_("升级前后的督办单"), _table(others))] if others else []


def _table(orders: list[Supervision]) -> Table:
    """Return some orders with what each reader asks first: of what kind, whose, by when, how far."""
    view = view_of(Supervision)
    names = ["kind", "status", "department", "due_on"]
    columns = [Column(name, label_of(Supervision, name), named=name == "due_on") for name in names]
    rows = []
    for each in orders:
        department = each.department.name if each.department is not None else None
        cells: list[Markup | str] = [
            _below(_(each.kind.title), each.number),
            badge(each.status),
            _below(shown(department), each.head),
            remaining_days(each),
        ]
        url = view.url("show", pk=each.id) if view is not None and view.may("can_show") else None
        rows.append(Row(each.id, url, cells))
    return Table(columns, rows)


def _below(said: Markup | str, more: str | None) -> Markup | str:
    """Return words with smaller ones below: a page has no room for a column of each."""
    if not more:
        return said
    return Markup('{}<span class="reason">{}</span>').format(said, more)


# On a ticket's page


def ticket_orders(ticket: Ticket) -> list[tuple[str, Table]]:
    """Return the orders about a ticket that the reader may see, as a titled table; none, no table.

    Proposals are the office's own matter. Where there is no order, nothing is asked of the database:
    a ticket that was never supervised says so itself, to all but those who look after proposals.
    """
    view, watching = view_of(Supervision), actor().has(*WATCHERS)
    if view is None or not view.may("can_list"):
        return []
    if ticket.supervised_at is None and not (watching and ticket.next_due is not None):
        return []
    about = (
        select(Supervision)
        .where(Supervision.ticket_id == ticket.id)
        .options(joinedload(Supervision.department))
        .order_by(Supervision.id)
    )
    if not watching:
        about = about.where(Supervision.number.is_not(None))
    orders = list(session().scalars(about))
    return [(_("督办"), _table(orders))] if orders else []


def ticket_order_links(ticket: Ticket) -> list[Link]:
    """Return the button by which the reader issues an order about a ticket, if he may."""
    view = view_of(Supervision)
    if view is None or not view.may("can_add"):
        return []
    if ticket.number is None or ticket.status in SET_ASIDE:
        return []
    return [Link(_("督办"), view.url("add", ticket=ticket.id), "fa-flag")]
