"""People who log in: FAB's user with an organisation and a lock-out."""

from __future__ import annotations

import datetime as dt

from flask_appbuilder.security.sqla.models import User as FabUser
from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import UTCDateTime, field
from models.organization import Organization
from models.scoping import Anchored


class Account(FabUser):
    """An account. It belongs to one organisation and holds roles (domain section 7)."""

    __tablename__ = "ab_user"
    __label__ = "用户"
    __scope__ = Anchored(("organization_id",), user_column="id")
    __audited__ = True
    __table_args__ = {"extend_existing": True}

    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("所属机构")
    )
    locked_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("锁定至"))
    session_generation: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0", info=field("会话代次")
    )
    version: Mapped[int] = mapped_column(
        Integer, default=1, server_default="1", info=field("版本", help="每次编辑加一")
    )

    organization: Mapped[Organization | None] = relationship(info=field("所属机构"))

    def get_id(self) -> str:
        """Return what the account's sessions are called (``session_name``)."""
        return session_name(self.id, self.session_generation, self.password)

    def get_full_name(self) -> str:
        """Return the name as ``full_name`` writes it."""
        return full_name(self.last_name, self.first_name)

    def __str__(self) -> str:
        return self.get_full_name()

    @classmethod
    def record_type(cls) -> str:
        """Return the name by which policy and audit call this type."""
        return "user"


def session_name(account_id: int, generation: int, password: str | None) -> str:
    """Name an account's sessions: logging out or changing the password makes old cookies worthless.

    ``password`` is its hash, of which the end goes in.
    """
    return f"{account_id}.{generation}.{(password or '')[-12:]}"


def full_name(last_name: str, first_name: str) -> str:
    """Write a name as Chinese people do: family name first, no blank."""
    return f"{last_name}{first_name}"
