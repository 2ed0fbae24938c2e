"""Which departments help with tickets that are not at their end: what their queues begin with.

A department that leads is found by the ticket's own column; whom it may ask for help has nothing but
its party rows, and those of years. Triggers of the database keep this table (migration 0008) from the
party rows and the tickets' states, whichever way they are written. It is no record type: only
``rules.queues`` reads it, for tickets that the gate lets through.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from models.base import Record

TICKET_HELPING = Table(
    "ticket_helping",
    Record.metadata,
    Column(
        "ticket_id",
        ForeignKey("ticket.id", ondelete="CASCADE"),
        type_=Integer,
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "organization_id",
        ForeignKey("organization.id", ondelete="CASCADE"),
        type_=Integer,
        primary_key=True,
        autoincrement=False,
    ),
    Index("ix_ticket_helping_organization", "organization_id", "ticket_id"),
)
