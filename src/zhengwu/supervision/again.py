"""Watching the log again (重新监察), and whether every finding follows from it (核对)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from zhengwu.cases import stories
from zhengwu.cases.stories import Watched
from zhengwu.ledger import queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision.events import FINDINGS
from zhengwu.supervision.followers import NAME, Looker

PAGE = 500
Progress = Callable[[int, int], None]


def watch_again(*, progress: Progress = lambda done, total: None) -> tuple[int, int]:
    """Watch the whole log once more from its beginning; how many positions, how many findings were
    issued that were not there.

    Findings are entries of the log and stay; what was found before is found again under the same
    id. Safe beside a running worker, which then takes its part of the steps.
    """
    ledger.begin_anew(NAME, empty=_forget)
    last = queries.lag().last
    before = _count()
    pace, done = ledger.Pace(), 0
    while went := pace.follow(NAME):
        done += went
        progress(min(done, last), last)
    ledger.sequence()
    return done, _count() - before


def _forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM supervision_watch")
        cursor.execute("DELETE FROM supervision_heard")


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM supervision_finding")
        return int(cursor.fetchone()[0])


# --- whether they follow -----------------------------------------------------------------------------


class Difference(NamedTuple):
    """A finding that does not follow from the log, and in what."""

    finding: UUID
    rule: str
    number: str
    what: str

    def words(self) -> str:
        return f"{self.number} {self.rule} {self.finding}：{self.what}"


@dataclass(slots=True)
class Checked:
    """How much was looked at. others: by hand, of a source, of other findings: not of one case."""

    findings: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class _Issued:
    """What a finding said when it was issued."""

    id: UUID
    rule: str
    case: UUID
    number: str
    at: datetime
    agency: str
    person: str | None
    key: str
    known: int
    level: str


def differences(
    checked: Checked, *, progress: Progress = lambda done, total: None
) -> Iterator[Difference]:
    """Every finding of a case that does not follow from what the log held when it was issued: looked
    at again by the rules known then, it must be found with the same instant and the same person.
    """
    total, last = _count(), UUID(int=0)
    while rows := _issued(last):
        last = rows[-1].id
        by_known: dict[int, list[_Issued]] = defaultdict(list)
        for one in rows:
            by_known[one.known].append(one)
        for known, some in by_known.items():
            yield from _compared(known, some)
        checked.findings += len(rows)
        progress(checked.findings, total)
    checked.others = total - checked.findings


def _compared(known: int, some: Sequence[_Issued]) -> Iterator[Difference]:
    told = {one.case: one for one in stories.watched({one.case for one in some}, reached=known)}
    looker = Looker(reached=known, until=max(one.at for one in some))
    for one in some:
        case = told.get(one.case)
        if case is None:
            yield Difference(one.id, one.rule, one.number, "当时事件账里没有这个办件")
            continue
        looker.until = max(one.at, *(event.received for event in case.events))
        found = _again(looker, case).get((one.rule, one.key))
        if found is None:
            yield Difference(one.id, one.rule, one.number, "从当时的记载推不出这条发现")
            continue
        at, level, person, agency = found
        if at != one.at:
            yield Difference(one.id, one.rule, one.number, f"时刻应为 {at.isoformat()}")
        elif level != one.level:
            yield Difference(one.id, one.rule, one.number, f"级别应为 {level}")
        elif (person, agency) != (one.person, one.agency):
            yield Difference(one.id, one.rule, one.number, "责任人或者责任机关不同")


def _again(
    looker: Looker, case: Watched
) -> dict[tuple[str, str], tuple[datetime, str, str | None, str]]:
    return {
        (one.rule.code, one.key): (
            one.at, str(looker.level(one)), one.whose.person, one.whose.agency or case.agency,
        )
        for one in looker.looked(case, all_told=True).found
    }  # fmt: skip


def _issued(after: UUID) -> list[_Issued]:
    """The next findings of cases that the rules made by themselves, by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id, f.rule, f.\"case\", f.number, f.at, f.agency, f.person, e.body ->> 'key',"
            " (e.body ->> 'known')::bigint, f.first_level FROM supervision_finding f"
            " JOIN ledger_event e ON e.stream = %s AND e.stream_id = f.id AND e.version = 1"
            " WHERE f.id > %s AND f.\"case\" IS NOT NULL AND e.body ->> 'how' = 'auto'"
            " AND f.rule <> 'D03' AND e.body ->> 'key' NOT LIKE 'attempt/%%'"
            " ORDER BY f.id LIMIT %s",
            [FINDINGS, after, PAGE],
        )
        return [_Issued(*row) for row in cursor.fetchall()]
