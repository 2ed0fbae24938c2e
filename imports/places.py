"""Organisations as a ledger's rows name them: by name, alias or code, near ones before others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session

from imports.kinds import Unreadable
from imports.text import clean, name_key
from models.organization import (
    Organization,
    OrganizationKind,
    OrganizationLine,
    OrganizationName,
)
from rules.actor import Actor, current
from rules.policy import Action, Scope, scopes
from rules.reach import partners
from rules.scope import reachable

SLICE = 500
_NOBODY: Mapping[str, int] = MappingProxyType({})
#: How many unknown names are given others to choose from: each takes a look at every name.
_HINTED = 200
_SHOWN = 60
_WITH_CODE = re.compile(r"(?P<name>.+?)\s*[(（](?P<code>[^()（）]+)[)）]")


@dataclass(frozen=True)
class Place:
    """An organisation; ``near`` says whether the actor may tie such a record to it."""

    id: int
    code: str
    name: str
    kind: OrganizationKind
    active: bool
    near: bool


def within(actor: Actor, record_type: str, *actions: Action) -> ColumnElement[bool]:
    """Return which organisations the actor may tie such a record to, partners included."""
    inside = reachable(actor, record_type, Organization.id, *actions)
    sides = {scope for each in actions for scope in scopes(actor.roles, record_type, each)}
    if Scope.SIDE in sides and actor.organization_id is not None:
        return or_(inside, Organization.id.in_(partners(actor)))
    return inside


def around(actor: Actor) -> ColumnElement[bool]:
    """Return which organisations lists of the actor's area may name: its own, and those above.

    Above are those of the county and the city that the area lies in, though not of its neighbours.
    """
    if actor.system or actor.area_id is None:
        return true()
    line = OrganizationLine
    above = select(line.ancestor_id).where(line.organization_id == actor.area_id)
    below = select(line.organization_id).where(line.ancestor_id == actor.area_id)
    return or_(Organization.realm_id.in_(above), Organization.id.in_(below))


class Places:
    """Finds organisations for one actor and one record type. ``load`` first, then ``find``."""

    def __init__(
        self, session: Session, record_type: str, chosen: Mapping[str, int] = _NOBODY
    ) -> None:
        """``chosen``: unknown names (``name_key``) for which a person has said who is meant."""
        self.session = session
        self._chosen = chosen
        self._unknown: dict[str, None] = {}
        self._near = within(current(session), record_type, Action.IMPORT, Action.ADD)
        self._found: dict[str, dict[int, Place]] = {}
        self._all_near: dict[str, list[Place]] | None = None
        self._hints: dict[str, list[str]] = {}
        self.by_id: dict[int, Place] = {}

    # Loading

    def load(self, texts: Iterable[str]) -> None:
        """Look up the names, aliases and codes that these texts may be: two statements a slice."""
        asked = {clean(text) for text in texts}
        for text in list(asked):
            if match := _WITH_CODE.fullmatch(text):
                asked |= {match["name"], match["code"].strip()}
        wanted = sorted(each for each in asked if each and each not in self._found)
        for text in wanted:
            self._found[text] = {}
        for start in range(0, len(wanted), SLICE):
            part = wanted[start : start + SLICE]
            named = self._select(OrganizationName.name).join(
                OrganizationName, OrganizationName.organization_id == Organization.id
            )
            for row in self.session.execute(named.where(OrganizationName.name.in_(part))):
                self._keep(row, row[0])
            coded = self._select(Organization.code).where(Organization.code.in_(part))
            for row in self.session.execute(coded):
                self._keep(row, row[0])

    def load_ids(self, ids: Collection[int]) -> None:
        """Learn the organisations with these ids: a statement a slice."""
        wanted = sorted(set(ids) - self.by_id.keys())
        for start in range(0, len(wanted), SLICE):
            part = wanted[start : start + SLICE]
            for row in self.session.execute(
                self._select(Organization.code).where(Organization.id.in_(part))
            ):
                self._keep(row)

    def _select(self, spoken: Any) -> Select[Any]:
        near = self._near.label("near")
        return select(
            spoken.label("spoken"),
            Organization.id,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.active,
            near,
        )

    def _keep(self, row: Any, text: str | None = None) -> Place:
        _spoken, id_, code, name, kind, active, near = row
        place = Place(id_, code, name, kind, active, bool(near))
        self.by_id[place.id] = place
        if text is not None:
            self._found.setdefault(text, {})[place.id] = place
        return place

    # Finding

    def find(self, text: str, kinds: Collection[OrganizationKind] = ()) -> Place:
        """Return who goes by the name, alias or code, or by 名称（代码）.

        Raises ``Unreadable`` with the names most like it, or with the codes of all who go by it.
        ``kinds`` narrow those: whether the organisation is of the right kind is for the rules.
        """
        self.load([text])
        text = clean(text)
        found = list(self._found[text].values()) or self._by_code(text) or self._by_key(text)
        best = [each for each in found if each.near] or found
        best = [each for each in best if each.code == text] or best
        if len(best) > 1:
            best = [each for each in best if each.kind in kinds] or best
        if len(best) == 1:
            return best[0]
        if best:
            codes = "、".join(sorted(each.code for each in best)[:5])
            raise Unreadable(
                f"有 {len(best)} 个机构叫“{_short(text)}”（代码：{codes}），请改填机构代码。"
            )
        if (chosen := self._chosen.get(name_key(text))) is not None:
            self.load_ids([chosen])
            if chosen in self.by_id:
                return self.by_id[chosen]
        self._unknown[text] = None
        raise Unreadable(self._unknown_sentence(text, kinds))

    def _by_code(self, text: str) -> list[Place]:
        match = _WITH_CODE.fullmatch(text)
        if match is None:
            return []
        code, named = match["code"].strip(), self._found.get(match["name"], {})
        return [each for each in named.values() if each.code == code]

    def _by_key(self, text: str) -> list[Place]:
        """Return near organisations whose name differs in blanks, width or case only."""
        return self._names().get(name_key(text), [])

    def _names(self) -> dict[str, list[Place]]:
        """Return the near organisations by the key of each name: one statement, when first needed."""
        if self._all_near is None:
            self._all_near = {}
            named = self._select(OrganizationName.name).join(
                OrganizationName, OrganizationName.organization_id == Organization.id
            )
            for row in self.session.execute(named.where(self._near, Organization.active)):
                known = self._all_near.setdefault(name_key(row[0]), [])
                known.append(self._keep(row))
        return self._all_near

    def _unknown_sentence(self, text: str, kinds: Collection[OrganizationKind]) -> str:
        if text not in self._hints:
            self._hints[text] = self.nearest(text, kinds) if len(self._hints) < _HINTED else []
        near = self._hints[text]
        hint = f"，相近的有：{'、'.join(near)}" if near else ""
        return f"没有找到机构“{_short(text)}”{hint}。请改正名称，或填写机构代码。"

    def unknown(self) -> list[str]:
        """Return the names that nobody goes by, of all that have been asked about."""
        return list(self._unknown)

    def nearest(
        self, text: str, kinds: Collection[OrganizationKind] = (), limit: int = 3
    ) -> list[str]:
        """Return the names of near organisations that are most like the given one."""
        return [name for _id, name in self.nearest_known(text, kinds, limit)]

    def nearest_known(
        self, text: str, kinds: Collection[OrganizationKind] = (), limit: int = 3
    ) -> list[tuple[int, str]]:
        """Return the near organisations that are most like the given name: id and name."""
        places = {
            key: known[0]
            for key, known in self._names().items()
            if not kinds or known[0].kind in kinds
        }
        ranked = process.extract(name_key(text), places.keys(), scorer=fuzz.ratio, limit=limit * 3)
        found = [places[key] for key, score, _ in ranked if score > 0]
        return list(dict.fromkeys((each.id, each.name) for each in found))[:limit]

    def titles(self, ids: Iterable[int]) -> str:
        """Return the names of organisations that have been learnt, as a cell holds several."""
        return "、".join(self.by_id[each].name for each in ids)


def ambiguous(session: Session, names: Collection[str]) -> set[str]:
    """Return which names several organisations go by, wherever they are: a statement a slice."""
    ordered, found = sorted(names), set()
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        found |= set(
            session.scalars(
                select(OrganizationName.name)
                .where(OrganizationName.name.in_(part))
                .group_by(OrganizationName.name)
                .having(func.count(OrganizationName.organization_id.distinct()) > 1)
            )
        )
    return found


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
