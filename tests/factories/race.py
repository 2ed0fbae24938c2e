"""Several sessions at once over one database: real connections, let loose together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rules.actor import SYSTEM, Actor, acting_as, actor_of
from tests.conftest import Backend, session_factory
from tests.factories.world import World

Job = Callable[[Session, Actor], Any]


def race(backend: Backend, who: str, jobs: Sequence[Job]) -> list[Any]:
    """Run each job in a thread and session of its own, as an account; return what each came to.

    All are let loose together once each has its connection open. A job is committed if it returns;
    its result stands in the answer, or what it raised.
    """
    maker = session_factory(backend.app)
    barrier = threading.Barrier(len(jobs), timeout=30)
    outcomes: list[Any] = [None] * len(jobs)

    def run(number: int, job: Job) -> None:
        with maker() as session:
            actor = _actor(World(session), who)
            session.rollback()
            try:
                barrier.wait()
                with acting_as(session, actor):
                    outcomes[number] = job(session, actor)
                    session.commit()
            except Exception as error:
                session.rollback()
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a session waits for ever"
    return outcomes


def _actor(world: World, who: str) -> Actor:
    with acting_as(world.session, SYSTEM):
        return actor_of(world.session, world.account(who))
