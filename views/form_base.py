"""The form that all others are made of: as Flask-WTF has it, with its catalogues read once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from babel.support import NullTranslations, Translations
from flask import current_app
from flask_babel import get_locale
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms.i18n import messages_path


@lru_cache(maxsize=16)
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(messages_path(), [locale], domain="wtforms")


class _Texts:
    """WTForms' own words in the reader's language."""

    def gettext(self, string: str) -> str:
        """Return a text."""
        return str(_reader().ugettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return a text that speaks of a number of things."""
        return str(_reader().ungettext(singular, plural, n))


def _reader() -> NullTranslations:
    return _catalogue(str(get_locale() or current_app.config["BABEL_DEFAULT_LOCALE"]))


class _Signed(FlaskForm.Meta.csrf_class):
    """Flask-WTF's token, signed when the form is shown: what is posted only needs to be checked."""

    def generate_csrf_token(self, csrf_token_field: Any) -> LazyString:
        """Return what becomes the token when it is written."""
        return LazyString(super().generate_csrf_token, csrf_token_field)


class Form(FlaskForm):
    """A form of ours. Flask-WTF reads WTForms' catalogue from disk in every request."""

    class Meta(FlaskForm.Meta):
        """Where a form's words and its token come from."""

        csrf_class = _Signed

        def get_translations(self, form: Any) -> _Texts:
            """Return WTForms' words, from memory."""
            return _Texts()
