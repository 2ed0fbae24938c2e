"""RecordView: list, form, detail page and deletion of a record type, generated from its declaration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, inspect, select
from werkzeug.wrappers import Response

from models.registry import type_name
from models.scoping import Anchored
from rules import personal, workflow
from rules.errors import Conflict, Refused, Stale
from rules.policy import Action
from rules.references import refuse_if_referenced
from rules.scope import reachable
from views import details, forms, permissions
from views.clashes import clashes
from views.context import STALE, actor, record_id, session, unit_of_work
from views.exports import Workbooks
from views.listing import LARGEST_ID
from views.presentation import Clash, FormGroup, Link, MenuEntry
from views.queries import Names
from views.queries import Options as Options
from views.registry import views_by_model
from views.rendering import label_of
from views.tables import ListPage

# Named here, for inside the class ``list`` is a route.
FormGroups = list[tuple[str, list[str]]]
Links = list[Link]
Clashes = list[Clash]


@dataclass(frozen=True)
class RelatedList:
    """Rows of another view that hang from the record shown, by a relation of theirs."""

    view: str
    relation: str
    title: str


RelatedLists = list[RelatedList]


class RecordView(Workbooks, BaseView):
    """The pages of one record type. A subclass declares; it rarely codes.

    ``model`` is the record type, ``list_columns`` what a list shows, ``form_groups`` the titled
    groups of the form, ``show_groups`` those of the detail page (default: the form's),
    ``search_columns`` what the quick search looks through, ``filter_columns`` and
    ``order_columns`` what a list may be filtered and sorted by, ``related`` the lists below a
    detail page. Every read and write goes through the gate of ``rules.scope``.
    """

    #: routes of this class that the record type does not have
    exclude_route_methods: set[str] = set()
    form_groups: ClassVar[FormGroups]
    show_groups: ClassVar[FormGroups | None] = None
    related: ClassVar[RelatedLists] = []
    #: entries in the side navigation
    menu: ClassVar[tuple[MenuEntry, ...]] = ()
    empty_text: ClassVar[str] = ""
    #: permission → action of the policy; a subclass adds its own routes.
    demands: ClassVar[dict[str, Action]] = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_options": Action.READ,
        "can_add": Action.ADD,
        "can_edit": Action.EDIT,
        "can_delete": Action.DELETE,
        "can_step": Action.ACT,
    }
    policy_type: ClassVar[str | None] = None
    #: labels of cells and details that are no columns
    labels: ClassVar[dict[str, str]] = {}
    #: columns of the list that a phone leaves out
    wide_only: ClassVar[Names] = []
    #: fields of the form that are chosen when the record is made, and never again
    chosen_once: ClassVar[Names] = []

    def __init__(self) -> None:
        self.exclude_route_methods = self.exclude_route_methods | self.missing_routes()
        super().__init__()
        kind = self.policy_type or type_name(self.model)
        permissions.declare(
            self.class_permission_name,
            {
                name: (kind, action)
                for name, action in (self.workbook_demands | self.demands).items()
            },
        )
        views_by_model[self.model] = self

    # What subclasses may override

    def choices(self, field: str) -> Select[Any]:
        """Return the records that a relation may be set to: for a record's place, those in scope."""
        target = self.target(field)
        rule = self.model.__scope__
        (column,) = inspect(self.model).relationships[field].local_columns
        if isinstance(rule, Anchored) and column.key in rule.columns:
            kind = self.policy_type or type_name(self.model)
            return select(target).where(reachable(actor(), kind, target.id, Action.READ))
        return select(target)

    def own_place(self, field: str) -> Any:
        """Return the actor's own organisation, if he may choose it in a field of a new record."""
        kind, place = self.policy_type or type_name(self.model), self.target(field)
        mine = self.choices(field).where(
            place.id == actor().organization_id, reachable(actor(), kind, place.id, Action.ADD)
        )
        return session().scalars(mine).first()

    def fill(self, record: Any) -> None:
        """Set what a new record starts with, before the form is shown or filled in."""

    def before_save(self, record: Any, form: forms.RecordForm) -> None:
        """Check and complete a record that the form has filled in; raise ``Refused`` to stop."""

    def after_save(self, record: Any, form: forms.RecordForm, created: bool) -> None:
        """Do what belongs to the same transaction, after the record has its id."""

    def editable(self, record: Any) -> str | None:
        """Return why the record can no longer be edited or deleted, if so."""
        return None

    def groups_for(self, record: Any) -> FormGroups:
        """Return the form's groups for a record: a number that is shown masked is not edited."""
        if record.id is None:
            return self.form_groups
        hidden = set(self.chosen_once)
        if not personal.may_read(actor(), record):
            hidden |= personal.personal_fields(self.model)
        return [(title, [n for n in names if n not in hidden]) for title, names in self.form_groups]

    def extra_fields(self) -> dict[str, Any]:
        """Return form fields that are no columns, by name."""
        return {}

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Return what the extra fields show of a record as it stands."""
        return {}

    def extra_links(self, record: Any | None) -> Links:
        """Return further buttons of the list (no record) or of a detail page."""
        return []

    def saved_text(self, record: Any) -> str:
        """Return what is said when a record has been saved."""
        return _("已保存。")

    # Names and addresses

    def titled(self, route: str, otherwise: str) -> str:
        """Return what the side navigation calls a page of this view, so that the page agrees."""
        return next((_(each.label) for each in self.menu if each.route == route), otherwise)

    @property
    def noun(self) -> str:
        """The record type's Chinese name, for titles."""
        return _(self.model.__label__)

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds a permission on this view."""
        return permission in self.base_permissions and permissions.allowed(
            actor().roles, permission, self.class_permission_name
        )

    def url(self, route: str, **values: Any) -> str:
        """Return the address of one of this view's routes."""
        return url_for(f"{self.endpoint}.{route}", **values)

    def label(self, name: str) -> str:
        """Return the label of a column, a relation or a cell of the view's own."""
        if name in self.labels:
            return _(self.labels[name])
        return label_of(self.model, name)

    def target(self, field: str) -> type[Any]:
        """Return the record type that a relation leads to."""
        if field not in inspect(self.model).relationships:
            abort(404)
        target: type[Any] = inspect(self.model).relationships[field].mapper.class_
        return target

    # Routes

    @expose("/list/")
    @has_access
    def list(self) -> Any:
        """Show the rows in scope, filtered, sorted and paged."""
        page = ListPage(self, self.asked_for())
        return self.render_template(self.list_template, **(page.context() | self.list_context()))

    @expose("/show/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """Show one record with its related lists, steps and changes."""
        return self.shown(self.found(pk))

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Show the empty form, or make a record of the posted one."""
        record = self.model()
        self.fill(record)
        form = self.form(record)
        if request.method == "GET":
            return self.form_page(form, None)
        return self._save(form, record, created=True)

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: int) -> Any:
        """Show the filled form, or save it unless somebody else saved in between."""
        record = self.found(pk)
        if reason := self.editable(record):
            raise Conflict(reason)
        form = self.form(record)
        if request.method == "GET":
            form.version.data = str(record.version)
            return self.form_page(form, record)
        if form.version.data != str(record.version):
            return self._stale(form, record)
        return self._save(form, record, created=False)

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Delete a record that nothing else depends on."""
        record = self.found(pk)
        if reason := self.editable(record):
            raise Conflict(reason)
        title = str(record)
        with unit_of_work() as database:
            refuse_if_referenced(database, record)
            database.delete(record)
        flash(_("已删除“%(title)s”。", title=title), "success")
        return redirect(self.url("list"))

    @expose("/options/<field>")
    @has_access
    def options(self, field: str) -> Response:
        """Answer a select box: at most twenty records in scope whose name contains ``q``."""
        if field not in self.relation_fields():
            abort(404)
        return forms.options_of(self.choices(field), self.target(field), request.args.get("q", ""))

    # How the routes work

    def found(self, pk: int, loads: Options | None = None) -> Any:
        """Return the record, or answer 404 whether it is hidden or not there.

        ``loads`` stand in for ``detail_loads`` where less than the record's page is needed.
        """
        if pk > LARGEST_ID:
            abort(404)
        options = self.detail_loads() if loads is None else loads
        statement = select(self.model).where(self.model.id == pk).options(*options)
        record = session().scalars(statement).unique().first()
        if record is None:
            abort(404)
        return record

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Render a detail page."""
        context = details.DetailPage(self, record).context() | more
        return self.render_template(self.show_template, **context), status

    show_template: ClassVar[str] = "show.html"
    list_template: ClassVar[str] = "list.html"
    form_template: ClassVar[str] = "form.html"

    def list_context(self) -> dict[str, Any]:
        """Return what the list's template needs beside the table."""
        return {}

    def relation_fields(self) -> set[str]:
        """Return the relations that forms or filters of this view choose a record for."""
        names = {name for _title, group in self.form_groups for name in group}
        names |= set(self.filter_columns)
        return {name for name in names if name in inspect(self.model).relationships}

    def detail_loads(self) -> Options:
        """Return loader options for a record's own pages."""
        return []

    def form(self, record: Any) -> forms.RecordForm:
        """Return the form over a record, filled from the request if one was posted."""
        names = [name for _title, group in self.groups_for(record) for name in group]
        kind = forms.record_form(
            self.model,
            names,
            source=lambda name: self.url("options", field=name),
            choose=self._chooser,
            extra=self.extra_fields(),
        )
        form = kind(obj=record)
        if not form.is_submitted():
            for name, value in self.extras_of(record).items():
                form[name].data = value
        for field in form:
            if field.name in self.labels:
                field.label.text = self.label(field.name)
        return form

    def _chooser(self, field: str) -> Callable[[int], Any]:
        return forms.chooser(session(), self.choices(field), self.target(field))

    def form_page(
        self,
        form: forms.RecordForm,
        record: Any | None,
        status: int = 200,
        clashes: Clashes | None = None,
        **more: Any,
    ) -> Any:
        """Render the form."""
        title = _("编辑%(noun)s", noun=self.noun)
        if record is None:
            title = self.titled("add", _("新增%(noun)s", noun=self.noun))
        context = {
            "view_title": title,
            "form": form,
            "groups": [
                FormGroup(_(title), kept)
                for title, names in self.form_groups
                if (kept := [name for name in names if name in form])
            ],
            "cancel_url": self.url("show", pk=record.id) if record else self.url("list"),
            "submit_label": _("保存"),
            "clashes": clashes or [],
            "crumbs": details.crumbs(self, record, title),
        }
        return self.render_template(self.form_template, **(context | more)), status

    def _save(self, form: forms.RecordForm, record: Any, *, created: bool) -> Any:
        if not form.validate():
            return self._again(form, record, created, 422)
        try:
            with unit_of_work() as database, database.no_autoflush:
                forms.populate(form, record, self.extra_fields())
                self.before_save(record, form)
                database.add(record)
                database.flush()
                if created and workflow.workflow_of(self.model):
                    workflow.begin(database, record, actor())
                self.after_save(record, form, created)
                saved_id, said = record.id, self.saved_text(record)
        except Stale as refusal:
            return self._stale(form, self.found(record_id()), refusal.message)
        except Refused as refusal:
            if not (refusal.fields and form.add_errors(refusal.fields)):
                flash(refusal.message, "danger")
            return self._again(form, record, created, refusal.status)
        flash(said, "success")
        return redirect(self.url("show", pk=saved_id))

    def _again(self, form: forms.RecordForm, record: Any, created: bool, status: int) -> Any:
        if created:
            return self.form_page(form, None, status)
        return self.form_page(form, self.found(record_id()), status)

    def _stale(self, form: forms.RecordForm, record: Any, message: str = STALE) -> Any:
        """Show both texts; saving again is then a decision, made with open eyes."""
        form.validate()
        differing = clashes(self, form, record)
        form.version.raw_data = None
        form.version.data = str(record.version)
        flash(_(message), "warning")
        return self.form_page(form, record, 409, differing)
