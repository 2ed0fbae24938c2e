"""Lines of a document with a heading and numbered parts: what minutes and bulletins have in common."""

from __future__ import annotations

from docx.document import Document as Official
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from presets.letter import BODY, HEADING, NOTE, TITLE, write

SIZE, SMALL = Pt(15), Pt(12)
SPACING = Pt(26)
#: Top, bottom, left and right, in mm.
MARGINS = (30, 28, 22, 22)


def line(
    document: Official, text: str, font: str = BODY, size: Pt = SIZE, *, indent: bool = False
) -> Paragraph:
    """Add a line, and return it."""
    made = document.add_paragraph()
    if indent:
        made.paragraph_format.first_line_indent = SIZE * 2
    write(made, text, font, size)
    return made


def headed(document: Official, title: str, below: str) -> None:
    """Begin with a title in the middle, and a smaller line below it."""
    first = line(document, title, TITLE, Pt(20))
    first.alignment, first.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(4)
    first.paragraph_format.line_spacing = Pt(32)
    second = line(document, below, NOTE)
    second.alignment, second.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(12)


def part(document: Official, heading: str) -> None:
    """Begin a part with its heading, which stays with what follows."""
    made = line(document, heading, HEADING, indent=True)
    made.paragraph_format.space_before = Pt(8)
    made.paragraph_format.keep_with_next = True


def foot(document: Official, text: str) -> None:
    """End with whose it is and of what day, to the right."""
    made = line(document, text, NOTE, SMALL)
    made.alignment, made.paragraph_format.space_before = WD_ALIGN_PARAGRAPH.RIGHT, Pt(18)
