"""What supervision needs of an item's guide (办事指南), kept in memory: versions never change."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from zhengwu.catalog import queries as catalog


class Guide(NamedTuple):
    """A version of an item. materials: the codes it lists."""

    version: int
    name: str
    materials: frozenset[str]
    since: date
    until: date | None


def guide(item: str, version: int | None, on: date, *, edition: int) -> Guide | None:
    """A version, by its number or else the one in force on a day; None where there is none.

    edition: of the catalogue; moves with every publication.
    """
    if not item:
        return None
    found = _versions(item, edition)
    if version is not None:
        return next((one for one in found if one.version == version), None)
    held = [one for one in found if one.since <= on and (one.until is None or on < one.until)]
    # An item that is older than our list of it is judged by the first guide there was.
    return held[0] if held else (found[-1] if found else None)


@lru_cache(maxsize=8192)
def _versions(item: str, edition: int) -> tuple[Guide, ...]:
    """All versions, the newest first."""
    return tuple(
        Guide(
            one.version, one.name, frozenset(m.code for m in one.materials), one.in_force_from,
            one.in_force_to,
        )
        for one in catalog.history(item)
    )  # fmt: skip
