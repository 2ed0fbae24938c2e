"""Whatever stands in a grid comes back; whatever is done to a file's bytes, it ends in a sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from imports.probe import LIMITS, WorkbookRefused
from imports.reader import Sheet, read
from tests.imports.books import MESSY, ROOT, THREE_LISTS
from tests.imports.hostile import ods_with, write_zip

# Few and always the same: each example starts a process.
FEW = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
XLS = ROOT / "tests" / "samples" / "formats" / "清水镇_基本清单.xls"
XLSX = MESSY / "红旗街道_配合清单_类别竖向合并.xlsx"
ODS_ROW = (
    '<table:table-row><table:table-cell office:value-type="string" '
    'table:number-columns-repeated="3"><text:p>甲</text:p></table:table-cell>'
    '<table:table-cell table:formula="of:=1/0"/></table:table-row>'
)

_LETTERS = st.characters(
    codec="utf-8", categories=("L", "N", "P", "S", "Z"), include_characters="\n\t"
)
_TEXTS = st.one_of(
    st.text("一乙丙丁甲乡镇街道（）、；。 \n", min_size=1, max_size=20),
    st.text(_LETTERS, min_size=1, max_size=20),
    st.sampled_from(["12", "１２．", "#N/A ", "是", "true", "<c>&amp;</c>", "]]>", "{}", "a\tb"]),
)
_VALUES = st.one_of(
    st.none(),
    _TEXTS,
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(dt.date(1900, 3, 1), dt.date(2999, 12, 31)),
    st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2999, 12, 31)),  # noqa: DTZ001 - as in a cell
)
_GRIDS = st.lists(st.lists(_VALUES, max_size=6), max_size=8)


def write(path: Path, grid: list[list[Any]]) -> None:
    """Write the grid as it is: a text that looks like a formula or an error stays a text."""
    book = Workbook()
    sheet = book.active
    for row, values in enumerate(grid, 1):
        for column, value in enumerate(values, 1):
            if value is not None:
                cell = sheet.cell(row, column, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    book.save(path)


def shown(value: Any) -> Any:
    """What a cell is after the file: numbers are doubles, moments are whole seconds or so."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, bool) or value is None:
        return "" if value is None else value
    if isinstance(value, int | float):
        return pytest.approx(value)
    if isinstance(value, dt.datetime):
        return _Moment(value)
    return value


class _Moment:
    """Equal to a date or a date with time less than a second away."""

    def __init__(self, value: dt.datetime) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dt.datetime):
            return abs(other - self.value) < dt.timedelta(seconds=1)
        return isinstance(other, dt.date) and abs(
            dt.datetime.combine(other, dt.time.min) - self.value
        ) < dt.timedelta(seconds=1)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"about {self.value}"


@FEW
@given(_GRIDS)
def test_a_grid_comes_back_as_it_was(grid: list[list[Any]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.xlsx")
        write(path, grid)
        [sheet] = read(path)
    expected = {
        number: [shown(value) for value in values]
        for number, values in enumerate(grid, 1)
        if any(value is not None for value in values)
    }
    assert sheet.faults == []
    assert [row.number for row in sheet.rows] == list(expected)
    for row in sheet.rows:
        wanted = expected[row.number]
        assert row.values + [""] * (len(wanted) - len(row.values)) == wanted


def ends_well(content: bytes, suffix: str) -> None:
    """Read the bytes: sheets or a sentence, and never anything else."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"清单{suffix}")
        path.write_bytes(content)
        answer: str | list[Sheet]
        try:
            answer = read(path, limits=dataclasses.replace(LIMITS, seconds=3, patience=8))
        except WorkbookRefused as refused:
            answer = str(refused)
    if isinstance(answer, str):
        assert answer.startswith(f"文件“清单{suffix}”")
        assert answer.endswith("。")
    else:
        assert all(isinstance(sheet, Sheet) for sheet in answer)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One good file of each kind, by its suffix."""
    ods = ods_with(tmp_path_factory.mktemp("fuzz") / "a.ods", ODS_ROW)
    csv = '序号,事项名称\n1,甲\n2,"乙\n丙"\n'.encode("gb18030")
    page = "<html><table><tr><td rowspan=2>甲</td><td>乙</td></tr></table></html>".encode()
    return {
        ".xlsx": XLSX.read_bytes(),
        ".xls": XLS.read_bytes(),
        ".ods": ods.read_bytes(),
        ".csv": csv,
        ".html": page,
    }


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".csv", ".html"])
def test_mutated_bytes(originals: dict[str, bytes], suffix: str) -> None:
    original = originals[suffix]

    @settings(FEW, max_examples=80)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        ends_well(mutated(data, original), suffix)

    run()


def mutated(data: st.DataObject, original: bytes) -> bytes:
    """Overwrite, cut out or repeat a few stretches."""
    content = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, max(0, len(content) - 1)))
        end = start + data.draw(st.integers(0, 64))
        kind = data.draw(st.sampled_from(["overwrite", "cut", "repeat", "truncate"]))
        if kind == "overwrite":
            content[start:end] = data.draw(st.binary(min_size=1, max_size=16))
        elif kind == "cut":
            del content[start:end]
        elif kind == "repeat":
            content[start:start] = content[start:end] * data.draw(st.integers(1, 50))
        else:
            del content[start:]
    return bytes(content)


_PARTS = ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"]
_PARTS += ["xl/_rels/workbook.xml.rels", "xl/styles.xml", "[Content_Types].xml"]


@FEW
@given(st.data())
def test_mutated_parts_of_a_zip_that_is_whole(data: st.DataObject) -> None:
    """The check sums are right, so that the XML inside is what the reader has to bear."""
    with zipfile.ZipFile(THREE_LISTS) as archive:
        parts: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from([part for part in _PARTS if part in parts]))
    kind = data.draw(st.sampled_from(["bytes", "drop", "swap", "numbers"]))
    if kind == "bytes":
        parts[name] = mutated(data, parts[name])
    elif kind == "drop":
        del parts[name]
    elif kind == "swap":
        parts[name] = parts[data.draw(st.sampled_from(sorted(parts)))]
    else:
        number = str(data.draw(st.integers(-(2**70), 2**70))).encode()
        parts[name] = parts[name].replace(data.draw(st.sampled_from([b"1", b"2", b"10"])), number)
    with TemporaryDirectory() as folder:
        path = write_zip(Path(folder, "a.xlsx"), parts)
        ends_well(path.read_bytes(), ".xlsx")
