"""``python -m bench.duty_match``: how often everyday words find the duty item that is meant, and how fast.

The demo county is made in a database of its own; each phrasing of ``tests/rules/everyday_phrasings.py``
is matched for a community of 城关镇, whose lists and county catalogue hold some 1,900 items.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.databases import Sqlite, let_go, prepared
from database import db
from imports.engine import apply, preview
from models.organization import Organization
from presets.demo_county import (
    CATALOGUE,
    COMMUNITY,
    COUNTY,
    DUTY_LISTS,
    ORGANIZATIONS,
    TOWNSHIP,
)
from rules.actor import SYSTEM, acting_as
from rules.duty_lists import publish
from rules.duty_match import match
from tests.rules.everyday_phrasings import HELD_BACK, TUNED, Phrasing

AT = (1, 5)


@dataclass(frozen=True)
class Rates:
    """The share of phrasings that were found among the first one and five, and what was missed."""

    count: int
    hits: dict[int, int]
    missed: list[tuple[str, list[str]]]
    milliseconds: list[float]

    def rate(self, within: int) -> float:
        """Return the hit rate within the first so many, from 0 to 1."""
        return self.hits[within] / self.count if self.count else 0.0


def rates(session: Session, place: Organization, phrasings: Iterable[Phrasing]) -> Rates:
    """Match every phrasing for a place, and count; the first run prepares the lists."""
    hits, missed, times, count = dict.fromkeys(AT, 0), [], [], 0
    match(session, place, "准备")
    for said, meant in phrasings:
        count += 1
        session.expire_all()
        start = time.perf_counter()
        names = [found.item.name for found in match(session, place, said)]
        times.append((time.perf_counter() - start) * 1000)
        good = [name.startswith(meant) for name in names]
        for within in AT:
            hits[within] += any(good[:within])
        if not any(good[: max(AT)]):
            missed.append((said, names))
    return Rates(count, hits, missed, times)


def line(name: str, found: Rates) -> str:
    """Return the figures in a sentence."""
    slowest = statistics.quantiles(found.milliseconds, n=20)[-1]
    shares = "，".join(f"前 {within} 项命中 {found.rate(within):.1%}" for within in AT)
    return (
        f"{name}：{found.count} 句，{shares}；"
        f"每句中位数 {statistics.median(found.milliseconds):.1f} 毫秒，95% 在 {slowest:.1f} 毫秒内。"
    )


def main() -> None:
    """Print the rates of both sets, and what was missed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--missed", action="store_true", help="list what was not found")
    parser.add_argument("--folder", type=Path, help="keep the database here, and use it again")
    asked = parser.parse_args()
    logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="chuishao-bench-") as temporary:
        folder = asked.folder or Path(temporary)
        app = prepared(Sqlite(folder), "duty_match", folder, _fill)
        with app.app_context(), acting_as(db.session(), SYSTEM):
            place = _place(db.session(), COMMUNITY)
            for name, phrasings in (("反复改进的一组", TUNED), ("保留未用的一组", HELD_BACK)):
                found = rates(db.session(), place, phrasings)
                print(line(name, found))
                for said, names in found.missed if asked.missed else []:
                    print(f"  没有找到：{said} → {'、'.join(names) or '（空）'}")
            db.session.remove()
        let_go(app)


def fill(session: Session) -> Organization:
    """Load the demo county's organisations and published lists; return a community with all of them."""
    _read(session, "organizations", ORGANIZATIONS, None)
    county, township = (_place(session, code) for code in (COUNTY, TOWNSHIP))
    _read(session, "duty-items", DUTY_LISTS, township)
    _read(session, "duty-items", CATALOGUE, county)
    for owner in (township, county):
        publish(session, owner, SYSTEM)
    session.flush()
    return _place(session, COMMUNITY)


def _read(session: Session, kind: str, path: Path, owner: Organization | None) -> None:
    apply(session, preview(session, kind, path, owner=owner))


def _place(session: Session, code: str) -> Organization:
    return session.scalars(select(Organization).where(Organization.code == code)).one()


def _fill(app: Flask) -> None:
    fill(db.session())


if __name__ == "__main__":
    main()
