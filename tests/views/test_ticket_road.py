"""A whistle's whole life by HTTP, each step with the client of the person who takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.ledger import Event
from models.ticket import Ticket, TicketStatus
from rules.ledger import faults
from tests.factories.world import World
from tests.views.pages import errors_of, record_form, row_ids, step_forms

S = TicketStatus
#: For what no database can change.
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
Login = Callable[[str], FlaskClient]


class Walk:
    """One ticket, walked by whoever may."""

    def __init__(self, login: Login, session: Session, world: World) -> None:
        self.login, self.session, self.world = login, session, world
        self.clients: dict[str, FlaskClient] = {}
        self.pk = 0

    def client(self, who: str) -> FlaskClient:
        """Return the client of an account, logging in once."""
        if who not in self.clients:
            self.clients[who] = self.login(who)
        return self.clients[who]

    def blow(self, who: str, item: str | None = None, *, now: bool = True, **fields: Any) -> Any:
        """Fill in the form and post it; ``now`` presses 吹哨, else 存为草稿."""
        form = record_form(self.client(who).get("/tickets/add").text)
        data = form.data(title="路灯不亮", detail="东门路灯三盏不亮", **fields)
        if item:
            data["duty_item"] = [str(self.world.item(item).id)]
        if now:
            data["submit_action"] = ["raise"]
        answer = self.client(who).post("/tickets/add", data=data)
        if answer.status_code == 302:
            self.pk = int(answer.headers["Location"].rsplit("/", 1)[1])
        return answer

    def page(self, who: str) -> str:
        """Return the detail page as somebody sees it."""
        answer = self.client(who).get(f"/tickets/show/{self.pk}")
        assert answer.status_code == 200, f"{who}: {answer.status_code}"
        return answer.text

    def steps(self, who: str) -> set[str]:
        """Return the steps whose buttons somebody sees."""
        return set(step_forms(self.page(who)))

    def take(self, who: str, action: str, **fields: Any) -> TicketStatus:
        """Press a button that is there, and return the new state."""
        form = step_forms(self.page(who))[action]
        answer = self.client(who).post(form.action, data=form.data(**fields))
        assert answer.status_code == 302, errors_of(answer.text)
        return self.status

    @property
    def ticket(self) -> Ticket:
        """The ticket as it stands in the database."""
        self.session.expire_all()
        return self.session.get_one(Ticket, self.pk)

    @property
    def status(self) -> TicketStatus:
        """The ticket's state."""
        return self.ticket.status

    def reviewed(self, note: str = "属实") -> TicketStatus:
        """Take the township's two steps of the review route, each by its own button."""
        assert self.take("township", "approve", note=note) is S.PENDING_REVIEW
        return self.take("township", "approve", note=note)

    def grades(self, who: str, grade: Grade) -> dict[str, str]:
        """Return the same grade for everything that the rating form asks."""
        names = step_forms(self.page(who))["rate"].names
        return {name: grade.value for name in names if name.startswith("grade-")}


@pytest.fixture
def walk(login: Login, session: Session, world: World) -> Walk:
    return Walk(login, session, world)


def test_the_whole_road(walk: Walk, session: Session, world: World) -> None:
    assert walk.blow("community", "路灯安装与维修", emergency=None).status_code == 302
    assert walk.status is S.PENDING_REVIEW
    assert walk.ticket.number.startswith("甲一镇")
    assert walk.ticket.raised_by == "community"
    assert walk.reviewed() is S.PENDING_DISPATCH

    suggested = step_forms(walk.page("office"))["dispatch"].data()
    assert suggested["lead"] == [str(world.place("A-D1").id)]
    assert suggested["assisting"] == [str(world.place("A-D2").id)]
    assert walk.take("office", "dispatch") is S.DISPATCHED
    assert walk.ticket.respond_due is not None

    assert walk.take("handler", "accept") is S.ACCEPTED
    assert walk.take("handler2", "assist_accept") is S.ACCEPTED
    assert walk.take("handler", "arrive") is S.ARRIVED
    assert walk.take("handler2", "assist_arrive") is S.ARRIVED
    assert walk.take("handler2", "assist_report", result="清了路障") is S.ARRIVED
    assert walk.take("handler", "report_result", result="换了灯泡\n三盏") is S.RESOLVED

    assert "close" not in walk.steps("office"), "nothing is struck off before it is rated"
    assert walk.take("community", "rate", **walk.grades("community", Grade.SATISFIED)) is S.RESOLVED
    assert "rate" not in walk.steps("community"), "each round is rated once"
    assert walk.take("office", "close", note="办结") is S.CLOSED

    page = walk.page("community")
    for said in ("换了灯泡", "清了路障", "销号", "属实", "满意", "甲县住建局", "甲县执法局"):
        assert said in page
    assert walk.steps("community") == {"amend_rating"}
    assert walk.steps("handler") == {"rate_assisting"}
    for who in ("handler2", "leader", "admin"):
        assert walk.steps(who) == set()
    steps = list(
        session.scalars(
            select(Event)
            .where(Event.record_type == "ticket", Event.record_id == walk.pk)
            .order_by(Event.sequence)
        )
    )
    assert [step.action for step in steps] == [
        "create", "raise", "approve", "approve", "dispatch", "accept", "assist_accept", "arrive",
        "assist_arrive", "assist_report", "report_result", "rate", "close",
    ]  # fmt: skip
    assert faults(steps) == []


@on_sqlite
def test_a_draft_is_raised_later(walk: Walk) -> None:
    assert walk.blow("community", now=False).status_code == 302
    assert walk.status is S.DRAFT
    assert walk.ticket.number is None
    assert "（草稿）" in walk.page("community")
    assert walk.take("community", "raise") is S.PENDING_REVIEW


def test_an_urgent_whistle_goes_straight_to_the_department(walk: Walk, world: World) -> None:
    urgent = world.whistle_class("urgent").id
    answer = walk.blow("community", "路灯安装与维修", whistle_class=urgent)
    assert answer.status_code == 302
    assert walk.status is S.DISPATCHED
    assert walk.ticket.lead_id == world.place("A-D1").id
    assert walk.pk in row_ids(walk.client("office").get("/tickets/list/").text), "registered there"
    assert walk.take("handler", "accept") is S.ACCEPTED


@on_sqlite
def test_an_urgent_whistle_to_nobody_is_refused(walk: Walk, world: World) -> None:
    urgent = world.whistle_class("urgent").id
    answer = walk.blow("community", whistle_class=urgent)
    assert answer.status_code == 422
    assert "请选择派往部门" in errors_of(answer.text)
    assert record_form(answer.text).data()["title"] == ["路灯不亮"]
    assert walk.session.scalars(select(Ticket)).all() == []


@on_sqlite
def test_the_township_s_own_duty_is_not_blown(walk: Walk) -> None:
    answer = walk.blow("community", "调解邻里纠纷")
    assert answer.status_code == 409
    assert "“调解邻里纠纷”是甲一镇的基本履职事项" in errors_of(answer.text)
    assert record_form(answer.text).data()["detail"] == ["东门路灯三盏不亮"]
    assert walk.session.scalars(select(Ticket)).all() == [], "not even a draft is left behind"

    assert walk.blow("community", "调解邻里纠纷", now=False).status_code == 302
    assert "raise" not in walk.steps("community")
    answer = walk.client("community").post(f"/tickets/step/{walk.pk}/raise")
    assert answer.status_code == 409
    assert "不予吹哨" in errors_of(answer.text)
    assert walk.blow("community", "调解邻里纠纷", emergency="y").status_code == 302


@on_sqlite
def test_a_branch_on_the_spot_is_asked_first(walk: Walk) -> None:
    answer = walk.blow("community", "犬只管理")
    assert answer.status_code == 409
    assert "甲一镇派出所" in errors_of(answer.text)
    assert walk.blow("community", "犬只管理", local_tried="y").status_code == 302
    assert walk.status is S.PENDING_REVIEW


def test_a_return_is_approved_and_dispatched_anew(walk: Walk, world: World) -> None:
    walk.blow("community", "路灯安装与维修")
    walk.reviewed()
    walk.take("office", "dispatch")
    assert walk.take("handler", "request_return", note="不归我局管") is S.RETURN_PENDING
    assert walk.steps("handler") == set()
    assert walk.steps("office") == {"merge"}, "the office decides no returns"
    assert walk.steps("returns") == {"approve_return", "refuse_return"}
    assert walk.take("returns", "approve_return", note="同意") is S.PENDING_DISPATCH
    assert walk.ticket.return_count == 1
    assert walk.client("handler").get(f"/tickets/show/{walk.pk}").status_code == 404
    assert "不归我局管" not in walk.client("handler").get("/tickets/list/").text
    fields = {"lead": world.place("A-D3").id, "assisting": [world.place("A-D2").id]}
    assert walk.take("office", "dispatch", **fields) is S.DISPATCHED
    assert walk.steps("handler2") == {"assist_accept"}


@on_sqlite
def test_a_refused_return_stops_no_clock(walk: Walk) -> None:
    walk.blow("community", "路灯安装与维修")
    walk.reviewed()
    walk.take("office", "dispatch")
    walk.take("handler", "accept")
    due = walk.ticket.respond_due
    walk.take("handler", "request_return", note="不归我局管")
    assert walk.take("returns", "refuse_return", note="清单写明由贵局办理") is S.ACCEPTED
    page = walk.client("handler").get(f"/tickets/show/{walk.pk}").text
    assert "仍由甲县住建局办理，期限连续计算。清单写明由贵局办理（" in page
    assert walk.ticket.respond_due == due
    assert walk.ticket.return_count == 0
    assert walk.take("handler", "arrive") is S.ARRIVED


def test_a_bad_rating_sends_it_back(walk: Walk) -> None:
    walk.blow("community", "拆除违法建筑")
    walk.reviewed()
    walk.take("office", "dispatch")
    for action in ("accept", "arrive"):
        walk.take("handler2", action)
    walk.take("handler2", "report_result", result="已口头制止")
    bad = walk.grades("community", Grade.DISSATISFIED)
    assert walk.take("community", "rate", **bad) is S.REOPENED, "as the mechanism has it"
    assert walk.ticket.reopen_count == 1
    page = walk.page("handler2")
    assert "第 2 轮办理（回流 1 次）" in page
    assert "限期整改" in page
    assert walk.take("handler2", "accept") is S.ACCEPTED
    walk.take("handler2", "arrive")
    walk.take("handler2", "report_result", result="已拆除")
    assert "close" not in walk.steps("office"), "the new round is rated first"
    walk.take("community", "rate", **walk.grades("community", Grade.VERY_SATISFIED))
    assert walk.take("township", "close") is S.CLOSED
    assert walk.steps("office") == {"reopen"}, "a problem may come back after it was closed"
    form = step_forms(walk.page("office"))["reopen"]
    past = walk.client("office").post(form.action, data=form.data(fix_by="2020-01-01", note="重办"))
    assert past.status_code == 422
    assert "不能早于今天" in errors_of(past.text)
    assert walk.take("office", "reopen", fix_by="2099-12-31", note="又搭起来了") is S.REOPENED
    assert walk.ticket.reopen_count == 2


@on_sqlite
def test_a_rating_must_be_complete(walk: Walk, session: Session, world: World) -> None:
    ticket = world.dispatched(assisting=("A-D2",))
    for action, data in (("accept", {}), ("arrive", {}), ("report_result", {"result": "修好了"})):
        world.step(ticket, action, "handler", **data)
    session.commit()
    walk.pk = ticket.id
    grades = walk.grades("community", Grade.FAIR)
    assert len(grades) == 8, "two departments in four dimensions"
    form = step_forms(walk.page("community"))["rate"]
    missing = sorted(grades)[0]
    answer = walk.client("community").post(form.action, data=form.data(**grades | {missing: None}))
    assert answer.status_code == 422
    assert "请评价" in errors_of(answer.text)
    answer = walk.client("community").post(form.action, data=form.data(**grades | {missing: "好"}))
    assert answer.status_code == 422
    assert walk.ticket.ratings == []


@on_sqlite
@pytest.mark.parametrize("action", ["decline_review", "withdraw"])
def test_side_roads_end_it(walk: Walk, action: str) -> None:
    walk.blow("community", "路灯安装与维修")
    end = {"decline_review": S.DECLINED, "withdraw": S.WITHDRAWN}[action]
    assert walk.take("township", action, note="情况不实") is end
    for who in ("community", "township", "office"):
        assert walk.steps(who) == set()


@on_sqlite
def test_the_office_declines(walk: Walk) -> None:
    walk.blow("township")
    assert walk.status is S.PENDING_DISPATCH, "a township's own whistle needs no review"
    assert walk.take("office", "decline", note="清单外") is S.DECLINED


ELIGIBILITY = [
    ({"item": "路灯安装与维修"}, "listed", True, ["甲县住建局", "甲县执法局"]),
    ({"item": "拆除违法建筑"}, "listed", True, ["甲县执法局"]),
    ({"item": "调解邻里纠纷"}, "own_duty", False, []),
    ({"item": "调解邻里纠纷", "emergency": "y"}, "emergency", True, []),
    ({"item": "犬只管理"}, "local_first", False, ["甲县公安局"]),
    ({"item": "犬只管理", "local_tried": "1"}, "listed", True, ["甲县公安局"]),
    ({}, "office_decides", True, []),
]


@on_sqlite
def test_the_form_is_told_whether_it_may_be_blown(walk: Walk, world: World) -> None:
    place = world.place("A11").id
    for asked, verdict, may_blow, departments in ELIGIBILITY:
        args: dict[str, Any] = {"organization": place} | asked
        if item := args.pop("item", None):
            args["duty_item"] = world.item(item).id
        said = walk.client("community").get("/tickets/eligibility", query_string=args).json
        assert said["verdict"] == verdict, asked
        assert said["may_blow"] is may_blow
        assert said["departments"] == departments
        assert said["reason"].endswith("。")
        panel = walk.client("community").get(
            "/tickets/eligibility", query_string=args | {"format": "html"}
        )
        assert said["reason"] in panel.text
    nothing = walk.client("community").get("/tickets/eligibility").json
    assert nothing["may_blow"] is False
    foreign = world.item("路灯安装与维修", "B").id
    said = (
        walk.client("community")
        .get("/tickets/eligibility", query_string={"organization": place, "duty_item": foreign})
        .json
    )
    assert said["verdict"] == "office_decides", "an item out of scope is as good as none"


@on_sqlite
def test_what_was_done_is_seen_by_the_parties_alone(walk: Walk) -> None:
    walk.blow("community", "路灯安装与维修")
    assert walk.client("handler").get(f"/tickets/show/{walk.pk}").status_code == 404
    walk.reviewed()
    walk.take("office", "dispatch")
    assert walk.client("handler").get(f"/tickets/show/{walk.pk}").status_code == 200
    for who in ("community2", "township2", "officeb", "handlerb", "communityb"):
        assert walk.client(who).get(f"/tickets/show/{walk.pk}").status_code == 404
        assert walk.pk not in row_ids(walk.client(who).get("/tickets/list/").text)
