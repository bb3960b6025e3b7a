"""The rulebook as known at positions of the log (规则册): folded from its one stream."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import lru_cache
from uuid import UUID

from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.rulebook import Rulebook, fold
from zhengwu.ledger import queries as ledger
from zhengwu.supervision.events import RULEBOOK, RULEBOOK_ID

NOTHING = UUID(int=0)


def now() -> Rulebook:
    """The rulebook by everything that is known."""
    return AsKnown().at(None)


class AsKnown:
    """The rulebook as known at positions; one query, then from memory."""

    def __init__(self) -> None:
        self._changes = ledger.places(RULEBOOK, RULEBOOK_ID)  # (version, event, position)

    def at(self, position: int | None) -> Rulebook:
        """As known at a position; None: all that is known."""
        version, last = 0, NOTHING
        for number, event, placed in self._changes:
            if position is not None and (placed is None or placed > position):
                break
            version, last = number, event
        return _folded(version, last)


def begins(proposals: Collection[int]) -> list[date]:
    """The days from which the rules of these proposals hold; of settings and of ends none."""
    return [
        since
        for event in ledger.stream_events(RULEBOOK, RULEBOOK_ID)
        if event.version in proposals and "rule" in event.body.get("change", ())
        if (since := date.fromisoformat(event.body["change"]["rule"]["since"]))
        >= event.received.astimezone(SHANGHAI).date()
    ]


@lru_cache(maxsize=16)
def _folded(version: int, last: UUID) -> Rulebook:
    """last tells two installations apart that a process has seen."""
    if not version:
        return _SHIPPED
    changes = {}
    confirmed = []
    for event in ledger.stream_events(RULEBOOK, RULEBOOK_ID):
        if event.version > version:
            break
        if event.kind == "proposed":
            changes[event.version] = event.body["change"]
        elif event.kind == "confirmed":
            confirmed.append((event.version, changes[event.body["version"]]))
    return fold(confirmed)


_SHIPPED = Rulebook()
