"""Babel extraction methods for texts that are declared in one place and translated in another.

A model says ``field("状态")`` once; every page that shows it asks for its translation. Babel's own
Python method sees only what stands inside ``gettext``, so these (registered in ``babel.cfg``) also
walk the syntax tree for declarations.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python
from babel.messages.pofile import read_po

#: As Babel takes it: line, gettext function, text or texts, comments.
Message = tuple[int, str | None, Any, list[str]]

CHINESE = re.compile(r"[\u3400-\u9fff]")
#: Declaring call → the positional arguments that are texts.
POSITIONS: dict[str, tuple[int, ...]] = {
    "field": (0,),
    "Field": (1,),
    "Input": (1,),
    "say": (0,),
    "Links": (0,),
}
#: The same of figures: what they are called, and what they mean.
POSITIONS |= {"Measure": (1, 2), "Part": (1, 3), "Suggestion": (1,)}
#: Keyword arguments that are texts, whatever is called.
KEYWORDS = ("label", "help")
#: Calls that name a workflow step. A step's name has a context of its own, since a status or a
#: group of fields may be called alike: 生效 is what one does ("bring into force") and what then is.
STEP_POSITIONS: dict[str, tuple[int, ...]] = {"Step": (1,)}
STEP_KEYWORDS = {"append": "label"}
STEP_CONTEXT = "step"
#: Tables of what may stand in a template, by the names that are typed as they stand.
TABLES = ("FIELDS", "BLOCKS")
#: What a record type calls itself.
LABEL = "__label__"
#: The enum whose members are value, title, tone.
TITLED = "Titled"


def declarations(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[Any]:
    """Yield the declared texts of record types, policy and workflows, and those inside gettext."""
    yield from _extract(fileobj, keywords, comment_tags, options, _declared)


def views(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Yield every Chinese text of a view: all that it says is shown.

    Left out are docstrings, f-strings (they carry data and cannot be looked up) and what is raised
    as it stands.
    """
    yield from _extract(fileobj, keywords, comment_tags, options, _texts)


def library_texts(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[Message]:
    """Yield the English ids for which the Chinese catalogue speaks in the libraries' place."""
    for message in read_po(fileobj, locale="zh"):
        if message.id:
            yield message.lineno or 0, None, message.id, []


def _extract(
    fileobj: IO[bytes],
    keywords: Any,
    comment_tags: Any,
    options: Any,
    find: Callable[[ast.AST], Iterator[Message]],
) -> Iterator[Any]:
    source = fileobj.read()
    yield from extract_python(io.BytesIO(source), keywords, comment_tags, options)
    yield from find(ast.parse(source))


def _declared(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call_texts(node)
        elif isinstance(node, ast.Assign) and _target(node) == LABEL:
            yield from _texts(node.value)
        elif isinstance(node, ast.ClassDef) and _is_titled(node):
            for member in node.body:
                if isinstance(member, ast.Assign):
                    yield from _texts(member.value)
    for statement in getattr(tree, "body", []):
        if isinstance(statement, ast.Assign) and _is_for_readers(statement):
            yield from _texts(statement.value)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _target(statement) in TABLES:
            for told in getattr(statement.value, "values", ()):
                yield from _texts(told) if isinstance(told, ast.Constant) else ()


def _call_texts(call: ast.Call) -> Iterator[Message]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for positions, context in ((POSITIONS, None), (STEP_POSITIONS, STEP_CONTEXT)):
        for position in positions.get(name, ()):
            for text in call.args[position : position + 1]:
                yield from _texts(text, context)
    for keyword in call.keywords:
        if keyword.arg in KEYWORDS:
            of_step = STEP_KEYWORDS.get(name) == keyword.arg
            yield from _texts(keyword.value, STEP_CONTEXT if of_step else None)


def _texts(node: ast.AST, context: str | None = None) -> Iterator[Message]:
    """Yield the Chinese texts in a piece of source."""
    if isinstance(node, ast.JoinedStr | ast.Raise):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and CHINESE.search(node.value):
            function = "pgettext" if context else None
            yield node.lineno, function, (context, node.value) if context else node.value, []
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, context)


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def _is_titled(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == TITLED for base in node.bases)


def _is_for_readers(node: ast.Assign) -> bool:
    """Tell whether a module names a sentence, or a table of labels."""
    if isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str) and node.value.value.endswith("。")
    return _target(node).endswith("_LABELS")
