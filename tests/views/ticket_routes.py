"""How to drive the routes of tickets that other records have not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from werkzeug.routing import Rule

from tests.views import expectations as due
from tests.views.stage import Stage
from tests.views.tries import DONE, FORBIDDEN, HIDDEN, LOCKED, OK, Try

SPEAKERS = due.names(due.tickets.SPEAKERS)
#: Step → roles' accounts that take it at all, whichever the ticket.
BULK = {
    "approve": due.names(
        "township township2 townshipb community community2 communityb office officeb"
    ),
    "dispatch": due.names("office officeb"),
    "accept": due.names("handler handler2 handlerb double"),
    "close": due.names("office officeb township township2 townshipb"),
}
#: Who confirms or dismisses orders, and who answers them.
SUPERVISING = due.names("office inspector officeb")
ANSWERING = due.names("handler handler2 handlerb double")


class TicketRoutes:
    """The part of the driver that knows tickets."""

    stage: Stage
    account: str
    kind: str
    readable: frozenset[str] | None

    def drive_counts(self, rule: Rule) -> Iterator[Try]:
        yield Try("GET", rule.rule, OK if self.readable is not None else FORBIDDEN)

    def _asked(self, rule: Rule, *queries: str) -> Iterator[Try]:
        expected = OK if self.account in due.ADD["ticket"] else FORBIDDEN
        for query in queries:
            yield Try("GET", f"{rule.rule}?{query}", expected)

    def drive_matches(self, rule: Rule) -> Iterator[Try]:
        """Items and tickets of another county are not offered, wherever one claims to be."""
        for place in self._places():
            query = f"text=事项zq路灯不亮&organization={place}"
            yield from self._asked(rule, query, f"{query}&format=html")

    drive_similar = drive_matches

    def _places(self) -> list[int]:
        return [self.stage.id("oA11"), self.stage.id("oB11")]

    def drive_places(self, rule: Rule) -> Iterator[Try]:
        yield from self._asked(rule, "q=", "q=zq")

    def drive_paper(self, rule: Rule) -> Iterator[Try]:
        """An empty slip is no slip."""
        allowed = self.account in due.ADD["ticket"]
        yield Try("GET", rule.rule, OK if allowed else FORBIDDEN)
        yield Try("POST", rule.rule, {422} if allowed else FORBIDDEN, {"title": "zz"})

    def drive_ready(self, rule: Rule) -> Iterator[Try]:
        yield from self._asked(rule, "")

    def _hanging(self, rule: Rule, letter: str) -> Iterator[Try]:
        for name, ticket in due.tickets.HANGING.items():
            if name.startswith(letter):
                path = rule.rule.replace("<int:pk>", str(self.stage.id(name)))
                yield Try("GET", path, OK if ticket in (self.readable or ()) else HIDDEN)
        yield Try("GET", rule.rule.replace("<int:pk>", "999999"), HIDDEN)

    def drive_photo(self, rule: Rule) -> Iterator[Try]:
        yield from self._hanging(rule, "f")

    drive_thumb = drive_photo

    def drive_prepared(self, rule: Rule) -> Iterator[Try]:
        """What nobody has signed names no photo."""
        yield Try("GET", rule.rule.replace("<token>", "WyJhIl0.x.y"), HIDDEN)

    def drive_slip(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            # A draft has no number yet.
            done = LOCKED if name == "d11" else OK
            expected = done if name in (self.readable or ()) else HIDDEN
            yield Try("GET", rule.rule.replace("<int:pk>", str(pk)), expected)

    def drive_twins(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            expected = OK if name in (self.readable or ()) else HIDDEN
            if self.account not in SPEAKERS:
                expected = FORBIDDEN
            for query in ("", "?q=zq"):
                yield Try("GET", rule.rule.replace("<int:pk>", str(pk)) + query, expected)

    def drive_comment(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            mine = self.account in SPEAKERS and name in (self.readable or ())
            path = rule.rule.replace("<int:pk>", str(pk))
            yield Try("POST", path, DONE if mine else HIDDEN, {"text": "请先断电"}, name)

    def drive_bulk(self, rule: Rule) -> Iterator[Try]:
        """Records out of scope are as if they were not there."""
        takes = BULK if self.kind == "ticket" else dict.fromkeys(("dismiss",), SUPERVISING)
        acting = SPEAKERS if self.kind == "ticket" else SUPERVISING | ANSWERING
        ids = {"ids": [str(pk) for pk in self.stage.of(self.kind).values()]}
        for action, takers in takes.items():
            path = rule.rule.replace("<action>", action)
            taken = self.account in takers
            refused = HIDDEN if self.account in acting else FORBIDDEN
            yield Try("GET", path, DONE if taken else refused)
            yield Try("POST", path, OK if taken else refused, ids)
        yield Try("GET", rule.rule.replace("<action>", "raise"), HIDDEN)


class OwnRoutes:
    """The part of the driver that knows kept lists, exports and versions of mechanisms."""

    stage: Stage
    account: str
    kind: str
    readable: frozenset[str] | None
    _own: Callable[..., Iterator[Try]]

    def drive_keep(self, rule: Rule) -> Iterator[Try]:
        """Whoever opens a list may keep its filters, and nobody those of a list that is not his."""
        lists = self.account in due.READ["ticket"]
        data = {"view": "TicketView", "query": "tab=open", "name": "在办"}
        yield Try("POST", rule.rule, DONE if lists else HIDDEN, data)
        yield Try("POST", rule.rule, HIDDEN, {"view": "WorkbenchView", "name": "x"})

    def drive_start(self, rule: Rule) -> Iterator[Try]:
        lists = self.account in due.READ["ticket"]
        data = {"view": "TicketView", "query": "tab=open"}
        yield Try("POST", rule.rule, DONE if lists else HIDDEN, data)

    def drive_download(self, rule: Rule) -> Iterator[Try]:
        """The stage's exports have lost their files."""
        yield from self._own(rule, LOCKED, "GET")

    def versions(self, rule: Rule, done: set[int]) -> Iterator[Try]:
        """Try what only the administrator does with a version of a mechanism."""
        for name, pk in self.stage.of(self.kind).items():
            expected = done if self.account == "admin" else FORBIDDEN
            yield Try("POST", rule.rule.replace("<int:pk>", str(pk)), expected, name=name)

    def drive_restore(self, rule: Rule) -> Iterator[Try]:
        """What is in force need not be brought back."""
        yield from self.versions(rule, LOCKED)


def shown_status(kind: str) -> set[int]:
    """Return what is due to who opens a record's page: a kept list leads to the list."""
    return DONE if kind == "saved_view" else OK
