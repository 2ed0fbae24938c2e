"""Commands: the edges beside the web, each acting for the system aloud and committing once."""

from __future__ import annotations

from flask import Flask

from cli import (
    accounts,
    demo,
    duty_lists,
    imports,
    ledger,
    match_duty,
    measures,
    mechanisms,
    roles,
    search,
    server,
    simulate,
    sweep,
    worker,
)


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
        match_duty.match_duty,
        measures.measures,
        search.search,
        simulate.simulate,
        sweep.sweep,
        worker.worker,
        simulate.simulate_one_letter,
        imports.import_group,
    ):
        app.cli.add_command(command)
