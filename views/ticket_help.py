"""Help for whoever raises a whistle: which duty item, may it be blown, whom to call, is it there already."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import jsonify, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _

from models.mechanism import WhistleClass
from models.organization import Organization
from models.ticket import Ticket, Verdict
from rules.deadlines import Term, Unit
from rules.duty_match import Match, match, sounds_urgent
from rules.eligibility import judge
from rules.errors import Invalid
from rules.mechanisms import classes_for
from rules.similar import Similar, similar
from views.context import session
from views.flow import FlowView
from views.forms import choice_text
from views.listing import id_of

_TICKED = ("1", "y")
#: Shorter than this, a title says nothing yet.
_SHORTEST = 2


@dataclass(frozen=True)
class Suggestion:
    """A match with the class to blow it as, and the words of its deadlines."""

    match: Match
    text: str
    whistle_class: WhistleClass | None
    deadlines: list[str]


class TicketHelp(FlowView):
    """The answers that the form asks for while it is being filled in."""

    model = Ticket

    @expose("/eligibility")
    @has_access
    def eligibility(self) -> Any:
        """Answer the form: may this be blown, why, and whom it would go to.

        JSON, or with ``format=html`` the panel beside the form.
        """
        place, item = self._choice("organization"), self._choice("duty_item")
        found = place and judge(
            session(),
            place,
            item,
            emergency=request.args.get("emergency") in _TICKED,
            local_tried=request.args.get("local_tried") in _TICKED,
        )
        if request.args.get("format") == "html":
            return self.render_template("parts/eligibility.html", found=found)
        if not found:
            return jsonify(
                verdict=None, reason=_("请先选择吹哨单位。"), may_blow=False, departments=[]
            )
        return jsonify(
            verdict=found.verdict.value,
            title=_(found.verdict.title),
            tone=found.verdict.tone,
            reason=found.reason,
            may_blow=found.may_blow,
            departments=[each.name for each in found.departments],
            deadline=found.deadline,
        )

    @expose("/matches")
    @has_access
    def matches(self) -> Any:
        """Answer the form: which duty items the title may mean, with verdict and department.

        JSON, or with ``format=html`` the list below the title. Nothing for a place out of reach.
        """
        place, text = self._choice("organization"), request.args.get("text", "").strip()
        found: list[Suggestion] = []
        if place and len(text) >= _SHORTEST:
            ticked = request.args.get("emergency") in _TICKED or None
            tried = request.args.get("local_tried") in _TICKED
            matches = match(session(), place, text, emergency=ticked, local_tried=tried)
            found = _suggestions(place, matches)
        urgent = sounds_urgent(text) if place else None
        if request.args.get("format") == "html":
            return self.render_template("parts/duty_matches.html", found=found, urgent=urgent)
        return jsonify(urgent=urgent, matches=[_as_json(each) for each in found])

    @expose("/similar")
    @has_access
    def similar(self) -> Any:
        """Answer the form: open tickets in reach that may be about the same thing.

        JSON, or with ``format=html`` the list below the title. Nothing for a place out of reach.
        """
        place = self._choice("organization")
        found: list[Similar] = []
        if place:
            found = similar(
                session(),
                place,
                request.args.get("text", "").strip(),
                latitude=_degrees("latitude", 90),
                longitude=_degrees("longitude", 180),
                address=request.args.get("address", "").strip()[:200],
                exclude=id_of(request.args.get("exclude", "")),
            )
        if request.args.get("format") == "html":
            return self.render_template("parts/similar_tickets.html", found=found)
        return jsonify(
            tickets=[
                {
                    "id": each.ticket_id,
                    "number": each.number,
                    "title": each.title,
                    "address": each.address,
                    "status": _(each.status.title),
                    "reasons": [_(why.label, **dict(why.values)) for why in each.reasons],
                    "url": self.url("show", pk=each.ticket_id),
                }
                for each in found
            ]
        )

    def form_page(self, form: Any, record: Any | None, *args: Any, **more: Any) -> Any:
        """A draft is not similar to itself."""
        if record is not None and record.id is not None:
            more["similar_url"] = self.url("similar", exclude=record.id)
        return super().form_page(form, record, *args, **more)

    def _choice(self, field: str) -> Any:
        number = id_of(request.args.get(field, ""))
        if number is None:
            return None
        statement = self.choices(field).where(self.target(field).id == number)
        return session().scalars(statement).unique().first()


def _degrees(name: str, most: int) -> float | None:
    """Return a number of degrees from the address; None for what is none on the globe."""
    try:
        value = float(request.args.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and -most <= value <= most else None


def _suggestions(place: Organization, matches: Iterable[Match]) -> list[Suggestion]:
    """Put the class to each match: of an emergency the direct one, otherwise the usual one."""
    try:
        classes = classes_for(session(), place.id)
    except Invalid:  # no mechanism yet: nothing to suggest
        classes = []
    found = []
    for each in matches:
        fit = _class_for(classes, emergency=each.verdict is Verdict.EMERGENCY)
        found.append(Suggestion(each, choice_text(each.item), fit, _deadlines(each, fit)))
    return found


def _class_for(classes: list[WhistleClass], *, emergency: bool) -> WhistleClass | None:
    """Return the class that goes to the department at once, or the one that whistles usually are."""
    direct = [each for each in classes if each.direct_dispatch]
    others = [each for each in classes if not each.direct_dispatch]
    if emergency and direct:
        return direct[0]
    usual = [each for each in others if each.code == "ordinary"]
    return next(iter(usual or others or classes), None)


def _deadlines(found: Match, whistle_class: WhistleClass | None) -> list[str]:
    """Return the deadlines in words: the class's own, and the list's where the class follows it."""
    if not found.may_blow:
        return []
    listed = None if found.verdict is Verdict.EMERGENCY else found.deadline
    words = [_("清单时限 %(term)s", term=listed)] if listed else []
    for label, data in _terms(whistle_class):
        term = Term.from_json(data)
        if not (term.unit is Unit.per_item and listed):
            words.append(f"{label} {_(term.label)}")
    return words


def _terms(whistle_class: WhistleClass | None) -> list[tuple[str, Any]]:
    if whistle_class is None:
        return []
    terms = [
        (_("应哨"), whistle_class.respond_term),
        (_("报到"), whistle_class.arrive_term),
        (_("办结"), whistle_class.resolve_term),
    ]
    return [(label, data) for label, data in terms if data]


def _as_json(each: Suggestion) -> dict[str, Any]:
    found = each.match
    fit = each.whistle_class
    return {
        "id": found.item.id,
        "item": found.item.name,
        "text": each.text,
        "list_type": found.list_type.value,
        "departments": [{"id": place.id, "name": place.name} for place in found.departments],
        "verdict": found.verdict.value,
        "title": _(found.verdict.title),
        "tone": found.verdict.tone,
        "reason": found.reason,
        "may_blow": found.may_blow,
        "deadlines": each.deadlines,
        "whistle_class": {"id": fit.id, "name": fit.name} if fit else None,
    }
