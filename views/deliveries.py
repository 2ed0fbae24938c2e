"""What has left and what could not: dead letters for the administrator, to be sent again or given up."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response

from models.base import utcnow
from models.delivery import Delivery, DeliveryState
from models.registry import record_types
from notifications.worker import drop, is_on_its_way, try_again
from rules.errors import Conflict
from rules.policy import Action
from views.context import session, unit_of_work
from views.listing import Order, Page, Request
from views.presentation import Crumb, MenuEntry
from views.records import RecordView
from views.registry import view_of
from views.rendering import EMPTY, badge, shown

_DONE = "这条消息刚刚被处理过，请刷新后核对。"


class DeliveryView(RecordView):
    """Every message that was to leave, with what became of it; its text is its receiver's alone."""

    model = Delivery
    route_base = "/deliveries"
    menu = (MenuEntry("系统管理", "消息发送", "fa-paper-plane", 75),)
    list_columns = ["about", "receiver", "channel", "state", "attempts", "next_at", "problem"]
    wide_only = ["attempts"]
    filter_columns = ["channel"]
    form_groups = [
        (
            "消息",
            ["about", "receiver", "channel", "state", "attempts", "next_at", "sent_at", "problem"],
        )
    ]
    labels = {"about": "关于", "receiver": "发给"}
    #: as the index by state has them
    default_order = Order("next_at")
    tabs = [
        ("", "发送失败", Delivery.state == DeliveryState.DEAD),
        ("waiting", "待发送", Delivery.state == DeliveryState.WAITING),
        ("sent", "已发送", Delivery.state == DeliveryState.SENT),
        ("dropped", "不再发送", Delivery.state == DeliveryState.DROPPED),
    ]
    show_template = "delivery_show.html"
    exclude_route_methods = {"add", "edit", "delete", "options"}
    demands = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_retry": Action.EDIT,
        "can_drop": Action.EDIT,
    }
    empty_text = "还没有向系统外发送过消息。"

    def page(self, asked: Request) -> tuple[Page, str]:
        """Return the page with the records that its rows are about, by one statement for each type."""
        found = super().page(asked)
        _name_records(found[0].rows)
        return found

    def loads(self) -> list[Any]:
        """Receivers are named in every row."""
        return [selectinload(Delivery.account), selectinload(Delivery.robot)]

    def cell_about(self, record: Any) -> Markup | str:
        """Name the record that the message is about, as far as the reader may."""
        return str(getattr(record, "about_title", "")) or _kind_of(record)

    def cell_receiver(self, record: Any) -> str:
        """Name the person or the robot."""
        return str(record.account or record.robot or EMPTY)

    def cell_next_at(self, record: Any) -> Any:
        """Only what waits has a next time."""
        if record.state is not DeliveryState.WAITING:
            return EMPTY
        return shown(record.next_at)

    def detail_about(self, record: Any) -> Markup | str:
        """Lead to the record."""
        title = self.cell_about(record)
        where = getattr(record, "about_url", None)
        return Markup('<a href="{}">{}</a>').format(where, title) if where else title

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Offer to send a dead letter again, or to give up what has not arrived."""
        _name_records([record])
        dead = record.state is DeliveryState.DEAD
        open_ = dead or record.state is DeliveryState.WAITING
        may = not is_on_its_way(record, utcnow())
        context = {
            "view_title": _("消息发送"),
            "crumbs": [
                Crumb(_("消息发送"), self.url("list")),
                Crumb(str(self.cell_about(record))),
            ],
            "badge_html": badge(record.state),
            "retry_url": self._offered("retry", record) if dead and may else None,
            "drop_url": self._offered("drop", record) if open_ and may else None,
        }
        return super().shown(record, status, **(context | more))

    def _offered(self, route: str, record: Any) -> str | None:
        return self.url(route, pk=record.id) if self.may(f"can_{route}") else None

    @expose("/retry/<int:pk>", methods=["POST"])
    @has_access
    def retry(self, pk: int) -> Response:
        """Put a dead letter back among what is due."""
        with unit_of_work():
            record = self._open(pk, DeliveryState.DEAD)
            try_again(record, utcnow())
        flash(_("已重新排队，一分钟内再次发送。"), "success")
        return self._back()

    @expose("/drop/<int:pk>", methods=["POST"])
    @has_access
    def drop(self, pk: int) -> Response:
        """Give a message up."""
        with unit_of_work():
            drop(self._open(pk, DeliveryState.DEAD, DeliveryState.WAITING))
        flash(_("不再发送这条消息。"), "success")
        return self._back()

    def _open(self, pk: int, *states: DeliveryState) -> Any:
        record = self.found(pk)
        if record.state not in states or is_on_its_way(record, utcnow()):
            raise Conflict(_(_DONE))
        return record

    def _back(self) -> Response:
        tab = request.args.get("tab", "")
        return redirect(self.url("list", tab=tab) if tab else self.url("list"))


def _kind_of(record: Any) -> str:
    model = record_types().get(record.key.split(":")[0])
    return _(model.__label__) if model is not None else EMPTY


def _name_records(rows: list[Any]) -> None:
    """Give each row the title and address of the record that it is about, if the reader reaches it.

    The key names it; the notice itself is its receiver's alone.
    """
    wanted: dict[str, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        kind, _colon, rest = row.key.partition(":")
        number = rest.partition(":")[0]
        if number.isdigit():
            wanted[kind][int(number)].append(row)
    for kind, by_id in wanted.items():
        model: Any = record_types().get(kind)
        if model is None:
            continue
        view = view_of(model)
        for each in session().scalars(select(model).where(model.id.in_(by_id))):
            for row in by_id[each.id]:
                row.about_title = str(each)
                if view is not None and view.may("can_show"):
                    row.about_url = view.url("show", pk=each.id)
