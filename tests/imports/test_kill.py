"""A process that is killed while it imports leaves nothing behind, on either database."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyItemDepartment, DutyList
from models.imports import ImportBatch, ImportChange
from tests.conftest import Backend
from tests.imports.books import CATALOGUE, ROOT
from tests.imports.conftest import Import, Place
from tests.imports.lists import counts

TABLES = (DutyList, DutyItem, DutyItemDepartment, ImportBatch, ImportChange)


def rows(session: Session) -> list[int]:
    """Return how many rows there are of everything that an import writes."""
    found = [session.scalar(select(func.count(model.id))) or 0 for model in TABLES]
    session.rollback()
    return found


@pytest.mark.parametrize("moment", ["middle", "end"])
def test_killed_while_writing(
    backend: Backend, county: Session, place: Place, import_lists: Import, moment: str
) -> None:
    code = place("示范县").code
    before = rows(county)
    command = [sys.executable, "-m", "tests.imports.killed", backend.url, code, moment]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert rows(county) == before
    plan, batch = import_lists(CATALOGUE, "示范县")
    assert batch is not None
    assert counts(plan.result()) == [("catalogue", 1568, 0, 0, 0)]
    assert rows(county)[1] == before[1] + 1568
    assert import_lists(CATALOGUE, "示范县")[1] is None
