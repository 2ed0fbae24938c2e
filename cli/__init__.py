"""Commands: the edges beside the web, each acting for the system aloud and committing once."""

from __future__ import annotations

from flask import Flask

from cli import accounts, demo, duty_lists, ledger, mechanisms, roles, server, simulate
from imports.cli import import_group


def init_app(app: Flask) -> None:
    """Register every command."""
    for command in (
        roles.sync_roles,
        accounts.create_admin,
        mechanisms.mechanisms,
        server.serve,
        demo.demo,
        duty_lists.duty_lists,
        ledger.ledger,
        simulate.simulate,
        import_group,
    ):
        app.cli.add_command(command)
