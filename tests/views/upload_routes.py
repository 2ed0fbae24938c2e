"""How the matrices drive the routes of uploads: whose one is, is answered; nobody else learns of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from werkzeug.routing import Rule

from tests.views.stage import Stage
from tests.views.tries import DONE, FORBIDDEN, HIDDEN, LOCKED, OK, Try


class Uploads:
    """The routes of ``ImportJobView``; a driver says of an account what it reads."""

    stage: Stage
    kind: str
    readable: frozenset[str] | None

    _path: Callable[..., str]
    _read: Callable[[str], set[int]]
    versions: Callable[..., Iterator[Try]]

    def _own(
        self, rule: Rule, due_to_owner: set[int], method: str = "POST", **data: str
    ) -> Iterator[Try]:
        """Try an upload's route: whose it is, is answered; nobody else learns of it."""
        for name, pk in self.stage.of(self.kind).items():
            mine = name in (self.readable or ())
            yield Try(method, self._path(rule, pk), due_to_owner if mine else HIDDEN, data, name)

    def drive_progress(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            # Its answer is no page: it says how far, and not of what.
            yield Try("GET", self._path(rule, pk), self._read(name))

    def drive_marked(self, rule: Rule) -> Iterator[Try]:
        yield from self._own(rule, LOCKED, "GET")

    def drive_bundle(self, rule: Rule) -> Iterator[Try]:
        for name in self.stage.of(self.kind):
            path = rule.rule.replace("<bundle>", name * 16)
            yield Try("GET", path, self._read(name), name=name)

    def drive_organizations(self, rule: Rule) -> Iterator[Try]:
        yield Try("GET", f"{rule.rule}?q=", OK if self.readable is not None else FORBIDDEN)

    def drive_place(self, rule: Rule) -> Iterator[Try]:
        yield from self._own(rule, {422})

    def drive_headings(self, rule: Rule) -> Iterator[Try]:
        yield from self._own(rule, LOCKED, version="7")

    drive_names = drive_apply = drive_headings

    def drive_retire(self, rule: Rule) -> Iterator[Try]:
        """A version of a mechanism is taken out of force; of an upload, what its file lacks."""
        if self.kind == "mechanism":
            yield from self.versions(rule, DONE)
        else:
            yield from self._own(rule, DONE, version="1")

    def drive_cancel(self, rule: Rule) -> Iterator[Try]:
        """What has ended is not called off any more."""
        yield from self._own(rule, LOCKED)

    def drive_apply_all(self, rule: Rule) -> Iterator[Try]:
        for name in self.stage.of(self.kind):
            mine = name in (self.readable or ())
            path = rule.rule.replace("<bundle>", name * 16)
            yield Try("POST", path, DONE if mine else HIDDEN, name=name)
