"""The workflow tables, one file a record type; importing this package registers them all."""

from rules.workflows import (
    agreements,
    appeals,
    bulletins,
    check_ins,
    decisions,
    duty_lists,
    meetings,
    needs,
    recurring,
    resources,
    services,
    supervision,
    tickets,
)

__all__ = [
    "agreements",
    "appeals",
    "bulletins",
    "check_ins",
    "decisions",
    "duty_lists",
    "meetings",
    "needs",
    "recurring",
    "resources",
    "services",
    "supervision",
    "tickets",
]
