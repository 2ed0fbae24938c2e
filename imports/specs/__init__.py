"""The specs by the name under which they are imported: ``organizations``, ``duty-items``, ledgers."""

from __future__ import annotations

from typing import Any

from imports.specs.addresses import ADDRESSES
from imports.specs.agreements import AGREEMENTS
from imports.specs.base import Column, Field, Kind, Spec
from imports.specs.check_ins import ACTIVITIES, CHECK_INS
from imports.specs.duty_items import BASIC, CATALOGUE, COORDINATING, RECLAIMED
from imports.specs.needs import NEEDS
from imports.specs.organizations import ORGANIZATIONS
from imports.specs.outward import SheetSpec
from imports.specs.records import RecordSpec, plain
from imports.specs.registers import ACCOUNTS, AUDIT, BATCHES, CALENDAR, MECHANISMS, TICKETS
from imports.specs.resources import RESOURCES
from imports.specs.services import SERVICES, SESSIONS
from models.duty import DutyList
from models.registry import record_types

#: Every record type that is imported by its declaration.
RECORDS: tuple[RecordSpec, ...] = (
    AGREEMENTS,
    RESOURCES,
    NEEDS,
    SERVICES,
    SESSIONS,
    CHECK_INS,
    ACTIVITIES,
    CALENDAR,
    ADDRESSES,
    *map(plain, (each for each in record_types().values() if getattr(each, "__sheet__", None))),
)

#: Registers that are exported only.
REGISTERS: tuple[RecordSpec, ...] = (TICKETS, ACCOUNTS, AUDIT, BATCHES, MECHANISMS)

SPECS: dict[str, tuple[Spec, ...]] = {
    "organizations": (ORGANIZATIONS,),
    "duty-items": (BASIC, COORDINATING, RECLAIMED, CATALOGUE),
    **{each.list_type: (each,) for each in RECORDS},
}


#: Every list that we write sheets of, its own importer's or not.
SHEETS: tuple[SheetSpec, ...] = (*RECORDS, *REGISTERS, ORGANIZATIONS)


def spec_of(model: type[Any]) -> SheetSpec | None:
    """Return the declaration by which a record type stands in workbooks, if it has one."""
    return next((each for each in SHEETS if each.model is model), None)


def ledger(kind: str) -> RecordSpec | None:
    """Return the declaration of a kind of import, if it is one of the declared ledgers."""
    return next((each for each in RECORDS if each.list_type == kind), None)


def kind_label(kind: str) -> str:
    """Return the Chinese name of what a kind of import brings in."""
    spec = ledger(kind)
    if spec is not None:
        return spec.label
    return {"organizations": ORGANIZATIONS.label, "duty-items": DutyList.__label__}.get(kind, kind)


__all__ = [
    "RECORDS",
    "SPECS",
    "Column",
    "Field",
    "Kind",
    "RecordSpec",
    "SheetSpec",
    "Spec",
    "ledger",
    "spec_of",
]
