"""Co-building agreements (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from imports.specs.agreements import AGREEMENTS
from models.agreement import Agreement, AgreementStatus
from models.base import utcnow
from models.organization import Organization
from reports.letters import MOST
from rules.agreements import FIRST_PARTIES, SECOND_PARTIES, check, check_period
from rules.calendar import end_of_day, shanghai_date
from rules.policy import Action
from rules.reminders import DAYS_BEFORE
from rules.scope import reachable
from rules.wording import local, remaining
from views.context import actor, session
from views.flow import FlowView
from views.forms import RecordForm
from views.letters import letters_of
from views.listing import CURSORS
from views.presentation import Link, MenuEntry
from views.rendering import EMPTY
from views.scans import scans_context
from views.tables import links_to


class AgreementView(FlowView):
    """The organisation department's ledger of agreements."""

    model = Agreement
    route_base = "/agreements"
    menu = (MenuEntry("一书三单", "共驻共建协议", "fa-handshake", 10),)
    list_columns = [
        "number",
        "community",
        "unit",
        "kind",
        "status",
        "valid_from",
        "valid_until",
        "remaining",
    ]
    wide_only = ["valid_from"]
    labels = {"remaining": "剩余期限"}
    search_columns = ["number", "community.name", "unit.name"]
    filter_columns = ["status", "kind", "community", "unit", "valid_until"]
    order_columns = ["number", "valid_from", "valid_until"]
    form_groups = [
        ("协议双方", ["number", "kind", "community", "unit"]),
        ("期限", ["signed_on", "valid_from", "valid_until"]),
        ("内容", ["objectives", "community_promises", "unit_promises"]),
        (
            "联络人",
            ["community_liaison", "community_phone", "unit_liaison", "unit_phone"],
        ),
    ]
    show_groups = [
        ("协议双方", ["number", "kind", "community", "unit", "renews", "renewals"]),
        ("期限", ["signed_on", "valid_from", "valid_until", "remaining"]),
        *form_groups[2:],
    ]
    demands = FlowView.demands | {"can_letter": Action.READ, "can_letters": Action.READ}
    show_template = "agreement_show.html"
    empty_text = "还没有共驻共建协议。新增一份，填写双方、期限和承诺，双方签字后让它生效。"

    def choices(self, field: str) -> Select[Any]:
        """Offer communities and units of the actor's own area."""
        found = super().choices(field)
        if field == "renews":
            return found
        kinds = FIRST_PARTIES if field == "community" else SECOND_PARTIES
        return found.where(
            Organization.kind.in_(kinds),
            Organization.active,
            reachable(actor(), "agreement", Organization.id, Action.READ),
        )

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the agreement to the rules."""
        check(record)
        check_period(session(), record)

    def editable(self, record: Any) -> str | None:
        """What was signed stays as it was signed."""
        if record.status not in AGREEMENTS.open_in:
            return _(
                "协议“%(number)s”已是“%(status)s”，不能再修改或删除；需要调整请续签或终止。",
                number=record.number,
                status=_(record.status.title),
            )
        return None

    def cell_remaining(self, record: Any) -> Markup | str:
        """Show how long an agreement in force still runs, in words and by colour."""
        if record.status is not AgreementStatus.IN_FORCE:
            return EMPTY
        now, end = utcnow(), end_of_day(record.valid_until)
        days = (record.valid_until - shanghai_date(now)).days
        tone = "danger" if days < 0 else "warning" if days <= max(DAYS_BEFORE) else "info"
        return Markup('<span class="badge badge-{}" title="{}">{}</span>').format(
            tone, local(end), remaining(end, now, _)
        )

    def detail_renewals(self, record: Any) -> Markup | str:
        """Lead on to what the agreement was renewed as."""
        return links_to(record.renewals)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the scans."""
        return super().shown(record, status, **(scans_context(record) | more))

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer the letter: of this agreement, or of all that the list finds."""
        if record is not None:
            return [Link(_("打印协议书"), self.url("letter", pk=record.id), "fa-file-word")]
        asked = {name: value for name, value in request.args.items() if name not in CURSORS}
        return [
            Link(_("批量打印协议书"), self.url("letters", **asked), "fa-file-word", of_rows=True)
        ]

    @expose("/letter/<int:pk>")
    @has_access
    def letter(self, pk: int) -> Response:
        """Send an agreement as a Word document."""
        return letters_of([self.found(pk)])

    @expose("/letters")
    @has_access
    def letters(self) -> Response:
        """Send all that the list's filter finds as one Word document, in the list's order."""
        asked = self.asked_for()
        statement = self.ordered(self.listed(asked), asked).options(
            joinedload(Agreement.community).joinedload(Organization.realm),
            joinedload(Agreement.renews),
        )
        return letters_of(list(session().scalars(statement.limit(MOST + 1)).unique()))
