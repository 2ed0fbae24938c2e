"""README and docs name what is there: commands, options, settings, accounts, files, pictures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from flask.cli import FlaskGroup, ScriptInfo

from imports.reader import read
from presets.demo_county import ACCOUNTS, ORGANIZATIONS
from tests.conftest import Backend
from tests.docs.pages import PAGES, ROOT, anchors, code, links, text

README = text(ROOT / "README.md")
FLASK = "flask --app app "
#: Commands that come with Flask-Migrate, Flask-AppBuilder and Flask-Limiter.
OF_EXTENSIONS = {"db", "fab", "limiter"}
PICTURE, FIRST_PICTURE, PICTURES = 150_000, 200_000, 2_500_000
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def targets() -> set[str]:
    """Return the targets that the Makefile explains."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def make_words(page: Path) -> set[str]:
    """Return the targets that a page's code tells one to make."""
    found = set()
    for line in code(page):
        if match := re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", line):
            found.add(match[1])
    return found


def settings_of_the_code() -> set[str]:
    """Return every environment variable that the product reads."""
    files = [ROOT / "config.py", *(ROOT / "cli").glob("*.py")]
    return {name for path in files for name in re.findall(r"CHUISHAO_[A-Z_]+", text(path))}


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def root(app: Flask) -> Iterator[click.Context]:
    """The context of the ``flask`` command itself, with the commands of its extensions.

    Looking a command up pushes an application context, which must not outlive the test.
    """
    group = FlaskGroup(create_app=lambda: app)
    script = ScriptInfo(create_app=lambda: app)
    with click.Context(group, info_name="flask", obj=script) as context:
        yield context


def check_command(root: click.Context, line: str) -> None:
    """Fail unless the command exists, down to its subcommand and its options."""
    words = shlex.split(line.split(FLASK, 1)[1].split(" >")[0])
    context, command = root, root.command
    while isinstance(command, click.Group):
        assert words, f"{line}: which command of {command.name}?"
        found = command.get_command(context, words[0])
        assert found is not None, f"{line}: no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    known = {name for parameter in command.params for name in parameter.opts}
    for word in words:
        if word.startswith("--"):
            assert word in known, f"{line}: no option {word}"


@by_page
def test_every_make_target_is_there(page: Path) -> None:
    assert make_words(page) <= targets()


@by_page
def test_every_flask_command_is_there(page: Path, root: click.Context) -> None:
    for line in code(page):
        if FLASK in line:
            check_command(root, line)


def test_the_readme_names_the_two_commands_and_every_command_of_ours(app: Flask) -> None:
    assert {"run", "test"} <= make_words(ROOT / "README.md")
    ours = set(app.cli.commands) - OF_EXTENSIONS
    assert len(ours) > 7
    for name in ours:
        assert f"{FLASK}{name}" in README, f"README.md does not show {name}"


def test_every_setting_is_explained_and_every_explained_one_is_read() -> None:
    explained = re.findall(r"^\| `(CHUISHAO_[A-Z_]+)` \|", README, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == settings_of_the_code()


@by_page
def test_no_page_names_a_setting_that_is_not_read(page: Path) -> None:
    assert set(re.findall(r"CHUISHAO_[A-Z_]+", text(page))) <= settings_of_the_code()


def test_the_accounts_are_the_demo_countys() -> None:
    rows = re.findall(r"^\| `([a-z]\w*)` \| (\S+) \| (\S+) \|$", README, re.MULTILINE)
    names = {row.values[0]: row.values[1] for row in read(ORGANIZATIONS)[0].rows[2:]}
    assert rows == [
        (username, role.title, names[code]) for username, (_name, code, role) in ACCOUNTS.items()
    ]


@by_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link} has no such heading"


def test_pictures_are_small_and_each_is_shown() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("*.png"))
    shown = {
        (page.parent / link).resolve() for page in PAGES for link in links(page) if ".png" in link
    }
    assert set(pictures) == shown
    assert sum(path.stat().st_size for path in pictures) <= PICTURES
    assert [path.name for path in pictures if path.stat().st_size > PICTURE] == []


def test_the_first_screen_says_what_it_is() -> None:
    first = README.split("## ", 1)[0]
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+\.png)\)", first)
    content = (ROOT / picture).read_bytes()
    assert int.from_bytes(content[16:20]) == 1280
    assert len(content) <= FIRST_PICTURE
    for word in ("make run", "make test", "CHUISHAO_DEMO_PASSWORD", "docs/guide", "docs/deploy"):
        assert word in first
