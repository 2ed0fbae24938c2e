"""``flask --app app mechanisms adopt``: start a county's mechanism from a preset (domain section 3)."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database import db
from models.mechanism import Mechanism
from models.organization import REALMS, Organization
from presets.mechanisms import PRESETS, MechanismPreset, build
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Invalid, Refused

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


def adopt(session: Session, place: Organization, preset: MechanismPreset) -> Mechanism:
    """Add the place's mechanism; raises ``Invalid`` or ``Conflict``, and never commits."""
    if place.kind not in REALMS:
        raise Invalid(f"“{place.name}”是{place.kind.title}，吹哨机制只能由市或县（市、区）启用。")
    running = session.scalars(
        select(Mechanism).where(Mechanism.organization_id == place.id, Mechanism.in_force)
    ).first()
    if running is not None:
        raise Conflict(f"“{place.name}”已在用{running}，请先在“吹哨机制”页面停用它。")
    last = session.scalar(
        select(func.max(Mechanism.number)).where(Mechanism.organization_id == place.id)
    )
    mechanism = build(preset, place, (last or 0) + 1)
    session.add(mechanism)
    session.flush()
    return mechanism
