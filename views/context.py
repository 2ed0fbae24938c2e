"""What every view asks of the request: its session, its actor, one commit at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app, request
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.organization import Organization
from rules.actor import Actor
from rules.errors import Conflict, Invalid, Stale
from views.security import current_actor

STALE = "这条记录刚刚被别人保存过，您的修改没有写入。请对照后再保存。"


def session() -> Session:
    """Return the request's session, which acts for the person who is logged in."""
    opened: Session = current_app.extensions["appbuilder"].session()
    return opened


def actor() -> Actor:
    """Return who is asking."""
    return current_actor()


def own_area() -> Organization | None:
    """Return the place in which the reader's organisation lies: a county, for its offices and units."""
    place = actor().area_id
    return session().get(Organization, place) if place else None


def area_name() -> str:
    """Return what the reader's area is called; who lies in none is called by his organisation."""
    place = own_area()
    return place.name if place is not None else actor().organization_name


def record_id() -> int:
    """Return the id that the address names."""
    return int((request.view_args or {})["pk"])


def data_dir() -> Path:
    """Return the folder that holds what the database does not."""
    return Path(current_app.config["DATA_DIR"])


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Commit once at the end, or roll everything back.

    Turns what the database refuses into sentences: ``Conflict`` for a lost race, ``Invalid`` for a
    value that must not occur twice.
    """
    database = session()
    try:
        yield database
        database.commit()
    except StaleDataError:
        database.rollback()
        raise Stale(_(STALE)) from None
    except IntegrityError as error:
        database.rollback()
        if "event" in str(error.orig) and "sequence" in str(error.orig):
            raise Conflict(_("有人同时办理了这一步，您这次没有生效。请刷新后核对。")) from None
        raise Invalid(
            _("保存失败：有内容与已有记录重复，或引用的记录刚刚被删除。请核对后再保存。")
        ) from error
    except BaseException:
        database.rollback()
        raise
