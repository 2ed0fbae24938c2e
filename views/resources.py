"""共治资源清单 (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from imports.specs.resources import RESOURCES
from models.organization import Organization, OrganizationKind
from models.resource import Resource, ResourceOffer
from models.service import ServiceProject, ServiceResource
from rules.agreements import SECOND_PARTIES
from rules.resources import check
from views.context import session
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser
from views.matching import match_link, panel_for_resource
from views.presentation import Link, MenuEntry
from views.rendering import shown
from views.tables import links_to

#: So many projects are named on a resource's page.
LATEST = 10


class ResourceView(FlowView):
    """What units have to give; communities see their partners'."""

    model = Resource
    route_base = "/resources"
    menu = (MenuEntry("一书三单", "共治资源清单", "fa-boxes-stacked", 20),)
    list_columns = ["name", "owner", "category", "amount", "status", "hours"]
    search_columns = ["name", "owner.name", "description"]
    filter_columns = ["status", "category", "owner"]
    order_columns = ["name"]
    wide_only = ["hours"]
    labels = {"amount": "数量", "offers": "提供范围", "services": "最近的服务项目"}
    form_groups = [
        ("资源", ["name", "category", "owner", "quantity", "measure", "description"]),
        ("可用时间与范围", ["available_from", "available_until", "hours", "offers"]),
        ("联系人", ["contact", "phone"]),
    ]
    show_groups = [*form_groups, ("使用情况", ["services"])]
    empty_text = "还没有共治资源。登记单位能提供的场地、人才、技术、设备、资金、物资和服务。"

    def choices(self, field: str) -> Select[Any]:
        """Owners are units; a resource is offered to communities that the reader's rows may name."""
        if field == "offers":
            kinds = (OrganizationKind.COMMUNITY,)
            return select(Organization).where(Organization.kind.in_(kinds), Organization.active)
        return (
            super().choices(field).where(Organization.kind.in_(SECOND_PARTIES), Organization.active)
        )

    def target(self, field: str) -> type[Any]:
        """Communities are chosen as organisations; the rows between are made on saving."""
        return Organization if field == "offers" else super().target(field)

    def extra_fields(self) -> dict[str, Any]:
        """The communities that it is offered to are one select box."""
        return {
            "offers": RecordSelectField(
                _("提供范围"),
                source=self.url("options", field="offers"),
                choose=chooser(session(), self.choices("offers"), Organization),
                multiple=True,
                description=_("不选表示提供给所有签约社区。"),
            )
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the communities."""
        return {"offers": [offer.organization for offer in record.offers]}

    def fill(self, record: Any) -> None:
        """A liaison registers for his own unit."""
        record.owner = self.own_place("owner")

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Keep the communities as they were chosen, and hold the resource to the rules."""
        wanted = list(form["offers"].data or [])
        for offer in [each for each in record.offers if each.organization not in wanted]:
            record.offers.remove(offer)
        present = {each.organization_id for each in record.offers}
        for place in wanted:
            if place.id not in present:
                record.offers.append(ResourceOffer(organization=place))
        check(record)

    def loads(self) -> list[Any]:
        """Nothing but the columns."""
        return [joinedload(Resource.owner)]

    def detail_loads(self) -> list[Any]:
        """The page names the communities."""
        return [
            joinedload(Resource.owner),
            selectinload(Resource.offers).joinedload(ResourceOffer.organization),
        ]

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead to what fits."""
        return match_link(record) if record is not None else []

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Show what needs an available resource fits, with the way to arrange a service."""
        panel = panel_for_resource(record)
        return super().shown(record, status, related=[panel] if panel else [], **more)

    def detail_services(self, record: Any) -> Markup | str:
        """Lead to the latest projects that use the resource, as far as the reader sees them."""
        tied = ServiceResource.service_id == ServiceProject.id
        query = select(ServiceProject).join(ServiceResource, tied)
        mine = query.where(ServiceResource.resource_id == record.id)
        latest = mine.order_by(ServiceProject.id.desc()).limit(LATEST)
        return links_to(session().scalars(latest).all())

    def cell_amount(self, record: Any) -> Markup | str:
        """Show the quantity with its measure."""
        return f"{record.quantity} {record.measure or ''}".strip()

    def detail_offers(self, record: Any) -> Markup | str:
        """Name the communities, or say that it is for all partners."""
        names = [offer.organization.name for offer in record.offers]
        return shown(names) if names else _("所有签约社区")

    def editable(self, record: Any) -> str | None:
        """A resource stays its owner's to describe; only its withdrawal is a step."""
        if record.status in RESOURCES.open_in:
            return None
        return _("资源“%(name)s”已停用，恢复提供之后再修改。", name=record.name)
