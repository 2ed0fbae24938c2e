"""Co-building agreements (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select

from models.agreement import Agreement, AgreementStatus
from models.organization import Organization
from rules.agreements import FIRST_PARTIES, SECOND_PARTIES, check
from rules.policy import Action
from rules.scope import reachable
from views.context import actor
from views.flow import FlowView
from views.forms import RecordForm
from views.presentation import MenuEntry


class AgreementView(FlowView):
    """The organisation department's ledger of agreements."""

    model = Agreement
    route_base = "/agreements"
    menu = (MenuEntry("一书三单", "共驻共建协议", "fa-handshake", 10),)
    list_columns = ["number", "community", "unit", "kind", "status", "valid_from", "valid_until"]
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
        ("协议双方", ["number", "kind", "community", "unit", "renews"]),
        *form_groups[1:],
    ]
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

    def editable(self, record: Any) -> str | None:
        """What was signed stays as it was signed."""
        if record.status is not AgreementStatus.DRAFT:
            return _(
                "协议“%(number)s”已是“%(status)s”，不能再修改或删除；需要调整请续签或终止。",
                number=record.number,
                status=_(record.status.title),
            )
        return None
