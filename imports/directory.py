"""The names and aliases of a county's organisations, held in memory while a workbook is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.text import name_key, split_chunks
from models.organization import Organization, OrganizationKind, OrganizationLine, OrganizationName

_ROLE_PREFIX = re.compile(
    r"(?:牵头|配合|责任|主责|主办|协办|承接|承办|主管)(?:单位|部门)?\s*[:：]\s*"
)


_WITH_CODE = re.compile(r"(?P<name>.+?)\s*[(（](?P<code>[^()（）]+)[)）]")
_CLOSING = (")", "）")
_NOBODY: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Resolved:
    """The organisations that a cell names, by id in its order, and the names nobody goes by."""

    ids: tuple[int, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One name: whose it is, how that organisation is called, and what it is."""

    organization_id: int
    title: str
    kind: OrganizationKind


class Directory:
    """Finds organisations by name or alias, whatever blanks and width a workbook uses."""

    def __init__(self, names: Iterable[tuple[str, Entry]]) -> None:
        """Index the names; where two organisations share one, the first given is found."""
        self._entries: dict[str, Entry] = {}
        self._titles: dict[int, str] = {}
        self._kinds: dict[int, OrganizationKind] = {}
        self._codes: dict[str, int] = {}
        for name, entry in names:
            self._entries.setdefault(name_key(name), entry)
            self._titles.setdefault(entry.organization_id, entry.title)
            self._kinds.setdefault(entry.organization_id, entry.kind)
        self._resolved: dict[str, Resolved] = {}

    @classmethod
    def around(
        cls, session: Session, owner: Organization, chosen: Mapping[str, int] = _NOBODY
    ) -> Directory:
        """Return the active organisations of the owner's county, and of the city above it.

        One statement. The county's own names come first. ``chosen``: unknown names (``name_key``)
        for which a person has said who is meant; who is not in the directory is not meant.
        """
        realms = select(OrganizationLine.ancestor_id).where(
            OrganizationLine.organization_id == owner.id
        )
        rows = session.execute(
            select(
                OrganizationName.name,
                OrganizationName.realm_id,
                Organization.id,
                Organization.name,
                Organization.kind,
                Organization.code,
            )
            .join(Organization, Organization.id == OrganizationName.organization_id)
            .where(OrganizationName.realm_id.in_(realms), Organization.active)
            .order_by(OrganizationName.is_alias, Organization.code)
        ).all()
        near = [row for row in rows if row[1] == owner.realm_id]
        far = [row for row in rows if row[1] != owner.realm_id]
        found = cls((name, Entry(id_, title, kind)) for name, _, id_, title, kind, _ in near + far)
        found._codes = {row[5]: row[2] for row in rows}
        by_id = {entry.organization_id: entry for entry in found._entries.values()}
        for key, organization_id in chosen.items():
            if organization_id in by_id:
                found._entries.setdefault(key, by_id[organization_id])
        return found

    def find(self, name: str) -> Entry | None:
        """Return who goes by the name or alias; or by 名称（代码） or a code, where names say too little."""
        entry = self._entries.get(name_key(name))
        if entry is not None:
            return entry
        place = self._codes.get(name)
        if place is None and name[-1:] in _CLOSING and (match := _WITH_CODE.fullmatch(name)):
            place = self._codes.get(match["code"].strip())
            if place is not None and name_key(self._titles[place]) != name_key(match["name"]):
                place = None
        return Entry(place, self._titles[place], self._kinds[place]) if place is not None else None

    def title(self, organization_id: int) -> str:
        """Return the name of an organisation, or its number if it is not in the directory."""
        return self._titles.get(organization_id, f"#{organization_id}")

    def titles_of(self, kind: OrganizationKind) -> list[str]:
        """Return the names of all organisations of a kind."""
        found = {entry.organization_id: entry for entry in self._entries.values()}
        return [entry.title for entry in found.values() if entry.kind == kind]

    def resolve(self, text: str) -> Resolved:
        """Return the organisations that a cell names, in any of the ways cells name several.

        Blanks separate names only where the text between separators is no name as a whole.
        """
        if (known := self._resolved.get(text)) is None:
            known = self._resolved[text] = self._resolve(text)
        return known

    def _resolve(self, text: str) -> Resolved:
        whole = self.find(_ROLE_PREFIX.sub("", text))
        if whole is not None:
            return Resolved((whole.organization_id,), ())
        ids: dict[int, None] = {}
        unknown: dict[str, None] = {}
        for chunk in split_chunks(_ROLE_PREFIX.sub("\n", text)):
            names = [chunk] if self.find(chunk) else chunk.split()
            for name in names:
                entry = self.find(name)
                if entry is None:
                    unknown[name] = None
                else:
                    ids[entry.organization_id] = None
        return Resolved(tuple(ids), tuple(unknown))

    def nearest(self, name: str, limit: int = 3) -> list[str]:
        """Return the names of the organisations whose name or alias is most like the given one."""
        return [title for _id, title in self.nearest_known(name, limit)]

    def nearest_known(self, name: str, limit: int = 3) -> list[tuple[int, str]]:
        """Return the organisations whose name or alias is most like the given one: id and name."""
        ranked = process.extract(
            name_key(name), self._entries.keys(), scorer=fuzz.ratio, limit=limit * 3
        )
        entries = [self._entries[key] for key, score, _ in ranked if score > 0]
        return list(dict.fromkeys((each.organization_id, each.title) for each in entries))[:limit]

    def answers(self) -> dict[str, tuple[int, ...]]:
        """Return whom each cell named that has been asked about, by its text."""
        return {text: known.ids for text, known in self._resolved.items()}

    def unknown(self) -> list[str]:
        """Return the names that nobody goes by, of all cells that have been asked about."""
        found = (name for known in self._resolved.values() for name in known.unknown)
        return list(dict.fromkeys(found))
