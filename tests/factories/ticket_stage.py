"""The stage's photos, words and requests of tickets, and what people keep for themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.address import AddressEntry
from models.base import utcnow
from models.export_job import ExportJob
from models.saved_view import SavedView
from models.ticket import Ticket
from models.ticket_file import PhotoMoment, TicketComment, TicketExtension, TicketPhoto
from tests.factories import ledgers as make
from tests.factories.world import ACCOUNTS, World

#: The communities whose address book an account sees.
ADDRESSES: dict[str, set[str]] = {
    "admin": {"A11", "A12", "B11"},
    "office": {"A11", "A12"},
    "township": {"A11", "A12"},
    "community": {"A11"},
    "community2": {"A12"},
    "officeb": {"B11"},
    "townshipb": {"B11"},
    "communityb": {"B11"},
}
#: What is everybody's own, and nobody else's.
OWN: dict[str, set[str]] = {name: {name} for name in ACCOUNTS}


def beside_tickets(
    world: World, tickets: dict[str, Ticket]
) -> dict[type[Any], dict[str, set[int]]]:
    """Make one of each beside every ticket and account, and return their ids by place or account."""
    return {
        TicketPhoto: {place: {_photo(world, each)} for place, each in tickets.items()},
        TicketComment: {place: {_comment(world, each)} for place, each in tickets.items()},
        TicketExtension: {place: {_extension(world, each)} for place, each in tickets.items()},
        AddressEntry: {place: {_address(world, place)} for place in ("A11", "A12", "B11")},
        SavedView: {name: {_view(world, name)} for name in ACCOUNTS},
        ExportJob: {name: {_export(world, name)} for name in ACCOUNTS},
    }


def _made(world: World, record: Any) -> int:
    number: int = make.made(world, record).id
    return number


def _photo(world: World, ticket: Ticket) -> int:
    return _made(
        world,
        TicketPhoto(
            ticket=ticket,
            moment=PhotoMoment.BEFORE,
            file_hash="0" * 64,
            thumb_hash="1" * 64,
            width=4,
            height=3,
            size=12,
            uploaded_by="系统",
            organization_name="系统",
        ),
    )


def _comment(world: World, ticket: Ticket) -> int:
    words = TicketComment(
        ticket=ticket, author_name="系统", organization_name="系统", text="请先断电"
    )
    return _made(world, words)


def _extension(world: World, ticket: Ticket) -> int:
    now = utcnow()
    return _made(
        world,
        TicketExtension(
            ticket=ticket,
            organization=world.place("A-D1"),
            reason="等备件",
            old_due=now,
            new_due=now + dt.timedelta(days=3),
        ),
    )


def _address(world: World, place: str) -> int:
    return _made(world, AddressEntry(community=world.place(place), name="东门"))


def _view(world: World, account: str) -> int:
    owner = world.account(account).id
    return _made(
        world, SavedView(account_id=owner, view="TicketView", name="在办", query="tab=open")
    )


def _export(world: World, account: str) -> int:
    return _made(world, ExportJob(account_id=world.account(account).id, view="TicketView"))
