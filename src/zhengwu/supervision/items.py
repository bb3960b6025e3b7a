"""What supervision needs of an item's guide (办事指南), kept in memory: versions never change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow

MOST = 20_000  # items kept; then all are forgotten


class Guide(NamedTuple):
    """A version of an item. materials: the codes it lists."""

    version: int
    name: str
    materials: frozenset[str]
    since: date
    until: date | None


# Code → the edition of the catalogue at which it was read, and its versions, the newest first.
_known: dict[str, tuple[int, tuple[Guide, ...]]] = {}


class Guides:
    """Guides by item as of an edition of the catalogue, many read with one query."""

    def __init__(self) -> None:
        self._edition = catalog.edition()

    def learn(self, wanted: Collection[tuple[str, int | None]]) -> None:
        """Read the items that are not known yet: code and version, None for the one of a day."""
        missing = {code for code, version in wanted if code and not self._has(code, version)}
        if not missing:
            return
        if len(_known) > MOST:
            _known.clear()
        read: dict[str, list[Guide]] = {code: [] for code in missing}
        for one in catalog.versions_of(missing):
            read[one.code].append(_guide(one))
        for code, rows in read.items():
            _known[code] = (self._edition, tuple(rows))

    def _has(self, code: str, version: int | None) -> bool:
        edition, rows = _known.get(code, (-1, ()))
        return edition == self._edition or any(one.version == version for one in rows)

    def guide(self, code: str, version: int | None, on: date) -> Guide | None:
        """A version, by its number or else the one in force on a day; None where there is none."""
        if not code:
            return None
        if not self._has(code, version):
            self.learn(((code, version),))
        rows = _known[code][1]
        if version is not None:
            return next((one for one in rows if one.version == version), None)
        held = [one for one in rows if one.since <= on and (one.until is None or on < one.until)]
        # An item that is older than our list of it is judged by the first guide there was.
        return held[0] if held else (rows[-1] if rows else None)


def _guide(one: ItemVersionRow) -> Guide:
    return Guide(
        one.version, one.name, frozenset(m.code for m in one.materials), one.in_force_from,
        one.in_force_to,
    )  # fmt: skip
