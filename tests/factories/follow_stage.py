"""What follows the stage's tickets: figures, orders, problems, meetings, appeals, bulletins, robots.

Each stands in A11 (led by A-D1), A12 (led by A-D2) and B11 (led by B-D1), or is its county's.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.appeal import RatingAppeal
from models.base import utcnow
from models.bulletin import Bulletin, BulletinTemplate
from models.delivery import Delivery, NoticeChannel, NoticePreference, NoticeRobot
from models.measure import FACT_KEYS, FactMonth, GradeMonth, TicketFact
from models.meeting import CoordinationMeeting, MeetingDecision, MeetingItem
from models.rating import Rater
from models.recurring import ProblemTicket, RecurringProblem
from models.supervision import Supervision, SupervisionRule
from models.ticket import Ticket
from rules.calendar import shanghai_date
from tests.factories import ledgers as make
from tests.factories.world import ACCOUNTS, World

Sees = dict[str, set[str]]
Ids = dict[type[Any], dict[str, set[int]]]
_A = {"A11", "A12"}
#: Communities by whose record an account reads it: its area's, or what its department has in hand.
_PLACES: Sees = {
    "admin": _A | {"B11"},
    **dict.fromkeys(("office", "inspector", "leader", "township"), _A),
    **{key: {"A11"} for key in ("community", "handler")},
    **{key: {"A12"} for key in ("community2", "handler2")},
    **{key: {"B11"} for key in ("officeb", "townshipb", "communityb", "handlerb")},
}
#: The figures also know the whistle that has not been sent out yet.
_FACTS: Sees = {
    account: places | ({"A21"} if account in ("admin", "office", "inspector", "leader") else set())
    for account, places in _PLACES.items()
} | {"township2": {"A21"}}
_COUNTIES: Sees = {
    "admin": {"A", "B"},
    **{key: {"A"} for key in ("office", "inspector", "leader")},
    "officeb": {"B"},
}
_SETTINGS: Sees = {"admin": {"A", "B"}, "office": {"A"}, "officeb": {"B"}}
#: What was issued is for everybody below; a bulletin that is not is its office's.
_BULLETINS: Sees = {
    "admin": {"A", "A not issued", "B"},
    **{key: {"A", "A not issued"} for key in ("office", "inspector", "leader")},
    **{
        key: {"A"}
        for key in ("township", "township2", "community", "community2", "handler", "handler2")
    },
    **{key: {"B"} for key in ("officeb", "townshipb", "communityb", "handlerb")},
}
#: Whoever reads all of a place: its sums by township, and by county. A department reads its own.
_TOWNSHIPS: Sees = {
    "admin": {"A1", "B1"},
    **{key: {"A1"} for key in ("office", "inspector", "leader", "township", "handler")},
    **{key: {"B1"} for key in ("officeb", "townshipb", "handlerb")},
}
FOLLOW: dict[type[Any], Sees] = {
    TicketFact: _FACTS,
    FactMonth: _TOWNSHIPS,
    GradeMonth: _COUNTIES | {"handler": {"A"}, "handlerb": {"B"}},
    Supervision: _PLACES,
    SupervisionRule: _SETTINGS | {"inspector": {"A"}},
    RecurringProblem: _PLACES,
    ProblemTicket: _PLACES,
    CoordinationMeeting: _COUNTIES,
    MeetingItem: _COUNTIES,
    MeetingDecision: _COUNTIES | {"handler": {"A"}, "handlerb": {"B"}},
    RatingAppeal: _PLACES,
    Bulletin: _BULLETINS,
    BulletinTemplate: _SETTINGS,
    NoticeRobot: _SETTINGS,
    NoticePreference: {name: {name} for name in ACCOUNTS},
    Delivery: {"admin": set(ACCOUNTS)},
}
LADDER = [{"hours": 0, "kind": "ordinary", "days": 3}]
_LEADS = {"A11": "A-D1", "A12": "A-D2", "B11": "B-D1"}


def follow(world: World, tickets: dict[str, Ticket]) -> Ids:
    """Make one of each, and return their ids by place, county or account."""
    problems = {place: _problem(world, place) for place in _LEADS}
    meetings = {county: _meeting(world, county) for county in ("A", "B")}
    return {
        TicketFact: {place: {_fact(world, place, each)} for place, each in tickets.items()},
        FactMonth: {each: {_fact_month(world, each)} for each in ("A1", "B1")},
        GradeMonth: {each: {_grade_month(world, each)} for each in ("A", "B")},
        Supervision: {place: {_order(world, place, tickets[place])} for place in _LEADS},
        SupervisionRule: {county: {_rule(world, county)} for county in meetings},
        RecurringProblem: {place: {each.id} for place, each in problems.items()},
        ProblemTicket: {
            place: {_made(world, ProblemTicket(problem=each, ticket=tickets[place]))}
            for place, each in problems.items()
        },
        CoordinationMeeting: {county: {each.id} for county, each in meetings.items()},
        MeetingItem: {
            county: {_made(world, MeetingItem(meeting=each, title="路灯"))}
            for county, each in meetings.items()
        },
        MeetingDecision: {
            county: {_decision(world, county, each)} for county, each in meetings.items()
        },
        RatingAppeal: {place: {_appeal(world, place, tickets[place])} for place in _LEADS},
        Bulletin: {
            key: {_bulletin(world, key[0], issued="not" not in key)}
            for key in ("A", "A not issued", "B")
        },
        BulletinTemplate: {county: {_template(world, county)} for county in meetings},
        NoticeRobot: {county: {_robot(world, county)} for county in meetings},
        NoticePreference: {name: {_preference(world, name)} for name in ACCOUNTS},
        Delivery: {name: {_delivery(world, name)} for name in ACCOUNTS},
    }


def _made(world: World, record: Any) -> int:
    number: int = make.made(world, record).id
    return number


def _fact(world: World, place: str, ticket: Ticket) -> int:
    day = shanghai_date(utcnow())
    lead = world.place(_LEADS[place]).id if place in _LEADS else None
    return _made(
        world,
        TicketFact(
            ticket_id=ticket.id,
            position=0,
            current=True,
            organization_id=ticket.organization_id,
            department_id=lead,
            whistle_class_id=ticket.whistle_class_id,
            class_name="平哨",
            theme=ticket.theme,
            channel=ticket.channel,
            nature=ticket.nature,
            emergency=False,
            status=ticket.status,
            day=day,
            month=day.year * 100 + day.month,
            dispatched=lead is not None,
            closed=False,
            returned=False,
            ticket_returned=False,
            reopened=False,
            grades=0,
            satisfied=0,
        ),
    )


def _fact_month(world: World, place: str) -> int:
    sums = {
        each.key: 0
        for each in FactMonth.__mapper__.column_attrs
        if each.key not in (*FACT_KEYS, "id")
    }
    township = world.place(place)
    return _made(
        world,
        FactMonth(
            place_id=township.id,
            month=202601,
            department_id=world.place(f"{place[0]}-D1").id,
            class_name="平哨",
            current=True,
            township_id=township.id,
            county_id=township.realm_id,
            **sums | {"raised": 1},
        ),
    )


def _grade_month(world: World, place: str) -> int:
    mechanism = world.whistle_class("ordinary", place).mechanism
    return _made(
        world,
        GradeMonth(
            place_id=world.place(place).id,
            month=202601,
            department_id=world.place(f"{place}-D1").id,
            dimension_id=mechanism.dimensions[0].id,
            rater=Rater.RAISER,
            rounds=1,
            tickets=1,
            points=85,
            squares=85**2,
        ),
    )


def _order(world: World, place: str, ticket: Ticket) -> int:
    order = Supervision(
        organization=world.place(place),
        ticket=ticket,
        department=world.place(_LEADS[place]),
        matter="路灯不亮",
        reason="超过期限三天",
    )
    return _made(world, order)


def _rule(world: World, county: str) -> int:
    return _made(world, SupervisionRule(organization=world.place(county), ladder=LADDER))


def _problem(world: World, place: str) -> RecurringProblem:
    problem = RecurringProblem(
        organization=world.place(place),
        title="路灯反复不亮",
        matter="路灯安装与维修",
        owner=world.place(_LEADS[place]),
    )
    made: RecurringProblem = make.made(world, problem)
    return made


def _meeting(world: World, county: str) -> CoordinationMeeting:
    meeting = CoordinationMeeting(
        organization=world.place(county), title="十一月调度会", held_at=utcnow()
    )
    made: CoordinationMeeting = make.made(world, meeting)
    world.step(made, "hold", "office" if county == "A" else "officeb")
    return made


def _decision(world: World, county: str, meeting: CoordinationMeeting) -> int:
    decision = MeetingDecision(
        meeting=meeting,
        organization=world.place(county),
        text="月底前换完",
        owner=world.place(f"{county}-D1"),
        due_on=shanghai_date(utcnow()) + dt.timedelta(days=9),
    )
    return _made(world, decision)


def _appeal(world: World, place: str, ticket: Ticket) -> int:
    appeal = RatingAppeal(
        ticket=ticket,
        organization=world.place(place),
        department=world.place(_LEADS[place]),
        reason="按时修好了",
    )
    return _made(world, appeal)


def _bulletin(world: World, county: str, *, issued: bool) -> int:
    place = world.place(county)
    return _made(
        world,
        Bulletin(
            organization=place,
            issued_to_id=place.id if issued else None,
            month=202610,
            title="十月通报",
        ),
    )


def _template(world: World, county: str) -> int:
    return _made(
        world,
        BulletinTemplate(
            organization=world.place(county),
            name="红头",
            file_name="红头.docx",
            file_hash="0" * 64,
        ),
    )


def _robot(world: World, county: str) -> int:
    robot = NoticeRobot(
        organization=world.place(county),
        name="吹哨群",
        channel=NoticeChannel.WECOM,
        address="https://127.0.0.1/robot?key=0",
    )
    return _made(world, robot)


def _preference(world: World, account: str) -> int:
    return _made(world, NoticePreference(account_id=world.account(account).id))


def _delivery(world: World, account: str) -> int:
    delivery = Delivery(
        key=f"一条消息:{account}",
        account_id=world.account(account).id,
        channel=NoticeChannel.EMAIL,
        next_at=utcnow(),
    )
    return _made(world, delivery)
