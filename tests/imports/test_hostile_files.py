"""Hostile files end as a sentence, in time, in little memory, and nobody else has to wait for it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from imports.probe import LIMITS, WorkbookRefused
from imports.reader import Merge, Row, read
from tests.imports.books import ROOT, make_book
from tests.imports.hostile import HOSTILE, SHEET, book_with, repeated, sheet_xml, write_zip

_MEGABYTE = 1 << 20

# In a process of its own: the peaks of memory are then those of these files.
_MEASURE = """
import json, resource, sys
from pathlib import Path
from imports.probe import WorkbookRefused
from imports.reader import read
from tests.imports.hostile import HOSTILE
def peak(whose):
    return resource.getrusage(whose).ru_maxrss << 10
def spent():
    both = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
folder, found = Path(sys.argv[1]), {}
before = peak(resource.RUSAGE_SELF)
for name, (write, _words) in HOSTILE.items():
    path = write(folder / "hostile.xlsx")
    start = spent()
    try:
        answer = f"read {len(read(path))}"
    except WorkbookRefused as refused:
        answer = str(refused)
    found[name] = answer, spent() - start
grown = peak(resource.RUSAGE_SELF) - before
print(json.dumps([found, grown, peak(resource.RUSAGE_CHILDREN)]))
"""


def test_each_is_refused_with_its_sentence_in_time_and_memory(tmp_path: Path) -> None:
    """All of them one after the other: what one leaves behind would show in the next.

    Their time is the processor's, of which a busy machine gives less in a second.
    """
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    found, grown, child = json.loads(done.stdout)
    assert set(found) == set(HOSTILE)
    wrong = {
        name: answer
        for name, (answer, _seconds) in found.items()
        if not (answer.startswith("文件“hostile.xlsx”") and answer.endswith("。"))
        or HOSTILE[name][1] not in answer
    }
    assert wrong == {}
    slow = {name: seconds for name, (_answer, seconds) in found.items() if seconds > 10}
    assert slow == {}
    assert grown < 300 * _MEGABYTE
    assert child < 300 * _MEGABYTE


def test_others_are_answered_while_the_worst_is_read(tmp_path: Path) -> None:
    """Each turn of the other thread is a whole honest file, read to its end."""
    honest = make_book(tmp_path / "甲.xlsx", ("一", [["甲"]]))
    worst = HOSTILE["empty rows below"][0](tmp_path / "乙.xlsx")
    over = threading.Event()
    answered: list[int] = []

    def answer() -> None:
        while not over.is_set():
            answered.append(len(read(honest)))

    other = threading.Thread(target=answer)
    other.start()
    try:
        with pytest.raises(WorkbookRefused, match="还没有读完"):
            read(worst, limits=dataclasses.replace(LIMITS, seconds=2))
    finally:
        over.set()
        other.join()
    assert len(answered) > 5


class _Enough(Exception):
    pass


@pytest.mark.parametrize("name", ["empty rows below", "a giant cell"])
def test_reading_can_be_cancelled(tmp_path: Path, name: str) -> None:
    path = HOSTILE[name][0](tmp_path / "a.xlsx")
    calls: list[float] = []

    def watch() -> None:
        calls.append(time.monotonic())
        raise _Enough

    start = time.monotonic()
    with pytest.raises(_Enough):
        read(path, watch=watch)
    assert len(calls) == 1
    assert calls[0] - start < 5


def test_a_million_styled_empty_rows_are_read(tmp_path: Path) -> None:
    """Excel writes them when somebody gives whole columns a border."""
    head, tail = sheet_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c></row>|'
        '<row r="1048576" s="1" customFormat="1"><c r="A1048576" s="1"/></row>'
    ).split("|")
    row = '<row s="1" customFormat="1"><c s="1"/><c s="1"/><c s="1"/><c s="1"/></row>'
    path = book_with(tmp_path / "a.xlsx", {SHEET: repeated(head, row, 1_000_000, tail)})
    [sheet] = read(path)
    assert sheet.rows == [Row(1, ["甲"])]


def test_one_merge_over_the_whole_sheet_is_only_one_merge(tmp_path: Path) -> None:
    merge = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    row = '<row r="1"><c r="A1"><v>1</v></c></row>'
    [sheet] = read(book_with(tmp_path / "a.xlsx", {SHEET: sheet_xml(row, after=merge)}))
    assert sheet.merges == [Merge(1, 0, 1_048_576, 16_383)]


def test_a_bomb_inside_the_workbook_is_never_opened(tmp_path: Path) -> None:
    bomb = write_zip(tmp_path / "bomb.zip", {"0": repeated("", "0", 1 << 30, "")}).read_bytes()
    path = book_with(tmp_path / "a.xlsx", {"xl/embeddings/oleObject1.zip": bomb})
    [sheet] = read(path)
    assert len(sheet.rows) == 2


def test_path_names_in_the_zip_lead_nowhere(tmp_path: Path) -> None:
    """Parts with such names are passed over: nothing is ever unpacked to the disk."""
    folder = tmp_path / "uploads" / "1"
    folder.mkdir(parents=True)
    names = ["../../escaped.xml", "/var/escaped.xml", "..\\..\\escaped.xml", "C:\\escaped.xml"]
    path = book_with(folder / "a.xlsx", dict.fromkeys(names, "<x/>"))
    before = sorted(tmp_path.rglob("*"))
    [sheet] = read(path)
    assert len(sheet.rows) == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sheet_that_points_out_of_the_zip(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(sheet_xml('<row r="1"><c r="A1"><v>42</v></c></row>'), encoding="utf-8")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    link = f'<Relationship Id="rId1" Type="{kind}" Target="../../../../../..{secret}"/>'
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{link}</Relationships>"
    )
    path = book_with(tmp_path / "a.xlsx", {"xl/_rels/workbook.xml.rels": relations})
    with pytest.raises(WorkbookRefused):
        read(path)


def test_what_looks_like_a_formula_is_text_where_it_is_stored_as_text(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1"]
    cells = "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        for letter, text in zip("ABCDEF", texts, strict=True)
    )
    computed = '<c r="G1"><f>HYPERLINK("http://example.invalid")</f><v>7</v></c>'
    path = book_with(tmp_path / "a.xlsx", {SHEET: sheet_xml(f'<row r="1">{cells}{computed}</row>')})
    [sheet] = read(path)
    assert sheet.rows == [Row(1, [*texts, 7])]
    assert sheet.faults == []


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_truncated_old_workbook(tmp_path: Path, share: float) -> None:
    content = (ROOT / "tests" / "samples" / "formats" / "清水镇_基本清单.xls").read_bytes()
    path = tmp_path / "a.xls"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(WorkbookRefused):
        read(path)
