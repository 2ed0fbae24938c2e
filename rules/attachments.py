"""Attached files: their bytes are kept once under their SHA-256, whatever people call them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from pathlib import Path

#: The folder of the data directory that holds them.
FOLDER = "attachments"
#: What a name may keep of itself; the column holds 255.
_LONGEST = 120


def keep(content: bytes, data_dir: Path) -> str:
    """Keep the bytes in the data directory and return their SHA-256 as 64 hex digits.

    They are put in place in one step, and before any row names them: a row never points at half a
    file, and a file that no row names does no harm.
    """
    digest = hashlib.sha256(content).hexdigest()
    target = path_of(digest, data_dir)
    if target.is_file() and target.stat().st_size == len(content):
        return digest
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return digest


def path_of(digest: str, data_dir: Path) -> Path:
    """Return where the bytes of a SHA-256 lie; ``ValueError`` for what is no such hash."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"not a SHA-256: {digest!r}")
    return data_dir / FOLDER / digest


def clean_name(name: str, otherwise: str) -> str:
    """Return a file's name as it may be shown and sent: no folders, no invisible characters.

    ``otherwise`` is what a file without any name is called. Never longer than 120 characters; the
    ending stays.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(
        each for each in unicodedata.normalize("NFC", last) if unicodedata.category(each)[0] != "C"
    )
    shown = shown.strip(" .")
    if not shown:
        return otherwise
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending) > 10:
        return shown[:_LONGEST]
    return f"{stem[: _LONGEST - len(ending) - 1]}.{ending}"


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: "820 KB", "1.4 MB"."""
    if size < 1 << 20:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / (1 << 20):.1f} MB"
