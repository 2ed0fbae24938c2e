"""Templates of the letter: what may stand in one, and how letters are made of it; every refusal."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
import pytest

from presets.letter import AGREEMENT_LETTER, build
from reports import letter_templates as checks
from reports import letters as reports
from reports.letter_templates import check_template
from reports.letters import default_template, letter, letters
from rules.errors import Invalid
from rules.letters import FIELDS, text_of
from tests.factories.files import PDF, opened, saved, text_in, with_part, word, zipped

TITLE = "共驻共建协议书"


def test_texts_that_xml_cannot_hold() -> None:
    assert text_of("a\x00\x0b\x1f\ufffeb\r\nc\rd\ud800") == "ab\nc\nd"
    assert text_of(None) == ""


def test_the_template_is_what_its_source_makes() -> None:
    """Who changes the one makes the other anew: ``python -m presets.letter``."""

    def body(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read("word/document.xml")

    assert body(saved(build())) == body(AGREEMENT_LETTER.read_bytes())
    check_template("自带.docx", default_template())
    assert set(re.findall(r"{{ (\w+) }}", text_in(default_template()))) >= set(FIELDS) - {
        "所属地区",
        "打印日期",
    }


def test_letters_of_several_templates_and_of_one_that_begins_with_a_table() -> None:
    table = docx.Document()
    table.add_table(rows=1, cols=1).rows[0].cells[0].text = "表 {{ 甲方 }}"
    values = dict.fromkeys(FIELDS, "内容")
    content = letters(
        [(default_template(), values), (saved(table), values), (word("短 {{ 乙方 }}"), values)]
    )
    document = opened(content)
    assert sum(each.text == TITLE for each in document.paragraphs) == 1
    assert "表 内容" in text_in(content)
    assert "短 内容" in text_in(content)
    broken = [each.text for each in document.paragraphs if each.paragraph_format.page_break_before]
    assert broken == ["", "短 内容"]
    with pytest.raises(ValueError, match="no letters"):
        letters([])


def refusal_of(content: bytes, name: str = "模板.docx") -> str:
    """Return the sentence with which a template is refused."""
    with pytest.raises(Invalid) as refusal:
        check_template(name, content)
    assert f"“{name}”" in refusal.value.message
    return refusal.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ 甲方名 }} {{ 不存在 }}", ["“甲方名”（相近的有“甲方”）", "“不存在”（相近的有"]),
        ("{{ 乙方联系电 }}", ["“乙方联系电”（相近的有“乙方联系电话”）"]),
        ("{% if 签定日期 %}x{% endif %}", ["“签定日期”（相近的有“签订日期”）"]),
        ("{{ config }}", ["不认识的字段：“config”"]),
        ("{{ self }}", ["“self”"]),
        ("{{ 甲方.__class__ }}", ["取属性（点号）", "{{ 甲方.__class__ }}"]),
        ("{{ ''.__class__.__mro__ }}", ["取属性（点号）"]),
        ("{{ 甲方['x'] }}", ["取下标（方括号）"]),
        ("{{ 甲方() }}", ["调用（圆括号）"]),
        ("{{ range(9) }}", ["调用（圆括号）"]),
        ("{{ 甲方|upper }}", ["过滤器（竖线）"]),
        ("{% if 甲方 is defined %}x{% endif %}", ["判断（is）"]),
        ("{% if 甲方 > 乙方 %}x{% endif %}", ["算式"]),
        ("{% if 甲方 == 1 %}x{% endif %}", ["算式"]),
        ("{{ 甲方 if 乙方 else 甲方 }}", ["算式"]),
        ("{{ '字' * 999999999 }}", ["算式"]),
        ("{{ 甲方 ~ 乙方 }}", ["算式"]),
        ("{% for each in 甲方 %}{{ each }}{% endfor %}", ["循环（for）"]),
        ("{%tr for each in 甲方 %}x{%tr endfor %}", ["循环（for）"]),
        ("{% macro m() %}x{% endmacro %}", ["宏（macro）"]),
        ("{% set x = 1 %}", ["赋值（set）"]),
        ("{% include '/etc/passwd' %}", ["“include”"]),
        ("{% import 'x' as y %}", ["“import”"]),
        ("{% raw %}{{ x }}{% endraw %}", ["“raw”"]),
        ("{% colspan 甲方 %}", ["“colspan”"]),
        ("{{r 甲方 }}", ["{{r 甲方 }}", "写法不能用"]),
        ("{{p 甲方 }}", ["写法不能用"]),
        ("{{ 甲方 ", ["没有成对", "{{ 甲方"]),
        ("甲方 }}", ["没有成对"]),
        ("{% if 甲方 ", ["没有成对"]),
        ("{# 备注", ["没有成对"]),
        ("{{ 甲方 乙方 }}", ["写错的标记", "{{ 甲方 乙方 }}"]),
        ("{{ }}", ["写错的标记"]),
        ("{% if 甲方 %}没有收尾", ["写错的标记", "if、endif"]),
        ("{{ 甲方 }}" * 501, ["超过 500 处"]),
    ],
)
def test_templates_hold_fields_and_conditions_only(text: str, said: list[str]) -> None:
    message = refusal_of(word("共驻共建协议书", text))
    for each in said:
        assert each in message


def test_all_unknown_fields_are_named_at_once() -> None:
    message = refusal_of(word("{{ 甲 }}", "{% if 乙 %}{{ 丙 }}{% else %}{{ 丁 }}{% endif %}"))
    assert all(f"“{each}”（相近的有“" in message for each in "甲乙丙丁")


@pytest.mark.parametrize(
    "paragraphs",
    [
        ["{{ 甲方 }}与{{乙方}}"],
        ["{% if 签订日期 and not 续签自 %}是{% elif 甲方 %}或{% else %}否{% endif %}"],
        ["{%p if 协议类型 == “结对帮扶” %}", "帮扶{{ 甲方 }}", "{%p endif %}"],
        ["{# 打印前核对 #}{{ 协议编号 }}"],
        ["没有字段"],
        [f"{{{{ {name} }}}}" for name in FIELDS],
    ],
)
def test_templates_that_are_sound(paragraphs: list[str]) -> None:
    template = word(*paragraphs)
    check_template("模板.docx", template)
    letter(template, dict.fromkeys(FIELDS, "甲\n乙<&>"))


def test_fields_that_word_has_torn_apart_are_whole() -> None:
    """Word splits what was typed into runs of its own."""
    document = docx.Document()
    line = document.add_paragraph()
    for piece in ("{", "{ 甲", "方 ", "}", "}"):
        line.add_run(piece)
    check_template("模板.docx", saved(document))
    assert "东关" in text_in(letter(saved(document), dict.fromkeys(FIELDS, "东关")))


RELS = "word/_rels/document.xml.rels"


def linked(kind: str, target: str) -> bytes:
    """Return a template that fetches something from elsewhere."""
    template = word("{{ 甲方 }}")
    with zipfile.ZipFile(io.BytesIO(template)) as archive:
        rels = archive.read(RELS).decode()
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = (
        f'<Relationship Id="rId99" Type="{base}/{kind}" Target="{target}" TargetMode="External"/>'
    )
    return with_part(
        template, RELS, rels.replace("</Relationships>", f"{link}</Relationships>").encode()
    )


def instructed(words: str) -> bytes:
    """Return a template with an instruction to Word."""
    document = docx.Document()
    run: Any = document.add_paragraph("{{ 甲方 }}").add_run()
    element = run._r.makeelement(
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}instrText", {}
    )
    element.text = words
    run._r.append(element)
    return saved(document)


def with_doctype() -> bytes:
    """Return a template whose XML defines entities, as a bomb of them would."""
    template = word("{{ 甲方 }}")
    with zipfile.ZipFile(io.BytesIO(template)) as archive:
        xml = archive.read("word/styles.xml").decode()
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    start = xml.index("<w:styles")
    return with_part(template, "word/styles.xml", (xml[:start] + bomb + xml[start:]).encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PDF, "内容是PDF 文档"),
        (b"", "不是可用的 Word 文档"),
        (zipped({"a.txt": b"a"}), "内容是普通的压缩文件"),
        (with_part(word("x"), "word/vbaProject.bin", b"x"), "带宏的 Word 文档"),
        (with_part(word("x"), "word/media/a.bin", b"\x00" * (51 << 20)), "展开后超过 50 MB"),
        (with_part(word("x"), "word/media.xml", b"<a>" + b" " * (2 << 20) + b"</a>"), "太大"),
        (with_part(word("x"), "word/styles.xml", b"<w:styles"), "已损坏"),
        (with_doctype(), "不是 Word 或 WPS 保存的文档"),
        (word("x", header="{{ 甲方 }}"), "页眉、页脚"),
        (word("x", title="{{ 甲方 }}"), "文档属性"),
        (linked("image", "http://127.0.0.1/a.png"), "链接了外部内容“http://127.0.0.1/a.png”"),
        (linked("attachedTemplate", "http://127.0.0.1/a.dotm"), "链接了外部内容"),
        (linked("oleObject", "file:///C:/a.xlsx"), "链接了外部内容"),
        (instructed(' DDEAUTO c:\\\\windows\\\\cmd.exe "/k" '), "“DDEAUTO”"),
        (instructed(' INCLUDETEXT "c:\\\\secret.txt" '), "“INCLUDETEXT”"),
        (word("x") + b" " * (5 << 20), "超过 5.0 MB"),
    ],
)
def test_files_that_are_no_template(content: bytes, said: str) -> None:
    assert said in refusal_of(content)


def test_what_word_does_by_itself_is_no_harm() -> None:
    check_template("模板.docx", linked("hyperlink", "http://127.0.0.1/"))
    check_template("模板.docx", linked("attachedTemplate", "file:///C:/Users/a/b.dotx"))
    check_template("模板.docx", instructed(" PAGE "))
    assert "后缀不是 docx" in refusal_of(word("x"), "模板.doc")
    assert checks.LARGEST == 5 << 20


def test_nothing_of_python_is_within_reach() -> None:
    """Should a mark slip past the check, the filling has no functions, filters or attributes."""
    made = reports.environment()
    assert [*made.globals, *made.filters, *made.tests] == []
    with pytest.raises(Exception, match="unsafe"):
        made.from_string("{{ a.__class__.__mro__ }}").render(a="x")
    assert made.autoescape is True
