"""What holds for every page that anybody reaches by clicking, and for every error page.

Links work, nothing comes from elsewhere, nothing is inline, headers stand, and it is all Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.views.crawl import Crawl, Page, crawl, links_of, page_of
from tests.views.pages import tags_of, words_of
from tests.views.stage import PEOPLE, Stage

ACCOUNTS = ["admin", "office", "returns", "party", "duty", "township", "community", "handler"]
ACCOUNTS += ["unit", "inspector", "leader", "auditor", "blank"]

LEDGERS = ("tickets", "agreements", "duty-lists", "duty-items", "import-batches", "organizations")
LEDGERS += (
    "addresses",
    "export-jobs",
    "accounts",
    "mechanisms",
    "calendar",
    "audit",
    "resources",
    "needs",
    "services",
)
LEDGERS += (
    "sessions",
    "check-ins",
    "check-in-activities",
    "letter-templates",
    "notices",
    "import-jobs",
)
LEDGERS += (
    "supervisions",
    "supervision-rules",
    "problems",
    "meetings",
    "decisions",
    "appeals",
    "bulletins",
    "bulletin-templates",
    "robots",
    "deliveries",
    "events",
)

#: ASCII words that a Chinese page may show.
ALLOWED = {
    "Excel", "English", "MB", "KB", "xlsx", "xls", "xlsm", "ods", "et", "csv", "SHA-256",
    "https", "secret", "qyapi.weixin.qq.com", "Word", "PDF", "pdf", "jpg", "png", "docx",
    # the words that a letter's template may use
    "if", "else", "endif", "p",
    # data of the stage, not words of the interface
    *PEOPLE, "zqacAqz", "zqacBqz", "jiujiang", "example.invalid",
}  # fmt: skip
DATA = re.compile(
    r"zq\w+qz(\.\w+)?|138\S+zpp?|[\w.]+@example\.invalid|\b[AB]\d*(-[A-Z]{1,3}\d?)?\b|\bA1-PCS\b|[0-9a-f]{64}"
)


@pytest.fixture(scope="module")
def crawls(stage: Stage) -> dict[str, Crawl]:
    """Everything that each account reaches."""
    return {account: crawl(stage.client(account), account) for account in ACCOUNTS}


@pytest.fixture(scope="module")
def error_pages(stage: Stage) -> list[Page]:
    """Error pages and refused forms, and what a stranger sees."""
    party, community = stage.client("party"), stage.client("community")
    stranger = stage.app.test_client()
    answers = [
        ("403", party.get("/accounts/list/")),
        ("404", party.get("/agreements/show/999999")),
        ("404 path", party.get("/nothing/here")),
        ("405", party.get("/logout/")),
        ("409", party.get(f"/agreements/edit/{stage.id('g11')}")),
        (
            "409 step",
            community.post(f"/tickets/step/{stage.id('t11')}/withdraw", data={"note": "重复"}),
        ),
        ("422 form", party.post("/agreements/add", data={})),
        ("422 list", party.get("/agreements/list/?order=排序")),
        ("422 step", community.post(f"/tickets/step/{stage.id('d11')}/withdraw", data={})),
        ("422 import", stage.client("duty").post("/imports/duty-items/", data={})),
        ("login", stranger.get("/login/")),
        ("404 stranger", stranger.get("/nothing/here")),
    ]
    return [page_of(name, name, answer) for name, answer in answers]


@pytest.fixture(scope="module")
def pages(crawls: dict[str, Crawl], error_pages: list[Page]) -> list[tuple[str, Page]]:
    """All of them, with a name for each; parts of pages that scripts fetch are left out."""
    found = [
        (f"{who} {page.path}", page)
        for who, each in crawls.items()
        for page in each.htmls()
        if "format=html" not in page.path
    ]
    return found + [(page.path, page) for page in error_pages]


def test_every_link_that_is_shown_leads_somewhere(crawls: dict[str, Crawl]) -> None:
    wrong = [
        f"{who}: {page.path} on {page.found_on} answers {page.status}"
        for who, found in crawls.items()
        for page in found.pages.values()
        if page.status != 200 and page.path != "/back"
    ]
    assert not wrong, "\n".join(wrong)
    assert len(crawls["admin"].pages) > 60
    assert len(crawls["blank"].pages) > 10


def test_every_list_of_the_navigation_was_reached(crawls: dict[str, Crawl]) -> None:
    lists = {path for path in crawls["admin"].pages if re.fullmatch(r"/[\w-]+/list/", path)}
    assert lists == {f"/{name}/list/" for name in (*LEDGERS, "policy")}


def test_error_pages_are_what_they_say(error_pages: list[Page]) -> None:
    for page in error_pages:
        code = page.path.split()[0]
        assert page.status == (200 if code == "login" else int(code)), page.path
        if page.status >= 400:
            assert re.search(r"[\u4e00-\u9fff]{4,}[^<]*。", page.html), page.path
        assert "Traceback" not in page.html


def test_headers_stand_on_every_answer(crawls: dict[str, Crawl], error_pages: list[Page]) -> None:
    for page in [*crawls["admin"].pages.values(), *error_pages]:
        policy = page.headers.get("Content-Security-Policy", "")
        assert "default-src 'self'" in policy, page.path
        assert "unsafe" not in policy
        assert "http" not in policy
        for rule in ("frame-ancestors 'none'", "object-src 'none'", "base-uri 'self'"):
            assert rule in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"
        if page.mimetype in ("text/html", "application/json"):
            assert "no-store" in page.headers.get("Cache-Control", ""), page.path


def test_nothing_is_inline(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        for tag, attributes in tags_of(page.html):
            assert tag != "style", name
            assert "style" not in attributes, f"{name}: <{tag} style>"
            assert tag != "script" or attributes.get("src", "").startswith("/static/"), name
            events = [each for each in attributes if each.startswith("on")]
            assert not events, f"{name}: <{tag} {events}>"
            assert not attributes.get("href", "").startswith("javascript:"), name


def test_nothing_comes_from_elsewhere(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        for tag, attributes in tags_of(page.html):
            for each in ("href", "src", "action", "data-source", "srcset", "poster", "data-aside"):
                value = attributes.get(each, "")
                assert not re.match(r"\s*([a-z]+:)?//|\s*data:|\s*mailto:", value), (
                    f"{name} {tag} {value}"
                )
        # The namespace of pictures is a name and not an address.
        html = page.html.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in html, name
        assert "http://" not in html, name


def test_assets_name_no_other_host(stage: Stage, crawls: dict[str, Crawl]) -> None:
    """Stylesheets and scripts are ours; a namespace is a name and not an address."""
    for path, page in crawls["admin"].pages.items():
        if page.mimetype in ("text/css", "text/javascript"):
            text = re.sub(r"http://www\.w3\.org/\S+", "", page.html)
            text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
            assert not re.search(r"(?:https?:)?//[\w-]+\.\w", text), path


def test_every_page_says_its_language_and_title(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        assert '<html lang="zh-CN">' in page.html, name
        title = re.search(r"<title>(.*?)</title>", page.html, re.S)
        assert title, name
        assert re.search(r"[\u4e00-\u9fff]", title[1]), name
        assert title[1].count("吹哨报到") == 1, f"{name}: {title[1]}"
        assert page.html.count("<h1") == 1, name


def english(page: Page) -> Iterator[str]:
    """Yield the English words of a page's texts."""
    for text in words_of(page.html):
        rest = DATA.sub("", text)
        for word in re.findall(r"[A-Za-z][A-Za-z0-9.@-]*", rest):
            if word.strip(".-") not in ALLOWED:
                yield f"{word} in {text!r}"


def test_every_page_is_chinese(pages: list[tuple[str, Page]]) -> None:
    wrong = sorted({f"{name}: {found}" for name, page in pages for found in english(page)})
    assert not wrong, "\n".join(wrong[:40])


def test_ids_are_unique_and_labels_lead_to_them(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        tags = tags_of(page.html)
        ids = [attributes["id"] for _tag, attributes in tags if "id" in attributes]
        doubles = {each for each in ids if ids.count(each) > 1}
        assert not doubles, f"{name}: {doubles}"
        for _tag, attributes in tags:
            for each in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
                for target in attributes.get(each, "").split():
                    assert target in ids, f"{name}: {each}={target}"


def test_every_control_has_a_label(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        tags = tags_of(page.html)
        labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
        for tag, attributes in tags:
            kind = attributes.get("type", "")
            if tag not in ("input", "select", "textarea") or kind in ("hidden", "submit"):
                continue
            named = attributes.get("id") in labelled or attributes.get("aria-label")
            assert named, f"{name}: <{tag} name={attributes.get('name')}>"


def test_every_form_that_posts_carries_the_token(pages: list[tuple[str, Page]]) -> None:
    for name, page in pages:
        for form in re.findall(r"<form\b.*?</form>", page.html, re.S):
            if 'method="post"' in form:
                assert form.count('name="csrf_token"') == 1, name


def test_the_crawl_sees_what_it_should() -> None:
    """The checkers find what they look for."""
    bad = Page("/", "", 200, "text/html", '<a href="/x#y">Save changes</a><p style="a">好</p>', {})
    assert links_of(bad) == ["/x"]
    assert list(english(bad)) == ["Save in 'Save changes'", "changes in 'Save changes'"]
    assert ("p", {"style": "a"}) in tags_of(bad.html)
