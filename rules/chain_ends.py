"""Whether each record stands where its chain of steps says, and each ticket's clocks with it.

A chain of hashes shows what was changed or taken out of its middle, not that its end is gone. So the
records themselves are compared with what their steps leave behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.ledger import Event
from models.rating import Rating
from models.registry import type_name
from models.ticket import OFF_WORK, Ticket, TicketAssignment
from models.ticket_file import TicketExtension
from rules import clocks
from rules.calendar import SHANGHAI
from rules.clocks import CLOCKS
from rules.workflow import workflows

BATCH = 500
_NAMES = {"respond": "应哨期限", "arrive": "报到期限", "resolve": "办结期限", "next": "下一步期限"}
_PROGRESS = {"accept": "accepted", "arrive": "arrived", "report_result": "reported"}
_ASSISTED = {
    "assist_accept": "accepted", "assist_arrive": "arrived", "assist_report": "reported",
}  # fmt: skip


def broken_ends(session: Session) -> list[str]:
    """Return a sentence for each record whose status is not what its last step says."""
    found = []
    for model in workflows():
        last = (
            select(Event.to_status)
            .where(Event.record_type == type_name(model), Event.record_id == model.id)
            .order_by(Event.sequence.desc())
            .limit(1)
            .correlate(model)
            .scalar_subquery()
        )
        rows = select(model.id, model.status, last).where(or_(last.is_(None), last != model.status))
        query = rows.order_by(model.id).execution_options(yield_per=BATCH)
        for record_id, status, said in session.execute(query):
            found.append(
                f"{type_name(model)} {record_id} 现为“{status.title}”，"
                f"流转记录最后一步却是“{said or '（没有记录）'}”，可能缺少步骤或状态被改动。"
            )
    return found


class TicketCheck:
    """Recomputes the tickets' clocks and progress from their events, some hundred at a time.

    ``add`` takes a ticket's whole chain; what does not agree comes out as sentences, at the latest
    from ``finish``.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._chains: dict[int, _Said] = {}

    def add(self, ticket_id: int, steps: Sequence[Event]) -> list[str]:
        """Take a ticket's events in order."""
        try:
            self._chains[ticket_id] = _Said(steps)
        except (KeyError, TypeError, ValueError, AttributeError):
            # Somebody has changed what the steps say; the hashes name which one.
            return [f"ticket {ticket_id}：流转记录的内容已被改动，无法重算期限。"]
        return self.finish() if len(self._chains) >= BATCH else []

    def finish(self) -> list[str]:
        """Compare what has been gathered."""
        chains, self._chains = self._chains, {}
        found: list[str] = []
        parts = self._rows(TicketAssignment, chains)
        rated = self._rows(Rating, chains)
        asked = self._rows(TicketExtension, chains)
        names = ["id", "number", "status", "next_due", *clocks.DONE.values()]
        columns = [getattr(Ticket, name) for name in (*names, *(f"{each}_due" for each in CLOCKS))]
        for row in self._session.execute(select(*columns).where(Ticket.id.in_(chains))):
            said = chains[row.id]
            where = f"ticket {row.id}（{row.number or '草稿'}）"
            found += _deadlines(where, said, row)
            found += _departments(where, said, parts.get(row.id, []))
            counts = (len(rated.get(row.id, ())), len(asked.get(row.id, ())))
            if counts != (said.ratings, said.extensions):
                found.append(
                    f"{where}：有 {counts[0]} 项评价、{counts[1]} 份延期申请，"
                    f"流转记录却是 {said.ratings} 项、{said.extensions} 份，可能缺少步骤。"
                )
        return found

    def _rows(self, model: Any, ids: Iterable[int]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        query = select(*(getattr(model, name) for name in _COLUMNS if hasattr(model, name)))
        rows = self._session.execute(query.where(model.ticket_id.in_(ids)).order_by(model.id))
        for row in rows:
            found.setdefault(row.ticket_id, []).append(row)
        return found


_COLUMNS = ("id", "ticket_id", "organization_id", "status", *(f"{each}_due" for each in CLOCKS))


class _Said:
    """What a ticket's events leave behind, kept small: the events themselves are let go."""

    def __init__(self, steps: Sequence[Event]) -> None:
        self.clocks = clocks.replay(steps)
        self.ratings = self.extensions = 0
        self.progress: dict[int, str] = {}
        self._before: dict[int, str] = {}
        self._lead: int | None = None
        for step in steps:
            data = step.data or {}
            self.ratings += len(data.get("grades", ()))
            self.extensions += "asked" in data.get("extension", ())
            self._advance(step, data)

    def _advance(self, step: Event, data: dict[str, Any]) -> None:
        """Follow how far each department has come."""
        came = data.get("clocks") or {}
        if "terms" in came:
            self.progress = {}
        self._lead = data["lead"]["id"] if data.get("lead") else self._lead
        if step.action in _PROGRESS and self._lead is not None:
            self.progress[self._lead] = _PROGRESS[step.action]
        elif step.action in _ASSISTED and step.organization_id is not None:
            self.progress[step.organization_id] = _ASSISTED[step.action]
        elif data.get("taken_back"):
            self.progress = dict(self._before)
        elif "before" in data or step.action == "reopen":
            self._before, self.progress = self.progress, {}
        for each in came.get("parts", ()):
            self.progress.pop(each["organization"], None)


def _deadlines(where: str, said: _Said, row: Any) -> list[str]:
    """Compare a ticket's own deadlines, and the one that comes next."""
    found = [
        _differs(where, _NAMES[clock], getattr(row, f"{clock}_due"), said.clocks.due[clock])
        for clock in CLOCKS
    ]
    owed = clocks.owed(row)
    found.append(_differs(where, _NAMES["next"], row.next_due, owed[1] if owed else None))
    return [each for each in found if each]


def _departments(where: str, said: _Said, rows: list[Any]) -> list[str]:
    """Compare the departments' deadlines and progress, as they came to work."""
    parts = said.clocks.parts
    if len(parts) != len(rows):
        return [f"{where}：有 {len(rows)} 份承办记录，流转记录却是 {len(parts)} 份。"]
    found: list[str | None] = []
    for part, row in zip(parts, rows, strict=True):
        one = f"{where}承办单位 {row.organization_id}"
        at_work = row.status not in OFF_WORK
        if (part.organization_id, part.at_work) != (row.organization_id, at_work):
            found.append(f"{one}：承办情况与流转记录不符。")
            continue
        if part.exact:
            found += [
                _differs(one, _NAMES[clock], getattr(row, f"{clock}_due"), part.due[clock])
                for clock in CLOCKS
            ]
        reached = said.progress.get(row.organization_id, "dispatched")
        if at_work and reached != row.status.value:
            found.append(
                f"{one}：进度是“{row.status.title}”，流转记录却是“{reached}”，可能缺少步骤。"
            )
    return [each for each in found if each]


def _differs(where: str, what: str, stored: Any, derived: Any) -> str | None:
    if stored == derived:
        return None
    return f"{where}：{what}存为 {_text(stored)}，由流转记录重算是 {_text(derived)}。"


def _text(instant: Any) -> str:
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if instant else "（无）"
