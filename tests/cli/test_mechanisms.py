"""A county starts from a preset without the demo, and tickets can be raised from then on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from cli.mechanisms import mechanisms
from database import db
from models.mechanism import Mechanism
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from rules.mechanisms import mechanism_for
from tests.conftest import Backend

Run = Callable[..., Result]


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(preset: str, code: str) -> Result:
        words = ["adopt", preset, "--organization", code]
        return app.test_cli_runner().invoke(mechanisms, words)

    return invoke


def stop(app: Flask) -> None:
    """Take every mechanism out of force, as the administrator does on its page."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        db.session.execute(update(Mechanism).values(in_force=False))
        db.session.commit()


def test_a_county_adopts_a_preset(app: Flask, run: Run) -> None:
    stop(app)
    result = run("jiujiang", "A")
    assert result.exit_code == 0, result.output
    with app.app_context(), acting_as(db.session(), SYSTEM):
        place = db.session.scalars(select(Organization).where(Organization.code == "A11")).one()
        found = mechanism_for(db.session(), place.id)
        assert (found.number, found.preset) == (2, "jiujiang")
        assert [each.name for each in found.classes] == ["急哨", "平哨"]
        assert sum(each.weight for each in found.dimensions) == 100


def test_a_second_one_in_force_is_refused(run: Run) -> None:
    result = run("jiujiang", "A")
    assert result.exit_code == 1
    assert "“甲县”已在用" in result.output


def test_only_counties_and_cities_have_one(run: Run) -> None:
    result = run("jiujiang", "A1")
    assert result.exit_code == 1
    assert "只能由市或县（市、区）启用" in result.output


def test_unknown_words_are_refused(run: Run) -> None:
    assert run("jiujiang", "XX").exit_code == 2
    assert run("nowhere", "A").exit_code == 2
