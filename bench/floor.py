"""The floor: what a page with the same rows costs with nothing but Flask and one query."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, render_template, request
from jinja2 import DictLoader
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    create_engine,
    insert,
    select,
)
from werkzeug.wrappers import Response

from models.base import utcnow
from models.mechanism import WhistleClass
from models.need import Need
from models.organization import Organization
from models.ticket import Ticket

_PAGE = """<!doctype html><title>tickets</title><table>
{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table>"""


def floor(url: str) -> Flask:
    """Return a tiny application over the same database: ``/?ids=1,2,3`` lists those tickets,
    ``/needs?ids=1,2,3`` those needs; a POST to ``/written`` inserts a row, commits, and redirects.

    One joined query with the columns of the product's list, no log-in, no scope, no layout.
    """
    app = Flask("floor")
    app.jinja_loader = DictLoader({"page.html": _PAGE})
    engine = create_engine(url)
    ticket, kind = Ticket.__table__, WhistleClass.__table__
    place, lead = Organization.__table__.alias(), Organization.__table__.alias()
    query = (
        select(
            ticket.c.number,
            ticket.c.title,
            place.c.name,
            kind.c.name,
            lead.c.name,
            ticket.c.status,
            ticket.c.resolve_due,
            ticket.c.created_at,
        )
        .join(place, place.c.id == ticket.c.organization_id)
        .join(kind, kind.c.id == ticket.c.whistle_class_id)
        .outerjoin(lead, lead.c.id == ticket.c.lead_id)
        .order_by(ticket.c.id.desc())
    )

    @app.get("/")
    def page() -> str:
        ids = [int(each) for each in request.args["ids"].split(",")]
        with engine.connect() as connection:
            rows = connection.execute(query.where(ticket.c.id.in_(ids))).all()
        return render_template("page.html", rows=rows)

    @app.get("/needs")
    def needs() -> str:
        ids = [int(each) for each in request.args["ids"].split(",")]
        with engine.connect() as connection:
            rows = connection.execute(_needs().where(Need.__table__.c.id.in_(ids))).all()
        return render_template("page.html", rows=rows)

    _writing(app, engine)
    app.extensions["floor_engine"] = engine
    return app


def _writing(app: Flask, engine: Engine) -> None:
    """Let the application insert a row, commit, and redirect."""
    written = Table(
        "bench_floor",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("ticket_id", Integer),
        Column("text", Text),
        Column("at", DateTime(timezone=True)),
    )
    written.create(engine, checkfirst=True)

    @app.post("/written")
    def write() -> Response:
        row = {
            "ticket_id": int(request.form["ticket"]),
            "text": request.form["text"],
            "at": utcnow(),
        }
        with engine.begin() as connection:
            connection.execute(insert(written).values(**row))
        return redirect("/")


def _needs() -> Select[Any]:
    need = Need.__table__
    place, holder = Organization.__table__.alias(), Organization.__table__.alias()
    return (
        select(
            need.c.title,
            place.c.name,
            need.c.category,
            need.c.status,
            holder.c.name,
            need.c.published_on,
        )
        .join(place, place.c.id == need.c.community_id)
        .outerjoin(holder, holder.c.id == need.c.claimed_by_id)
        .order_by(need.c.id.desc())
    )
