"""Sums of months are kept beside the facts, which say what of them was counted.

Revision ID: 0009
Revises: 0008

"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: index of ``ticket_fact`` by month → which rows are in it
WAITING = {
    "ix_ticket_fact_unanswered": "responded_on_time IS NULL AND respond_due IS NOT NULL",
    "ix_ticket_fact_unarrived": "arrived_on_time IS NULL AND arrive_due IS NOT NULL",
    "ix_ticket_fact_unrated": "status = 'resolved'",
}
LONG = ("respond_hours", "arrive_hours", "resolve_hours")
SUMS = (
    "raised",
    "dispatched",
    "response_rate",
    "response_rate_of",
    "arrival_rate",
    "arrival_rate_of",
    "closed",
    "closed_on_time",
    "closing_rate",
    "closing_rate_of",
    "on_time_rate",
    "on_time_rate_of",
    "return_rate",
    "return_rate_own",
    "return_rate_of",
    "reopen_rate",
    "reopen_rate_of",
    "satisfaction",
    "satisfaction_of",
    "stars",
    "stars_of",
    "respond_hours",
    "respond_hours_of",
    "arrive_hours",
    "arrive_hours_of",
    "resolve_hours",
    "resolve_hours_of",
    "graded",
    "decided",
    "refused",
)


def _number(name, target=None, *, long=False):
    ties = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.BigInteger() if long else sa.Integer(), *ties, nullable=False)


def _anew():
    """Make all facts anew: those that are there say nothing of what is new in them."""
    op.execute("DELETE FROM ticket_fact")
    op.execute("DELETE FROM fact_mark")


def upgrade():
    """Make the tables of sums, and mark every ticket: its facts and their sums are made together."""
    _anew()
    # SQLite takes no column that may not be empty into a table that is there.
    anew = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("ticket_fact", recreate=anew) as table:
        table.add_column(sa.Column("refused", sa.Boolean(), nullable=False))
        table.add_column(sa.Column("rating_id", sa.Integer(), nullable=True))
    for name, test in WAITING.items():
        some = sa.text(test)
        op.create_index(name, "ticket_fact", ["month"], sqlite_where=some, postgresql_where=some)
    fact_keys = (
        "place_id",
        "month",
        "department_id",
        "class_name",
        "current",
        "township_id",
        "county_id",
    )
    op.create_table(
        "fact_month",
        sa.Column("id", sa.Integer(), primary_key=True),
        _number("place_id", "organization.id"),
        _number("month"),
        _number("department_id"),
        sa.Column("class_name", sa.String(100), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        _number("township_id"),
        _number("county_id"),
        *(_number(each, long=each in LONG) for each in SUMS),
        sa.UniqueConstraint(*fact_keys, name="uq_fact_month"),
    )
    grade_keys = ("place_id", "month", "department_id", "dimension_id", "rater")
    op.create_table(
        "grade_month",
        sa.Column("id", sa.Integer(), primary_key=True),
        _number("place_id", "organization.id"),
        _number("month"),
        _number("department_id", "organization.id"),
        _number("dimension_id", "rating_dimension.id"),
        sa.Column("rater", sa.String(32), nullable=False),
        _number("rounds"),
        _number("tickets"),
        _number("points", long=True),
        _number("squares", long=True),
        sa.UniqueConstraint(*grade_keys, name="uq_grade_month"),
    )
    op.execute("INSERT INTO fact_mark (ticket_id) SELECT id FROM ticket")


def downgrade():
    """Take the sums away; the facts are made anew without them."""
    _anew()
    op.drop_table("grade_month")
    op.drop_table("fact_month")
    for name in WAITING:
        op.drop_index(name, "ticket_fact")
    with op.batch_alter_table("ticket_fact") as table:
        table.drop_column("rating_id")
        table.drop_column("refused")
    op.execute("INSERT INTO fact_mark (ticket_id) SELECT id FROM ticket")
