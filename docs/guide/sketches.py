"""Drawings in place of photographs: a street at night, with its lamp out and with its lamp lit."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import FilePayload

SIZE = (1200, 900)
GROUND = 640
#: How high the lamp hangs: pages show the middle of a picture.
HEAD = 330


def night(name: str, *, lit: bool, shift: int = 0) -> FilePayload:
    """Return a JPEG of the street, seen from ``shift`` pixels further to the right."""
    canvas = Image.new("RGB", SIZE, (28, 36, 58))
    draw = ImageDraw.Draw(canvas)
    for top in range(GROUND):
        glow = 26 * top // GROUND
        draw.line([(0, top), (SIZE[0], top)], fill=(28 + glow, 36 + glow, 58 + glow))
    for at, (corner, height) in enumerate(
        ((40, 300), (300, 380), (560, 250), (860, 340), (1120, 280))
    ):
        left = corner - shift
        shade = 44 + 6 * (at % 3)
        draw.rectangle((left, GROUND - height, left + 230, GROUND), fill=(shade, shade, shade + 14))
        for row in range(GROUND - height + 30, GROUND - 40, 62):
            for column in range(left + 24, left + 200, 60):
                warm = (row // 62 + column // 60 + at) % 4 == 0
                colour = (196, 164, 92) if warm else (58, 62, 84)
                draw.rectangle((column, row, column + 30, row + 34), fill=colour)
    draw.rectangle((0, GROUND, SIZE[0], SIZE[1]), fill=(48, 48, 54))
    draw.polygon([(0, 900), (0, 820), (1200, 700), (1200, 900)], fill=(66, 66, 72))
    return _jpeg(name, _lamp(canvas, 640 - shift, lit=lit))


def _lamp(canvas: Image.Image, at: int, *, lit: bool) -> Image.Image:
    if lit:
        light = Image.new("RGB", SIZE)
        cone = [(at + 95, HEAD), (at - 150, 820), (at + 340, 820)]
        ImageDraw.Draw(light).polygon(cone, fill=(150, 128, 70))
        ImageDraw.Draw(light).ellipse((at, HEAD - 80, at + 190, HEAD + 80), fill=(255, 226, 150))
        soft = light.filter(ImageFilter.GaussianBlur(46))
        canvas = Image.blend(canvas, Image.composite(soft, canvas, soft.convert("L")), 0.85)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((at - 9, HEAD - 20, at + 9, 780), fill=(112, 116, 124))
    draw.line([(at, HEAD - 14), (at + 100, HEAD - 30)], fill=(112, 116, 124), width=14)
    draw.ellipse(
        (at + 55, HEAD - 42, at + 140, HEAD + 4), fill=(255, 240, 190) if lit else (88, 90, 96)
    )
    return canvas


def _jpeg(name: str, canvas: Image.Image) -> FilePayload:
    file = io.BytesIO()
    canvas.save(file, "JPEG", quality=85)
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}
