"""Refusals: their text is the sentence that the user reads, their status the HTTP status."""

from __future__ import annotations


class Refused(Exception):
    """Something was asked for that the business does not allow; nothing was changed."""

    status = 400

    def __init__(self, message: str, **fields: str) -> None:
        """Keep the sentence, and a sentence per form field where the fault lies in one."""
        super().__init__(message)
        self.message = message
        self.fields = fields

    def __str__(self) -> str:
        return self.message


class Invalid(Refused):
    """The input is wrong; the sentence says what and where."""

    status = 422


class Forbidden(Refused):
    """The actor may see the record, but may not do this to it."""

    status = 403


class OutOfScope(Refused):
    """The row lies outside the actor's scope. It says no more than that: the row may not exist."""

    status = 404

    def __init__(self, message: str = "没有找到这条记录，或者您无权查看、修改它。") -> None:
        super().__init__(message)


class Conflict(Refused):
    """Somebody else was faster, or the record is no longer in the state that was shown."""

    status = 409


class Stale(Conflict):
    """The record was saved by somebody else after it was shown; both texts must be compared."""
