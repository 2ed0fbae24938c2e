"""Rating the departments of a ticket, amending it, and what a low rating brings (domain sections 6, 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.orm import joinedload, object_session

from models.appeal import RatingAppeal
from models.base import Titled
from models.grade import Grade
from models.ledger import Event
from models.mechanism import Mechanism
from models.rating import Rater, Rating
from models.ticket import Ticket, TicketAssignment, TicketStatus
from rules import bulk, ledger
from rules.errors import Conflict, Invalid
from rules.mechanisms import dimensions_of
from rules.workflow import Context
from rules.workflows import ticket_reopening as reopening
from rules.workflows.ticket_base import active, assisting, last_event

_NAMES = (joinedload(TicketAssignment.organization),)
#: Best first, as ``Grade`` names them.
_ORDER = list(Grade)
#: Department and dimension, by their ids → grade.
Grades = dict[tuple[int, int], Grade]
#: Which steps grade on whose behalf.
SIDES = {
    "rate": Rater.RAISER,
    "amend_rating": Rater.RAISER,
    "enter_paper": Rater.RAISER,
    "rate_assisting": Rater.LEAD,
    "amend_assisting": Rater.LEAD,
}


def to_grade(record: Ticket | RatingAppeal, action: str) -> list[TicketAssignment]:
    """Return whom the grades of a step are about, the lead first; nobody is asked to rate himself.

    The raising place grades every department at work, the lead those that assist it; whoever decides
    an appeal, the department that made it.
    """
    if isinstance(record, RatingAppeal):
        return _parts_of(record.ticket, record.department_id)
    if SIDES[action] is Rater.LEAD:
        return assisting(record)
    session = object_session(record)
    if session is not None:
        # While a step is taken, all that a rating asks comes in one statement.
        mechanism = record.whistle_class.mechanism
        ledger.read_with_end(
            session,
            record,
            Ticket.assignments,
            Ticket.ratings,
            beside=(mechanism, Mechanism.dimensions),
            loads=_NAMES,
        )
    return [each for each in active(record) if each.organization_id != record.organization_id]


def _parts_of(ticket: Ticket, organization_id: int) -> list[TicketAssignment]:
    """Return a department's last part in a ticket, whether it is still at work or not."""
    return [each for each in ticket.assignments if each.organization_id == organization_id][-1:]


def grades_of(ticket: Ticket, rater: Rater = Rater.RAISER) -> list[Rating]:
    """Return the grades of the present round as they stand, each in its last revision."""
    return standing(ticket, rater, ticket.reopen_count + 1)


def standing(ticket: Ticket, rater: Rater, number: int) -> list[Rating]:
    """Return the grades of a round as they stand, each in its last revision."""
    found: dict[tuple[int, int], Rating] = {}
    for each in ticket.ratings:
        key = (each.organization_id, each.dimension_id)
        other = found.get(key)
        ours = each.round == number and each.rater is rater
        if ours and (other is None or other.revision < each.revision):
            found[key] = each
    return list(found.values())


def low(mechanism: Mechanism, grades: Iterable[Grade]) -> list[Grade]:
    """Return the grades at or below the mechanism's bar."""
    bar = _ORDER.index(mechanism.low_grade)
    return [each for each in grades if _ORDER.index(each) >= bar]


# Rating


def may_not_rate(context: Context) -> str | None:
    """Each round is rated once, and by nobody who is at work on it."""
    if grades_of(context.record):
        return "这张哨单本轮已经评价；需要更正的，请办理“修改评价”。"
    return _own_work(context)


def _own_work(context: Context) -> str | None:
    ours = context.actor.organization_id
    if ours is not None and any(each.organization_id == ours for each in active(context.record)):
        return "贵单位是这张哨单的承办单位，不能评价自己。"
    return None


def rate(context: Context) -> None:
    """Grade every department at work in every dimension of the mechanism (domain section 8).

    ``grades`` maps "department id:dimension id" to a grade's value; none may be missing. A low
    grade sends the ticket back at once where the mechanism says so.
    """
    ticket: Ticket = context.record
    _changed, now = _write(context, "rate", ticket.reopen_count + 1)
    _stars(context)
    if context.log.get("paper"):
        return
    if low(ticket.whistle_class.mechanism, now.values()):
        reopening.by_rating(context)


def _stars(context: Context) -> None:
    """Keep the residents' stars and words as they were passed on."""
    ticket: Ticket = context.record
    if "stars" in context.data:
        ticket.stars = context.data["stars"]
        context.log["stars"] = ticket.stars
    if "stars_comment" in context.data:
        ticket.stars_comment = context.data["stars_comment"]
        context.log["stars_comment"] = ticket.stars_comment


def _write(context: Context, action: str, number: int) -> tuple[Grades, Grades]:
    """Write what changes as further rows; return that, and the round's grades as they stand now."""
    return _write_of(context, to_grade(context.record, action), SIDES[action], number)


def _write_of(
    context: Context, parts: list[TicketAssignment], rater: Rater, number: int
) -> tuple[Grades, Grades]:
    ticket: Ticket = context.record
    given = _given(context, parts)
    before = {
        (each.organization_id, each.dimension_id): each for each in standing(ticket, rater, number)
    }
    was = {key: each.grade for key, each in before.items()}
    changed = {key: grade for key, grade in given.items() if was.get(key) is not grade}
    rows = [
        {
            "ticket_id": ticket.id,
            "organization_id": key[0],
            "dimension_id": key[1],
            "round": number,
            "rater": rater,
            "revision": before[key].revision + 1 if key in before else 1,
            "grade": grade,
            "rated_by": f"{context.actor.organization_name} {context.actor.name}",
            "rated_at": context.now,
        }
        for key, grade in changed.items()
    ]
    # Past the session's objects: departments times dimensions would be many of them.
    bulk.judge(context.session, ticket)
    bulk.add(context.session, Rating, rows)
    context.session.expire(ticket, [Ticket.ratings.key])
    context.log["grades"] = {
        f"{department}:{dimension}": grade.value
        for (department, dimension), grade in changed.items()
    }
    return changed, was | changed


def _given(context: Context, parts: list[TicketAssignment]) -> Grades:
    """Return the grades that came for some departments; raise ``Invalid`` if one is missing."""
    ticket: Ticket = context.record
    known = {grade.value: grade for grade in Grade}
    found, missing = {}, []
    for part in parts:
        for dimension in dimensions_of(ticket.whistle_class):
            key = f"{part.organization_id}:{dimension.id}"
            grade = known.get(context.data["grades"].get(key, ""))
            if grade is None:
                missing.append(f"{part.organization.name}的“{dimension.name}”")
            else:
                found[part.organization_id, dimension.id] = grade
    if missing:
        message = f"请评价：{'、'.join(missing)}。"
        raise Invalid(message, grades=message)
    return found


def after_rating(context: Context) -> Titled:
    """Back to the departments if the rating sent it there."""
    if context.log.get("reopened_by_rating"):
        return TicketStatus.REOPENED
    if context.log.get("taken_back"):
        return TicketStatus.RESOLVED
    status: Titled = context.record.status
    return status


# The lead's rating of those who assist


def may_not_rate_assisting(context: Context) -> str | None:
    """Say why the lead does not rate now, if so."""
    ticket: Ticket = context.record
    if not ticket.whistle_class.mechanism.lead_rates_assisting:
        return "本地机制不由主办单位评价协办单位。"
    if not assisting(ticket):
        return "这张哨单没有协办单位。"
    if grades_of(ticket, Rater.LEAD):
        return "本轮已经评价过协办单位；需要更正的，请办理“修改协办评价”。"
    return None


def rate_assisting(context: Context) -> None:
    """The lead grades each department that assists it."""
    _write(context, "rate_assisting", context.record.reopen_count + 1)


# Amending


def may_not_amend(context: Context) -> str | None:
    """Say why the raising place's rating can not be amended now, if so."""
    number = round_rated(context)
    return (
        _own_work(context)
        or _too_late(context, Rater.RAISER, number)
        or _decided_on_appeal(context, number)
    )


def _decided_on_appeal(context: Context, number: int) -> str | None:
    """What the office has decided is not decided otherwise by whoever rated."""
    last = last_event(context, Event.action == "correct_rating")
    if last is not None and last.data.get("round") == number:
        return "本轮评价已按申诉复核改评，不能再修改。"
    return None


def may_not_amend_assisting(context: Context) -> str | None:
    """Say why the lead's rating can not be amended now, if so."""
    return _too_late(context, Rater.LEAD, context.record.reopen_count + 1)


def _too_late(context: Context, rater: Rater, number: int) -> str | None:
    ticket: Ticket = context.record
    given = standing(ticket, rater, number)
    if not given:
        return "本轮还没有评价，没有可以修改的内容。"
    hours = ticket.whistle_class.mechanism.amend_hours
    if context.now > _first_rated(ticket, rater, number) + dt.timedelta(hours=hours):
        return f"评价后 {hours} 小时内可以修改，现在已经超过。"
    return None


def _first_rated(ticket: Ticket, rater: Rater, number: int) -> dt.datetime:
    """Amending does not prolong the time for amending."""
    return min(
        each.rated_at for each in ticket.ratings if each.round == number and each.rater is rater
    )


def round_rated(context: Context) -> int:
    """Return the round whose rating may be amended: the last, if it has just sent the ticket back."""
    ticket: Ticket = context.record
    if ticket.status is TicketStatus.REOPENED and reopening.last_by_rating(context) is not None:
        return ticket.reopen_count
    return ticket.reopen_count + 1


def amend(context: Context) -> None:
    """Write the grades that change beside the old ones, and let the rating act as it stands now."""
    ticket: Ticket = context.record
    number = round_rated(context)
    stars = (ticket.stars, ticket.stars_comment)
    changed, now = _write(context, "amend_rating", number)
    _stars(context)
    if not changed and stars == (ticket.stars, ticket.stars_comment):
        raise Invalid("没有改动：所填的评价与原来的相同。")
    is_low = bool(low(ticket.whistle_class.mechanism, now.values()))
    if ticket.status is TicketStatus.REOPENED and not is_low:
        event = reopening.last_by_rating(context)
        if event is None:
            raise Conflict("承办单位已经开始重办，评价不能再修改。")
        reopening.take_back(context, event)
    elif ticket.status is TicketStatus.RESOLVED and is_low:
        reopening.by_rating(context)


def amend_assisting(context: Context) -> None:
    """Write the lead's grades that change beside the old ones."""
    changed, _now = _write(context, "amend_assisting", context.record.reopen_count + 1)
    if not changed:
        raise Invalid("没有改动：所填的评价与原来的相同。")


# Correcting on appeal


def correct(context: Context) -> None:
    """Write the grades that an appeal has brought a department beside the old ones.

    ``grades`` as in ``rate``, for the ``department`` (its id) in the ``round`` alone. An appeal never
    makes a grade worse: else nobody would dare to appeal. If the rating has sent the ticket back and
    nobody has begun again, and no grade of the round is low any more, the ticket is where it was.
    """
    ticket: Ticket = context.record
    department, number = context.data["department"], context.data["round"]
    before = {each.dimension_id: each.grade for each in standing(ticket, Rater.RAISER, number)
              if each.organization_id == department}  # fmt: skip
    changed, now = _write_of(context, _parts_of(ticket, department), Rater.RAISER, number)
    context.log |= {"round": number, "department": department}
    if not changed:
        raise Invalid("没有改动：所填的评价与原来的相同。不需要改评的，请办理“维持原评价”。")
    worse = [grade for (_department, dimension), grade in changed.items() if dimension not in before
             or _ORDER.index(grade) > _ORDER.index(before[dimension])]  # fmt: skip
    if worse:
        raise Invalid("申诉复核只能提高评价，不能降低。请核对各项评价，或办理“维持原评价”。")
    of_last_round = ticket.status is TicketStatus.REOPENED and ticket.reopen_count == number
    if of_last_round and not low(ticket.whistle_class.mechanism, now.values()):
        event = reopening.last_by_rating(context)
        if event is not None:
            reopening.take_back(context, event)


# Striking off


def may_not_close(context: Context) -> str | None:
    """Only what was rated, and by nobody at or below the bar, is struck off the ledger."""
    ticket: Ticket = context.record
    # What closing asks besides comes along: requests to drop, duplicates whose raisers are told.
    ledger.read_with_end(
        context.session, ticket, Ticket.ratings, Ticket.extensions, Ticket.duplicates
    )
    grades = grades_of(ticket)
    if not grades and to_grade(ticket, "rate"):
        return "还没有评哨，评价后才能销号。"
    poor = low(ticket.whistle_class.mechanism, [each.grade for each in grades])
    if poor:
        return f"有“{poor[0].title}”的评价，应退回重办，不能销号。"
    return None
