"""A community's address book, and the select box of the whistle's form that chooses from it."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from models.address import AddressEntry
from models.organization import Organization, OrganizationKind
from rules import positions
from rules.policy import Action
from rules.scope import reachable
from views.context import actor, session
from views.forms import RecordForm
from views.listing import Order, matches
from views.presentation import MenuEntry
from views.records import RecordView

_MOST = 20


class AddressEntryView(RecordView):
    """The places that people of a community know by name."""

    model = AddressEntry
    route_base = "/addresses"
    menu = (MenuEntry("基础资料", "地址簿", "fa-map-location-dot", 20),)
    list_columns = ["name", "community", "note", "latitude", "longitude"]
    search_columns = ["name", "note"]
    filter_columns = ["community"]
    order_columns = ["name"]
    default_order = Order("id", descending=False)
    form_groups = [("地点", ["community", "name", "latitude", "longitude", "note"])]
    wide_only = ["latitude", "longitude"]
    empty_text = "地址簿还是空的。可以下载模板填写后导入，也可以逐个新增；吹哨时直接选用。"

    def choices(self, field: str) -> Select[Any]:
        """A place lies in a community, or in a grid of one."""
        found = super().choices(field)
        if self.may("can_add"):
            found = found.where(
                reachable(actor(), "address_entry", Organization.id, Action.ADD),
            )
        return found.where(
            Organization.kind.in_((OrganizationKind.COMMUNITY, OrganizationKind.GRID)),
            Organization.active,
        )

    def fill(self, record: Any) -> None:
        """A community keeps its own book."""
        record.community = self.own_place("community")

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Both degrees or none, and within the globe."""
        record.latitude, record.longitude = positions.checked(record.latitude, record.longitude)


def known_places() -> Select[Any]:
    """Return the entries that the actor may choose from, which the gate narrows to his area."""
    return select(AddressEntry).options(joinedload(AddressEntry.community))


def called(entry: AddressEntry) -> str:
    """Return an entry's name, with its community where the actor has several."""
    if entry.community_id == actor().organization_id:
        return entry.name
    return f"{entry.name}（{entry.community.name}）"


def place_options(query: str) -> Response:
    """Answer the form's select box: at most twenty entries, each with its address and degrees."""
    statement = known_places()
    if query.strip():
        statement = statement.where(matches(AddressEntry, ["name", "note"], query.strip()[:50]))
    rows = list(session().scalars(statement.order_by(AddressEntry.id).limit(_MOST + 1)).unique())
    return jsonify(
        results=[
            {
                "id": row.id,
                "text": called(row),
                "data": {
                    "address": row.name,
                    "latitude": "" if row.latitude is None else row.latitude,
                    "longitude": "" if row.longitude is None else row.longitude,
                },
            }
            for row in rows[:_MOST]
        ],
        more=len(rows) > _MOST,
    )
