"""Photos as phones and cameras make them."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

#: What the photo of ``with_gps`` gives away.
GPS_WORDS = (b"SecretPhone 15", b"2026:01:02 03:04:05", b"comment of the camera", b"<x:xmpmeta")


def photo(
    colour: str | tuple[int, int, int] = "teal",
    size: tuple[int, int] = (60, 40),
    kind: str = "JPEG",
) -> bytes:
    """Return a photo of one colour; ``kind`` is a format that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def with_gps(size: tuple[int, int] = (400, 300)) -> bytes:
    """Return a JPEG with place, time, device, comment, XMP and colour profile, lying on its side."""
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 15"
    exif[0x0112] = 6
    exif[0x0132] = "2026:01:02 03:04:05"
    exif[0x8825] = {1: "N", 2: (38.0, 29.0, 14.0), 3: "E", 4: (106.0, 13.0, 51.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(
        file,
        "JPEG",
        exif=exif,
        icc_profile=profile,
        comment=b"comment of the camera",
        xmp=b'<x:xmpmeta xmlns:x="adobe:ns:meta/">GPS</x:xmpmeta>',
    )
    return file.getvalue()
