"""What the process does that tries rules on history (试算进程); config.jobs starts it while some wait.

The cases that lived in the period are read page by page and looked at as the follower does it, with
a rulebook of two rules: the one to be tried and the one in force, so that both are judged alike. A
finding counts where its instant lies in the period. Nothing is issued. Each trial is taken by one
statement and worked under a lock of this session, so that its death in the middle is seen at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from zhengwu.cases import stories
from zhengwu.cases.heads import iso
from zhengwu.domain import rulebook
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import Rule, Rulebook
from zhengwu.ledger import queries as ledger
from zhengwu.supervision.followers import Looker
from zhengwu.supervision.models import Trial
from zhengwu.supervision.trials import TRYING
from zhengwu.web.clock import now

OFTEN = 0.5  # seconds between two notes of how far it is
PAGE = 200  # cases with one SELECT
HITS = 200  # cases kept by name
# News of a case may come after it was closed: so long before the period it is still looked at.
LATE = timedelta(days=31)
FAILED = "试算时出了错，没有算完。请再试一次；仍然不行的，请把时间告诉系统管理员。"
TRIED, PRESENT = "tried", "present"  # what the two rules are called in the trial's own rulebook
log = logging.getLogger(__name__)


class _Given(Exception):
    """Somebody cancelled it, or it was taken for dead: nobody waits for this start any more."""


class _Ending(Exception):
    """This process is to end."""


class _One(NamedTuple):
    """A finding of one of the two rules. key: tells it from others of the same rule and case."""

    key: str
    at: datetime
    agency: str


class _About(NamedTuple):
    """Of what something was found."""

    case: UUID | None
    number: str
    item_name: str


@dataclass(slots=True)
class _Count:
    """What was found so far."""

    rules: Rulebook
    tried: Rule
    found: int = 0
    looked: int = 0
    by_level: Counter[str] = field(default_factory=Counter)
    by_agency: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(
        default_factory=lambda: Counter(present=0, more=0, fewer=0, unread=0)
    )
    hits: list[dict[str, Any]] = field(default_factory=list)

    def add(self, about: _About, tried: Sequence[_One], present: Sequence[_One]) -> None:
        """What both rules find of one case."""
        ours, theirs = {one.key for one in tried}, {one.key for one in present}
        more, fewer = len(ours - theirs), len(theirs - ours)
        self.found += len(tried)
        self.by_level.update(self.level(one) for one in tried)
        self.by_agency.update(one.agency for one in tried)
        self.compared.update(present=len(present), more=more, fewer=fewer)
        for listed, change in ((tried, "more" if more else ""), (present, "fewer")):
            if not listed or (change == "fewer" and (tried or not fewer)):
                continue
            if len(self.hits) < HITS:
                first = min(listed, key=lambda one: one.at)
                self.hits.append(
                    {
                        "case": str(about.case) if about.case else "", "number": about.number,
                        "item_name": about.item_name, "agency": first.agency,
                        "level": self.level(first), "at": iso(first.at), "count": len(listed),
                        "change": change,
                    }
                )  # fmt: skip

    def level(self, one: _One) -> str:
        return str(self.rules.level(self.tried, one.at.astimezone(SHANGHAI).date()))

    def values(self) -> dict[str, Any]:
        return {
            "looked": self.looked, "found": self.found, "by_level": dict(self.by_level),
            "by_agency": dict(self.by_agency), "compared": dict(self.compared),
            "cases": self.hits,
        }  # fmt: skip


def work(ending: threading.Event | None = None) -> int:
    """Work what waits, one after the other; how many trials were taken.

    Raises OperationalError when the database is lost: the trial is found again by its lock.
    """
    ending = ending or threading.Event()
    with connection.cursor() as cursor:
        # A query of a process that was killed ends soon, and its lock with it.
        cursor.execute("SET client_connection_check_interval = '2s'")
    taken = 0
    while not ending.is_set() and (row := take()) is not None:
        taken += 1
        try:
            _work(row, ending)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s::text))",
                               [TRYING, str(row.id)])  # fmt: skip
    return taken


def take() -> Trial | None:
    """The trial that waits longest, and the lock on it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "WITH chosen AS (SELECT id FROM supervision_trial WHERE done IS NULL"
            "  AND state = 'waiting' ORDER BY asked, id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " UPDATE supervision_trial t SET state = 'running', run = run + 1, looked = 0,"
            " found = 0, total = NULL, alive = %s FROM chosen WHERE t.id = chosen.id RETURNING t.id",
            [now()],
        )
        found = cursor.fetchone()
        if found is None:
            return None
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s::text))", [TRYING, str(found[0])])
    return Trial.objects.get(id=found[0])


def _work(row: Trial, ending: threading.Event) -> None:
    """From a trial to its result, or to a sentence why there is none."""
    began = time.process_time()
    try:
        count = _counted(row, ending)
    except _Given:
        log.info("trial %s given up", row.id)
    except _Ending:
        _write(row, state="waiting")
        log.info("trial %s put back", row.id)
    except (OperationalError, InterfaceError):
        raise  # the connection, and the lock with it, is lost: it is found again
    except Exception:
        _write(row, state="failed", fault=FAILED, done=now())
        log.exception("trial %s failed", row.id)
    else:
        _write(row, state="done", done=now(), **count.values())
        log.info(
            "trial %s: %s cases, %s found, %.1f s of CPU", row.id, count.looked, count.found,
            time.process_time() - began,
        )  # fmt: skip


def _counted(row: Trial, ending: threading.Event) -> _Count:
    rule = rulebook.of_data(row.rule)
    present = rulebook.of_data(row.present) if row.present else None
    start, end = _midnight(row.since), _midnight(row.until + timedelta(days=1))
    looker = Looker(reached=ledger.lag().last, until=now())
    book = _book(rule, present, looker.book)
    count = _Count(book, rule)
    tell = _telling(row, count, ending)
    if rule.matter == "repeat":
        _repeats(count, rule, present, start, end)
    else:
        _cases(row, count, looker, start, end, tell)
        if rule.matter == "asked_outside":
            _attempts(count, start, end)
    count.compared["issued"] = _issued(rule.code, start, end)
    return count


def _book(rule: Rule, present: Rule | None, stands: Rulebook) -> Rulebook:
    """A rulebook of the two alone, in force at all times, with the settings there are."""
    rules = [replace(rule, code=TRIED, since=date.min, until=None)]
    if present is not None:
        rules.append(replace(present, code=PRESENT, since=date.min, until=None))
    return Rulebook(rules=tuple(rules), number=stands.number, settings=stands.settings)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), SHANGHAI)


# --- from the stories of the cases -------------------------------------------------------------------


def _cases(
    row: Trial, count: _Count, looker: Looker, start: datetime, end: datetime,
    tell: Callable[[], None],
) -> None:  # fmt: skip
    row.total = _how_many(start, end)
    tell()
    for page in _pages(start, end):
        for case in looker.read(page):
            try:
                looked = looker.looked(case, count.rules)
                lasting = looker.lasting(case, looked.found, count.rules)
            except (Refusal, ValueError):
                # What nobody can read is not found by the follower either; it is told.
                log.exception("case %s cannot be read in a trial", case.case)
                count.compared["unread"] += 1
                continue
            mine: dict[str, list[_One]] = {TRIED: [], PRESENT: []}
            for one in lasting:
                if start <= one.at < end:
                    mine[one.rule.code].append(
                        _One(one.key, one.at, one.whose.agency or case.agency)
                    )
            about = _About(case.case, case.number, case.item_name)
            count.add(about, mine[TRIED], mine[PRESENT])
        count.looked += len(page)
        tell()


_LIVED = "opened < %(end)s AND (closed IS NULL OR closed >= %(from)s)"


def _how_many(start: datetime, end: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM cases_case WHERE {_LIVED}",  # noqa: S608 - a constant
            {"end": end, "from": start - LATE},
        )
        return int(cursor.fetchone()[0])


def _pages(start: datetime, end: datetime) -> Iterator[list[UUID]]:
    """The cases that lived in the period, by id; the last page costs what the first does."""
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM cases_case WHERE id > %(after)s AND {_LIVED}"  # noqa: S608
                " ORDER BY id LIMIT %(page)s",
                {"after": after, "end": end, "from": start - LATE, "page": PAGE},
            )
            found = [one for (one,) in cursor.fetchall()]
        if found:
            yield found
        if len(found) < PAGE:
            return
        after = found[-1]


def _attempts(count: _Count, start: datetime, end: datetime) -> None:
    """Attempts to ask for what no guide lists stand beside the cases."""
    named = {one.code: one for one in count.rules.rules}
    for asked in stories.attempts(start, end):
        facts = {"codes": max(1, asked.codes), "how": "attempt"}
        one = _One("", asked.received, asked.agency)
        count.add(
            _About(asked.case, asked.number, asked.item_name),
            *(
                [one] if (rule := named.get(code)) is not None and rule.holds(facts) else []
                for code in (TRIED, PRESENT)
            ),
        )


# --- from the findings there are ---------------------------------------------------------------------


def _repeats(
    count: _Count, rule: Rule, present: Rule | None, start: datetime, end: datetime
) -> None:
    """How often a rule's findings came together in a month; counted from those that were issued."""
    tried = _reached(rule, start, end)
    held = _reached(present, start, end) if present is not None else {}
    for key in sorted({*tried, *held}):
        about = _About(None, "", f"{key[2]:%Y-%m}")
        count.add(
            about,
            [tried[key]] if key in tried else [],
            [held[key]] if key in held else [],
        )
    count.looked = count.found


def _reached(rule: Rule, start: datetime, end: datetime) -> dict[tuple[str, str, date], _One]:
    """By agency, person and month: the finding with which the number was reached, in the period."""
    tests: Mapping[str, Any] = {one.attribute: one.value for one in rule.where}
    per = "person" in tests["per"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT agency, who, month, at FROM (SELECT agency, at,"
            " CASE WHEN %(per)s THEN person ELSE '' END AS who,"
            " date_trunc('month', at AT TIME ZONE 'Asia/Shanghai')::date AS month,"
            " row_number() OVER (PARTITION BY agency, CASE WHEN %(per)s THEN person END,"
            "  date_trunc('month', at AT TIME ZONE 'Asia/Shanghai') ORDER BY at, id) AS nth"
            " FROM supervision_finding WHERE rule = %(of)s AND counts"
            " AND at >= date_trunc('month', %(start)s AT TIME ZONE 'Asia/Shanghai')"
            "  AT TIME ZONE 'Asia/Shanghai' AND at < %(end)s"
            " AND (NOT %(per)s OR person IS NOT NULL)) one"
            " WHERE nth = %(count)s AND at >= %(start)s",
            {"per": per, "of": tests["of"], "start": start, "end": end, "count": tests["count"]},
        )
        return {
            (agency, who, month): _One(f"{agency}/{who}/{month}", at, agency)
            for agency, who, month, at in cursor.fetchall()
        }


def _issued(code: str, start: datetime, end: datetime) -> int:
    """How many findings of the rule were issued in life, by whatever version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM supervision_finding WHERE rule = %s AND at >= %s AND at < %s",
            [code, start, end],
        )
        return int(cursor.fetchone()[0])


# --- the row -----------------------------------------------------------------------------------------


def _telling(row: Trial, count: _Count, ending: threading.Event) -> Callable[[], None]:
    """Notes how far it is, twice a second, and ends it where nobody waits."""
    last = float("-inf")

    def tell() -> None:
        nonlocal last
        if ending.is_set():
            raise _Ending
        if time.monotonic() - last < OFTEN:
            return
        if not _write(row, looked=count.looked, total=row.total, found=count.found, alive=now()):
            raise _Given
        last = time.monotonic()

    return tell


def _write(row: Trial, **values: Any) -> bool:
    """Write to the trial, as long as this start of it is still the one that counts."""
    return bool(Trial.objects.filter(id=row.id, run=row.run, state="running").update(**values))
