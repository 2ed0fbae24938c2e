"""A community's address book by workbook: out and in again unchanged, degrees judged as in the form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.engine import preview
from models.address import AddressEntry
from models.ticket import Ticket
from rules.actor import acting_as
from tests.factories.world import World
from tests.imports.ledgers import counts, exported, imported, planned

ROWS: list[dict[str, Any]] = [
    {"community": "甲一一社区", "name": "幸福里 3 号楼", "latitude": 38.487194, "longitude": "106.230909"},
    {"community": "甲一一社区", "name": "东门口", "latitude": None, "longitude": None, "note": "红绿灯旁"},
    {"community": "甲一一社区", "name": "南街 5 号", "latitude": 38.5, "longitude": 106},
]  # fmt: skip


@pytest.fixture
def community(session: Session, world: World) -> Any:
    """A session that acts for a community."""
    with acting_as(session, world.actor("community")):
        yield session


def test_the_book_comes_back_as_it_went(community: Session, tmp_path: Path) -> None:
    imported(community, tmp_path, "addresses", *ROWS)
    found = community.scalars(select(AddressEntry).order_by(AddressEntry.id)).all()
    assert [(each.name, each.latitude, each.longitude, each.note) for each in found] == [
        ("幸福里 3 号楼", 38.487194, 106.230909, None),
        ("东门口", None, None, "红绿灯旁"),
        ("南街 5 号", 38.5, 106.0, None),
    ]
    assert counts(planned(community, tmp_path, "addresses", *ROWS)) == (0, 0, 3, 0)
    plan = preview(community, "addresses", exported(community, tmp_path, "addresses"))
    assert counts(plan) == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latitude": "91"}, "纬度应在 -90 到 90 之间"),
        ({"latitude": None}, "还缺纬度"),
        ({"longitude": "一百零六"}, "“经度”应是数字"),
        ({"longitude": "1060.5"}, "“经度”太大"),
        ({"community": "甲一二社区"}, "甲一二社区"),
    ],
)
def test_a_wrong_row_is_told(
    changes: dict[str, Any], said: str, community: Session, tmp_path: Path
) -> None:
    """Another community's book is as closed as in the form."""
    plan = planned(community, tmp_path, "addresses", ROWS[0] | changes)
    assert said in "".join(each.message for each in plan.errors)
    assert community.scalars(select(Ticket.id)).all() == []
