"""The workflow tables, one file a record type; importing this package registers them all."""

from rules.workflows import (
    agreements,
    appeals,
    check_ins,
    duty_lists,
    needs,
    resources,
    services,
    tickets,
)

__all__ = [
    "agreements",
    "appeals",
    "check_ins",
    "duty_lists",
    "needs",
    "resources",
    "services",
    "tickets",
]
