"""Printable letters of agreements: Word documents made from a template that a county may replace.

A template is a stranger's file. It may hold fields and "if" and nothing else, is read only after its
size and kind have been checked, and is filled in a sandbox with plain texts that are escaped.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from docx.document import Document as Letter
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docxcompose.composer import Composer
from docxtpl import DocxTemplate
from jinja2.sandbox import SandboxedEnvironment

from presets.letter import AGREEMENT_LETTER

#: How many letters one document may hold.
MOST = 200
Values = Mapping[str, str]


def default_template() -> bytes:
    """Return our own template."""
    return AGREEMENT_LETTER.read_bytes()


def environment() -> SandboxedEnvironment:
    """Return the environment in which templates are read and filled: no filters, no functions."""
    made = SandboxedEnvironment(autoescape=True)
    for known in (made.globals, made.filters, made.tests):
        known.clear()
    return made


def letter(template: bytes, values: Values) -> bytes:
    """Return one letter as the bytes of a .docx. The template must have passed its check."""
    return _saved(_filled(template, values))


def letters(parts: Iterable[tuple[bytes, Values]]) -> bytes:
    """Return several letters, (template, values) each, as one .docx: each begins a new page."""
    composer: Composer | None = None
    for template, values in parts:
        filled = _filled(template, values)
        if composer is None:
            composer = Composer(filled)
        else:
            _begin_page(filled)
            composer.append(filled)
    if composer is None:
        raise ValueError("no letters to put together")
    return _saved(composer.doc)


def _filled(template: bytes, values: Values) -> Letter:
    document = DocxTemplate(io.BytesIO(template))
    document.render(dict(values), environment(), autoescape=True)
    filled: Letter = document.docx
    return filled


def _begin_page(document: Letter) -> None:
    """Let the document's first paragraph begin a page; a table at the start gets one before it."""
    body: Any = document.element.body
    first = body[0] if len(body) else None
    if first is None or first.tag != qn("w:p"):
        first = OxmlElement("w:p")
        body.insert(0, first)
    Paragraph(first, document).paragraph_format.page_break_before = True


def _saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()
