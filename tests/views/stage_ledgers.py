"""The stage's ledgers of domain section 4: resources, needs, services, check-ins and their papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.import_job import ImportJob, ImportJobState
from models.letter import LetterTemplate
from models.notice import Notice
from reports.letters import default_template
from rules import attachments, scans
from rules.actor import SYSTEM
from tests.factories import ledgers
from tests.factories.world import World


def mark(name: str) -> str:
    """Return the text that gives a record away."""
    return f"zq{name}qz"


def phone(name: str) -> str:
    """Return a telephone number that gives away who was shown it whole."""
    return f"13800-{name}-zpp"


class LedgerBuilder:
    """Puts the ledgers on a stage."""

    stage: Any
    session: Session
    world: World

    def keep(self, name: str, kind: str, record: Any) -> Any:
        """Remember a record by its name."""
        raise AssertionError("the stage keeps records")

    def ledgers(self) -> None:
        """Resources, needs, services and check-ins, and what hangs from them; a notice each."""
        for name, owner, offered, to in (
            ("r1", "A-U1", True, ""),
            ("r1d", "A-U1", False, ""),
            ("r2", "A-U2", True, "A12"),
            ("rb", "B-U1", True, ""),
        ):
            text = mark(name)
            found = ledgers.resource(
                self.world, owner, text, offer=offered, to=to, contact=text, phone=phone(name)
            )
            self.keep(name, "resource", found)
        for name, place, published in (
            ("n11", "A11", True),
            ("n11d", "A11", False),
            ("n12", "A12", True),
            ("n21", "A21", True),
            ("nb", "B11", True),
        ):
            text = mark(name)
            need = ledgers.need(
                self.world, place, text, publish=published, detail=text, phone=phone(name)
            )
            self.keep(name, "need", need)
        for key, unit, place in (
            ("11", "A-U1", "A11"),
            ("12", "A-U2", "A12"),
            ("b", "B-U1", "B11"),
        ):
            self.sides(key, unit, place)
        self.papers()
        for name, account in (("y11", "community"), ("yu", "unit"), ("yb", "communityb")):
            notice = Notice(
                account_id=self.world.account(account).id,
                key=name,
                title=mark(name),
                record_type="organization",
                record_id=self.world.place("A11").id,
            )
            self.keep(name, "notice", notice)
        self.uploads()

    def uploads(self) -> None:
        """What some have uploaded and not confirmed; the files themselves have been cleared away."""
        for name, account in (("jd", "duty"), ("jt", "township"), ("jb", "dutyb")):
            job = ImportJob(
                account_id=self.world.account(account).id,
                kind="duty-items",
                organization=self.world.place("B1" if account == "dutyb" else "A1"),
                bundle=name * 16,
                state=ImportJobState.READY,
                file_name=f"{mark(name)}.xlsx",
                stored_name=f"{name * 16}.xlsx",
                size=1,
                decisions={},
                findings={},
            )
            self.keep(name, "import_job", job)

    def papers(self) -> None:
        """Scans of agreements and each county's letter template, with their files."""
        folder = Path(self.stage.app.config["DATA_DIR"])
        for name, agreement in (("a11", "g11"), ("a12", "g12"), ("ab", "gb")):
            found = self.session.get_one(Agreement, self.stage.id(agreement))
            scan = b"%PDF-1.4\n" + mark(name).encode() + b"\n%%EOF\n"
            (kept,) = scans.attach(
                self.session, found, [(f"{mark(name)}.pdf", scan)], SYSTEM, folder
            )
            self.keep(name, "agreement_scan", kept)
        for name, county in (("LA", "A"), ("LB", "B")):
            content = default_template()
            template = LetterTemplate(
                organization=self.world.place(county),
                file_name=f"{mark(name)}.docx",
                file_hash=attachments.keep(content, folder),
                size=len(content),
                uploaded_by="系统",
            )
            self.keep(name, "letter_template", template)

    def sides(self, key: str, unit: str, place: str) -> None:
        """A service with a session and a check-in with an activity, between a unit and a place."""
        project, row = f"s{key}", f"v{key}"
        found = ledgers.service(
            self.world, unit, place, mark(project), content=mark(project), phone=phone(project)
        )
        self.keep(project, "service_project", found)
        held = ledgers.session_of(self.world, found)
        held.place = held.note = mark(row)
        self.keep(row, "service_session", held)
        member, deed = f"k{key}", f"w{key}"
        checked = ledgers.check_in(
            self.world, unit, place, mark(member), post=mark(member), phone=phone(member)
        )
        self.keep(member, "check_in", checked)
        done = ledgers.activity(self.world, checked)
        done.content = mark(deed)
        self.keep(deed, "check_in_activity", done)
