"""How the dates of a case came to be what they are (此前的推算): pure over what was entered.

The clock is read again after each entry, at the instant it became known, and what that changed is
kept: from which end to which, and why. Changes of the calendar come in between, as the
re-projection noted them. Limits of single steps are the house's own and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from zhengwu.cases import wording
from zhengwu.cases.reprojection import Moved
from zhengwu.domain import clock
from zhengwu.domain.clock import NAMES, LimitState
from zhengwu.domain.derivation import moment_words
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES
from zhengwu.domain.procedure import UNITS_ZH, Unit

# What begins, ends, moves or takes back a limit; the rest cannot change a date.
MATTERS = frozenset(
    {
        "received", "supplemented", "supplement_requested", "accepted", "deemed_accepted",
        "not_needed", "not_ours", "suspended", "resumed", "forwarded", "came_back", "extended",
        "granted", "refused", "withdrawn", "terminated", "decided", "delivered", "closed", "claim",
        "entry_withdrawn", "retracted", "corrected", "version_moved",
    }
)  # fmt: skip
LATE_SECONDS = 60  # entered later than this after it happened: both moments are said
Key = tuple[str, int]  # the kind of a limit and which of its kind


@dataclass(frozen=True, slots=True)
class End:
    """Where a limit ended, as it was known. still: it stood still, its end moved every day."""

    due: datetime
    still: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one limit's end. version: the entry, None for a change of the calendar.

    known: when it became known. before None: the limit began; after None: there is none any more.
    """

    kind: str
    known: datetime
    version: int | None
    position: int | None
    title: str
    why: str
    before: End | None
    after: End | None

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind)

    @property
    def moved(self) -> bool:
        """Whether an end that had been told is another one now (while it stands: not yet)."""
        before, after = self.before, self.after
        if before is None or after is None or after.still:
            return False
        return before.due != after.due

    @property
    def became_firm(self) -> bool:
        """暂定 before and not any more."""
        before, after = self.before, self.after
        return bool(before and after and before.provisional and not after.provisional)


def knew(event: Event) -> datetime:
    """When an entry became known: our own when it was entered, another system's when it came."""
    if event.nature is Nature.OBSERVATION:
        return event.received
    return max(event.recorded, event.occurred)


def changes(
    events: Sequence[Event],
    moves: Sequence[Moved] = (),
    *,
    edition: Callable[[int | None], Edition],
) -> tuple[Change, ...]:
    """Every change of an end, in the order in which they became known.

    edition: what was counted by at a position of the log, None: now. It is asked once for each
    stretch between two re-projections.
    """
    told: list[Change] = []
    ends: dict[Key, End] = {}
    borders = sorted({move.at for move in moves})
    stretches = _stretches(events, borders)
    for index, (stretch, border) in enumerate(zip(stretches, [None, *borders], strict=True)):
        known = stretches[: index + 1]
        last = max((e.position or 0 for part in known for e in part), default=0)
        by = edition(last or None if index < len(borders) else None)
        before = [event for part in stretches[:index] for event in part]
        if border is not None:
            for move in moves:
                if move.at == border:
                    told += _moved(move, ends)
            if before:  # what nobody noted down did not change for anybody
                ends = _again(ends, _ends(before, border, by))
        for count, event in enumerate(stretch, 1):
            if event.kind not in MATTERS:
                continue
            now = _again(ends, _ends([*before, *stretch[:count]], knew(event), by))
            told += _told(event, [*before, *stretch], ends, now)
            ends = now
    return tuple(told)


def _stretches(events: Sequence[Event], borders: Sequence[datetime]) -> list[list[Event]]:
    """The entries between one re-projection and the next; one more list than borders."""
    stretches: list[list[Event]] = [[] for _ in range(len(borders) + 1)]
    place = 0
    for event in events:
        while place < len(borders) and knew(event) > borders[place]:
            place += 1
        stretches[place].append(event)
    return stretches


def _ends(events: Sequence[Event], at: datetime, edition: Edition) -> dict[Key, End]:
    reading = clock.read(events, at=at, edition=edition)
    found: dict[Key, End] = {}
    rounds: dict[str, int] = {}
    for one in reading.limits:
        if one.kind == "step":
            continue
        rounds[one.kind] = nth = rounds.get(one.kind, 0) + 1
        still = one.state is LimitState.SUSPENDED
        found[one.kind, nth] = End(one.due, still, one.provisional)
    return found


def _again(old: dict[Key, End], new: dict[Key, End]) -> dict[Key, End]:
    """The new ends; one that stands keeps the end at which it came to stand."""
    found = {}
    for key, end in new.items():
        known = old.get(key)
        stands = end.still and known is not None
        found[key] = replace(known, still=True) if stands and known else end
    return found


def _told(
    event: Event, events: Sequence[Event], old: dict[Key, End], new: dict[Key, End]
) -> list[Change]:
    found = []
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        found.append(
            Change(
                key[0], knew(event), event.version, event.position, wording.title(event),
                _why(event, events), before, after,
            )
        )  # fmt: skip
    return found


def _moved(move: Moved, ends: dict[Key, End]) -> list[Change]:
    nth = max((key[1] for key in ends if key[0] == move.kind), default=0)
    known = ends.get((move.kind, nth))
    if known is not None and known.still:
        return []
    before = End(move.before, provisional=move.provisional_before) if move.before else None
    after = End(move.after, provisional=move.provisional_after) if move.after else None
    return [
        Change(
            move.kind, move.at, None, None, "工作日历有变，重新推算", move.because, before, after
        )
    ]


def _why(event: Event, events: Sequence[Event]) -> str:
    """What the entry says that moves a date, with the article."""
    body = event.body
    late = ""
    if (knew(event) - event.occurred).total_seconds() > LATE_SECONDS:
        late = f"（{moment_words(event.occurred)} 发生，{moment_words(knew(event))} 才登记）"
    match event.kind:
        case "suspended":
            name = PROCEDURES.get(str(body.get("procedure")), "特别程序")
            return f"{name}所需时间不计入期限，《行政许可法》第四十五条{late}"
        case "resumed":
            return f"特别程序结束，所需时间不计入期限，《行政许可法》第四十五条{late}"
        case "forwarded":
            return f"转报上级机关，等待批复的时间不计入本机关的期限{late}"
        case "came_back":
            return f"上级机关已经批复，等待的时间不计入本机关的期限{late}"
        case "extended":
            unit = UNITS_ZH[Unit(str(body.get("unit") or Unit.WORKING_DAY))]
            return f"经批准延长 {body.get('days')} {unit}，《行政许可法》第四十二条{late}"
        case "version_moved":
            return f"{wording.clause(body, version=True)}，《立法法》第一百零四条"
        case "entry_withdrawn" | "retracted":
            gone = next((e for e in events if e.version == body.get("version")), None)
            what = f"第 {gone.version} 条“{wording.title(gone)}”" if gone else "一条记录"
            return f"{what}撤销，按没有这一条重新推算"
        case "claim":
            return "来源系统自报"
    return late.strip("（）")


def knows_nothing_before(events: Sequence[Event]) -> datetime:
    """When the case itself became known."""
    return min(knew(event) for event in events)


__all__ = ["Change", "End", "changes", "knew", "knows_nothing_before"]
