"""The pages of mechanisms: what applies, starting from a preset, editing, versions and what changed."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, exists, select
from werkzeug.wrappers import Response
from wtforms import RadioField
from wtforms.validators import InputRequired

from models.mechanism import Mechanism
from models.organization import REALMS, Organization
from presets.mechanism_plan import CLOCKS, MechanismPlan
from presets.mechanisms import KNOWN_FOR_LABELS, PRESETS, plan_of
from rules import mechanism_versions as versions
from rules.errors import Conflict, Refused, Stale
from rules.mechanism_checks import faults as faults_of
from rules.policy import Action
from views import details, forms
from views import mechanism_words as words
from views.context import record_id, session, unit_of_work
from views.listing import id_of
from views.mechanism_form import form_of, mark, move_row, posted
from views.mechanism_values import Values, plan_from, values_of
from views.presentation import Clash, Column, MenuEntry, Related, Row, Table
from views.records import RecordView
from views.rendering import named, shown


class MechanismView(RecordView):
    """Mechanisms with all that they say; the administrator starts, edits and restores them."""

    model = Mechanism
    route_base = "/mechanisms"
    menu = (MenuEntry("基础资料", "吹哨机制", "fa-gears", 30),)
    list_columns = ["name", "organization", "number", "in_force"]
    filter_columns = ["in_force"]
    form_groups = [("启用", ["organization", "preset"])]
    show_groups = [("机制", ["name", "organization", "number", "in_force", "created_at"])]
    labels = {"created_at": "启用时间"}
    show_template = "mechanism_show.html"
    exclude_route_methods = {"delete"}
    demands = RecordView.demands | {
        "can_changes": Action.READ,
        "can_restore": Action.EDIT,
        "can_retire": Action.EDIT,
    }
    empty_text = "还没有启用吹哨机制。系统管理员点“新增”，为县（市、区）或市从预设开始。"

    # What RecordView asks

    def choices(self, field: str) -> Select[Any]:
        """A mechanism is started by a city or a county that has none in force."""
        running = exists().where(Mechanism.organization_id == Organization.id, Mechanism.in_force)
        wanted = (Organization.kind.in_(REALMS), Organization.active, ~running)
        return super().choices(field).where(*wanted)

    def fill(self, record: Any) -> None:
        """Start with the actor's own county."""
        forms.prefill(record, "organization", self.own_place("organization"))

    def extra_fields(self) -> dict[str, Any]:
        """The preset to start from."""
        return {
            "preset": RadioField(
                _("从哪个预设开始"),
                choices=[(code, _(plan.name)) for code, plan in PRESETS.items()],
                validators=[InputRequired(_("请选择一个预设。"))],
            )
        }

    def editable(self, record: Any) -> str | None:
        """Only what is in force is edited; an earlier version is restored as a new one."""
        if record.in_force:
            return None
        return _(
            "%(version)s已经停用，不能修改。可以恢复为新的一版，再作修改。", version=str(record)
        )

    # Reading

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add what applies in words, the classes, the route, the dimensions and the versions."""
        plan = plan_of(record)
        parts = [*tables_of(plan), Related(_("历次版本"), self._versions(record))]
        groups = [*details.DetailPage(self, record).groups(), words.rules(plan)]
        may = self.may("can_edit") and details.writable(self, record, Action.EDIT)
        context = {
            "groups": groups,
            "related": parts,
            "restore_url": self.url("restore", pk=record.id)
            if may and not record.in_force
            else None,
            "retire_url": self.url("retire", pk=record.id) if may and record.in_force else None,
        }
        return super().shown(record, status, **(context | more))

    def change_fix_term(self, stored: Any) -> str:
        """Say a time limit that an edit has changed in words."""
        return words.stored_text(stored)

    def change_working_hours(self, spans: Any) -> str:
        """Say the hours of a working day that an edit has changed in words."""
        return words.spans_text(spans or [])

    def _versions(self, record: Mechanism) -> Table:
        """Return all versions of the place, the newest first, each with its changes."""
        columns = [
            Column("version", _("版本")),
            Column("at", _("启用时间")),
            Column("changes", _("比前一版")),
        ]
        rows = []
        every = self._of_place(record)
        for each, before in zip(every, [*every[1:], None], strict=True):
            changes = (
                Markup('<a href="{}">{}</a>').format(self.url("changes", pk=each.id), _("查看变化"))
                if before
                else _("首版")
            )
            name = named(_("第 %(n)s 版", n=each.number), in_use=each.in_force)
            cells = [name, shown(each.created_at), changes]
            rows.append(Row(each.id, self.url("show", pk=each.id), cells))
        return Table(columns, rows)

    def _of_place(self, record: Mechanism) -> Any:
        """Return the place's versions, the newest first."""
        own = select(Mechanism).where(Mechanism.organization_id == record.organization_id)
        return session().scalars(own.order_by(Mechanism.number.desc()).limit(100)).all()

    @expose("/changes/<int:pk>")
    @has_access
    def changes(self, pk: int) -> Any:
        """Show cell by cell what a version changed against the one before it, or any other."""
        record = self.found(pk)
        others = [each for each in self._of_place(record) if each.id != record.id]
        if not others:
            raise Conflict(_("%(version)s是首版，没有可以比较的版本。", version=str(record)))
        against = id_of(request.args.get("against", ""))
        earlier = [each for each in others if each.number < record.number] or others
        other = next((each for each in others if each.id == against), earlier[0])
        title = _("第 %(n)s 版的变化", n=record.number)
        return self.render_template(
            "mechanism_changes.html",
            view_title=title,
            crumbs=details.crumbs(self, record, title),
            record=record,
            other=other,
            others=others,
            differences=words.differences(plan_of(other), plan_of(record)),
            back_url=self.url("show", pk=record.id),
        )

    # Starting from a preset

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Show the presets with all that they say, or give a place the one that was chosen."""
        record = Mechanism()
        self.fill(record)
        form = self.form(record)
        if request.method == "GET":
            return self._presets(form)
        if not form.validate():
            return self._presets(form, 422)
        try:
            with unit_of_work() as database:
                chosen = PRESETS[form["preset"].data]
                made = versions.adopt(database, form["organization"].data, chosen)
                made_id, said = made.id, str(made)
        except Refused as refusal:
            if not (refusal.fields and form.add_errors(refusal.fields)):
                flash(refusal.message, "danger")
            return self._presets(form, refusal.status)
        flash(_("已启用%(version)s，可以按本地情况修改。", version=said), "success")
        return redirect(self.url("show", pk=made_id))

    def _presets(self, form: Any, status: int = 200) -> Any:
        title = _("启用吹哨机制")
        previews = {
            code: (_(KNOWN_FOR_LABELS[code]), words.rules(plan), tables_of(plan))
            for code, plan in ((code, words.in_our_words(each)) for code, each in PRESETS.items())
        }
        page = self.render_template(
            "mechanism_add.html",
            view_title=title,
            crumbs=details.crumbs(self, None, title),
            form=form,
            previews=previews,
            cancel_url=self.url("list"),
        )
        return page, status

    # Editing

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: int) -> Any:
        """Show the whole mechanism as a form, move its rows, or save it as what applies from now."""
        record = self.found(pk)
        if request.method == "GET":
            if reason := self.editable(record):
                raise Conflict(reason)
            return self._form(record, values_of(plan_of(record)), record.version)
        values, seen = posted(), id_of(request.form.get("version", "")) or 0
        if wanted := request.form.get("row"):
            return self._form(record, move_row(values, wanted), seen)
        plan, faults = plan_from(values, record.preset)
        try:
            # Looked at first of all: who comes late is told so, whatever else he wrote.
            if not record.in_force or record.version != seen:
                raise Stale(_("这个机制刚刚被别人保存过，您的修改没有写入。请对照后再保存。"))
            for place, sentence in faults_of(plan):
                faults.setdefault(place, _(sentence))
            if faults:
                return self._form(record, values, seen, 422, faults=faults)
            with unit_of_work() as database:
                saved = versions.save(database, record, seen, plan)
                saved_id, said = saved.id, self._said(record, saved, seen)
        except Stale as refusal:
            return self._overtaken(pk, plan, values, refusal.message)
        except Refused as refusal:
            flash(refusal.message, "danger")
            return self._form(self.found(pk), values, seen, refusal.status)
        flash(said, "success")
        return redirect(self.url("show", pk=saved_id))

    def _said(self, record: Mechanism, saved: Mechanism, seen: int) -> str:
        if saved is not record:
            return _(
                "已保存为第 %(n)s 版并启用。此前派出的哨单仍按原来的版本办理。", n=saved.number
            )
        if saved.version == seen:
            return _("内容没有变化，不需要保存。")
        return _("已保存。这一版还没有哨单使用，直接改在第 %(n)s 版上。", n=saved.number)

    def _overtaken(self, pk: int, plan: MechanismPlan, values: Values, message: str) -> Any:
        """Show what was typed beside what applies now; saving again is then a decision."""
        record = self.found(pk)
        present = versions.in_force_of(session(), record.organization_id)
        if present is None:
            flash(_("%(version)s已经停用，您填写的内容没有保存。", version=str(record)), "warning")
            return self._form(record, values, record.version, 409)
        flash(message, "warning")
        clashes = [
            Clash(f"{part.title}{_('：')}{label}", mine, theirs)
            for part in words.differences(plan_of(present), plan)
            for label, theirs, mine in part.cells
        ]
        return self._form(present, values, present.version, 409, clashes=clashes)

    def _form(
        self,
        record: Mechanism,
        values: Values,
        seen: int,
        status: int = 200,
        *,
        faults: dict[str, str] | None = None,
        clashes: list[Clash] | None = None,
    ) -> Any:
        form = form_of(values, seen)
        title = _("编辑%(noun)s", noun=self.noun)
        page = self.render_template(
            "mechanism_form.html",
            view_title=title,
            crumbs=details.crumbs(self, record, title),
            form=form,
            faults=mark(form, faults or {}),
            clashes=clashes or [],
            clocks=CLOCKS,
            # Elsewhere only where somebody has made a newer version meanwhile.
            action="" if record.id == record_id() else self.url("edit", pk=record.id),
            cancel_url=self.url("show", pk=record.id),
        )
        return page, status

    # Versions

    @expose("/restore/<int:pk>", methods=["POST"])
    @has_access
    def restore(self, pk: int) -> Response:
        """Bring an earlier version back, as the place's next one."""
        former = self.found(pk)
        with unit_of_work() as database:
            made = versions.restore(database, former)
            made_id, number = made.id, made.number
        flash(_("已按原内容恢复为第 %(n)s 版并启用。", n=number), "success")
        return redirect(self.url("show", pk=made_id))

    @expose("/retire/<int:pk>", methods=["POST"])
    @has_access
    def retire(self, pk: int) -> Response:
        """Take a version out of force, so that another preset can be chosen."""
        record = self.found(pk)
        title = str(record)
        with unit_of_work() as database:
            versions.retire(database, record)
        flash(_("已停用%(version)s。", version=title), "success")
        return redirect(self.url("show", pk=pk))


def tables_of(plan: MechanismPlan) -> list[Related]:
    """Return a mechanism's classes, route and dimensions as tables."""
    return [
        Related(_("哨种"), words.classes(plan)),
        Related(_("审核环节"), words.route(plan)),
        Related(_("评价维度"), words.dimensions(plan)),
    ]
