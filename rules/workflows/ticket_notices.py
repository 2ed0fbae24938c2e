"""Who is told of a ticket's step: those who must act next, or whose matter it is.

Accepting, arriving and the like ask nobody to act: they tell nobody, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from models.ticket import Ticket, TicketStatus
from presets.roles import Role
from rules import notices
from rules.organizations import above
from rules.workflow import Context, Step
from rules.workflows.ticket_base import active
from rules.workflows.ticket_merge import merged_into
from rules.workflows.ticket_review import REVIEWERS, due_step

S = TicketStatus
Tell = Callable[[Context, str], None]


def tell(context: Context, step: Step) -> None:
    """Tell people of the step that has just been written, in its transaction."""
    found = _TOLD.get(step.action)
    if found is not None and not context.data.get("quiet"):
        found(context, step.label)


def _say(context: Context, label: str) -> str:
    return f"{label}：{context.record}"


def _to(context: Context, ids: list[int | None], title: str, *roles: Role) -> None:
    notices.tell(context.session, ids, title, context.record, _key(context), roles=roles)


def _key(context: Context) -> str:
    return f"step:{context.sequence}"


def _county(context: Context, title: str, *roles: Role) -> None:
    """Tell the county's own people of some roles: its office, its reviewers, its inspectors."""
    realm = context.record.organization.realm_id
    notices.tell_county(context.session, realm, title, context.record, _key(context), roles=roles)


def _office(context: Context, label: str) -> None:
    _county(context, _say(context, "待派单"), Role.DISPATCHER)


def _departments(context: Context, label: str) -> None:
    ids: list[int | None] = [part.organization_id for part in active(context.record)]
    _to(context, ids, _say(context, label), Role.DEPARTMENT_HANDLER)


def _lead(context: Context, label: str) -> None:
    _to(context, [context.record.lead_id], _say(context, label), Role.DEPARTMENT_HANDLER)


def _raiser(context: Context, label: str) -> None:
    _to(context, [context.record.organization_id], _say(context, label))


def _waiting(context: Context, label: str) -> None:
    """After raising and each review: whoever takes the next step."""
    ticket: Ticket = context.record
    if ticket.status is S.DISPATCHED:
        _departments(context, "待应哨")
        _county(context, _say(context, "直派登记"), Role.DISPATCHER)
    elif ticket.status is S.PENDING_DISPATCH:
        _office(context, label)
    elif ticket.status is S.LOCAL:
        _to(context, [ticket.holder_id], _say(context, "待处置"))
    else:
        step = due_step(ticket)
        if step is None:
            return
        role = REVIEWERS[step.level]
        if role is Role.DISPATCHER:
            _county(context, _say(context, f"待{step.name}"), role)
        else:
            _to(context, [*above(ticket.organization)], _say(context, f"待{step.name}"), role)


def _rated(context: Context, label: str) -> None:
    ticket: Ticket = context.record
    if ticket.status is S.REOPENED and context.log.get("reopened_by_rating"):
        _departments(context, "评价不过关，退回重办")
        if context.log.get("supervised"):
            _county(context, _say(context, "评价不过关，督办"), Role.INSPECTOR)
    elif context.log.get("taken_back"):
        _departments(context, "评价已更正，不再重办")
    else:
        _county(context, _say(context, "待销号"), Role.DISPATCHER)


def _corrected(context: Context, label: str) -> None:
    """Both sides hear of the appeal itself; all at work, that they need not begin again."""
    if context.log.get("taken_back"):
        _departments(context, "评价已更正，不再重办")


def _returned(context: Context, label: str) -> None:
    _office(context, label)
    by = context.log["returned_by"]["id"]
    _to(context, [by], _say(context, label), Role.DEPARTMENT_HANDLER)


def _reviewers(context: Context, label: str) -> None:
    _county(context, _say(context, label), Role.RETURN_REVIEWER)


def _handed_over(context: Context, label: str) -> None:
    _lead(context, "待应哨")
    old = context.log["handed_over_by"]["id"]
    _to(context, [old], _say(context, label), Role.DEPARTMENT_HANDLER)


def _added(context: Context, label: str) -> None:
    ids: list[int | None] = [each["id"] for each in context.log["assisting"]]
    _to(context, ids, _say(context, "待协办"), Role.DEPARTMENT_HANDLER)


def _removed(context: Context, label: str) -> None:
    ids: list[int | None] = [each["id"] for each in context.log["removed"]]
    _to(context, ids, _say(context, label), Role.DEPARTMENT_HANDLER)


def _closed(context: Context, label: str) -> None:
    """Whoever raised a duplicate hears of the end as well, on his own ticket."""
    _raiser(context, label)
    for other in merged_into(context, context.record):
        title = f"并入的主单已销号：{other}"
        notices.tell(
            context.session, (other.organization_id,), title, other, f"main:{_key(context)}"
        )


_TOLD: dict[str, Tell] = {
    "raise": _waiting,
    "approve": _waiting,
    "hand_up": _waiting,
    "hold_locally": _waiting,
    "decline_review": _raiser,
    "decline": _raiser,
    "dispatch": lambda context, _label: _departments(context, "待应哨"),
    "report_result": lambda context, _label: _raiser(context, "待评哨"),
    "request_return": _reviewers,
    "approve_return": _returned,
    "refuse_return": _lead,
    "request_extension": _reviewers,
    "approve_extension": _lead,
    "refuse_extension": _lead,
    "hand_over": _handed_over,
    "add_assisting": _added,
    "remove_assisting": _removed,
    "rate": _rated,
    "amend_rating": _rated,
    "correct_rating": _corrected,
    "reopen": _departments,
    "close": _closed,
    "merge": _raiser,
    "unmerge": _raiser,
    "solve_locally": _raiser,
}
