"""An officer who imports duty lists in a browser, and the workbooks that he brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.checks import barriers, outline, overflowing
from tests.browser.person import DESK, PHONE, Person
from tests.imports.books import make_book

SHEET = "配合履职事项清单"
HEAD = ("序号", "类别", "事项名称", "对应上级部门", "上级部门职责", "乡镇（街道）配合职责")


class Officer:
    """Somebody who imports lists: where he clicks, and what every page that he sees must hold to."""

    def __init__(self, person: Person, outlines: set[tuple[int, str]]) -> None:
        self.person, self.page, self.outlines = person, person.page, outlines

    def looks(self, name: str) -> None:
        """Look at the open page at both widths, and keep a picture of it."""
        self.page.wait_for_load_state()
        for width in (DESK, PHONE):
            self.person.resize(width)
            assert overflowing(self.page) == [], f"{name} at {width}"
            seen = (width, outline(self.page, "#main"))
            if seen not in self.outlines:
                self.outlines.add(seen)
                assert barriers(self.page, "#main") == [], f"{name} at {width}"
        self.person.picture(name, DESK, PHONE)
        self.person.resize(DESK)

    def upload(self, *files: Path, place: str = "") -> None:
        """Upload files of lists, for the place or for whichever they name."""
        self.person.open("/imports/duty-items/")
        self.page.get_by_label("Excel 文件").set_input_files(files)
        if place:
            self.person.choose(self.page, "清单所属地区", place)
        self.press("上传并预览")

    def press(self, label: str) -> None:
        """Press a button of the page."""
        self.page.get_by_role("main").get_by_role("button", name=label, exact=True).click()

    def stands(self, state: str) -> None:
        """See that the upload's page says how it stands."""
        badge = self.page.get_by_role("heading", level=1).locator(".badge")
        expect(badge).to_have_text(state)

    def confirm(self) -> None:
        """Confirm what is shown, and land on its batch."""
        self.press("确认导入")
        expect(self.page.get_by_role("button", name="撤销导入")).to_be_visible()

    def count(self, what: str) -> Locator:
        """Return the number that the sheet's head shows."""
        return self.page.locator(".count").filter(has_text=what).locator("strong")

    def items(self, place: str) -> list[str]:
        """Return the items of the place's newest coordinating list, as its page shows them."""
        self.newest(place)
        table = self.page.get_by_role("table", name="事项")
        return [each.inner_text() for each in table.get_by_role("rowheader").all()]

    def newest(self, place: str) -> None:
        """Open the newest version of a place's coordinating list."""
        self.person.walk("清单版本")
        rows = self.page.get_by_role("row").filter(has_text=place).filter(has_text="配合履职")
        self.person.follow(rows.first.get_by_role("link").first)


def lists(path: Path, *items: str, by: Sequence[str] = ("县民政局",), head: Any = HEAD) -> Path:
    """Return a workbook of one coordinating list; its items belong to the departments in turn."""
    rows: list[tuple[Any, ...]] = [head]
    for number, item in enumerate(items, 1):
        department = by[(number - 1) % len(by)]
        rows.append((number, "民生服务", item, department, "指导、检查。", "摸排、上报。"))
    return make_book(path, (SHEET, rows))


def long_list(path: Path, rows: int, *, item: str = "长表事项") -> Path:
    """Return a long list as text, which is quicker made than a workbook."""
    line = "{0},综合治理,{1}{0},县民政局,指导乡镇开展排查整治并定期通报情况。,组织村（社区）摸排登记并及时上报。"
    lines = [",".join(HEAD), *(line.format(number, item) for number in range(1, rows + 1))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
