"""Coverage counted by hand: who has signed in whose area, and when agreements run out."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementKind
from models.organization import OrganizationKind as K
from reports.coverage import (
    COMMUNITY_KINDS,
    UNIT_KINDS,
    Coverage,
    Span,
    coverage,
    looks_after,
    running_out,
    spans,
    uncovered,
)
from rules.actor import acting_as
from tests.factories.world import World

TODAY = dt.date(2026, 11, 21)
_numbers = itertools.count(1)


def signed(world: World, community: str, unit: str, left: int = 400, **values: object) -> Agreement:
    """Return an agreement in force that ends so many days from today."""
    record = world.agreement(community, unit, f"覆盖{next(_numbers)}号", **values)
    world.step(record, "bring_into_force", "admin")
    record.valid_until = TODAY + dt.timedelta(days=left)
    return record


@pytest.fixture
def letters(session: Session, world: World) -> dict[str, Agreement]:
    """Agreements in two counties, also across them, and some that bind nobody now."""
    made = {
        "plain": signed(world, "A11", "A-U1"),
        "twice": signed(world, "A12", "A-U1", 20, kind=AgreementKind.PAIRED_ASSISTANCE),
        "late": signed(world, "A11", "A1-PCS", -3),
        "far": signed(world, "B11", "A-D1", 9),
        "other": signed(world, "B11", "B-U1", 70),
    }
    made["draft"] = world.agreement("A21", "A-U2", "草拟1号")
    session.flush()
    return made


def test_who_has_signed_by_area(
    session: Session, world: World, letters: dict[str, Agreement]
) -> None:
    def seen(account: str, *kinds: K) -> set[str]:
        with acting_as(session, world.actor(account)):
            return {each.code for each in session.scalars(uncovered(session, *kinds))}

    # A-D1 has signed with a community of the other county: that counts for it, not for B's units.
    assert seen("party", *UNIT_KINDS) == {"A-U2", "A-D2", "A-D3"}
    assert seen("party", *COMMUNITY_KINDS) == {"A21"}
    assert seen("partyb", *UNIT_KINDS) == {"B-D1"}
    assert seen("partyb", *COMMUNITY_KINDS) == set()
    assert seen("township", *UNIT_KINDS) == set()
    assert seen("township", *COMMUNITY_KINDS) == set()
    assert seen("township2", *COMMUNITY_KINDS) == {"A21"}
    assert seen("admin", *UNIT_KINDS, *COMMUNITY_KINDS) == {"A-U2", "A-D2", "A-D3", "B-D1", "A21"}
    assert seen("unit", *UNIT_KINDS, *COMMUNITY_KINDS) == set()
    assert seen("duty", *UNIT_KINDS, *COMMUNITY_KINDS) == set()


def test_the_numbers_are_those_of_the_lists(
    session: Session, world: World, letters: dict[str, Agreement]
) -> None:
    for account in ("admin", "party", "partyb", "township", "township2", "community", "inspector"):
        with acting_as(session, world.actor(account)):
            found = coverage(session, TODAY)
            for share in found.shares:
                listed = session.scalars(uncovered(session, share.kind)).all()
                assert share.without == len(listed), (account, share)
                assert share.total >= share.without


def test_shares_pairs_and_spans_of_a_county(
    session: Session, world: World, letters: dict[str, Agreement]
) -> None:
    with acting_as(session, world.actor("party")):
        found = coverage(session, TODAY)
    assert [(each.kind, each.total, each.without) for each in found.shares] == [
        (K.UNIT, 2, 1),
        (K.DEPARTMENT, 3, 2),
        (K.STATION, 1, 0),
        (K.COMMUNITY, 3, 1),
    ]
    assert (found.total(*UNIT_KINDS), found.without(*UNIT_KINDS)) == (6, 3)
    # The county reads its department's agreement with the neighbour's community as well.
    assert [(p.kind, p.agreements, p.communities, p.units) for p in found.pairs] == [
        (AgreementKind.CO_BUILDING, 3, 2, 3),
        (AgreementKind.PAIRED_ASSISTANCE, 1, 1, 1),
        (AgreementKind.JOINT_COMMITTEE, 0, 0, 0),
    ]
    assert ends(found) == {
        (None, "2026-11-20"): 1,
        ("2026-11-21", "2026-11-30"): 1,
        ("2026-12-01", "2026-12-31"): 1,
        ("2027-11-01", None): 1,
    }


def ends(found: Coverage) -> dict[tuple[str | None, str | None], int]:
    """Return the spans in which anything runs out."""
    return {
        (str(each.first) if each.first else None, str(each.last) if each.last else None): (
            each.agreements
        )
        for each in found.expiry
        if each.agreements
    }


def test_bodies_out_of_use_are_not_missed(
    session: Session, world: World, letters: dict[str, Agreement]
) -> None:
    world.place("A-U2").active = False
    session.flush()
    with acting_as(session, world.actor("party")):
        codes = {each.code for each in session.scalars(uncovered(session, K.UNIT))}
        found = coverage(session, TODAY)
    assert codes == set()
    assert found.total(K.UNIT) == 1


def test_what_runs_out_comes_in_order(
    session: Session, world: World, letters: dict[str, Agreement]
) -> None:
    with acting_as(session, world.actor("party")):
        found = session.scalars(running_out(TODAY + dt.timedelta(days=30))).all()
    assert found == [letters["late"], letters["far"], letters["twice"]]


@pytest.mark.parametrize(
    "day", [dt.date(2026, 11, 21), dt.date(2026, 1, 1), dt.date(2026, 12, 31), dt.date(2028, 2, 29)]
)
def test_spans_follow_each_other_without_gap_or_overlap(day: dt.date) -> None:
    found = spans(day)
    assert len(found) == 14
    assert found[0] == Span(None, day - dt.timedelta(days=1))
    assert found[-1].last is None
    for before, after in itertools.pairwise(found):
        assert before.last is not None
        assert after.first == before.last + dt.timedelta(days=1)
    months = {(each.first.year, each.first.month) for each in found[1:] if each.first}
    assert len(months) == 13


def test_who_looks_after_coverage(one_world: World) -> None:
    yes = {"admin", "office", "party", "township", "community", "inspector", "leader"}
    for account in (*yes, "unit", "handler", "duty", "returns", "auditor"):
        roles = one_world.actor(account).roles
        assert bool(looks_after(roles)) == (account in yes), account
