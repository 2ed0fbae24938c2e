"""Keeping the imported files: each is stored once, under its hash, beside the database."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(path: Path, folder: Path, digest: str) -> str:
    """Copy a file into the archive folder and return the name it has there.

    The name is its hash, so that what a person calls a file never becomes a path. A copy is put in
    place in one step: a batch never points at half a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{digest}{_suffix(path)}"
    target = folder / name
    if not target.exists():
        handle, temporary = tempfile.mkstemp(dir=folder)
        os.close(handle)
        try:
            shutil.copyfile(path, temporary)
            Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)
    return name


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in (".xlsx", ".xlsm", ".xls", ".et", ".ods", ".csv") else ".bin"
