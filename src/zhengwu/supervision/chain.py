"""What follows from findings (问责自动启动): accountability opens itself, repeated findings add up.

Nobody reports it and nobody can prevent it: the follower does it from the log. A case past its limit
and every red card open a record; so do so many yellow cards of a person or of an agency in a month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
from django.db import connection

from zhengwu.calendars import queries as calendars
from zhengwu.cases.heads import iso
from zhengwu.domain.counting import ordinal
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.rulebook import Level, Rule, Rulebook
from zhengwu.domain.supervising import Responsible
from zhengwu.ledger import services as ledger
from zhengwu.supervision import issuing, rulebooks
from zhengwu.supervision.events import ACCOUNTS, SOURCE
from zhengwu.supervision.issuing import NAMESPACE, Issue

# How many yellow cards in a calendar month open a record: of a person, of an agency. A setting of
# the house, changed by an entry of the rulebook (`accountability`).
YELLOWS: Mapping[str, int] = {"person": 2, "agency": 3}
HANDLE = 20  # working days to bring a record to its end: a setting of the house
CAUSES_ZH: Mapping[str, str] = {
    "overdue": "办件超期", "red": "红牌", "person_month": "个人一个月内黄牌累计",
    "agency_month": "机关一个月内黄牌累计", "order": "督办逾期",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Head:
    """A finding as its head says now."""

    id: UUID
    rule: str
    level: str
    first_level: str
    case: UUID | None
    number: str
    item_name: str
    agency: str
    region: str
    person: str | None
    post: str | None
    source: str
    at: datetime
    whole: bool
    counts: bool

    @property
    def month(self) -> date:
        return self.at.astimezone(SHANGHAI).date().replace(day=1)


@dataclass(slots=True)
class Cause:
    """Why a record is opened, or what joins it."""

    id: UUID
    cause: str
    agency: str
    region: str
    findings: list[UUID]
    person: str | None = None
    month: date | None = None
    case: UUID | None = None
    number: str = ""
    order: UUID | None = None
    term: str = ""  # of an order: which due was missed


def follow(entries: Sequence[ledger.Entry], *, at: datetime) -> None:
    """What a run of entries of findings brings; in the follower's transaction."""
    issued = [one.stream_id for one in entries if one.kind == "issued"]
    eased = {one.stream_id: one.kind for one in entries if one.kind in ("revoked", "lowered")}
    heads = {one.id: one for one in _heads(list({*issued, *eased}))}
    book = rulebooks.now()
    causes: dict[UUID, Cause] = {}
    for identifier in issued:
        one = heads[identifier]
        if one.whole and one.case is not None:
            _join(causes, Cause(uuid5(one.case, "overdue"), "overdue", one.agency, one.region,
                                [one.id], one.person, None, one.case, one.number))  # fmt: skip
        elif one.first_level == Level.RED:
            _join(causes, Cause(uuid5(one.id, "red"), "red", one.agency, one.region, [one.id],
                                one.person, None, one.case, one.number))  # fmt: skip
    # What is yellow now, as it was issued or as a red one was lowered to.
    yellow = [heads[one] for one in (*issued, *eased) if heads[one].level == Level.YELLOW]
    for cause in _counted(yellow, book):
        _join(causes, cause)
    open_(causes.values(), at=at)
    _repeats([heads[one] for one in issued], book, at=at)
    for identifier, kind in eased.items():
        _ease(heads[identifier], revoked=kind == "revoked", at=at)


def _join(causes: dict[UUID, Cause], one: Cause) -> None:
    held = causes.setdefault(one.id, one)
    if held is not one:
        held.findings += [f for f in one.findings if f not in held.findings]


def _counted(yellow: Sequence[_Head], book: Rulebook) -> list[Cause]:
    """The months of persons and agencies that reached their number."""
    found = []
    months = {(one.agency, one.region, one.person, one.month) for one in yellow if one.person}
    for agency, region, person, month in sorted(months, key=str):
        cards = _cards(agency, month, person=person)
        if len(cards) >= _most(book, "person", month):
            key = uuid5(NAMESPACE, f"person/{agency}/{person}/{month}")
            found.append(Cause(key, "person_month", agency, region, cards, person, month))
    for agency, region, month in sorted({(o.agency, o.region, o.month) for o in yellow}):
        cards = _cards(agency, month)
        if len(cards) >= _most(book, "agency", month):
            key = uuid5(NAMESPACE, f"agency/{agency}/{month}")
            found.append(Cause(key, "agency_month", agency, region, cards, None, month))
    return found


def _most(book: Rulebook, per: str, month: date) -> int:
    decided: Mapping[str, Any] = book.setting("accountability", month) or {}
    return int(decided.get(per, YELLOWS[per]))


def _cards(agency: str, month: date, *, person: str | None = None) -> list[UUID]:
    since = datetime.combine(month, datetime.min.time(), SHANGHAI)
    until = (since + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM supervision_finding WHERE agency = %s AND level = 'yellow' AND counts"
            " AND at >= %s AND at < %s AND (%s::text IS NULL OR person = %s) ORDER BY at, id",
            [agency, since, until, person, person],
        )
        return [row[0] for row in cursor.fetchall()]


def open_(causes: Any, *, at: datetime) -> None:
    """Open records, or let new findings join those there are."""
    wanted: list[Cause] = list(causes)
    if not wanted:
        return
    standing = _standing([one.id for one in wanted])
    rows = []
    for one in wanted:
        held = standing.get(one.id)
        if held is None:
            rows.append(_opened(one, at))
            continue
        version, state, count, named = held
        new = [finding for finding in one.findings if finding not in named]
        if not new and one.term and state == "closed":
            rows.append(_missed_again(one, version, count))
        for nth, finding in enumerate(new):
            rows.append(
                ledger.Row(
                    stream_id=one.id,
                    expected=version + nth,
                    event=ledger.NewEvent(
                        kind="joined", occurred=at, agency=one.agency, region=one.region,
                        source=SOURCE, key=f"joined/{one.id}/{finding}",
                        body={"finding": str(finding)},
                    ),
                    head={
                        "findings": count + nth + 1,
                        "state": "opened" if state == "closed" else state,
                    },
                )
            )  # fmt: skip
    if rows:
        ledger.append(ACCOUNTS, rows)


def _missed_again(one: Cause, version: int, count: int) -> ledger.Row:
    """An order's next term passed after the record had been closed: it is open again."""
    return ledger.Row(
        stream_id=one.id,
        expected=version,
        event=ledger.NewEvent(
            kind="joined", occurred=datetime.fromisoformat(one.term), agency=one.agency,
            region=one.region, source=SOURCE, key=f"joined/{one.id}/{one.term}",
            body={"order": str(one.order), "due": one.term},
        ),
        head={"state": "opened", "findings": count},
    )  # fmt: skip


def _opened(one: Cause, at: datetime) -> ledger.Row:
    edition = calendars.edition(one.region)
    due = edition.close(edition.calendar.nth(ordinal(at), HANDLE))
    body: dict[str, Any] = {"cause": one.cause, "findings": [str(f) for f in one.findings]}
    if one.case is not None:
        body["case"] = str(one.case)
    if one.order is not None:
        body["order"] = str(one.order)
    if one.month is not None:
        body["month"] = one.month.isoformat()
    if one.person is not None:
        body["person"] = one.person
    return ledger.Row(
        stream_id=one.id,
        expected=0,
        event=ledger.NewEvent(
            kind="opened", occurred=at, agency=one.agency, region=one.region, source=SOURCE,
            key=f"account/{one.id}", body=body,
        ),
        head={
            "cause": one.cause, "month": one.month.isoformat() if one.month else None,
            "case": str(one.case) if one.case else None, "case_number": one.number,
            "agency": one.agency, "region": one.region, "person": one.person, "opened": iso(at),
            "due": iso(due), "findings": len(one.findings), "revoked": 0, "state": "opened",
        },
    )  # fmt: skip


def _standing(ids: list[UUID]) -> dict[UUID, tuple[int, str, int, set[UUID]]]:
    """Version, state, number of findings, and which, of the records there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, a.version, a.state, a.findings, (SELECT json_agg(e.body ORDER BY e.version)"
            " FROM ledger_event e WHERE e.stream = %s AND e.stream_id = a.id"
            " AND e.kind IN ('opened', 'joined'))::text FROM supervision_account a"
            # Held till the entry is written: nobody who works on a record makes it miss a cause.
            " WHERE a.id = ANY(%s::uuid[]) ORDER BY a.id FOR UPDATE OF a",
            [ACCOUNTS, ids],
        )
        rows = cursor.fetchall()
    return {
        row[0]: (row[1], row[2], row[3], {
            UUID(one) for body in orjson.loads(row[4])
            for one in (*body.get("findings", ()), *([body["finding"]] if "finding" in body else ()))
        })
        for row in rows
    }  # fmt: skip


def _ease(one: _Head, *, revoked: bool, at: datetime) -> None:
    """A cause that no longer is one is noted in its records; a person ends them.

    What was only lowered still says that a case is late; a red card that is yellow now still counts
    among those of its month.
    """
    ids = records(one.id, case=one.case, agency=one.agency, person=one.person, month=one.month)
    if not revoked:
        red = uuid5(one.id, "red")
        late = uuid5(one.case, "overdue") if one.case is not None else None
        still_yellow = one.level == Level.YELLOW
        ids = [id for id in ids if id != late and (id == red or not still_yellow)]
    rows = []
    for identifier, (version, _, _, named) in _standing(ids).items():
        if one.id in named:
            rows.append(
                ledger.Row(
                    stream_id=identifier,
                    expected=version,
                    event=ledger.NewEvent(
                        kind="cause_revoked", occurred=at, agency=one.agency, region=one.region,
                        source=SOURCE, key=f"cause_revoked/{identifier}/{one.id}",
                        body={"finding": str(one.id)},
                    ),
                    head={"revoked": _revoked(identifier) + 1},
                )
            )  # fmt: skip
    if rows:
        ledger.append(ACCOUNTS, rows)


def records(
    finding: UUID, *, case: UUID | None, agency: str, person: str | None, month: date
) -> list[UUID]:
    """The records that a finding may have opened or joined."""
    ids = [uuid5(finding, "red"), uuid5(NAMESPACE, f"agency/{agency}/{month}")]
    if case is not None:
        ids.append(uuid5(case, "overdue"))
    if person:
        ids.append(uuid5(NAMESPACE, f"person/{agency}/{person}/{month}"))
    return ids


def _revoked(identifier: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT revoked FROM supervision_account WHERE id = %s", [identifier])
        return int(cursor.fetchone()[0])


# --- findings that add up ----------------------------------------------------------------------------


def _repeats(issued: Sequence[_Head], book: Rulebook, *, at: datetime) -> None:
    """A finding for a person or an agency of which there are so many of one rule in a month."""
    asked: dict[tuple[str, str, str | None, date], tuple[Rule, _Head]] = {}
    for one in issued:
        for rule in book.about("repeat", one.at.astimezone(SHANGHAI).date()):
            tests = {test.attribute: test.value for test in rule.where}
            if tests.get("of") == one.rule:
                person = one.person if "person" in (tests.get("per") or ("person",)) else None
                asked.setdefault((rule.code, one.agency, person, one.month), (rule, one))
    found = [issue for rule, one in asked.values() if (issue := _repeated(rule, one))]
    for issue in found:
        issuing.issue([issue], book=book, edition=calendars.edition(issue.region), at=at)


def _repeated(rule: Rule, one: _Head) -> Issue | None:
    tests = {test.attribute: test.value for test in rule.where}
    of, per = str(tests.get("of", "")), (tests.get("per") or ("person",))[0]
    if one.rule != of or (per == "person" and not one.person):
        return None
    since = datetime.combine(one.month, datetime.min.time(), SHANGHAI)
    until = (since + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, id FROM supervision_finding WHERE agency = %s AND rule = %s AND counts"
            " AND at >= %s AND at < %s AND (%s OR person = %s) ORDER BY at, id LIMIT %s",
            [one.agency, of, since, until, per == "agency", one.person, tests.get("count", 2)],
        )
        rows = cursor.fetchall()
    if len(rows) < int(tests.get("count", 2)):
        return None
    key = f"{one.agency}/{one.person if per == 'person' else ''}/{one.month}"
    return Issue(
        id=issuing.identifier(rule.code, key, about=per), rule=rule, key=key, at=rows[-1][0],
        whose=Responsible(one.agency, one.post if per == "person" else None,
                          one.person if per == "person" else None),
        region=one.region, source=one.source,
        facts={"of": of, "count": len(rows), "findings": [str(row[1]) for row in rows]},
    )  # fmt: skip


def _heads(ids: list[UUID]) -> list[_Head]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT id, rule, level, first_level, "case", number, item_name, agency, region, person, post,'
            " source, at, whole, counts FROM supervision_finding WHERE id = ANY(%s::uuid[])",
            [ids],
        )
        return [_Head(*row) for row in cursor.fetchall()]
