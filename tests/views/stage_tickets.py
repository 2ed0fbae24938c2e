"""What hangs from the stage's tickets, and what people keep for themselves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from models.address import AddressEntry
from models.export_job import ExportJob, ExportState
from models.saved_view import SavedView
from models.ticket import Ticket
from models.ticket_file import PhotoMoment, TicketComment
from rules import photos
from rules.actor import SYSTEM
from tests.factories.world import World
from tests.views.stage_ledgers import mark


class TicketBuilder:
    """Puts photos, words, address books, kept filters and exports on a stage."""

    stage: Any
    session: Session
    world: World

    def keep(self, name: str, kind: str, record: Any) -> Any:
        """Remember a record by its name."""
        raise AssertionError("the stage keeps records")

    def beside_tickets(self) -> None:
        """A photo and a word beside some tickets; an address book, a list and an export each."""
        folder = Path(self.stage.app.config["DATA_DIR"])
        for shade, (photo, word, ticket) in enumerate(
            (("f11", "q11", "t11"), ("f12", "q12", "t12"), ("fb", "qb", "tb"))
        ):
            found = self.session.get_one(Ticket, self.stage.id(ticket))
            picture = photos.prepare(_jpeg(shade), f"{photo}.jpg", folder)
            (kept,) = photos.attach(self.session, found, [picture], PhotoMoment.BEFORE, SYSTEM)
            self.keep(photo, "ticket_photo", kept)
            said = TicketComment(
                ticket=found,
                author_name=mark(word),
                organization_name=mark(word),
                text=mark(word),
            )
            self.keep(word, "ticket_comment", said)
        for name, place in (("h11", "A11"), ("h12", "A12"), ("hb", "B11")):
            entry = AddressEntry(community=self.world.place(place), name=f"东门{mark(name)}")
            self.keep(name, "address_entry", entry)
        for view, job, account in (("u11", "z11", "community"), ("ub", "zb", "communityb")):
            owner = self.world.account(account).id
            kept_list = SavedView(
                account_id=owner, view="TicketView", name=mark(view), query="tab=open"
            )
            self.keep(view, "saved_view", kept_list)
            # Its file has been cleared away since.
            export = ExportJob(
                account_id=owner,
                view="TicketView",
                state=ExportState.DONE,
                rows=1,
                file_name=f"{mark(job)}.xlsx",
                file_hash="0" * 64,
            )
            self.keep(job, "export_job", export)


def _jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 90, 90)).save(file, "JPEG")
    return file.getvalue()
