"""Search by pairs of characters (二元切分): what is looked up, and what is kept to be found.

Words of Chinese are not told apart by spaces, and every segmentation misses some; so a text is kept
as the overlapping pairs of its characters. Whatever stands in it, from one character on, is found;
what has all the pairs but not in one piece is sorted out afterwards (`matches`).

    vector("《取水许可证》核发")  '取水' '水许' '许可' '可证' '证' '核发' '发'
    query("取水 许可证")          '取水' & '许可' & '可证'
    query("张 护照")              '张':* & '护照'
"""

from __future__ import annotations

import re
import unicodedata

from zhengwu.domain.identifiers.names import DOTS

# Planes 2 and 3 are set aside for ideographs; Python's tables end before the youngest extensions.
# Radicals and strokes count as symbols in Unicode; people write them where a character is missing,
# as they do with the private use area (政务系统 of the GBK years).
HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u31c0-\u31e3\u3400-\u4dbf\u4e00-\u9fff"
    "\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
)
# 买买提·艾合买提 is written with many dots, the full stop among them, and with none.
_NAME_DOT = re.compile(rf"(?<=[{HAN}])\s*[{DOTS}.]\s*(?=[{HAN}])")
# They change how a character looks or where a line ends, not which character it is.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# Letters and digits of any script are \w; what else belongs to a word is seen one by one.
_OTHER = re.compile(rf"[^\w\s{HAN}]|_")


def _mark_or_space(other: re.Match[str]) -> str:
    return other[0] if unicodedata.category(other[0])[0] in "LMN" else " "


def fold(text: str) -> str:
    """One writing for what is read as the same: half width, lower case, runs of letters, digits and
    Han with one space between them. No Han character of any plane is lost.
    """
    lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", lower))
    return " ".join(_OTHER.sub(_mark_or_space, _NAME_DOT.sub("", seen)).split())


def pairs(run: str) -> list[str]:
    """The overlapping pairs of one run; of one character that character."""
    return [run[n : n + 2] for n in range(len(run) - 1)] or [run]


def tokens(text: str) -> list[str]:
    """The pairs of every run, in order."""
    return [pair for run in fold(text).split() for pair in pairs(run)]


def lexeme(token: str) -> str:
    """A token as PostgreSQL reads it in a tsvector or a tsquery."""
    escaped = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def vector(text: str) -> str:
    """The text for `%s::tsvector`, each token once, without positions.

    The last character of a run begins no pair; it is kept by itself, so that a search for one
    character finds it as well.
    """
    runs = fold(text).split()
    kept = dict.fromkeys(token for run in runs for token in (*pairs(run), run[-1]))
    return " ".join(map(lexeme, kept))


def query(text: str) -> str | None:
    """The text for `%s::tsquery`: all pairs of all words; None where nothing is searchable."""
    asked = [
        lexeme(pair) + (":*" if len(pair) == 1 else "")  # what begins with this character
        for pair in tokens(text)
    ]
    return " & ".join(dict.fromkeys(asked)) or None


def matches(haystack: str, needle: str) -> bool:
    """Whether every word of the needle stands in the haystack in one piece; of no word, no."""
    words, text = fold(needle).split(), fold(haystack)
    return bool(words) and all(word in text for word in words)
