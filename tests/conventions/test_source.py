"""House rules that can be read off the source: sizes, docstrings, commits, by-passes, addresses."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from tests.conventions.source import ROOT, Source, python_files, source, text_files

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50
#: A migration is a record of what was done, written by Alembic.
UNMEASURED = "migrations/versions/"


def too_long(files: Iterable[Source]) -> list[str]:
    """Return the files and functions that are longer than a reader's breath."""
    found = []
    for each in files:
        lines = each.text.count("\n")
        if lines > MOST_LINES:
            found.append(f"{each.path}: {lines} lines")
        for node in ast.walk(each.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{each.path}:{node.lineno} {node.name}: {length} lines")
    return found


def test_files_and_functions_are_short() -> None:
    files = [*python_files(), *python_files("bench", "migrations", "tests", "docs")]
    assert too_long(each for each in files if not each.path.startswith(UNMEASURED)) == []


def test_styles_scripts_and_templates_are_short() -> None:
    for path in text_files(".css", ".js", ".html"):
        assert path.read_text().count("\n") <= MOST_LINES, path


def test_the_checker_measures() -> None:
    long = "def f():\n" + "    x = 1\n" * 50
    assert too_long([Source("a.py", long)]) == ["a.py:1 f: 51 lines"]
    assert too_long([Source("a.py", "x = 1\n" * 401)]) == ["a.py: 401 lines"]
    assert too_long([Source("a.py", "def f():\n" + "    x = 1\n" * 49)]) == []


def undocumented(files: Iterable[Source]) -> list[str]:
    """Return the modules, public classes and functions without a docstring."""
    found = []
    for each in files:
        if not ast.get_docstring(each.tree):
            found.append(each.path)
        classes = {node.name: node for node in each.tree.body if isinstance(node, ast.ClassDef)}
        for node, inherited in _public(each.tree, classes):
            if not ast.get_docstring(node) and node.name not in inherited:
                found.append(f"{each.path}:{node.lineno} {node.name}")
    return found


Public = tuple[ast.FunctionDef | ast.ClassDef, set[str]]


def _public(tree: ast.Module | ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[Public]:
    """Yield what is public, with the names that a class of the same file has described before."""
    inherited: set[str] = set()
    if isinstance(tree, ast.ClassDef):
        bases = {getattr(base, "id", "") for base in tree.bases}
        for name, other in classes.items():
            protocol = any(getattr(base, "id", "") == "Protocol" for base in other.bases)
            if name in bases or protocol:
                methods = (node for node in other.body if isinstance(node, ast.FunctionDef))
                inherited |= {node.name for node in methods if ast.get_docstring(node)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node, inherited
            if isinstance(node, ast.ClassDef):
                yield from _public(node, classes)


def test_what_is_public_says_what_it_is() -> None:
    assert undocumented([*python_files(), *python_files("bench")]) == []
    for each in python_files("tests"):
        assert ast.get_docstring(each.tree) or not each.text.strip(), each.path


def test_the_checker_reads_docstrings() -> None:
    bad = '"""A module."""\nclass A:\n    """A class."""\n    def f(self): ...\ndef g(): ...\n'
    assert undocumented([Source("a.py", bad)]) == ["a.py:4 f", "a.py:5 g"]
    assert undocumented([Source("a.py", "def _f(): ...")]) == ["a.py"]
    child = bad + "class B(A):\n    'B.'\n    def f(self): ...\n"
    assert undocumented([Source("a.py", child)])[-1] == "a.py:8 f", "nothing to inherit from"
    told = child.replace("f(self): ...\ndef g(): ...", "f(self): 'F.'", 1)
    assert undocumented([Source("a.py", told)]) == []


def test_only_the_edges_commit() -> None:
    """Rules, models and imports never do: view, command and job do, once."""
    inner = python_files("rules", "models", "imports", "presets")
    found = [f"{each.path}:{line}" for each in inner for line in each.calls("commit")]
    assert found == []
    views = Counter(each.path for each in python_files("views") for _line in each.calls("commit"))
    assert views == {"views/context.py": 1, "views/security.py": 3}


#: Statements that go past the gate, each with its reason in place; a new one is a decision.
REVIEWED = {
    "rules/locking.py": 1,  # takes SQLite's write lock
    "rules/parties.py": 1,  # derives party rows from the tree
    "rules/numbering.py": 1,  # advances a counter
    "rules/audit.py": 1,  # writes the audit log of what has just been written
    "rules/bulk.py": 6,  # rows of a parent that the gate is asked about each time; their ids
    "rules/ledger.py": 2,  # a step, judged at once; first steps of records judged as they were flushed
    "rules/grade_sums.py": 1,  # the grades of the actor's own department
    "rules/ways.py": 2,  # ids of the actor's own party rows
    "rules/search.py": 3,  # ids in reach; the searched texts, derived from the tickets
    "rules/rarity.py": 1,  # the database's statistics on pairs of characters
    "rules/notices.py": 1,  # tells people of a record that they reach
}
#: Who acts for the system where a person asked, because the answer depends on rows out of his reach.
FOR_THE_SYSTEM = {
    "imports/duty_undo.py",  # how an item was called that is gone
    "imports/judging.py",  # is a number taken by a record out of reach?
    "rules/actor.py",  # an account's own organisation, before there is an actor
    "rules/bulk.py",  # is a record's number taken
    "rules/duty_lists.py",  # is there anybody who receives a department's tickets?
    "rules/eligibility.py",  # the branch stationed in the township
    "rules/mechanism_versions.py",  # whether any ticket uses a version, told without which
    "rules/matching.py",  # what takes the time of a resource, told without its name
    "rules/letters.py",  # the county's own template, whoever prints a letter
    "rules/notices.py",  # whose accounts belong to an organisation
    "rules/services.py",  # a need goes back, though its provider reaches it no more
    "rules/numbering.py",  # namesakes of the township
    "rules/meetings.py",  # was the meeting held that a decision comes from
    "rules/once.py",  # has a form's key been used, by whomever
    "rules/organizations.py",  # the tree's lines, realms and names
    "rules/parties.py",  # the ticket's own places
    "rules/problems.py",  # by which numbers a county calls a matter one that comes back
    "rules/references.py",  # what depends on a record, told without its names
    "rules/retirement.py",  # what needs an organisation, told without its names
    "rules/supervision_matters.py",  # who rates low need not be one who supervises
    "rules/workflows/supervision.py",  # who orders need not be one who takes steps of the ticket
    "rules/workflows/ticket_base.py",  # the calendar; the ticket's own events
    "rules/workflows/ticket_effects.py",  # judgement and clocks by the duty item
    "rules/workflows/ticket_merge.py",  # what is merged into a ticket, from wherever
    "views/accounts.py",  # one's own password
    "views/notice_settings.py",  # the quiet hours of one's county
    "views/security.py",  # logging in and out
}
#: Statements below the ORM, which the gate does not see.
BELOW_THE_ORM = {
    "rules/actor.py": 1,  # who is acting, asked before anybody is
    "rules/writes.py": 1,
    "rules/audit.py": 1,
    "rules/ledger.py": 1,
}


def for_system(file: Source, name: str) -> bool:
    """Tell whether a file lets a session act for the system by a function of that name."""
    if name not in file.text:
        return False
    calls = (node for node in ast.walk(file.tree) if isinstance(node, ast.Call))
    return any(
        getattr(call.func, "id", "") == name
        and any(getattr(each, "id", "") == "SYSTEM" for each in call.args)
        for call in calls
    )


def test_every_by_pass_is_known() -> None:
    inner = python_files("models", "rules", "imports", "presets", "views")
    reviewed = Counter(each.path for each in inner for _line in each.calls("reviewed"))
    assert reviewed == REVIEWED
    systems = {
        each.path for each in inner for name in ("acting_as", "set_actor") if for_system(each, name)
    }
    assert systems == FOR_THE_SYSTEM
    below = Counter(
        each.path
        for each in inner
        for name in ("connection", "exec_driver_sql", "raw_connection", "begin_nested", "connect")
        for _line in each.calls(name)
    )
    assert below == BELOW_THE_ORM


def test_nobody_writes_sql_as_text() -> None:
    """Conditions of an index are the only SQL in words."""
    inner = python_files("models", "rules", "imports", "presets", "views", "cli")
    found = [f"{each.path}:{line}" for each in inner for line in each.calls("text")]
    allowed = {"models/agreement.py"}
    assert {each.split(":")[0] for each in found} <= allowed


def test_tests_do_not_sleep() -> None:
    found = [
        f"{each.path}:{line}" for each in python_files("tests") for line in each.calls("sleep")
    ]
    assert found == []


def test_work_is_not_left_undone() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    here = source(ROOT / "tests" / "conventions" / "test_source.py").path
    for each in [*python_files(), *python_files("bench", "tests", "migrations", "docs")]:
        if each.path != here:
            assert not words.search(each.text), each.path


#: Addresses that may stand in the repository: names, examples, this machine and private ones; the
#: hosts of group robots, which the tests of what may be sent to must name.
ADDRESSES = re.compile(
    r"https?://(www\.w3\.org/|schemas\.openxmlformats\.org/|127\.0\.0\.1|localhost"
    r"|10\.|169\.254\.|\[::1|user:word@"
    r"|qyapi\.weixin\.qq\.com/|oapi\.dingtalk\.com/|open\.feishu\.cn/"
    r"|[\w.@-]*\.(example|invalid)(?![\w.])|\$host|…|\{|/)"
)
TEXTS = (
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".html",
    ".css",
    ".js",
    ".cfg",
    ".ini",
    ".po",
    ".svg",
    ".yml",
)


def addresses(text: str) -> list[str]:
    """Return the addresses in a text that lead to other machines."""
    found = re.findall(r"https?://[^\s\"'<>)]*", text.replace("\\", ""))
    return [
        each for each in found if not ADDRESSES.match(each) and each not in ("http://", "https://")
    ]


def test_nothing_is_fetched_from_elsewhere() -> None:
    here = ROOT / "tests" / "conventions"
    for path in [*text_files(*TEXTS), ROOT / "Makefile", ROOT / ".ci" / "run"]:
        if here not in path.parents and path.exists():
            assert addresses(path.read_text(encoding="utf-8")) == [], path


def test_no_package_index_is_named() -> None:
    here = ROOT / "tests" / "conventions"
    words = re.compile(r"(?<!no-emit-)index-url|extra-index|find-links=|pypi\.|\bmirrors?\.", re.I)
    for path in [*text_files(*TEXTS), ROOT / "Makefile", ROOT / ".ci" / "run"]:
        if here not in path.parents and path.exists():
            assert not words.search(path.read_text(encoding="utf-8")), path


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert len(lines) > 20
        for line in lines:
            assert re.fullmatch(r"[\w.\[\],-]+==[\w.]+( ;.*)?", line), f"{name}: {line}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://cdn.example.org/x.js", ["https://cdn.example.org/x.js"]),
        ("https://unpkg.com/a", ["https://unpkg.com/a"]),
        ("http://127.0.0.1:8080/ http://www.w3.org/2000/svg", []),
        ("https://evil.example/", []),
    ],
)
def test_the_checker_knows_addresses(text: str, found: list[str]) -> None:
    assert addresses(text) == found


def makefile_targets(text: str) -> tuple[set[str], set[str]]:
    """Return a Makefile's targets that people call, and those that its help explains."""
    targets = set(re.findall(r"^\.PHONY: (\S+)$", text, re.M))
    helped = set(re.findall(r"^([a-z-]+):.*## \S", text, re.M))
    return targets, helped


def test_help_explains_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    targets, helped = makefile_targets(text)
    assert targets == helped
    assert {"help", "install", "run", "test", "bench"} <= targets
    assert set(re.findall(r"^([a-z-]+):", text, re.M)) == targets
    assert makefile_targets(".PHONY: a\na: b\n") == ({"a"}, set())
