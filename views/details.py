"""The detail page of a record: its groups, related lists, next steps, timeline and changes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup
from sqlalchemy import Text, inspect, select

from models.base import Titled, UTCDateTime
from models.ledger import AuditEntry, Event
from models.need import Need
from rules import audit, ledger, personal, workflow
from rules.policy import Action
from rules.scope import criterion
from views import listing, steps
from views.context import actor, session
from views.presentation import Button, Change, Crumb, Detail, Group, Link, Related, Step
from views.registry import view_named, view_of
from views.rendering import EMPTY, badge, label_of, paragraphs, shown
from views.tables import cell, table_of

if TYPE_CHECKING:
    from views.records import RecordView

RELATED_ROWS = 10


def crumbs(view: RecordView, record: Any | None, last: str) -> list[Crumb]:
    """Return the way from the list to this page."""
    way = [
        Crumb(view.titled("list", view.noun), view.url("list") if view.may("can_list") else None)
    ]
    if record is not None and last != str(record):
        way.append(Crumb(str(record), view.url("show", pk=record.id)))
    way.append(Crumb(last))
    return way


class DetailPage:
    """What ``show.html`` shows of one record."""

    def __init__(
        self, view: RecordView, record: Any, refused: tuple[str, steps.StepForm] | None = None
    ) -> None:
        self.view, self.record, self.refused = view, record, refused

    def context(self) -> dict[str, Any]:
        """Return the template's variables."""
        status = getattr(self.record, "status", None)
        locked = self.view.editable(self.record)
        has_flow = workflow.workflow_of(self.view.model) is not None
        return {
            "view_title": str(self.record),
            "badge_html": badge(status) if isinstance(status, Titled) else None,
            "groups": self.groups(),
            "links": self.links(locked),
            "buttons": self.buttons() if has_flow else [],
            "related": [each for each in map(self._related, self.view.related) if each],
            "steps": self.timeline() if has_flow else [],
            "changes": self.changes(),
            "delete_url": self.view.url("delete", pk=self.record.id)
            if self._may("can_delete", Action.DELETE) and not locked
            else None,
            "crumbs": crumbs(self.view, self.record, str(self.record)),
        }

    def buttons(self) -> list[Button]:
        """Return the steps that the actor may take now."""
        return steps.buttons(self.view, self.record, self.refused)

    def groups(self) -> list[Group]:
        """Return the labelled values, group by group."""
        groups = self.view.show_groups or self.view.form_groups
        return [Group(_(title), [self._detail(name) for name in names]) for title, names in groups]

    def _detail(self, name: str) -> Detail:
        own = getattr(self.view, f"detail_{name}", None)
        if own is not None:
            value: Markup | str = own(self.record)
        else:
            value = self._linked(name) or cell(self.view, self.record, name)
        raw = getattr(self.record, name, None)
        wide = isinstance(raw, str) and (len(raw) > 40 or "\n" in raw or self._is_text(name))
        if isinstance(raw, str) and "\n" in raw and own is None:
            value = paragraphs(raw)
        return Detail(self.view.label(name), value, wide)

    def _is_text(self, name: str) -> bool:
        """Tell whether a column holds sentences, which need the page's width."""
        column = inspect(self.view.model).columns.get(name)
        return column is not None and isinstance(column.type, Text)

    def _linked(self, name: str) -> Markup | None:
        """Return a related record as a link to its own page, if the reader may open it."""
        if name not in inspect(self.view.model).relationships:
            return None
        other = getattr(self.record, name)
        target = view_of(type(other))
        if other is None or isinstance(other, list) or target is None or not target.may("can_show"):
            return None
        return Markup('<a href="{}">{}</a>').format(target.url("show", pk=other.id), str(other))

    def _may(self, permission: str, action: Action) -> bool:
        """Tell whether the actor may do this to this very record, not just to some."""
        return self.view.may(permission) and writable(self.view, self.record, action)

    def links(self, locked: str | None) -> list[Link]:
        """Return the buttons that lead elsewhere."""
        links = self.view.extra_links(self.record)
        if not locked and self._may("can_edit", Action.EDIT):
            links.append(Link(_("编辑"), self.view.url("edit", pk=self.record.id), "fa-pen"))
        return links

    def _related(self, spec: Any) -> Related | None:
        view = view_named(spec.view)
        if view is None or not view.may("can_list"):
            return None
        asked = listing.Request(view.default_order, filters={spec.relation: str(self.record.id)})
        statement = view.listed(asked)
        order = asked.order
        column = getattr(view.model, order.column)
        ordered = statement.order_by(column.desc() if order.descending else column.asc())
        rows = list(session().scalars(ordered.limit(RELATED_ROWS)).unique())
        more = view.url("list", **{spec.relation: self.record.id})
        count = listing.count(session(), view.model, statement)
        listed = more if spec.relation in view.filter_names() else None
        return Related(_(spec.title), table_of(view, rows, count, listed, without=spec.relation))

    def timeline(self) -> list[Step]:
        """Return the record's events, oldest first."""
        return [step_of(self.view, event) for event in ledger.events_of(session(), self.record)]

    def changes(self) -> list[Change]:
        """Return who changed which field, newest first."""
        whole = personal.may_read(actor(), self.record)
        return [
            change_of(self.view.model, entry, whole)
            for entry in audit.history(session(), self.record, 20)
        ]


def writable(view: RecordView, record: Any, action: Action) -> bool:
    """Tell whether the record lies within the actor's writing scope."""
    inside = criterion(actor(), view.model, action)
    statement = select(view.model.id).where(view.model.id == record.id, inside)
    return session().scalar(statement) is not None


def step_of(view: RecordView, event: Event) -> Step:
    """Return an event as a line of the timeline."""
    kind = inspect(view.model).columns["status"].type
    members: type[Titled] = kind.enum_class
    titles = {member.value: member for member in members}
    reached = titles.get(event.to_status)
    details = []
    for name, label in (("lead", _("主办单位")), ("assisting", _("协办单位"))):
        value = (event.data or {}).get(name)
        if value:
            people = value if isinstance(value, list) else [value]
            details.append(Detail(label, _("、").join(each["name"] for each in people)))
    for name, word in (
        ("claimed_by", _("认领单位")),
        ("due_on", _("认领期限")),
        ("until", _("完成期限")),
        ("service", _("服务项目")),
        ("released", _("原认领单位")),
    ):
        if said := (event.data or {}).get(name):
            details.append(Detail(word, str(said)))
    if grade := (event.data or {}).get("grade"):
        details.append(Detail(_("评价"), _value(Need.grade.type, grade)))
    if result := (event.data or {}).get("result"):
        details.append(Detail(_("办理结果"), paragraphs(result), wide=True))
    return Step(
        label=pgettext("step", event.label),
        at=event.at,
        who=event.actor_name,
        organization=event.organization_name,
        note=event.note or "",
        tone=reached.tone if reached else "muted",
        to_status=_(reached.title) if reached else event.to_status,
        details=details,
    )


_ACTIONS = {"create": "新建", "update": "修改", "delete": "删除"}


def change_of(model: type[Any], entry: AuditEntry, whole: bool = False) -> Change:
    """Return an audit entry with its fields' Chinese names; personal numbers only if ``whole``."""
    hidden: frozenset[str] = frozenset() if whole else personal.personal_fields(model)
    columns = inspect(model).columns
    view = view_of(model)
    fields = []
    for name, (before, after) in entry.changes.items():
        if view is not None and name in view.labels:
            label = view.label(name)
        else:
            label = label_of(model, name) if name in columns else name
        kind = columns[name].type if name in columns else None
        texts = (before, after)
        if name in hidden:
            texts = (personal.masked(before), personal.masked(after))
        own = getattr(view, f"change_{name}", None)
        was, became = (own(each) if own else _value(kind, each) for each in texts)
        fields.append((label, was, became))
    return Change(
        at=entry.at,
        who=entry.actor_name,
        organization=entry.organization_name,
        action=action_name(entry.action),
        fields=fields,
    )


def _value(kind: Any, value: Any) -> str:
    members = getattr(kind, "enum_class", None)
    if members is not None:
        return next((_(m.title) for m in members if m.value == value), EMPTY)
    if isinstance(kind, UTCDateTime) and value:
        return str(shown(dt.datetime.fromisoformat(value)))
    return str(shown(value))


def action_name(action: str) -> str:
    """Return the Chinese name of a kind of write."""
    return _(_ACTIONS.get(action, action))
