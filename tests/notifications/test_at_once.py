"""Several workers at once: no step is told twice to anybody, and nothing is lost between them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import notices
from models.delivery import DeliveryState, Digest
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from tests.conftest import Backend
from tests.factories.post import Office
from tests.factories.race import race
from tests.factories.roads import brought_to
from tests.notifications.conftest import opened

WORKERS = 4
STEPS = 30


@pytest.fixture
def busy(backend: Backend) -> Iterator[tuple[Office, Ticket]]:
    """An office where five people and two groups are told of thirty steps."""
    with opened(backend) as office:
        ticket = brought_to(office.world, S.DISPATCHED)
        names = ("handler", "handler2", "unit", "unit2", "leader")
        for name in names:
            account = office.world.account(name)
            account.organization = office.world.place("A-D1")
            account.roles = list(office.world.account("handler").roles)
        office.session.commit()
        office.forget_steps()
        for name in names[:4]:
            office.wants(name, Digest.AT_ONCE)
        office.wants("leader", Digest.DAILY)
        office.robot("A-D1", number=1)
        office.robot("A-D1", number=2)
        for step in range(STEPS):
            office.told("A-D1", ticket, f"test:{step}", f"第{step}步")
        yield office, ticket


def together(task: Callable[[], Any]) -> list[Exception]:
    """Run a task in several threads let loose together; return what they raised."""
    barrier = threading.Barrier(WORKERS, timeout=30)
    raised: list[Exception] = []

    def run() -> None:
        barrier.wait()
        try:
            task()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    return raised


def test_each_step_once_for_each_receiver(busy: tuple[Office, Ticket]) -> None:
    office, _ticket = busy

    def work() -> None:
        notices.route(office.app, lambda: office.now)
        notices.send(office.app, lambda: office.now)

    assert together(work) == []
    # Who had nothing to claim may have gone home before the last was routed.
    work()
    told = Counter((each.to, each.text) for each in office.post.sent)
    assert set(told.values()) == {1}
    assert len(told) == STEPS * 6
    states = Counter(office.states())
    assert states == {DeliveryState.SENT: STEPS * 6, DeliveryState.WAITING: STEPS}
    office.later(days=1)
    assert together(work) == []
    (mail,) = office.post.to("leader@county.gov.cn")
    assert f"{STEPS} 条" in mail.title
    assert set(office.states()) == {DeliveryState.SENT}


def test_two_sweeps_of_deadlines_at_once_tell_once(backend: Backend) -> None:
    with opened(backend) as office:
        ticket = brought_to(office.world, S.DISPATCHED)
        assert ticket.next_due is not None
        office.now = ticket.next_due
        office.session.commit()
        office.later(seconds=1)
        outcomes = race(
            backend,
            "admin",
            [lambda session, _actor: _swept(office, session)] * 2,
        )
        assert [each for each in outcomes if isinstance(each, Exception)] == []
        assert notices.warn(office.app, lambda: office.now) == 0


def _swept(office: Office, _session: Any) -> int:
    """Sweep in a session of the job's own."""
    return notices.warn(office.app, lambda: office.now)
