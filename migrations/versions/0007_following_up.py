"""Following up: facts that measures are summed from, supervision, meetings, problems, bulletins, notices.

Revision ID: 0007
Revises: 0006

"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NOW = sa.DateTime(timezone=True)


def _tie(name, target, *, ondelete=None, nullable=False):
    return sa.Column(
        name, sa.Integer(), sa.ForeignKey(target, ondelete=ondelete), nullable=nullable
    )


def _record(name, *columns):
    """Make the table of a record type: numbered, dated, with its version."""
    op.create_table(
        name,
        *columns,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("created_at", NOW, nullable=False),
        sa.Column("updated_at", NOW, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )


INDEXES = (
    ("ix_bulletin_template_organization", "bulletin_template", ["organization_id"]),
    ("ix_coordination_meeting_organization", "coordination_meeting", ["organization_id", "id"]),
    ("ix_notice_robot_organization", "notice_robot", ["organization_id"]),
    ("ix_recurring_problem_organization", "recurring_problem", ["organization_id", "status", "id"]),
    ("ix_recurring_problem_owner", "recurring_problem", ["owner_id", "status", "id"]),
    ("ix_bulletin_issued_to_id", "bulletin", ["issued_to_id"]),
    ("ix_bulletin_organization", "bulletin", ["organization_id", "month", "id"]),
    ("ix_delivery_account_id", "delivery", ["account_id"]),
    ("ix_delivery_next", "delivery", ["state", "next_at"]),
    ("ix_delivery_notice_id", "delivery", ["notice_id"]),
    ("ix_delivery_robot_id", "delivery", ["robot_id"]),
    ("ix_meeting_item_meeting", "meeting_item", ["meeting_id", "position"]),
    ("ix_meeting_item_problem_id", "meeting_item", ["problem_id"]),
    ("ix_meeting_item_ticket_id", "meeting_item", ["ticket_id"]),
    ("ix_problem_ticket_ticket_id", "problem_ticket", ["ticket_id"]),
    ("ix_rating_appeal_department", "rating_appeal", ["department_id", "status", "id"]),
    ("ix_rating_appeal_organization", "rating_appeal", ["organization_id", "status", "id"]),
    ("ix_rating_appeal_ticket", "rating_appeal", ["ticket_id"]),
    ("ix_supervision_department", "supervision", ["department_id", "status", "id"]),
    ("ix_supervision_escalated_from_id", "supervision", ["escalated_from_id"]),
    ("ix_supervision_organization", "supervision", ["organization_id", "status", "id"]),
    ("ix_supervision_problem_id", "supervision", ["problem_id"]),
    ("ix_supervision_status", "supervision", ["status", "id"]),
    ("ix_supervision_ticket", "supervision", ["ticket_id"]),
    ("ix_ticket_fact_county", "ticket_fact", ["county_id", "month"]),
    ("ix_ticket_fact_department", "ticket_fact", ["department_id", "month"]),
    ("ix_ticket_fact_organization", "ticket_fact", ["organization_id", "month"]),
    ("ix_ticket_fact_township", "ticket_fact", ["township_id", "month"]),
    ("ix_meeting_decision_meeting", "meeting_decision", ["meeting_id"]),
    ("ix_meeting_decision_organization", "meeting_decision", ["organization_id", "status", "id"]),
    ("ix_meeting_decision_owner", "meeting_decision", ["owner_id", "status", "id"]),
)
#: What marks a ticket whose facts are to be made anew: every step, and what a form may change.
MARKED = (
    "organization_id, whistle_class_id, theme, channel, nature, emergency, duty_item_name, stars"
)
MARKS = {
    "event": ("INSERT ON event", "new.record_type = 'ticket'", "VALUES (new.record_id)"),
    "ticket": (f"UPDATE OF {MARKED} ON ticket", None, "VALUES (new.id)"),
    "place": (
        "UPDATE OF parent_id, realm_id ON organization",
        None,
        "SELECT DISTINCT ticket_id FROM ticket_party WHERE organization_id = new.id",
    ),
}


def _is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def upgrade():
    """Make the tables, mark every ticket for its facts, and hang the triggers that mark."""
    _follow_up()
    _measures()
    _notices()
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    op.execute("INSERT INTO fact_mark (ticket_id) SELECT id FROM ticket")
    for name, (when, only, rows) in MARKS.items():
        _trigger(name, when, only, f"INSERT INTO fact_mark (ticket_id) {rows}")


def _trigger(name, when, only, statement):
    condition = f" WHEN ({only})" if only else ""
    if _is_sqlite():
        op.execute(
            f"CREATE TRIGGER fact_mark_{name} AFTER {when} FOR EACH ROW{condition}"
            f" BEGIN {statement}; END"
        )
        return
    op.execute(
        f"CREATE FUNCTION fact_mark_{name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {statement}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER fact_mark_{name} AFTER {when} FOR EACH ROW{condition}"
        f" EXECUTE FUNCTION fact_mark_{name}()"
    )


def _follow_up():
    _record(
        "recurring_problem",
        _tie("organization_id", "organization.id"),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("matter", sa.String(300), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("remedy", sa.String(32), nullable=False),
        sa.Column("plan", sa.Text()),
        _tie("owner_id", "organization.id", nullable=True),
        sa.Column("due_on", sa.Date()),
        sa.Column("found_count", sa.Integer(), nullable=False),
        sa.Column("found_from", sa.Date()),
        sa.Column("found_until", sa.Date()),
        sa.Column("planned_on", sa.Date()),
        sa.Column("done_on", sa.Date()),
        sa.Column("result", sa.Text()),
        sa.Column("status", sa.String(32), nullable=False),
    )
    _record(
        "problem_ticket",
        _tie("problem_id", "recurring_problem.id", ondelete="CASCADE"),
        _tie("ticket_id", "ticket.id", ondelete="CASCADE"),
        sa.Column("added_by", sa.String(100), nullable=False),
        sa.Column("added_at", NOW),
        sa.UniqueConstraint("problem_id", "ticket_id", name="uq_problem_ticket"),
    )
    _record(
        "supervision_rule",
        _tie("organization_id", "organization.id"),
        sa.Column("near_hours", sa.Integer(), nullable=False),
        sa.Column("ladder", sa.JSON(), nullable=False),
        sa.Column("again_times", sa.Integer(), nullable=False),
        sa.Column("again_days", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.String(5), nullable=False),
        sa.Column("quiet_until", sa.String(5), nullable=False),
        sa.UniqueConstraint("organization_id", name="uq_supervision_rule"),
    )
    _record(
        "supervision",
        sa.Column("number", sa.String(40)),
        _tie("organization_id", "organization.id"),
        _tie("ticket_id", "ticket.id", ondelete="CASCADE", nullable=True),
        _tie("problem_id", "recurring_problem.id", nullable=True),
        _tie("department_id", "organization.id", nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("matter", sa.String(300), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("head", sa.String(100)),
        sa.Column("due_on", sa.Date()),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("key", sa.String(120)),
        _tie("escalated_from_id", "supervision.id", nullable=True),
        sa.Column("issued_at", NOW),
        sa.Column("answered_at", NOW),
        sa.Column("answer", sa.Text()),
        sa.Column("closed_at", NOW),
        sa.UniqueConstraint("key", name="uq_supervision_key"),
        sa.UniqueConstraint("number"),
    )
    _record(
        "coordination_meeting",
        _tie("organization_id", "organization.id"),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("held_at", NOW, nullable=False),
        sa.Column("place", sa.String(200)),
        sa.Column("chair", sa.String(100)),
        sa.Column("attendees", sa.Text()),
        sa.Column("minutes", sa.Text()),
        sa.Column("status", sa.String(32), nullable=False),
    )
    _record(
        "meeting_item",
        _tie("meeting_id", "coordination_meeting.id", ondelete="CASCADE"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        _tie("ticket_id", "ticket.id", ondelete="SET NULL", nullable=True),
        _tie("problem_id", "recurring_problem.id", ondelete="SET NULL", nullable=True),
        sa.Column("discussion", sa.Text()),
    )
    _record(
        "meeting_decision",
        _tie("meeting_id", "coordination_meeting.id", ondelete="CASCADE"),
        _tie("organization_id", "organization.id"),
        _tie("item_id", "meeting_item.id", ondelete="SET NULL", nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        _tie("owner_id", "organization.id"),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("report", sa.Text()),
        sa.Column("done_at", NOW),
    )
    _record(
        "rating_appeal",
        _tie("ticket_id", "ticket.id", ondelete="CASCADE"),
        _tie("organization_id", "organization.id"),
        _tie("department_id", "organization.id"),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("decision", sa.Text()),
        sa.Column("decided_at", NOW),
    )
    _record(
        "bulletin_template",
        _tie("organization_id", "organization.id"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
    )
    _record(
        "bulletin",
        _tie("organization_id", "organization.id"),
        _tie("issued_to_id", "organization.id", nullable=True),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("remarks", sa.Text()),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("docx_hash", sa.String(64)),
        sa.Column("xlsx_hash", sa.String(64)),
        _tie("template_id", "bulletin_template.id", ondelete="SET NULL", nullable=True),
        sa.Column("problem", sa.String(300)),
        sa.Column("issued_at", NOW),
        sa.Column("issued_by", sa.String(100)),
    )


def _measures():
    op.create_table(
        "ticket_fact",
        sa.Column("id", sa.Integer(), primary_key=True),
        _tie("ticket_id", "ticket.id", ondelete="CASCADE"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        _tie("organization_id", "organization.id"),
        _tie("community_id", "organization.id", nullable=True),
        _tie("township_id", "organization.id", nullable=True),
        _tie("county_id", "organization.id", nullable=True),
        _tie("department_id", "organization.id", nullable=True),
        _tie("whistle_class_id", "whistle_class.id"),
        sa.Column("class_name", sa.String(100), nullable=False),
        sa.Column("theme", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("nature", sa.String(32), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("matter", sa.String(300)),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("dispatched", sa.Boolean(), nullable=False),
        sa.Column("respond_due", NOW),
        sa.Column("arrive_due", NOW),
        sa.Column("resolve_due", NOW),
        sa.Column("respond_minutes", sa.Integer()),
        sa.Column("arrive_minutes", sa.Integer()),
        sa.Column("resolve_minutes", sa.Integer()),
        sa.Column("responded_on_time", sa.Boolean()),
        sa.Column("arrived_on_time", sa.Boolean()),
        sa.Column("resolved_on_time", sa.Boolean()),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("ticket_returned", sa.Boolean(), nullable=False),
        sa.Column("reopened", sa.Boolean(), nullable=False),
        sa.Column("grades", sa.Integer(), nullable=False),
        sa.Column("satisfied", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer()),
        sa.UniqueConstraint("ticket_id", "position", name="uq_ticket_fact"),
    )
    op.create_table(
        "fact_mark",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
    )


def _notices():
    _record(
        "notice_robot",
        _tie("organization_id", "organization.id"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(500), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    _record(
        "notice_preference",
        _tie("account_id", "ab_user.id", ondelete="CASCADE"),
        sa.Column("email", sa.String(32), nullable=False),
        sa.Column("quiet_from", sa.String(5)),
        sa.Column("quiet_until", sa.String(5)),
        sa.UniqueConstraint("account_id", name="uq_notice_preference"),
    )
    _record(
        "delivery",
        sa.Column("key", sa.String(160), nullable=False),
        _tie("notice_id", "notice.id", ondelete="CASCADE", nullable=True),
        _tie("account_id", "ab_user.id", ondelete="CASCADE", nullable=True),
        _tie("robot_id", "notice_robot.id", ondelete="CASCADE", nullable=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", NOW, nullable=False),
        sa.Column("sent_at", NOW),
        sa.Column("problem", sa.Text()),
        sa.UniqueConstraint("key", name="uq_delivery_key"),
    )
    # In place: SQLite would otherwise copy the table, and drop what hangs from it.
    op.add_column("notice", sa.Column("routed_at", NOW))
    op.add_column(
        "notice", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index("ix_notice_routed", "notice", ["routed_at", "id"])
    # Who was told before there were channels has long been told.
    op.execute("UPDATE notice SET routed_at = created_at")


def downgrade():
    """Take it all away."""
    for name, (when, _only, _rows) in MARKS.items():
        if _is_sqlite():
            op.execute(f"DROP TRIGGER fact_mark_{name}")
        else:
            op.execute(f"DROP TRIGGER fact_mark_{name} ON {when.rsplit(' ', 1)[1]}")
            op.execute(f"DROP FUNCTION fact_mark_{name}()")
    op.drop_index("ix_notice_routed", "notice")
    op.drop_column("notice", "urgent")
    op.drop_column("notice", "routed_at")
    for table in (
        "delivery",
        "notice_preference",
        "notice_robot",
        "fact_mark",
        "ticket_fact",
        "bulletin",
        "bulletin_template",
        "rating_appeal",
        "meeting_decision",
        "meeting_item",
        "coordination_meeting",
        "supervision",
        "supervision_rule",
        "problem_ticket",
        "recurring_problem",
    ):
        op.drop_table(table)
