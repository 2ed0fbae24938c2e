"""What a search looks through: the words of each ticket, folded, in a narrow table of their own.

Triggers of the database keep it (migration 0006), whichever way a ticket is written. It is no record
type: only ``rules.search`` reads it, for tickets that the reader reaches.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, column, table

from models.base import Record

#: ``text`` is number, title and address, one to a line, with A–Z made small.
TICKET_SEARCH = Table(
    "ticket_search",
    Record.metadata,
    Column(
        "ticket_id",
        ForeignKey("ticket.id", ondelete="CASCADE"),
        type_=Integer,
        primary_key=True,
        autoincrement=False,
    ),
    Column("text", Text, nullable=False),
)
#: PostgreSQL has an index over the pairs of characters that follow each other in a text. SQLite has
#: the same pairs as words of a full-text table, each written as the hex of its UTF-8; the column that
#: is called like the table is what queries match.
TICKET_GRAM = table("ticket_gram", column("rowid", Integer), column("ticket_gram", Text))
