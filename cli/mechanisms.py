"""``flask --app app mechanisms adopt``: start a county's mechanism from a preset (domain section 3)."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup
from sqlalchemy import select

from database import db
from models.organization import Organization
from presets.mechanisms import PRESETS
from rules.actor import SYSTEM, acting_as
from rules.errors import Refused
from rules.mechanism_versions import adopt

mechanisms = AppGroup("mechanisms", help="Mechanisms: whistle classes, deadlines, ratings.")


@mechanisms.command("adopt")
@click.argument("preset", type=click.Choice(sorted(PRESETS)))
@click.option("--organization", "code", required=True, help="Code of the county or city.")
def adopt_command(preset: str, code: str) -> None:
    """Give a county or city its mechanism, copied from a preset.

    Exit status 1, and nothing written: refused; 2: there is no such organisation.
    """
    session = db.session()
    with acting_as(session, SYSTEM):
        place = session.scalars(select(Organization).where(Organization.code == code)).first()
        if place is None:
            raise click.UsageError(f"没有代码为“{code}”的组织机构，请核对 --organization。")
        try:
            mechanism = adopt(session, place, PRESETS[preset])
            session.commit()
        except Refused as refusal:
            session.rollback()
            click.echo(refusal.message, err=True)
            sys.exit(1)
        click.echo(f"“{place.name}”已启用{mechanism}。")
