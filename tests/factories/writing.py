"""Writes on the stage, as an account: refused at the flush, or granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rules.actor import NOBODY, SYSTEM, acting_as
from rules.errors import OutOfScope
from tests.factories.stage import Stage


def one(stage: Stage, model: type[Any], place: str, pick: Any = min) -> Any:
    """Return a row of the stage, loaded by the system as if it had been come by somehow."""
    session = stage.world.session
    with acting_as(session, SYSTEM):
        found = session.get_one(model, pick(stage.ids[model][place]))
        session.refresh(found)
    return found


def refused(stage: Stage, account: str | None, write: Callable[[], object]) -> None:
    """Assert that an account's write is refused at the flush, and leaves nothing."""
    session = stage.world.session
    actor = stage.world.actor(account) if account else NOBODY
    with acting_as(session, actor), session.no_autoflush:
        write()
        with pytest.raises(OutOfScope, match="没有找到这条记录，或者您无权查看、修改它"):
            session.flush()
    session.rollback()


def granted(stage: Stage, account: str, write: Callable[[], object]) -> None:
    """Assert that an account's write passes."""
    session = stage.world.session
    with acting_as(session, stage.world.actor(account)), session.no_autoflush:
        write()
        session.flush()
    session.commit()


def setting(record: Any, **values: Any) -> Callable[[], None]:
    def write() -> None:
        for name, value in values.items():
            setattr(record, name, value)

    return write
