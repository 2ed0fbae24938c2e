"""What follows the stage's tickets: orders, problems, meetings, appeals, bulletins, robots, steps."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.appeal import RatingAppeal
from models.base import utcnow
from models.bulletin import Bulletin, BulletinStatus, BulletinTemplate
from models.delivery import Delivery, NoticeChannel, NoticeRobot
from models.ledger import Event
from models.meeting import CoordinationMeeting, MeetingDecision, MeetingItem
from models.recurring import ProblemTicket, RecurringProblem
from models.supervision import Supervision, SupervisionRule
from models.ticket import Ticket
from presets.bulletin import MONTHLY_BULLETIN
from reports.facts import catch_up
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor
from rules.attachments import keep
from rules.calendar import shanghai_date
from tests.factories.follow_stage import LADDER
from tests.factories.world import World
from tests.views.stage_ledgers import mark

#: (mark's end, ticket, its place, the department that has it in hand)
_LED = (("11", "t11", "A11", "A-D1"), ("12", "t12", "A12", "A-D3"), ("b", "tb", "B11", "B-D1"))


class FollowBuilder:
    """Puts what follows tickets on a stage."""

    stage: Any
    session: Session
    world: World

    def keep(self, name: str, kind: str, record: Any) -> Any:
        """Remember a record by its name."""
        raise AssertionError("the stage keeps records")

    def _begun(self, name: str, kind: str, record: Any) -> Any:
        kept = self.keep(name, kind, record)
        if workflow.workflow_of(type(kept)):
            workflow.begin(self.session, kept, SYSTEM)
        return kept

    def follow(self) -> None:
        """One of each in both counties, and the figures of all tickets as they are now."""
        for end, ticket, place, lead in _LED:
            self._about_a_ticket(
                end, self.session.get_one(Ticket, self.stage.id(ticket)), place, lead
            )
        for county, who, agreement in (("A", "party", "e11"), ("B", "officeb", "gb")):
            self._of_a_county(county)
            self._step(county, self.world.actor(who), self.stage.id(agreement))
        self.session.flush()
        catch_up(self.session)

    def _step(self, county: str, who: Actor, pk: int) -> None:
        """Somebody of the county writes a step beside the agreement's own."""
        agreement = self.session.get_one(Agreement, pk)
        status, note = agreement.status, mark(f"V{county}")
        step = ledger.append(
            self.session,
            agreement,
            who,
            action="note",
            label="补记",
            from_status=status,
            to_status=status,
            note=note,
        )
        self.keep(f"V{county}", "event", self.session.get_one(Event, step.id))

    def _about_a_ticket(self, end: str, ticket: Ticket, place: str, lead: str) -> None:
        where, department = self.world.place(place), self.world.place(lead)
        order = Supervision(
            organization=where,
            ticket=ticket,
            department=department,
            matter=f"路灯{mark(f'U{end}')}",
            reason="超过期限三天",
        )
        self._begun(f"U{end}", "supervision", order)
        problem = RecurringProblem(
            organization=where,
            title=f"反复不亮{mark(f'P{end}')}",
            matter="路灯安装与维修",
            owner=department,
            tickets=[ProblemTicket(ticket=ticket)],
        )
        self._begun(f"P{end}", "recurring_problem", problem)
        appeal = RatingAppeal(
            ticket=ticket,
            organization=where,
            department=department,
            reason=f"按时修好了{mark(f'E{end}')}",
        )
        self._begun(f"E{end}", "rating_appeal", appeal)

    def _of_a_county(self, county: str) -> None:
        place = self.world.place(county)
        rule = SupervisionRule(organization=place, ladder=LADDER)
        self.keep(f"R{county}", "supervision_rule", rule)
        self._meetings(county)
        for name, issued in ((f"N{county}", True), (f"O{county}", False)):
            bulletin = Bulletin(
                organization=place,
                issued_to_id=place.id if issued else None,
                month=202610,
                title=f"通报{mark(name)}",
                status=BulletinStatus.WAITING,
            )
            self._begun(name, "bulletin", bulletin)
        folder = Path(self.stage.app.config["DATA_DIR"])
        kept = keep(MONTHLY_BULLETIN.read_bytes(), folder)
        template = BulletinTemplate(
            organization=place, name=mark(f"T{county}"), file_name="红头.docx", file_hash=kept
        )
        self.keep(f"T{county}", "bulletin_template", template)
        robot = NoticeRobot(
            organization=place,
            name=f"吹哨群{mark(f'W{county}')}",
            channel=NoticeChannel.WECOM,
            address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0000",
        )
        self.keep(f"W{county}", "notice_robot", robot)
        receiver = self.world.account("office" if county == "A" else "officeb")
        delivery = Delivery(
            key=f"一条消息:{county}",
            account_id=receiver.id,
            channel=NoticeChannel.EMAIL,
            next_at=utcnow(),
            problem=mark(f"Q{county}"),
        )
        self.keep(f"Q{county}", "delivery", delivery)

    def _meetings(self, county: str) -> None:
        place, today = self.world.place(county), shanghai_date(utcnow())
        meeting = CoordinationMeeting(
            organization=place, title=f"调度会{mark(f'M{county}')}", held_at=utcnow()
        )
        self._begun(f"M{county}", "coordination_meeting", meeting)
        item = MeetingItem(meeting=meeting, title=f"路灯{mark(f'I{county}')}")
        self.keep(f"I{county}", "meeting_item", item)
        # A decision is nobody's before its meeting was held; only what is prepared can be called off.
        held = CoordinationMeeting(organization=place, title="上月的调度会", held_at=utcnow())
        self.session.add(held)
        self.session.flush()
        workflow.begin(self.session, held, SYSTEM)
        self.world.step(held, "hold", "office" if county == "A" else "officeb")
        decision = MeetingDecision(
            meeting=held,
            organization=place,
            text=f"月底前换完{mark(f'D{county}')}",
            owner=self.world.place(f"{county}-D1"),
            due_on=today + dt.timedelta(days=9),
        )
        self._begun(f"D{county}", "meeting_decision", decision)
