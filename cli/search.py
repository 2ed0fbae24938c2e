"""``flask --app app search rebuild``: what searches look through, made anew from the tickets."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from database import db
from rules.actor import SYSTEM, acting_as
from rules.search import rebuild

search = AppGroup("search", help="What searches look through.")


@search.command("rebuild")
def rebuild_search() -> None:
    """Write the searched text of every ticket anew; the database's triggers keep it from then on."""
    with acting_as(db.session(), SYSTEM):
        number = rebuild(db.session())
        db.session.commit()
    click.echo(f"已重建 {number} 张哨单的查询索引。")
