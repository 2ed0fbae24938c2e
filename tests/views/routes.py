"""How to drive every route: for each endpoint, the requests that the matrices make and what is due.

``requests_for`` fails for an endpoint that it does not know, so that no new route stays untested.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from tests.views import expectations as due
from tests.views import follow_routes as follow
from tests.views.stage import Stage
from tests.views.ticket_routes import OwnRoutes, TicketRoutes, shown_status
from tests.views.tries import DONE, FORBIDDEN, HIDDEN, LOCKED, OK, Try
from tests.views.upload_routes import Uploads

#: View → record type. A view of records that is not here has no line in the table of expectations.
KINDS = {
    "TicketView": "ticket",
    "AgreementView": "agreement",
    "DutyListView": "duty_list",
    "DutyItemView": "duty_item",
    "OrganizationView": "organization",
    "AccountView": "account",
    "MechanismView": "mechanism",
    "CalendarOverrideView": "calendar_override",
    "AuditView": "audit_entry",
    "ImportBatchView": "import_batch",
    "ResourceView": "resource",
    "NeedView": "need",
    "ServiceProjectView": "service_project",
    "ServiceSessionView": "service_session",
    "CheckInView": "check_in",
    "CheckInActivityView": "check_in_activity",
    "NoticeView": "notice",
    "ImportJobView": "import_job",
    "LetterTemplateView": "letter_template",
    "AddressEntryView": "address_entry",
    "SavedViewView": "saved_view",
    "ExportJobView": "export_job",
    **follow.KINDS,
}
#: Answered to everybody, logged in or not; none of them shows a record.
PUBLIC = {
    "static",
    "appbuilder.static",
    "LoginView.login",
    "LoginView.logout",
    "LocaleView.index",
    "UtilView.back",
}
#: One account of each way to see: these try every filter and order, the others the lists as such.
THOROUGHLY = due.names("admin office party duty township community handler unit officeb")


class UnknownRoute(Exception):
    """A route was registered that the matrices do not know how to drive."""


def rules(app: Flask) -> list[Rule]:
    """Return every rule with each of its methods in play."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule))


def view_of(app: Flask, name: str) -> Any:
    """Return a registered view by its class name."""
    views = {type(view).__name__: view for view in app.extensions["appbuilder"].baseviews}
    return views[name]


def tries(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
    """Yield the requests of one rule for one account, with what is due to it."""
    if rule.endpoint in PUBLIC:
        return
    view, _dot, route = rule.endpoint.partition(".")
    if rule.endpoint in OTHERS:
        yield from OTHERS[rule.endpoint](account)
    elif rule.endpoint in STAGED:
        yield from STAGED[rule.endpoint](stage, rule, account)
    elif view in KINDS and (method := getattr(Driver, f"drive_{route}", None)):
        yield from method(Driver(stage, view, account), rule)
    elif view in due.IMPORT and (importing := IMPORTS.get(route)):
        yield from importing(rule, account in due.IMPORT[view])
    else:
        raise UnknownRoute(
            f"{rule.endpoint} ({rule.rule}): say in tests/views/routes.py what is due"
        )


@dataclass
class Driver(Uploads, TicketRoutes, OwnRoutes, follow.FollowRoutes):
    """The routes that every view of records has."""

    stage: Stage
    view: str
    account: str

    @property
    def kind(self) -> str:
        return KINDS[self.view]

    @property
    def readable(self) -> frozenset[str] | None:
        """The records that the account sees; None if it has no page of the type at all."""
        return due.READ[self.kind].get(self.account)

    def drive_list(self, rule: Rule) -> Iterator[Try]:
        allowed = OK if self.readable is not None else FORBIDDEN
        yield Try("GET", rule.rule, allowed)
        if self.readable is None:
            return
        view = view_of(self.stage.app, self.view)
        yield Try("GET", f"{rule.rule}?q=zq&last=1", allowed)
        if self.account not in THOROUGHLY:
            return
        for name in view.order_columns:
            yield Try("GET", f"{rule.rule}?order={name}&direction=desc", allowed)
        for name, _label, _test in view.tabs[::3]:
            yield Try("GET", f"{rule.rule}?tab={name}", allowed)
        for name in view.relation_fields() & set(view.filter_columns):
            for other in self._targets(view, name):
                yield Try("GET", f"{rule.rule}?{name}={other}", allowed)

    def _targets(self, view: Any, field_name: str) -> list[int]:
        """Return own, sibling and foreign records that a relation may point at."""
        target = view.target(field_name).__tablename__
        if target == "organization":
            with self.stage.session() as session:
                codes = "('A12', 'A-U1', 'B11', 'B-U1')"
                sql = f"SELECT id FROM organization WHERE code IN {codes}"  # noqa: S608
                return list(session.connection().exec_driver_sql(sql).scalars())
        return list(self.stage.of(target).values())

    def drive_show(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            expected = shown_status(self.kind) if name in (self.readable or ()) else HIDDEN
            yield Try("GET", self._path(rule, pk), expected, name=name)
        yield Try("GET", self._path(rule, 999_999), HIDDEN)

    def _path(self, rule: Rule, pk: int, **values: str) -> str:
        path = rule.rule.replace("<int:pk>", str(pk))
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        return path

    def _read(self, name: str) -> set[int]:
        return OK if name in (self.readable or ()) else HIDDEN

    def _write(self, table: due.Table, name: str, done: set[int]) -> set[int]:
        """Return what is due to a write: hidden, not theirs, locked by its state, or done."""
        mine = table.get(self.kind, {}).get(self.account)
        if mine is None:
            return FORBIDDEN
        if name not in mine:
            return HIDDEN | (LOCKED if name in (self.readable or ()) else set())
        return LOCKED if name in due.LOCKED else done

    def drive_add(self, rule: Rule) -> Iterator[Try]:
        allowed = self.account in due.ADD[self.kind]
        yield Try("GET", rule.rule, OK if allowed else FORBIDDEN)
        if not allowed:
            yield Try("POST", rule.rule, FORBIDDEN, {"title": "不该写入", "name": "不该写入"})

    def drive_edit(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            yield Try("GET", self._path(rule, pk), self._write(due.EDIT, name, OK), name=name)
            # A template is edited by bringing another file.
            done = {422} if self.kind == "letter_template" else DONE
            expected = self._write(due.EDIT, name, done)
            yield Try("POST", self._path(rule, pk), expected, {"version": "1"}, name)

    def drive_delete(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            expected = self._write(due.DELETE, name, LOCKED if name in due.DEPENDED else DONE)
            yield Try("POST", self._path(rule, pk), expected, name=name)

    def drive_step(self, rule: Rule) -> Iterator[Try]:
        action, data, who, wrong_state = due.STEPS[self.kind]
        for name, pk in self.stage.of(self.kind).items():
            if name in who.get(self.account, ()):
                expected = LOCKED if name in wrong_state else DONE
            else:
                expected = HIDDEN
            yield Try("POST", self._path(rule, pk, action=action), expected, data, name)

    def drive_options(self, rule: Rule) -> Iterator[Try]:
        view = view_of(self.stage.app, self.view)
        allowed = self.readable is not None
        for name in sorted(view.relation_fields()):
            for query in ("", "zq"):
                path = f"{self._path(rule, 0, field=name)}?q={query}"
                yield Try("GET", path, OK if allowed else FORBIDDEN)
        yield Try("GET", self._path(rule, 0, field="password"), HIDDEN)

    def drive_receivers(self, rule: Rule) -> Iterator[Try]:
        acting = follow.NAMING.get(self.kind, due.ADD["ticket"] | ACTING)
        for name, pk in self.stage.of(self.kind).items():
            expected = self._read(name) if self.account in acting else FORBIDDEN
            yield Try("GET", self._path(rule, pk), expected, name=name)

    def drive_eligibility(self, rule: Rule) -> Iterator[Try]:
        expected = OK if self.account in due.ADD["ticket"] else FORBIDDEN
        place = self._targets(view_of(self.stage.app, self.view), "organization")
        for where, item in itertools.product(place[:1] + place[-1:], self.stage.of("duty_item")):
            query = f"organization={where}&duty_item={self.stage.id(item)}"
            yield Try("GET", f"{rule.rule}?{query}", expected)
            yield Try("GET", f"{rule.rule}?{query}&format=html", expected)

    def drive_file(self, rule: Rule) -> Iterator[Try]:
        """The stage's batches keep no file: nobody gets one, and nobody learns of a batch by it."""
        for name, pk in self.stage.of(self.kind).items():
            expected = HIDDEN if self.kind == "import_batch" else self._read(name)
            yield Try("GET", self._path(rule, pk), expected, name=name)

    def drive_undo(self, rule: Rule) -> Iterator[Try]:
        """Whoever reads a batch and imports duty lists may take it back."""
        for name, pk in self.stage.of(self.kind).items():
            # The organisations that bO speaks of have gone since.
            done = LOCKED if name == "bO" else DONE
            importing = self.account in due.IMPORT["DutyItemImportView"]
            expected = done if importing and name in (self.readable or ()) else HIDDEN
            yield Try("POST", self._path(rule, pk), expected, name=name)

    def drive_claimants(self, rule: Rule) -> Iterator[Try]:
        """Whoever takes steps on needs chooses the party member who claims one."""
        acting = self.account in due.ADD["need"] | due.names(due.UNITS)
        for name, pk in self.stage.of(self.kind).items():
            yield Try(
                "GET", self._path(rule, pk), self._read(name) if acting else FORBIDDEN, name=name
            )

    def drive_open(self, rule: Rule) -> Iterator[Try]:
        """Everybody opens his own notices, and is led to what they are about."""
        for name, pk in self.stage.of(self.kind).items():
            done = DONE if name in (self.readable or ()) else HIDDEN
            yield Try("POST", self._path(rule, pk), done, name=name)

    def drive_read_all(self, rule: Rule) -> Iterator[Try]:
        if self.readable:
            yield Try("POST", rule.rule, DONE)

    def drive_changes(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            # It tells what differs, and calls the version by its place and number. A mechanism's
            # first version differs from none.
            first = self.kind == "mechanism" and name in (self.readable or ())
            yield Try("GET", self._path(rule, pk), LOCKED if first else self._read(name))

    drive_changes_export = drive_export_one = drive_changes

    def drive_export(self, rule: Rule) -> Iterator[Try]:
        allowed = OK if self.readable is not None else FORBIDDEN
        yield Try("GET", rule.rule, allowed)
        yield Try("GET", f"{rule.rule}?q=zq", allowed)

    def drive_template(self, rule: Rule) -> Iterator[Try]:
        importing = self.account in due.IMPORT[due.TEMPLATES[self.kind]]
        yield Try("GET", rule.rule, OK if importing else FORBIDDEN)

    def drive_letter(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            yield Try("GET", self._path(rule, pk), self._read(name), name=name)

    def drive_letters(self, rule: Rule) -> Iterator[Try]:
        if self.readable is None:
            yield Try("GET", rule.rule, FORBIDDEN)
        else:
            yield Try("GET", rule.rule, OK if self.readable else LOCKED)

    def drive_standard(self, rule: Rule) -> Iterator[Try]:
        yield Try("GET", rule.rule, OK if self.readable is not None else FORBIDDEN)


def _scans(route: str) -> Any:
    """Scans go with their agreements: read by whoever reads one, kept by whoever may edit it."""

    def drive(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
        read = due.READ["agreement"].get(account)
        edit = due.EDIT["agreement"].get(account)
        for scan, agreement in due.SCANS.items():
            if route == "file":
                path = rule.rule.replace("<int:pk>", str(stage.id(scan)))
                expected = OK if account in due.READ_SCANS[scan] else HIDDEN
                assert expected == HIDDEN or agreement in (read or ())
                yield Try("GET", path, expected)
            else:
                pk = stage.id(agreement if route == "upload" else scan)
                mine = {422} if route == "upload" else DONE
                expected = mine if agreement in (edit or ()) else HIDDEN
                yield Try("POST", rule.rule.replace("<int:pk>", str(pk)), expected)

    return drive


def _matching(kind: str) -> Any:
    """Whoever may make services sees what matches the needs and resources that he sees."""

    def drive(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
        for name, pk in stage.of(kind).items():
            expected = OK if name in due.READ[kind].get(account, ()) else HIDDEN
            if account not in due.ADD["service_project"]:
                expected = FORBIDDEN
            yield Try("GET", rule.rule.replace("<int:pk>", str(pk)), expected, name=name)

    return drive


def _arrange(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
    allowed = account in due.ADD["service_project"]
    yield Try("POST", rule.rule, HIDDEN if allowed else FORBIDDEN, {"need": "0", "resource": "0"})


#: Routes about records that have no pages of their own.
STAGED: dict[str, Any] = {
    "AgreementScanView.upload": _scans("upload"),
    "AgreementScanView.file": _scans("file"),
    "AgreementScanView.delete": _scans("delete"),
    "MatchView.need": _matching("need"),
    "MatchView.resource": _matching("resource"),
    "MatchView.arrange": _arrange,
    **follow.STAGED,
}

#: Accounts that take steps on tickets besides those who raise them.
ACTING = due.names("office officeb returns handler handler2 handlerb double")


def _everybody(path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK)])


def _administrator(path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK if account == "admin" else FORBIDDEN)])


def _readers(kind: str, path: str) -> Any:
    """A page of figures: for all who get pages of the record type."""
    return lambda account: iter([Try("GET", path, OK if account in due.READ[kind] else FORBIDDEN)])


def _those(accounts: frozenset[str], path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK if account in accounts else FORBIDDEN)])


OTHERS: dict[str, Any] = {
    **follow.OTHERS,
    "WorkbenchView.index": _everybody("/"),
    "MyPasswordView.change": _everybody("/my-password/"),
    "PolicyView.list": _administrator("/policy/list/"),
    "BoardView.board": _readers("need", "/board/"),
    "BoardView.communities": _readers("need", "/board/communities"),
    "CoverageView.summary": _those(due.AREA, "/coverage/"),
    "CoverageView.units": _those(due.AREA, "/coverage/units/"),
    "CoverageView.communities": _those(due.AREA, "/coverage/communities/"),
    "CoverageView.export": _those(due.AREA, "/coverage/export"),
    "DutyComparisonView.summary": _those(due.COMPARING, "/duty-comparison/"),
    "DutyComparisonView.export": _those(due.COMPARING, "/duty-comparison/export"),
    "NumbersView.summary": _readers("need", "/numbers/"),
    "NumbersView.units": _those(due.UNIT_FIGURES, "/numbers/units/"),
    "NumbersView.communities": _those(due.COMMUNITY_FIGURES, "/numbers/communities/"),
    "NumbersView.export": _readers("need", "/numbers/export"),
    "NumbersView.units_export": _those(due.UNIT_FIGURES, "/numbers/units/export"),
    "NumbersView.communities_export": _those(due.COMMUNITY_FIGURES, "/numbers/communities/export"),
}


def _upload(rule: Rule, allowed: bool) -> Iterator[Try]:
    yield Try("GET", rule.rule, OK if allowed else FORBIDDEN)
    yield Try("POST", rule.rule, {422} if allowed else FORBIDDEN)


def _owners(rule: Rule, allowed: bool) -> Iterator[Try]:
    yield Try("GET", f"{rule.rule}?q=", OK if allowed else FORBIDDEN)


IMPORTS = {"upload": _upload, "owners": _owners}
