"""Every record type by name; importing this module maps every model of the folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Any

from flask_appbuilder import Model
from sqlalchemy import event
from sqlalchemy.orm import Mapper

import models

for _module in pkgutil.iter_modules(models.__path__):
    if _module.name != "registry":
        importlib.import_module(f"models.{_module.name}")


def record_types() -> dict[str, type[Any]]:
    """Return the mapped classes that state how they are scoped, by record type name."""
    return dict(_scoped())


@lru_cache(maxsize=1)
def _scoped() -> dict[str, type[Any]]:
    """Walk through the mappers once: every statement of the gate asks for them."""
    found: dict[str, type[Any]] = {}
    for mapper in Model.registry.mappers:
        if hasattr(mapper.class_, "__scope__"):
            found[type_name(mapper.class_)] = mapper.class_
    return found


@event.listens_for(Mapper, "after_mapper_constructed")
def _forget(mapper: Any, mapped: type[Any]) -> None:
    _scoped.cache_clear()


def type_name(model: type[Any]) -> str:
    """Return the name by which policy, events and audit call a record type."""
    return "account" if model.__tablename__ == "ab_user" else str(model.__tablename__)
