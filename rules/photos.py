"""Photos of tickets: judged by their bytes, re-encoded upright, without what the camera wrote into them."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import filetype
from PIL import Image, ImageOps
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket_file import PhotoMoment, TicketPhoto
from rules.actor import Actor
from rules.attachments import clean_name, keep, size_text
from rules.errors import Invalid
from rules.scans import what_is

#: Bytes of one photo as it comes, and photos of one moment of a ticket.
LARGEST = 15 << 20
MOST = 10
#: Pixels of the longest side of what is kept, and of its thumbnail.
SIDE, THUMB_SIDE = 1920, 320
#: Pixels that may be unpacked. A JPEG is read at a fraction of its size, the others whole.
PIXELS = {"JPEG": 64_000_000, "MPO": 64_000_000, "PNG": 36_000_000, "WEBP": 36_000_000}
ACCEPTED = "JPEG、PNG、WebP"
_NAMELESS = "照片"
#: What phones make that is not read here, and what to do about it.
_PHONES_OWN = {
    "heic": "HEIC",
    "heif": "HEIC",
    "avif": "AVIF",
}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
# Each photo takes up to 150 MB while it is read: not as many at once as there are threads.
_AT_ONCE = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Picture:
    """A photo made ready: SHA-256 of the JPEG kept and of its thumbnail, pixels, and bytes."""

    file_hash: str
    thumb_hash: str
    width: int
    height: int
    size: int


def prepare(content: bytes, name: str, data_dir: Path) -> Picture:
    """Make a photo ready to be attached: a JPEG of at most 1920 pixels a side, and a thumbnail.

    Its bytes say what it is, not its name. Nothing that the camera wrote into it (place, time,
    device, preview, comments, colour profile) is kept. Both files lie in the data directory under
    their hash; what no row names does no harm. Raises ``Invalid``, naming the file.
    """
    called = clean_name(name, _NAMELESS)
    if not content:
        raise Invalid(f"照片“{called}”是空文件，请重新选择。")
    if len(content) > LARGEST:
        raise Invalid(
            f"照片“{called}”超过 {size_text(LARGEST)}，请把相机的照片尺寸调小，或截图后再上传。"
        )
    with _AT_ONCE:
        picture = _read(content, called)
    full = _jpeg(picture, 85)
    picture.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    with Image.open(io.BytesIO(full)) as kept:
        width, height = kept.size
    return Picture(
        file_hash=keep(full, data_dir),
        thumb_hash=keep(_jpeg(picture, 80), data_dir),
        width=width,
        height=height,
        size=len(full),
    )


def attach(
    session: Session,
    ticket: Ticket,
    pictures: Sequence[Picture],
    moment: PhotoMoment,
    actor: Actor,
    step: int | None = None,
) -> list[TicketPhoto]:
    """Attach photos to a ticket that has its id: all that are new to it, or none. Never commits.

    ``step`` is the sequence of the event that they came with. A photo that the ticket has from the
    same moment is left as it is; one that it has from another moment is refused, for then it does
    not show what it is to show. Raises ``Invalid``, also if there would be more than ten of a moment.
    """
    known = {
        each.file_hash: each
        for each in session.scalars(select(TicketPhoto).where(TicketPhoto.ticket_id == ticket.id))
    }
    fresh = {each.file_hash: each for each in pictures if each.file_hash not in known}
    for each in pictures:
        old = known.get(each.file_hash)
        if old is not None and old.moment is not moment:
            raise Invalid(
                f"有一张照片与“{old.moment.title}”的照片完全相同，请换成“{moment.title}”拍摄的照片。"
            )
    there = sum(each.moment is moment for each in known.values())
    if there + len(fresh) > MOST:
        already = f"已有 {there} 张，" if there else ""
        raise Invalid(
            f"“{moment.title}”的照片最多 {MOST} 张，{already}这次又选了 {len(fresh)} 张，"
            "请删去多余的再提交。"
        )
    added = [
        TicketPhoto(
            ticket_id=ticket.id,
            moment=moment,
            step=step,
            file_hash=each.file_hash,
            thumb_hash=each.thumb_hash,
            width=each.width,
            height=each.height,
            size=each.size,
            uploaded_by=actor.name[:100],
            organization_name=actor.organization_name[:100],
        )
        for each in fresh.values()
    ]
    session.add_all(added)
    return added


def _read(content: bytes, called: str) -> Image.Image:
    """Return the pixels alone, upright, in RGB, no side longer than is kept."""
    found = filetype.guess(content)
    ending = found.extension if found else ""
    if ending not in ("jpg", "png", "webp"):
        raise Invalid(_no_photo(content, ending, called))
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.width * opened.height > PIXELS.get(opened.format or "", 0):
                raise Image.DecompressionBombError
            # Read before the pixels are: shrinking forgets it in some formats.
            upside = opened.getexif().get(0x0112)
            opened.draft("RGB", (SIDE, SIDE))
            opened.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            turned = _upright(opened, upside)
            return _flat(turned)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Invalid(
            f"照片“{called}”的像素过多，请把相机的照片尺寸调小，或截图后再上传。"
        ) from None
    except Exception:  # a parser of foreign bytes fails in ways that it does not name
        raise Invalid(f"照片“{called}”已损坏，打不开，请重新拍摄或重新选择。") from None


def _upright(picture: Image.Image, orientation: int | None) -> Image.Image:
    """Turn a photo as the camera was held; a mark that makes no sense turns nothing."""
    with contextlib.suppress(Exception):
        if orientation in range(2, 9):
            picture.getexif()[0x0112] = orientation
            return ImageOps.exif_transpose(picture)
    return picture


def _flat(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB that knows nothing but its pixels; what is clear becomes white."""
    flat = Image.new("RGB", picture.size, "white")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        flat.paste(seen, mask=seen.getchannel("A"))
    else:
        flat.paste(picture.convert("RGB"))
    return flat


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def _no_photo(content: bytes, ending: str, called: str) -> str:
    """Return the sentence for what is no photo that can be read."""
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    own = _PHONES_OWN.get(ending) or ("HEIC" if brand in _HEIC_BRANDS else "")
    if own:
        return (
            f"照片“{called}”是 {own} 格式，这里打不开。请在手机的相机设置里把照片格式改为 JPEG"
            "（苹果手机：设置－相机－格式－兼容性最佳）再拍，或把它截图后上传。"
        )
    _kind, really = what_is(content)
    return f"“{called}”不是照片，内容是{really}；只能上传 {ACCEPTED} 格式的照片。"
