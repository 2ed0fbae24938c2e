"""Accounts, and changing one's own password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from flask import current_app, flash, redirect, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.sqla.models import Role as FabRole
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_user
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.security import check_password_hash
from wtforms import PasswordField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import EqualTo, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from models.account import Account
from presets.roles import Role
from rules import passwords
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid
from rules.passwords import WEAK
from rules.policy import Action
from views import permissions
from views.context import actor, session, unit_of_work
from views.forms import RecordForm
from views.presentation import FormGroup, MenuEntry
from views.records import RecordView
from views.rendering import named, shown


def hashed(password: str) -> str:
    """Return the hash to store; raises ``Invalid`` for a weak password."""
    method: str = current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt")
    return passwords.hashed(password, method)


class RolesField(SelectMultipleField):
    """A tick box for each role."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """Say in the reader's language what WTForms has in English only."""
        known = {choice[0] for choice in self.iter_choices()}
        if not known.issuperset(self.data or ()):
            raise ValidationError(_("所选角色不存在，请重新选择。"))


class AccountView(RecordView):
    """The administrator's ledger of accounts."""

    model = Account
    route_base = "/accounts"
    menu = (MenuEntry("系统管理", "用户", "fa-users", 20),)
    list_columns = ["username", "full_name", "organization", "role_names", "last_login"]
    search_columns = ["username", "last_name", "organization.name"]
    filter_columns = ["organization", "active"]
    order_columns = ["username"]
    form_groups = [
        ("账号", ["username", "last_name", "email", "organization", "active"]),
        ("角色与密码", ["role_names", "password"]),
    ]
    show_groups = [
        ("账号", ["username", "full_name", "email", "organization", "active"]),
        ("角色与登录", ["role_names", "last_login", "locked_until"]),
    ]
    labels = {
        "username": "账号",
        "last_name": "姓名",
        "first_name": "名",
        "full_name": "姓名",
        "email": "电子邮箱",
        "active": "启用",
        "role_names": "角色",
        "roles": "角色",
        "password": "密码",
        "last_login": "最近登录",
    }
    #: Everybody reads his own row, but only who may add accounts gets pages about them.
    demands = RecordView.demands | dict.fromkeys(
        ("can_list", "can_show", "can_options", "can_export"), Action.ADD
    )

    def fill(self, record: Any) -> None:
        """A new account is made to be used."""
        record.active = True

    def loads(self) -> list[Any]:
        """Roles are named in every row."""
        return [selectinload(Account.roles)]

    def extra_fields(self) -> dict[str, Any]:
        """FAB's columns carry no labels; roles and passwords need fields of their own."""
        long = Length(max=64, message=_("最多 64 字。"))
        return {
            "username": StringField(_("账号"), validators=[InputRequired(_("请填写账号。")), long]),
            "last_name": StringField(
                _("姓名"), validators=[InputRequired(_("请填写姓名。")), long]
            ),
            "email": StringField(_("电子邮箱"), validators=[Optional(), Length(max=320)]),
            "role_names": RolesField(
                _("角色"), choices=[(role.value, _(role.title)) for role in Role]
            ),
            "password": PasswordField(
                _("密码"), description=_("新账号必填；编辑时不填则不变。") + _(WEAK)
            ),
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Tick the roles that the account holds; a password is never shown."""
        names = dict.fromkeys(("username", "last_name", "email"))
        roles = [role.name for role in record.roles]
        return {name: getattr(record, name) for name in names} | {
            "role_names": roles,
            "password": "",
        }

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Put names, roles and password on the account; a new password ends its sessions and its lock."""
        database = session()
        record.username, record.last_name = (
            form["username"].data.strip(),
            form["last_name"].data.strip(),
        )
        record.first_name = record.first_name or ""
        record.version = (record.version or 0) + 1
        record.email = (form["email"].data or "").strip() or f"{record.username}@chuishao.invalid"
        self._refuse_namesake(record)
        wanted = form["role_names"].data or []
        record.roles = list(database.scalars(select(FabRole).where(FabRole.name.in_(wanted))))
        if form["password"].data:
            record.password = hashed(form["password"].data)
            record.locked_until = None
        elif record.password is None:
            message = _("新账号必须设置密码。")
            raise Invalid(message, password=message)

    def _refuse_namesake(self, record: Any) -> None:
        query = select(Account.id).where(Account.username == record.username)
        if record.id is not None:
            query = query.where(Account.id != record.id)
        if session().scalars(query).first() is not None:
            message = _("账号“%(name)s”已被使用，请换一个。", name=record.username)
            raise Invalid(message, username=message)

    def cell_username(self, record: Any) -> Markup | str:
        """Name the account, and say so if it is no longer in use."""
        return named(record.username, in_use=bool(record.active))

    def cell_full_name(self, record: Any) -> str:
        """Show the whole name."""
        return record.get_full_name()

    def cell_last_login(self, record: Any) -> str:
        """FAB writes the server's own time without a zone."""
        return shown(record.last_login.astimezone(dt.UTC) if record.last_login else None)

    def cell_role_names(self, record: Any) -> str:
        """Show the roles' titles."""
        return role_titles(role.name for role in record.roles)

    def change_roles(self, text: str | None) -> str:
        """Show the roles that an audit entry names, as ``rules.audit`` joins them."""
        return role_titles((text or "").split("、"))


def role_titles(names: Iterable[str]) -> str:
    """Return the titles of roles in the reader's language."""
    titles = {role.value: role.title for role in Role}
    return _("、").join(_(titles[name]) for name in names if name in titles)


class PasswordForm(FlaskForm):
    """The old password, and the new one twice."""

    old = PasswordField(_l("原密码"), validators=[InputRequired(_l("请填写原密码。"))])
    new = PasswordField(
        _l("新密码"), description=_l(WEAK), validators=[InputRequired(_l("请填写新密码。"))]
    )
    again = PasswordField(
        _l("再输一次新密码"), validators=[EqualTo("new", message=_l("两次输入的新密码不一致。"))]
    )


class MyPasswordView(BaseView):
    """Changing one's own password; the other sessions of the account end."""

    route_base = "/my-password"
    default_view = "change"

    def __init__(self) -> None:
        super().__init__()
        permissions.declare("MyPasswordView", {"can_change": None})

    @expose("/", methods=["GET", "POST"])
    @has_access
    def change(self) -> Any:
        """Show the form, or change the password."""
        form = PasswordForm()
        if not form.validate_on_submit():
            return self._page(form), 422 if form.is_submitted() else 200
        with acting_as(session(), SYSTEM):
            account = (
                session()
                .scalars(
                    select(Account)
                    .where(Account.id == actor().user_id)
                    .options(joinedload(Account.organization))
                )
                .one()
            )
            if not check_password_hash(account.password or "", form.old.data or ""):
                form.old.errors = [_("原密码不对。")]
                return self._page(form), 422
            try:
                with unit_of_work():
                    account.password = hashed(form.new.data or "")
                    account.session_generation += 1
            except Invalid as refusal:
                form.new.errors = [_(refusal.message)]
                return self._page(form), 422
            login_user(account)
        flash(_("密码已修改，其他设备上的登录已失效。"), "success")
        return redirect(url_for("WorkbenchView.index"))

    def _page(self, form: FlaskForm) -> str:
        page: str = self.render_template(
            "form.html",
            view_title=_("修改密码"),
            form=form,
            groups=[FormGroup("", ["old", "new", "again"])],
            cancel_url=url_for("WorkbenchView.index"),
            submit_label=_("修改密码"),
            clashes=[],
        )
        return page
