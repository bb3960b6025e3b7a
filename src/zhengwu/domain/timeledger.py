"""The time ledger (时间账): whose hands the case was in, to the second; the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import HolderKind, histories


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in one pair of hands. charged_to: whose it is; under way, the giver's."""

    start: datetime
    end: datetime
    kind: HolderKind
    agency: str | None
    post: str | None
    charged_kind: HolderKind
    charged_to: str | None
    label: str

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def spans(events: Sequence[Event], *, until: datetime) -> tuple[Span, ...]:
    """The spans from the first event to the last (or to `until`, while somebody still has it).

    A span begins where the one before ends: an entry registered late shortens nobody's time below
    nothing.
    """
    rows = histories([event for event in events if event.occurred <= until])
    found: list[Span] = []
    cursor: datetime | None = None
    for index, (event, standing) in enumerate(rows):
        start = event.occurred if cursor is None else max(cursor, event.occurred)
        following = rows[index + 1][0].occurred if index + 1 < len(rows) else until
        holder = standing.holder
        if holder.kind == HolderKind.NONE:
            cursor = start
            continue
        end = max(start, following)
        cursor = end
        if end == start:
            continue
        last = found[-1] if found else None
        span = Span(
            start,
            end,
            holder.kind,
            holder.agency,
            holder.post,
            holder.charged_kind or holder.kind,
            holder.charged_to or holder.agency,
            holder.label,
        )
        if last and last.end == start and _same(last, span):
            found[-1] = Span(
                last.start, end, last.kind, last.agency, last.post, last.charged_kind,
                last.charged_to, last.label,
            )  # fmt: skip
        else:
            found.append(span)
    return tuple(found)


def _same(one: Span, other: Span) -> bool:
    return (one.kind, one.agency, one.post, one.charged_to, one.label) == (
        other.kind,
        other.agency,
        other.post,
        other.charged_to,
        other.label,
    )


def totals(found: Sequence[Span]) -> dict[tuple[HolderKind, str | None], timedelta]:
    """Time by kind of hands and whose time it is, in the order they first appear."""
    sums: dict[tuple[HolderKind, str | None], timedelta] = {}
    for span in found:
        key = (span.kind, span.charged_to)
        sums[key] = sums.get(key, timedelta()) + span.length
    return sums
