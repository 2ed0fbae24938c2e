"""What is due for supervision (三个必督, domain section 8): near a deadline, past it, again and again.

``find`` proposes; the office confirms into an order (``rules.workflows.supervision``).
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from models.supervision import Supervision
from presets.roles import Role
from rules import notices, supervision_deadlines, supervision_matters
from rules.proposals import Sweep
from rules.supervision_rules import plans


def find(session: Session, now: dt.datetime, *, matters: bool = True) -> int:
    """Propose all that is due for supervision at an instant; return how many proposals are new or graver.

    The session acts for the system. Call ``reports.facts.catch_up`` before: ``matters`` that come back
    are found in the facts, which takes longest and need not be asked as often as the deadlines. A
    second sweep right after finds nothing left to propose. Never commits.
    """
    sweep = Sweep(session, now, plans(session))
    for each in (
        supervision_deadlines.lapse,
        supervision_matters.in_hand,
        supervision_deadlines.near,
        supervision_deadlines.overdue,
        supervision_matters.low_ratings,
    ):
        each(sweep)
    if matters:
        supervision_matters.again(sweep)
    _tell_offices(sweep)
    return len(sweep.made) + sweep.changed


def _tell_offices(sweep: Sweep) -> None:
    """Tell each county's office once how many proposals are new, not each of them."""
    by_county: dict[int, list[Supervision]] = {}
    for each in sweep.made:
        by_county.setdefault(each.organization.realm_id or 0, []).append(each)
    for realm_id, new in sorted(by_county.items()):
        title = f"有 {len(new)} 件新的督办待确认：{new[0].matter}"
        notices.tell_county(
            sweep.session, realm_id, title, new[0], "found", roles=(Role.DISPATCHER,)
        )
