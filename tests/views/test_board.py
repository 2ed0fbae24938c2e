"""The board: which needs stand in which column for whom, in which order, and what they lead to."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.need import NeedStatus, Urgency
from models.resource import Category
from tests.conftest import Backend, logger_in
from tests.factories.pairs import Pairs
from tests.views.boards import LANES, Board, at, today
from tests.views.pages import tags_of
from views.board import CARDS

S = NeedStatus


@pytest.fixture
def look(as_seen_by: Any) -> Any:
    """Return the board as an account sees it."""
    return lambda who, query="": Board(as_seen_by(who), query)


# What stands where


def test_each_need_stands_in_the_column_of_its_status(pairs: Pairs, look: Any) -> None:
    for status in (S.GATHERED, S.PUBLISHED, S.CLAIMED, S.IN_HAND, S.DONE, S.RATED):
        at(pairs, status, f"需求{status.value}")
    board = look("community")
    assert board.all_titles() == {
        "published": ["需求published"],
        "claimed": ["需求claimed"],
        "in_hand": ["需求in_hand"],
        "done": ["需求done"],
        "rated": ["需求rated"],
    }
    assert [board.count(lane) for lane in LANES] == ["1", "1", "1", "1"]
    assert "需求gathered" not in board.html
    assert "认领：甲县第一中学" in board.words("需求claimed")
    assert "满意" in board.words("需求rated")
    assert today().isoformat() in board.words("需求rated")


def test_urgent_ones_come_first_and_then_the_oldest(pairs: Pairs, look: Any) -> None:
    for number, urgency in enumerate(["NORMAL", "URGENT", "NORMAL", "URGENT"]):
        at(pairs, S.PUBLISHED, f"需求{number}", urgency=Urgency[urgency])
    board = look("party")
    assert board.titles("published") == ["需求1", "需求3", "需求0", "需求2"]
    assert "紧急" in board.words("需求1")
    assert "紧急" not in board.words("需求0")


def test_a_column_shows_its_first_cards_and_counts_them_all(pairs: Pairs, look: Any) -> None:
    for number in range(CARDS + 3):
        at(pairs, S.PUBLISHED, f"需求{number:02}")
    board = look("party")
    assert board.titles("published") == [f"需求{number:02}" for number in range(CARDS)]
    assert board.count("published") == str(CARDS + 3)
    lists = [
        values["href"]
        for tag, values in tags_of(board.lanes["published"])
        if tag == "a" and "/needs/list/" in values["href"]
    ]
    assert lists == ["/needs/list/?status=published"]


def test_the_latest_rated_stand_below_the_newest_first(pairs: Pairs, look: Any) -> None:
    for number in range(7):
        at(pairs, S.RATED, f"需求{number}")
    assert look("party").titles("rated") == [f"需求{number}" for number in (6, 5, 4, 3, 2)]


def test_a_clock_says_what_remains_or_how_old_it_is(pairs: Pairs, look: Any) -> None:
    def days(number: int) -> dt.date:
        return today() + dt.timedelta(days=number)

    at(pairs, S.PUBLISHED, "今天的")
    at(pairs, S.PUBLISHED, "六天的").published_on = days(-6)
    at(pairs, S.CLAIMED, "超期的").due_on = days(-3)
    at(pairs, S.CLAIMED, "还早的").due_on = days(9)
    at(pairs, S.CLAIMED, "快到的").due_on = days(1)
    at(pairs, S.IN_HAND, "没有期限的").claimed_on = days(-4)
    at(pairs, S.IN_HAND, "有期限的", wanted_until=days(3))
    at(pairs, S.DONE, "办完的").done_on = days(-2)
    board = look("party")
    said = {
        "今天的": ("今天公布", None),
        "六天的": ("公布 6 天", None),
        "超期的": ("超期 2 天", "danger"),
        "还早的": ("剩 9 天", "info"),
        "快到的": ("剩 1 天", "warning"),
        "没有期限的": ("认领 4 天", None),
        "有期限的": ("剩 3 天", "info"),
        "办完的": ("办结 2 天", None),
    }
    for title, (words, tone) in said.items():
        assert words in board.words(title), title
        if tone:
            assert f'<span class="badge badge-{tone}">{words}</span>' in board.card(title), title
    assert "need-card-late" in board.card("超期的")
    assert "need-card-late" not in board.card("快到的")


# Who sees what


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("admin", "A11 A12 A21 B11"),
        ("party", "A11 A12 A21"),
        ("leader", "A11 A12 A21"),
        ("township", "A11 A12"),
        ("township2", "A21"),
        ("community", "A11"),
        ("community2", "A12"),
        ("unit", "A11"),
        ("unit2", ""),
        ("handler", "A12"),
        ("partyb", "B11"),
        ("handlerb", ""),
    ],
)
def test_everybody_sees_the_needs_in_reach_and_counts_no_others(
    pairs: Pairs, look: Any, who: str, seen: str
) -> None:
    pairs.bond("A11", "A-U1")
    pairs.bond("A12", "A-D1")
    for place in ("A11", "A12", "A21", "B11"):
        for status in (S.PUBLISHED, S.DONE, S.RATED):
            at(pairs, status, f"{status.value}{place}", place)
    board = look(who)
    places = seen.split()
    holder = {"unit": ["A11", "A12", "A21", "B11"]}.get(who, places)
    assert board.titles("published") == [f"published{place}" for place in places]
    assert board.titles("done") == [f"done{place}" for place in holder]
    assert sorted(board.titles("rated")) == sorted(f"rated{place}" for place in holder)
    assert board.count("published") == str(len(places))
    assert board.count("done") == str(len(holder))


@pytest.mark.parametrize("who", ["duty", "auditor", "returns"])
def test_who_may_not_read_needs_has_no_board(look: Any, sqlite: Backend, who: str) -> None:
    assert look(who).answer.status_code == 403
    home = logger_in(sqlite.app)(who).get("/").text
    assert "/board/" not in home


def test_it_stands_in_the_navigation(sqlite: Backend) -> None:
    home = logger_in(sqlite.app)("unit").get("/").text
    assert 'href="/board/"' in home
    assert "点单派单" in home


def results(client: FlaskClient, path: str) -> list[str]:
    """Return the names that a select box offers."""
    answer = client.get(path).get_json()
    return [each["text"] for each in answer["results"]]


def test_the_select_box_names_communities_whose_needs_the_reader_sees(
    pairs: Pairs, sqlite: Backend
) -> None:
    pairs.bond("A11", "A-U1")
    for place in ("A11", "A12", "B11"):
        at(pairs, S.PUBLISHED, f"需求{place}", place)
    pairs.session.commit()
    log_in = logger_in(sqlite.app)
    for who, names in {
        "unit": ["甲一一社区"],
        "unit2": [],
        "township": ["甲一一社区", "甲一二社区"],
        "partyb": ["乙一一社区"],
    }.items():
        answer = results(log_in(who), "/board/communities")
        assert answer == names, who
    assert results(log_in("township"), "/board/communities?q=一二") == ["甲一二社区"]


# Filters


def test_filters_narrow_columns_counts_and_table(pairs: Pairs, look: Any) -> None:
    at(pairs, S.PUBLISHED, "甲场地")
    at(pairs, S.PUBLISHED, "甲心愿", is_wish=True, category=Category.GOODS)
    at(pairs, S.PUBLISHED, "乙心愿", "A12", is_wish=True, category=Category.VENUE)
    at(pairs, S.DONE, "甲完成", category=Category.GOODS)
    place = pairs.world.place("A11").id
    for query, published, done in (
        ("", ["甲场地", "甲心愿", "乙心愿"], ["甲完成"]),
        (f"?community={place}", ["甲场地", "甲心愿"], ["甲完成"]),
        ("?category=goods", ["甲心愿"], ["甲完成"]),
        ("?is_wish=1", ["甲心愿", "乙心愿"], []),
        ("?is_wish=0", ["甲场地"], ["甲完成"]),
        (f"?community={place}&is_wish=1&category=goods", ["甲心愿"], []),
    ):
        board = look("party", query)
        assert board.titles("published") == published, query
        assert board.titles("done") == done, query
        assert board.count("published") == str(len(published)), query
    board = look("party", "?is_wish=1")
    assert [cell[0] for cell in board.table()["甲一一社区"]] == ["—", "1", "—", "—", "—", "—"]
    assert board.table()["甲一一社区"][1][1] == (
        f"/needs/list/?is_wish=1&amp;community={place}&amp;status=published"
    )
    assert 'value="1" selected' in board.html
    assert look("party", f"?community={place}").table() == {}


@pytest.mark.parametrize("query", ["?category=x", "?community=abc", "?community=99999999999"])
def test_a_filter_that_means_nothing_is_refused_with_a_sentence(look: Any, query: str) -> None:
    board = look("party", query)
    assert board.answer.status_code == 422
    assert "无法识别，请重新选择" in board.html


def test_a_community_out_of_reach_shows_nothing(pairs: Pairs, look: Any) -> None:
    at(pairs, S.PUBLISHED, "别人的", "B11")
    board = look("party", f"?community={pairs.world.place('B11').id}")
    assert board.answer.status_code == 200
    assert [board.count(lane) for lane in LANES] == ["0"] * 4
    assert "没有符合条件的需求。" in board.html


# What next


def links(board: Board, title: str) -> dict[str, str]:
    """Return a card's links beside its title, by their words."""
    found = re.findall(r'<a href="([^"]+)"><i [^>]*></i>([^<]+)<', board.card(title))
    return {label: href for href, label in found}


def test_a_published_need_leads_on_to_what_the_reader_may_do(pairs: Pairs, look: Any) -> None:
    pairs.bond("A11", "A-U1")
    need = at(pairs, S.PUBLISHED, "需求")
    wish = at(pairs, S.PUBLISHED, "心愿", is_wish=True)
    at(pairs, S.CLAIMED, "已认领")
    claim, match = "认领", "匹配资源"
    for who, of_need, of_wish in (
        ("unit", {claim, match}, {claim, match}),
        ("community", {match}, {claim, match}),
        ("party", {match}, {claim, match}),
        ("leader", set(), set()),
        ("office", set(), set()),
    ):
        board = look(who)
        assert set(links(board, "需求")) == of_need, who
        assert set(links(board, "心愿")) == of_wish, who
        assert links(board, "已认领") == {}, who
    assert links(look("unit"), "需求") == {
        claim: f"/needs/show/{need.id}#step-claim",
        match: f"/matching/need/{need.id}",
    }
    assert links(look("community"), "心愿")[claim] == f"/needs/show/{wish.id}#step-claim_for"


@pytest.mark.parametrize(("who", "action"), [("unit", "claim"), ("community", "claim_for")])
def test_the_link_leads_to_a_step_that_is_there(
    pairs: Pairs, look: Any, sqlite: Backend, who: str, action: str
) -> None:
    pairs.bond("A11", "A-U1")
    at(pairs, S.PUBLISHED, "心愿", is_wish=True)
    address, _hash, step_id = links(look(who), "心愿")["认领"].partition("#")
    page = logger_in(sqlite.app)(who).get(address).text
    assert step_id == f"step-{action}"
    assert f'id="{step_id}"' in page


def test_an_empty_board_says_what_to_do(look: Any) -> None:
    board = look("community")
    for lane, sentence in zip(
        LANES,
        [
            "没有待认领的需求。",
            "没有已认领而未开始的需求。",
            "没有正在办理的需求。",
            "没有待评价的需求。",
        ],
        strict=True,
    ):
        assert sentence in board.lanes[lane]
    assert "登记需求" in board.lanes["published"]
    assert "登记需求" not in look("unit").html
    assert "登记需求" not in look("leader").html
