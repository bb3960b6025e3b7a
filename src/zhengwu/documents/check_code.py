"""Check codes (验真码): random, short, without letters that are mistaken for another."""

from __future__ import annotations

import re
import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U (read as V)
LENGTH = 8
_NOISE = re.compile(r"[\s\-‐‑‒–—―−_]+")


def make() -> str:
    """A new code, grouped for reading: "8F3K-2Q7M" (39 bits from the system's generator)."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{code[:4]}-{code[4:]}"


def read(typed: str) -> str | None:
    """The code somebody typed (any case, width, spacing), or None when it cannot be one."""
    if len(typed) > 64:
        return None
    bare = _NOISE.sub("", unicodedata.normalize("NFKC", typed)).upper()
    if len(bare) != LENGTH or any(letter not in ALPHABET for letter in bare):
        return None
    return f"{bare[:4]}-{bare[4:]}"
