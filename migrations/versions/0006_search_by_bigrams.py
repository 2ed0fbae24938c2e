"""Search by pairs of characters: the words of each ticket in a table that triggers keep.

Revision ID: 0006
Revises: 0005

"""

# ruff: noqa: S608 - no words of anybody are put into these statements
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: What a search looks through. Both databases fold A–Z only, and Python does the same to the query.
SQLITE_WORDS = (
    "lower(coalesce({0}number, '') || char(10) || {0}title || char(10) || coalesce({0}address, ''))"
)
POSTGRESQL_WORDS = (
    "lower((coalesce({0}number, '') || E'\\n' || {0}title || E'\\n' || coalesce({0}address, ''))"
    ' COLLATE "C")'
)
#: A list as long as the text gives the places; SQLite has no series, and triggers no recursion.
SQLITE_GRAMS = (
    "(SELECT group_concat(hex(substr({0}, key + 1, 2)), ' ') FROM json_each("
    "'[' || substr(replace(hex(zeroblob(length({0}) - 1)), '00', ',0'), 2) || ']'))"
)
SQLITE_TRIGGERS = {
    "ticket_words_new": "AFTER INSERT ON ticket BEGIN INSERT INTO ticket_search (ticket_id, text)"
    f" VALUES (new.id, {SQLITE_WORDS.format('new.')}); END",
    "ticket_words_changed": "AFTER UPDATE OF number, title, address ON ticket BEGIN"
    f" UPDATE ticket_search SET text = {SQLITE_WORDS.format('new.')}"
    " WHERE ticket_id = new.id; END",
    "ticket_grams_new": "AFTER INSERT ON ticket_search BEGIN INSERT INTO ticket_gram (rowid, grams)"
    f" VALUES (new.ticket_id, {SQLITE_GRAMS.format('new.text')}); END",
    "ticket_grams_changed": "AFTER UPDATE OF text ON ticket_search WHEN old.text <> new.text BEGIN"
    " INSERT INTO ticket_gram (ticket_gram, rowid, grams)"
    f" VALUES ('delete', old.ticket_id, {SQLITE_GRAMS.format('old.text')});"
    " INSERT INTO ticket_gram (rowid, grams)"
    f" VALUES (new.ticket_id, {SQLITE_GRAMS.format('new.text')}); END",
    "ticket_grams_gone": "AFTER DELETE ON ticket_search BEGIN"
    " INSERT INTO ticket_gram (ticket_gram, rowid, grams)"
    f" VALUES ('delete', old.ticket_id, {SQLITE_GRAMS.format('old.text')}); END",
}


def _is_sqlite():
    return op.get_bind().dialect.name == "sqlite"


def upgrade():
    """Make the table and its index, fill both, and hang the triggers that keep them."""
    op.create_table(
        "ticket_search",
        sa.Column("ticket_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    if _is_sqlite():
        op.execute(
            "CREATE VIRTUAL TABLE ticket_gram"
            " USING fts5(grams, content='', detail=none, columnsize=0)"
        )
        for name, body in SQLITE_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {body}")
        words = SQLITE_WORDS
    else:
        _functions()
        words = POSTGRESQL_WORDS
    op.execute(
        f"INSERT INTO ticket_search (ticket_id, text) SELECT id, {words.format('')} FROM ticket"
    )
    if not _is_sqlite():
        # What was written last waits outside the index, and every search reads it: keep it short.
        op.execute(
            "CREATE INDEX ix_ticket_search_grams ON ticket_search USING gin (search_grams(text))"
            " WITH (gin_pending_list_limit = 256)"
        )
        # Its statistics say how common a pair is: of many pairs, not of the hundred usual ones.
        op.execute("ALTER INDEX ix_ticket_search_grams ALTER COLUMN 1 SET STATISTICS 1000")


def _functions():
    op.execute(
        "CREATE FUNCTION search_grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT"
        " PARALLEL SAFE AS $$ SELECT array_agg(DISTINCT substr(words, place, 2))"
        " FROM generate_series(1, char_length(words) - 1) AS place $$"
    )
    op.execute(
        "CREATE FUNCTION keep_ticket_search() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO ticket_search (ticket_id, text) VALUES (new.id, {POSTGRESQL_WORDS.format('new.')})"
        " ON CONFLICT (ticket_id) DO UPDATE SET text = excluded.text"
        " WHERE ticket_search.text <> excluded.text; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER ticket_words AFTER INSERT OR UPDATE OF number, title, address ON ticket"
        " FOR EACH ROW EXECUTE FUNCTION keep_ticket_search()"
    )


def downgrade():
    """Take it all away; nothing of it is anybody's own words."""
    if _is_sqlite():
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE ticket_gram")
    else:
        op.execute("DROP TRIGGER ticket_words ON ticket")
        op.execute("DROP FUNCTION keep_ticket_search()")
    op.drop_table("ticket_search")
    if not _is_sqlite():
        op.execute("DROP FUNCTION search_grams(text)")
