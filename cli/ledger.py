"""``flask --app app ledger verify``: is any step changed, missing or reordered, any clock off?"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable

import click
from flask.cli import AppGroup
from sqlalchemy import select

from database import db
from models.ledger import Event
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import TicketCheck, broken_ends
from rules.ledger import faults

ledger = AppGroup("ledger", help="The append-only ledger of steps.")


@ledger.command("verify")
def verify() -> None:
    """Walk every chain, and recompute every ticket's clocks; exit 1 and say where if one is off."""
    chains = found = 0
    with acting_as(db.session(), SYSTEM):
        tickets = TicketCheck(db.session())
        steps = db.session.scalars(
            select(Event)
            .order_by(Event.record_type, Event.record_id, Event.sequence)
            .execution_options(yield_per=500)
        )
        for (kind, record_id), chain in itertools.groupby(
            steps, lambda step: (step.record_type, step.record_id)
        ):
            chains += 1
            events = list(chain)
            sentences = faults(events)
            if kind == "ticket":
                sentences += tickets.add(record_id, events)
            found += _say(sentences)
        found += _say(tickets.finish())
        found += _say(broken_ends(db.session()))
    click.echo(f"已核对 {chains} 条流转链，{found} 处问题。")
    sys.exit(1 if found else 0)


def _say(sentences: Iterable[str]) -> int:
    count = 0
    for sentence in sentences:
        count += 1
        click.echo(sentence)
    return count
