"""Reading pages as a person does: forms with what stands in them, rows, buttons, words."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser

from werkzeug.test import TestResponse

Pairs = list[tuple[str, str]]
#: Links that send a file instead of a page.
FILE = re.compile(r"/(export|template|standard|letters?|file|slip|minutes|order|docx|xlsx)(/#)?$")


@dataclass
class HtmlForm:
    """A form: where it posts to, and its fields as a browser would send them."""

    action: str
    method: str
    fields: Pairs = field(default_factory=list)
    #: names of all controls, also of those that would send nothing
    names: set[str] = field(default_factory=set)

    def data(self, **changes: object) -> dict[str, list[str]]:
        """Return what is posted with some fields changed; None leaves a field out."""
        posted: dict[str, list[str]] = {}
        for name, value in self.fields:
            posted.setdefault(name, []).append(value)
        for name, value in changes.items():
            posted.pop(name, None)
            if value is not None:
                posted[name] = (
                    [str(each) for each in value] if isinstance(value, list) else [str(value)]
                )
        return posted


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.form: HtmlForm | None = None
        self.select: str | None = None
        self.multiple = False
        self.options: list[tuple[str, bool]] = []
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = HtmlForm(values.get("action", ""), values.get("method", "get"))
            self.forms.append(self.form)
        if self.form is None:
            return
        name = values.get("name")
        if name:
            self.form.names.add(name)
        if tag == "input" and name:
            kind = values.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in values:
                return
            if kind not in ("submit", "button", "file"):
                self.form.fields.append((name, values.get("value", "")))
        elif tag == "select":
            self.select, self.multiple, self.options = name, "multiple" in values, []
        elif tag == "option" and self.select:
            self.options.append((values.get("value", ""), "selected" in values))
        elif tag == "textarea":
            self.area, self.text = name, ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select" and self.select and self.form is not None:
            chosen = [value for value, selected in self.options if selected]
            if not chosen and not self.multiple and self.options:
                chosen = [self.options[0][0]]
            self.form.fields += [(self.select, value) for value in chosen]
            self.select = None
        elif tag == "textarea" and self.area and self.form is not None:
            self.form.fields.append((self.area, self.text.removeprefix("\r\n").removeprefix("\n")))
            self.area = None


def forms_of(html: str) -> list[HtmlForm]:
    """Return the page's forms."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


def record_form(html: str) -> HtmlForm:
    """Return the form of an add or edit page: the one that posts back to the page itself."""
    (found,) = [form for form in forms_of(html) if form.method == "post" and not form.action]
    return found


def step_forms(html: str) -> dict[str, HtmlForm]:
    """Return the forms of the workflow steps that a detail page offers, by action."""
    found = {}
    for form in forms_of(html):
        if match := re.search(r"/step/\d+/(\w+)$", form.action):
            found[match[1]] = form
    return found


def row_ids(html: str) -> list[int]:
    """Return the ids of the rows that a list shows, in order."""
    return [int(found) for found in re.findall(r'class="row-link" href="[^"]*/show/(\d+)"', html)]


def count_text(html: str) -> str | None:
    """Return what a list says about how many rows there are."""
    found = re.search(r"共 ([\d+]+) 条", html)
    return found[1] if found else None


def link(html: str, label: str) -> str | None:
    """Return where a link with this text leads, if it is there to be followed."""
    pattern = rf'<a href="([^"]+)"><i [^>]*></i>\s*<span>{label}</span></a>'
    found = re.search(pattern, html)
    return found[1].replace("&amp;", "&") if found else None


def errors_of(html: str) -> str:
    """Return what a page says is wrong: at its fields, in its messages, on the error page."""
    found = re.findall(r'<p class="field-error"[^>]*>(.*?)</p>', html, re.S)
    found += re.findall(r'<div class="flash flash-[^>]*>(.*?)</div>', html, re.S)
    found += re.findall(r'<section class="card error-page">(.*?)</section>', html, re.S)
    return unescape(re.sub(r"<[^>]+>|\s+", " ", " ".join(found)))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.silent += 1
        for name, value in attrs:
            if name in ("placeholder", "aria-label", "title", "alt", "data-label") and value:
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent -= 1

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def words_of(html: str) -> list[str]:
    """Return every piece of text that a reader sees or hears."""
    parser = _Words()
    parser.feed(html)
    return parser.texts


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@lru_cache(maxsize=2000)
def tags_of(html: str) -> list[tuple[str, dict[str, str]]]:
    """Return every tag with its attributes."""
    parser = _Tags()
    parser.feed(html)
    return parser.tags


def text_of(answer: TestResponse) -> str:
    """Return an answer as text; of a workbook or a letter, all that its parts say."""
    content = answer.get_data()
    if not content.startswith(b"PK"):
        return content.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return "\n".join(parts.read(name).decode(errors="replace") for name in parts.namelist())
