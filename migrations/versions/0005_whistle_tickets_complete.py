"""Whistle tickets complete: routes and bars of a mechanism, clocks of each department, photos, words.

Revision ID: 0005
Revises: 0004

"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: What a table gets in place, for SQLite would otherwise copy it, and drop what hangs from it.
ADDED = {
    "mechanism": (
        sa.Column("eligibility", sa.String(32), nullable=False, server_default="lists"),
        sa.Column("returns_allowed", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("return_cap", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("extension_cap", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("grid_route", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("lead_rates_assisting", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("resident_stars", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("low_grade", sa.String(32), nullable=False, server_default="dissatisfied"),
        sa.Column("low_action", sa.String(32), nullable=False, server_default="decide"),
        sa.Column("fix_term", sa.JSON()),
        sa.Column("amend_hours", sa.Integer(), nullable=False, server_default="12"),
        sa.Column("working_hours", sa.JSON()),
    ),
    "ticket": (
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("holder_id", sa.Integer(), sa.ForeignKey("organization.id")),
        sa.Column("review_position", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("merged_into_id", sa.Integer(), sa.ForeignKey("ticket.id")),
        sa.Column("client_key", sa.String(64)),
        sa.Column("paper", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("next_due", sa.DateTime(timezone=True)),
        sa.Column("next_warn", sa.DateTime(timezone=True)),
        sa.Column("supervised_at", sa.DateTime(timezone=True)),
        sa.Column("stars", sa.Integer()),
        sa.Column("stars_comment", sa.Text()),
    ),
    "ticket_assignment": (
        sa.Column("respond_due", sa.DateTime(timezone=True)),
        sa.Column("arrive_due", sa.DateTime(timezone=True)),
        sa.Column("resolve_due", sa.DateTime(timezone=True)),
    ),
    "whistle_class": (
        sa.Column("respond_warn", sa.JSON()),
        sa.Column("arrive_warn", sa.JSON()),
        sa.Column("resolve_warn", sa.JSON()),
        sa.Column("assist_respond_term", sa.JSON()),
        sa.Column("assist_arrive_term", sa.JSON()),
        sa.Column("assist_resolve_term", sa.JSON()),
    ),
}
INDEXES = (
    ("ix_ticket_holder", ["holder_id", "status"], False),
    ("ix_ticket_merged_into_id", ["merged_into_id"], False),
    ("ix_ticket_next_due", ["next_due"], False),
    ("uq_ticket_client_key", ["client_key"], True),
)
KEY = ["ticket_id", "organization_id", "dimension_id", "round"]


def upgrade():
    """Make the tables, add the columns, and fill them for what is there."""
    _make_tables()
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column, inline_references=True)
    op.drop_index("ix_ticket_respond_due", "ticket")
    for name, columns, unique in INDEXES:
        op.create_index(name, "ticket", columns, unique=unique)
    with op.batch_alter_table("rating") as rating:
        rating.add_column(
            sa.Column("rater", sa.String(32), nullable=False, server_default="raiser")
        )
        rating.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        rating.add_column(sa.Column("rated_at", sa.DateTime(timezone=True)))
        rating.drop_constraint("uq_rating", type_="unique")
        rating.create_unique_constraint("uq_rating", [*KEY, "rater", "revision"])
    op.execute("UPDATE rating SET rated_at = created_at")
    with op.batch_alter_table("rating") as rating:
        rating.alter_column("rated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    _fill()


def _fill():
    """Give mechanisms the one review that they had, and open tickets what they owe next."""
    op.execute(
        "INSERT INTO review_step (mechanism_id, position, name, level, created_at, updated_at, version)"
        " SELECT id, 0, '街乡审核', 'township', created_at, updated_at, 1 FROM mechanism"
    )
    op.execute(
        "UPDATE ticket SET next_due = (SELECT min(instant) FROM ("
        "SELECT CASE WHEN accepted_at IS NULL THEN respond_due END AS instant"
        " UNION ALL SELECT CASE WHEN arrived_at IS NULL THEN arrive_due END"
        " UNION ALL SELECT CASE WHEN resolved_at IS NULL THEN resolve_due END) AS owed)"
        " WHERE status IN ('dispatched', 'accepted', 'arrived', 'return_pending', 'reopened')"
    )
    op.execute(
        "UPDATE ticket_assignment SET"
        " respond_due = (SELECT respond_due FROM ticket WHERE ticket.id = ticket_id),"
        " arrive_due = (SELECT arrive_due FROM ticket WHERE ticket.id = ticket_id),"
        " resolve_due = (SELECT resolve_due FROM ticket WHERE ticket.id = ticket_id)"
    )


def _make_tables():
    op.create_table(
        "address_entry",
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "name", name="uq_address_entry_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_entry_community_id", "address_entry", ["community_id"])
    op.create_table(
        "export_job",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("view", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=True),
        sa.Column("file_hash", sa.String(length=64), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_job_account", "export_job", ["account_id", "id"])
    op.create_table(
        "review_step",
        sa.Column("mechanism_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mechanism_id"], ["mechanism.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mechanism_id", "position", name="uq_review_step_position"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "saved_view",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("view", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "view", "name", name="uq_saved_view_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ticket_comment",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=100), nullable=False),
        sa.Column("organization_name", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_comment_ticket", "ticket_comment", ["ticket_id", "id"])
    op.create_table(
        "ticket_extension",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_extension_ticket", "ticket_extension", ["ticket_id", "id"])
    op.create_table(
        "ticket_photo",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("moment", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("thumb_hash", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=100), nullable=False),
        sa.Column("organization_name", sa.String(length=100), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket_id", "file_hash", name="uq_ticket_photo_file"),
        sqlite_autoincrement=True,
    )


def downgrade():
    """Take it all away again; amended grades and those of the lead cannot stay."""
    op.execute("DELETE FROM rating WHERE rater <> 'raiser' OR revision > 1")
    with op.batch_alter_table("rating") as rating:
        rating.drop_constraint("uq_rating", type_="unique")
        rating.create_unique_constraint("uq_rating", KEY)
        for name in ("rated_at", "revision", "rater"):
            rating.drop_column(name)
    for name, _columns, _unique in INDEXES:
        op.drop_index(name, "ticket")
    op.create_index("ix_ticket_respond_due", "ticket", ["respond_due"])
    for table, columns in ADDED.items():
        for column in reversed(columns):
            op.drop_column(table, column.name)
    for table in (
        "ticket_photo",
        "ticket_extension",
        "ticket_comment",
        "saved_view",
        "review_step",
        "export_job",
        "address_entry",
    ):
        op.drop_table(table)
