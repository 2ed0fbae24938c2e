"""WTForms' own words: in the reader's language, though its catalogues are read once."""

from __future__ import annotations

import re

import pytest
from flask_babel import force_locale
from flask_wtf.csrf import validate_csrf
from wtforms import IntegerField

from tests.conftest import Backend
from views.form_base import Form


class Counted(Form):
    """A form with a field whose complaint is WTForms' own."""

    number = IntegerField()


def complaint(locale: str) -> str:
    """Return what a reader is told who types a word where a number belongs."""
    with force_locale(locale):
        form = Counted()
        form.validate()
        return str(form.number.errors[0])


def test_each_reader_is_told_in_his_own_language(sqlite: Backend) -> None:
    with sqlite.app.test_request_context(method="POST", data={"number": "许多"}):
        first, second, again = complaint("zh"), complaint("en"), complaint("zh")
    assert second == "Not a valid integer value."
    assert first == again != second


def test_a_form_that_is_shown_carries_the_token_of_its_session(
    sqlite: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is signed when it is written, the same however often that is."""
    monkeypatch.setitem(sqlite.app.config, "WTF_CSRF_ENABLED", True)
    with sqlite.app.test_request_context():
        form = Counted(formdata=None)
        token, again = form.csrf_token(), form.csrf_token()
        assert token == again
        written = re.search('value="([^"]+)"', str(token))
        assert written is not None
        validate_csrf(written[1])
