"""Fills a database with tickets: lives lived in slices, written by bulk inserts (design 2.2).

The same seed over the same database, up to the same day, gives the same rows.
"""

from __future__ import annotations

import datetime as dt
import gc
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from sqlalchemy import String, Table, cast, func, insert, literal, select, union_all
from sqlalchemy.orm import Session

from bench import city
from bench.bulk import without_index, without_trigger, write
from bench.deeds import DAY, HOUR, Row
from bench.lives import Life, verdict_of
from bench.matters import CHANNELS, MATTERS, SPOTS
from models.ledger import Event
from models.organization import OrganizationLine
from models.rating import Rating
from models.ticket import (
    AssignmentStatus,
    Nature,
    Ticket,
    TicketAssignment,
    TicketParty,
    TicketSequence,
    TicketStatus,
)
from reports import facts
from rules.calendar import SHANGHAI
from rules.mechanisms import calendar
from rules.scope import reviewed

SLICE = 2000
#: How long a ticket's number may be.
LONGEST = 40
YEARS = 2
_PAST_THE_GATE = reviewed("writes simulated tickets with their parties, for the system")
#: How many whistles are blown in each hour of the Shanghai day.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 11, 7, 9, 14, 15, 13, 10, 7, 6, 5, 4, 2, 1)


class Simulator:
    """Lives ``tickets`` lives that began in the two years before ``until`` (a Shanghai date).

    The session must act for the system. Flushes, never commits; raises ``Invalid`` if no place of
    the database can blow a whistle.
    """

    def __init__(self, session: Session, tickets: int, seed: int, until: dt.date) -> None:
        self.session, self.tickets = session, tickets
        self.rng = random.Random(seed)
        self.until = dt.datetime.combine(until, dt.time(18), SHANGHAI).timestamp()
        self.places = city.load(session, self.rng)
        self.calendar = calendar(session)
        numbers = session.scalars(select(TicketSequence))
        self.sequences = {(each.organization_id, each.year): each for each in numbers}
        self.last = {key: each.last for key, each in self.sequences.items()}

    def run(self, progress: Callable[[int], None] = lambda done: None) -> Counter[TicketStatus]:
        """Write everything and return how many tickets there are in each state."""
        # Millions of rows and no cycles: looking for some over and over costs a sixth of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            with (
                without_index(self.session, "ix_ticket_search_grams", statistics=1000),
                # All facts are made at the end: the triggers would mark each ticket at each event.
                without_trigger(self.session, "event", "fact_mark_event"),
            ):
                states = self._run(progress)
            facts.rebuild(self.session)
            return states
        finally:
            if collecting:
                gc.enable()

    def _run(self, progress: Callable[[int], None]) -> Counter[TicketStatus]:
        states: Counter[TicketStatus] = Counter()
        first = self._first()
        lives = self.lives(first)
        done = 0
        # One slice is written while the next is lived: the living asks nothing of the session.
        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            while batch := list(itertools.islice(lives, SLICE)):
                states.update(life.row["status"] for life in batch)
                done += len(batch)
                if writing is not None:
                    writing.result()
                writing = writer.submit(copy_context().run, self._write, batch)
                progress(done)
            if writing is not None:
                writing.result()
        self._add_parties(first)
        self._keep_numbers()
        self._keep_ids()
        return states

    def _first(self) -> int:
        """Return an id that no ticket has or had: the log keeps the lines of those deleted."""
        logged = select(func.max(Event.record_id)).where(Event.record_type == "ticket")
        taken = (self.session.scalar(select(func.max(Ticket.id))), self.session.scalar(logged))
        return max(each or 0 for each in taken) + 1

    def lives(self, first: int) -> Iterator[Life]:
        """Return the lives in the order of their birth, numbered from ``first``."""
        births = sorted(self._birth() for _ in range(self.tickets))
        weights = list(itertools.accumulate(place.weight for place in self.places))
        matters = list(itertools.accumulate(matter.weight for matter in MATTERS))
        channels = list(itertools.accumulate(weight for _channel, weight in CHANNELS))
        for ticket_id, born in enumerate(births, first):
            (place,) = self.rng.choices(self.places, cum_weights=weights)
            (matter,) = self.rng.choices(MATTERS, cum_weights=matters)
            ((channel, _weight),) = self.rng.choices(CHANNELS, cum_weights=channels)
            emergency = self.rng.random() < matter.urgent
            direct = place.county.direct
            row = _blank() | {
                "id": ticket_id,
                "channel": channel,
                "theme": matter.theme,
                "emergency": emergency,
                "organization_id": place.id,
                "whistle_class": (direct if emergency and direct else place.county.ordinary)[0],
                "duty_item": place.matches[matter.problem].item,
            }
            life = Life(self.rng, self.calendar, self._number, place, matter, emergency, row, born)
            self._describe(life)
            life.live(self.until)
            yield life

    def _birth(self) -> float:
        """Return an instant of the last two years: more of late, at day, and on working days."""
        days = YEARS * 365
        while True:
            day = int(days * self.rng.random() ** 0.8)
            midnight = self.until - 18 * HOUR - (days - 1 - day) * DAY
            weekend = dt.datetime.fromtimestamp(midnight + 12 * HOUR, dt.UTC).weekday() >= 5
            if weekend and self.rng.random() < 0.55:
                continue
            (hour,) = self.rng.choices(range(24), _HOURS)
            born = midnight + (hour + self.rng.random()) * HOUR
            if born < self.until:
                return born

    def _describe(self, life: Life) -> None:
        rng, row = self.rng, life.row
        spot, block = rng.choice(SPOTS), rng.randint(1, 40)
        where = life.place.name.removesuffix("社区")
        row["title"] = f"{where}{block}号院{spot}{life.matter.problem}"
        row["detail"] = (
            f"{row['title']}。{life.matter.detail}。本级已劝导或临时处置，仍需部门到场解决。"
        )
        row["address"] = f"{life.place.name}{block}号院{spot}"
        row["contact_name"] = life.place.staff.name[:40]
        row["contact_phone"] = f"0951-6{rng.randint(0, 999999):06}"
        item = row["duty_item"]
        row["duty_item_name"] = item.name if item else None
        row["local_tried"] = item is not None and not life.emergency
        row["verdict"], row["verdict_reason"] = verdict_of(life.place, life.matter, life.emergency)

    def _number(self, place: city.Place, at: dt.datetime) -> str:
        """Return the place's next number, as ``rules.numbering`` would give it out."""
        key = (place.township_id, at.astimezone(SHANGHAI).year)
        self.last[key] = self.last.get(key, 0) + 1
        tail = f"{key[1]}-{self.last[key]:04d}"
        return f"{place.number_name[: LONGEST - len(tail)]}{tail}"

    def _write(self, lives: list[Life]) -> None:
        """Insert one slice, table by table."""
        tickets, parts, events, ratings = [], [], [], []
        for life in lives:
            row = life.row
            row["created_at"] = life.events[0]["at"]
            row["whistle_class_id"] = row.pop("whistle_class").id
            item = row.pop("duty_item")
            row["duty_item_id"] = item.id if item else None
            tickets.append(row)
            dated = {"created_at": row["created_at"], "updated_at": row["updated_at"], "version": 1}
            parts += [part.row | dated for part in life.parts]
            events += life.events
            ratings += [rating | dated for rating in life.ratings]
        for model, rows in (
            (Ticket, tickets),
            (TicketAssignment, parts),
            (Event, events),
            (Rating, ratings),
        ):
            table: Table = model.__table__
            write(self.session, table, rows)

    def _add_parties(self, first: int) -> None:
        """Derive the party rows of every ticket from ``first`` on, as ``rules.parties`` would."""
        ticket, line, part = (
            Ticket.__table__,
            OrganizationLine.__table__,
            TicketAssignment.__table__,
        )
        raiser = select(ticket.c.id, ticket.c.organization_id, literal("raiser"))
        area = select(ticket.c.id, line.c.ancestor_id, literal("area")).join(
            line, line.c.organization_id == ticket.c.organization_id
        )
        working = (
            select(ticket.c.id, part.c.organization_id, cast(part.c.role, String))
            .join(part, part.c.ticket_id == ticket.c.id)
            .where(part.c.status != AssignmentStatus.RETURNED)
        )
        parts = [
            each.add_columns(ticket.c.created_at, ticket.c.updated_at, literal(1)).where(
                ticket.c.id >= first
            )
            for each in (raiser, area, working)
        ]
        party = TicketParty.__table__
        names = ("ticket_id", "organization_id", "relation", "created_at", "updated_at", "version")
        rows = union_all(*parts).order_by("id")
        statement = insert(party).from_select(names, rows, include_defaults=False)
        self.session.execute(statement, execution_options=_PAST_THE_GATE)

    def _keep_numbers(self) -> None:
        for (organization_id, year), last in sorted(self.last.items()):
            known = self.sequences.get((organization_id, year))
            if known is None:
                known = TicketSequence(organization_id=organization_id, year=year)
                self.session.add(known)
            known.last = last
        self.session.flush()

    def _keep_ids(self) -> None:
        """Tell PostgreSQL's sequence of the ids that were given out here."""
        if self.session.get_bind().dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence("ticket", "id")
            top = select(func.max(Ticket.__table__.c.id)).scalar_subquery()
            self.session.execute(
                select(func.setval(sequence, top)), execution_options=_PAST_THE_GATE
            )


def _blank() -> Row:
    """Return a ticket row with nothing in it yet."""
    row: Row = dict.fromkeys(Ticket.__table__.columns.keys())
    del row["whistle_class_id"], row["duty_item_id"]
    row |= {"nature": Nature.PUBLIC, "status": TicketStatus.DRAFT, "return_count": 0}
    row |= {"review_position": 0, "paper": False}
    return row | {"reopen_count": 0, "version": 1}
