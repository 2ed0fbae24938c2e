"""The printed slip: one page of Word under the ticket's number."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from docx import Document
from docx.document import Document as Slip
from docx.shared import Mm
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.ticket import Ticket
from presets.slip import WHISTLE_SLIP, build
from reports.slips import slip, values_of
from rules.actor import SYSTEM, acting_as
from rules.wording import local
from tests.conftest import Backend
from tests.views.tickets_at import Tickets

Client = Callable[[str], FlaskClient]


@pytest.fixture
def tickets(sqlite: Backend, one_session: Session) -> Tickets:
    """Makes tickets on SQLite."""
    return Tickets(one_session, Path(sqlite.app.config["DATA_DIR"]))


def opened(content: bytes) -> tuple[Slip, str]:
    """Return a slip as Word opens it, and all that it says."""
    found = Document(io.BytesIO(content))
    cells = [
        cell.text
        for table in found.tables
        for row in table.rows
        for cell in dict.fromkeys(row.cells)
    ]
    return found, "\n".join([*(line.text for line in found.paragraphs), *cells])


def test_the_slip_says_what_has_to_go_along(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.dispatched(
        "A-D2", address="东门口", contact_name="张三", contact_phone="13800000000"
    )
    answer = as_seen_by("handler").get(f"/tickets/slip/{ticket.id}")
    assert answer.status_code == 200
    named = unquote(answer.headers["Content-Disposition"])
    assert f"{ticket.number}.docx" in named
    _document, text = opened(answer.data)
    assert ticket.resolve_due is not None
    for said in (
        f"编号：{ticket.number}",
        "路灯不亮",
        "东门口",
        "甲一一社区",
        "张三",
        "13800000000",
        "平哨",
        "甲县住建局",
        "甲县执法局",
        local(ticket.resolve_due),
    ):
        assert said in text, said
    for line in ("应哨签收", "现场报到", "办理结果", "评哨", "签字："):
        assert line in text, "lines to sign on stay empty"
    assert "{{" not in text
    assert "{%" not in text


def test_a_slip_is_an_a4_page_whatever_stands_in_it(tickets: Tickets) -> None:
    """Its rows and lines, at their heights, are no taller than the page between its margins."""
    full = tickets.dispatched(
        "A-D2", "A-D3", "A-U1", "A-U2",
        title="长" * 200, detail="\n\n".join("情况" * 60 for _each in range(40)), address="址" * 200,
        duty_item_name="事" * 300, contact_name="名" * 40, contact_phone="1" * 40,
    )  # fmt: skip
    bare = tickets.world.raised(title="短", detail="短")
    with acting_as(tickets.session, SYSTEM):
        for ticket in (full, bare):
            document, text = opened(slip(ticket))
            section = document.sections[0]
            across, down, above, below = (
                (length or Mm(0)) / Mm(1)
                for length in (
                    section.page_width,
                    section.page_height,
                    section.top_margin,
                    section.bottom_margin,
                )
            )
            assert (round(across), round(down)) == (210, 297)
            assert height(document) <= down - above - below, ticket.title[:5]
            assert "签字：" in text
    assert "（全文见系统）" in values_of(full)["情况说明"]


def height(document: Slip) -> float:
    """Return how tall a slip is in mm: each row is as tall as its fullest cell, or as it says."""
    line, wide = 16 / 72 * 25.4, 11 / 72 * 25.4
    total = 3 * 30 / 72 * 25.4
    for row in document.tables[0].rows:
        tallest = row.height / Mm(1) if row.height else 0
        for cell in dict.fromkeys(row.cells):
            span = sum(1 for each in row.cells if each == cell)
            fits = int(((62 if span == 1 else 149) - 4) / wide) if cell != row.cells[0] else 1000
            lines = sum(max(1, -(-len(part) // fits)) for part in re.split(r"\n", cell.text))
            tallest = max(tallest, lines * line + 1)
        total += tallest
    return total


def test_texts_of_strangers_do_not_reach_the_template(tickets: Tickets) -> None:
    ticket = tickets.world.raised(title="{{ 编号 }}<w:p>\x0b&", detail="{% if 1 %}")
    with acting_as(tickets.session, SYSTEM):
        _document, text = opened(slip(ticket))
    assert "{{ 编号 }}<w:p>&" in text
    assert "{% if 1 %}" in text


def test_a_draft_has_no_slip(tickets: Tickets, as_seen_by: Client) -> None:
    ticket: Ticket = tickets.world.draft()
    client = as_seen_by("community")
    assert "/tickets/slip/" not in client.get(f"/tickets/show/{ticket.id}").text
    answer = client.get(f"/tickets/slip/{ticket.id}")
    assert answer.status_code == 409
    assert "草稿还没有编号" in answer.text


def test_the_template_is_what_its_maker_makes() -> None:
    file = io.BytesIO()
    build().save(file)
    assert opened(file.getvalue())[1] == opened(WHISTLE_SLIP.read_bytes())[1]


def test_what_was_done_is_filled_in_and_what_is_to_come_stays_to_be_written(
    tickets: Tickets,
) -> None:
    fresh = tickets.dispatched("A-D2")
    done = tickets.resolved("A-D2")
    with acting_as(tickets.session, SYSTEM):
        assert done.arrived_at is not None
        _document, text = opened(slip(done))
        assert "修好了" in text
        assert f"时间：{local(done.arrived_at)}" in text
        _document, text = opened(slip(fresh))
        assert text.count("时间：\u3000\u3000月") == 4, "signed by hand: 应哨, 报到, 结果, 评哨"


@pytest.mark.parametrize("name", ["agreement", "minutes", "order", "slip"])
def test_columns_are_as_wide_for_every_word_processor(name: str) -> None:
    """Word goes by the cells' widths, WPS and LibreOffice by the table's grid."""
    document = Document(str(WHISTLE_SLIP.with_name(f"{name}.docx")))
    for table in document.tables:
        grid = [column.width for column in table.columns]
        for row in table.rows:
            seen = 0
            for cell in row._tr.tc_lst:
                span = cell.grid_span
                assert cell.width == sum(grid[seen : seen + span])
                seen += span
