"""Organisations (domain section 2)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, select
from wtforms import StringField
from wtforms.validators import Length

from models.organization import Organization, OrganizationKind
from rules.policy import Action
from rules.scope import reachable
from views.context import actor, session
from views.forms import RecordForm
from views.listing import Order
from views.presentation import MenuEntry
from views.records import RecordView, RelatedList
from views.rendering import named


class OrganizationView(RecordView):
    """The tree of places and bodies; its names are reference data, its editing is the administrator's."""

    model = Organization
    route_base = "/organizations"
    menu = (MenuEntry("基础资料", "组织机构", "fa-sitemap", 10),)
    list_columns = ["name", "kind", "code", "parent", "phone"]
    search_columns = ["names.name", "code"]
    filter_columns = ["kind", "parent", "active"]
    order_columns = ["code", "name"]
    default_order = Order("code", descending=False)
    form_groups = [
        ("基本信息", ["code", "name", "aliases", "kind", "parent", "home_department"]),
        ("联系方式", ["phone", "remarks", "active"]),
    ]
    related = [
        RelatedList("OrganizationView", "parent", "下级机构"),
        RelatedList("AgreementView", "community", "作为甲方的协议"),
        RelatedList("AgreementView", "unit", "作为乙方的协议"),
    ]
    empty_text = "还没有组织机构。可以下载模板填写后导入，也可以逐个新增。"
    labels = {"aliases": "别名", "names": "名称或别名"}

    def choices(self, field: str) -> Select[Any]:
        """A parent is a place; a branch is sent by a department."""
        found = super().choices(field).where(Organization.active)
        if field == "home_department":
            return found.where(Organization.kind == OrganizationKind.DEPARTMENT)
        if self.may("can_add"):
            return found.where(reachable(actor(), "organization", Organization.id, Action.ADD))
        return found

    def editable(self, record: Any) -> str | None:
        """All may read every organisation, but change those of their area only."""
        inside = reachable(actor(), "organization", Organization.id, Action.EDIT)
        mine = select(Organization.id).where(Organization.id == record.id, inside)
        if self.may("can_edit") and session().scalar(mine) is None:
            return _("“%(name)s”不在您可以修改的范围内。", name=record.name)
        return None

    def extra_fields(self) -> dict[str, Any]:
        """Aliases are rows of their own; here they are one line."""
        return {
            "aliases": StringField(
                _("别名"),
                description=_("多个别名用顿号隔开；别名不能与其他机构的名称或别名重复。"),
                validators=[Length(max=500)],
            )
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the aliases as they are typed."""
        return {"aliases": "、".join(record.aliases)}

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Put the aliases on the record; the rules on names are checked when it is written."""
        text = form["aliases"].data or ""
        for mark in "，,；;\n":
            text = text.replace(mark, "、")
        record.set_aliases(text.split("、"))

    def cell_name(self, record: Any) -> Markup | str:
        """Name the organisation, and say so if it is no longer in use."""
        return named(record.name, in_use=record.active)
