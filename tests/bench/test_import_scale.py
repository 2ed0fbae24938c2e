"""The workbooks and calls of the import's bench: what is measured is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import create_engine, inspect, select, text

from bench import import_books, import_scale
from bench.import_memory import held
from bench.timing import Result, Sample, processor
from database import db
from imports.engine import apply, preview
from models.duty import DutyItem, DutyList, DutyListType
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend
from tests.imports.books import ORGANIZATIONS


@pytest.fixture
def backend(sqlite: Backend) -> Backend:
    """The seeded world with the demo county."""
    with sqlite.app.app_context(), acting_as(db.session(), SYSTEM):
        apply(db.session(), preview(db.session(), "organizations", ORGANIZATIONS))
        db.session.commit()
        db.session.remove()
    return sqlite


def test_a_list_and_the_same_with_changes(backend: Backend, tmp_path: Path) -> None:
    full = import_books.coordinating(tmp_path / "a.xlsx", 40)
    other = import_books.coordinating(tmp_path / "b.xlsx", 40, changed=4)
    import_scale.imported(backend.app, full, "城关镇", (40, 0, 0))
    import_scale.imported(backend.app, full, "城关镇", (0, 0, 40))
    import_scale.imported(backend.app, other, "城关镇", (0, 4, 36))
    with pytest.raises(AssertionError):
        import_scale.imported(backend.app, full, "城关镇", (40, 0, 0))


def values(path: Path) -> list[tuple[Any, ...]]:
    """Return the rows of a list."""
    return list(load_workbook(path)["配合履职事项清单"].iter_rows(values_only=True))


def test_the_rows_are_as_long_as_they_are_said_to_be(tmp_path: Path) -> None:
    path = import_books.coordinating(tmp_path / "a.xlsx", 10)
    [head, first, *rest] = values(path)
    assert (head, len(rest)) == (import_books.HEADINGS, 9)
    assert [len(str(first[4])), len(str(first[5]))] == [120, 120]
    again = import_books.coordinating(tmp_path / "b.xlsx", 10)
    assert values(again) == values(path)


def test_a_countys_catalogue_in_one_go(backend: Backend, tmp_path: Path) -> None:
    path = import_books.catalogue(tmp_path / "a.xlsx")
    import_scale.imported(backend.app, path, "示范县", (4779, 0, 0))
    with backend.app.app_context(), acting_as(db.session(), SYSTEM):
        [version] = db.session.scalars(
            select(DutyList).where(
                DutyList.list_type == DutyListType.CATALOGUE, DutyList.item_count == 4779
            )
        )
        rows = db.session.execute(
            select(DutyItem.category, DutyItem.name).where(DutyItem.duty_list_id == version.id)
        ).all()
        db.session.remove()
    assert len({category for category, _name in rows}) == 18
    assert len({name for _category, name in rows}) < len(rows) / 3


def test_the_floor_inserts_every_row(tmp_path: Path) -> None:
    path = import_books.coordinating(tmp_path / "a.xlsx", 10)
    engine = create_engine(f"sqlite:///{tmp_path / 'floor.db'}")
    for _twice in range(2):
        import_scale.floor(engine, path)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM plain WHERE f <> ''")) == 10
    assert inspect(engine).get_table_names() == ["plain"]
    engine.dispose()


def test_work_counts_where_it_is_to_count() -> None:
    slow, quick = Sample(9, 9, 9, 2, 1), Sample(1, 1, 1, 1, 1)
    assert Result("import", "sqlite", "", "", slow, quick, worked=True).ratio == 2
    assert Result("import", "sqlite", "", "", slow, quick).ratio == 9
    before = processor()
    assert processor() >= before
    assert held("VmHWM") >= held("VmRSS") > 2**20
