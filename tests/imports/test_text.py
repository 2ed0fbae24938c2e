"""Cells as text: what is trimmed, what is kept, what counts as a number or as nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from imports.text import (
    cell_ref,
    clean,
    heading_key,
    is_blank,
    name_key,
    one_line,
    ordinal,
    split_names,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (12.0, "12"),
        (0.5, "0.5"),
        (640199100201.0, "640199100201"),
        (float("inf"), ""),
        (float("nan"), ""),
        (True, "是"),
        (dt.date(2025, 6, 1), "2025-06-01"),
        (dt.datetime(2025, 6, 1, 14, 5), "2025-06-01 14:05"),  # noqa: DTZ001 - a cell has no zone
        (dt.time(14, 5), "14:05"),
        ("\u3000县公安局 \u200b", "县公安局"),
        ("一 \r\n 二_x000D_\n三", "一\n二\n三"),
        ("县\x00公安局", "县公安局"),
        ("１２楼", "１２楼"),
    ],
)
def test_clean(value: object, text: str) -> None:
    assert clean(value) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (12.0, 12), ("１２", 12), ("12.", 12), ("（12）", 12), ("3、", 3), ("1.0", 1)],
)
def test_ordinal_reads_numbers_however_written(value: object, number: int) -> None:
    assert ordinal(value) == number  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["十五", "", None, True, 1.5, "A1", "1-2"])
def test_ordinal_refuses_what_is_no_running_number(value: object) -> None:
    assert ordinal(value) is None  # type: ignore[arg-type]


def test_heading_key_ignores_what_townships_vary() -> None:
    assert heading_key("序 号") == heading_key("序\n号") == "序号"
    assert heading_key("乡镇（街道）\n配合职责：") == heading_key("乡镇(街道)配合职责")
    assert heading_key("ＮＯ．") == "no"


def test_name_key_ignores_blanks_and_width() -> None:
    assert name_key("县 教 育 局（本级）") == name_key("县教育局(本级)")


@pytest.mark.parametrize(
    "text",
    [
        "县教育局\n县公安局",
        "县教育局、县公安局",
        "县教育局；县公安局",
        "县教育局，县公安局",
        "县教育局,县公安局",
        "县教育局 县公安局",
        "县教育局、\n县公安局、县教育局",
    ],
)
def test_split_names(text: str) -> None:
    assert split_names(text) == ["县教育局", "县公安局"]


def test_split_names_keeps_brackets_whole_and_drops_nothings() -> None:
    assert split_names("县委组织部（县委编办、老干局）、无") == ["县委组织部（县委编办、老干局）"]
    assert split_names("县教育局（未闭合\n县公安局") == ["县教育局（未闭合", "县公安局"]
    assert split_names("") == []


def test_blanks() -> None:
    assert all(is_blank(text) for text in ("", "无", "/", "—"))
    assert not is_blank("无人机管理")


def test_one_line() -> None:
    assert one_line("开展城乡居民\n医疗保险\nABC\nDEF") == "开展城乡居民医疗保险ABC DEF"


def test_cell_ref() -> None:
    assert [cell_ref(13, 1), cell_ref(1, 26), cell_ref(1048576, 16383)] == [
        "B13",
        "AA1",
        "XFD1048576",
    ]
