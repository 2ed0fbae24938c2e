"""Names as they are compared: workbooks write one name in several ways."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=4096)
def name_key(text: str) -> str:
    """Return a name as it is compared: no blanks, one width, one case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
