"""Group robots of organisations: what their people are told is said in the group, once a step."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from jobs import notices
from models.base import Titled
from models.delivery import NoticeChannel, NoticeRobot
from models.organization import Organization
from notifications import wording
from notifications.channels import HOSTS, Robot, Undelivered, judge, masked
from rules.errors import Invalid
from rules.policy import Action
from rules.scope import reachable
from views.context import actor, session
from views.details import writable
from views.forms import RecordForm, TitledField
from views.presentation import MenuEntry
from views.records import RecordView
from views.rendering import named


class _KindField(TitledField):
    """A kind of robot: mail is none."""

    def __init__(self, label: str, members: type[Titled], **kwargs: Any) -> None:
        super().__init__(label, members, **kwargs)
        self.pairs = [pair for pair in self.pairs if pair[0] != NoticeChannel.EMAIL.value]


class RobotView(RecordView):
    """The webhooks of WeCom, DingTalk and Feishu; an address that is kept is shown to nobody again."""

    model = NoticeRobot
    route_base = "/robots"
    menu = (MenuEntry("系统管理", "群机器人", "fa-robot", 70),)
    list_columns = ["name", "organization", "channel", "updated_at"]
    search_columns = ["name", "organization.name"]
    filter_columns = ["organization", "active"]
    form_groups = [("机器人", ["organization", "name", "channel", "webhook", "active"])]
    show_groups = [("机器人", ["organization", "name", "channel", "webhook", "active"])]
    labels = {"webhook": "机器人地址", "updated_at": "更新时间"}
    show_template = "robot_show.html"
    demands = RecordView.demands | {"can_test": Action.EDIT}
    empty_text = (
        "还没有群机器人。在企业微信、钉钉或飞书的工作群里添加机器人，复制它的地址，再到这里新增；"
        "这个单位的人收到消息时，群里也会说一次。"
    )

    def choices(self, field: str) -> Select[Any]:
        """Offer the organisations that the actor may give a robot to."""
        return (
            super()
            .choices(field)
            .where(
                Organization.active,
                reachable(actor(), "notice_robot", Organization.id, Action.ADD),
            )
        )

    def fill(self, record: Any) -> None:
        """A new robot is made to speak."""
        record.active = True

    def extra_fields(self) -> dict[str, Any]:
        """The kind is one of robots; the address is typed, and never sent back to the page."""
        needed = [InputRequired(_("请选择机器人的类型。"))]
        kind = _KindField(_("类型"), NoticeChannel, blank=True, validators=needed)
        return {"channel": kind, "webhook": _webhook()}

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the kind; of the address nothing, not even where two have changed it."""
        return {"channel": record.channel}

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Judge the address; one that is left empty stays as it was."""
        channel = form["channel"].data
        if channel not in HOSTS:
            sentence = _("请选择机器人的类型。")
            raise Invalid(sentence, channel=sentence)
        typed = (form["webhook"].data or "").strip()
        if not typed and not record.address:
            sentence = _("请填写机器人地址。")
            raise Invalid(sentence, webhook=sentence)
        try:
            hosts = notices.settings(current_app).hosts
            record.address = judge(channel, typed or record.address, hosts)
        except Invalid as refusal:
            raise Invalid(_(refusal.message), webhook=_(refusal.message)) from None
        record.channel = channel

    def cell_name(self, record: Any) -> Any:
        """Name the robot, and say so if it is silent."""
        return named(record.name, in_use=record.active)

    def detail_webhook(self, record: Any) -> str:
        """Say where the address leads, no more."""
        return masked(record.address)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Offer to let it speak."""
        may = self.may("can_test") and writable(self, record, Action.EDIT)
        where = self.url("test", pk=record.id) if may else None
        return super().shown(record, status, **({"test_url": where} | more))

    @expose("/test/<int:pk>", methods=["POST"])
    @has_access
    def test(self, pk: int) -> Response:
        """Let the robot say a sentence, and tell what came of it."""
        robot = self.found(pk)
        if not writable(self, robot, Action.EDIT):
            return redirect(self.url("list"))
        target = Robot(robot.channel, robot.address, notices.settings(current_app).hosts)
        text = wording.subject(_("“%(name)s”已接通，单位的消息会发到这里。", name=robot.name))
        # Nothing is held while somebody far away takes his time.
        session().rollback()
        try:
            notices.transport(current_app)(target, "", text)
        except Undelivered as why:
            flash(_("没有发出：%(why)s", why=_(why.message)), "danger")
        else:
            flash(_("已发出，请到群里查看。"), "success")
        return redirect(self.url("show", pk=pk))


def _webhook() -> StringField:
    return StringField(
        _("机器人地址"),
        validators=[Optional(strip_whitespace=True), Length(max=500, message=_("最多 500 字。"))],
        description=_(
            "从群机器人页面复制的整个地址，以 https 开头。保存后不再显示；编辑时不填则不变。"
            "设了签名校验的，在地址后面加 &secret=密钥（飞书加 ?secret=密钥）；"
            "设了关键词的，关键词用“吹哨报到”。"
        ),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
