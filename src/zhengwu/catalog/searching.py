"""The words by which an item is found (查找用字): its name, its codes, initials, everyday words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from zhengwu.domain import bigrams


@dataclass(frozen=True, slots=True)
class Words:
    """needle: the folded text that a find is checked against; vector: its bigrams, for the index."""

    needle: str
    vector: str


@lru_cache(maxsize=16384)
def initials(name: str) -> str:
    """食品经营许可（新办） → spjyxkxb: the first letter of every syllable, of other words all."""
    from pypinyin import Style, lazy_pinyin  # its tables take half a second: only who needs them

    letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()
    return "".join(c for c in letters if c.isascii() and c.isalnum())


@lru_cache(maxsize=4096)
def words(name: str, *more: str) -> Words:
    """All that an item of this name can be found by."""
    text = "\n".join([name, *more, initials(name)])
    return Words(bigrams.fold(text), bigrams.vector(text))
