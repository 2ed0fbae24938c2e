"""The demo county's three lists and check-ins, built by the same rules as a user's work."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from cli.demo_people import actor, organization
from models.address import AddressEntry
from models.base import Titled, utcnow
from models.check_in import CheckIn, CheckInActivity
from models.grade import Grade
from models.need import Need
from models.resource import Resource, ResourceOffer
from models.service import ServiceProject, ServiceSession
from presets import demo_ledgers as data
from presets.demo_addresses import ADDRESSES
from rules import workflow
from rules.actor import acting_as
from rules.calendar import shanghai_date
from rules.services import tie


def load(session: Session) -> None:
    """Build the lists in the session; the caller commits."""
    for code, name, latitude, longitude, note in ADDRESSES:
        session.add(
            AddressEntry(
                community=organization(session, code),
                name=name,
                latitude=latitude,
                longitude=longitude,
                note=note,
            )
        )
    for each in data.RESOURCES:
        record = _made(session, Resource, each)
        record.offers = [
            ResourceOffer(organization=organization(session, code)) for code in each.offers
        ]
        _begun(session, record, each)
    for each in data.CHECK_INS:
        check_in = _begun(session, _made(session, CheckIn, each), each)
        for row in each.rows:
            session.add(
                CheckInActivity(check_in=check_in, **_values(session, CheckInActivity, row))
            )
    for each in data.NEEDS:
        _begun(session, _made(session, Need, each), each)
    for each in data.SERVICES:
        _service(session, each)
    session.flush()


def _service(session: Session, each: data.DemoRecord) -> None:
    service = _made(session, ServiceProject, each)
    who = actor(session, "party")
    with acting_as(session, who):
        session.add(service)
        session.flush()
        workflow.begin(session, service, who, at=_at(each, 0))
        needs = session.scalars(select(Need).where(Need.title.in_(each.needs))).all()
        resources = session.scalars(select(Resource).where(Resource.name.in_(each.resources))).all()
        tie(session, service, needs, resources, who, _at(each, 0))
    for row in each.rows:
        session.add(ServiceSession(service=service, **_values(session, ServiceSession, row)))
    _steps(session, service, each)


def _made(session: Session, model: type[Any], each: data.DemoRecord) -> Any:
    return model(**_values(session, model, each.values))


def _begun(session: Session, record: Any, each: data.DemoRecord) -> Any:
    who = actor(session, "party")
    with acting_as(session, who):
        session.add(record)
        session.flush()
        workflow.begin(session, record, who, at=_at(each, 0))
    _steps(session, record, each)
    return record


def _steps(session: Session, record: Any, each: data.DemoRecord) -> None:
    for number, (action, username, given) in enumerate(each.steps, start=1):
        who = actor(session, username)
        values: dict[str, Any] = dict(given)
        if "check_in" in values:
            member = select(CheckIn.id).where(CheckIn.member == values["check_in"])
            values["check_in"] = session.scalars(member).one()
        if "grade" in values:
            values["grade"] = next(grade for grade in Grade if grade.value == values["grade"])
        with acting_as(session, who):
            workflow.apply(session, record, action, who, values, now=_at(each, number))


def _at(each: data.DemoRecord, step: int) -> dt.datetime:
    """Return when a step was taken: never in the future."""
    return min(utcnow(), utcnow() + dt.timedelta(days=step - each.ago))


def _values(session: Session, model: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(session, model, name, value) for name, value in given.items()}


def _value(session: Session, model: type[Any], name: str, value: Any) -> Any:
    """Return a value as its column holds it: places by code, dates by days from today."""
    mapper = inspect(model)
    if name in mapper.relationships:
        return organization(session, value)
    kind = mapper.columns[name].type
    members: type[Titled] | None = getattr(kind, "enum_class", None)
    if members is not None:
        return next(member for member in members if member.value == value)
    if kind.python_type is dt.date:
        return shanghai_date(utcnow()) + dt.timedelta(days=value)
    if kind.python_type is dt.time:
        return dt.time.fromisoformat(value)
    if kind.python_type is decimal.Decimal:
        return decimal.Decimal(value)
    return value
