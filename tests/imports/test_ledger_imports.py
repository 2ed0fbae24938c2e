"""Importing the declared ledgers: upsert by key, the form's own rules, and all or nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.plan import RowState
from models.agreement import Agreement
from models.check_in import CheckIn
from models.imports import ImportBatch, ImportChange
from models.ledger import AuditEntry
from models.need import Need
from models.resource import Resource
from models.service import ServiceProject
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Invalid
from rules.ledger import events_of, faults
from tests.factories.world import World
from tests.imports.books import make_book
from tests.imports.conftest import session_beside
from tests.imports.ledgers import (
    CHILDREN,
    LEDGERS,
    PLAIN,
    SOUND,
    all_specs,
    change,
    counts,
    imported,
    planned,
    problems,
    sentence,
    sheet,
    spec_named,
)

#: A step that takes a record of each ledger out of the states in which it may be changed.
LOCKING = {
    "agreements": ("bring_into_force", "只有“草拟”的才能修改"),
    "resources": ("offer suspend", "只有“草拟”、“可用”的才能修改"),
    "needs": ("publish", "只有“征集”的才能修改"),
    "services": ("cancel", "只有“待接单”、“实施中”的才能修改"),
    "check-ins": ("decline", "的才能修改"),
}
#: A field of each ledger that may be changed, and its new value.
EDITS: dict[str, tuple[str, Any]] = {
    "agreements": ("objectives", "共同办好课后托管"),
    "resources": ("quantity", 5),
    "needs": ("detail", "每周两次"),
    "services": ("content", "看护和辅导"),
    "check-ins": ("post", "文明劝导岗"),
}


@pytest.fixture
def party(session: Session, world: World) -> Any:
    """A session that acts for the organisation department of county A."""
    with acting_as(session, world.actor("party")):
        yield session


@pytest.fixture
def sqlite_party(sqlite_session: Session) -> Any:
    """The same on SQLite alone."""
    with acting_as(sqlite_session, World(sqlite_session).actor("party")):
        yield sqlite_session


def only(session: Session, kind: str) -> Any:
    """Return the one record of a ledger."""
    return session.scalars(select(spec_named(kind).model)).one()


def test_there_are_five_ledgers_and_what_hangs_from_them() -> None:
    assert set(all_specs()) == {*LEDGERS, *CHILDREN, *PLAIN} == set(SOUND)


@pytest.mark.parametrize("kind", LEDGERS)
def test_new_changed_unchanged(party: Session, tmp_path: Path, kind: str) -> None:
    """A row makes a record in its first state; the same again does nothing; a change is one."""
    plan = planned(party, tmp_path, kind, SOUND[kind])
    assert (plan.errors, counts(plan)) == ([], (1, 0, 0, 0))
    batch = imported(party, tmp_path, kind, SOUND[kind])
    record = only(party, kind)
    table = workflow.workflow_of(type(record))
    assert table is not None
    assert record.status is table.initial
    events = events_of(party, record)
    assert [(each.action, each.note) for each in events] == [("create", f"导入“{kind}.xlsx”")]
    assert faults(events) == []
    assert batch.organization_id == World(party).place("A").id
    assert (batch.kind, batch.actor_name) == (kind, "party")

    plan = planned(party, tmp_path, kind, SOUND[kind])
    assert counts(plan) == (0, 0, 1, 0)
    assert not plan.differs
    assert apply(party, plan) is None

    name, value = EDITS[kind]
    version = record.version
    plan = planned(party, tmp_path, kind, change(kind, **{name: value}))
    [row] = plan.sheets[0].rows
    assert row.state is RowState.CHANGED
    [told] = row.changes
    assert (told.label, told.after) == (spec_named(kind).field(name).label, str(value))
    imported(party, tmp_path, kind, change(kind, **{name: value}))
    party.expire_all()
    assert only(party, kind).version == version + 1
    assert getattr(only(party, kind), name) == value
    assert len(events_of(party, record)) == 1, "an edit is no step"
    with acting_as(party, SYSTEM):
        edits = party.scalars(
            select(AuditEntry).where(
                AuditEntry.record_type == spec_named(kind).record_type,
                AuditEntry.record_id == record.id,
            )
        ).all()
    assert [each.action for each in edits] == ["create", "update"]
    assert list(edits[1].changes) == [name]


def test_values_reach_the_columns(sqlite_party: Session, tmp_path: Path) -> None:
    for kind in LEDGERS:
        imported(sqlite_party, tmp_path, kind, SOUND[kind])
    world = World(sqlite_party)
    agreement = sqlite_party.scalars(select(Agreement)).one()
    assert (agreement.community, agreement.unit) == (world.place("A11"), world.place("A-U1"))
    assert (agreement.valid_until, agreement.kind.title) == (dt.date(2026, 12, 31), "共驻共建")
    resource = sqlite_party.scalars(select(Resource)).one()
    assert [each.organization.code for each in resource.offers] == ["A11", "A12"]
    need = sqlite_party.scalars(select(Need)).one()
    assert (need.is_wish, need.beneficiary_count, need.urgency.value) == (True, 30, "normal")
    service = sqlite_party.scalars(select(ServiceProject)).one()
    assert str(service.funds) == "1234.50"
    check_in = sqlite_party.scalars(select(CheckIn)).one()
    assert (check_in.member, check_in.reported_on) == ("李强", dt.date(2026, 3, 1))


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_record_that_its_form_would_not_edit(party: Session, tmp_path: Path, kind: str) -> None:
    imported(party, tmp_path, kind, SOUND[kind])
    record = only(party, kind)
    steps, said = LOCKING[kind]
    with acting_as(party, SYSTEM):
        for step in steps.split():
            workflow.apply(party, record, step, SYSTEM, {"note": "原因"})
    party.commit()
    assert counts(planned(party, tmp_path, kind, SOUND[kind])) == (0, 0, 1, 0), "nothing to refuse"
    name, value = EDITS[kind]
    [problem] = problems(party, tmp_path, kind, change(kind, **{name: value}))
    assert f"已是“{record.status.title}”" in problem.message
    assert said in problem.message


def test_the_status_column_is_not_read(sqlite_party: Session, tmp_path: Path) -> None:
    for status in ("办理", "随便"):
        plan = planned(sqlite_party, tmp_path, "needs", change("needs", status=status))
        assert (plan.errors, plan.sheets[0].warnings) == ([], [])
    imported(sqlite_party, tmp_path, "needs", change("needs", status="办理"))
    assert only(sqlite_party, "needs").status.value == "gathered"


@pytest.mark.parametrize(
    ("kind", "values", "label", "said"),
    [
        ("agreements", {"valid_until": "2025-12-31"}, "到期日期", "到期日期应晚于生效日期"),
        ("agreements", {"unit": "甲一二社区"}, "乙方：驻区单位", "乙方应为驻区单位或部门"),
        ("resources", {"owner": "甲一一社区"}, "所属单位", "资源应属于驻区单位或部门"),
        ("resources", {"quantity": 0}, "数量", "数量应是 1 以上的整数"),
        ("resources", {"offers": "甲一镇"}, "提供给的社区", "提供范围应选村（社区）"),
        ("needs", {"community": "甲一镇"}, "所在社区", "所在社区应为村（社区）"),
        ("needs", {"wanted_until": "2026-02-01"}, "希望完成日期", "不应早于希望开始日期"),
        ("services", {"planned_until": "2026-07-01"}, "计划结束日期", "不应早于计划开始日期"),
        ("check-ins", {"reported_on": "2199-01-01"}, "报到日期", "报到日期不能晚于今天"),
    ],
)
def test_the_rules_of_the_form_hold(
    sqlite_party: Session, tmp_path: Path, kind: str, values: dict[str, Any], label: str, said: str
) -> None:
    found, _value, message = sentence(sqlite_party, tmp_path, kind, **values)
    assert found == label
    assert said in message


def test_a_changed_record_is_held_to_the_rules_as_it_would_become(
    sqlite_party: Session, tmp_path: Path
) -> None:
    """The file speaks of one end of the period only; the other stands in the record."""
    imported(sqlite_party, tmp_path, "needs", SOUND["needs"])
    row = {name: SOUND["needs"][name] for name in ("community", "title", "category")}
    [problem] = problems(sqlite_party, tmp_path, "needs", row | {"wanted_until": "2026-02-28"})
    assert "希望完成日期不应早于希望开始日期" in problem.message
    assert problems(sqlite_party, tmp_path, "needs", row | {"wanted_until": "2026-03-01"}) == []


def test_days_that_another_agreement_in_force_covers(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "agreements", SOUND["agreements"])
    with acting_as(party, SYSTEM):
        only_one = only(party, "agreements")
        only_one.valid_until = dt.date(2099, 12, 31)
        workflow.apply(party, only_one, "bring_into_force", SYSTEM)
    party.commit()
    rows = [
        change("agreements", number="二", valid_from="2099-12-31", valid_until="2100-12-31"),
        change("agreements", number="三", valid_from="2100-01-01", valid_until="2100-12-31"),
        change("agreements", number="四", unit="甲县医院"),
    ]
    [problem] = problems(party, tmp_path, "agreements", *rows)
    assert problem.cell == "E2"
    assert "已有生效的协议“甲党建〔2026〕1号”" in problem.message


def test_what_the_file_lacks_is_shown_and_kept(party: Session, tmp_path: Path) -> None:
    rows = [
        change("needs", title="一"),
        change("needs", title="二"),
        change("needs", title="三", community="甲一二社区"),
    ]
    imported(party, tmp_path, "needs", *rows)
    plan = planned(party, tmp_path, "needs", rows[0], change("needs", title="四"))
    assert counts(plan) == (1, 0, 1, 1)
    assert [each.title for each in plan.sheets[0].missing] == ["二"], "others' are not asked for"
    apply(party, plan)
    party.commit()
    assert party.scalar(select(func.count(Need.id))) == 4


def test_one_error_and_nothing_is_written(party: Session, tmp_path: Path) -> None:
    rows = [change("needs", title=f"需求{n}") for n in range(5)]
    plan = planned(party, tmp_path, "needs", *rows, change("needs", category="场所"))
    with pytest.raises(Invalid, match="1 处错误"):
        apply(party, plan)
    party.rollback()
    assert party.scalar(select(func.count(Need.id))) == 0
    assert party.scalar(select(func.count(ImportBatch.id))) == 0


def test_somebody_was_faster(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "needs", SOUND["needs"])
    path = sheet(tmp_path, "needs", change("needs", detail="一"), change("needs", title="新"))
    plan = preview(party, "needs", path)
    with session_beside(party) as other:
        record = other.scalars(select(Need)).one()
        record.detail = "二"
        other.commit()
    with pytest.raises(Conflict, match="重新预览"):
        apply(party, plan)
    party.rollback()
    assert preview(party, "needs", path).token != plan.token
    assert party.scalar(select(func.count(Need.id))) == 1


def test_the_same_new_row_twice_at_once(party: Session, tmp_path: Path) -> None:
    plan = planned(party, tmp_path, "needs", SOUND["needs"])
    with session_beside(party) as other:
        assert apply(other, planned(other, tmp_path, "needs", SOUND["needs"])) is not None
        other.commit()
    with pytest.raises(Conflict, match="重新预览"):
        apply(party, plan)
    party.rollback()
    assert party.scalar(select(func.count(Need.id))) == 1


def test_a_batch_keeps_what_was_and_what_became(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "resources", SOUND["resources"])
    batch = imported(
        party, tmp_path, "resources", change("resources", quantity=3, offers="甲一一社区")
    )
    [changed] = batch.changes
    world = World(party)
    ids = {code: world.place(code).id for code in ("A11", "A12")}
    assert changed.before == {"quantity": 2, "offers": sorted(ids.values())}
    assert changed.after == {"quantity": 3, "offers": [ids["A11"]]}
    assert (changed.cell, changed.title) == ("共治资源!D2、E2", "报告厅")
    record = only(party, "resources")
    assert changed.row_version == record.version
    assert [each.organization_id for each in record.offers] == [ids["A11"]]


def test_an_organisation_out_of_use_takes_nothing_new(
    sqlite_party: Session, tmp_path: Path
) -> None:
    imported(sqlite_party, tmp_path, "needs", SOUND["needs"])
    with acting_as(sqlite_party, SYSTEM):
        World(sqlite_party).place("A11").active = False
        sqlite_party.commit()
    assert counts(planned(sqlite_party, tmp_path, "needs", SOUND["needs"])) == (0, 0, 1, 0)
    assert problems(sqlite_party, tmp_path, "needs", change("needs", detail="一")) == []
    found = sentence(sqlite_party, tmp_path, "needs", title="新")
    assert found == ("所在社区", "甲一一社区", "“甲一一社区”已停用，请改为在用的机构。")


def test_small_wishes_may_head_their_own_column(sqlite_party: Session, tmp_path: Path) -> None:
    """微心愿 says whether a need is one, unless it is the only name that the sheet has."""
    rows = [["村社区", "微心愿", "类别"], ["甲一一社区", "一个书包", "物资"]]
    path = make_book(tmp_path / "心愿.xlsx", ("微心愿", rows))
    plan = preview(sqlite_party, "needs", path)
    assert (plan.errors, plan.sheets[0].rows[0].title) == ([], "一个书包")


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_sheet_of_another_ledger_is_named(
    sqlite_party: Session, tmp_path: Path, kind: str
) -> None:
    path = sheet(tmp_path, kind, SOUND[kind])
    for other in LEDGERS:
        if other != kind:
            [problem, *_more] = preview(sqlite_party, other, path).errors
            named = f"这张表是“{spec_named(kind).label}”" in problem.message
            assert named or "没有找到" in problem.message, (kind, other, problem)
            assert spec_named(other).label in problem.message or "这一列" in problem.message


def test_rows_may_begin_as_notes_and_totals_do(sqlite_party: Session, tmp_path: Path) -> None:
    """Whoever calls an agreement so still finds it again; a line below the list is left out."""
    numbers = ["合计：一", "备注：二", "※ 三", "一、四"]
    rows = [change("agreements", number=number) for number in numbers]
    path = sheet(tmp_path, "agreements", *rows, {"number": "合计", "kind": "4 份"})
    plan = preview(sqlite_party, "agreements", path)
    assert ([row.title for row in plan.sheets[0].rows], plan.errors) == (numbers, [])


def test_many_rows_cost_few_statements(sqlite_party: Session, tmp_path: Path) -> None:
    """What is looked up is looked up by the slice; written is what differs."""
    sent: list[str] = []

    def record(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(sqlite_party.get_bind(), "before_cursor_execute", record)
    numbers = []
    for size in (3, 60):
        for kind in LEDGERS:
            key = spec_named(kind).key[-1]
            rows = [change(kind, **{key: f"{size}-{n}"}) for n in range(size)]
            path = sheet(tmp_path, kind, *rows)
            sent.clear()
            plan = preview(sqlite_party, kind, path)
            assert plan.errors == []
            numbers.append(len(sent))
            sent.clear()
            apply(sqlite_party, plan)
            asked = [each for each in sent if each.startswith("SELECT")]
            numbers.append(len(asked))
            sqlite_party.commit()
            sent.clear()
            assert not preview(sqlite_party, kind, path).differs
            numbers.append(len(sent))
    few, many = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
    assert max(few) <= 14, few
    assert all(b <= a + 1 for a, b in zip(few, many, strict=True)), (few, many)
    event.remove(sqlite_party.get_bind(), "before_cursor_execute", record)


def test_changes_of_a_batch_are_one_each(sqlite_party: Session, tmp_path: Path) -> None:
    rows = [change("needs", title=f"需求{n}") for n in range(3)]
    imported(sqlite_party, tmp_path, "needs", *rows)
    batch = imported(sqlite_party, tmp_path, "needs", *rows, change("needs", title="新"))
    told = sqlite_party.scalars(
        select(ImportChange.title).where(ImportChange.batch_id == batch.id)
    ).all()
    assert told == ["新"]
