"""Photos are judged by their bytes, turned upright, stripped of all they tell, and counted."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket_file import PhotoMoment, TicketPhoto
from rules import photos
from rules.actor import acting_as
from rules.attachments import path_of
from rules.errors import Invalid, OutOfScope
from rules.photos import MOST, Picture, attach, prepare
from tests.factories.files import PDF, huge_png, picture
from tests.factories.photos import GPS_WORDS, photo, with_gps
from tests.factories.world import World


def kept(found: Picture, folder: Path) -> Image.Image:
    """Return the photo as it is kept."""
    return Image.open(path_of(found.file_hash, folder))


def thumb(found: Picture, folder: Path) -> Image.Image:
    """Return the thumbnail as it is kept."""
    return Image.open(path_of(found.thumb_hash, folder))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_kind_becomes_a_jpeg_of_the_size_kept(kind: str, tmp_path: Path) -> None:
    found = prepare(photo(size=(3000, 1500), kind=kind), f"现场.{kind.lower()}", tmp_path)
    with kept(found, tmp_path) as full, thumb(found, tmp_path) as small:
        assert (full.format, full.size, small.format, small.size) == (
            "JPEG",
            (1920, 960),
            "JPEG",
            (320, 160),
        )
    assert (found.width, found.height) == (1920, 960)
    assert found.size == path_of(found.file_hash, tmp_path).stat().st_size


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    """Phones name WebP files .jpg, and cameras write .JPG or nothing at all."""
    for name in ("a.jpg", "a.txt", "", "../../etc/passwd"):
        assert prepare(photo(kind="WEBP"), name, tmp_path).width == 60
    assert {each.name for each in tmp_path.iterdir()} == {"attachments"}


def test_a_small_photo_is_not_blown_up(tmp_path: Path) -> None:
    found = prepare(photo(size=(200, 100)), "小.jpg", tmp_path)
    with thumb(found, tmp_path) as small:
        assert ((found.width, found.height), small.size) == ((200, 100), (200, 100))


@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [
        (1, (60, 40), (0, 0)),
        (3, (60, 40), (59, 39)),
        (6, (40, 60), (39, 0)),
        (8, (40, 60), (0, 59)),
        (99, (60, 40), (0, 0)),
    ],
)
def test_upright_as_the_camera_was_held(
    orientation: int, size: tuple[int, int], corner: tuple[int, int], tmp_path: Path
) -> None:
    """The red corner is where a person sees it."""
    made = Image.new("RGB", (60, 40), "white")
    made.paste("red", (0, 0, 12, 12))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    made.save(file, "JPEG", exif=exif, quality=95)
    with kept(prepare(file.getvalue(), "a.jpg", tmp_path), tmp_path) as full:
        assert full.size == size
        red, green, blue = full.convert("RGB").getpixel(corner)  # type: ignore[misc]
        assert red > 200
        assert green < 80
        assert blue < 80


def test_nothing_that_the_camera_wrote_is_kept(tmp_path: Path) -> None:
    """Place, time, device, preview, comment, XMP and colour profile: what comes in goes nowhere."""
    content = with_gps()
    with Image.open(io.BytesIO(content)) as came:
        assert came.getexif().get_ifd(0x8825)
        assert came.info["icc_profile"]
    for words in GPS_WORDS:
        assert words in content
    found = prepare(content, "IMG_0001.jpg", tmp_path)
    for digest in (found.file_hash, found.thumb_hash):
        stored = path_of(digest, tmp_path).read_bytes()
        with Image.open(io.BytesIO(stored)) as full:
            assert dict(full.getexif()) == {}
            assert set(full.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        for words in (*GPS_WORDS, b"Exif", b"ICC_PROFILE", b"ns.adobe.com"):
            assert words not in stored


def test_a_png_tells_nothing_either(tmp_path: Path) -> None:
    words, file = PngInfo(), io.BytesIO()
    words.add_text("Location", "home of Zhang San")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(
        file, "PNG", pnginfo=words, icc_profile=profile
    )
    found = prepare(file.getvalue(), "a.png", tmp_path)
    stored = path_of(found.file_hash, tmp_path).read_bytes()
    assert b"Zhang San" not in stored
    assert b"ICC_PROFILE" not in stored
    with kept(found, tmp_path) as full:
        assert min(full.getpixel((25, 25))) > 250  # type: ignore[arg-type]


def bomb(kind: str) -> bytes:
    """Return a picture of few bytes with more pixels than are unpacked."""
    if kind == "PNG":
        return huge_png()
    if kind == "png of a few megabytes":
        return huge_png(8000, 8000)
    content = photo()
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", 65500, 65500) + content[at + 4 :]


@pytest.mark.parametrize("kind", ["PNG", "png of a few megabytes", "JPEG"])
def test_bombs_are_refused_unopened(kind: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"照片“炸\.jpg”的像素过多"):
        prepare(bomb(kind), "炸.jpg", tmp_path)
    assert not list(tmp_path.iterdir())


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "照片“现场.jpg”是空文件"),
        (HEIC, "照片“现场.jpg”是 HEIC 格式，这里打不开。请在手机的相机设置里把照片格式改为 JPEG"),
        (PDF, "“现场.jpg”不是照片，内容是PDF 文档"),
        (picture("GIF"), "“现场.jpg”不是照片，内容是GIF 图片"),
        (b"<svg xmlns='x' onload='alert(1)'/>", "“现场.jpg”不是照片，内容是网页或 XML 文本"),
        (photo()[:300], "照片“现场.jpg”已损坏"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 200, "照片“现场.jpg”已损坏"),
    ],
)
def test_what_is_refused_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        prepare(content, "C:\\照片\\现场.jpg", tmp_path)
    assert said in refusal.value.message
    assert not list(tmp_path.iterdir())


def test_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = photo()
    monkeypatch.setattr(photos, "LARGEST", len(content) - 1)
    with pytest.raises(Invalid, match=r"照片“大\.jpg”超过"):
        prepare(content, "大.jpg", tmp_path)
    monkeypatch.setattr(photos, "LARGEST", len(content))
    assert prepare(content, "大.jpg", tmp_path).width == 60


def pictures(number: int, first: int = 0) -> list[Picture]:
    """Return photos as they are after they were prepared."""
    return [
        Picture(f"{each:064x}", f"{each + 5000:064x}", 10, 10, 100)
        for each in range(first, first + number)
    ]


def test_ten_of_each_moment(one_session: Session, one_world: World) -> None:
    ticket, actor = one_world.draft(), one_world.actor("community")
    with acting_as(one_session, actor):
        assert len(attach(one_session, ticket, pictures(6), PhotoMoment.BEFORE, actor)) == 6
        one_session.flush()
        with pytest.raises(Invalid, match="最多 10 张，已有 6 张，这次又选了 5 张"):
            attach(one_session, ticket, pictures(5, 6), PhotoMoment.BEFORE, actor)
        # Those that are there already take no room.
        added = attach(one_session, ticket, pictures(MOST), PhotoMoment.BEFORE, actor, step=3)
        one_session.flush()
        assert len(added) == 4
        assert {each.step for each in added} == {3}
        assert (added[0].uploaded_by, added[0].organization_name) == (actor.name, "甲一一社区")
        attach(one_session, ticket, pictures(MOST, 100), PhotoMoment.AFTER, actor)
        one_session.flush()
    found = one_session.scalars(select(TicketPhoto.moment)).all()
    assert [found.count(each) for each in PhotoMoment] == [10, 0, 10]


def test_a_photo_of_before_is_no_photo_of_after(one_session: Session, one_world: World) -> None:
    ticket, actor = one_world.draft(), one_world.actor("community")
    with acting_as(one_session, actor):
        twice = [*pictures(1), *pictures(1)]
        assert len(attach(one_session, ticket, twice, PhotoMoment.BEFORE, actor)) == 1
        one_session.flush()
        with pytest.raises(Invalid, match="与“吹哨时”的照片完全相同"):
            attach(one_session, ticket, pictures(2), PhotoMoment.AFTER, actor)


def test_nobody_attaches_to_a_ticket_out_of_reach(one_session: Session, one_world: World) -> None:
    ticket, actor = one_world.draft(), one_world.actor("communityb")
    with acting_as(one_session, actor):
        attach(one_session, ticket, pictures(1), PhotoMoment.BEFORE, actor)
        with pytest.raises(OutOfScope):
            one_session.flush()
    one_session.rollback()
