"""What the rows of an organisation file say of each other: parents, departments and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from imports.directory import Directory, Entry
from imports.kinds import Value
from imports.tables import Problem
from imports.text import name_key
from imports.values import Item, member_of, shorten
from models.organization import REALMS, Organization, OrganizationKind
from rules.organizations import MAY_STAND_ALONE, PARENTS

_SLICE = 500
_PLAIN = ("code", "name", "phone", "remarks", "active")
_WITH_CODE = re.compile(r"(?P<name>.+?)\s*[(（](?P<code>[^()（）]+)[)）]")


@dataclass
class Known:
    """The organisations that a file may speak of: by code, and the codes by id."""

    by_code: dict[str, Organization]
    codes: dict[int, str]

    @classmethod
    def of(cls, organizations: Iterable[Organization]) -> Known:
        """Index organisations that have been flushed."""
        by_code = {each.code: each for each in organizations}
        return cls(by_code, {each.id: code for code, each in by_code.items()})

    def values_of(self, organization: Organization) -> dict[str, Value]:
        """Return an organisation's values as a workbook states them: others by their codes."""
        values: dict[str, Value] = {name: getattr(organization, name) for name in _PLAIN}
        values["kind"] = organization.kind.value
        values["aliases"] = organization.aliases
        values["parent"] = self.codes.get(organization.parent_id or 0)
        values["home_department"] = self.codes.get(organization.home_department_id or 0)
        return values


def codes_in(items: Iterable[Item]) -> set[str]:
    """Return the codes that rows may speak of: their own, their parents', their departments'."""
    codes: set[str] = set()
    for item in items:
        named = str(item.values.get("home_department") or "")
        match = _WITH_CODE.fullmatch(named)
        codes |= {str(item.values["code"]), str(item.values.get("parent") or ""), named}
        codes |= {match["code"].strip()} if match else set()
    return codes - {""}


def load_known(session: Session, codes: Iterable[str]) -> Known:
    """Return the organisations with these codes, and all others of the counties they are in."""
    found: dict[int, Organization] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), _SLICE):
        part = Organization.code.in_(wanted[start : start + _SLICE])
        query = select(Organization).where(part).options(selectinload(Organization.names))
        found.update((each.id, each) for each in session.scalars(query))
    realms = {each.realm_id for each in found.values() if each.realm_id is not None}
    if realms:
        inside = or_(Organization.realm_id.in_(realms), Organization.id.in_(realms))
        query = select(Organization).where(inside).options(selectinload(Organization.names))
        found.update((each.id, each) for each in session.scalars(query))
    return Known.of(found.values())


@dataclass
class _Node:
    """An organisation as it would stand after the import."""

    code: str
    name: str
    kind: OrganizationKind
    parent: str | None
    aliases: list[str]
    number: int


class Tree:
    """The tree as it would stand after the import, and what is wrong with each row in it."""

    def __init__(self, known: Known, items: Sequence[Item]) -> None:
        self.known = known
        self.nodes = {
            code: _node(known.values_of(each), number)
            for number, (code, each) in enumerate(known.by_code.items())
        }
        for number, item in enumerate(items, len(self.nodes)):
            code = str(item.values["code"])
            record = known.by_code.get(code)
            present = known.values_of(record) if record else {}
            self.nodes[code] = _node({**present, **item.values}, number)
        self.directory = Directory(
            (name, Entry(node.number, node.name, node.kind))
            for node in self.nodes.values()
            for name in (node.name, *node.aliases)
        )
        self.named: dict[str, list[_Node]] = {}
        for node in self.nodes.values():
            for key in {name_key(name) for name in (node.name, *node.aliases)}:
                self.named.setdefault(key, []).append(node)
        self.owners = self._owners(items)

    def _owners(self, items: Sequence[Item]) -> dict[tuple[str | None, str], str]:
        """Return who goes by each name in each county; who is not in the file comes first."""
        in_file = {str(item.values["code"]) for item in items}
        owners: dict[tuple[str | None, str], str] = {}
        for node in sorted(self.nodes.values(), key=lambda node: node.code in in_file):
            for name in (node.name, *node.aliases):
                owners.setdefault((self._realm(node), name_key(name)), node.code)
        return owners

    def _realm(self, node: _Node | None) -> str | None:
        """Return the code of the county or city that an organisation belongs to."""
        for _ in range(len(self.nodes)):
            if node is None or node.kind in REALMS:
                break
            node = self.nodes.get(node.parent or "")
        return node.code if node is not None and node.kind in REALMS else None

    def problems(self, item: Item) -> list[Problem]:
        """Return the errors of a row; puts the code of its department in place of the name."""
        node = self.nodes[str(item.values["code"])]
        problems = [*self._parent_problems(item, node), *self._name_problems(item, node)]
        named = item.values.get("home_department")
        if isinstance(named, str):
            found = self._departments(node, named)
            if len(found) == 1:
                item.values["home_department"] = found[0].code
            else:
                sentence = self._doubt(named, found)
                problems.append(Problem(item.cells["home_department"], shorten(named), sentence))
        return problems

    def _departments(self, node: _Node, text: str) -> list[_Node]:
        """Return who goes by a name, a code or 名称（代码）: of the same county before all others."""
        match = _WITH_CODE.fullmatch(text)
        coded = self.nodes.get(match["code"].strip()) if match else None
        if match and coded in self.named.get(name_key(match["name"]), ()):
            return [each for each in (coded,) if each is not None]
        if text in self.nodes:
            return [self.nodes[text]]
        found = self.named.get(name_key(text), [])
        realm = self._realm(node)
        return [each for each in found if self._realm(each) == realm] or found

    def _doubt(self, text: str, found: Sequence[_Node]) -> str:
        if found:
            codes = "、".join(sorted(each.code for each in found)[:5])
            return f"有 {len(found)} 个机构叫“{shorten(text)}”（代码：{codes}），请改填“名称（代码）”。"
        near = "、".join(self.directory.nearest(text))
        return f"没有找到派出单位“{shorten(text)}”，相近的有：{near}。请改正名称。"

    def _parent_problems(self, item: Item, node: _Node) -> list[Problem]:
        if "parent" not in item.cells:
            return []
        ref, code = item.cells["parent"], node.parent
        if code is None:
            if node.kind in MAY_STAND_ALONE:
                return []
            message = f"“{node.name}”是{node.kind.title}，必须填写上级代码。"
            return [Problem(ref, "", message)]
        parent = self.nodes.get(code)
        if parent is None:
            message = f"上级代码“{shorten(code)}”不存在，请改正，或把上级机构也写进表里。"
            return [Problem(ref, shorten(code), message)]
        if parent.kind in PARENTS[node.kind]:
            return []
        allowed = "、".join(each.title for each in PARENTS[node.kind]) or "没有上级"
        message = (
            f"“{node.name}”是{node.kind.title}，不能挂在{parent.kind.title}“{parent.name}”之下，"
            f"上级应为：{allowed}。"
        )
        return [Problem(ref, shorten(code), message)]

    def _name_problems(self, item: Item, node: _Node) -> list[Problem]:
        realm = self._realm(node)
        record, problems = self.known.by_code.get(node.code), []
        held = set()
        if record is not None and self.known.codes.get(record.realm_id or 0) == realm:
            held = {record.name, *record.aliases}
        for field, names in (("name", [node.name]), ("aliases", node.aliases)):
            for name in names:
                if name in held:
                    continue  # as the form has let it be
                owner = self.owners[realm, name_key(name)]
                if owner != node.code and field in item.cells:
                    other = self.nodes[owner]
                    message = f"名称或别名“{shorten(name)}”与“{other.name}”（{other.code}）重复，请换一个。"
                    problems.append(Problem(item.cells[field], shorten(name), message))
        return problems


def _node(values: dict[str, Value], number: int) -> _Node:
    name = str(values["name"])
    aliases = values.get("aliases")
    return _Node(
        code=str(values["code"]),
        name=name,
        kind=member_of(OrganizationKind, str(values["kind"])),
        parent=str(values["parent"]) if values.get("parent") else None,
        aliases=[str(each) for each in aliases if each != name]
        if isinstance(aliases, list)
        else [],
        number=number,
    )
