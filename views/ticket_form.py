"""Raising a whistle: the form, what may be chosen in it, and what is judged before it is saved."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from wtforms import RadioField
from wtforms.validators import InputRequired, Optional

from models.duty import DutyItem, DutyList, DutyListStatus
from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket, TicketStatus
from rules import mechanisms, workflow
from rules.eligibility import judge, keep, usable
from rules.errors import Invalid
from rules.parties import sync
from rules.policy import Action
from rules.scope import reachable
from rules.workflows.ticket_effects import DISPATCHABLE
from views.context import actor, session
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser
from views.presentation import Clash, Link
from views.rendering import label_of


class TicketForm(FlowView):
    """The form by which a whistle is blown, or kept as a draft."""

    model = Ticket
    form_groups = [
        ("问题", ["title", "detail", "address"]),
        ("清单依据", ["duty_item", "emergency", "local_tried"]),
        ("分类", ["whistle_class", "lead", "theme", "channel", "nature"]),
        ("吹哨单位与联系人", ["organization", "contact_name", "contact_phone"]),
    ]

    def choices(self, field: str) -> Select[Any]:
        """Offer the places of the actor's own area, and the published items of their lists."""
        found = super().choices(field)
        if field == "organization":
            found = found.where(
                Organization.kind.in_(
                    (OrganizationKind.TOWNSHIP, OrganizationKind.COMMUNITY, OrganizationKind.GRID)
                ),
                Organization.active,
            )
            if not self.may("can_add"):
                # Only a filter then, by names that all may read; a party has no area to offer.
                return found
            return found.where(reachable(actor(), "ticket", Organization.id, Action.ADD))
        if field == "lead":
            return found.where(Organization.kind.in_(DISPATCHABLE), Organization.active)
        if field == "duty_item":
            return (
                found.join(DutyItem.duty_list)
                .where(DutyList.status == DutyListStatus.PUBLISHED)
                .options(joinedload(DutyItem.duty_list))
            )
        return found

    def fill(self, record: Any) -> None:
        """A whistle is blown for one's own place unless one says otherwise."""
        record.organization = (
            session().get(Organization, actor().area_id) if actor().area_id else None
        )

    def extra_fields(self) -> dict[str, Any]:
        """The classes are those of the place's mechanism."""
        place = actor().area_id
        classes = mechanisms.classes_for(session(), place) if place else []
        return {
            "whistle_class": RadioField(
                label_of(Ticket, "whistle_class"),
                choices=[(each.id, f"{each.name}——{each.description}") for each in classes],
                coerce=int,
                validators=[InputRequired(_("请选择哨种。"))],
            ),
            "lead": RecordSelectField(
                _("派往部门"),
                source=self.url("options", field="lead"),
                choose=chooser(session(), self.choices("lead"), Organization),
                description=_("只有直派的哨种需要；不填则按清单派往对应部门。"),
                validators=[Optional()],
            ),
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the ticket's class."""
        return {"whistle_class": record.whistle_class_id}

    def form(self, record: Any) -> RecordForm:
        """New whistles are ordinary unless chosen otherwise."""
        form = super().form(record)
        choices = form["whistle_class"].choices
        if not form.is_submitted() and choices:
            form["whistle_class"].data = form["whistle_class"].data or choices[-1][0]
        return form

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Judge the whistle by the duty lists, and keep verdict and reason with the draft."""
        database = session()
        record.whistle_class = database.get(WhistleClass, form["whistle_class"].data)
        mechanism = mechanisms.mechanism_for(database, record.organization.id)
        if record.whistle_class is None or record.whistle_class.mechanism_id != mechanism.id:
            message = _("所选哨种不属于吹哨单位所在地区的机制，请重新选择。")
            raise Invalid(message, whistle_class=message)
        item = record.duty_item
        if item is not None and not usable(database, record.organization, item):
            message = _(
                "“%(item)s”不在吹哨单位所在乡镇（街道）、县（市、区）已发布的清单里，请重新选择。",
                item=item.name,
            )
            raise Invalid(message, duty_item=message)
        found = judge(
            database,
            record.organization,
            item,
            emergency=bool(record.emergency),
            local_tried=bool(record.local_tried),
        )
        keep(record, found)
        sync(database, record)

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Blow the whistle at once if that button was pressed."""
        if request.form.get("submit_action") == "raise":
            chosen = form["lead"].data
            data = {"lead": chosen.id} if chosen else {}
            workflow.apply(session(), record, "raise", actor(), data)

    def saved_text(self, record: Any) -> str:
        """Say whether the whistle has been blown, and what happens next."""
        if record.status is TicketStatus.DRAFT:
            return _("已存为草稿，还没有吹哨。")
        return _(
            "已吹哨，编号%(number)s，现在%(status)s。",
            number=record.number,
            status=_(record.status.title),
        )

    def editable(self, record: Any) -> str | None:
        """What was blown stays as it was blown."""
        if record.status is not TicketStatus.DRAFT:
            return _("哨单“%(number)s”已吹哨，不能再修改。", number=record.number)
        return None

    def form_page(
        self,
        form: RecordForm,
        record: Any | None,
        status: int = 200,
        clashes: list[Clash] | None = None,
        **more: Any,
    ) -> Any:
        """Offer to blow the whistle at once, and show beside the form whether it may be blown."""
        return super().form_page(
            form,
            record,
            status,
            clashes,
            aside_url=self.url("eligibility", format="html"),
            aside_fields=["duty_item", "organization", "emergency", "local_tried"],
            extra_submits=[Link(_("吹哨"), "raise", "fa-bullhorn")],
            submit_label=_("存为草稿"),
            **more,
        )
