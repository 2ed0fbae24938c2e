"""Statements that actors of the same roles share: their ids come as parameters, when they are sent.

What the gate makes of an actor's roles is some hundred kilobytes of SQL for each record type, and a
city has thousands of accounts. Made for a *stand-in*, whose ids are named parameters, it is made once
for all actors who hold the same roles. Sent without anybody's ids, it is refused, and shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NoReturn

from sqlalchemy import BindParameter, Integer, bindparam
from sqlalchemy.orm.evaluator import UnevaluatableError

from rules.actor import Actor

_IDS = ("user_id", "organization_id", "area_id")


class NobodysIds(UnevaluatableError):
    """A statement that was made for a stand-in was sent without the ids of an actor.

    Or SQLAlchemy looked at its criteria to tell which objects of the session a bulk UPDATE means: then
    it asks the database instead.
    """


def _refuse() -> NoReturn:
    raise NobodysIds("a statement that actors share was sent without anybody's ids")


@lru_cache(maxsize=16)
def _parameters(prefix: str) -> Mapping[str, BindParameter[int]]:
    names = {name: f"{prefix}_{name}" for name in _IDS}
    return {name: bindparam(key, type_=Integer, callable_=_refuse) for name, key in names.items()}


@lru_cache(maxsize=1024)
def stand_in(actor: Actor, prefix: str) -> Actor:
    """Return the stand-in of all actors with the same roles, and with the same ids set.

    ``prefix`` begins the names of its parameters: two makers of a statement must not share them.
    """
    if actor.system:
        return actor
    ids: dict[str, Any] = {
        name: parameter
        for name, parameter in _parameters(prefix).items()
        if getattr(actor, name) is not None
    }
    return replace(actor, name="", organization_name="", **ids)


def ids_of(actor: Actor, prefix: str) -> dict[str, int]:
    """Return an actor's ids by the names of the parameters that stand for them."""
    found = {f"{prefix}_{name}": getattr(actor, name) for name in _IDS}
    return {key: number for key, number in found.items() if number is not None}
