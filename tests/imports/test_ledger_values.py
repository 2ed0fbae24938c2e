"""Each kind of value in a cell: what is understood, and the sentence for what is not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.kinds import READERS, Unreadable, as_read, live, plain
from imports.specs import ledger
from imports.specs.base import Field, Kind
from imports.specs.services import SESSIONS
from models.need import Need
from models.organization import Organization
from models.service import ServiceProject
from rules.actor import acting_as
from tests.factories.world import World
from tests.imports.ledgers import (
    CHILDREN,
    LEDGERS,
    change,
    imported,
    planned,
    problems,
    sentence,
    spec_named,
)


@pytest.fixture
def party(sqlite_session: Session) -> Any:
    """A session that acts for the organisation department of county A."""
    with acting_as(sqlite_session, World(sqlite_session).actor("party")):
        yield sqlite_session


def value(session: Session, folder: Path, kind: str, name: str, cell: Any) -> Any:
    """Return what a field would be set to by a cell."""
    plan = planned(session, folder, kind, change(kind, **{name: cell}))
    assert plan.errors == []
    return plan.sheets[0].rows[0].item.values.get(name)


@pytest.mark.parametrize(
    "cell",
    [
        dt.date(2026, 11, 21),
        dt.datetime.fromisoformat("2026-11-21"),
        "2026-11-21",
        "2026/11/21",
        "2026年11月21日",
        "2026.11.21",
        "2026－11－21",
        "２０２６-11-21",
        " 2026 年 11 月 21 日 ",
        "20261121",
        "2026-11-21 00:00:00",
    ],
)
def test_dates_in_all_the_ways_people_write_them(party: Session, tmp_path: Path, cell: Any) -> None:
    assert value(party, tmp_path, "needs", "wanted_until", cell) == "2026-11-21"


@pytest.mark.parametrize("cell", ["2026-13-01", "2026年11月", "明天", "2026-2-30", 46347, "46347"])
def test_what_is_no_date(party: Session, tmp_path: Path, cell: Any) -> None:
    label, shown, message = sentence(party, tmp_path, "needs", wanted_until=cell)
    assert (label, shown) == ("希望完成日期", str(cell))
    assert message.startswith("“希望完成日期”不是日期，请写成 2026-11-21")


@pytest.mark.parametrize(
    ("cell", "number"), [(30, 30), (30.0, 30), ("30", 30), ("３０", 30), ("1,200", 1200)]
)
def test_whole_numbers(party: Session, tmp_path: Path, cell: Any, number: int) -> None:
    assert value(party, tmp_path, "needs", "beneficiary_count", cell) == number


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("三十", "应是整数"),
        ("30人", "应是整数"),
        (3.5, "应是整数"),
        ("9" * 12, "太大"),
        (-3, "0 以上"),
    ],
)
def test_what_is_no_whole_number(party: Session, tmp_path: Path, cell: Any, said: str) -> None:
    label, _shown, message = sentence(party, tmp_path, "needs", beneficiary_count=cell)
    assert label == "受益人数"
    assert said in message


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("1,234.50", "1234.50"), (3, "3.00"), (0.1 + 0.2, "0.30"), ("８００", "800.00")],
)
def test_amounts(party: Session, tmp_path: Path, cell: Any, amount: str) -> None:
    assert value(party, tmp_path, "services", "funds", cell) == amount


@pytest.mark.parametrize(
    ("cell", "said"),
    [("三千元", "应是数字"), ("1.234", "最多 2 位小数"), ("1" * 11, "最多 10 位"), (-1, "0 以上")],
)
def test_what_is_no_amount(party: Session, tmp_path: Path, cell: Any, said: str) -> None:
    label, _shown, message = sentence(party, tmp_path, "services", funds=cell)
    assert label == "经费（元）"
    assert said in message


@pytest.mark.parametrize(
    ("cell", "flag"),
    [
        ("是", True),
        ("√", True),
        (True, True),
        (1, True),
        ("否", False),
        ("无", False),
        ("×", False),
    ],
)
def test_yes_and_no(party: Session, tmp_path: Path, cell: Any, flag: bool) -> None:
    assert value(party, tmp_path, "needs", "is_wish", cell) is flag


def test_neither_yes_nor_no(party: Session, tmp_path: Path) -> None:
    assert sentence(party, tmp_path, "needs", is_wish="也许") == (
        "微心愿",
        "也许",
        "“微心愿”请填“是”或“否”。",
    )


def test_a_title_that_is_none_of_the_titles(party: Session, tmp_path: Path) -> None:
    assert value(party, tmp_path, "needs", "category", " 场 地 ") == "venue"
    label, shown, message = sentence(party, tmp_path, "needs", category="场所")
    assert (label, shown) == ("需求类别", "场所")
    assert message.endswith("可以填：场地、人才、技术、设备、资金、物资、服务。")


def test_times() -> None:
    """Sessions are exported only; what reads their times is tried by itself."""
    field = SESSIONS.field("starts_at")
    assert field.kind is Kind.TIME
    read = READERS[Kind.TIME]
    for cell in (
        dt.time(9, 30),
        "9:30",
        "09：30",
        "9点30分",
        dt.datetime.fromisoformat("1899-12-31T09:30"),
    ):
        assert read(field, str(cell), cell) == "09:30", cell
    assert read(field, "9点", "9点") == "09:00"
    assert live(field, "09:30", None) == dt.time(9, 30)
    assert plain(field, dt.time(9, 30)) == "09:30"
    for wrong in ("25:00", "早上", "9.5"):
        with pytest.raises(Unreadable, match="“开始时间”不是时间，请写成 14:05"):
            read(field, wrong, wrong)


def test_organisations_by_name_alias_and_code(party: Session, tmp_path: Path) -> None:
    found = {
        value(party, tmp_path, "agreements", "unit", cell)
        for cell in (
            "甲县住建局",
            "住建局",
            "A-D1",
            "甲县 住建局",
            "住建局（A-D1）",
            "甲县住建局(A-D1)",
        )
    }
    assert found == {World(party).place("A-D1").id}
    several = value(party, tmp_path, "resources", "offers", "甲一一社区、A12\n甲二一社区；A12")
    assert several == sorted(World(party).place(code).id for code in ("A11", "A12", "A21"))


@pytest.mark.parametrize("cell", ["甲一一社", "甲一一社区（B11）"])
def test_nobody_goes_by_that_name(party: Session, tmp_path: Path, cell: str) -> None:
    label, shown, message = sentence(party, tmp_path, "needs", community=cell)
    assert (label, shown) == ("所在社区", cell)
    assert message.startswith(f"没有找到机构“{cell}”，相近的有：甲一一社区、")
    assert "乙" not in message


def test_a_name_that_two_go_by(sqlite_session: Session, tmp_path: Path) -> None:
    """The administrator reaches two counties, and names are told apart within one only."""
    world = World(sqlite_session)
    kind = world.place("A11").kind
    for code, parent in (("A13", "A1"), ("B13", "B1")):
        sqlite_session.add(
            Organization(code=code, name="和平社区", kind=kind, parent=world.place(parent))
        )
    sqlite_session.commit()
    with acting_as(sqlite_session, world.actor("admin")):
        _label, _shown, message = sentence(sqlite_session, tmp_path, "needs", community="和平社区")
        assert message == "有 2 个机构叫“和平社区”（代码：A13、B13），请改填机构代码。"
        for cell in ("B13", "和平社区（B13）"):
            found = value(sqlite_session, tmp_path, "needs", "community", cell)
            assert found == world.place("B13").id
    with acting_as(sqlite_session, world.actor("party")):
        found = value(sqlite_session, tmp_path, "needs", "community", "和平社区")
        assert found == world.place("A13").id


@pytest.mark.parametrize("kind", [*LEDGERS, *CHILDREN])
def test_what_must_be_filled_is_missed_by_cell(party: Session, tmp_path: Path, kind: str) -> None:
    spec = spec_named(kind)
    needed = [each for each in spec.fields if each.required]
    assert {each.name for each in needed} >= set(spec.key)
    for each in needed:
        label, shown, message = sentence(party, tmp_path, kind, **{each.name: None})
        assert (label, shown) == (each.label, "")
        assert message == f"“{each.label}”没有填写，请补上。"


def test_texts_keep_to_their_columns(party: Session, tmp_path: Path) -> None:
    label, _shown, message = sentence(party, tmp_path, "needs", contact="字" * 41)
    assert (label, message) == ("联系人", "“联系人”有 41 个字，最多 40 个字，请缩短。")
    _label, _shown, message = sentence(party, tmp_path, "needs", detail="字" * 5001)
    assert "最多 5000 个字" in message


def test_an_empty_cell_clears_what_may_be_empty_and_leaves_the_rest(
    party: Session, tmp_path: Path
) -> None:
    imported(party, tmp_path, "needs", change("needs", urgency="紧急", detail="细节", contact="王"))
    emptied = change("needs", urgency=None, detail="无", contact=None, is_wish="")
    imported(party, tmp_path, "needs", emptied)
    need = party.scalars(select(Need)).one()
    assert (need.detail, need.contact) == (None, None)
    assert (need.urgency.value, need.is_wish) == ("urgent", True)


def test_defaults_are_the_models(party: Session, tmp_path: Path) -> None:
    row = change("services", category=None)
    imported(party, tmp_path, "services", row)
    service = party.scalars(select(ServiceProject)).one()
    assert (service.category.title, service.status.value) == ("服务", "planned")


def test_several_faults_of_a_file_are_told_in_order(party: Session, tmp_path: Path) -> None:
    rows = [
        change("needs", title="一", category="场所"),
        change("needs", title="二"),
        change("needs", title="二"),
        change("needs", community="乙一一社区", title="三", is_wish="也许"),
    ]
    found = problems(party, tmp_path, "needs", *rows)
    assert [problem.cell for problem in found] == ["C2", "B4", "D5"]
    assert found[1].message == "“所在社区、需求名称”与 B3 重复，请删去其中一项或改正。"


@pytest.mark.parametrize("text", ["无", "—", "a\u200bb", " 两端 ", "一\n二", "#N/A"])
def test_what_no_cell_can_say_is_read_as_it_would_be(text: str) -> None:
    spec = ledger("needs")
    assert spec is not None
    one_liner, paragraph = spec.field("contact"), spec.field("detail")
    assert as_read(one_liner, text) in (None, "ab", "两端", "一二")
    assert as_read(paragraph, text) in (None, "ab", "两端", "一\n二")
    assert as_read(Field("n", "数", Kind.INTEGER), 3) == 3
