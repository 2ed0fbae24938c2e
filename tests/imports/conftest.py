"""Sessions and places for the import tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, sessionmaker

import database
from imports.decisions import Decisions
from imports.engine import apply, preview
from imports.plan import Plan
from models.duty import DutyList
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import SYSTEM, acting_as, set_actor
from tests.conftest import Backend, session_factory
from tests.imports.books import ORGANIZATIONS


def session_beside(session: Session) -> Session:
    """Return a second session on the same database, acting as the system."""
    factory = sessionmaker(session.get_bind())
    database.install(factory)
    other = factory()
    set_actor(other, SYSTEM)
    return other


def of_demo(code: Any) -> ColumnElement[bool]:
    """Return whether a column of codes names an organisation of the demo county."""
    return code.like("640199%")  # type: ignore[no-any-return]


def organizations_of_demo(session: Session) -> int:
    """Return how many organisations of the demo county there are."""
    return (
        session.scalar(select(func.count(Organization.id)).where(of_demo(Organization.code))) or 0
    )


def lists_of_demo(session: Session) -> list[DutyList]:
    """Return the versions of the demo county's places, oldest first."""
    query = select(DutyList).join(DutyList.organization).where(of_demo(Organization.code))
    return list(session.scalars(query.order_by(DutyList.id)))


@pytest.fixture
def sqlite_session(sqlite: Backend) -> Iterator[Session]:
    """A session for checks that come before any database has a say."""
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        yield session


@pytest.fixture
def county(session: Session) -> Session:
    """A session on a database that holds the demo county beside the two seeded ones."""
    apply(session, preview(session, "organizations", ORGANIZATIONS))
    session.commit()
    return session


Place = Callable[[str], Organization]


@pytest.fixture
def place(county: Session) -> Place:
    """Find an organisation of the demo county by its name."""

    def find(name: str) -> Organization:
        return county.scalars(
            select(Organization).where(Organization.name == name, of_demo(Organization.code))
        ).one()

    return find


Import = Callable[..., tuple[Plan, ImportBatch | None]]


@pytest.fixture
def import_lists(county: Session, place: Place) -> Import:
    """Preview, apply and commit a file of duty lists for a place; ``retire`` what it lacks."""

    def run(path: Path, owner: str, *, retire: bool = False) -> tuple[Plan, ImportBatch | None]:
        decisions = Decisions(retire=retire)
        plan = preview(county, "duty-items", path, owner=place(owner), decisions=decisions)
        batch = apply(county, plan)
        county.commit()
        return plan, batch

    return run
