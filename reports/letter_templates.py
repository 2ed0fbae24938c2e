"""Is a Word file fit to be a template? Refused with a sentence that names the place."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docxtpl import DocxTemplate
from jinja2 import TemplateError, TemplateSyntaxError, nodes
from lxml import etree
from rapidfuzz import fuzz, process

from models.scan import ScanKind
from reports.letters import environment, letter
from rules.attachments import size_text
from rules.errors import Invalid
from rules.letters import FIELDS
from rules.scans import what_is
from rules.word_files import DOCUMENT, Limits, NotAWordFile, parts_of

#: Bytes of the file; of all its parts when expanded; of one part that is text.
LARGEST = 5 << 20
LIMITS = Limits(entries=500, expanded=50 << 20)
LARGEST_TEXT = 2 << 20
#: Fields and conditions in one template; a letter needs some twenty.
MOST_MARKS = 500

_WORDS = ("if", "elif", "else", "endif")
_NAMES = {
    nodes.For: "循环（for）",
    nodes.Getattr: "取属性（点号）",
    nodes.Getitem: "取下标（方括号）",
    nodes.Call: "调用（圆括号）",
    nodes.Filter: "过滤器（竖线）",
    nodes.Test: "判断（is）",
}
_STATEMENTS = {"for": "循环（for）", "macro": "宏（macro）", "set": "赋值（set）"}
_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Compare,
    nodes.Operand,
    nodes.Const,
)
#: Instructions of Word that fetch something from elsewhere when the letter is opened.
_FETCHING = re.compile(r"\b(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|LINK|IMPORT)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Purpose:
    """What a template is for: its noun, the fields that it may use, and how it is filled in.

    ``example`` is a field that may be empty, for advice on conditions.
    """

    noun: str
    fields: Collection[str]
    fill: Callable[[bytes, Mapping[str, str]], bytes]
    example: str


LETTER = Purpose("协议书", FIELDS, letter, "签订日期")


def check_template(name: str, content: bytes, purpose: Purpose = LETTER) -> None:
    """Raise ``Invalid`` unless the file can be filled in, whatever the values, without harm."""
    if len(content) > LARGEST:
        raise Invalid(f"“{name}”超过 {size_text(LARGEST)}，请压缩其中的图片后再上传。")
    if not name.lower().endswith(".docx"):
        raise Invalid(f"“{name}”的后缀不是 docx，请在 Word 或 WPS 中另存为 docx 再上传。")
    kind, really = what_is(content)
    if kind is not ScanKind.DOCX:
        raise Invalid(f"“{name}”不能作模板：内容是{really}，不是可用的 Word 文档（docx）。")
    try:
        sizes = parts_of(content, LIMITS)
    except NotAWordFile as error:
        raise Invalid(f"“{name}”不能作模板：它是{error}，请精简后再上传。") from error
    for part, size in sizes.items():
        if part.endswith((".xml", ".rels")) and size > LARGEST_TEXT:
            raise Invalid(f"“{name}”的正文或样式太大，不像一份{purpose.noun}，请精简后再上传。")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in sizes:
            if part.endswith((".xml", ".rels")):
                _check_part(name, part, archive.read(part), purpose)
    _check_marks(name, content, purpose)
    _try(name, content, purpose)


def _check_part(name: str, part: str, xml: bytes, purpose: Purpose) -> None:
    """Look at one part: well formed, nothing fetched from elsewhere, marks only in the text."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Invalid(f"“{name}”已损坏，不能打开；请在 Word 或 WPS 中另存后再上传。") from error
    if root.getroottree().docinfo.doctype:
        raise Invalid(f"“{name}”不是 Word 或 WPS 保存的文档，请另存后再上传。")
    if part.endswith(".rels"):
        _check_links(name, root)
        return
    text = "".join(str(each) for each in root.itertext())
    if part == DOCUMENT:
        _check_instructions(name, root)
        _check_words(name, text, purpose)
    elif any(mark in text for mark in ("{{", "{%", "{#")):
        raise Invalid(
            f"“{name}”的页眉、页脚、脚注或文档属性里有字段；字段只能写在正文里，"
            f"{purpose.noun}的页眉和页脚照模板原样打印。"
        )


def _check_links(name: str, root: Any) -> None:
    for link in root:
        target, kind = link.get("Target", ""), link.get("Type", "")
        if link.get("TargetMode") != "External" or kind.endswith("/hyperlink"):
            continue
        own_disk = kind.endswith("/attachedTemplate") and re.match(r"file:///[A-Za-z]:", target)
        if not own_disk:
            raise Invalid(f"“{name}”链接了外部内容“{target[:80]}”，请改成嵌入文档后再上传。")


def _check_instructions(name: str, root: Any) -> None:
    for element in root.iter():
        said = element.text or "" if str(element.tag).endswith("}instrText") else ""
        said += "".join(value for key, value in element.items() if key.endswith("}instr"))
        if found := _FETCHING.search(said):
            raise Invalid(f"“{name}”里有会读取外部内容的 Word 域“{found[0]}”，请删除它再上传。")


def _check_words(name: str, text: str, purpose: Purpose) -> None:
    """Refuse marks that are not finished, that are no "if", or that Word would choke on."""
    for opening, closing in (("{{", "}}"), ("{%", "%}"), ("{#", "#}")):
        if text.count(opening) != text.count(closing):
            at = re.search(rf"{re.escape(opening)}(?:(?!{re.escape(closing)}).){{0,30}}", text)
            where = f"“{at[0].strip()}”附近" if at and text.count(opening) else f"“{closing}”"
            raise Invalid(
                f"“{name}”的标记没有成对：{where}。每个“{opening}”都要有“{closing}”收尾。"
            )
    if text.count("{{") + text.count("{%") > MOST_MARKS:
        raise Invalid(f"“{name}”里的字段和条件超过 {MOST_MARKS} 处，不像一份{purpose.noun}。")
    example = next(iter(purpose.fields))
    if found := re.search(r"\{\{(?:r|p|tr|tc)\s[^}]*\}\}", text):
        raise Invalid(f"“{name}”里的“{found[0]}”写法不能用，字段请写成“{{{{ {example} }}}}”。")
    for found in re.finditer(r"\{%[-+]?\s*(?:(?:p|tr|tc|r)\s)?\s*(\w+)[^%]*%\}", text):
        if found[1] not in _WORDS:
            what = _STATEMENTS.get(found[1], f"“{found[1]}”")
            raise Invalid(f"“{name}”里的“{found[0]}”是{what}，模板里只能用字段和条件（if）。")


def _check_marks(name: str, content: bytes, purpose: Purpose) -> None:
    """Read the marks as the filling will, and refuse all but known fields and plain conditions."""
    source = _source(content)
    try:
        tree = environment().parse(source)
    except TemplateSyntaxError as error:
        where = _words_at(source, error.lineno)
        raise Invalid(
            f"“{name}”里有写错的标记，在“{where}”这一段：请核对花括号和 if、endif。"
        ) from error
    unknown: dict[str, None] = {}
    for node, plain, line in _walk(tree):
        if not plain:
            what = _NAMES.get(type(node), "算式")
            where = _words_at(source, line)
            raise Invalid(f"“{name}”用了{what}，模板里只能用字段和条件（if）：在“{where}”这一段。")
        if isinstance(node, nodes.Name) and node.name not in purpose.fields:
            unknown[node.name] = None
    if unknown:
        said = "，".join(f"“{each}”（相近的有“{_nearest(each, purpose)}”）" for each in unknown)
        raise Invalid(f"“{name}”里有不认识的字段：{said}。请对照字段表改正。")


def _source(content: bytes) -> str:
    """Return the body as the filling reads it, each paragraph on a line of its own."""
    document = DocxTemplate(io.BytesIO(content))
    document.init_docx()
    return re.sub(r"<w:p([ >])", r"\n<w:p\1", document.patch_xml(document.get_xml()))


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, bool, int]]:
    """Yield every node, whether it is a field, text or part of a plain condition, and its line."""
    waiting: list[tuple[nodes.Node, nodes.Node | None, int]] = [(tree, None, 0)]
    while waiting:
        node, parent, line = waiting.pop()
        line = node.lineno or line
        plain = isinstance(node, _PLAIN)
        if isinstance(parent, nodes.Output):
            plain = isinstance(node, nodes.TemplateData | nodes.Name)
        elif isinstance(node, nodes.Const):
            plain = isinstance(parent, nodes.Compare | nodes.Operand) and isinstance(
                node.value, str
            )
        elif isinstance(node, nodes.Operand):
            plain = node.op in ("eq", "ne")
        yield node, plain, line
        waiting.extend((child, node, line) for child in reversed(list(node.iter_child_nodes())))


def _words_at(source: str, line: int) -> str:
    """Return what a reader sees of a line of the source, shortened."""
    lines = source.splitlines()
    text = re.sub(r"<[^>]+>", "", lines[line - 1]) if 0 < line <= len(lines) else ""
    return html.unescape(text).strip()[:60]


def _nearest(name: str, purpose: Purpose) -> str:
    found = process.extractOne(name, list(purpose.fields), scorer=fuzz.ratio)
    return str(found[0])


def _try(name: str, content: bytes, purpose: Purpose) -> None:
    """Fill the template in, with everything and with nothing: both must be documents."""
    source = _source(content)
    for text in ("示例", ""):
        values = dict.fromkeys(purpose.fields, text)
        try:
            etree.fromstring(environment().from_string(source).render(values))
            purpose.fill(content, values)
        except etree.XMLSyntaxError as error:
            raise Invalid(
                f"“{name}”里的条件跨了段落：请把 if 和 endif 放在同一段，"
                f"或各占一段，写成“{{%p if {purpose.example} %}}”和“{{%p endif %}}”。"
            ) from error
        except (TemplateError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise Invalid(
                f"“{name}”不能生成{purpose.noun}，请在 Word 或 WPS 中另存后再上传。"
            ) from error
