"""The source holds no way past the gate but those that were looked at and are listed here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDGES = ("views/", "imports/", "cli/", "reports/")
FOLDERS = ("models", "rules", "imports", "reports", "notifications", "views", "cli", "presets")

#: What can carry a statement to the database without the session's events, or past the criterion.
WAYS = {
    "bulk_save_objects",
    "bulk_insert_mappings",
    "bulk_update_mappings",
    "connection",
    "raw_connection",
    "exec_driver_sql",
    "from_statement",
    "__table__",
    "text",
    "literal_column",
    "reviewed",
    "engine",
    "get_bind",
    "make_transient_to_detached",
}
MODULES = {"sa", "sqlalchemy"}
#: Where each was looked at: what it reads or writes carries the criterion, or is nobody's data.
LOOKED_AT: dict[str, set[str]] = {
    # Deliveries that are not there yet, for the system.
    "notifications/routing.py": {"__table__", "get_bind"},
    "models/agreement.py": {"text"},  # the condition of a partial index
    "models/base.py": {"__table__", "literal_column"},  # a comma
    "rules/actor.py": {"__table__", "connection"},  # who asks, before the gate knows anybody
    "rules/audit.py": {"__table__", "connection", "reviewed"},  # the log of the flush under way
    # Rows of a parent that the gate is asked about each time.
    "rules/bulk.py": {"__table__", "get_bind", "reviewed"},
    "rules/duty_index.py": {"get_bind"},  # the database whose lists are kept prepared
    # First steps of records just judged; number and fingerprint of a chain's end.
    "rules/ledger.py": {"__table__", "connection", "reviewed"},
    # Grades by the facts of their tickets, which carry the criterion; a department's own.
    "rules/grade_sums.py": {"__table__", "reviewed"},
    "rules/months.py": {"get_bind"},  # sums that are added up, for the system
    "rules/locking.py": {"__table__", "get_bind", "reviewed"},  # SQLite's write lock
    "rules/numbering.py": {"__table__", "get_bind", "reviewed"},  # a counter
    "rules/notices.py": {"__table__", "reviewed"},  # tells others of a record, reads nothing
    "rules/reach.py": {"__table__"},  # the gate's own words
    "rules/proposals.py": {"get_bind"},  # how a database is told to leave out what is there
    "rules/parties.py": {"__table__", "reviewed"},  # rows derived from the tree
    "rules/scope.py": {"__table__", "reviewed"},  # the gate itself
    "rules/writes.py": {"__table__", "connection", "literal_column"},  # the gate itself
    # Ids of the actor's own party rows, or by the criterion; the texts of all, for the system.
    "rules/search.py": {"__table__", "get_bind", "reviewed"},
    "rules/rarity.py": {"engine", "get_bind", "reviewed"},  # statistics of the searched texts
    # The actor's own party rows, and their ids; which database is asked.
    "rules/ways.py": {"__table__", "get_bind", "reviewed"},
    "rules/queues.py": {
        "__table__",
        "get_bind",
    },  # ids of own tickets, for one that the gate guards
    # What a dispatch depends on, by the ticket that is locked for it.
    "rules/workflows/ticket_dispatch.py": {"__table__"},
    "rules/waiting.py": {"__table__"},  # narrows decisions that the gate lets through
    "rules/ticket_lists.py": {"__table__"},  # narrows tickets that the gate lets through
}


def ways_in(source: str) -> set[str]:
    """Return which of the ways a module takes, by attribute, name or import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            # A record may well have a text; only SQLAlchemy's is a statement.
            of_sqlalchemy = isinstance(node.value, ast.Name) and node.value.id in MODULES
            found.add(node.attr if node.attr != "text" or of_sqlalchemy else "")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and node.id != "text":
            found.add(node.id)
    return found & WAYS


def sources() -> list[Path]:
    """Return the modules that run behind a request or a command."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def test_no_module_goes_past_the_gate_unlooked_at() -> None:
    found = {
        str(path.relative_to(ROOT)): ways
        for path in sources()
        if (ways := ways_in(path.read_text(encoding="utf-8")))
    }
    new = {name: ways - LOOKED_AT.get(name, set()) for name, ways in found.items()}
    assert {name: ways for name, ways in new.items() if ways} == {}


def test_views_and_imports_know_no_way_at_all() -> None:
    """What answers a person's request asks the session for mapped classes, and nothing else."""
    edges = {name: ways for name, ways in LOOKED_AT.items() if name.startswith(EDGES)}
    assert edges == {}


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("session.connection().execute(q)", "connection"),
        ("db.engine.connect()", "engine"),
        ("sa.text('SELECT 1')", "text"),
        ("from sqlalchemy import text", "text"),
        ("from sqlalchemy import text as t\nt('')", "text"),
        ("select(Ticket.__table__)", "__table__"),
        ("session.bulk_save_objects(rows)", "bulk_save_objects"),
        ("select(Ticket).from_statement(q)", "from_statement"),
        ("session.execute(q, execution_options=reviewed('x'))", "reviewed"),
    ],
)
def test_the_check_itself_finds_them(source: str, way: str) -> None:
    assert way in ways_in(source)
    assert ways_in("session.scalars(select(Ticket)); row.text; text('一')") == set()


def test_there_is_something_to_check() -> None:
    assert len(sources()) > 50
