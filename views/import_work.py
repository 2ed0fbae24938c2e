"""Setting an uploaded workbook to work: a small one while the person waits, others behind the scenes."""

from __future__ import annotations

from flask import current_app

from imports.specs import ledger
from jobs.queue import queue
from jobs.tasks import TASKS

#: Kinds of import whose upload page is written by hand; the others are called by their record type.
_PAGES = {"organizations": "OrganizationImportView", "duty-items": "DutyItemImportView"}
#: Bytes of a file that is worked through within the request: some hundred rows, half a second.
SMALL = 200_000


def set_to_work(task: str, number: int, size: int | None) -> None:
    """Do the task at once if its file is known to be small, or leave it to the worker.

    Call it after the job's row has been committed.
    """
    if size is not None and size <= SMALL:
        TASKS[task](current_app._get_current_object(), number)  # type: ignore[attr-defined]
    else:
        queue().send(task, number)


def upload_endpoint(kind: str, route: str = "upload") -> str:
    """Return the endpoint of the page where files of a kind are uploaded."""
    spec = ledger(kind)
    page = _PAGES[kind] if spec is None else f"{spec.model.__name__}ImportView"
    return f"{page}.{route}"
