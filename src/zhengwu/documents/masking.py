"""Names as strangers may see them (脱敏): 李*梅, 江城**公司."""

from __future__ import annotations

import unicodedata


def _letters(name: str) -> list[str]:
    """The name's letters, marks and variation selectors kept with their base."""
    letters: list[str] = []
    for char in name.strip():
        if letters and (unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Cf")):
            letters[-1] += char
        else:
            letters.append(char)
    return letters


def person(name: str) -> str:
    """李梅 → 李*, 李小梅 → 李*梅; a name of one letter is hidden whole."""
    letters = _letters(name)
    if len(letters) < 2:
        return "*"
    if len(letters) == 2:
        return letters[0] + "*"
    return letters[0] + "*" * min(len(letters) - 2, 4) + letters[-1]


def organisation(name: str) -> str:
    """江城味道餐饮管理有限公司 → 江城**公司; a short name keeps its first letter only."""
    letters = _letters(name)
    if len(letters) <= 4:
        return (letters[0] if letters else "") + "**"
    return "".join(letters[:2]) + "**" + "".join(letters[-2:])
