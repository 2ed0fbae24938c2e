"""``flask --app app demo``: the demo county, built by the same code paths as a user's work."""

from __future__ import annotations

import click
from flask.cli import with_appcontext


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing, quietly, if the database holds data.")
@with_appcontext
def demo(if_empty: bool) -> None:
    """Load the demo county; refused on a database that holds other data."""
    click.echo("demo")


def describe_accounts() -> list[str]:
    """Return the lines that tell the demo accounts."""
    return []
