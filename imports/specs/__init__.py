"""The specs by the name under which they are imported: ``organizations``, ``duty-items``, ledgers."""

from __future__ import annotations

from typing import Any

from imports.specs.agreements import AGREEMENTS
from imports.specs.base import Column, Field, Kind, Spec
from imports.specs.check_ins import ACTIVITIES, CHECK_INS
from imports.specs.duty_items import BASIC, CATALOGUE, COORDINATING, RECLAIMED
from imports.specs.needs import NEEDS
from imports.specs.organizations import ORGANIZATIONS
from imports.specs.records import RecordSpec
from imports.specs.resources import RESOURCES
from imports.specs.services import SERVICES, SESSIONS

#: Every record type that stands in a workbook by its declaration.
RECORDS: tuple[RecordSpec, ...] = (
    AGREEMENTS,
    RESOURCES,
    NEEDS,
    SERVICES,
    SESSIONS,
    CHECK_INS,
    ACTIVITIES,
)

SPECS: dict[str, tuple[Spec, ...]] = {
    "organizations": (ORGANIZATIONS,),
    "duty-items": (BASIC, COORDINATING, RECLAIMED, CATALOGUE),
    **{each.list_type: (each,) for each in RECORDS if each.imported},
}


def spec_of(model: type[Any]) -> RecordSpec | None:
    """Return the declaration by which a record type stands in workbooks, if it has one."""
    return next((each for each in RECORDS if each.model is model), None)


def ledger(kind: str) -> RecordSpec | None:
    """Return the declaration of a kind of import, if it is one of the declared ledgers."""
    return next((each for each in RECORDS if each.list_type == kind and each.imported), None)


__all__ = ["RECORDS", "SPECS", "Column", "Field", "Kind", "RecordSpec", "Spec", "ledger", "spec_of"]
