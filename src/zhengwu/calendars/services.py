"""Changing the timetable (历法变更): one proposes, another confirms; what ships with the software."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from zhengwu.calendars.events import STREAM, STREAM_ID
from zhengwu.domain.edition import Timetable
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

SOURCE = "calendars"
TRIES = 5  # others may move the stream meanwhile

Listed = tuple[str, str, bool | None]


# --- what ships with the software ----------------------------------------------------------------


def load_shipped(*, at: datetime) -> int:
    """The years of data/holidays.json that nobody has published; how many were new.

    A second time changes nothing. A year that the file has otherwise than a file before it is
    amended; a year that people here have published or amended is theirs.
    """
    data = json.loads(files("zhengwu.calendars").joinpath("data/holidays.json").read_text("utf-8"))
    years = {
        int(year["year"]): (_source(year), [(day, name, off) for day, name, off in year["days"]])
        for year in data["years"]
    }
    return _ship(years, at=at)


def keep_former(years: Mapping[int, tuple[str, Sequence[Listed]]], *, at: datetime) -> int:
    """Days that an installation has beyond the file: year → source, days. How many years changed.

    For the step from the former tables to the stream, after `load_shipped`.
    """
    return _ship(years, at=at, whole=False)


def _source(year: Mapping[str, Any]) -> str:
    title = f"国务院办公厅关于{year['year']}年部分节假日安排的通知"
    return f"{title} {' '.join(year['notices'])}"


def _ship(
    years: Mapping[int, tuple[str, Sequence[Listed]]], *, at: datetime, whole: bool = True
) -> int:
    """whole: the list is all that holds in its year; what stood and is not listed is taken back."""
    for _ in range(TRIES):
        events = ledger_queries.stream_events(STREAM, STREAM_ID)
        changes = list(_missing(events, years, whole=whole))
        if not changes:
            return 0
        version = events[-1].version if events else 0
        rows = [
            ledger.Row(
                stream_id=STREAM_ID,
                expected=version,
                event=ledger.NewEvent(
                    kind="shipped",
                    occurred=at,
                    source=SOURCE,
                    key=f"shipped:{change['year']}:{version + nth}",
                    body={"change": change},
                ),
            )
            for nth, change in enumerate(changes, 1)
        ]
        outcomes = ledger.append(STREAM, rows)
        if all(one.status is ledger.Status.MOVED for one in outcomes):
            return len(rows)
    raise ledger.Stale(())


def _missing(
    events: Sequence[ledger.Entry],
    years: Mapping[int, tuple[str, Sequence[Listed]]],
    *,
    whole: bool,
) -> Iterable[dict[str, Any]]:
    table = Timetable.of(events)
    ours = {one.version for one in events if one.kind == "shipped"}
    for year, (source, days) in sorted(years.items()):
        told = [one for one in table.notices if one.year == year]
        if whole and any(one.version not in ours for one in told):
            continue
        stands: dict[str, tuple[str, bool | None]] = {}
        for notice in told:
            stands |= {day.isoformat(): (name, off) for day, name, off in notice.days}
        new = [one for one in days if stands.get(one[0]) != (one[1], one[2])]
        listed = {day for day, _, _ in days}
        if whole:
            new += [
                (day, "", None)
                for day, (_, off) in sorted(stands.items())
                if day not in listed and off is not None
            ]
        if new:
            yield {
                "kind": "notice",
                "year": year,
                "amends": bool(told),
                "source": source,
                "days": [list(one) for one in (new if told else days)],
            }


def reprojected(number: int, *, looked: int, moved: int, at: datetime) -> None:
    """Running cases were read again by an edition (重新推算). looked, moved: how many. Once each."""
    for _ in range(TRIES):
        last = ledger_queries.last(STREAM, STREAM_ID)
        row = ledger.Row(
            stream_id=STREAM_ID,
            expected=last[0] if last else 0,
            event=ledger.NewEvent(
                kind="reprojected",
                occurred=at,
                source=SOURCE,
                key=f"reprojected:{number}",
                body={"edition": number, "looked": looked, "moved": moved},
            ),
        )
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status in (ledger.Status.MOVED, ledger.Status.REPEATED):
            return
    raise ledger.Stale(())
