"""A bulletin says what the measures say: in words, tables, pictures and numbers, whatever its template."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from docx.oxml.ns import qn
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from bench.timing import statements
from jobs.bulletins import reader_of
from models.organization import Organization, OrganizationKind
from presets.bulletin import BLOCKS, MONTHLY_BULLETIN, build
from reports import raster
from reports.bulletin_book import book
from reports.bulletin_figures import (
    BY_BODY,
    MONTHS,
    WHOLE,
    compared,
    figures,
    period_of,
    said,
    title_of,
)
from reports.bulletins import FIELDS, NO_FONT, NOTHING, PURPOSE, on_time, texts, trend
from reports.letter_templates import check_template
from reports.measures import Dimension, Question, ask, measure, total
from rules.actor import acting_as
from tests.factories.bulletins import MONTH, NOW, counted, saved
from tests.factories.world import World
from tests.reports.bulletin_words import of_month, some, table_of, told, written
from tests.reports.test_measures import invented, keep, tickets

# Figures


def test_figures_are_those_of_the_measures(one_session: Session, one_world: World) -> None:
    keep(one_session, invented(one_world, random.Random(7), tickets(one_world, 60)))
    place = one_world.place("A")
    found, only = of_month(one_world), {Dimension.COUNTY: place.id}
    asked = Question(period_of(MONTH), filters=only)
    assert found.values == total(one_session, asked, WHOLE, NOW)
    assert found.before == total(one_session, asked.before(), WHOLE, NOW)
    assert found.last_year == total(one_session, asked.last_year(), WHOLE, NOW)
    for lines, dimension in (
        (found.departments, Dimension.DEPARTMENT),
        (found.places, Dimension.TOWNSHIP),
        (found.matters, Dimension.MATTER),
    ):
        whole = ask(one_session, Question(period_of(MONTH), dimension, None, only), BY_BODY, NOW)
        known = {each.key: each.values for each in whole}
        assert lines, dimension
        assert all(each.values == known[each.key] for each in lines), dimension
    busy = [each.values["dispatched"].part or 0 for each in found.departments]
    assert busy == sorted(busy, reverse=True)
    assert found.values["raised"].part


def test_each_county_has_its_own(one_world: World) -> None:
    some(one_world)
    assert of_month(one_world).values["raised"].part == 5
    assert of_month(one_world, place="B").values["raised"].part == 1


def test_months_without_tickets_are_no_gap(one_world: World) -> None:
    some(one_world)
    found = of_month(one_world)
    assert [each.key for each in found.months] == [202605, 202606, 202607, 202608, 202609, MONTH]
    assert [each.values["dispatched"].part for each in found.months] == [0, 0, 0, 0, 2, 4]
    assert trend(found).labels == ["5月", "6月", "7月", "8月", "9月", "10月"]
    winter = of_month(one_world, 202602)
    assert winter.months[0].key == 202509
    assert len(winter.months) == MONTHS


def test_a_city_counts_its_own_counties_and_no_other_citys(
    one_session: Session, one_world: World
) -> None:
    some(one_world)
    city = Organization(code="S", name="某市", kind=OrganizationKind.CITY)
    one_session.add(city)
    one_session.flush()
    one_world.place("A").parent = city
    one_session.flush()
    one_session.expire_all()
    with acting_as(one_session, reader_of(city)):
        found = figures(one_session, city, MONTH, NOW)
    assert found.values["raised"].part == 5
    assert [each.title for each in found.places] == ["甲县"]
    assert table_of(written(found), "县（市、区）")[1][:2] == ["甲县", "4"]


def test_the_statements_are_few_however_many_tickets(
    one_session: Session, one_world: World
) -> None:
    counts = []
    for number in (3, 40):
        keep(one_session, invented(one_world, random.Random(5), tickets(one_world, number)))
        one_session.commit()
        with statements(one_session.get_bind().engine) as sent:
            of_month(one_world)
        counts.append(len(sent))
    assert max(counts) <= 20, counts
    assert abs(counts[0] - counts[1]) <= 4, "names are asked for where there are any"


# Sentences


def test_a_month_is_compared_in_words(one_world: World) -> None:
    some(one_world)
    said_ = texts(of_month(one_world), title="t", issue=1, remarks=None)
    assert said_["与上月比较"] == (
        "与上月相比，派单数增加 2 件，办结率上升 50.0 个百分点，按期办结率下降 50.0 个百分点。"
    )
    assert said_["与去年同期比较"] == (
        "与去年同期相比，派单数增加 3 件，办结率上升 100.0 个百分点，满意度上升 25.0 个百分点。"
    )
    assert said_["统计期间"] == "2026年10月1日至2026年10月31日"
    assert (said_["派单数"], said_["办结率"], said_["报到率"]) == ("4", "100.0%", "—")


def test_what_is_the_same_to_a_tenth_is_the_same(one_world: World) -> None:
    some(one_world)
    found = of_month(one_world)
    assert compared("上月", found.values, found.values) == (
        "与上月相比，派单数持平，办结率持平，按期办结率持平，满意度持平。"
    )


def test_nothing_is_compared_with_nothing_nor_a_month_that_still_runs(one_world: World) -> None:
    counted(one_world, {"day": "2026-11-03"}, {"day": "2026-10-03", "closed": True})
    october = texts(of_month(one_world), title="t", issue=1, remarks=None)
    assert (october["与上月比较"], october["与去年同期比较"]) == ("", "")
    november = texts(of_month(one_world, 202611), title="t", issue=1, remarks=None)
    assert november["与上月比较"] == ""
    assert november["统计期间"] == "2026年11月1日至2026年11月22日"


def test_a_month_without_tickets_divides_by_nothing(one_world: World) -> None:
    counted(one_world)
    found = of_month(one_world)
    assert {said(each, found.values[each.code]) for each in WHOLE} == {"0", "—"}
    assert on_time(found).empty
    assert {number for each in trend(found).series for number in each.numbers} == {0}
    word = written(found)
    assert told(word).count(NOTHING) == 3
    assert word.tables == []
    assert load_workbook(io.BytesIO(book(found)))["总体情况"]["B2"].value == 0


@pytest.mark.parametrize("month", [0, 202600, 202613])
def test_what_is_no_month_is_refused(month: int) -> None:
    with pytest.raises(ValueError, match=r"month|year"):
        period_of(month)


# The document


def test_the_template_in_the_package_is_the_one_that_is_built() -> None:
    """Who changes the one makes the other anew: ``python -m presets.bulletin``."""

    def body(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return parts.read("word/document.xml")

    assert body(saved(build())) == body(MONTHLY_BULLETIN.read_bytes())
    check_template("自带.docx", MONTHLY_BULLETIN.read_bytes(), PURPOSE)


def test_every_field_is_a_name_that_templates_may_hold(one_world: World) -> None:
    counted(one_world)
    assert all(each.isidentifier() for each in FIELDS)
    plain = texts(of_month(one_world), title="t", issue=1, remarks=None)
    assert {*plain, *BLOCKS} == set(FIELDS)


def test_the_tables_say_what_the_measures_say(one_world: World) -> None:
    some(one_world)
    word = written(of_month(one_world), remarks="第一条\n第二条 <b>&")
    lines = told(word)
    assert lines[:2] == ["十月通报", "2026年第 3 期"]
    assert any("共吹哨 5 件，派单 4 件，销号 4 件，办结率 100.0%" in each for each in lines)
    assert "第一条\n第二条 <b>&" in lines
    assert lines[-1] == "甲县\u3000\u30002026年11月22日"
    heads = ["派单数", "响应率", "按期办结率", "退单率", "满意度"]
    assert table_of(word, "承办单位") == [
        ["承办单位", *heads, "评价得分", "排名"],
        ["甲县住建局", "3", "—", "66.7%", "33.3%", "—", "—", "—"],
        ["甲县执法局", "1", "—", "0.0%", "0.0%", "75.0%", "—", "—"],
    ]
    assert table_of(word, "乡镇（街道）") == [
        ["乡镇（街道）", *heads],
        ["甲一镇", "3", "—", "33.3%", "33.3%", "75.0%"],
        ["甲二镇", "1", "—", "100.0%", "0.0%", "—"],
    ]
    assert [row[:2] for row in table_of(word, "履职事项")] == [
        ["履职事项", "派单数"],
        ["路灯", "3"],
        ["井盖", "1"],
    ]


def test_pictures_are_told_to_who_cannot_see_them(
    one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "can_write", lambda: True)
    some(one_world)
    word = written(of_month(one_world))
    told_of = [each.get("descr") for each in word.element.body.iter(qn("wp:docPr"))]
    assert len(told_of) == 2
    assert told_of[0].startswith("最近六个月派单和销号（件）：")
    assert "各承办单位按期办结率（%）" in told(word)


def test_without_a_chinese_font_the_tables_stand_alone(
    one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "can_write", lambda: False)
    some(one_world)
    word = written(of_month(one_world))
    assert told(word).count(NO_FONT) == 2
    assert len(word.inline_shapes) == 0
    assert len(word.tables) == 3


# Names and numbers


def test_it_is_named_after_place_and_month() -> None:
    assert title_of("甲县", 202603) == "甲县2026年3月吹哨报到工作情况通报"


def test_the_workbook_holds_numbers(one_world: World) -> None:
    some(one_world)
    found = of_month(one_world)
    sheets = load_workbook(io.BytesIO(book(found)))
    assert sheets.sheetnames == [
        "总体情况", "承办单位", "属地", "集中事项", "逐月", "评价得分", "口径",
    ]  # fmt: skip
    heads, *rows = sheets["总体情况"].iter_rows(values_only=True)
    assert heads == ("期间", *(each.title for each in WHOLE))
    for row, values in zip(rows, (found.values, found.before, found.last_year), strict=True):
        for number, each in zip(row[1:], WHOLE, strict=True):
            want = values[each.code].value
            scale = 1 if each.unit.value == "count" else 100
            assert number == (None if want is None else pytest.approx(float(want) / scale))
    share = sheets["承办单位"]["D2"]
    assert (share.value, share.number_format) == (pytest.approx(2 / 3), "0.0%")
    assert [c.value for c in sheets["属地"]["A"]][1:] == ["甲一镇", "甲二镇"]
    assert list(sheets["逐月"].iter_rows(values_only=True))[-1] == ("202610", 4, 4)
    meanings = list(sheets["口径"].iter_rows(values_only=True))
    assert ("派单数", measure("dispatched").meaning) in meanings
