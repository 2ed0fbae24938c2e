"""Every page that a role can reach, in both languages: no Chinese of ours in English, no English in Chinese."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from cli.demo import load
from database import db
from models.duty import DutyListType
from presets import demo_county
from presets.mechanisms import PRESETS
from reports.numbers import Measure
from rules.actor import SYSTEM, acting_as
from tests.conftest import close, logger_in, make_app
from tests.factories.world import PASSWORD
from tests.translations.reading import CHINESE, Remover, data_of, texts_of, walk

#: Words, and not the places in a text where scripts put a value.
LATIN = re.compile(r"(?<![{A-Za-z])[A-Za-z]{2,}")
#: Languages are offered under their own names.
ENDONYMS = {"中文", "English"}
#: Names of products, formats and units that Chinese people write in Latin letters.
WRITTEN_SO = {"Excel", "WPS", "MB", "SHA", "xlsx", "xls", "xlsm", "ods", "et", "csv"}
WRITTEN_SO |= {
    "https",
    "secret",
    "Word",
    "PDF",
    "JPEG",
    "PNG",
    "docx",
    "pdf",
    "jpg",
    "png",
    "if",
    "endif",
}
#: What records of the demo county are called that the interface also says.
HOMONYMS = {"吹哨办", "即时", *(kind.title for kind in DutyListType)}
HOMONYMS |= {measure.title for measure in Measure}


def said_by(plan: Any) -> Iterator[str]:
    """Yield what a preset calls things: the county's own words once it has adopted it."""
    yield plan.name
    for part in (*plan.classes, *plan.route, *plan.dimensions):
        yield part.name
        yield getattr(part, "description", None) or part.name


HOMONYMS |= {text for plan in PRESETS.values() for text in said_by(plan)}
#: Fields and conditions of a letter template: they are typed as they stand, whoever reads the page.
MARKS = re.compile(r"\{[{%].*?[%}]\}")


@dataclass
class County:
    """The demo county, in which every kind of record stands in every state."""

    app: Flask
    remover: Remover

    def client(self, username: str, locale: str) -> FlaskClient:
        """Return a client that is logged in and reads in a language."""
        client = logger_in(self.app)(username)
        client.get(f"/lang/{locale}")
        return client

    def foreign(self, html: str, locale: str) -> list[str]:
        """Return the texts of a page that are in the wrong language."""
        return [text for text in texts_of(html) if self.is_foreign(text, locale)]

    def is_foreign(self, text: str, locale: str) -> bool:
        """Tell whether a text says anything in the wrong language that is no record's data."""
        wrong = CHINESE if locale == "en" else LATIN
        text = MARKS.sub("", text)
        if text in ENDONYMS or not wrong.search(text):
            return False
        rest = self.remover.rest(text)
        if locale == "en":
            return bool(CHINESE.search(rest))
        return not WRITTEN_SO.issuperset(LATIN.findall(rest))


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """The demo county on SQLite."""
    folder = tmp_path_factory.mktemp("county")
    # Some people of the demo county are called like their role.
    accounts = {
        username: (f"{name}同志", code, role)
        for username, (name, code, role) in demo_county.ACCOUNTS.items()
    }
    app = make_app(f"sqlite:///{folder / 'county.db'}", folder)
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
        with acting_as(db.session(), SYSTEM):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(demo_county, "ACCOUNTS", accounts)
                load(db.session(), PASSWORD)
            db.session.commit()
        db.session.remove()
    catalogue = Path(app.root_path) / "translations/en/LC_MESSAGES/messages.po"
    with catalogue.open("rb") as file:
        own = {message.id for message in read_po(file) if isinstance(message.id, str)}
    yield County(app, Remover(data_of(app, own - HOMONYMS)))
    close(app)


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("username", demo_county.ACCOUNTS)
def test_every_page_speaks_one_language(county: County, username: str, locale: str) -> None:
    pages, wrong = 0, set()
    for answer in walk(county.client(username, locale)):
        pages += 1
        assert f'<html lang="{"en" if locale == "en" else "zh-CN"}"' in answer.text
        for text in county.foreign(answer.text, locale):
            wrong.add(f"{answer.request.path}: {text}")
    assert pages > 8
    assert not wrong, "\n".join(sorted(wrong))


#: The lists of domain section 4.
LEDGERS = ("resources", "needs", "services", "sessions", "check-ins", "check-in-activities")


def refusals(client: FlaskClient, stranger: FlaskClient) -> Iterator[str]:
    """Yield pages that say what is wrong."""
    for path in ("/accounts/add", "/organizations/add", "/agreements/add", "/calendar/add"):
        yield client.post(path, data={}).text
    for path in LEDGERS:
        yield client.post(f"/{path}/add", data={}).text
        yield client.get(f"/{path}/list/?q=nothing-like-it").text
    yield client.post("/letter-templates/add", data={}).text
    yield client.post("/matching/arrange", data={"need": "1", "resource": "1"}).text
    yield client.get("/board/?category=goods&is_wish=1").text
    yield client.get("/numbers/units/?q=nothing-like-it").text
    yield client.get("/coverage/units/?q=nothing-like-it").text
    yield client.post("/accounts/add", data={"role_names": "emperor", "email": "x" * 400}).text
    yield client.post("/agreements/add", data={"valid_from": "yesterday", "kind": "none"}).text
    yield client.post("/my-password/", data={}).text
    yield client.post("/my-password/", data={"old": "a", "new": "b", "again": "c"}).text
    weak = {"old": PASSWORD, "new": "short", "again": "short"}
    yield client.post("/my-password/", data=weak).text
    yield client.post("/imports/organizations/", data={}).text
    yield client.post("/agreements/step/1/terminate", data={}).text
    yield client.get("/nowhere").text
    yield client.get("/tickets/add").text
    yield client.get("/agreements/delete/1").text
    yield client.get("/agreements/edit/1").text
    yield client.get("/agreements/list/?q=nothing-like-it").text
    yield client.get("/agreements/list/?order=9").text
    yield client.get("/agreements/list/?after=x").text
    yield client.get("/agreements/list/?community=-9").text
    yield stranger.get("/tickets/list/", follow_redirects=True).text
    yield stranger.post("/login/", data={}).text
    wrong = {"username": "admin", "password": "wrong"}
    yield stranger.post("/login/", data=wrong, follow_redirects=True).text


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_refusals_speak_one_language(county: County, locale: str) -> None:
    stranger = county.app.test_client()
    stranger.get(f"/lang/{locale}")
    wrong = set()
    for number, page in enumerate(refusals(county.client("admin", locale), stranger)):
        wrong |= {f"{number}: {text}" for text in county.foreign(page, locale)}
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_preview_speaks_one_language(county: County, tmp_path: Path, locale: str) -> None:
    """Only its own words: findings about cells are sentences of the rules, which are Chinese."""
    book = load_workbook(demo_county.ORGANIZATIONS)
    sheet = book.active
    headings = {cell.value: cell.column for row in sheet.iter_rows(max_row=5) for cell in row}
    sheet.cell(sheet.max_row, headings["联系电话"]).value = "0951-1234567"
    sheet.title = "9"
    book.save(tmp_path / "9.xlsx")
    client = county.client("admin", locale)
    with (tmp_path / "9.xlsx").open("rb") as file:
        data = {"files": (file, "9.xlsx")}
        answer = client.post("/imports/organizations/", data=data, follow_redirects=True)
    assert "0951-1234567" in answer.text
    assert county.foreign(answer.text, locale) == []


@pytest.mark.parametrize("path", ["resources", "needs", "services", "check-ins", "agreements"])
def test_what_a_ledger_sends_out_and_takes_in_again_speaks_english(
    county: County, tmp_path: Path, path: str
) -> None:
    """The same rows: nothing to import; an empty template: no data. Headings stay Chinese."""
    client = county.client("party", "en")
    for name in ("export", "template"):
        with client.get(f"/{path}/{name}") as sent:
            assert sent.status_code == 200
            book = load_workbook(io.BytesIO(sent.data))
        book.worksheets[0].title = "9"
        book.save(tmp_path / "9.xlsx")
        with (tmp_path / "9.xlsx").open("rb") as file:
            answer = client.post(
                f"/imports/{path}/", data={"files": (file, "9.xlsx")}, follow_redirects=True
            )
        assert answer.status_code == 200
        assert "nothing to import" in answer.text
        assert county.foreign(answer.text, "en") == []


def words_of(content: bytes) -> Iterator[str]:
    """Yield the sheets' names and every text in the cells."""
    book = load_workbook(io.BytesIO(content))
    yield from book.sheetnames
    for sheet in book:
        for row in sheet.iter_rows(values_only=True):
            yield from (cell for cell in row if isinstance(cell, str))


@pytest.mark.parametrize("username", ["party", "unit"])
def test_workbooks_of_figures_speak_english(county: County, username: str) -> None:
    client, found = county.client(username, "en"), 0
    for path in ("numbers", "numbers/units", "numbers/communities", "coverage"):
        with client.get(f"/{path}/export") as answer:
            if answer.status_code == 403:
                continue
            content = answer.data
        found += 1
        foreign = [text for text in words_of(content) if county.is_foreign(text, "en")]
        assert foreign == []
    assert found


def test_the_reader_would_notice(county: County) -> None:
    page = "<p title='{}'>{}</p>".format
    assert county.foreign(page("Name", "新的文字"), "en") == ["新的文字"]
    assert county.foreign(page("新的文字", "Name"), "en") == ["新的文字"]
    assert county.foreign(page("名称", "Untranslated"), "zh") == ["Untranslated"]
    assert county.foreign(page("县住房和城乡建设局", "东关社区"), "en") == []
    assert county.foreign(page("{{ 甲方 }}", "{%p if 续签自 %}"), "en") == []
    assert county.foreign(page("Name", "{{ 甲方 }}的"), "en") == ["{{ 甲方 }}的"]


def test_the_log_names_fields_and_roles_as_forms_do(county: County) -> None:
    """What an audit entry holds in Latin letters is no name for a reader."""
    page = county.client("admin", "zh").get("/accounts/show/1").text
    texts = texts_of(page[page.index('class="changes"') :])
    assert {"账号", "角色", "系统管理员"} <= set(texts)
    assert not {"username", "roles", "system_administrator"} & set(texts)


def test_one_form_serves_both_languages(county: County) -> None:
    """The labels of a form that is made with its class must not keep the first reader's language."""
    pages: list[Callable[[], str]] = [
        lambda locale=locale: county.client("leader", locale).get("/my-password/").text  # type: ignore[misc]
        for locale in ("en", "zh", "en")
    ]
    english, chinese, again = (page() for page in pages)
    assert "Old password" in english
    assert "原密码" in chinese
    assert "Old password" in again
