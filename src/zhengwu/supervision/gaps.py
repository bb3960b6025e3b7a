"""Sources that fell silent (数据中断): who brings news every working day and then none.

`supervision_heard` keeps for each source until when its news is told and on which of the last days
something came. Silence is only found of a source that came on each of the working days before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from zhengwu.domain.counting import ordinal
from zhengwu.domain.edition import Edition
from zhengwu.domain.supervising import Responsible
from zhengwu.ledger import services as ledger
from zhengwu.supervision import issuing
from zhengwu.supervision.issuing import Issue

if TYPE_CHECKING:
    from zhengwu.supervision.followers import Looker

EXCHANGE = timedelta(minutes=10)  # without news, and an exchange is over: a setting of the house
REGULAR = 5  # working days on each of which something came before it fell silent
KEPT = 20  # days kept of a source


@dataclass(slots=True)
class Source:
    """A source as it was heard. days: ordinals of the days on which something came, in order."""

    source: str
    agency: str
    region: str
    recorded: datetime
    received: datetime
    settled: datetime | None
    days: list[int]

    def told(self, until: datetime) -> datetime | None:
        """Until when it has told everything, as of an instant; None: nothing is settled yet.

        The pieces of one exchange come in any order, so what it brought counts when it is over.
        """
        return self.recorded if until - self.received > EXCHANGE else self.settled


def hear(looker: Looker, news: Mapping[str, Sequence[ledger.Entry]]) -> None:
    """Take down what came, and find the silence that it ended."""
    known = {one.source: one for one in sources(list(news))}
    found: list[Issue] = []
    for name, entries in news.items():
        last = entries[-1]
        held = known.get(name)
        if held is None:
            held = known[name] = Source(
                name,
                last.agency or "",
                last.region or "",
                entries[0].recorded,
                entries[0].received,
                None,
                [],
            )
        for one in entries:
            day = ordinal(one.received)
            if not held.days or day > held.days[-1]:
                if held.days:
                    found += _silence(looker, held, until=day)
                held.days = [*held.days, day][-KEPT:]
            if one.received - held.received > EXCHANGE:
                held.settled = held.recorded
            held.recorded = max(held.recorded, one.recorded)
            held.received = max(held.received, one.received)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supervision_heard (source, agency, region, recorded, received, settled, days)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[],"
            " %s::timestamptz[], %s::timestamptz[], %s::jsonb[]) ON CONFLICT (source) DO UPDATE SET"
            " agency = excluded.agency, region = excluded.region, recorded = excluded.recorded,"
            " received = excluded.received, settled = excluded.settled, days = excluded.days",
            [
                list(column)
                for column in zip(
                    *(
                        (
                            one.source,
                            one.agency,
                            one.region,
                            one.recorded,
                            one.received,
                            one.settled,
                            str(one.days),
                        )
                        for one in known.values()
                    ),
                    strict=True,
                )
            ],
        )
    looker.issue(found)


def sweep(looker: Looker, at: datetime) -> None:
    """Find who is silent now."""
    found: list[Issue] = []
    for one in sources(None):
        if one.days:
            found += _silence(looker, one, until=ordinal(at), now=at)
    looker.issue(found)


def _silence(
    looker: Looker, one: Source, *, until: int, now: datetime | None = None
) -> list[Issue]:
    """The silence since the last day on which something came, up to a day.

    now: the day itself counts when its business has closed; None: something came on it.
    """
    edition = looker.editions.at(looker.reached, one.region, None)
    calendar = edition.calendar
    found: list[Issue] = []
    if until - one.days[-1] < 1 or not _regular(one, edition):
        return found
    silent = [
        day for day in range(one.days[-1] + 1, until + 1)
        if calendar.open_on(day)
        and (day < until if now is None else edition.close(day) <= now)
    ]  # fmt: skip
    if not silent:
        return found
    for rule in looker.book.about("gap", date.fromordinal(silent[0])):
        least = next((t.value for t in rule.where if t.attribute == "days"), 1)
        if len(silent) < least:
            continue
        at = edition.close(silent[least - 1])
        key = date.fromordinal(silent[0]).isoformat()
        found.append(
            Issue(
                id=issuing.identifier(rule.code, key, about=one.source), rule=rule, key=key, at=at,
                whose=Responsible(one.agency), region=one.region, source=one.source,
                known=looker.reached, facts={"days": least, "since": key},
            )
        )  # fmt: skip
    return found


def _regular(one: Source, edition: Edition) -> bool:
    """Whether something came on each of the last working days up to the last one."""
    came, day, wanted = set(one.days), one.days[-1], REGULAR
    while wanted and day >= one.days[0]:
        if edition.calendar.open_on(day):
            if day not in came:
                return False
            wanted -= 1
        day -= 1
    return not wanted


def sources(names: list[str] | None = None) -> list[Source]:
    """Every source that was heard, or those named."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, agency, region, recorded, received, settled, days FROM supervision_heard"
            " WHERE %s::text[] IS NULL OR source = ANY(%s::text[])",
            [names, names],
        )
        return [
            Source(source, agency, region, recorded, received, settled, _days(days))
            for source, agency, region, recorded, received, settled, days in cursor.fetchall()
        ]


def _days(value: Any) -> list[int]:
    """As psycopg gives jsonb outside the ORM: text."""
    return list(orjson.loads(value)) if isinstance(value, str) else list(value)
