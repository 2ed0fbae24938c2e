"""A list as somebody likes to see it: its filters, order and search under a name of his own."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Record, field
from models.scoping import Anchored


class SavedView(Record):
    """What follows the question mark of a list's address, kept by one account for itself."""

    __tablename__ = "saved_view"
    __label__ = "常用筛选"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (UniqueConstraint("account_id", "view", "name", name="uq_saved_view_name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    view: Mapped[str] = mapped_column(String(60), info=field("列表"))
    name: Mapped[str] = mapped_column(String(40), info=field("名称"))
    query: Mapped[str] = mapped_column(Text, info=field("筛选条件"))

    def __str__(self) -> str:
        return self.name
