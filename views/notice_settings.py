"""What one wants of notices outside the product: mail at once, daily or never, quiet hours, a test."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from flask import current_app, flash, redirect, url_for
from flask import session as cookie
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import RadioField, TimeField
from wtforms.validators import Optional

from jobs import notices
from models.account import Account
from models.delivery import Digest, NoticePreference
from models.organization import Organization
from notifications import wording
from notifications.channels import Mailbox, Settings, Undelivered, is_real
from notifications.quiet import Hours, read
from notifications.routing import quiet_hours
from rules.actor import SYSTEM, acting_as
from rules.policy import Action
from views import permissions
from views.context import actor, session, unit_of_work
from views.form_base import Form
from views.presentation import Crumb, FormGroup

#: Seconds between two test messages that somebody sends himself.
PAUSE = 60
#: How quiet hours may be: as in the county, one's own, none.
COUNTY, OWN, NONE = "county", "own", "none"


class NoticeSettingsForm(Form):
    """One's wishes."""

    email = RadioField(_l("怎么发送"))
    quiet = RadioField(_l("夜里等时段不打扰"))
    quiet_from = TimeField(_l("免打扰开始"), validators=[Optional()])
    quiet_until = TimeField(
        _l("免打扰结束"),
        validators=[Optional()],
        description=_l("可以跨过午夜，例如 22:00 到 07:00。突发紧急的哨单不受限制。"),
    )


class NoticeSettingsView(BaseView):
    """Everybody's own settings of notices."""

    route_base = "/notice-settings"
    default_view = "edit"

    def __init__(self) -> None:
        super().__init__()
        demand = ("notice_preference", Action.EDIT)
        permissions.declare("NoticeSettingsView", {"can_edit": demand, "can_test": demand})

    @expose("/", methods=["GET", "POST"])
    @has_access
    def edit(self) -> Any:
        """Show the settings, or keep them."""
        wish, address, settings = _wish(), _address(), notices.settings(current_app)
        mail = settings.smtp is not None and is_real(address)
        form = _form(wish, county_hours(), mail)
        if not form.is_submitted():
            return self._page(form, address, settings)
        if not (form.validate() and _hours_given(form)):
            return self._page(form, address, settings), 422
        with unit_of_work() as database:
            if wish is None:
                wish = NoticePreference(account_id=actor().user_id)
                database.add(wish)
            wish.email = next(each for each in Digest if each.value == form.email.data)
            wish.quiet_from, wish.quiet_until = _quiet(form)
        flash(_("已保存，从下一条消息起生效。"), "success")
        return redirect(url_for("NoticeSettingsView.edit"))

    @expose("/test", methods=["POST"])
    @has_access
    def test(self) -> Response:
        """Send oneself a mail, and say what came of it."""
        back = redirect(url_for("NoticeSettingsView.edit"))
        address, settings = _address(), notices.settings(current_app)
        if settings.smtp is None or not is_real(address):
            flash(_("现在还不能发送邮件，原因见下面的说明。"), "warning")
            return back
        if time.time() - cookie.get("mail_tried", 0) < PAUSE:
            flash(_("刚刚发过一封，请等一分钟再试。"), "warning")
            return back
        cookie["mail_tried"] = time.time()
        text = _("这是一封测试邮件。收到它，说明系统的消息可以发到您的邮箱。")
        # Nothing is held while the mail server takes its time.
        session().rollback()
        try:
            transport = notices.transport(current_app)
            title = wording.subject(_("测试邮件"))
            transport(Mailbox(settings.smtp, address), title, wording.body(text, settings.site))
        except Undelivered as why:
            flash(_("没有发出：%(why)s", why=_(why.message)), "danger")
        else:
            flash(_("已发出，请到 %(address)s 查收。", address=address), "success")
        return back

    def _page(self, form: NoticeSettingsForm, address: str, settings: Settings) -> str:
        title = _("消息设置")
        page: str = self.render_template(
            "notice_settings.html",
            view_title=title,
            form=form,
            groups=[
                FormGroup(_("电子邮件"), ["email"]),
                FormGroup(_("免打扰"), ["quiet", "quiet_from", "quiet_until"]),
            ],
            cancel_url=url_for("NoticeView.list"),
            submit_label=_("保存"),
            address=address if is_real(address) else "",
            mail_on=settings.smtp is not None,
            test_url=url_for("NoticeSettingsView.test"),
            crumbs=[Crumb(_("消息"), url_for("NoticeView.list")), Crumb(title)],
        )
        return page


def _wish() -> NoticePreference | None:
    mine = NoticePreference.account_id == actor().user_id
    return session().scalars(select(NoticePreference).where(mine)).first()


def _address() -> str:
    mine = select(Account.email).where(Account.id == actor().user_id)
    return session().scalar(mine) or ""


def county_hours() -> Hours:
    """Return the quiet hours of whoever has none of his own: the county's, which all may know."""
    mine = select(Organization.realm_id).where(Organization.id == actor().organization_id)
    realm = session().scalar(mine)
    with acting_as(session(), SYSTEM):
        return quiet_hours(session(), None, realm)


def _form(wish: NoticePreference | None, county: Hours, mail: bool) -> NoticeSettingsForm:
    own = read(wish.quiet_from, wish.quiet_until) if wish else None
    quiet = COUNTY if own is None else NONE if own.start == own.end else OWN
    shown = own if quiet == OWN else None
    form = NoticeSettingsForm(
        data={
            "email": (wish.email if wish else Digest.NEVER).value,
            "quiet": quiet,
            "quiet_from": _time(shown.start) if shown else None,
            "quiet_until": _time(shown.end) if shown else None,
        }
    )
    titles = {
        Digest.AT_ONCE: _("逐条发送：有消息就发"),
        Digest.DAILY: _("每天汇总：每天 8:00 一封，突发紧急的随时单独发"),
        Digest.NEVER: _("不发送：只在系统里看"),
    }
    form.email.choices = [
        (each.value, title) for each, title in titles.items() if mail or each is Digest.NEVER
    ]
    if not mail and not form.is_submitted():
        form.email.data = Digest.NEVER.value
    hours = f"{_time(county.start):%H:%M}–{_time(county.end):%H:%M}"
    none = county.start == county.end
    form.quiet.choices = [
        (COUNTY, _("按本地规定（不设）") if none else _("按本地规定（%(hours)s）", hours=hours)),
        (OWN, _("自己定")),
        (NONE, _("不设，随时可以发")),
    ]
    return form


def _time(minutes: int) -> dt.time:
    return dt.time(*divmod(minutes, 60))


def _hours_given(form: NoticeSettingsForm) -> bool:
    """Tell whether one's own hours are whole; says at the field what is missing."""
    if form.quiet.data != OWN:
        return True
    for field in (form.quiet_from, form.quiet_until):
        if field.data is None:
            field.errors = [_("自己定免打扰时间，请填写这一项。")]
            return False
    if form.quiet_from.data == form.quiet_until.data:
        form.quiet_until.errors = [_("结束和开始不能是同一时刻；不需要免打扰请选“不设”。")]
        return False
    return True


def _quiet(form: NoticeSettingsForm) -> tuple[str | None, str | None]:
    """Return quiet hours as they are kept: none at all end as they start."""
    if form.quiet.data == COUNTY:
        return None, None
    if form.quiet.data == NONE:
        return "00:00", "00:00"
    start, end = form.quiet_from.data, form.quiet_until.data
    return f"{start:%H:%M}", f"{end:%H:%M}"
