"""The buttons of a detail page: exactly the steps that may be taken, by every account in every state."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from models.ticket import Ticket, TicketStatus
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.mechanisms import dimensions_of
from tests.factories.world import World
from tests.views.pages import HtmlForm, step_forms
from tests.views.stage import PEOPLE, Stage

S = TicketStatus
Found = dict[str, tuple[type[Any], int]]
PATHS: dict[type[Any], str] = {
    Ticket: "/tickets/show/",
    Agreement: "/agreements/show/",
    DutyList: "/duty-lists/show/",
}


class Lives:
    """Records of every type in every state, by (type, state)."""

    def __init__(self, session: Session) -> None:
        self.session, self.world = session, World(session)
        self.found: dict[str, tuple[type[Any], int]] = {}

    def keep(self, name: str, record: Any) -> Any:
        self.session.flush()
        self.found[name] = (type(record), record.id)
        return record

    def tickets(self) -> None:
        world = self.world
        self.keep("draft", world.draft("A11"))
        self.keep("own duty", world.draft("A11", duty_item=world.item("调解邻里纠纷")))
        self.keep("draft of a grid", world.draft("A111"))
        self.keep("draft of the township", world.draft("A1"))
        self.keep("pending_review", world.raised())
        self.step(self.keep("pending_dispatch", world.raised()), *[("township", "approve")] * 2)
        self.step(self.keep("declined", world.raised()), ("township", "decline_review"))
        self.step(self.keep("withdrawn", world.raised()), ("community", "withdraw"))
        roads = {
            "dispatched": (),
            "accepted": ("accept",),
            "arrived": ("accept", "arrive"),
            "resolved": ("accept", "arrive", "report_result"),
            "return_pending": ("request_return",),
        }
        for name, actions in roads.items():
            ticket = world.dispatched(assisting=("A-D2",))
            self.step(self.keep(name, ticket), *(("handler", action) for action in actions))
        assisted = self.keep("assisted", world.dispatched(assisting=("A-D2",)))
        self.step(assisted, ("handler2", "assist_accept"), ("handler2", "assist_arrive"))
        for name, grade in (("rated", "satisfied"), ("rated badly", "dissatisfied")):
            self.rated(name, grade)
        closed = self.rated("closed", "fair")
        self.step(closed, ("office", "close"))
        reopened = self.rated("reopened", "satisfied")
        self.step(reopened, ("office", "reopen"))
        self.step(self.keep("local", world.draft("A11")), ("community", "hold_locally"))
        solved = self.keep("solved_locally", world.draft("A11"))
        self.step(solved, ("community", "hold_locally"), ("community", "solve_locally"))
        merged = self.keep("merged", world.raised())
        self.world.step(merged, "merge", "office", ticket=assisted.id, note="重复")

    def rated(self, name: str, grade: str) -> Ticket:
        ticket: Ticket = self.keep(name, self.world.dispatched(assisting=("A-D2",)))
        self.step(ticket, *(("handler", each) for each in ("accept", "arrive", "report_result")))
        grades = {
            f"{self.world.place(code).id}:{dimension.id}": grade
            for code in ("A-D1", "A-D2")
            for dimension in dimensions_of(ticket.whistle_class)
        }
        self.world.step(ticket, "rate", "community", grades=grades)
        return ticket

    def step(self, ticket: Any, *steps: tuple[str, str]) -> None:
        for who, action in steps:
            data: dict[str, Any] = {"note": "说明", "result": "修好了"}
            data["fix_by"] = (datetime.now(UTC) + timedelta(days=3)).date()
            self.world.step(ticket, action, who, **data)

    def agreements(self) -> None:
        pairs = [
            ("A11", "A-U1"),
            ("A11", "A-U2"),
            ("A12", "A-U1"),
            ("A21", "A-U1"),
            ("A21", "A-U2"),
        ]
        over = {"valid_from": date(2020, 1, 1), "valid_until": date(2021, 1, 1)}
        made = [self.world.agreement(*pair, f"协议{number}") for number, pair in enumerate(pairs)]
        self.keep("agreement draft", made[0])
        self.keep("agreement over", self.world.agreement("A12", "A-D2", "协议过期", **over))
        for record, actions in (
            (made[1], ["bring_into_force"]),
            (made[2], ["bring_into_force", "terminate"]),
            (made[3], ["bring_into_force", "renew"]),
        ):
            data = {"note": "迁走", "valid_from": date(2100, 1, 1), "valid_until": date(2101, 1, 1)}
            for action in actions:
                workflow.apply(self.session, record, action, SYSTEM, data)
            if "renew" in actions:
                self.session.expire(record)
                workflow.apply(self.session, record.renewals[0], "bring_into_force", SYSTEM)
            self.keep(f"agreement {record.status}", record)
        workflow.apply(self.session, made[4], "bring_into_force", SYSTEM)
        made[4].valid_from, made[4].valid_until = date(2020, 1, 1), date(2021, 1, 1)
        self.keep("agreement to expire", made[4])
        expired = self.world.agreement("A21", "B-U1", "协议两县")
        workflow.apply(self.session, expired, "bring_into_force", SYSTEM)
        self.keep("agreement of two counties", expired)

    def duty_lists(self) -> None:
        for code in ("A1", "A", "B1"):
            for count in (0, 1):
                kind = DutyListType.CATALOGUE if count else DutyListType.RECLAIMED
                version = DutyList(
                    organization=self.world.place(code), list_type=kind, number=7, item_count=count
                )
                if count:
                    version.items.append(DutyItem(position=1, name="事项"))
                self.session.add(version)
                self.session.flush()
                workflow.begin(self.session, version, SYSTEM)
                self.keep(f"list {code} draft of {count}", version)
        self.keep("list published", self.world.item("调解邻里纠纷").duty_list)
        self.keep("list superseded", self.world.item("犬只管理").duty_list)


@pytest.fixture(scope="module")
def lives(stage: Stage) -> Found:
    """Every type in every state, on the module's stage."""
    with stage.session() as session, acting_as(session, SYSTEM):
        found = Lives(session)
        found.tickets()
        found.agreements()
        found.duty_lists()
        session.commit()
    return found.found


def test_every_state_is_on_stage(stage: Stage, lives: Found) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        seen = {(model, session.get_one(model, pk).status) for model, pk in lives.values()}
    states = {(Ticket, each) for each in TicketStatus}
    states |= {(Agreement, each) for each in AgreementStatus if each.value != "expired"}
    states |= {(DutyList, each) for each in DutyListStatus}
    assert states <= seen


def allowed(
    session: Session, account: str, model: type[Any], pk: int
) -> dict[str, workflow.Step] | None:
    """Return the steps that the workflow offers an account; None if it does not see the record."""
    with acting_as(session, SYSTEM):
        actor = World(session).actor(account)
    with acting_as(session, actor):
        session.expire_all()
        record = session.get(model, pk)
        if record is None:
            return None
        return {step.action: step for step in workflow.available(session, record, actor)}


@pytest.mark.parametrize("account", PEOPLE)
def test_buttons_are_the_steps_that_may_be_taken(stage: Stage, lives: Found, account: str) -> None:
    client = stage.client(account)
    with stage.session() as session:
        for name, (model, pk) in lives.items():
            offered = allowed(session, account, model, pk)
            answer = client.get(f"{PATHS[model]}{pk}")
            if offered is None:
                assert answer.status_code in (403, 404), name
            elif answer.status_code == 200:
                forms = step_forms(answer.text)
                assert set(forms) == set(offered), f"{name} for {account}"
                check_inputs(offered, forms)
                press_in_vain(client, forms)
            else:
                assert not offered, f"{account} has no page on which to press {offered}"


def press_in_vain(client: FlaskClient, forms: dict[str, HtmlForm]) -> None:
    """A button pressed on a page that has moved on is told so; it is never "not yours"."""
    for action, form in forms.items():
        pressed = client.post(form.action, data=form.data(seen_status="somewhere else"))
        assert pressed.status_code in (409, 422), f"{action}: {pressed.status_code}"


def check_inputs(offered: dict[str, workflow.Step], forms: dict[str, HtmlForm]) -> None:
    """Each button's form asks for what its step takes, and carries the state that was shown."""
    for action, form in forms.items():
        wanted = {each.name for each in offered[action].inputs if each.kind != "grades"}
        asked = {name for name in form.names if not name.startswith("grade-")}
        assert asked - {"seen_status", "csrf_token"} == wanted
        assert form.data()["seen_status"]


#: What those may do to a ticket at its departments who have not got it in hand.
AT_WORK = {
    "township": {"merge"},
    "office": {"hand_over", "add_assisting", "remove_assisting", "merge"},
}
#: Written by hand: who sees which buttons in the states that matter most.
TICKET_BUTTONS: dict[str, dict[str, set[str]]] = {
    "draft": {
        key: {"raise", "withdraw", "hold_locally", "enter_paper"}
        for key in ("community", "township")
    },
    # What may not be whistled for is the place's own to solve; what a paper says has happened.
    "own duty": {
        key: {"withdraw", "hold_locally", "enter_paper"} for key in ("community", "township")
    },
    "pending_review": {
        "community": {"withdraw"},
        "township": {"approve", "decline_review", "withdraw", "merge"},
        "office": {"merge"},
    },
    "pending_dispatch": {
        "community": {"withdraw"},
        "township": {"withdraw", "merge"},
        "office": {"dispatch", "decline", "merge"},
    },
    "dispatched": AT_WORK
    | {"handler": {"accept", "request_return", "add_assisting"}, "handler2": {"assist_accept"}},
    "assisted": AT_WORK
    | {"handler": {"accept", "request_return", "add_assisting"}, "handler2": {"assist_report"}},
    "accepted": AT_WORK
    | {"handler": {"arrive", "request_return", "add_assisting"}, "handler2": {"assist_accept"}},
    "arrived": AT_WORK
    | {"handler": {"report_result", "add_assisting"}, "handler2": {"assist_accept"}},
    "return_pending": {
        "returns": {"approve_return", "refuse_return"},
        "township": {"merge"},
        "office": {"merge"},
    },
    "resolved": {
        "community": {"rate"},
        "township": {"rate", "reopen", "merge"},
        "office": {"reopen", "merge"},
        "handler": {"rate_assisting"},
        "handler2": {"assist_accept"},
    },
    "rated": {
        "community": {"amend_rating"},
        "township": {"amend_rating", "close", "reopen", "merge"},
        "office": {"close", "reopen", "merge"},
        "handler": {"rate_assisting"},
        "handler2": {"assist_accept"},
    },
    # The mechanism has sent it back by itself, and the rating may still be amended.
    "rated badly": {
        "community": {"amend_rating"},
        "township": {"amend_rating", "merge"},
        "office": AT_WORK["office"],
        "handler": {"accept", "add_assisting", "request_extension"},
        "handler2": {"assist_accept"},
    },
    "closed": {
        "community": {"amend_rating"},
        "township": {"amend_rating", "reopen"},
        "office": {"reopen"},
        "handler": {"rate_assisting"},
    },
    "reopened": AT_WORK
    | {
        "handler": {"accept", "add_assisting", "request_extension"},
        "handler2": {"assist_accept"},
    },
    "local": {
        "community": {"solve_locally", "hand_up", "withdraw"},
        "township": {"withdraw", "merge"},
        "office": {"merge"},
    },
    "merged": {"township": {"unmerge"}, "office": {"unmerge"}},
    "solved_locally": {},
    "declined": {},
    "withdrawn": {},
}
WATCHERS = ["community", "township", "office", "returns", "handler", "handler2"]
WATCHERS += ["inspector", "leader", "admin", "double"]


@pytest.mark.parametrize("name", TICKET_BUTTONS)
def test_buttons_by_hand(stage: Stage, lives: Found, name: str) -> None:
    _model, pk = lives[name]
    for account in WATCHERS:
        answer = stage.client(account).get(f"/tickets/show/{pk}")
        seen = set(step_forms(answer.text)) if answer.status_code == 200 else set()
        wanted = TICKET_BUTTONS[name].get(account, set())
        if account == "double":
            wanted = TICKET_BUTTONS[name].get("handler", set())
        assert seen == wanted, f"{name} for {account}"


def test_an_agreement_of_two_counties_is_changed_by_neither(stage: Stage, lives: Found) -> None:
    """Both sides' counties read it; what would be refused at the gate has no button."""
    _model, pk = lives["agreement of two counties"]
    for account, seen in (("party", True), ("partyb", True), ("admin", True), ("duty", False)):
        answer = stage.client(account).get(f"/agreements/show/{pk}")
        assert (answer.status_code == 200) is seen, account
        steps = set(step_forms(answer.text))
        assert steps == ({"renew", "terminate"} if account == "admin" else set()), account
