"""What waits is found by the reader's own: an index by place and state, and who helps with open tickets.

Revision ID: 0008
Revises: 0007

"""

# ruff: noqa: S608 - no words of anybody are put into these statements
import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

#: The states in which a ticket is at its end, as they were when this was written.
FINAL = "('closed', 'declined', 'withdrawn', 'solved_locally', 'merged')"
#: Most tickets have neither, and every step would write both into an index.
SELDOM = (
    ("ix_ticket_merged_into_id", ["merged_into_id"], "merged_into_id"),
    ("ix_ticket_holder", ["holder_id", "status"], "holder_id"),
)
HELPING = (
    "INSERT INTO ticket_helping (ticket_id, organization_id)"
    " SELECT party.ticket_id, party.organization_id FROM ticket_party AS party"
    " JOIN ticket ON ticket.id = party.ticket_id"
    f" WHERE party.relation = 'assisting' AND ticket.status NOT IN {FINAL}"
)
OPENED = f"old.status IN {FINAL} AND new.status NOT IN {FINAL}"
ENDED = f"old.status NOT IN {FINAL} AND new.status IN {FINAL}"
GONE = (
    "DELETE FROM ticket_helping"
    " WHERE ticket_id = old.ticket_id AND organization_id = old.organization_id"
)
OVER = "DELETE FROM ticket_helping WHERE ticket_id = new.id"
COME = (
    f"{HELPING} AND party.ticket_id = new.ticket_id AND party.organization_id = new.organization_id"
)
AGAIN = f"{HELPING} AND party.ticket_id = new.id"
#: name → (after what, on which table, when, what is done)
TRIGGERS = {
    "ticket_helper_new": ("INSERT", "ticket_party", "new.relation = 'assisting'", COME),
    "ticket_helper_gone": ("DELETE", "ticket_party", "old.relation = 'assisting'", GONE),
    "ticket_helping_over": ("UPDATE OF status", "ticket", ENDED, OVER),
    "ticket_helping_again": ("UPDATE OF status", "ticket", OPENED, AGAIN),
}


def _is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def upgrade():
    """Make the table from what is there, hang the triggers that keep it, and make the indexes."""
    op.create_table(
        "ticket_helping",
        sa.Column("ticket_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", "organization_id"),
    )
    op.create_index(
        "ix_ticket_helping_organization", "ticket_helping", ["organization_id", "ticket_id"]
    )
    op.execute(HELPING)
    for name, (after, on, when, body) in TRIGGERS.items():
        if _is_sqlite():
            op.execute(f"CREATE TRIGGER {name} AFTER {after} ON {on} WHEN {when} BEGIN {body}; END")
            continue
        op.execute(
            f"CREATE FUNCTION keep_{name}() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$ BEGIN {body}; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} AFTER {after} ON {on} FOR EACH ROW WHEN ({when})"
            f" EXECUTE FUNCTION keep_{name}()"
        )
    op.create_index("ix_ticket_waiting", "ticket", ["organization_id", "status", "next_due", "id"])
    for name, columns, seldom in SELDOM:
        op.drop_index(name, "ticket")
        some = sa.column(seldom).is_not(None)
        op.create_index(name, "ticket", columns, sqlite_where=some, postgresql_where=some)


def downgrade():
    """Take it all away; it is made of what is there."""
    for name, columns, _seldom in SELDOM:
        op.drop_index(name, "ticket")
        op.create_index(name, "ticket", columns)
    op.drop_index("ix_ticket_waiting", "ticket")
    for name, (_after, on, _when, _body) in TRIGGERS.items():
        if _is_sqlite():
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {on}")
            op.execute(f"DROP FUNCTION keep_{name}()")
    op.drop_table("ticket_helping")
