"""Rows for bulk inserts: numbered, dated, and entered in the ledger by one step each."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bench.matters import GIVEN, SURNAMES
from models.base import Titled
from models.ledger import Event
from models.registry import type_name
from rules.actor import SYSTEM
from rules.calendar import SHANGHAI
from rules.ledger import GENESIS, digest
from rules.scope import reviewed

Row = dict[str, Any]
YEARS = 2
SLICE = 2000
_PAST_THE_GATE = reviewed("writes simulated agreements and lists, for the system")


class Rows:
    """Gathers rows by table and writes them; what comes by chance comes from ``seed``."""

    def __init__(self, session: Session, seed: int, until: dt.date) -> None:
        self.session, self.until = session, until
        self.rng = random.Random(seed)
        self.rows: dict[type[Any], list[Row]] = defaultdict(list)
        self.last: dict[type[Any], int] = {}

    def write(self) -> Counter[str]:
        """Insert everything, and return how many rows each table was given."""
        numbers: Counter[str] = Counter()
        for model, rows in self.rows.items():
            table = model.__table__
            for start in range(0, len(rows), SLICE):
                part = rows[start : start + SLICE]
                self.session.execute(insert(table), part, execution_options=_PAST_THE_GATE)
            numbers[table.name] = len(rows)
            if model is not Event:
                self._keep_ids(model)
        return numbers

    def _add(self, model: type[Any], day: dt.date, **values: Any) -> int:
        """Add a row that was made on a day, and return its id."""
        if model not in self.last:
            self.last[model] = self.session.scalar(select(func.max(model.id))) or 0
        self.last[model] += 1
        at = dt.datetime.combine(day, dt.time(10), SHANGHAI).astimezone(dt.UTC)
        dated = {"id": self.last[model], "created_at": at, "updated_at": at, "version": 1}
        self.rows[model].append(dated | values)
        if "status" in values:
            self.rows[Event].append(_entered(model, self.last[model], values["status"], at))
        return self.last[model]

    def _keep_ids(self, model: type[Any]) -> None:
        if self.session.get_bind().dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
            moved = select(func.setval(sequence, self.last[model]))
            self.session.execute(moved, execution_options=_PAST_THE_GATE)

    def _day(self, most: int = YEARS * 365) -> dt.date:
        """Return a day of the last ``most``, more often one of late."""
        return self.until - dt.timedelta(days=int(most * self.rng.random() ** 1.3))

    def _among(self, weights: Mapping[Any, float]) -> Any:
        (chosen,) = self.rng.choices(list(weights), list(weights.values()))
        return chosen

    def _person(self) -> str:
        return self.rng.choice(SURNAMES) + self.rng.choice(GIVEN)

    def _phone(self) -> str:
        return f"139{self.rng.randint(0, 99_999_999):08}"


def _entered(model: type[Any], number: int, status: Titled, at: dt.datetime) -> Row:
    """Return the step by which a record was entered, a chain of one."""
    step = SimpleNamespace(
        record_type=type_name(model),
        record_id=number,
        sequence=1,
        action="create",
        label="新建",
        from_status=None,
        to_status=status.value,
        actor_id=None,
        actor_name=SYSTEM.name,
        organization_id=None,
        organization_name=SYSTEM.organization_name,
        at=at,
        note="模拟数据",
        data={},
        previous_hash=GENESIS,
    )
    step.hash = digest(cast(Event, step))
    return vars(step)
