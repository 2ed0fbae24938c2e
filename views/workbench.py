"""Home: what waits for the reader, nearest deadline first, one click from the next step; and how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import session as cookie
from flask import url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.views import IndexView
from flask_babel import gettext as _

from presets.roles import Role
from rules.actor import Actor
from rules.waiting import Front, fronts
from views import permissions
from views.context import actor, session
from views.listing import COUNT_CAP
from views.presentation import Link, MenuEntry
from views.presentation import Queue as Shown
from views.registry import view_of
from views.workbench_follow import following
from views.workbench_health import health
from views.workbench_queues import Queue, Tickets, ledgers
from views.workbench_rows import tables

QUEUE_ROWS = 8
#: Whose work is to look at the whole.
OVERSEERS = (Role.DISPATCHER, Role.INSPECTOR, Role.LEADER)


def queues_of(who: Actor) -> dict[str, Queue]:
    """Return the queues of the actor's roles, each once; the gate narrows them to the actor's scope.

    What nobody of his roles may list is left out.
    """
    found: dict[str, Queue] = {}
    for each in _all(who):
        view = view_of(each.model)
        if view is not None and view.may("can_list"):
            found.setdefault(each.title, each)
    return found


def _all(who: Actor) -> Iterator[Queue]:
    yield from Tickets(session(), who).all()
    yield from following(who)
    yield from ledgers(who)


class WorkbenchView(IndexView):
    """The first page after log-in."""

    menu = (MenuEntry("工作台", "工作台", "fa-house", 10, "index"),)

    def __init__(self) -> None:
        super().__init__()
        permissions.declare("WorkbenchView", {"can_index": None})

    @expose("/")
    @has_access
    def index(self) -> Any:
        """Show the actor's queues and how his place or department does, in four figures."""
        who = actor()
        queues = queues_of(who)
        found = fronts(
            session(), {name: each.gathered for name, each in queues.items()}, rows=QUEUE_ROWS
        )
        filled = tables(session(), who, queues, found)
        cookie["waiting"] = sum(found[name].number for name, each in queues.items() if each.todo)
        full = [
            (each.todo, _shown(each, found[name], filled[name]))
            for name, each in queues.items()
            if name in filled
        ]
        return self.render_template(
            "workbench.html",
            greeting=_("%(name)s，您好", name=who.name),
            tiles=health(who),
            todo=[shown for todo, shown in full if todo],
            awaited=[shown for todo, shown in full if not todo],
            empty=[
                (_(each.title), _url(each), _(each.empty))
                for name, each in queues.items()
                if name not in filled
            ],
            links=_links(who),
        )


def _shown(queue: Queue, front: Front, table: Any) -> Shown:
    text = f"{COUNT_CAP}+" if front.number > COUNT_CAP else str(front.number)
    return Shown(_(queue.title), table, text, _url(queue), _(queue.empty))


def _url(queue: Queue) -> str:
    view = view_of(queue.model)
    assert view is not None, queue.model  # noqa: S101 - queues without a view are left out
    return view.url("list", **dict(queue.args))


def _links(who: Actor) -> list[Link]:
    """Return what the reader may begin here."""
    links = []
    if who.has(*OVERSEERS) and permissions.allowed(who.roles, "can_overview", "MeasuresView"):
        links.append(Link(_("指标概况"), url_for("MeasuresView.overview"), "fa-gauge-high"))
    if permissions.allowed(who.roles, "can_add", "TicketView"):
        links.append(Link(_("我要吹哨"), url_for("TicketView.add"), "fa-bullhorn", "primary"))
    return links
