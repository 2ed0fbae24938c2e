"""The stage of the matrices without the paper that stands on it: tests bring their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete

from models.letter import LetterTemplate
from models.scan import AgreementScan
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, close
from tests.views.stage import Stage, set_up


def without_paper(backend: Backend, folder: Path) -> Iterator[Stage]:
    """Yield a stage whose agreements have no scans, and whose counties have no templates."""
    found = set_up(backend, folder)
    with found.session() as session, acting_as(session, SYSTEM):
        for model in (AgreementScan, LetterTemplate):
            session.execute(delete(model))
        session.commit()
    found.keep()
    yield found
    close(found.app)
