"""Why the dates are what they are (期限推算说明): for the desk, and for the applicant.

Read with what is known now, or with what was known at the end of a day or at a position of the
log. Nothing of the applicant stands in it, so that it can be printed and handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import events as calendar_events
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, readings, reprojection, wording
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.cases.readings import Change
from zhengwu.documents import kinds
from zhengwu.domain import clock
from zhengwu.domain.derivation import TOLD
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries


@dataclass(frozen=True, slots=True)
class Explained:
    """A case's limits with what they rest on. known: as of when, None: now. position: of the log.

    relied: the notices and local arrangements that the counting went through. hours: the opening
    hours of today.
    """

    number: str
    item_name: str
    agency_zh: str
    source_zh: str
    foreign: bool
    licence: bool
    window: str
    opened: datetime
    first: datetime
    at: datetime
    known: datetime | None
    position: int | None
    version: int
    reading: clock.Reading
    edition: int
    relied: tuple[str, ...]
    hours: str
    changes: tuple[Change, ...]


def why(actor: Actor, number: str, *, known: date | int | None = None, at: datetime) -> Explained:
    """The limits of a case. Raises CaseNotFound, Refusal where nothing was known then.

    known: the end of a day, or a position of the log.
    """
    return _explained(loading.load(actor, number), known, at)


def why_shown(identifier: UUID, *, at: datetime) -> Explained:
    """The same for the applicant, who showed number and query code before. Raises CaseNotFound."""
    return _explained(loading.load_shown(identifier), None, at)


def changes_of(
    loaded: Loaded, moves: Sequence[reprojection.Moved] | None = None
) -> tuple[Change, ...]:
    """How the ends of a loaded case came to be; one query, more only where the calendar moved.

    moves: what changes of the calendar did to it, where that was read with it.
    """
    if moves is None:
        moves = reprojection.moves_of(loaded.id)
    return readings.changes(loaded.events, moves, edition=lambda known: loaded.edition(known=known))


def _explained(loaded: Loaded, known: date | int | None, at: datetime) -> Explained:
    names = accounts.names(agencies={loaded.agency})
    events: Sequence[Event] = loaded.events
    first = readings.knows_nothing_before(events)
    then: datetime | None = None
    changed = changes_of(loaded)
    if known is None:
        reading = loaded.read(at)
    else:
        if isinstance(known, int):
            events = [e for e in events if e.position is not None and e.position <= known]
            then = max(map(readings.knew, events), default=None)
        else:
            end = datetime.combine(known + timedelta(days=1), time(), SHANGHAI)
            then = min(at, end - timedelta(microseconds=1))
            events = [e for e in events if readings.knew(e) <= then]
        if then is None or not events:
            day = first.astimezone(SHANGHAI)
            raise Refusal(
                "why.before",
                f"那时还没有这个办件：它是 {day.year} 年 {day.month} 月 {day.day} 日登记的。"
                "请选这一天或者以后的日子。",
                field="known",
            )
        edition = loaded.edition(known=known) if isinstance(known, int) else _then(loaded, then)
        reading = clock.read(events, at=then, edition=edition)
        changed = tuple(one for one in changed if one.known <= then)
    edition = reading.edition
    item = loaded.item_row() if loaded.item else None
    return Explained(
        number=loaded.number,
        item_name=loaded.item_name,
        agency_zh=names.agency(loaded.agency),
        source_zh=wording.source(loaded.source),
        foreign=loaded.kind == "foreign",
        licence=item is not None and item.type == kinds.LICENCE,
        window=f"{loaded.window} 窗口" if loaded.window else "",
        opened=loaded.opened,
        first=first,
        at=at,
        known=then,
        position=known if isinstance(known, int) else None,
        version=events[-1].version,
        reading=reading,
        edition=edition.number,
        relied=relied(reading),
        hours=_hours(edition, reading.at.astimezone(SHANGHAI).date()),
        changes=changed,
    )


def _then(loaded: Loaded, moment: datetime) -> Edition:
    """The edition that held at a moment; what came with the software held from the beginning.

    A closed case keeps the one known at its last entry.
    """
    if loaded.closed is not None:
        moment = min(moment, readings.knew(loaded.events[-1]))
    entries = ledger_queries.stream_events(calendar_events.STREAM, calendar_events.STREAM_ID)
    number = 0
    for index, one in enumerate(entries, 1):
        if one.received <= moment or (one.kind == "shipped" and number == index - 1):
            number = one.version
    return calendars.edition(loaded.region, loaded.hall, number=number)


def relied(reading: clock.Reading) -> tuple[str, ...]:
    """The notices and local arrangements between the beginnings and the ends of the limits."""
    calendar = reading.calendar
    told: list[str] = []
    for limit in reading.limits:
        if limit.kind in TOLD:
            continue
        due = limit.due.astimezone(SHANGHAI).date()
        for year in range(limit.start.year, due.year + 1):
            if year in calendar.published:
                told.append(
                    f"{year} 年放假安排：{calendar.notices.get(year) or '国务院办公厅通知'}"
                )
            else:
                told.append(
                    f"{year} 年放假安排：国务院还没有公布，先按周一至周五上班推算，日期暂定"
                )
        for day in calendar.named_days(limit.start, due):
            source = calendar.sources.get(day)
            if source and source not in calendar.notices.values():
                told.append(source)
    return tuple(dict.fromkeys(told))


def _hours(edition: Edition, day: date) -> str:
    return "、".join(f"{a:%H:%M}—{b:%H:%M}" for a, b in edition.hours.on(day))


__all__ = ["CaseNotFound", "Explained", "changes_of", "relied", "why", "why_shown"]
