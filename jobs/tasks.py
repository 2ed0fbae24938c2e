"""The tasks by name: each takes the application and the number of the row that asks for it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from jobs import bulletins, exports
from jobs.imports import read, write

TASKS: dict[str, Callable[[Flask, int], None]] = {
    "import-read": read,
    "import-write": write,
    "export-write": exports.write,
    bulletins.TASK: bulletins.write,
}
