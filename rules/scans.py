"""Scans of signed agreements: what may be attached, judged by the bytes and not by the name."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import filetype
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.scan import AgreementScan, ScanKind
from rules.actor import Actor
from rules.attachments import clean_name, keep, size_text
from rules.errors import Conflict, Invalid
from rules.word_files import NotAWordFile, parts_of

#: Bytes of one file, and files of one agreement.
LARGEST = 20 << 20
MOST = 20
#: The endings that a name may have, and what the content must then be.
ENDINGS = {
    "pdf": ScanKind.PDF,
    "jpg": ScanKind.JPEG,
    "jpeg": ScanKind.JPEG,
    "png": ScanKind.PNG,
    "docx": ScanKind.DOCX,
}
ACCEPTED = "pdf、jpg、png、docx"
_NAMELESS = "扫描件"
#: What else people try to attach, by the ending that its signature goes with.
_OTHERS = {
    "gif": "GIF 图片",
    "bmp": "BMP 图片",
    "tif": "TIFF 图片",
    "webp": "WebP 图片",
    "heic": "HEIC 图片",
    "avif": "AVIF 图片",
    "zip": "压缩文件",
    "rar": "压缩文件",
    "7z": "压缩文件",
    "gz": "压缩文件",
    "doc": "旧版 Word 文档（doc）",
    "xls": "旧版 Excel 工作簿（xls）",
    "ppt": "旧版 PPT 演示文稿（ppt）",
    "exe": "程序",
    "elf": "程序",
    "mp3": "录音",
    "mp4": "视频",
    "mov": "视频",
    "avi": "视频",
    "rtf": "RTF 文档",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Pillow only warns of pictures that are large enough to fill the memory: here it is a refusal.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def attach(
    session: Session,
    agreement: Agreement,
    files: Sequence[tuple[str, bytes]],
    actor: Actor,
    data_dir: Path,
) -> list[AgreementScan]:
    """Attach files, (name, content) each, to an agreement: all of them, or none.

    Whatever its status: the signed paper comes after the signing. Raises ``Invalid`` with a
    sentence for each file that is refused, ``Conflict`` if there would be too many. Never commits.
    """
    query = select(AgreementScan).where(AgreementScan.agreement_id == agreement.id)
    known = {scan.file_hash: scan.file_name for scan in session.scalars(query)}
    if len(known) + len(files) > MOST:
        raise Conflict(
            f"每份协议最多 {MOST} 个扫描件，已有 {len(known)} 个，这次又选了 {len(files)} 个，没有上传。"
            "请删去不用的，或合并成一个 PDF 再上传。"
        )
    added, problems = [], []
    for given, content in files:
        name = clean_name(given, _NAMELESS)
        try:
            kind = kind_of(name, content)
        except Invalid as refusal:
            problems.append(refusal.message)
            continue
        digest = keep(content, data_dir)
        if digest in known:
            problems.append(f"“{name}”与“{known[digest]}”内容相同，不必再传。")
            continue
        known[digest] = name
        added.append(
            AgreementScan(
                agreement_id=agreement.id,
                file_name=name,
                kind=kind,
                size=len(content),
                file_hash=digest,
                uploaded_by=actor.name[:100],
            )
        )
    if problems:
        raise Invalid("没有上传。" + "".join(problems))
    session.add_all(added)
    return added


def kind_of(name: str, content: bytes) -> ScanKind:
    """Return what a file is; raises ``Invalid`` naming it, what it is called and what it is."""
    if not content:
        raise Invalid(f"“{name}”是空文件，请重新选择。")
    if len(content) > LARGEST:
        raise Invalid(
            f"“{name}”超过 {size_text(LARGEST)}，请降低扫描的分辨率，或拆成几个文件再上传。"
        )
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    kind, really = what_is(content)
    if ending not in ENDINGS:
        called = f"后缀是“{ending}”" if ending else "没有后缀"
        raise Invalid(f"“{name}”{called}，内容是{really}；只能上传 {ACCEPTED}。")
    if kind is not ENDINGS[ending]:
        raise Invalid(
            f"“{name}”的后缀是“{ending}”，内容却是{really}。"
            f"请换成真正的{ENDINGS[ending].title}，或改正文件名后再上传。"
        )
    return kind


def what_is(content: bytes) -> tuple[ScanKind | None, str]:
    """Return what the bytes are: a kind that is accepted, if it is one, and its name."""
    found = filetype.guess(content)
    ending = found.extension if found else ""
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    if ending in ("jpg", "png"):
        return _picture(content, ENDINGS[ending])
    if content.startswith(b"PK\x03\x04"):
        try:
            parts_of(content)
        except NotAWordFile as error:
            return None, str(error)
        return ScanKind.DOCX, ScanKind.DOCX.title
    if content.startswith(_OLE):
        return None, _OTHERS.get(ending, "旧版 Office 文档或加了密码的文档")
    return None, _OTHERS.get(ending) or _plain(content)


def _pdf(content: bytes) -> tuple[ScanKind | None, str]:
    # Scanners leave blanks and nulls behind the mark.
    if b"%%EOF" not in content.rstrip(b"\x00\t\r\n ")[-1024:]:
        return None, "不完整的 PDF 文档（没有结束标记）"
    return ScanKind.PDF, ScanKind.PDF.title


def _picture(content: bytes, kind: ScanKind) -> tuple[ScanKind | None, str]:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            picture.verify()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None, f"像素过多的{kind.title}"
    except Exception:  # a parser of foreign bytes fails in ways that it does not name
        return None, f"已损坏的{kind.title}"
    return kind, kind.title


def _plain(content: bytes) -> str:
    start = content[:4096].lstrip(b"\xef\xbb\xbf\t\r\n ").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<script", b"<svg", b"<?xml")):
        return "网页或 XML 文本"
    if b"\x00" in content[:4096]:
        return "无法识别的文件"
    for encoding in ("utf-8", "gb18030"):
        try:
            content[:65536].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(content[:65536]) - 4:
                continue
        return "文本文件"
    return "无法识别的文件"
