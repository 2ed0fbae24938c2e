"""Importing workbooks in the browser: upload, preview by cell, apply, and the batch with its undo."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any, ClassVar

from flask import abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Select, select
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField
from wtforms.validators import InputRequired

from imports.engine import apply, preview
from imports.plan import Plan, SheetPlan
from imports.probe import WorkbookRefused
from imports.specs import RecordSpec
from imports.specs.agreements import AGREEMENTS
from imports.specs.check_ins import CHECK_INS
from imports.specs.needs import NEEDS
from imports.specs.resources import RESOURCES
from imports.specs.services import SERVICES
from models.duty import DutyListType
from models.organization import Organization, OrganizationKind
from rules.errors import Invalid, Refused
from rules.policy import Action
from rules.scope import reachable
from views import permissions
from views.context import actor, session, unit_of_work
from views.forms import RecordSelectField, chooser, options_of
from views.import_batches import kind_title
from views.presentation import Crumb
from views.registry import view_named

#: Seconds for which an uploaded file waits for its confirmation.
PATIENCE = 24 * 3600
#: Changes listed in a preview.
SHOWN = 200


class ApplyForm(FlaskForm):
    """What the confirmation sends back: which upload, and which plan the person has seen."""

    reference = HiddenField()
    shown = HiddenField()


class ImportView(BaseView):
    """Upload, preview and apply one kind of workbook; a subclass says which."""

    kind: ClassVar[str]
    record_type: ClassVar[str]
    help_items: ClassVar[list[str]] = []
    back: ClassVar[str]
    back_label: ClassVar[str]
    needs_owner: ClassVar[bool] = False
    default_view = "upload"

    def __init__(self) -> None:
        super().__init__()
        needed = dict.fromkeys(("can_upload", "can_preview", "can_apply", "can_owners"))
        permissions.declare(
            self.class_permission_name,
            dict.fromkeys(needed, (self.record_type, Action.IMPORT)),
        )

    @expose("/", methods=["GET", "POST"])
    @has_access
    def upload(self) -> Any:
        """Take a file in, and lead to its preview."""
        form = self._form()
        if request.method == "GET":
            return self._upload_page(form, 200)
        if not form.validate():
            return self._upload_page(form, 422)
        owner = form["owner"].data if self.needs_owner else None
        stored = store(form["file"].data)
        reference = self._sign(stored.name, form["file"].data.filename or "", owner)
        return redirect(url_for(f"{self.endpoint}.preview", reference=reference))

    @expose("/preview")
    @has_access
    def preview(self) -> Any:
        """Show what the file would do, cell by cell; writes nothing."""
        reference = request.args.get("reference", "")
        try:
            plan, owner = self._plan(reference)
        except (WorkbookRefused, Refused) as refusal:
            form = self._form()
            flash(_(str(refusal)), "danger")
            return self._upload_page(form, getattr(refusal, "status", 422))
        finally:
            session().rollback()
        return self._preview_page(plan, owner, reference, 422 if plan.errors else 200)

    @expose("/apply", methods=["POST"])
    @has_access
    def apply(self) -> Any:
        """Do it, all or nothing, if the file and the records are still as they were shown."""
        form = ApplyForm()
        if not form.validate():
            abort(400)
        folder = Path(current_app.config["DATA_DIR"]) / "imports"
        try:
            with unit_of_work() as database:
                plan, _owner = self._plan(form.reference.data or "")
                batch = apply(database, plan, shown=form.shown.data or "", archive=folder)
                batch_id = batch.id if batch else None
        except (WorkbookRefused, Refused) as refusal:
            flash(_(str(refusal)), "danger")
            return self._upload_page(self._form(), getattr(refusal, "status", 422))
        if batch_id is None:
            same = _("文件内容与系统中已有的完全一致，没有需要导入的内容。")
            flash(_("文件里没有数据，没有可以导入的内容。") if plan.empty else same, "info")
            return redirect(url_for(self.back))
        plan.path.unlink(missing_ok=True)
        flash(_("已导入。核对下面的结果，需要时可以整批撤销。"), "success")
        return redirect(url_for("ImportBatchView.show", pk=batch_id))

    @expose("/owners")
    @has_access
    def owners(self) -> Any:
        """Answer the select box of places whose lists the actor may import."""
        return options_of(self._owners(), Organization, request.args.get("q", ""))

    def help(self) -> list[str]:
        """Return what the upload page says of the files that it takes."""
        return [_(item) for item in self.help_items]

    def back_title(self) -> str:
        """Return how the page that the import belongs to is called."""
        view = view_named(self.back.split(".")[0])
        label = _(self.back_label)
        return view.titled("list", label) if view else label

    def template_url(self) -> str | None:
        """Return where the empty workbook is, if there is one."""
        return None

    def _owners(self) -> Select[Any]:
        return select(Organization).where(
            Organization.kind.in_(
                (OrganizationKind.TOWNSHIP, OrganizationKind.COUNTY, OrganizationKind.CITY)
            ),
            Organization.active,
            reachable(actor(), self.record_type, Organization.id, Action.IMPORT),
        )

    def _form(self) -> FlaskForm:
        fields: dict[str, Any] = {
            "file": FileField(
                _("Excel 文件"),
                description=_("xlsx、xls、xlsm、ods，不超过 20 MB。"),
                validators=[FileRequired(_("请选择要导入的文件。"))],
            )
        }
        if self.needs_owner:
            fields["owner"] = RecordSelectField(
                _("清单所属地区"),
                source=url_for(f"{self.endpoint}.owners"),
                choose=chooser(session(), self._owners(), Organization),
                validators=[InputRequired(_("请选择清单所属地区。"))],
            )
        form: FlaskForm = type("UploadForm", (FlaskForm,), fields)()
        if self.needs_owner and request.method == "GET":
            own = self._owners().where(Organization.id == actor().area_id)
            form["owner"].data = session().scalars(own).first()
        return form

    def _upload_page(self, form: FlaskForm, status: int) -> Any:
        return self.render_template(
            "import_upload.html",
            view_title=_("导入%(what)s", what=kind_title(self.kind)),
            form=form,
            help_items=self.help(),
            template_url=self.template_url(),
            cancel_url=url_for(self.back),
            crumbs=[Crumb(self.back_title(), url_for(self.back)), Crumb(_("从 Excel 导入"))],
        ), status

    def _preview_page(
        self, plan: Plan, owner: Organization | None, reference: str, status: int
    ) -> Any:
        form = ApplyForm(formdata=None, data={"reference": reference, "shown": plan.token})
        return self.render_template(
            "import_preview.html",
            view_title=_("核对导入内容"),
            file_name=plan.file_name,
            owner_name=owner.name if owner else kind_title(self.kind),
            sheets=[sheet_view(sheet) for sheet in plan.sheets],
            can_apply=not plan.errors,
            nothing_to_do=not plan.errors and not plan.differs,
            empty=plan.empty,
            apply_form=form,
            apply_url=url_for(f"{self.endpoint}.apply"),
            cancel_url=url_for(f"{self.endpoint}.upload"),
            crumbs=[
                Crumb(self.back_title(), url_for(self.back)),
                Crumb(_("从 Excel 导入"), url_for(f"{self.endpoint}.upload")),
                Crumb(_("核对导入内容")),
            ],
        ), status

    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(current_app.secret_key or "", salt=f"import-{self.kind}")

    def _sign(self, stored: str, original: str, owner: Organization | None) -> str:
        """Return a reference to an upload that only this person can use, and only for a while."""
        content = [stored, original[:255], owner.id if owner else None, actor().user_id]
        return str(self._signer().dumps(content))

    def _plan(self, reference: str) -> tuple[Plan, Organization | None]:
        """Make the plan of an upload anew; raises ``Invalid`` for a reference that is not good."""
        try:
            stored, original, owner_id, user_id = self._signer().loads(reference, max_age=PATIENCE)
        except (BadData, ValueError):
            raise Invalid(_("上传已过期，请重新上传文件。")) from None
        path = uploads() / stored
        if user_id != actor().user_id or not path.is_file():
            raise Invalid(_("上传已过期，请重新上传文件。"))
        owner = session().get(Organization, owner_id) if owner_id else None
        plan = preview(session(), self.kind, path, owner=owner, original_name=original)
        return plan, owner


class RecordImportView(ImportView):
    """The import of a declared record type; a subclass names the model and its view."""

    spec: ClassVar[RecordSpec]

    def __init_subclass__(cls) -> None:
        cls.kind = cls.spec.list_type
        cls.record_type = cls.spec.record_type
        cls.route_base = f"/imports/{cls.kind}"
        cls.back = f"{cls.__name__.removesuffix('ImportView')}View.list"
        cls.back_label = cls.spec.label

    def help(self) -> list[str]:
        """Say what the sheet must have, how rows are matched, and what is not imported."""
        spec = self.spec
        columns = _("、").join(_(each.label) for each in spec.fields if each.required)
        key = _("、").join(_(spec.field(name).label) for name in spec.key)
        lines = [
            _("表头至少要有：%(columns)s。列的顺序不限，模板里有全部的列和说明。", columns=columns),
            _("按“%(key)s”对应：已有的更新，没有的新增；文件里没有的不会删除。", key=key),
            _("机构写名称、别名或代码；不在您权限范围内的机构，逐行指出。"),
            _("内容没有变化的行不改动；有一处错误，整个文件都不导入。"),
        ]
        if any(each.name == "status" for each in spec.shown):
            lines.append(_("“状态”不导入：新增的从第一个状态开始，再在页面上逐步办理。"))
        return lines

    def template_url(self) -> str | None:
        """Lead to the empty workbook."""
        return url_for(f"{self.back.removesuffix('.list')}.template")


class AgreementImportView(RecordImportView):
    """Agreements from a workbook."""

    spec = AGREEMENTS


class ResourceImportView(RecordImportView):
    """Resources from a workbook."""

    spec = RESOURCES


class NeedImportView(RecordImportView):
    """Needs and wishes from a workbook."""

    spec = NEEDS


class ServiceProjectImportView(RecordImportView):
    """Service projects from a workbook."""

    spec = SERVICES


class CheckInImportView(RecordImportView):
    """Check-ins from a workbook."""

    spec = CHECK_INS


class OrganizationImportView(ImportView):
    """Organisations from a workbook."""

    route_base = "/imports/organizations"
    kind = "organizations"
    record_type = "organization"
    back = "OrganizationView.list"
    back_label = "组织机构"
    help_items = [
        "表头含：机构代码、机构名称、别名、机构类型、上级代码、联系电话、备注。",
        "按机构代码对应：已有的更新，没有的新增；文件里没有的机构不会删除。",
        "别名用顿号隔开，不能与其他机构的名称或别名重复。",
        "派驻机构在备注里写“派出单位：县公安局”，即与该部门关联。",
    ]


class DutyItemImportView(ImportView):
    """A place's duty lists from a workbook."""

    route_base = "/imports/duty-items"
    kind = "duty-items"
    record_type = "duty_list"
    back = "DutyListView.list"
    back_label = "清单版本"
    needs_owner = True
    help_items = [
        "一个工作簿可以含基本履职、配合履职、上级部门收回和事项清单，每张表一份清单。",
        "标题行、合并的类别行、备注行都能识别；类别可以是横幅，也可以是一列。",
        "一个单元格里的多个部门用换行、顿号或逗号隔开，按名称和别名对应到机构。",
        "导入后是草稿版本，发布后才用于研判；内容与现行版本一致时不产生新版本。",
    ]


def uploads() -> Path:
    """Return the folder of files that wait for confirmation; old ones are removed on the way."""
    folder = Path(current_app.config["DATA_DIR"]) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def store(file: FileStorage) -> Path:
    """Keep an uploaded file under a random name, and forget those that nobody confirmed."""
    folder = uploads()
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > PATIENCE:
            old.unlink(missing_ok=True)
    suffix = Path(file.filename or "").suffix.lower()[:6]
    path = folder / f"{secrets.token_hex(16)}{suffix if suffix[1:].isalnum() else ''}"
    file.save(path)
    return path


def sheet_view(sheet: SheetPlan) -> dict[str, Any]:
    """Return a sheet of the plan as the preview shows it."""
    titles = {kind.value: kind.title for kind in DutyListType}
    shown = sheet.result() | {
        "list_type_title": _(titles.get(sheet.list_type, sheet.label)),
        "shown_limit": None,
    }
    changes = [
        {
            "title": row.title,
            "cell": next(
                (change.cell for change in row.changes if change.cell),
                row.item.cells.get(sheet.main, ""),
            ),
            "kind": row.state.value,
            "fields": [(_(change.label), change.before, change.after) for change in row.changes],
        }
        for row in sheet.rows
        if row.state.value != "unchanged"
    ]
    changes += [
        {"title": each.title, "cell": "", "kind": "missing", "fields": []} for each in sheet.missing
    ]
    if len(changes) > SHOWN:
        shown["shown_limit"] = SHOWN
    return shown | {"changes": changes[:SHOWN]}
