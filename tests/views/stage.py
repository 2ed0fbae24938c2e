"""A stage for the matrices: in each place records whose texts carry a mark of their own.

A mark ("zqt11qz") stands nowhere else, and is plain ASCII so that JSON does not disguise it: a page
that contains the mark of a record shows something of that record.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from models.account import Account
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.imports import ImportBatch, ImportChange
from models.ledger import AuditEntry
from models.mechanism import CalendarOverride, Mechanism
from models.ticket import TicketStatus
from presets.roles import Role
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, close, logger_in, make_app, session_factory
from tests.factories.world import ACCOUNTS, PASSWORD, World
from tests.views.stage_follow import FollowBuilder
from tests.views.stage_ledgers import LedgerBuilder, mark
from tests.views.stage_ledgers import phone as phone
from tests.views.stage_tickets import TicketBuilder

#: Accounts beside the world's: account → (organisation, roles).
MORE_ACCOUNTS: dict[str, tuple[str | None, tuple[Role, ...]]] = {
    "dutyb": ("B", (Role.DUTY_LIST_OFFICER,)),
    "unitb": ("B-U1", (Role.UNIT_LIAISON,)),
    "auditorb": ("B", (Role.AUDITOR,)),
    "double": ("A-D1", (Role.DEPARTMENT_HANDLER, Role.UNIT_LIAISON)),
    "blank": (None, ()),
    "zqacAqz": ("A12", (Role.COMMUNITY_STAFF,)),
    "zqacBqz": ("B11", (Role.COMMUNITY_STAFF,)),
}
PEOPLE = [*ACCOUNTS, *(name for name in MORE_ACCOUNTS if not name.startswith("zq"))]


@dataclass
class Stage:
    """The application over a populated SQLite file that can be put back as it was."""

    app: Flask
    path: Path
    #: name → (record type, id)
    records: dict[str, tuple[str, int]] = field(default_factory=dict)
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, int]:
        """Return the ids of a record type's records by name."""
        return {name: pk for name, (each, pk) in self.records.items() if each == kind}

    def id(self, name: str) -> int:
        """Return a record's id."""
        return self.records[name][1]

    def client(self, account: str) -> FlaskClient:
        """Return a client that is logged in as the account."""
        if account not in self.clients:
            self.clients[account] = logger_in(self.app)(account)
        return self.clients[account]

    def session(self) -> Session:
        """Return a guarded session; the caller says for whom."""
        return session_factory(self.app)()

    def keep(self) -> None:
        """Remember the file as it is now."""
        close(self.app)
        shutil.copy(self.path, self._kept)

    def restore(self) -> None:
        """Put the file back as it was."""
        close(self.app)
        for leftover in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(self._kept, self.path)

    @property
    def _kept(self) -> Path:
        return self.path.with_suffix(".kept")


class Watch:
    """Tells whether anybody has committed anything to the stage's database since the last look."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.connection = sqlite3.connect(stage.path)
        self.first = self.seen = self._version()

    def _version(self) -> int:
        version: int = self.connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def written(self) -> bool:
        """Tell whether something was committed since the last call."""
        before, self.seen = self.seen, self._version()
        return before != self.seen

    def touched(self) -> bool:
        """Tell whether something was committed since the stage was last put back."""
        return self.first != self._version()

    def restore(self) -> None:
        """Put the stage back and look afresh."""
        self.connection.close()
        self.stage.restore()
        self.__init__(self.stage)  # type: ignore[misc]

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()


def set_up(backend: Backend, folder: Path) -> Stage:
    """Return a stage over a copy of the freshly seeded world."""
    backend.reset()
    path = folder / "stage.db"
    shutil.copy(backend.url.removeprefix("sqlite:///"), path)
    stage = Stage(make_app(f"sqlite:///{path}", folder), path)
    with stage.session() as session, acting_as(session, SYSTEM):
        _Builder(stage, session).build()
        session.commit()
    stage.keep()
    return stage


class _Builder(LedgerBuilder, TicketBuilder, FollowBuilder):
    def __init__(self, stage: Stage, session: Session) -> None:
        self.stage, self.session, self.world = stage, session, World(session)

    def build(self) -> None:
        self.accounts()
        self.tickets()
        self.agreements()
        self.duty_lists()
        self.batches()
        self.administration()
        self.ledgers()
        self.beside_tickets()
        self.audit()
        self.follow()

    def keep(self, name: str, kind: str, record: Any) -> Any:
        self.session.add(record)
        self.session.flush()
        self.stage.records[name] = (kind, record.id)
        return record

    def accounts(self) -> None:
        roles = {role.name: role for role in self.session.scalars(select(FabRole))}
        secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
        for username, (code, held) in MORE_ACCOUNTS.items():
            account = Account(
                username=username,
                last_name=username,
                first_name="",
                email=f"{username}@example.invalid",
                active=True,
                password=secret,
                organization=self.world.place(code) if code else None,
                roles=[roles[role.value] for role in held],
            )
            self.session.add(account)
            self.session.flush()
            if username.startswith("zq"):
                name = username.removeprefix("zq").removesuffix("qz")
                self.stage.records[name] = ("account", account.id)

    def ticket(self, name: str, place: str, **values: Any) -> Any:
        text = mark(name)
        values |= {
            "title": f"路灯不亮{text}",
            "detail": f"东门{text}",
            "address": f"东街{text}",
            "contact_name": text,
            "contact_phone": text,
        }
        return self.keep(name, "ticket", self.world.draft(place, **values))

    def tickets(self) -> None:
        world, item = self.world, self.world.item("路灯安装与维修")
        self.ticket("d11", "A11")
        for name, place, raiser, reviewer, office, lead, assisting in (
            ("t11", "A11", "community", "township", "office", "A-D1", ["A-D2"]),
            ("t12", "A12", "community2", "township", "office", "A-D3", []),
            ("t21", "A21", "township2", None, "office", "A-D2", []),
            ("tb", "B11", "communityb", "townshipb", "officeb", "B-D1", []),
        ):
            ticket = self.ticket(name, place, duty_item=item if name == "t11" else None)
            world.step(ticket, "raise", raiser)
            while reviewer and ticket.status is TicketStatus.PENDING_REVIEW:
                world.step(ticket, "approve", reviewer, note=f"同意{mark(name)}")
            world.step(
                ticket,
                "dispatch",
                office,
                lead=world.place(lead).id,
                assisting=[world.place(code).id for code in assisting],
                note=f"请速办{mark(name)}",
            )

    def agreements(self) -> None:
        for name, community, unit, in_force in (
            ("g11", "A11", "A-U1", True),
            ("e11", "A11", "A-U2", False),
            ("g12", "A12", "A-U2", True),
            ("g21", "A21", "A-U1", False),
            ("gb", "B11", "B-U1", True),
            ("gx", "A11", "B-U1", True),
        ):
            values: dict[str, Any] = dict.fromkeys(
                ("objectives", "community_promises", "unit_promises", "unit_liaison"), mark(name)
            )
            agreement = self.world.agreement(community, unit, f"协议{mark(name)}", **values)
            self.keep(name, "agreement", agreement)
            if in_force:
                workflow.apply(self.session, agreement, "bring_into_force", SYSTEM)

    def duty_lists(self) -> None:
        for name, item, place, kind, published in (
            ("p1", "ip1", "A1", DutyListType.COORDINATING, True),
            ("l1", "i1", "A1", DutyListType.RECLAIMED, False),
            ("l2", "i2", "A2", DutyListType.RECLAIMED, False),
            ("lc", "ic", "A", DutyListType.CATALOGUE, True),
            ("lb", "ib", "B1", DutyListType.RECLAIMED, False),
        ):
            version = DutyList(
                organization=self.world.place(place),
                list_type=kind,
                number=2,
                title=f"清单{mark(name)}",
                item_count=1,
            )
            self.keep(name, "duty_list", version)
            text = f"事项{mark(item)}"
            department = self.world.place("B-D1" if place.startswith("B") else "A-D1")
            row = DutyItem(
                duty_list=version,
                position=1,
                category=text,
                name=text,
                superior_duty=text,
                departments=[DutyItemDepartment(organization=department)],
            )
            self.keep(item, "duty_item", row)
            workflow.begin(self.session, version, SYSTEM)
            if published:
                workflow.apply(self.session, version, "publish", SYSTEM)

    def batches(self) -> None:
        for name, place, kind in (
            ("b1", "A1", "duty-items"),
            ("b2", "A2", "duty-items"),
            ("bA", "A", "duty-items"),
            ("bB", "B1", "duty-items"),
            ("bO", None, "organizations"),
        ):
            batch = ImportBatch(
                kind=kind,
                organization=self.world.place(place) if place else None,
                file_name=f"{mark(name)}.xlsx",
                file_hash="0" * 64,
                summary=[],
                actor_name=mark(name),
                changes=[
                    ImportChange(
                        record_type="duty_item",
                        record_id=0,
                        row_version=1,
                        title=mark(name),
                        after={"name": mark(name)},
                    )
                ],
            )
            self.keep(name, "import_batch", batch)

    def administration(self) -> None:
        day = CalendarOverride(day=dt.date(2026, 3, 3), working=False, note=mark("c1"))
        self.keep("c1", "calendar_override", day)
        for county in ("A", "B"):
            owner = self.world.place(county).id
            found = self.session.scalars(
                select(Mechanism).where(Mechanism.organization_id == owner)
            ).one()
            self.keep(f"m{county}", "mechanism", found)
        for code in ("A11", "B11"):
            self.keep(f"o{code}", "organization", self.world.place(code))

    def audit(self) -> None:
        """Let somebody of each county write: only what people write has a place in the log."""
        for name, who, agreement in (("xA", "party", "e11"), ("xB", "officeb", "gb")):
            actor = self.world.actor(who)
            entry = AuditEntry(
                record_type="agreement",
                record_id=self.stage.id(agreement),
                record_title=f"协议{mark(name)}",
                action="update",
                changes={"objectives": [mark(name), mark(name)]},
                actor_id=actor.user_id,
                actor_name=actor.name,
                organization_id=actor.organization_id,
                organization_name=actor.organization_name,
            )
            self.keep(name, "audit_entry", entry)
