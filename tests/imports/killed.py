"""A process that imports the catalogue and stops in the middle of writing, to be killed there.

``python -m tests.imports.killed URL CODE MOMENT``: says "writing" on its standard output, with the
transaction open, and waits for a word that never comes.
"""

from __future__ import annotations

import sys

from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

import database
from imports.engine import apply, preview
from models.organization import Organization
from rules.actor import SYSTEM, set_actor
from tests.imports.books import CATALOGUE


def main(url: str, code: str, moment: str) -> None:
    """Import for the place with the code; ``moment``: ``middle`` or ``end`` of the writing."""
    factory = sessionmaker(create_engine(url))
    database.install(factory)
    session = factory()
    set_actor(session, SYSTEM)

    def watch(phase: str, done: int, total: int) -> None:
        reached = done == total if moment == "end" else 0 < done < total
        if phase == "write" and reached:
            session.flush()
            print("writing", flush=True)
            sys.stdin.read()

    owner = session.scalars(select(Organization).where(Organization.code == code)).one()
    apply(session, preview(session, "duty-items", CATALOGUE, owner=owner), watch=watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
