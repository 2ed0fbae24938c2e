"""The tree: lines, realms and names stay true through every insert, move and rename."""

from __future__ import annotations

import itertools
import threading

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationLine, OrganizationName
from models.organization import OrganizationKind as K
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid
from rules.organizations import PARENTS
from tests.conftest import Backend, session_factory
from tests.factories.world import PLACES, World


def made(world: World, code: str, kind: K, parent: str | None, name: str = "") -> Organization:
    """Add an organisation, unflushed."""
    found = Organization(
        code=code, name=name or code, kind=kind, parent=world.place(parent) if parent else None
    )
    world.session.add(found)
    return found


def tree(session: Session) -> dict[str, tuple[str, ...]]:
    """Return each organisation's line as the database has it, nearest first."""
    session.flush()
    session.expire_all()
    found = {}
    for each in session.scalars(select(Organization)):
        lines = sorted(each.lines, key=lambda line: line.depth)
        assert [line.depth for line in lines] == list(range(len(lines)))
        found[each.code] = tuple(line.ancestor.code for line in lines)
    return found


def walked(session: Session) -> dict[str, tuple[str, ...]]:
    """Return the same by walking from parent to parent."""
    found = {}
    for each in session.scalars(select(Organization)):
        line, above = [], each
        while above is not None:
            line.append(above.code)
            above = above.parent
        found[each.code] = tuple(line)
    return found


def realms(session: Session) -> dict[str, str | None]:
    return {
        each.code: each.realm.code if each.realm else None
        for each in session.scalars(select(Organization))
    }


def test_the_seeded_tree(session: Session, world: World) -> None:
    found = tree(session)
    assert found["A111"] == ("A111", "A11", "A1", "A")
    assert found["A1-PCS"] == ("A1-PCS", "A1", "A")
    assert found == walked(session)
    assert set(found) == {code for code, *_rest in PLACES}
    assert realms(session) == {code: code[0] for code in found}
    names = session.execute(
        select(Organization.code, OrganizationName.name, OrganizationName.is_alias).join(
            OrganizationName, OrganizationName.organization_id == Organization.id
        )
    ).all()
    assert {(code, name) for code, name, is_alias in names if not is_alias} == {
        (code, name) for code, name, *_rest in PLACES
    }
    assert [(code, name) for code, name, is_alias in names if is_alias] == [("A-D1", "住建局")]


def test_moving_a_subtree_takes_everything_below_along(session: Session, world: World) -> None:
    world.place("A1").parent = world.place("B")
    found = tree(session)
    assert found == walked(session)
    for code in ("A1", "A11", "A111", "A12", "A1-PCS"):
        assert found[code][-2:] == ("A1", "B")
        assert realms(session)[code] == "B"
    assert found["A21"] == ("A21", "A2", "A")
    of_names = select(OrganizationName.realm_id).join(
        Organization, Organization.id == OrganizationName.organization_id
    )
    moved = session.scalars(of_names.where(Organization.code == "A111")).all()
    assert moved == [world.place("B").id]


def test_a_parent_may_be_set_by_id(one_session: Session, one_world: World) -> None:
    one_world.place("A12").parent_id = one_world.place("A2").id
    assert tree(one_session)["A12"] == ("A12", "A2", "A")
    by_id = Organization(code="X", name="X", kind=K.GRID, parent_id=one_world.place("A12").id)
    one_session.add(by_id)
    assert tree(one_session)["X"] == ("X", "A12", "A2", "A")


def test_lines_that_stay_keep_their_rows(one_session: Session, one_world: World) -> None:
    def rows() -> dict[int, int]:
        line = OrganizationLine
        own = line.organization_id == one_world.place("A111").id
        found = one_session.execute(select(line.ancestor_id, line.id).where(own))
        return {ancestor_id: row for ancestor_id, row in found}  # noqa: C416 - rows are not pairs

    before = rows()
    one_world.place("A11").parent = one_world.place("A2")
    one_session.flush()
    after = rows()
    assert {each for each in after.items() if each in before.items()} == {
        (one_world.place(code).id, before[one_world.place(code).id])
        for code in ("A111", "A11", "A")
    }
    one_world.place("A11").phone = "0793-1"
    one_session.flush()
    assert rows() == after


MOVES = (("A12", "A2"), ("A2", "B"), ("A111", "A12"))


@pytest.mark.parametrize("order", list(itertools.permutations(MOVES)))
def test_several_moves_in_one_flush_in_any_order(
    one_session: Session, one_world: World, order: tuple[tuple[str, str], ...]
) -> None:
    with one_session.no_autoflush:
        for code, parent in order:
            one_world.place(code).parent = one_world.place(parent)
    found = tree(one_session)
    assert found == walked(one_session)
    assert found["A111"] == ("A111", "A12", "A2", "B")
    assert realms(one_session)["A111"] == "B"


def test_new_below_moved_and_moved_below_new(one_session: Session, one_world: World) -> None:
    """A new township with an old community in it, in a county that has just come under a city."""
    city = made(one_world, "C", K.CITY, None)
    township = made(one_world, "A3", K.TOWNSHIP, "A")
    one_world.place("A").parent = city
    one_world.place("A11").parent = township
    found = tree(one_session)
    assert found == walked(one_session)
    assert found["A111"] == ("A111", "A11", "A3", "A", "C")
    assert realms(one_session)["A111"] == "A"
    assert realms(one_session)["A"] == "A"


@pytest.mark.parametrize("kind", list(K))
@pytest.mark.parametrize("parent", [None, *K])
def test_what_may_hang_from_what(one_session: Session, kind: K, parent: K | None) -> None:
    """Domain section 2: territories in their order; departments, offices, branches and units."""
    chain = [K.CITY, K.COUNTY, K.TOWNSHIP, K.COMMUNITY, K.GRID]
    above = None
    if parent is not None:
        path = chain[: chain.index(parent) + 1] if parent in chain else _above(parent)
        for each in path:
            above = Organization(code=f"x-{each}", name=f"x-{each}", kind=each, parent=above)
            one_session.add(above)
        one_session.flush()
    one_session.add(Organization(code="new", name="新机构", kind=kind, parent=above))
    allowed = {
        K.CITY: {None},
        K.COUNTY: {None, K.CITY},
        K.TOWNSHIP: {K.COUNTY, K.CITY},
        K.COMMUNITY: {K.TOWNSHIP},
        K.GRID: {K.COMMUNITY},
        K.DEPARTMENT: {K.COUNTY, K.CITY},
        K.STATION: {K.TOWNSHIP},
        K.UNIT: {K.CITY, K.COUNTY, K.TOWNSHIP, K.COMMUNITY},
        K.COORDINATION_OFFICE: {K.COUNTY, K.CITY},
    }[kind]
    if parent in allowed:
        one_session.flush()
        return
    with pytest.raises(Invalid) as refusal:
        one_session.flush()
    assert "parent" in refusal.value.fields
    assert f"“新机构”是{kind.title}" in refusal.value.message


def _above(kind: K) -> list[K]:
    path = {K.STATION: [K.COUNTY, K.TOWNSHIP], K.UNIT: [K.COUNTY]}.get(kind, [K.COUNTY])
    return [*path, kind]


def test_every_kind_has_its_parents() -> None:
    assert set(PARENTS) == set(K)


@pytest.mark.parametrize("parent", ["A1", "A11", "A111"])
def test_nothing_hangs_from_itself_or_what_is_below(
    one_session: Session, one_world: World, parent: str
) -> None:
    one_world.place("A1").parent = one_world.place(parent)
    with pytest.raises(Invalid, match="不能挂在自己或自己的下级之下"):
        one_session.flush()
    one_session.rollback()
    assert tree(one_session)["A1"] == ("A1", "A")


def test_two_moves_may_not_close_a_circle(one_session: Session, one_world: World) -> None:
    with one_session.no_autoflush:
        one_world.place("A1").parent = one_world.place("A2")
        one_world.place("A2").parent = one_world.place("A1")
    with pytest.raises(Invalid, match="不能挂在自己或自己的下级之下"):
        one_session.flush()


def test_a_kind_that_does_not_fit_those_below_is_refused(
    one_session: Session, one_world: World
) -> None:
    one_world.place("A1").kind = K.DEPARTMENT
    with pytest.raises(Invalid) as refusal:
        one_session.flush()
    assert "“甲一镇”之下有" in refusal.value.fields["kind"]
    one_session.rollback()
    with one_session.no_autoflush:
        for code in ("A11", "A12"):
            one_world.place(code).parent = one_world.place("A2")
        station = one_world.place("A1-PCS")
        station.parent = one_world.place("A2")
        one_world.place("A1").kind = K.DEPARTMENT
    one_session.flush()
    assert one_world.place("A1").kind is K.DEPARTMENT


# Names and aliases


@pytest.mark.parametrize("name", ["甲县住建局", "住建局", "甲县"])
@pytest.mark.parametrize("as_alias", [False, True])
def test_a_name_or_alias_stands_for_one_body_of_a_county(
    one_session: Session, one_world: World, name: str, as_alias: bool
) -> None:
    one_session.commit()
    new = made(one_world, "A-D9", K.DEPARTMENT, "A", "甲县城管局" if as_alias else name)
    if as_alias:
        new.set_aliases(["城管", name])
    with pytest.raises(Invalid) as refusal:
        one_session.flush()
    other = "甲县" if name == "甲县" else "甲县住建局"
    assert refusal.value.fields["name"].startswith(f"名称或别名“{name}”与“{other}”（A")


def test_two_new_bodies_of_one_name_clash_before_the_database_says_so(
    one_session: Session, one_world: World
) -> None:
    made(one_world, "A-D8", K.DEPARTMENT, "A", "甲县水利局")
    made(one_world, "A-D9", K.DEPARTMENT, "A", "甲县水利局")
    with pytest.raises(Invalid, match="名称或别名“甲县水利局”"):
        one_session.flush()


def test_an_alias_that_repeats_the_bodys_own_name_is_refused(one_world: World) -> None:
    one_world.place("A-D2").set_aliases(["甲县执法局"])
    with pytest.raises(Invalid, match="名称或别名“甲县执法局”"):
        one_world.session.flush()


def test_the_same_name_and_alias_may_stand_in_another_county(
    session: Session, world: World
) -> None:
    made(world, "B-D9", K.DEPARTMENT, "B", "甲县执法局")
    world.place("B-D1").set_aliases(["住建局"])
    session.flush()
    rows = select(func.count(OrganizationName.id)).where(OrganizationName.name == "住建局")
    assert session.scalar(rows) == 2


def test_renaming_keeps_the_row_and_frees_the_old_name(
    one_session: Session, one_world: World
) -> None:
    department = one_world.place("A-D2")
    row = department.names[0].id
    department.name = "甲县综合执法局"
    one_session.flush()
    assert [(name.id, name.name) for name in department.names] == [(row, "甲县综合执法局")]
    made(one_world, "A-D9", K.DEPARTMENT, "A", "甲县执法局")
    one_session.flush()


def test_a_rename_onto_a_taken_name_is_refused(one_session: Session, one_world: World) -> None:
    one_world.place("A-D2").name = "住建局"
    with pytest.raises(Invalid, match="与“甲县住建局”（A-D1）重复"):
        one_session.flush()


def test_a_name_may_pass_to_another_in_one_flush(one_session: Session, one_world: World) -> None:
    """The former bearer lets go of it first."""
    one_world.place("A-D1").set_aliases([])
    one_session.flush()
    one_world.place("A-D2").set_aliases(["住建局"])
    one_session.flush()
    assert one_world.place("A-D2").aliases == ["住建局"]


def test_what_moves_to_a_county_where_its_name_is_taken_is_refused(
    session: Session, world: World
) -> None:
    """Even if it is only something below that moves along."""
    made(world, "B12", K.COMMUNITY, "B1", "甲一一社区第1网格")
    session.commit()
    world.place("A1").parent = world.place("B")
    with pytest.raises(Invalid, match="名称或别名“甲一一社区第1网格”"):
        session.flush()
    session.rollback()
    assert tree(session) == walked(session)


def test_aliases_are_kept_dropped_and_added_by_name(session: Session, world: World) -> None:
    department = world.place("A-D1")
    row = next(name.id for name in department.names if name.is_alias)
    department.set_aliases([" 住建局 ", "", "建设局", "建设局"])
    session.commit()
    assert department.aliases == ["住建局", "建设局"]
    assert row in {name.id for name in department.names}
    department.set_aliases(["建设局"])
    session.commit()
    assert department.aliases == ["建设局"]


@pytest.mark.parametrize("counties", ["AA", "AB"])
def test_the_database_itself_decides_between_two_at_once(backend: Backend, counties: str) -> None:
    """Both look before either has written: within a county one is refused, across both stand."""
    maker, barrier = session_factory(backend.app), threading.Barrier(2, timeout=20)
    outcome: list[str] = []

    def add(number: int, county: str) -> None:
        with maker() as session, acting_as(session, SYSTEM):
            world = World(session)
            made(world, f"{county}-N{number}", K.UNIT, county, "同名单位")
            # Held back until both have looked for a clash, and found none.
            event.listen(session, "before_flush", lambda *_each: barrier.wait(), once=True)
            try:
                session.commit()
                outcome.append("saved")
            except IntegrityError:
                session.rollback()
                outcome.append("refused")

    threads = [
        threading.Thread(target=add, args=(number, county))
        for number, county in enumerate(counties)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = ["refused", "saved"] if counties == "AA" else ["saved", "saved"]
    assert sorted(outcome) == expected
    with maker() as session, acting_as(session, SYSTEM):
        rows = select(func.count(OrganizationName.id)).where(OrganizationName.name == "同名单位")
        assert session.scalar(rows) == outcome.count("saved")
