"""The stage of the matrices, and a recorder of SQL statements."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Backend, close
from tests.views.stage import Stage, Watch, set_up


@pytest.fixture(scope="module")
def stage(sqlite_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A populated world of the module's own, on SQLite; who writes to it puts it back."""
    found = set_up(sqlite_backend, tmp_path_factory.mktemp("stage"))
    yield found
    close(found.app)


@pytest.fixture
def watch(stage: Stage) -> Iterator[Watch]:
    """Tells whether a request has written anything to the stage; what was written is undone."""
    found = Watch(stage)
    yield found
    if found.touched():
        found.restore()
    found.close()
