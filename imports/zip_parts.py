"""The parts of a workbook's zip as streams of bytes, for the reading process only.

The directory has been read by the probe; ``zipfile`` itself would cost as much as everything else
that this process loads; so would ``pathlib``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

_STORED = 0
_READ = 1 << 16
_CHUNK = 1 << 18
_LOCAL_HEADER = 30


class ExpandsTooFar(Exception):
    """A part holds more bytes than the limit, whatever its entry says."""


class ZipParts:
    """The parts of one zip, by name; each value says where it lies (``imports.probe.Part``)."""

    def __init__(self, path: str, parts: dict[str, Sequence[int]], limit: int) -> None:
        self.path = path
        self.parts = parts
        self.limit = limit

    def chunks(self, name: str) -> Iterator[bytes]:
        """Expand a part bit by bit; raise ``zlib.error``, ``OSError`` or ``ExpandsTooFar``."""
        offset, left, method = self.parts[name]
        total = 0
        with open(self.path, "rb") as file:
            file.seek(offset)
            header = file.read(_LOCAL_HEADER)
            if len(header) < _LOCAL_HEADER:
                raise zlib.error("no local header")
            file.seek(sum(struct.unpack_from("<HH", header, 26)), 1)
            inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            while left > 0 and (block := file.read(min(left, _READ))):
                left -= len(block)
                for chunk in [block] if method == _STORED else _inflate(inflater, block):
                    total += len(chunk)
                    if total > self.limit:
                        raise ExpandsTooFar
                    yield chunk


def _inflate(inflater: zlib._Decompress, block: bytes) -> Iterator[bytes]:
    """Expand a block without ever holding more than one chunk of what it becomes."""
    while block:
        chunk = inflater.decompress(block, _CHUNK)
        block = inflater.unconsumed_tail
        if chunk:
            yield chunk
        elif inflater.eof:
            return
