"""Duty lists by version, and their items (domain section 5)."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import request, send_file
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select
from sqlalchemy.orm import joinedload, selectinload

from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus
from models.organization import Organization, OrganizationKind
from reports.duty_changes import changes
from reports.workbook import MEDIA_TYPE, workbook
from rules.duty_lists import next_version, recount, set_departments
from rules.errors import Invalid
from rules.policy import Action
from rules.scope import reachable
from rules.workflows.ticket_effects import DISPATCHABLE
from views import details, duty_changes
from views.context import actor, session
from views.duty_books import DutyItemBooks, DutyListBooks
from views.duty_changes_book import sheets
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser
from views.listing import Order
from views.presentation import Link, MenuEntry
from views.records import RecordView, RelatedList
from views.rendering import badge, shown

LOCKED = "“%(title)s”已是“%(status)s”，不能再修改；需要调整请导入或新建一版草稿。"

#: Stands in the address by which the form's select box asks for places.
MAKING = "making"


def _locked(duty_list: DutyList) -> str | None:
    if duty_list.status is DutyListStatus.DRAFT:
        return None
    return _(LOCKED, title=duty_list, status=_(duty_list.status.title))


def _making(view: RecordView) -> bool:
    """Tell whether the request fills in the form, not the list's filters."""
    return request.endpoint in (f"{view.endpoint}.add", f"{view.endpoint}.edit") or (
        MAKING in request.args
    )


class DutyListView(DutyListBooks, FlowView):
    """Versions of the lists: a draft is imported or typed, publishing it supersedes the last."""

    model = DutyList
    route_base = "/duty-lists"
    menu = (MenuEntry("履职清单", "清单版本", "fa-list-check", 10),)
    list_columns = [
        "title",
        "organization",
        "list_type",
        "number",
        "status",
        "item_count",
        "published_at",
    ]
    search_columns = ["title", "organization.name"]
    filter_columns = ["organization", "list_type", "status"]
    form_groups = [("清单", ["organization", "list_type", "title"])]
    show_groups = [("清单", ["organization", "list_type", "number", "item_count", "published_at"])]
    related = [RelatedList("DutyItemView", "duty_list", "事项")]
    empty_text = "还没有清单。下载乡镇的三张清单工作簿，从 Excel 导入即可。"
    show_template = "duty_list_show.html"
    demands: ClassVar[dict[str, Action]] = FlowView.demands | {"can_changes": Action.READ}

    def choices(self, field: str) -> Select[Any]:
        """A list belongs to a township, a county or a city within reach.

        Reading reaches further than writing: a township reads its county's catalogue, filters by
        it, and keeps none there.
        """
        action = Action.ADD if _making(self) else Action.READ
        return (
            super()
            .choices(field)
            .where(
                Organization.kind.in_(
                    (OrganizationKind.TOWNSHIP, OrganizationKind.COUNTY, OrganizationKind.CITY)
                ),
                reachable(actor(), "duty_list", Organization.id, action),
            )
        )

    def form(self, record: Any) -> RecordForm:
        """Let the form's select box ask for places to write to."""
        form = super().form(record)
        form["organization"].source = self.url("options", field="organization", **{MAKING: "1"})
        return form

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Number a new version after the last."""
        if record.number is None:
            record.number = next_version(session(), record.organization, record.list_type)

    def editable(self, record: Any) -> str | None:
        """A published version stays as it was published."""
        return _locked(record)

    def cell_title(self, record: Any) -> str:
        """Name the version by its title, or by place and type."""
        return record.title or str(record)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer the workbook of a version on its page."""
        return self.version_links(record)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Say what a version changes above the button that publishes it."""
        found = changes(session(), record)
        return super().shown(record, status, summary=duty_changes.summary(found), **more)

    @expose("/changes/<int:pk>")
    @has_access
    def changes(self, pk: int) -> Any:
        """Show what a version changes against the one before it, and between the place's lists."""
        record = self.found(pk)
        found = changes(session(), record)
        title = _("版本变化")
        return self.render_template(
            "duty_changes.html",
            view_title=_("%(version)s的变化", version=record),
            badge_html=badge(record.status),
            crumbs=details.crumbs(self, record, title),
            summary=duty_changes.summary(found),
            parts=duty_changes.parts(found),
            export_url=self.url("changes_export", pk=pk),
        )

    @expose("/changes/<int:pk>/export")
    @has_access
    @permission_name("changes")
    def changes_export(self, pk: int) -> Any:
        """Send what a version changes as a workbook."""
        record = self.found(pk)
        file = workbook(sheets(changes(session(), record)))
        name = _("%(version)s的变化", version=record) + ".xlsx"
        return send_file(file, mimetype=MEDIA_TYPE, as_attachment=True, download_name=name)


class DutyItemView(DutyItemBooks, RecordView):
    """The matters themselves, searchable across lists."""

    model = DutyItem
    route_base = "/duty-items"
    menu = (MenuEntry("履职清单", "履职事项", "fa-clipboard-list", 20),)
    policy_type = "duty_list"
    list_columns = ["name", "category", "duty_list", "departments", "time_limit"]
    search_columns = ["name", "category"]
    filter_columns = ["duty_list"]
    order_columns = ["position", "name"]
    default_order = Order(descending=False)
    form_groups = [
        ("事项", ["duty_list", "serial", "category", "name", "departments"]),
        ("职责与办法", ["superior_duty", "township_duty", "work_method", "process", "time_limit"]),
    ]
    empty_text = "还没有履职事项。从 Excel 导入乡镇的三张清单即可。"

    def choices(self, field: str) -> Select[Any]:
        """Items belong to lists, new ones to drafts; departments are those that lists may name."""
        found = super().choices(field)
        if field == "duty_list":
            found = found.options(joinedload(DutyList.organization))
            if not _making(self):
                return found
            writable = reachable(actor(), "duty_list", DutyList.organization_id, Action.ADD)
            return found.where(DutyList.status == DutyListStatus.DRAFT, writable)
        return found.where(Organization.kind.in_(DISPATCHABLE), Organization.active)

    def form(self, record: Any) -> RecordForm:
        """Let the form's select box ask for drafts to write to."""
        form = super().form(record)
        form["duty_list"].source = self.url("options", field="duty_list", **{MAKING: "1"})
        return form

    def extra_fields(self) -> dict[str, Any]:
        """Departments are rows between item and organisation; here they are one select box."""
        return {
            "departments": RecordSelectField(
                _("对应部门"),
                source=self.url("options", field="departments"),
                choose=chooser(session(), self.choices("departments"), Organization),
                multiple=True,
                description=_("第一个是派单时的主办部门。"),
            )
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the departments as organisations."""
        return {"departments": [link.organization for link in record.departments]}

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Only drafts take items; the departments' order is the order chosen."""
        if reason := _locked(record.duty_list):
            raise Invalid(reason, duty_list=reason)
        if record.position is None:
            record.position = record.duty_list.item_count + 1
        set_departments(record, form["departments"].data)

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Keep the list's count true."""
        recount(session(), record.duty_list)

    def loads(self) -> list[Any]:
        """The list's place and the departments' names are shown in every row."""
        return [
            joinedload(DutyItem.duty_list).joinedload(DutyList.organization),
            selectinload(DutyItem.departments).joinedload(DutyItemDepartment.organization),
        ]

    def target(self, field: str) -> type[Any]:
        """Departments are chosen as organisations; the rows between are made on saving."""
        return Organization if field == "departments" else super().target(field)

    def cell_duty_list(self, record: Any) -> Markup:
        """Show place and type of the version, and its state unless it is the one in force."""
        version = record.duty_list
        state = "" if version.status is DutyListStatus.PUBLISHED else badge(version.status)
        return Markup("{} {} {}").format(version.organization.name, badge(version.list_type), state)

    def cell_departments(self, record: Any) -> Markup | str:
        """Name the departments, the one to dispatch to first."""
        return shown([link.organization.name for link in record.departments])

    def editable(self, record: Any) -> str | None:
        """Items of a published version stay as they were published."""
        return _locked(record.duty_list)
