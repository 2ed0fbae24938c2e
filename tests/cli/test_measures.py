"""``measures rebuild``, ``check`` and ``show``, as an administrator calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from cli.measures import measures
from models.base import utcnow
from models.measure import TicketFact
from models.ticket import TicketStatus as S
from reports.measures import MEASURES
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.conftest import Backend, session_factory
from tests.factories.roads import brought_to
from tests.factories.world import World


@pytest.fixture
def stocked(sqlite: Backend) -> Iterator[Session]:
    """A session over a database with a closed, an accepted and a declined ticket, all committed."""
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        for status in (S.CLOSED, S.ACCEPTED, S.DECLINED):
            brought_to(World(session), status)
        session.commit()
        yield session


def run(app: Flask, *words: str) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(measures, words)


def shown(app: Flask, *words: str) -> dict[str, Any]:
    """Return what ``show`` prints as JSON."""
    answer = run(app, "show", "--json", *words)
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.output)
    return found


def test_show_prints_every_measure_as_json(sqlite: Backend, stocked: Session) -> None:
    report = shown(sqlite.app, "--by", "department")
    today = shanghai_date(utcnow())
    assert (report["from"], report["until"]) == (f"{today.year}-01-01", f"{today}")
    assert [each["code"] for each in report["measures"]] == [each.code for each in MEASURES]
    assert report["total"]["raised"] == {"part": 3, "of": None, "value": 3.0}
    assert report["total"]["closing_rate"] == {"part": 1, "of": 2, "value": 50.0}
    assert report["total"]["stars"]["value"] is None
    assert [line["title"] for line in report["lines"]] == ["甲县住建局", "尚未派单"]


def test_show_narrows_by_an_organisation(sqlite: Backend, stocked: Session) -> None:
    for code, raised in (("A", 3), ("A1", 3), ("A11", 3), ("A12", 0), ("A-D1", 2), ("B", 0)):
        assert shown(sqlite.app, "--organization", code)["total"]["raised"]["part"] == raised
    refused = run(sqlite.app, "show", "--organization", "A111")
    assert (refused.exit_code, "没有单独的统计" in refused.output) == (1, True)
    refused = run(sqlite.app, "show", "--organization", "X")
    assert (refused.exit_code, "没有代码为“X”的机构" in refused.output) == (1, True)


def test_show_takes_days_and_prints_text(sqlite: Backend, stocked: Session) -> None:
    nothing = shown(sqlite.app, "--from", "2020-01-01", "--until", "2020-12-31")
    assert nothing["total"]["raised"]["value"] == 0
    text = run(sqlite.app, "show", "--by", "theme").output.splitlines()
    assert text[1].split("\t")[:3] == ["", "吹哨数（件）", "派单数（件）"]
    assert text[2].split("\t")[:3] == ["合计", "3", "2"]
    assert text[3].split("\t")[0] == "民生哨"
    assert "—" in text[2]
    refused = run(sqlite.app, "show", "--from", "2026-02-01", "--until", "2026-01-01")
    assert (refused.exit_code, "开始日期" in refused.output) == (1, True)


def test_check_finds_what_differs_and_rebuild_mends_it(sqlite: Backend, stocked: Session) -> None:
    assert run(sqlite.app, "check").output == "已核对哨单统计，0 处不符。\n"
    wrong = update(TicketFact).values(closed=False)
    stocked.execute(wrong, execution_options={"synchronize_session": False})
    stocked.commit()
    found = run(sqlite.app, "check")
    assert found.exit_code == 1
    assert "统计不符：closed。" in found.output
    assert "已重建 3 张哨单的统计" in run(sqlite.app, "rebuild").output
    assert run(sqlite.app, "check").exit_code == 0
