"""Every state of a ticket × every step × every account, against a table written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket import TicketStatus as S
from presets.mechanisms import PRESETS, fill
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict, Forbidden, Refused
from rules.workflow import Relation as R
from rules.workflows.tickets import TICKETS
from tests.factories.roads import brought_to, inputs, rate
from tests.factories.world import ACCOUNTS, World

#: What domain sections 6 and 7 let each account do to a ticket of A11 that A-D1 leads and A-D2
#: assists in. An account or a state that is not written may do nothing. A word in brackets says what
#: the mechanism must have: (grid) the grid route, (returns) returns, (term) a deadline to resolve.
TABLE = """
draft            community  raise withdraw enter_paper (grid)hold_locally
draft            township   raise withdraw enter_paper (grid)hold_locally
pending_review   community  withdraw
pending_review   township   approve decline_review withdraw merge
pending_review   office     merge
pending_dispatch community  withdraw
pending_dispatch township   withdraw merge
pending_dispatch office     dispatch decline merge
dispatched       township   merge
dispatched       office     hand_over add_assisting remove_assisting merge
dispatched       handler    accept add_assisting (returns)request_return (term)request_extension
dispatched       handler2   assist_accept
accepted         township   merge
accepted         office     hand_over add_assisting remove_assisting merge
accepted         handler    arrive add_assisting (returns)request_return (term)request_extension
accepted         handler2   assist_accept
arrived          township   merge
arrived          office     hand_over add_assisting remove_assisting merge
arrived          handler    report_result add_assisting (term)request_extension
arrived          handler2   assist_accept
resolved         community  rate
resolved         township   rate reopen merge
resolved         office     reopen merge
resolved         handler    rate_assisting
resolved         handler2   assist_accept
closed           community  amend_rating
closed           township   amend_rating reopen
closed           office     reopen
closed           handler    rate_assisting
declined         nobody
withdrawn        nobody
return_pending   township   merge
return_pending   office     merge
return_pending   returns    approve_return refuse_return
reopened         township   merge
reopened         office     hand_over add_assisting remove_assisting merge
reopened         handler    accept add_assisting request_extension
reopened         handler2   assist_accept
local            community  solve_locally hand_up withdraw
local            township   withdraw merge
local            office     merge
solved_locally   nobody
merged           township   unmerge
merged           office     unmerge
"""


@dataclass(frozen=True)
class Way:
    """How a preset goes, read off its description: the class tried, what it has, who reviews."""

    code: str
    has: frozenset[str]
    reviews: int = 1


#: The presets of domain section 3, by hand.
WAYS = {
    "yinchuan": Way("ordinary", frozenset({"returns", "term"})),
    "xingqing": Way("quick", frozenset({"grid", "term"})),
    "jiujiang": Way("ordinary", frozenset({"returns", "grid"}), reviews=2),
    "hohhot": Way("village", frozenset({"returns", "grid"})),
    "qingshuihe": Way("ordinary", frozenset({"returns"})),
    "wuzhong": Way("daily", frozenset({"returns"})),
}
BRACKET = re.compile(r"(?:\((\w+)\))?(\w+)")


def allowed_by(way: Way) -> dict[S, dict[str, set[str]]]:
    """Return the table as a preset has it: state → account → steps."""
    found: dict[S, dict[str, set[str]]] = {status: {} for status in S}
    for line in TABLE.strip().splitlines():
        status, account, *words = line.split()
        steps = set()
        for word in words:
            needed, action = BRACKET.fullmatch(word).groups()  # type: ignore[union-attr]
            if needed is None or needed in way.has:
                steps.add(action)
        if account != "nobody":
            found[S(status)][account] = steps  # type: ignore[call-arg]
    return found


ALLOWED = allowed_by(WAYS["jiujiang"])

#: Where a step leads. Not written: the state stays.
LEADS_TO: dict[str, S] = {
    "raise": S.PENDING_REVIEW,
    "hold_locally": S.LOCAL,
    "solve_locally": S.SOLVED_LOCALLY,
    "enter_paper": S.PENDING_REVIEW,
    "approve": S.PENDING_REVIEW,
    "decline_review": S.DECLINED,
    "dispatch": S.DISPATCHED,
    "decline": S.DECLINED,
    "accept": S.ACCEPTED,
    "arrive": S.ARRIVED,
    "report_result": S.RESOLVED,
    "request_return": S.RETURN_PENDING,
    "approve_return": S.PENDING_DISPATCH,
    "refuse_return": S.ACCEPTED,
    "hand_over": S.DISPATCHED,
    "close": S.CLOSED,
    "reopen": S.REOPENED,
    "withdraw": S.WITHDRAWN,
    "merge": S.MERGED,
    "unmerge": S.DISPATCHED,
}
STAY = {
    "assist_accept", "assist_arrive", "assist_report", "rate", "amend_rating", "rate_assisting",
    "amend_assisting", "request_extension", "approve_extension", "refuse_extension",
    "add_assisting", "remove_assisting", "hand_up",
}  # fmt: skip
#: Steps that nobody takes by hand.
INNER = {"take_in", "give_back", "correct_rating", "supervise"}
#: Steps that something besides state and role decides about.
GUARDED = {
    "close", "assist_arrive", "assist_report", "approve", "decline_review", "amend_rating",
    "amend_assisting", "rate_assisting", "request_extension", "approve_extension",
    "refuse_extension", "rate", "assist_accept",
}  # fmt: skip

#: What each account may do at all, in some state or other; elsewhere it is told why not now.
EVER: dict[str, set[str]] = {
    "community": {
        "raise", "withdraw", "rate", "hold_locally", "enter_paper", "amend_rating", "approve",
        "decline_review",
    },
    "township": {
        "raise", "withdraw", "rate", "approve", "decline_review", "close", "reopen", "merge",
        "unmerge", "hold_locally", "enter_paper", "amend_rating",
    },
    "office": {
        "dispatch", "decline", "close", "reopen", "merge", "unmerge", "hand_over",
        "add_assisting", "remove_assisting", "approve", "decline_review",
    },
    "returns": {"approve_return", "refuse_return", "approve_extension", "refuse_extension"},
    "handler": {
        "accept", "arrive", "report_result", "request_return", "request_extension",
        "add_assisting", "rate_assisting", "amend_assisting",
    },
    "handler2": {"assist_accept", "assist_arrive", "assist_report"},
}  # fmt: skip
BEFORE_DISPATCH = {
    S.DRAFT, S.PENDING_REVIEW, S.PENDING_DISPATCH, S.DECLINED, S.WITHDRAWN, S.LOCAL,
    S.SOLVED_LOCALLY,
}  # fmt: skip
CHINESE = re.compile("[\u4e00-\u9fff].*。$")


def test_the_tables_know_the_same_steps_and_states() -> None:
    assert {step.action for step in TICKETS.steps} == set(LEADS_TO) | STAY | INNER
    assert set(ALLOWED) == set(S)


def test_the_workflow_table_says_what_was_written_by_hand() -> None:
    """Without a database: states and roles of the table, less what only a guard can refuse."""
    for status in S:
        for account, (_place, role) in ACCOUNTS.items():
            said = {
                step.action
                for step in TICKETS.steps
                if status in step.froms
                and any(each == role and to in _stands(account, status) for each, to in step.who)
            }
            allowed = ALLOWED[status].get(account, set())
            assert said - GUARDED == allowed - GUARDED, (status, account)
            assert allowed <= said


def _stands(account: str, status: S) -> set[R]:
    """Return how an account stands to the ticket, written by hand."""
    there = status not in BEFORE_DISPATCH
    parties = {"handler": {R.LEAD}, "handler2": {R.ASSISTING}}
    if account in parties:
        return parties[account] if there else set()
    if account in ("community2", "township2") or account.endswith("b"):
        return set()
    in_hand = status is S.LOCAL and account == "community"
    return {R.AREA, R.IN_HAND} if in_hand else {R.AREA}


@pytest.fixture(params=list(S), ids=lambda status: status.value)
def status(request: pytest.FixtureRequest) -> S:
    """Each state in turn."""
    found: S = request.param
    return found


def test_every_step_that_is_allowed(session: Session, world: World, status: S) -> None:
    ticket = brought_to(world, status)
    for account in ACCOUNTS:
        actor = world.actor(account)
        allowed = ALLOWED[status].get(account, set())
        with acting_as(session, actor):
            offered = {step.action for step in workflow.available(session, ticket, actor)}
        # What was loaded for somebody who sees nothing must not stand in for what is there.
        session.expire_all()
        assert offered == allowed, account
        for action in sorted(allowed):
            _takes(session, world, ticket, action, actor)


def _takes(session: Session, world: World, ticket: Ticket, action: str, actor: Actor) -> None:
    before = ticket.status
    data = inputs(world, ticket, action)
    steps = len(ledger.events_of(session, ticket))
    with session.begin_nested() as savepoint, acting_as(session, actor):
        reached = workflow.apply(session, ticket, action, actor, data)
        with acting_as(session, SYSTEM):
            last = ledger.events_of(session, ticket)
            assert reached is ticket.status is _target(action, before, actor)
            if action == "enter_paper":
                # What the paper shows follows the entry, as steps of their own.
                assert [each.action for each in last[steps:]] == ["enter_paper", "raise"]
                last, reached = last[: steps + 1], S.DRAFT
            assert len(last) == steps + 1
            assert (last[-1].action, last[-1].from_status) == (action, before.value)
            assert last[-1].to_status == reached.value
            assert (last[-1].actor_id, last[-1].actor_name) == (actor.user_id, actor.name)
            assert last[-1].organization_name == actor.organization_name
            assert ledger.faults(last) == []
        savepoint.rollback()


def _target(action: str, before: S, actor: Actor) -> S:
    if action in ("raise", "enter_paper") and actor.name == "township":
        return S.PENDING_DISPATCH if actor.name == "township" else S.PENDING_REVIEW
    return before if action in STAY else LEADS_TO[action]


def test_every_step_that_is_refused(one_session: Session, one_world: World, status: S) -> None:
    """Nothing moves, nothing is written, and a sentence says why."""
    session, world = one_session, one_world
    ticket = brought_to(world, status)
    session.commit()
    steps, version = len(ledger.events_of(session, ticket)), ticket.version
    last = ledger.events_of(session, ticket)[-1]
    data = {action: inputs(world, ticket, action) for action in [*LEADS_TO, *STAY]}
    for account, action in _refused(status):
        actor = world.actor(account)
        with acting_as(session, actor), pytest.raises(Refused) as refusal:
            workflow.apply(session, ticket, action, actor, data[action])
        expected = Conflict if _ever(account, action, status) else Forbidden
        assert type(refusal.value) is expected, (account, action)
        assert CHINESE.search(refusal.value.message)
        if expected is Conflict and action not in STAY | GUARDED:
            assert f"“{status.title}”" in refusal.value.message
            assert f"{last.organization_name}{last.actor_name}" in refusal.value.message
        assert not session.new
        assert not session.dirty
    session.rollback()
    assert (ticket.status, ticket.version) == (status, version)
    assert len(ledger.events_of(session, ticket)) == steps


def _refused(status: S) -> Iterator[tuple[str, str]]:
    """One account of each role tries everything; those from elsewhere, what their role may do."""
    elsewhere = {
        "community2": "community",
        "communityb": "community",
        "township2": "township",
        "townshipb": "township",
        "officeb": "office",
        "handlerb": "handler",
        "unit2": "unit",
        "partyb": "party",
    }
    for account in ACCOUNTS:
        role = elsewhere.get(account)
        for action in sorted(EVER.get(role, set())) if role else [*LEADS_TO, *STAY]:
            if action not in ALLOWED[status].get(account, set()):
                yield account, action


def _ever(account: str, action: str, status: S) -> bool:
    if account in ("handler", "handler2") and status in BEFORE_DISPATCH:
        return False
    return action in EVER.get(account, set())


def test_the_system_may_take_every_step_that_a_person_may(session: Session, world: World) -> None:
    for status, accounts in ALLOWED.items():
        ticket = brought_to(world, status)
        mine = {"assist_accept"}  # needs a department of one's own
        wanted = set().union(*accounts.values()) - mine
        offered = {step.action for step in workflow.available(session, ticket, SYSTEM)}
        assert offered == wanted


def test_closing_is_offered_once_all_are_content(session: Session, world: World) -> None:
    ticket = brought_to(world, S.RESOLVED)
    rate(world, ticket)
    assert offers(world, ticket) == {
        "office": {"close", "reopen", "merge"},
        "township": {"close", "reopen", "merge", "amend_rating"},
        "community": {"amend_rating"},
        "handler": {"rate_assisting"},
        "handler2": {"assist_accept"},
    }


def offers(world: World, ticket: Ticket) -> dict[str, set[str]]:
    """Return the steps that each account is offered."""
    found = {}
    for account in ACCOUNTS:
        actor = world.actor(account)
        with acting_as(world.session, actor):
            steps = workflow.available(world.session, ticket, actor)
        world.session.expire_all()
        found[account] = {step.action for step in steps}
    return {account: names for account, names in found.items() if names}


# Every preset


def test_every_preset_was_written_by_hand() -> None:
    assert set(WAYS) == set(PRESETS)


@pytest.mark.parametrize("preset", WAYS)
def test_a_preset_needs_no_code_of_its_own(
    one_session: Session, one_world: World, preset: str
) -> None:
    """Each state of a ticket under each preset: what is offered to whom, and that it can be taken."""
    session, world, way = one_session, one_world, WAYS[preset]
    mechanism = world.whistle_class("ordinary").mechanism
    fill(mechanism, PRESETS[preset])
    session.flush()
    allowed = allowed_by(way)
    for status in S:
        if status is S.RETURN_PENDING and "returns" not in way.has:
            continue
        if status in (S.LOCAL, S.SOLVED_LOCALLY) and "grid" not in way.has:
            continue
        ticket = brought_to(world, status, code=way.code)
        session.commit()
        assert offers(world, ticket) == allowed[status], status
        for account, steps in allowed[status].items():
            for action in sorted(steps):
                data = inputs(world, ticket, action)
                with session.begin_nested() as savepoint:
                    world.step(ticket, action, account, **data)
                    savepoint.rollback()
        session.commit()


@pytest.mark.parametrize("preset", WAYS)
def test_a_preset_has_its_own_route(one_session: Session, one_world: World, preset: str) -> None:
    way = WAYS[preset]
    fill(one_world.whistle_class("ordinary").mechanism, PRESETS[preset])
    one_session.flush()
    ticket = one_world.raised(code=way.code)
    for _review in range(way.reviews):
        assert ticket.status is S.PENDING_REVIEW
        one_world.step(ticket, "approve", "township")
    assert ticket.status is S.PENDING_DISPATCH
