"""The demo county's places and people, found by code and by account."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.organization import Organization
from rules.actor import SYSTEM, Actor, acting_as, actor_of


def organization(session: Session, code: str) -> Organization:
    """Return the organisation of a code."""
    return session.scalars(select(Organization).where(Organization.code == code)).one()


def actor(session: Session, username: str) -> Actor:
    """Return the actor that an account stands for."""
    with acting_as(session, SYSTEM):
        account = session.scalars(select(Account).where(Account.username == username)).one()
    return actor_of(session, account)
