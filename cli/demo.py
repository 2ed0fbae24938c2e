"""``flask --app app demo``: the demo county, built by the same code paths as a user's work."""

from __future__ import annotations

import datetime as dt
import secrets
import sys
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from cli import demo_follow, demo_ledgers
from cli.demo_people import actor as actor_named
from cli.demo_people import organization
from cli.roles import sync
from database import db
from imports.engine import apply as apply_import
from imports.engine import preview
from models.account import Account
from models.agreement import Agreement, AgreementKind
from models.base import utcnow
from models.duty import DutyItem
from models.mechanism import WhistleClass
from models.organization import Organization
from models.ticket import Channel, Theme, Ticket
from presets import demo_county as county
from presets.mechanisms import JIUJIANG
from presets.mechanisms import build as build_mechanism
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from rules.duty_lists import publish
from rules.eligibility import judge, keep
from rules.mechanisms import dimensions_of
from rules.parties import sync as sync_parties
from rules.workflows.ticket_effects import active

#: The file in the data directory that keeps a generated password for ``serve`` to tell.
KEPT = "demo_password"


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing, quietly, if the database holds data.")
@with_appcontext
def demo(if_empty: bool) -> None:
    """Load the demo county; refused on a database that holds other data."""
    session = db.session()
    with acting_as(session, SYSTEM):
        if session.scalar(select(func.count(Organization.id))):
            if if_empty:
                return
            click.echo("数据库里已有数据，不能载入示范县。请换一个空的数据库。", err=True)
            sys.exit(1)
        password = _password()
        load(session, password)
        session.commit()
    click.echo("已载入示范县：95 个机构、三张清单、一书三单、双报到、半年的哨单和督办。")


def load(session: Session, password: str) -> None:
    """Build the demo county in the session, acting for the system; the caller commits."""
    sync(session)
    _import(session, "organizations", county.ORGANIZATIONS, None)
    place = organization(session, county.COUNTY)
    session.add(build_mechanism(JIUJIANG, place))
    _accounts(session, password)
    township = organization(session, county.TOWNSHIP)
    _import(session, "duty-items", county.DUTY_LISTS, township)
    _import(session, "duty-items", county.CATALOGUE, place)
    publish(session, township, SYSTEM)
    publish(session, place, SYSTEM)
    for agreement in county.AGREEMENTS:
        _agreement(session, agreement)
    demo_ledgers.load(session)
    demo_follow.load(session)
    for ticket in sorted(county.TICKETS, key=lambda each: -each.hours):
        _ticket(session, ticket)
    demo_follow.follow(session)
    demo_follow.issue(session, Path(current_app.config["DATA_DIR"]))


def _import(session: Session, kind: str, path: Path, owner: Organization | None) -> None:
    plan = preview(session, kind, path, owner=owner)
    if plan.errors:
        raise click.ClickException("；".join(problem.message for problem in plan.errors[:5]))
    apply_import(session, plan, archive=Path(current_app.config["DATA_DIR"]) / "imports")


def _accounts(session: Session, password: str) -> None:
    method = current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt")
    hashed = generate_password_hash(password, method=method)
    roles = {role.name: role for role in session.scalars(select(FabRole))}
    for username, (name, code, role) in county.ACCOUNTS.items():
        session.add(
            Account(
                username=username,
                last_name=name,
                first_name="",
                email=f"{username}@demo.invalid",
                active=True,
                password=hashed,
                organization=organization(session, code),
                roles=[roles[role.value]],
            )
        )
    session.flush()


def _agreement(session: Session, each: county.DemoAgreement) -> None:
    today = shanghai_date(utcnow())
    kinds = {kind.value: kind for kind in AgreementKind}
    actor = actor_named(session, "party")
    with acting_as(session, actor):
        agreement = Agreement(
            number=each.number,
            community=organization(session, each.community),
            unit=organization(session, each.unit),
            kind=kinds[each.kind],
            valid_from=today + dt.timedelta(days=each.start),
            valid_until=today + dt.timedelta(days=each.end),
            signed_on=today + dt.timedelta(days=min(each.start, 0)),
            objectives=each.objectives,
            community_liaison="社区书记",
            unit_liaison="单位联络员",
        )
        session.add(agreement)
        session.flush()
        workflow.begin(session, agreement, actor)
        for step in each.steps:
            workflow.apply(session, agreement, step, actor)


def _ticket(session: Session, each: county.DemoTicket) -> None:
    """Raise a ticket and take it along its steps, each step an hour after the one before."""
    start = utcnow() - dt.timedelta(hours=each.hours)
    themes, channels = {t.value: t for t in Theme}, {c.value: c for c in Channel}
    actor = actor_named(session, "community")
    with acting_as(session, actor):
        place = organization(session, county.COMMUNITY)
        item = None
        if each.item:
            item = session.scalars(select(DutyItem).where(DutyItem.name == each.item)).first()
        found = judge(session, place, item, emergency=each.emergency)
        ticket = Ticket(
            title=each.title,
            detail=each.detail,
            address=each.address,
            organization=place,
            whistle_class=session.scalars(
                select(WhistleClass).where(WhistleClass.code == each.whistle_class)
            ).one(),
            theme=themes[each.theme],
            channel=channels[each.channel],
            emergency=each.emergency,
            duty_item=item,
            contact_name="网格员",
            created_at=start,
        )
        keep(ticket, found)
        sync_parties(session, ticket)
        session.add(ticket)
        session.flush()
        workflow.begin(session, ticket, actor, at=start)
    for number, (action, username, data) in enumerate(each.steps):
        who = actor_named(session, username)
        at = min(start + dt.timedelta(hours=number), utcnow())
        with acting_as(session, who):
            workflow.apply(session, ticket, action, who, _data(session, ticket, data), now=at)


def _data(session: Session, ticket: Ticket, data: dict[str, Any]) -> dict[str, Any]:
    """Return a step's data with organisations as ids and one grade for every dimension."""
    values = dict(data)
    if "lead" in values:
        values["lead"] = organization(session, values["lead"]).id
    if "assisting" in values:
        values["assisting"] = [organization(session, code).id for code in values["assisting"]]
    if "grades" in values:
        values["grades"] = {
            f"{part.organization_id}:{dimension.id}": values["grades"]
            for part in active(ticket)
            for dimension in dimensions_of(ticket.whistle_class)
        }
    return values


def _password() -> str:
    """Return the demo accounts' password: as set, else made once and kept for ``serve`` to tell."""
    given: str | None = current_app.config["DEMO_PASSWORD"]
    if given:
        return given
    path = Path(current_app.config["DATA_DIR"]) / KEPT
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"demo-{secrets.token_hex(4)}", encoding="ascii")
    return path.read_text(encoding="ascii")


def describe_accounts() -> list[str]:
    """Return the lines that tell the demo accounts and their password, if this is the demo county."""
    session = db.session()
    with acting_as(session, SYSTEM):
        known = set(
            session.scalars(select(Account.username).where(Account.email.endswith("@demo.invalid")))
        )
    if not known:
        return []
    path = Path(current_app.config["DATA_DIR"]) / KEPT
    given = current_app.config["DEMO_PASSWORD"]
    secret = given or (
        path.read_text(encoding="ascii") if path.exists() else "（见首次运行的输出）"
    )
    lines = [f"演示账号（密码都是 {secret}）："]
    for username, (name, _code, role) in county.ACCOUNTS.items():
        if username in known:
            lines.append(f"  {username:<10} {role.title}：{name}")
    return lines
