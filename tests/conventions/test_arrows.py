"""Dependencies point one way: app → views → imports, reports, notifications → rules → models."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.conventions.source import BESIDE, MODULES, PACKAGES, Source, python_files

#: What each package may import of ours, besides itself.
ARROWS: dict[str, set[str]] = {
    "config": set(),
    "models": set(),
    "presets": {"models"},
    "rules": {"models", "presets"},
    "imports": {"rules", "models", "presets"},
    "reports": {"rules", "models", "presets"},
    "notifications": {"rules", "models", "presets"},
    "jobs": {"imports", "reports", "notifications", "rules", "models", "presets", "database"},
    "views": {"imports", "reports", "notifications", "rules", "models", "presets", "jobs"},
    "database": {"rules", "models"},
    "cli": {"views", "imports", "reports", "notifications", "rules", "models", "presets"}
    | {"database", "bench", "jobs"},
    "app": {"views", "cli", "jobs", "config", "database"},
}
OURS = {*PACKAGES, *BESIDE, *(name.removesuffix(".py") for name in MODULES)}
#: Below the views nothing knows of the web, but for what FAB's classes are mapped by.
WITHOUT_FLASK = ("models", "rules", "imports", "presets", "reports", "notifications")
MAPPED_BY_FAB = {
    "models/base.py": "flask_appbuilder.Model",
    "models/ledger.py": "flask_appbuilder.Model",
    "models/measure.py": "flask_appbuilder.Model",
    "models/registry.py": "flask_appbuilder.Model",
    "models/account.py": "flask_appbuilder.security.sqla.models.User",
    "rules/scope.py": "flask_appbuilder.security.sqla.models.User",
}


def against_the_arrows(files: Iterable[Source]) -> list[str]:
    """Return every import that points the wrong way."""
    found = []
    for each in files:
        for name, line in each.imports():
            target = name.split(".")[0]
            allowed = ARROWS[each.package] | {each.package}
            if target in OURS and target not in allowed:
                found.append(f"{each.path}:{line} imports {name}")
    return found


def of_the_web(files: Iterable[Source]) -> list[str]:
    """Return every import of Flask and its kin where it has no place."""
    found = []
    for each in files:
        for name, line in each.imports():
            web = name.split(".")[0].startswith(
                ("flask", "werkzeug", "jinja2", "wtforms", "markupsafe")
            )
            if web and MAPPED_BY_FAB.get(each.path) != name:
                found.append(f"{each.path}:{line} imports {name}")
    return found


def test_every_package_has_its_arrows() -> None:
    assert set(ARROWS) == OURS - set(BESIDE)


def test_dependencies_point_one_way() -> None:
    files = python_files()
    assert len(files) > 80
    assert against_the_arrows(files) == []


def test_the_web_stays_above() -> None:
    files = [each for each in python_files() if each.package in WITHOUT_FLASK]
    # Hashing passwords is werkzeug's, and letters are written in jinja2's words: neither needs a request.
    allowed = ("rules/passwords.py", "reports/letters.py", "reports/letter_templates.py")
    assert [each for each in of_the_web(files) if not each.startswith(allowed)] == []


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("rules/bad.py", "from views.records import RecordView", True),
        ("rules/bad.py", "import views", True),
        ("rules/bad.py", "def f():\n    from imports.engine import apply", True),
        ("models/bad.py", "from rules import policy", True),
        ("imports/bad.py", "if TYPE_CHECKING:\n    from views import forms", True),
        ("views/bad.py", "from app import create_app", True),
        ("views/bad.py", "from database import db", True),
        ("presets/bad.py", "import rules.policy", True),
        ("config.py", "import models", True),
        ("models/bad.py", "import tests.conftest", True),
        ("views/good.py", "from rules.policy import Action\nfrom imports import engine", False),
        ("rules/good.py", "from models.base import Record\nfrom rules import actor", False),
        ("app.py", "from views import layout", False),
    ],
)
def test_the_checker_knows_wrong_from_right(path: str, text: str, wrong: bool) -> None:
    assert bool(against_the_arrows([Source(path, text)])) is wrong


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("rules/bad.py", "from flask import g", True),
        ("imports/bad.py", "import flask_babel", True),
        ("models/bad.py", "from flask_appbuilder import Model", True),
        ("models/base.py", "from flask_appbuilder import BaseView", True),
        ("models/base.py", "from flask_appbuilder import Model", False),
        ("rules/good.py", "import sqlalchemy", False),
    ],
)
def test_the_checker_knows_the_web(path: str, text: str, wrong: bool) -> None:
    assert bool(of_the_web([Source(path, text)])) is wrong
