"""The difference of two texts, line by line and word by word (差别), for the eye of the reviewer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# A run of digits, of letters, or one other character: Chinese has no spaces between words.
_WORD = re.compile(r"\d+|[A-Za-z]+|\s+|.", re.DOTALL)
ALIKE = 0.5  # below it two lines have nothing to do with each other
MOST = 400  # words of a line that are compared; more are shown as a whole
PAIRS = 400  # pairs of lines that are compared; of more only those in the same place


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line. mark: whether it is only on this side."""

    text: str
    mark: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line. what: same | gone | new."""

    what: str
    pieces: tuple[Piece, ...]


def lines(before: str, after: str) -> tuple[Line, ...]:
    """What goes and what comes; a line that only changed a little shows which words."""
    old, new = before.split("\n") if before else [], after.split("\n") if after else []
    made: list[Line] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            made += [_whole("same", one) for one in old[i1:i2]]
        else:
            made += _replaced(old[i1:i2], new[j1:j2])
    return tuple(made)


def _whole(what: str, text: str) -> Line:
    return Line(what, (Piece(text, False),))


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines that belong together stand together, the others for themselves."""
    if len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _pair(one, other)
        return
    left = list(new)
    if len(old) * len(new) > PAIRS:
        yield from (_whole("gone", one) for one in old)
        old = ()
    for one in old:
        ours = _WORD.findall(one)
        best = max(left, key=lambda other: _likeness(ours, other), default=None)
        if best is None or _likeness(ours, best) < ALIKE:
            yield _whole("gone", one)
            continue
        while left[0] != best:
            yield _whole("new", left.pop(0))
        left.pop(0)
        yield from _words(ours, _WORD.findall(best))
    yield from (_whole("new", one) for one in left)


def _pair(one: str, other: str) -> tuple[Line, ...]:
    ours = _WORD.findall(one)
    if _likeness(ours, other) < ALIKE:
        return _whole("gone", one), _whole("new", other)
    return _words(ours, _WORD.findall(other))


def _likeness(ours: Sequence[str], other: str) -> float:
    theirs = _WORD.findall(other)
    if len(ours) > MOST or len(theirs) > MOST:
        return 0.0
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def _words(old: Sequence[str], new: Sequence[str]) -> tuple[Line, Line]:
    gone: list[Piece] = []
    come: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        marked = tag != "equal"
        if i1 != i2:
            gone.append(Piece("".join(old[i1:i2]), marked))
        if j1 != j2:
            come.append(Piece("".join(new[j1:j2]), marked))
    return Line("gone", tuple(gone)), Line("new", tuple(come))
