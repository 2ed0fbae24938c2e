"""Buttons that several views offer."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from rules.policy import Action, allows
from views.context import actor
from views.presentation import Link

#: What is imported by an importer of its own: kind → record type of the policy, and the view that
#: takes the file. Declared ledgers have their buttons by themselves (``views.exports``).
IMPORTABLE = {
    "organizations": ("organization", "OrganizationImportView"),
    "duty-items": ("duty_list", "DutyItemImportView"),
}


def import_links(record: Any | None, kind: str) -> list[Link]:
    """Return the import button of a list, for those who may import its record type."""
    record_type, view = IMPORTABLE[kind]
    if record is not None or not allows(actor().roles, record_type, Action.IMPORT):
        return []
    return [Link(_("从 Excel 导入"), url_for(f"{view}.upload"), "fa-file-import")]
