"""Lists as people like to see them: the filters of a list kept under a name, for oneself alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import abort, flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.saved_view import SavedView
from rules.errors import Invalid
from rules.policy import Action
from views.context import actor, session, unit_of_work
from views.forms import RecordForm
from views.kept_lists import MOST, asked_of
from views.records import RecordView
from views.registry import view_named

LONGEST_NAME = 40


class SavedViewView(RecordView):
    """One's own kept filters of all lists: opened, renamed, removed."""

    model = SavedView
    route_base = "/saved-views"
    list_columns = ["name", "view", "created_at"]
    search_columns = ["name"]
    form_groups = [("常用筛选", ["name"])]
    labels = {"created_at": "保存时间"}
    exclude_route_methods = {"add", "options"}
    demands = {
        "can_list": Action.READ,
        "can_show": Action.READ,
        "can_keep": Action.ADD,
        "can_edit": Action.EDIT,
        "can_delete": Action.DELETE,
    }
    empty_text = "还没有常用筛选。在列表里设好条件，再点“存为常用”。"

    def titled(self, route: str, otherwise: str) -> str:
        """Nobody else's are here."""
        return _("我的常用筛选") if route == "list" else otherwise

    def cell_view(self, record: Any) -> str:
        """Name the list."""
        view = view_named(record.view)
        return view.titled("list", view.noun) if view is not None else record.view

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Open the list as it was kept."""
        view = view_named(record.view)
        if view is None or not view.may("can_list"):
            abort(404)
        return redirect(f"{view.url('list')}?{asked_of(view, parse_qsl(record.query))}")

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Two of a list are not called alike."""
        self._refuse_namesake(record.view, record.name, record.id)

    def _refuse_namesake(self, view: str, name: str, number: int | None = None) -> None:
        same = select(SavedView.id).where(SavedView.view == view, SavedView.name == name)
        found = session().scalars(same).first()
        if found is not None and found != number:
            raise Invalid(_("已有名为“%(name)s”的常用筛选，请换个名称。", name=name))

    @expose("/keep", methods=["POST"])
    @has_access
    def keep(self) -> Response:
        """Keep what a list shows under a name."""
        view = view_named(request.form.get("view", ""))
        if view is None or not view.may("can_list"):
            abort(404)
        query = asked_of(view, parse_qsl(request.form.get("query", "")[:4000]))
        name = " ".join(request.form.get("name", "").split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise Invalid(_("请给常用筛选起个名称，最多 %(n)s 字。", n=LONGEST_NAME))
        if not query:
            raise Invalid(_("列表还没有任何条件，没有什么可以保存。请先设好条件。"))
        with unit_of_work() as database:
            of_list = select(func.count(SavedView.id)).where(SavedView.view == view.endpoint)
            if (database.scalar(of_list) or 0) >= MOST:
                raise Invalid(_("每个列表最多保存 %(n)s 个常用筛选，请先删去不用的。", n=MOST))
            self._refuse_namesake(view.endpoint, name)
            account_id = actor().user_id
            database.add(
                SavedView(account_id=account_id, view=view.endpoint, name=name, query=query)
            )
        flash(_("已存为常用筛选“%(name)s”。", name=name), "success")
        return redirect(f"{view.url('list')}?{query}")
