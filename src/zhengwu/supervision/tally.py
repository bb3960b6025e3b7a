"""What counts against whom, month by month (计分发现合计), kept beside the findings for rankings.

A follower of the findings: each entry that issued, lowered or revoked one says what is added and
what is taken away. Agency, hall, window, person and instant of a finding never change, so the
difference is known from its entries alone, however far its head has moved on meanwhile; tallies and
cursor are written in one transaction. Nothing in a tally depends on the score's table or on the
calendar.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.domain import periods
from zhengwu.domain.periods import DAY
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import services as ledger
from zhengwu.supervision.events import FINDINGS

NAME = "supervision.tally"
KINDS = frozenset({"issued", "lowered", "revoked"})
PLACED = frozenset({"window", "person"})
LEVELS = frozenset({"warning", "yellow", "red"})
SCORED = "f.counts AND f.scored <> '' AND f.level IN ('warning', 'yellow', 'red')"


class Unit(NamedTuple):
    """Whose month it is. place: the hall of a window, the agency of a person, else empty."""

    by: str
    month: date
    place: str
    unit: str


# (part, level, day of the month) → how many more or fewer
Change = Counter[tuple[str, str, int]]
Counts = dict[str, dict[str, Any]]  # {part: {"yellow": n, "red": n, "warning": {day: n}}}


def follow(entries: Sequence[ledger.Entry]) -> None:
    """Add what a run of entries changes; called inside the cursor's transaction."""
    by_finding: dict[UUID, list[ledger.Entry]] = defaultdict(list)
    for one in entries:
        if one.stream == FINDINGS:
            by_finding[one.stream_id].append(one)
    if by_finding:
        _keep(_changes(by_finding))


def _changes(by_finding: Mapping[UUID, Sequence[ledger.Entry]]) -> dict[Unit, Change]:
    """What the entries change of which unit's month."""
    before = _before(by_finding)
    changes: dict[Unit, Change] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id, f.agency, f.region, coalesce(f.hall, ''), coalesce(f.\"window\", ''),"
            " coalesce(f.person, ''), f.at, f.scored, f.first_level FROM supervision_finding f"
            " WHERE f.id = ANY(%s::uuid[]) AND f.scored <> ''",
            [list(by_finding)],
        )
        rows = cursor.fetchall()
    for id, agency, region, hall, window, person, at, part, first in rows:
        told = by_finding[id]
        if told[0].kind == "issued":
            was, now = None, _level(first, told)
        else:
            was = _level(first, before[id])
            now = _level(was, told)
        if was == now:
            continue
        day = at.astimezone(SHANGHAI).date()
        for by, place, unit in (
            ("agency", "", agency), ("district", "", region), ("window", hall, window),
            ("person", agency, person),
        ):  # fmt: skip
            if unit and (place or by not in PLACED):
                change = changes[Unit(by, day.replace(day=1), place, unit)]
                for level, sign in ((was, -1), (now, 1)):
                    if level in LEVELS:
                        change[part, level, day.day] += sign
    return changes


class Eased(NamedTuple):
    """An entry that lowered or revoked a finding."""

    kind: str
    body: Mapping[str, Any]


def _level(level: str | None, entries: Iterable[ledger.Entry | Eased]) -> str | None:
    """The level after these entries; None once it was revoked, whatever comes after."""
    for one in entries:
        if one.kind == "revoked":
            return None
        if one.kind == "lowered" and level is not None:
            level = str(one.body["level"])
    return level


def _before(by_finding: Mapping[UUID, Sequence[ledger.Entry]]) -> dict[UUID, list[Eased]]:
    """What had lowered or revoked them before these entries, of those that were issued before."""
    found: dict[UUID, list[Eased]] = {
        id: [] for id, told in by_finding.items() if told[0].kind != "issued"
    }
    if found:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.stream_id, e.kind, e.body::text FROM unnest(%s::uuid[], %s::integer[])"
                " AS w(id, version) JOIN ledger_event e ON e.stream = %s AND e.stream_id = w.id"
                " AND e.version < w.version AND e.kind IN ('lowered', 'revoked')"
                " ORDER BY e.stream_id, e.version",
                [list(found), [by_finding[id][0].version for id in found], FINDINGS],
            )
            for id, kind, body in cursor.fetchall():
                found[id].append(Eased(kind, orjson.loads(body)))
    return found


# --- what is kept ------------------------------------------------------------------------------------


def added(counts: Counts, change: Change) -> Counts:
    """The counts with a change added; what comes to nothing is left out."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for part, told in counts.items():
        for level, many in told.items():
            if level == "warning":
                sums.update({(part, level, int(day)): n for day, n in many.items()})
            else:
                sums[part, level, 0] += many
    for (part, level, day), n in change.items():
        sums[part, level, day if level == "warning" else 0] += n
    found: Counts = {}
    for (part, level, day), n in sorted(sums.items()):
        if n < 0:
            raise ValueError(f"fewer than none: {part} {level} {day}")
        if not n:
            continue
        told = found.setdefault(part, {})
        if level == "warning":
            told.setdefault(level, {})[str(day)] = n
        else:
            told[level] = n
    return found


def cards(counts: Counts) -> str:
    """The counts without warnings, as they are kept; "" without a card."""
    told = {
        part: {level: n for level, n in sums.items() if level != "warning"}
        for part, sums in sorted(counts.items())
    }
    kept = {part: sums for part, sums in told.items() if sums}
    return orjson.dumps(kept).decode() if kept else ""


def warned(counts: Counts) -> int:
    """How many warnings the part with most of them has: fewer than a run's size take no points."""
    return max((sum(told.get("warning", {}).values()) for told in counts.values()), default=0)


_NAMED = '("by", month, place, unit)'
_UNITS = (
    "unnest(%(by)s::text[], %(months)s::date[], %(places)s::text[], %(units)s::text[])"
    f" AS u{_NAMED}"
)


def _arrays(units: Sequence[Unit]) -> dict[str, list[Any]]:
    return {
        "by": [one.by for one in units], "months": [one.month for one in units],
        "places": [one.place for one in units], "units": [one.unit for one in units],
    }  # fmt: skip


def _keep(changes: Mapping[Unit, Change]) -> None:
    """Add the changes to what is kept; a month in which nothing counts any more is gone."""
    wanted = sorted(unit for unit, change in changes.items() if any(change.values()))
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT t."by", t.month, t.place, t.unit, t.counts::text'  # noqa: S608 - constants
            f" FROM {_UNITS} JOIN supervision_tally t USING {_NAMED}",
            _arrays(wanted),
        )
        kept = {Unit(*row[:4]): orjson.loads(row[4]) for row in cursor.fetchall()}
        for unit in wanted:
            kept[unit] = added(kept.get(unit, {}), changes[unit])
        cursor.execute(
            f"DELETE FROM supervision_tally t USING {_UNITS} WHERE t.by = u.by"  # noqa: S608
            " AND t.month = u.month AND t.place = u.place AND t.unit = u.unit",
            _arrays([unit for unit in wanted if not kept[unit]]),
        )
        left = [unit for unit in wanted if kept[unit]]
        cursor.execute(
            'INSERT INTO supervision_tally ("by", month, place, unit, counts, cards, warned)'  # noqa: S608
            " SELECT * FROM unnest(%(by)s::text[], %(months)s::date[], %(places)s::text[],"
            " %(units)s::text[], %(counts)s::jsonb[], %(cards)s::text[], %(warned)s::integer[])"
            f" ON CONFLICT {_NAMED} DO UPDATE SET counts = excluded.counts,"
            " cards = excluded.cards, warned = excluded.warned",
            {
                **_arrays(left),
                "counts": [orjson.dumps(kept[unit]).decode() for unit in left],
                "cards": [cards(kept[unit]) for unit in left],
                "warned": [warned(kept[unit]) for unit in left],
            },
        )


def bounds(month: date) -> tuple[datetime, datetime]:
    """The first moment of a month, and of the next."""
    return (
        datetime.combine(month, time(), SHANGHAI),
        datetime.combine(periods.month(month).until + DAY, time(), SHANGHAI),
    )


TALLY = ledger.Follower(name=NAME, kinds=KINDS, handle=follow)
__all__ = ["KINDS", "NAME", "PLACED", "SCORED", "TALLY", "Unit", "bounds"]
