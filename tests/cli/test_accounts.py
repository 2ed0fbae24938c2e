"""The first administrator: made at the command line, held to the rules that the pages hold to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from cli import accounts
from database import db
from models.account import Account
from models.ledger import AuditEntry
from rules.actor import SYSTEM, acting_as
from rules.passwords import WEAK
from tests.conftest import Backend

GOOD = "first-admin-2026"
Run = Callable[..., Result]


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv(accounts.PASSWORD_VARIABLE, raising=False)

    def invoke(*words: str, stdin: str | None = None) -> Result:
        return app.test_cli_runner().invoke(accounts.create_admin, list(words), input=stdin)

    return invoke


def account(app: Flask, username: str) -> Account | None:
    """Return the account of that name, with its organisation and roles at hand."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        found = db.session.scalars(select(Account).where(Account.username == username)).first()
        if found is not None:
            assert found.organization is None or found.organization.code
            assert [role.name for role in found.roles] == ["system_administrator"]
        return found


def logs_in(app: Flask, username: str, password: str) -> bool:
    client = app.test_client()
    answer = client.post("/login/", data={"username": username, "password": password})
    return answer.status_code == 302 and client.get("/accounts/list/").status_code == 200


def test_the_password_is_asked_for_unseen_and_twice(app: Flask, run: Run) -> None:
    result = run("root", "--name", "张管理", stdin=f"{GOOD}\n{GOOD}\n")
    assert result.exit_code == 0, result.output
    assert GOOD not in result.output
    assert "root" in result.output
    assert logs_in(app, "root", GOOD)
    assert not logs_in(app, "root", "another-2026")


def test_without_an_organization_or_with_one(app: Flask, run: Run) -> None:
    assert run("root", "--name", "张管理", "--password-stdin", stdin=f"{GOOD}\n").exit_code == 0
    assert run("boss", "--name", "李管理", "--organization", "B", "--password-stdin", stdin=f"{GOOD}\n").exit_code == 0  # fmt: skip
    root, boss = account(app, "root"), account(app, "boss")
    assert root is not None
    assert root.organization is None
    assert root.get_full_name() == "张管理"
    assert boss is not None
    assert boss.organization is not None
    assert boss.organization.code == "B"
    assert logs_in(app, "boss", GOOD)


def test_the_password_may_come_from_the_environment(
    app: Flask, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(accounts.PASSWORD_VARIABLE, GOOD)
    assert run("root", "--name", "张管理").exit_code == 0
    assert logs_in(app, "root", GOOD)


def test_who_made_the_account_is_audited(app: Flask, run: Run) -> None:
    run("root", "--name", "张管理", "--password-stdin", stdin=f"{GOOD}\n")
    with app.app_context(), acting_as(db.session(), SYSTEM):
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.record_title == "张管理")
        ).one()
        assert (entry.action, entry.actor_name) == ("create", "系统")
        assert GOOD not in str(entry.changes)


@pytest.mark.parametrize("weak", ["short-1", "no-digits-at-all", "12345678901234", ""])
def test_a_weak_password_is_refused(app: Flask, run: Run, weak: str) -> None:
    result = run("root", "--name", "张管理", "--password-stdin", stdin=f"{weak}\n")
    assert result.exit_code == 1
    assert WEAK in result.output
    assert account(app, "root") is None


def test_a_name_that_is_taken_is_refused_before_a_password_is_asked_for(
    app: Flask, run: Run
) -> None:
    result = run("admin", "--name", "张管理", stdin="")
    assert result.exit_code == 1
    assert "已被使用" in result.output
    with app.app_context(), acting_as(db.session(), SYSTEM):
        same = select(func.count(Account.id)).where(Account.username == "admin")
        assert db.session.scalar(same) == 1


def test_an_unknown_organization_is_refused(app: Flask, run: Run) -> None:
    result = run("root", "--name", "张管理", "--organization", "XX", "--password-stdin", stdin=f"{GOOD}\n")  # fmt: skip
    assert result.exit_code == 2
    assert "没有代码为“XX”的组织机构" in result.output
    assert account(app, "root") is None


@pytest.mark.parametrize(
    ("username", "name"), [("  ", "张管理"), ("u" * 65, "张管理"), ("root", " ")]
)
def test_blank_and_long_names_are_refused(app: Flask, run: Run, username: str, name: str) -> None:
    result = run(username, "--name", name, "--password-stdin", stdin=f"{GOOD}\n")
    assert result.exit_code == 1
    assert "应为 1 到 64 个字" in result.output
    assert account(app, username.strip()) is None
