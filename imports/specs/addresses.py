"""How a community's address book (地址簿) stands in a workbook."""

from __future__ import annotations

from typing import Any

from imports.specs.records import declare
from models.address import AddressEntry
from models.organization import OrganizationKind
from rules import positions


def check(entry: Any) -> None:
    """Both degrees or none, and within the globe, as the form has it."""
    positions.checked(entry.latitude, entry.longitude)


ADDRESSES = declare(
    "addresses",
    AddressEntry,
    columns=("community", "name", "latitude", "longitude", "note"),
    key=("community", "name"),
    check=check,
    within="community",
    kinds={"community": (OrganizationKind.COMMUNITY, OrganizationKind.GRID)},
    hints=r"地址簿|地点|地址",
    headings={
        "community": ("村社区", "社区名称", "所在村（社区）"),
        "name": ("地址", "地点名称", "小区楼栋"),
        "note": ("备注",),
    },
    examples={
        "community": "东关社区",
        "name": "幸福里小区 3 号楼",
        "latitude": "38.487194",
        "longitude": "106.230909",
        "note": "东门进，左手第一栋",
    },
)
