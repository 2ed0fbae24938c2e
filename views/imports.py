"""Uploading workbooks: one page for each kind of import, for one file or several at once."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, ClassVar

from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField
from sqlalchemy import Select
from werkzeug.datastructures import FileStorage

from imports.specs import RECORDS, RecordSpec
from imports.whose import named
from jobs.imports import NEEDS_PLACE, in_reach, places, uploads
from models.import_job import ImportJob, ImportJobState
from models.organization import Organization
from rules.policy import Action
from views import permissions
from views.context import actor, session, unit_of_work
from views.forms import RecordSelectField, chooser, options_of
from views.import_batches import kind_title
from views.import_work import set_to_work
from views.presentation import Crumb
from views.registry import view_named

#: Files that one upload may bring.
MOST_FILES = 50


class ImportView(BaseView):
    """The upload of one kind of workbook; a subclass says which. The rest is ``ImportJobView``."""

    kind: ClassVar[str]
    record_type: ClassVar[str]
    help_items: ClassVar[list[str]] = []
    back: ClassVar[str]
    back_label: ClassVar[str]
    default_view = "upload"

    def __init__(self) -> None:
        super().__init__()
        needed = ("can_upload", "can_owners")
        permissions.declare(
            self.class_permission_name,
            dict.fromkeys(needed, (self.record_type, Action.IMPORT)),
        )

    @expose("/", methods=["GET", "POST"])
    @has_access
    def upload(self) -> Any:
        """Take files in, and lead to what they would do."""
        form = self._form()
        if request.method == "GET":
            return self._upload_page(form, 200)
        if not form.validate():
            return self._upload_page(form, 422)
        files = [each for each in form["files"].data if each and each.filename]
        if len(files) > MOST_FILES:
            flash(_("一次最多上传 %(n)s 个文件，请分几次上传。", n=MOST_FILES), "danger")
            return self._upload_page(form, 422)
        owner = form["owner"].data if "owner" in form else None
        told = self._places() if owner is None and self.kind in NEEDS_PLACE else []
        with unit_of_work() as database:
            bundle = secrets.token_hex(16)
            jobs = [self._job(each, owner, told, bundle) for each in files]
            database.add_all(jobs)
            database.flush()
            numbers = [(job.id, job.size) for job in jobs]
        for number, size in numbers:
            set_to_work("import-read", number, size if len(numbers) == 1 else None)
        if len(numbers) == 1:
            return redirect(url_for("ImportJobView.show", pk=numbers[0][0]))
        return redirect(url_for("ImportJobView.bundle", bundle=bundle))

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
        view = view_named(self.back.split(".")[0])
        return view.url("template") if view is not None and view.may("can_template") else None

    def _job(
        self, file: FileStorage, owner: Organization | None, places: list[Organization], bundle: str
    ) -> ImportJob:
        """Keep an uploaded file, and return its job: for the owner, or for the place it names."""
        stored = store(file)
        name = (file.filename or _("未命名"))[-255:]
        return ImportJob(
            account_id=actor().user_id,
            kind=self.kind,
            organization=owner or named([name], places),
            bundle=bundle,
            state=ImportJobState.WAITING,
            file_name=name,
            stored_name=stored.name,
            size=stored.stat().st_size,
            decisions={},
            findings={},
        )

    def _places(self) -> list[Organization]:
        return places(session(), self.kind)

    def _owners(self) -> Select[Any]:
        return in_reach(session(), self.kind)

    def _form(self) -> FlaskForm:
        fields: dict[str, Any] = {
            "files": MultipleFileField(
                _("Excel 文件"),
                description=_(
                    "xlsx、xls、xlsm、ods、et、csv，合计不超过 100 MB；可以一次选几个，也可以拖到这里。"
                ),
                validators=[FileRequired(_("请选择要导入的文件。"))],
            )
        }
        if self.kind in NEEDS_PLACE:
            fields["owner"] = RecordSelectField(
                _("清单所属地区"),
                source=url_for(f"{self.endpoint}.owners"),
                choose=chooser(session(), self._owners(), Organization),
                description=_("不选时按文件名和标题里的乡镇名称对应；认不出来的，上传后再选。"),
            )
        form: FlaskForm = type("UploadForm", (FlaskForm,), fields)()
        if "owner" in form and request.method == "GET":
            allowed = self._places()
            form["owner"].data = allowed[0] if len(allowed) == 1 else None
        return form

    def _upload_page(self, form: FlaskForm, status: int) -> Any:
        jobs = url_for("ImportJobView.list")
        return self.render_template(
            "import_upload.html",
            view_title=_("导入%(what)s", what=kind_title(self.kind)),
            form=form,
            help_items=self.help(),
            template_url=self.template_url(),
            cancel_url=url_for(self.back),
            jobs_url=jobs,
            crumbs=[Crumb(self.back_title(), url_for(self.back)), Crumb(_("从 Excel 导入"))],
        ), status


class RecordImportView(ImportView):
    """The import of a declared record type; a subclass names the declaration."""

    spec: ClassVar[RecordSpec]

    def __init_subclass__(cls) -> None:
        cls.kind = cls.spec.list_type
        cls.record_type = cls.spec.policy_type
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


class OrganizationImportView(ImportView):
    """Organisations from a workbook."""

    route_base = "/imports/organizations"
    kind = "organizations"
    record_type = "organization"
    back = "OrganizationView.list"
    back_label = "组织机构"
    help_items = [
        "表头含：机构代码、机构名称、别名、机构类型、上级代码、联系电话、备注。",
        "按机构代码对应：已有的更新，没有的新增；文件里没有的机构，只在您要求时停用。",
        "别名用顿号隔开，不能与其他机构的名称或别名重复。",
        "派驻机构在备注里写“派出单位：县公安局”，即与该部门关联。",
    ]


class DutyItemImportView(ImportView):
    """Places' duty lists from workbooks."""

    route_base = "/imports/duty-items"
    kind = "duty-items"
    record_type = "duty_list"
    back = "DutyListView.list"
    back_label = "清单版本"
    help_items = [
        "一个工作簿可以含基本履职、配合履职、上级部门收回和事项清单，每张表一份清单。",
        "标题行、合并的类别行、备注行都能识别；类别可以是横幅，也可以是一列。",
        "一个单元格里的多个部门用换行、顿号或逗号隔开，按名称和别名对应到机构。",
        "文件里没有的事项照旧保留，只在您要求时移除。",
        "导入后是草稿版本，发布后才用于研判；内容与现行版本一致时不产生新版本。",
    ]


def _declared(spec: RecordSpec) -> type[ImportView]:
    """Return the upload page of a declared record type."""
    kind: type[ImportView] = type(
        f"{spec.model.__name__}ImportView",
        (RecordImportView,),
        {"spec": spec, "__doc__": f"{spec.label} from a workbook.", "__module__": __name__},
    )
    return kind


globals().update(
    {f"{each.model.__name__}ImportView": _declared(each) for each in RECORDS if each.imported}
)


def store(file: FileStorage) -> Path:
    """Keep an uploaded file under a random name."""
    folder = uploads(current_app._get_current_object())  # type: ignore[attr-defined]
    suffix = Path(file.filename or "").suffix.lower()[:6]
    path = folder / f"{secrets.token_hex(16)}{suffix if suffix[1:].isalnum() else ''}"
    file.save(path)
    return path
