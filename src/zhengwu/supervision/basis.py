"""When later news changes what a card rests on (依据改变): the card stays, and an appeal is opened.

A limit that by everything known now never passed, or evidence that was withdrawn: the finding is
marked, the department has the evidence laid before it in an appeal that is already open, and the
correction itself is a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.cases.heads import iso
from zhengwu.cases.stories import Watched
from zhengwu.domain import clock
from zhengwu.domain.event import Event
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.supervising import Found, Responsible
from zhengwu.supervision import issuing
from zhengwu.supervision.events import FINDINGS
from zhengwu.supervision.issuing import Issue

if TYPE_CHECKING:
    from zhengwu.supervision.followers import Looker

APPEAL_DAYS = 3  # working days to appeal from the day on which it could be known: a setting
_OWN_REASON = {
    "late": "special_unregistered",
    "withdrawn": "entry_error",
    "changed": "exchange_late",
}


@dataclass(frozen=True, slots=True)
class _Card:
    """A finding that still counts, as far as it rests on something that can change."""

    id: UUID
    version: int
    rule: str
    case: UUID
    agency: str
    region: str
    limit: str | None
    due: datetime | None
    at: datetime
    post: str | None
    person: str | None
    appeal: str
    known: int  # how far the log was known when it was issued, or its basis changed last
    versions: tuple[int, ...]  # the entries that it named then


def carded(cases: Collection[UUID]) -> set[UUID]:
    """Which of these cases have a finding whose basis may change; one query."""
    if not cases:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT DISTINCT f."case" FROM supervision_finding f'  # noqa: S608 - constants
            ' WHERE f."case" = ANY(%s::uuid[])'
            f" AND {_OPEN}",
            [list(cases)],
        )
        return {row[0] for row in cursor.fetchall()}


_UNDER_WAY = ("open", "pending")
_TAKES = ("corrected", "retracted", "entry_withdrawn")
# An appeal that is under way already speaks of it.
_OPEN = "f.counts AND NOT (f.basis_changed AND f.appeal IN ('open', 'pending')) AND f.level IN ('yellow', 'red') AND f.rule <> 'D03'"


def check(looker: Looker, cases: Sequence[Watched]) -> None:
    """Mark what no longer holds by everything known, and issue the correction as a finding."""
    cards = _cards([one.case for one in cases])
    if not cards:
        return
    about = {one.case: one for one in cases}
    issues: list[Issue] = []
    for card in cards:
        case = about[card.case]
        news = [
            one for one in case.events
            if (one.position or 0) > card.known and (one.kind in clock.TELLING or one.kind in _TAKES)
        ]  # fmt: skip
        rule = looker.book.rule(card.rule, card.at.astimezone(SHANGHAI).date())
        if not news or rule is None:
            continue  # nothing came since: the log may be watched again from before the card
        resting = Found(
            rule=rule, key="", at=card.at, limit=card.limit, due=card.due,
            whose=Responsible(card.agency), versions=card.versions,
        )  # fmt: skip
        if looker.stands(case, resting):
            continue
        changed = (_turning(looker, case, resting, news).version,)
        issues += _mark(looker, case, card, changed)
    looker.issue(issues)


def _turning(looker: Looker, case: Watched, resting: Found, news: Sequence[Event]) -> Event:
    """The entry by which it no longer stood."""
    for one in news:
        before = tuple(event for event in case.events if event.version <= one.version)
        if not looker.stands(case._replace(events=before), resting):
            return one
    return news[-1]


def _mark(looker: Looker, case: Watched, card: _Card, changed: tuple[int, ...]) -> list[Issue]:
    places = {one.version: one.position or 0 for one in case.events}
    entries = {one.version: one for one in case.events}
    evidence = {
        "versions": list(changed), "positions": [places[n] for n in changed if n in places],
        "known": looker.reached,
    }  # fmt: skip
    edition = looker.known(case)(None)
    until = issuing.term(edition, looker.at, APPEAL_DAYS)
    issuing.move(
        [(card.id, card.version)],
        "basis_changed",
        key=str(changed[-1]),
        body=evidence,
        head={"basis_changed": True},
        agency=card.agency,
        region=card.region,
        at=looker.at,
    )
    last = entries[changed[-1]]
    how = (
        "withdrawn" if last.kind in ("entry_withdrawn", "retracted")
        else "changed" if last.kind == "corrected" else "late"
    )  # fmt: skip
    if card.appeal not in _UNDER_WAY:
        issuing.move(
            [(card.id, card.version + 1)],
            "appeal_opened",
            key=str(changed[-1]),
            body={"reason": _OWN_REASON[how], "versions": list(changed), "until": iso(until)},
            head={"appeal": "open", "appeal_due": iso(until)},
            agency=card.agency,
            region=card.region,
            at=looker.at,
        )
    found = []
    facts = {"entry": how}
    for rule in looker.book.about("correction", last.received.astimezone(SHANGHAI).date()):
        if rule.holds(facts):
            key = f"{card.id}/{changed[-1]}"
            found.append(
                Issue(
                    id=issuing.identifier(rule.code, key, case=card.case), rule=rule, key=key,
                    at=last.received, region=card.region, source=case.source, case=card.case,
                    whose=Responsible(last.agency or card.agency, last.post, last.actor),
                    number=case.number, item_name=case.item_name, hall=case.hall,
                    window=case.window, versions=changed,
                    positions=tuple(evidence["positions"]),  # type: ignore[arg-type]
                    known=looker.reached, facts=facts,
                )
            )  # fmt: skip
    return found


def _cards(cases: list[UUID]) -> list[_Card]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT f.id, f.version, f.rule, f."case", f.agency, f.region, f."limit", f.due, f.at,'  # noqa: S608
            " f.post, f.person, f.appeal, (SELECT coalesce(max((k.body ->> 'known')::bigint), 0)"
            " FROM ledger_event k WHERE k.stream = e.stream AND k.stream_id = f.id"
            " AND k.kind IN ('issued', 'basis_changed')),"
            " (e.body -> 'versions')::text FROM supervision_finding f"
            " JOIN ledger_event e ON e.stream = %s AND e.stream_id = f.id AND e.version = 1"
            f' WHERE f."case" = ANY(%s::uuid[]) AND {_OPEN} ORDER BY f.id'
            # Held till the entry is written: who signs or answers meanwhile does not make it lost.
            " FOR UPDATE OF f",
            [FINDINGS, cases],
        )
        rows = cursor.fetchall()
    return [_Card(*(*row[:-1], tuple(orjson.loads(row[-1] or "[]")))) for row in rows]
