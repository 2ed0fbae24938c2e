"""Sessions and places for the import tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

import database
from imports.engine import apply, preview
from imports.plan import Plan
from models.base import Model
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import SYSTEM, set_actor
from tests.imports.books import ORGANIZATIONS


@pytest.fixture
def db_session(tmp_path: Path) -> Iterator[Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    Model.metadata.create_all(engine)
    factory = sessionmaker(engine)
    database.install(factory)
    with factory() as session:
        set_actor(session, SYSTEM)
        yield session
    engine.dispose()


def session_beside(session: Session) -> Session:
    """Return a second session on the same database, acting as the system."""
    factory = sessionmaker(session.get_bind())
    database.install(factory)
    other = factory()
    set_actor(other, SYSTEM)
    return other


@pytest.fixture
def county(db_session: Session) -> Session:
    """A session on a database that holds the demo county's organisations."""
    apply(db_session, preview(db_session, "organizations", ORGANIZATIONS))
    db_session.commit()
    return db_session


Place = Callable[[str], Organization]


@pytest.fixture
def place(county: Session) -> Place:
    """Find an organisation of the demo county by its name."""

    def find(name: str) -> Organization:
        return county.scalars(select(Organization).where(Organization.name == name)).one()

    return find


Import = Callable[[Path, str], tuple[Plan, ImportBatch | None]]


@pytest.fixture
def import_lists(county: Session, place: Place) -> Import:
    """Preview, apply and commit a file of duty lists for a place."""

    def run(path: Path, owner: str) -> tuple[Plan, ImportBatch | None]:
        plan = preview(county, "duty-items", path, owner=place(owner))
        batch = apply(county, plan)
        county.commit()
        return plan, batch

    return run
