"""Flask, with what every page asks for over and over kept: addresses, texts, parts of pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, g, has_request_context, request
from flask.json.provider import DefaultJSONProvider
from flask_babel import Domain, get_babel
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

#: How many addresses are remembered; those of single records are put together from one of them.
MOST = 5000
#: Stands for a number in an address that is remembered; no record is called so.
_NUMBER = 9_007_199_254_740_993


class InOrder(DefaultJSONProvider):
    """Answers keep the order they were put in: a form's faults come as its fields do."""

    sort_keys = False


class App(Flask):
    """The application. A page has a hundred links, and each was routed anew."""

    json_provider_class = InOrder

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name)
        self._addresses: dict[Any, tuple[str, str]] = {}

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """Return an address as Flask does. Relative ones of a known form come from memory.

        What an address is made of beside its values is the endpoint and where the application is
        mounted. A single number (a record's id) is put into the address of another number.
        """
        if (
            not has_request_context()
            or self.url_default_functions
            or endpoint[:1] == "."
            or not all(_is_plain(name, value) for name, value in values.items())
        ):
            return super().url_for(endpoint, **values)
        (number,) = values.values() if len(values) == 1 else (None,)
        one = type(number) is int and number >= 0
        kept = dict.fromkeys(values, _NUMBER) if one else values
        key = (request.script_root, endpoint, *kept.items())
        parts = self._addresses.get(key)
        if parts is None:
            whole = super().url_for(endpoint, **kept)
            before, found, after = whole.partition(str(_NUMBER)) if one else (whole, "", "")
            if one and (not found or str(_NUMBER) in after):
                return super().url_for(endpoint, **values)
            if len(self._addresses) >= MOST:
                self._addresses.clear()
            parts = self._addresses[key] = (before, after)
        return f"{parts[0]}{number}{parts[1]}" if one else parts[0]


def _is_plain(name: str, value: Any) -> bool:
    """Tell whether a value may be remembered: a number or a short text, and no setting of Flask's."""
    short = type(value) is int or (isinstance(value, str) and len(value) < 200)
    return short and name[:1] != "_"


class Texts(Domain):
    """Flask-Babel's catalogue, asked which language it is once a request and not for every word."""

    def get_translations(self) -> Any:
        """Return the reader's catalogue; ``flask_babel.refresh`` and ``force_locale`` forget it."""
        context = g.get("_flask_babel") if g else None
        found = getattr(context, "babel_translations", None)
        if found is None:
            found = super().get_translations()
            if context is not None:
                context.babel_translations = found
        return found


class Kept(Extension):
    """``{% kept NAME, KEY, … %}…{% endkept %}``: a part of a page that is made once for each key.

    The key must name everything that the part shows, the language and the application's mount among
    it (``page_key``), and must be of few values.
    """

    tags = {"kept"}

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._parts: dict[Any, str] = {}

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the call that stands for the part."""
        line = next(parser.stream).lineno
        key = [parser.parse_expression()]
        while parser.stream.skip_if("comma"):
            key.append(parser.parse_expression())
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_part", key), [], [], body).set_lineno(line)

    def _part(self, *key: Any, caller: Callable[[], str]) -> str:
        part = self._parts.get(key)
        if part is None:
            if len(self._parts) >= MOST:
                self._parts.clear()
            part = caller()
            if not self.environment.auto_reload:
                self._parts[key] = part
        return part


def init_app(app: Flask) -> None:
    """Let an application whose Flask-Babel is set up keep its texts and the parts of its pages."""
    babel = get_babel(app)
    babel.instance.domain_instance = Texts(domain=babel.default_domain)
    app.jinja_env.add_extension(Kept)
