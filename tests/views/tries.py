"""One request of the matrices, and what may be due to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OK, FORBIDDEN, HIDDEN = {200}, {403}, {403, 404}
DONE, LOCKED = {302}, {409}


@dataclass(frozen=True)
class Try:
    """One request and the statuses of which one is due to an account."""

    method: str
    path: str
    due: set[int]
    data: dict[str, Any] = field(default_factory=dict)
    #: the record that it is about, if it is about one
    name: str = ""
