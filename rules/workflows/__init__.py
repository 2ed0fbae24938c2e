"""The workflow tables, one file a record type; importing this package registers them all."""

from rules.workflows import agreements, duty_lists, tickets

__all__ = ["agreements", "duty_lists", "tickets"]
