"""``flask --app app duty-lists publish``: publish a place's draft lists from the shell."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup
from sqlalchemy import select

from database import db
from models.duty import DutyListType
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from rules.duty_lists import publish
from rules.errors import Refused

duty_lists = AppGroup("duty-lists", help="Duty lists and their versions.")


@duty_lists.command("publish")
@click.option("--organization", "code", required=True, help="Code of the township, county or city.")
@click.option("--type", "list_type", type=click.Choice([kind.value for kind in DutyListType]))
def publish_command(code: str, list_type: str | None) -> None:
    """Publish the place's draft versions; the versions in force are superseded."""
    with acting_as(db.session(), SYSTEM):
        owner = db.session.scalars(select(Organization).where(Organization.code == code)).first()
        if owner is None:
            click.echo(f"没有代码为“{code}”的机构。", err=True)
            sys.exit(2)
        kinds = {kind.value: kind for kind in DutyListType}
        try:
            published = publish(db.session(), owner, SYSTEM, kinds.get(list_type or ""))
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            click.echo(refusal.message, err=True)
            sys.exit(1)
        for version in published:
            click.echo(f"已发布：{version}，{version.item_count} 项。")
        if not published:
            click.echo(f"“{owner.name}”没有待发布的清单草稿。")
