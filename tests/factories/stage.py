"""A stage for the gate: one of everything in both counties, and by hand who sees which of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.account import Account
from models.address import AddressEntry
from models.agreement import Agreement
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.export_job import ExportJob
from models.imports import ImportBatch, ImportChange
from models.rating import Rating
from models.saved_view import SavedView
from models.ticket import Ticket, TicketAssignment, TicketParty, TicketStatus
from models.ticket_file import TicketComment, TicketExtension, TicketPhoto
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.factories.follow_stage import FOLLOW, follow
from tests.factories.ledger_stage import LEDGERS, ledgers
from tests.factories.ledgers import stepped
from tests.factories.roads import grades
from tests.factories.ticket_stage import ADDRESSES, OWN, beside_tickets
from tests.factories.world import ACCOUNTS, World

OF_A = {"A11", "A12", "A21"}

#: The places whose ticket an account sees; accounts that are not written see none.
TICKETS: dict[str, set[str]] = {
    "admin": OF_A | {"B11"},
    "office": OF_A,
    "returns": OF_A,
    "inspector": OF_A,
    "leader": OF_A,
    "township": {"A11", "A12"},
    "township2": {"A21"},
    "community": {"A11"},
    "community2": {"A12"},
    "handler": {"A11"},
    "handler2": {"A11", "A12"},
    "officeb": {"B11"},
    "townshipb": {"B11"},
    "communityb": {"B11"},
    "handlerb": {"B11"},
}
#: The communities whose agreement an account sees.
AGREEMENTS: dict[str, set[str]] = {
    "admin": {"A11", "A12", "B11"},
    "office": {"A11", "A12"},
    "party": {"A11", "A12"},
    "inspector": {"A11", "A12"},
    "leader": {"A11", "A12"},
    "township": {"A11", "A12"},
    "community": {"A11"},
    "community2": {"A12"},
    "unit": {"A11"},
    "unit2": {"A12"},
    "officeb": {"B11"},
    "partyb": {"B11"},
    "townshipb": {"B11"},
    "communityb": {"B11"},
}
#: The places whose duty lists an account sees: above communities and townships, and below offices.
DUTY_LISTS: dict[str, set[str]] = {
    "admin": {"A", "A1", "A2", "B1"},
    "office": {"A", "A1", "A2"},
    "duty": {"A", "A1", "A2"},
    "inspector": {"A", "A1", "A2"},
    "leader": {"A", "A1", "A2"},
    "township": {"A", "A1"},
    "township2": {"A", "A2"},
    "community": {"A", "A1"},
    "community2": {"A", "A1"},
    "officeb": {"B1"},
    "townshipb": {"B1"},
    "communityb": {"B1"},
}
#: The places whose import batch an account sees.
BATCHES: dict[str, set[str]] = {
    "admin": {"A1", "B1", ""},
    "duty": {"A1"},
    "party": {"A1"},
    "township": {"A1"},
    "townshipb": {"B1"},
    "partyb": {"B1"},
}


@dataclass
class Stage:
    """What stands on the stage: ids by place, for each record type."""

    world: World
    ids: dict[type[Any], dict[str, set[int]]]

    def seen(self, model: type[Any], account: str) -> set[int]:
        """Return the ids that an account is meant to see of a record type."""
        if model is Account:
            mine = self.ids[Account][account]
            return set().union(*self.ids[Account].values()) if account == "admin" else mine
        tables: dict[type[Any], dict[str, set[str]]] = {
            Ticket: TICKETS,
            TicketAssignment: TICKETS,
            TicketParty: TICKETS,
            Rating: TICKETS,
            TicketPhoto: TICKETS,
            TicketComment: TICKETS,
            TicketExtension: TICKETS,
            AddressEntry: ADDRESSES,
            SavedView: OWN,
            ExportJob: OWN,
            Agreement: AGREEMENTS,
            **LEDGERS,
            **FOLLOW,
            DutyList: DUTY_LISTS,
            DutyItem: DUTY_LISTS,
            DutyItemDepartment: DUTY_LISTS,
            ImportBatch: BATCHES,
            ImportChange: BATCHES,
        }
        places = tables[model].get(account, set())
        return {each for place, ids in self.ids[model].items() if place in places for each in ids}

    def all(self, model: type[Any]) -> set[int]:
        """Return every id of a record type on the stage."""
        return set().union(*self.ids[model].values())


def built(world: World) -> Stage:
    """Build the stage and commit it."""
    session = world.session
    with acting_as(session, SYSTEM):
        tickets = {
            "A11": _rated(world, world.draft("A11", duty_item=world.item("路灯安装与维修"))),
            "A12": _sent(world, "A12", "community2", "A-D2"),
            "A21": world.raised("A21", "township2"),
            "B11": _sent(world, "B11", "communityb", "B-D1", "townshipb", "officeb"),
        }
        agreements = {
            community: world.agreement(community, unit, f"{community}号")
            for community, unit in (("A11", "A-U1"), ("A12", "A-U2"), ("B11", "B-U1"))
        }
        stepped(world, agreements["A11"], "bring_into_force")
        _publish_catalogue(world)
        batches = {place: _batch(world, place) for place in ("A1", "B1", "")}
        session.commit()
        lists: dict[str, list[DutyList]] = {}
        for each in session.query(DutyList):
            lists.setdefault(str(each.organization.code), []).append(each)
        ids = {
            Ticket: {place: {each.id} for place, each in tickets.items()},
            TicketAssignment: _children(tickets, "assignments"),
            TicketParty: _children(tickets, "parties"),
            Rating: _children(tickets, "ratings"),
            Agreement: {place: {each.id} for place, each in agreements.items()},
            DutyList: {place: {each.id for each in found} for place, found in lists.items()},
            DutyItem: {
                place: {item.id for each in found for item in each.items}
                for place, found in lists.items()
            },
            DutyItemDepartment: {
                place: {
                    link.id for each in found for item in each.items for link in item.departments
                }
                for place, found in lists.items()
            },
            ImportBatch: {place: {each.id} for place, each in batches.items()},
            ImportChange: _children(batches, "changes"),
            Account: {name: {world.account(name).id} for name in ACCOUNTS},
        }
        ids |= ledgers(world, agreements) | beside_tickets(world, tickets) | follow(world, tickets)
        session.commit()
        session.expunge_all()
    return Stage(world, ids)


def _publish_catalogue(world: World) -> None:
    catalogue = DutyList(
        organization=world.place("A"), list_type=DutyListType.CATALOGUE, number=1, item_count=1
    )
    item = DutyItem(duty_list=catalogue, position=1, name="占道经营整治")
    item.departments = [DutyItemDepartment(organization=world.place("A-D2"), position=0)]
    world.session.add(catalogue)
    world.session.flush()
    workflow.begin(world.session, catalogue, SYSTEM)
    workflow.apply(world.session, catalogue, "publish", SYSTEM)


def _children(parents: dict[str, Any], name: str) -> dict[str, set[int]]:
    return {
        place: {child.id for child in getattr(parent, name)} for place, parent in parents.items()
    }


def _sent(
    world: World,
    place: str,
    who: str,
    lead: str,
    township: str = "township",
    office: str = "office",
) -> Ticket:
    ticket = world.raised(place, who)
    while ticket.status is TicketStatus.PENDING_REVIEW:
        world.step(ticket, "approve", township)
    world.step(ticket, "dispatch", office, lead=world.place(lead).id)
    return ticket


def _rated(world: World, ticket: Ticket) -> Ticket:
    """Take a ticket of A11 to its rating, led by A-D1 with A-D2 assisting."""
    world.step(ticket, "raise", "community")
    world.reviewed(ticket)
    lead, other = world.place("A-D1").id, world.place("A-D2").id
    world.step(ticket, "dispatch", "office", lead=lead, assisting=[other])
    for action in ("accept", "arrive"):
        world.step(ticket, action, "handler")
    world.step(ticket, "report_result", "handler", result="修好了")
    world.step(ticket, "rate", "community", grades=grades(ticket))
    return ticket


def _batch(world: World, place: str) -> ImportBatch:
    batch = ImportBatch(
        kind="duty_items",
        organization=world.place(place) if place else None,
        file_name="清单.xlsx",
        file_hash="0" * 64,
        summary=[],
        actor_name="系统",
    )
    batch.changes = [ImportChange(record_type="duty_item", record_id=1, row_version=1, title="行")]
    world.session.add(batch)
    return batch
