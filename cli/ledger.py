"""``flask --app app ledger verify``: is any step changed, missing or reordered?"""

from __future__ import annotations

import itertools
import sys

import click
from flask.cli import AppGroup
from sqlalchemy import select

from database import db
from models.ledger import Event
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import broken_ends
from rules.ledger import faults

ledger = AppGroup("ledger", help="The append-only ledger of steps.")


@ledger.command("verify")
def verify() -> None:
    """Walk every chain; exit 1 and say where if one does not hold."""
    chains = found = 0
    with acting_as(db.session(), SYSTEM):
        steps = db.session.scalars(
            select(Event)
            .order_by(Event.record_type, Event.record_id, Event.sequence)
            .execution_options(yield_per=500)
        )
        for _record, chain in itertools.groupby(
            steps, lambda step: (step.record_type, step.record_id)
        ):
            chains += 1
            for sentence in faults(chain):
                found += 1
                click.echo(sentence)
        for sentence in broken_ends(db.session()):
            found += 1
            click.echo(sentence)
    click.echo(f"已核对 {chains} 条流转链，{found} 处问题。")
    sys.exit(1 if found else 0)
