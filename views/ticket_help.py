"""Help for whoever raises a whistle: may it be blown, why, and whom it would go to."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _

from models.ticket import Ticket
from rules.eligibility import judge
from views.context import session
from views.flow import FlowView
from views.listing import id_of


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
        ticked = ("1", "y")
        found = place and judge(
            session(),
            place,
            item,
            emergency=request.args.get("emergency") in ticked,
            local_tried=request.args.get("local_tried") in ticked,
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
        )

    def _choice(self, field: str) -> Any:
        number = id_of(request.args.get(field, ""))
        if number is None:
            return None
        statement = self.choices(field).where(self.target(field).id == number)
        return session().scalars(statement).unique().first()
