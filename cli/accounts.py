"""``flask --app app create-admin``: the first account of an installation without the demo county."""

from __future__ import annotations

import os
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.roles import sync
from database import db
from models.account import Account
from models.organization import Organization
from presets.roles import Role
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid, Refused
from rules.passwords import hashed

#: The environment variable that holds the password where nobody can be asked.
PASSWORD_VARIABLE = "CHUISHAO_ADMIN_PASSWORD"  # noqa: S105 - a variable's name, not a password


@click.command("create-admin")
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as pages show it.")
@click.option("--organization", "code", help="Code of the organisation. [default: none]")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create_admin(username: str, name: str, code: str | None, password_stdin: bool) -> None:
    """Make a system administrator's account.

    The password comes from CHUISHAO_ADMIN_PASSWORD or standard input, or is asked for without
    being shown. Exit status 1, and nothing written: refused; 2: there is no such organisation.
    """
    session = db.session()
    with acting_as(session, SYSTEM):
        organization = _organization(session, code) if code else None
        try:
            _refuse_namesake(session, username)
            add_admin(session, username, name, _password(password_stdin), organization)
            session.commit()
        except Refused as refusal:
            session.rollback()
            click.echo(refusal.message, err=True)
            sys.exit(1)
    click.echo(f"已建立系统管理员账号“{username.strip()}”，可以登录了。")


def add_admin(
    session: Session,
    username: str,
    name: str,
    password: str,
    organization: Organization | None = None,
) -> Account:
    """Add a system administrator's account; raises ``Invalid`` and never commits."""
    username, name = username.strip(), name.strip()
    for label, text in (("账号", username), ("姓名", name)):
        if not 1 <= len(text) <= 64:
            raise Invalid(f"{label}应为 1 到 64 个字，现有 {len(text)} 个字。")
    _refuse_namesake(session, username)
    secret = hashed(password, current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt"))
    sync(session)
    role = session.scalars(
        select(FabRole).where(FabRole.name == Role.SYSTEM_ADMINISTRATOR.value)
    ).one()
    account = Account(
        username=username,
        last_name=name,
        first_name="",
        email=f"{username}@chuishao.invalid",
        active=True,
        password=secret,
        organization=organization,
        roles=[role],
    )
    session.add(account)
    session.flush()
    return account


def _refuse_namesake(session: Session, username: str) -> None:
    taken = select(Account.id).where(Account.username == username.strip())
    if session.scalar(taken) is not None:
        raise Invalid(f"账号“{username.strip()}”已被使用，请换一个。")


def _organization(session: Session, code: str) -> Organization:
    found = session.scalars(select(Organization).where(Organization.code == code)).first()
    if found is None:
        raise click.UsageError(f"没有代码为“{code}”的组织机构，请核对 --organization。")
    return found


def _password(from_stdin: bool) -> str:
    """Return the password from the environment, from standard input, or as typed unseen, twice."""
    if given := os.environ.get(PASSWORD_VARIABLE):
        return given
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt(
        "密码（输入时不显示）", hide_input=True, confirmation_prompt="再输一次密码"
    )
    return typed
