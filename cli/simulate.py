"""``flask --app app simulate``: a plausible city with many tickets, for benchmarks and for trying out."""

from __future__ import annotations

import datetime as dt
import sys
import time

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from bench.building import CITIES, Builder, Size
from bench.one_letter import COUNTIES, OneLetter
from bench.simulator import Simulator
from cli.roles import sync
from database import db
from models.base import utcnow
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from rules.errors import Refused


@click.command("simulate")
@click.option("--tickets", type=click.IntRange(min=1), required=True, help="How many tickets.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same rows."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day simulated, in Shanghai; the two years before it are filled. [default: today]",
)
@click.option(
    "--password",
    help="For the accounts of a city that is built. [default: CHUISHAO_DEMO_PASSWORD]",
)
@click.option(
    "--counties",
    type=click.IntRange(1, 9),
    default=3,
    show_default=True,
    help="If a city is built.",
)
@click.option(
    "--townships", type=click.IntRange(1, 12), default=8, show_default=True, help="In each county."
)
@click.option(
    "--communities",
    type=click.IntRange(1, 12),
    default=8,
    show_default=True,
    help="In each township.",
)
@click.option(
    "--city",
    type=click.Choice(sorted(CITIES)),
    help="If a city is built: one of a published size, in place of the three numbers.",
)
@click.option("--yes", is_flag=True, help="Go on although the database holds tickets.")
@with_appcontext
def simulate(
    tickets: int,
    seed: int,
    until: dt.datetime | None,
    password: str | None,
    counties: int,
    townships: int,
    communities: int,
    city: str | None,
    yes: bool,
) -> None:
    """Fill the database with simulated tickets around the counties that it holds.

    A database without a county gets a city with accounts for every role first. Exit status 1, and
    nothing written: refused; 2: the arguments are of no use.
    """
    if current_app.config["ENVIRONMENT"] == "production":
        _refuse("生产环境不能生成模拟数据。")
    began = time.perf_counter()
    day = until.date() if until else shanghai_date(utcnow())
    size = CITIES[city] if city else Size(counties, townships, communities)
    with acting_as(db.session(), SYSTEM):
        if not yes and db.session.scalar(select(Ticket.id).limit(1)) is not None:
            _refuse("库里已有哨单。确认要在这个库里追加模拟哨单，请加上 --yes。")
        try:
            _build(size, password or current_app.config["DEMO_PASSWORD"])
            states = Simulator(db.session(), tickets, seed, day).run(_progress)
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            _refuse(refusal.message)
    for status, number in states.most_common():
        click.echo(f"  {status.title} {number}")
    click.echo(f"已生成 {tickets} 张哨单，用时 {time.perf_counter() - began:.1f} 秒。")


@click.command("simulate-one-letter")
@click.argument("county", type=click.Choice(sorted(COUNTIES)))
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same rows."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day simulated, in Shanghai. [default: today]",
)
@click.option("--password", help="For the accounts. [default: CHUISHAO_DEMO_PASSWORD]")
@with_appcontext
def simulate_one_letter(
    county: str, seed: int, until: dt.datetime | None, password: str | None
) -> None:
    """Fill an empty database with a county's agreements, lists and check-ins, of a published size.

    Exit status 1, and nothing written: refused; 2: the arguments are of no use.
    """
    if current_app.config["ENVIRONMENT"] == "production":
        _refuse("生产环境不能生成模拟数据。")
    began = time.perf_counter()
    day = until.date() if until else shanghai_date(utcnow())
    with acting_as(db.session(), SYSTEM):
        if db.session.scalar(select(Organization.id).limit(1)) is not None:
            _refuse("库里已有机构。这组模拟数据自带机构，请换一个空库。")
        _build(COUNTIES[county].size, password or current_app.config["DEMO_PASSWORD"])
        numbers = OneLetter(db.session(), COUNTIES[county], seed, day).run()
        db.session.commit()
    for table, number in numbers.items():
        click.echo(f"  {table} {number}")
    click.echo(f"已生成，用时 {time.perf_counter() - began:.1f} 秒。")


def _build(size: Size, password: str | None) -> None:
    """Build the city if there is no county."""
    county = select(Organization.id).where(Organization.kind == OrganizationKind.COUNTY).limit(1)
    if db.session.scalar(county) is not None:
        return
    if not password:
        raise click.UsageError("空库要先建机构和账号，请用 --password 给出这些账号的密码。")
    sync(db.session())
    accounts = Builder(db.session(), size, password).build()
    click.echo(f"已建 {size.counties} 个县（市、区）和 {len(accounts)} 个账号，例如：")
    click.echo(
        f"  {'、'.join(('admin', 'office1', 'returns1', 'township1-1', 'community1-1-1', 'handler1-1'))}"
    )


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r  {done}", nl=False, err=True)


def _refuse(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(1)
