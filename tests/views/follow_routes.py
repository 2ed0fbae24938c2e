"""How to drive the routes of what follows tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from werkzeug.routing import Rule

from tests.views import expectations as due
from tests.views.stage import Stage
from tests.views.tries import DONE, FORBIDDEN, HIDDEN, OK, Try

KINDS = {
    "SupervisionView": "supervision",
    "SupervisionRuleView": "supervision_rule",
    "RecurringProblemView": "recurring_problem",
    "MeetingView": "coordination_meeting",
    "DecisionView": "meeting_decision",
    "AppealView": "rating_appeal",
    "RobotView": "notice_robot",
    "EventView": "event",
    "DeliveryView": "delivery",
    "BulletinView": "bulletin",
    "BulletinTemplateView": "bulletin_template",
}
FIGURES = due.names(due.follow.FIGURES)
RANKING = due.names(due.follow.RANKING)
MEETING = due.ADD["coordination_meeting"]
#: Record type → who takes steps on one, and so names bodies in them.
NAMING = {
    "supervision": due.names("office inspector officeb handler handler2 handlerb double"),
    "recurring_problem": due.names(
        "office officeb township township2 townshipb handler handler2 handlerb double"
    ),
    "meeting_decision": due.names(
        "office officeb township township2 townshipb handler handler2 handlerb double"
    ),
}
HANDLERS = due.names("handler handler2 handlerb double")


class FollowRoutes:
    """The part of the driver that knows what follows tickets."""

    stage: Stage
    account: str
    kind: str
    readable: frozenset[str] | None

    def drive_order(self, rule: Rule) -> Iterator[Try]:
        """What has not been issued is no order yet: nothing to print."""
        for name, pk in self.stage.of(self.kind).items():
            expected = {409} if name in (self.readable or ()) else HIDDEN
            yield Try("GET", rule.rule.replace("<int:pk>", str(pk)), expected)

    def drive_docx(self, rule: Rule) -> Iterator[Try]:
        """None of the stage's bulletins has been written yet."""
        for name, pk in self.stage.of(self.kind).items():
            expected = {409} if name in (self.readable or ()) else HIDDEN
            yield Try("GET", rule.rule.replace("<int:pk>", str(pk)), expected)

    drive_xlsx = drive_docx

    def drive_minutes(self, rule: Rule) -> Iterator[Try]:
        for name, pk in self.stage.of(self.kind).items():
            expected = OK if name in (self.readable or ()) else HIDDEN
            yield Try("GET", rule.rule.replace("<int:pk>", str(pk)), expected, name=name)

    def drive_cases(self, rule: Rule) -> Iterator[Try]:
        """Tickets to tie: to a new problem, or to one that may be read."""
        ties = self.account in due.ADD["recurring_problem"]
        if "<int:pk>" not in rule.rule:
            for query in ("", "?q=zq"):
                yield Try("GET", rule.rule + query, OK if ties else FORBIDDEN)
            return
        for name, pk in self.stage.of(self.kind).items():
            expected = OK if name in (self.readable or ()) else HIDDEN
            path = rule.rule.replace("<int:pk>", str(pk))
            yield Try("GET", path, expected if ties else FORBIDDEN, name=name)

    def drive_tie(self, rule: Rule) -> Iterator[Try]:
        """Only the office ties, and another county's ticket to nothing of its own."""
        own = due.EDIT[self.kind].get(self.account, frozenset())
        foreign = self.stage.id("tb" if self.account == "office" else "t21")
        for name, pk in self.stage.of(self.kind).items():
            path = rule.rule.replace("<int:pk>", str(pk))
            expected = {404, 409, 422} if name in own else HIDDEN
            yield Try("POST", path, expected, {"tickets": str(foreign)}, name)

    def drive_untie(self, rule: Rule) -> Iterator[Try]:
        own = due.EDIT[self.kind].get(self.account, frozenset())
        for name, ticket in (("P11", "t11"), ("P12", "t12"), ("Pb", "tb")):
            path = rule.rule.replace("<int:pk>", str(self.stage.id(name)))
            path = path.replace("<int:ticket_id>", str(self.stage.id(ticket)))
            yield Try("POST", path, DONE if name in own else HIDDEN, name=name)

    def drive_retry(self, rule: Rule) -> Iterator[Try]:
        """Only what has failed is sent again or dropped, by the administrator."""
        for name, pk in self.stage.of(self.kind).items():
            expected = DONE | {409} if name in (self.readable or ()) else HIDDEN
            yield Try("POST", rule.rule.replace("<int:pk>", str(pk)), expected, name=name)

    drive_drop = drive_retry


def _figures(path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK if account in FIGURES else FORBIDDEN)])


def _ranking(path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK if account in RANKING else FORBIDDEN)])


def _meeting(path: str) -> Any:
    return lambda account: iter([Try("GET", path, OK if account in MEETING else FORBIDDEN)])


def _everybody(path: str, method: str = "GET") -> Any:
    return lambda account: iter([Try(method, path, OK)])


def _choices(account: str) -> Iterator[Try]:
    for name in ("department", "township", "community"):
        path = f"/measures/choices/{name}?q="
        yield Try("GET", path, OK | HIDDEN if account in FIGURES else FORBIDDEN)


#: Endpoints of pages that are about no record of their own.
OTHERS: dict[str, Any] = {
    "MeasuresView.overview": _figures("/measures/"),
    "MeasuresView.lines": _figures("/measures/lines?rows=matter"),
    "MeasuresView.lines_export": _figures("/measures/lines/export?rows=matter"),
    "MeasuresView.crossing": _figures("/measures/crossing?rows=matter&columns=month"),
    "MeasuresView.crossing_export": _figures("/measures/crossing/export?rows=matter&columns=month"),
    "MeasuresView.about": _figures("/measures/about"),
    "MeasuresView.choices": _choices,
    "HeatView.summary": lambda account: iter(
        [Try("GET", "/recurring/", OK if account in FIGURES - HANDLERS else FORBIDDEN)]
    ),
    "ScoresView.summary": _figures("/scores/"),
    "ScoresView.townships": _ranking("/scores/townships/"),
    "ScoresView.export": _ranking("/scores/export"),
    "AgendaView.meetings": _meeting("/agenda/meetings?q=zq"),
    "AgendaView.problems": _meeting("/agenda/problems?q=zq"),
    "AgendaView.tickets": _meeting("/agenda/tickets?q=zq"),
    "NoticeView.count": _everybody("/notices/count"),
    "NoticeSettingsView.edit": _everybody("/notice-settings/"),
    # It writes to the sender himself, and to nobody's record.
    "NoticeSettingsView.test": lambda account: iter(()),
}


def _card(codes: tuple[str, ...]) -> Any:
    """Cards of one's own county; of another nothing but its name is shown."""

    def drive(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
        with stage.session() as session:
            named = "', '".join(codes)
            sql = f"SELECT id FROM organization WHERE code IN ('{named}')"  # noqa: S608
            found = list(session.connection().exec_driver_sql(sql).scalars())
        for pk in found:
            path = rule.rule.replace("<int:pk>", str(pk))
            yield Try("GET", path, OK | HIDDEN if account in RANKING else FORBIDDEN)

    return drive


def _place(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
    """The office puts its own tickets and problems onto agendas."""
    for name, what in (("t11", "ticket"), ("tb", "ticket"), ("P11", "problem"), ("Pb", "problem")):
        kind = "ticket" if what == "ticket" else "recurring_problem"
        seen = name in due.READ[kind].get(account, ())
        expected = (OK if seen else HIDDEN) if account in MEETING else FORBIDDEN
        yield Try("GET", f"{rule.rule}?{what}={stage.id(name)}", expected, name=name)


def _agenda(route: str) -> Any:
    """The office keeps the agendas of its own meetings."""

    def drive(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
        for county in ("A", "B"):
            mine = f"M{county}" in due.EDIT["coordination_meeting"].get(account, ())
            pk = stage.id(f"{'M' if route == 'add' else 'I'}{county}")
            path = rule.rule.replace("<int:pk>", str(pk))
            path = path.replace("<any(up, down):way>", "up")
            data = {"title": "另一件事", "discussion": "已商定"} if route != "remove" else {}
            yield Try("POST", path, DONE if mine else HIDDEN, data)

    return drive


def _file_appeal(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
    """None of the stage's tickets is rated: there is nothing to appeal against."""
    for name, pk in stage.of("ticket").items():
        path = rule.rule.replace("<int:pk>", str(pk))
        seen = name in due.READ["ticket"].get(account, ())
        expected = ({409} if seen else HIDDEN) if account in HANDLERS else FORBIDDEN
        yield Try("GET", path, expected)
        yield Try("POST", path, expected if account in HANDLERS else HIDDEN, {"reason": "按时办了"})


def _robot(stage: Stage, rule: Rule, account: str) -> Iterator[Try]:
    """Nothing leaves the stage: only those are tried who may not let a robot speak."""
    for name, pk in stage.of("notice_robot").items():
        if name not in due.EDIT["notice_robot"].get(account, ()):
            yield Try("POST", rule.rule.replace("<int:pk>", str(pk)), HIDDEN)


STAGED: dict[str, Any] = {
    "RobotView.test": _robot,
    "ScoresView.department": _card(("A-D1", "B-D1")),
    "ScoresView.township": _card(("A1", "B1")),
    "AgendaView.place": _place,
    "AgendaView.add": _agenda("add"),
    "AgendaView.move": _agenda("move"),
    "AgendaView.discuss": _agenda("discuss"),
    "AgendaView.remove": _agenda("remove"),
    "AppealView.file": _file_appeal,
}
