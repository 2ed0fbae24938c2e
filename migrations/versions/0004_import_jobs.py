"""Uploaded workbooks on their way, and what people have said of their headings.

Revision ID: 0004
Revises: 0003


"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    """Make the tables."""
    op.create_table(
        "import_layout",
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("list_type", sa.String(length=40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "kind", "mark", name="uq_import_layout_mark"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_job",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("bundle", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("stored_name", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.create_index("ix_import_job_account", ["account_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_job_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index("ix_import_job_bundle", ["bundle"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_import_job_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index("ix_import_job_state", ["state"], unique=False)


def downgrade():
    """Remove them."""
    with op.batch_alter_table("import_job", schema=None) as batch_op:
        batch_op.drop_index("ix_import_job_state")
        batch_op.drop_index(batch_op.f("ix_import_job_organization_id"))
        batch_op.drop_index("ix_import_job_bundle")
        batch_op.drop_index(batch_op.f("ix_import_job_batch_id"))
        batch_op.drop_index("ix_import_job_account")

    op.drop_table("import_job")
    op.drop_table("import_layout")
