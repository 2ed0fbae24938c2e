"""Photos that come with a step: their hashes stand in its event, and they name its number."""

from __future__ import annotations

from models.ticket_file import PhotoMoment
from rules import photos
from rules.step_inputs import Input
from rules.workflow import Context, Step

MOMENTS = {
    "enter_paper": PhotoMoment.BEFORE,
    "arrive": PhotoMoment.ON_SITE,
    "assist_arrive": PhotoMoment.ON_SITE,
    "report_result": PhotoMoment.AFTER,
    "assist_report": PhotoMoment.AFTER,
    "solve_locally": PhotoMoment.AFTER,
}
PHOTOS = Input("photos", "照片", "photos", required=False, help="每个阶段最多 10 张。")


def note(context: Context) -> None:
    """Write the photos' hashes into the event that is about to be written."""
    if context.data.get("photos"):
        context.log["photos"] = [each.file_hash for each in context.data["photos"]]


def attach(context: Context, step: Step) -> None:
    """Attach the photos, naming the event that has just been written."""
    pictures = context.data.get("photos")
    if pictures and step.action in MOMENTS:
        moment = MOMENTS[step.action]
        photos.attach(
            context.session, context.record, pictures, moment, context.actor, context.sequence
        )
