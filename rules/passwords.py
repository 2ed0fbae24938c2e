"""What a password must be, and the hash that is stored in its place."""

from __future__ import annotations

import re

from werkzeug.security import generate_password_hash

from rules.errors import Invalid

WEAK = "密码至少 10 位，并且同时含有字母和数字。"


def hashed(password: str, method: str = "scrypt") -> str:
    """Return the hash to store; raises ``Invalid`` for a weak password.

    ``method`` is werkzeug's name of a hash method.
    """
    if len(password) < 10 or not re.search(r"[A-Za-z]", password) or not re.search(r"\d", password):
        raise Invalid(WEAK, password=WEAK)
    return generate_password_hash(password, method=method)
