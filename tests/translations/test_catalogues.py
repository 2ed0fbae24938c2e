"""The catalogues hold every text of the interface, whole and with the same places for values."""

from __future__ import annotations

import io
import re
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import flask_appbuilder
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask_babel import gettext, ngettext, pgettext

from presets.letter import CLOSING
from reports.township_scores import PARTS, RATE_DAYS
from rules.needs import CLAIM_DAYS
from rules.workflows.needs import DUE
from tests.conftest import Backend
from tests.translations.reading import CHINESE
from translations import extractor

ROOT = Path(__file__).parents[2]
#: What names a message: its context, and its text or texts.
Key = tuple[str | None, Any]


def catalogue(locale: str) -> Catalog:
    """Return a catalogue as it is kept in the repository."""
    with (ROOT / f"translations/{locale}/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def messages(found: Catalog) -> Iterator[Message]:
    return (message for message in found if message.id)


def keys(found: Catalog) -> set[Key]:
    return {(message.context, message.id) for message in messages(found)}


def strings(message: Message) -> list[str]:
    """Return the translations of a message: several if it has plural forms."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def is_ours(message: Message) -> bool:
    """Tell whether a text is ours (Chinese), and not a library's (English)."""
    return bool(re.search(r"[\u3000-\u9fff\uff00-\uffef]", str(message.id)))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The texts that stand in the sources now, gathered as ``make translations`` does."""
    target = tmp_path_factory.mktemp("pot") / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract"]
    subprocess.run(
        [*command, "-F", "translations/babel.cfg", "-o", target, "."], cwd=ROOT, check=True
    )
    with target.open("rb") as file:
        return read_po(file)


def test_every_text_is_in_the_english_catalogue(extracted: Catalog) -> None:
    missing = keys(extracted) - keys(catalogue("en"))
    assert not missing, f"run `make translations` and give the English of: {missing}"


def test_the_english_catalogue_holds_nothing_that_is_gone(extracted: Catalog) -> None:
    gone = keys(catalogue("en")) - keys(extracted)
    assert not gone, f"run `make translations`; no longer in use: {gone}"


def test_extraction_finds_texts_of_every_kind(extracted: Catalog) -> None:
    wanted: list[Key] = [
        (None, "吹哨单位"),  # a column's label
        (None, "一句话说清楚什么地方出了什么问题"),  # its help
        (None, "待派单"),  # an enum's title
        (None, "社区（网格）吹哨员"),  # a role
        (None, "本地区及以下"),  # a scope of the policy
        (None, "共驻共建协议"),  # a record type's name
        ("step", "应哨签收"),  # a workflow step
        ("step", "新建"),  # what the engine itself writes
        (None, "退单理由"),  # a step's input
        (None, "写明依据；审核期间期限照常计算。"),  # its help
        (None, "清单依据"),  # a group of a form
        (None, "作为甲方的协议"),  # a related list
        (None, "一书三单"),  # a group of the navigation
        (None, "还没有导入过文件。"),  # an empty list
        (None, "别名用顿号隔开，不能与其他机构的名称或别名重复。"),  # help of an import
        (None, "没有待评价的哨单。"),  # a queue of the workbench
        (None, "在办哨单"),  # a figure of the workbench
        (None, "系统出错了"),  # an error
        (None, "办理中"),  # a tab
        (None, "当日"),  # a unit of time
        (None, "原密码"),  # a label looked up when it is shown
        (None, "密码至少 10 位，并且同时含有字母和数字。"),  # a sentence of the rules
        (None, ("%(num)s 个工作日", "%(num)s 个工作日")),  # a plural
        (None, "跳到正文"),  # a template
        (None, "提供给的社区"),  # a column of an import that stands for links
        (None, "现行协议"),  # a figure of a report
        (None, "人次"),  # its measure
        (None, "期间内开始的服务项目的经费合计。"),  # what it means
        (None, "名称相近"),  # why two fit
        (None, "打印当天的日期"),  # a field of the letter
        (None, "响应率"),  # a measure
        (None, "已销号的 ÷ 派单数。"),  # what it means
        (None, "有效吹哨率"),  # a share of a score
        (None, "未对应事项"),  # what stands where there is no key
        (None, "没有明显的规律，请吹哨办会同有关单位研判。"),  # why a remedy is suggested
        (None, "起止日期"),  # a field of the bulletin's template
        ("side", "单位"),  # a word in one of its senses
        (None, "Access is Denied"),  # a library's
    ]
    assert not set(wanted) - keys(extracted)


def test_what_the_letter_says_is_no_text_of_the_interface(extracted: Catalog) -> None:
    assert (None, CLOSING) not in keys(extracted)


def test_a_help_names_the_days_that_a_claim_has() -> None:
    """A text is looked up as it stands, so its number is written out."""
    assert f" {CLAIM_DAYS} 天" in DUE.help
    (english,) = (m.string for m in messages(catalogue("en")) if m.id == DUE.help)
    assert f" {CLAIM_DAYS} days" in str(english)


def test_a_meaning_names_the_days_in_which_results_are_rated() -> None:
    (rated,) = (each for each in PARTS if each.code == "rated")
    assert f" {RATE_DAYS} 天" in rated.meaning


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_nothing_is_empty_or_fuzzy(locale: str) -> None:
    found = catalogue(locale)
    assert not found.fuzzy
    for message in messages(found):
        assert not message.fuzzy, message.id
        assert all(text.strip() for text in strings(message)), f"no translation of: {message.id}"


def places(text: str) -> set[str]:
    """Return the names of the values that a text has places for."""
    scripted = {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
    return set(re.findall(r"%\(\w+\)[a-z]", text)) | scripted


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_translations_have_the_same_places_for_values(locale: str) -> None:
    for message in messages(catalogue(locale)):
        given = message.id if isinstance(message.id, str) else message.id[0]
        for text in filter(None, strings(message)):
            assert places(text) == places(given), f"{given}: {text}"
    assert places("删除“%(what)s”") == {"%(what)s"}
    assert places("移除{name}") == {"name"}


def test_english_is_english() -> None:
    for message in messages(catalogue("en")):
        for text in strings(message):
            assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text), f"{message.id}: {text}"


def test_one_chinese_text_has_one_english_text_per_context() -> None:
    """What one does and what then is may be one word in Chinese."""
    named = {message.context: message.string for message in catalogue("en") if message.id == "生效"}
    assert named == {None: "In force", extractor.STEP_CONTEXT: "Bring into force"}
    units = {message.context: message.string for message in catalogue("en") if message.id == "单位"}
    assert units == {None: "Organization", "side": "Unit", "measure": "Measure"}


def test_chinese_texts_need_no_translation(sqlite: Backend) -> None:
    """The id itself is shown, with and without a context, also in the plural."""
    assert not [message.id for message in messages(catalogue("zh")) if is_ours(message)]
    with sqlite.app.test_request_context("/?_l_=zh"):
        assert gettext("待派单") == "待派单"
        assert pgettext("step", "生效") == "生效"
        assert ngettext("%(num)s 天", "%(num)s 天", 1) == "1 天"
        assert ngettext("%(num)s 天", "%(num)s 天", 3) == "3 天"
    with sqlite.app.test_request_context("/?_l_=en"):
        assert gettext("待派单") == "To dispatch"
        assert pgettext("step", "生效") == "Bring into force"
        assert ngettext("%(num)s 天", "%(num)s 天", 1) == "1 day"
        assert ngettext("%(num)s 天", "%(num)s 天", 3) == "3 days"


def test_the_chinese_catalogue_supplies_what_the_framework_lacks() -> None:
    folder = Path(flask_appbuilder.__file__).parent
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
    said = {
        text for _f, _l, text, _c, _x in extract_from_dir(str(folder), methods, keywords=keywords)
    }
    with (folder / "translations/zh/LC_MESSAGES/messages.mo").open("rb") as file:
        known = {message.id for message in read_mo(file) if message.string}
    own = {message.id for message in messages(catalogue("zh"))}
    assert len(said) > 100
    assert not said - known - own
    assert all(
        CHINESE.search(text) for message in messages(catalogue("zh")) for text in strings(message)
    )


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_what_is_installed_is_what_is_kept(locale: str) -> None:
    """``make install`` compiles the catalogues: what pages show is what the sources say."""
    compiled = ROOT / f"translations/{locale}/LC_MESSAGES/messages.mo"
    assert compiled.exists(), "run `make install`"
    with compiled.open("rb") as file:
        shown = GNUTranslations(file)
    for message in messages(catalogue(locale)):
        if message.context:
            text = shown.pgettext(message.context, str(message.id))
        elif isinstance(message.id, str):
            text = shown.gettext(message.id)
        else:
            text = shown.ngettext(message.id[0], message.id[1], 1)
        assert text == strings(message)[0], "run `make install`"


SOURCE = '''
"""一个模块的说明"""
WEAK = "太短了。"
PATTERN = "[一二三]"
UNIT_LABELS = {"day": "天"}

class Colour(Titled):
    """颜色"""
    RED = "red", "红", "danger"

class Thing(Record):
    __label__ = "东西"
    name = column(info=field("名字", help="写全名", headings=("名字列",)))

STEPS = (Step("paint", "刷漆", (), None, (), inputs=(Input("note", "原由"),), help="先打磨。"),)

RATES = (Measure("wet", "湿度", "湿的占多少", 1),)
FIELDS: dict[str, str] = {"漆名": "漆叫什么", **{each: f"按{each}" for each in "甲"}}

def rule(thing):
    raise Invalid("不能刷")
    append(label="刷过")
    return f"{thing}刷好了", _("好"), say("快" if thing else "慢")
'''


def found_by(method: Callable[..., Iterator[Any]]) -> set[str]:
    """Return what an extraction method finds in the sample source."""
    found = method(io.BytesIO(SOURCE.encode()), DEFAULT_KEYWORDS, [], {})
    return {str(text) for _line, _function, text, _comments in found if text}


def test_declarations_are_found_and_nothing_else() -> None:
    plain = {"太短了。", "天", "红", "东西", "名字", "写全名", "原由", "先打磨。", "好", "快", "慢"}
    plain |= {"湿度", "湿的占多少", "漆叫什么"}
    assert found_by(extractor.declarations) == plain | {"('step', '刷漆')", "('step', '刷过')"}


def test_a_view_says_all_that_it_does_not_explain_or_raise() -> None:
    found = found_by(extractor.views)
    assert {"太短了。", "红", "刷漆", "刷过", "名字列"} <= found
    assert not {"一个模块的说明", "颜色", "不能刷"} & found
    assert not [text for text in found if "刷好了" in text]
