"""Issuing findings (发出监察发现): each once, with its evidence, its terms and whom it concerns.

The id of a finding is made of case, rule and key: a second worker, a killed one or a count from the
beginning opens it a second time in vain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection

from zhengwu.cases.heads import iso
from zhengwu.domain.counting import ordinal
from zhengwu.domain.edition import Edition
from zhengwu.domain.rulebook import DESK, HEAD, SERVED, Rule, Rulebook
from zhengwu.domain.supervising import Responsible
from zhengwu.ledger import services as ledger
from zhengwu.supervision.events import FINDINGS, SOURCE

AT_ONCE = 500
NAMESPACE = UUID("0198f0a2-7c00-7ca1-8e4d-a65c1f3b2d72")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A finding about to be issued. about: what it is told apart by (a case, else a source)."""

    id: UUID
    rule: Rule
    key: str
    at: datetime
    whose: Responsible
    region: str
    source: str
    case: UUID | None = None
    number: str = ""
    item_name: str = ""
    hall: str | None = None
    window: str | None = None
    limit: str | None = None
    due: datetime | None = None
    versions: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    known: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    how: str = "auto"
    actor: str | None = None
    request: bytes | None = None  # of a form, where a person issues
    contents: tuple[ledger.Content, ...] = ()


def identifier(rule: str, key: str, *, case: UUID | None = None, about: str = "") -> UUID:
    """The stream of a finding: the same for the same rule and key of a case, or of a source."""
    if case is not None:
        return uuid5(case, f"{rule}/{key}")
    return uuid5(NAMESPACE, f"{rule}/{about}/{key}")


def issue(found: Iterable[Issue], *, book: Rulebook, edition: Edition, at: datetime) -> list[UUID]:
    """Append those that are not there yet; their ids. at: now, from which the terms run.

    In a transaction.
    """
    wanted = {one.id: one for one in found}
    known = standing(wanted)
    rows = [_row(one, book, edition, at) for one in wanted.values() if one.id not in known]
    if rows:
        with connection.cursor() as cursor:
            # Many new streams at once: for each of them the planner would read the whole log.
            cursor.execute(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
                " SET LOCAL enable_seqscan = off"
            )
        for start in range(0, len(rows), AT_ONCE):
            ledger.append(FINDINGS, rows[start : start + AT_ONCE])
    return [row.stream_id for row in rows]


def standing(ids: Collection[UUID]) -> set[UUID]:
    """Which of these are issued."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM supervision_finding WHERE id = ANY(%s::uuid[])", [list(ids)])
        return {row[0] for row in cursor.fetchall()}


def term(edition: Edition, at: datetime, days: int) -> datetime | None:
    """The close of business so many working days from now on; None where there is no term."""
    if not days:
        return None
    return edition.close(edition.calendar.nth(ordinal(at), days))


def served(rule: Rule, whose: Responsible) -> int:
    """Whom a finding is served to, as bits of SERVED: where no post of ours has the case the head
    stands for the desk.
    """
    bits = rule.served
    return bits | HEAD if bits & DESK and not whose.post else bits


def receivers(bits: int) -> list[str]:
    """Their codes, of rulebook.RECEIVERS."""
    return [code for code, bit in SERVED.items() if bits & bit]


def _row(one: Issue, book: Rulebook, edition: Edition, at: datetime) -> ledger.Row:
    rule = one.rule
    level = str(book.level(rule, _day(one.at)))
    bits = served(rule, one.whose)
    body: dict[str, Any] = {
        "rule": rule.code, "edition": book.number, "level": level, "key": one.key,
        "at": iso(one.at), "agency": one.whose.agency, "versions": list(one.versions),
        "positions": list(one.positions), "known": one.known, "facts": dict(one.facts),
        "how": one.how, "served": receivers(bits),
    }  # fmt: skip
    if one.case is not None:
        body["case"] = str(one.case)
    if one.limit:
        body["limit"] = one.limit
    if one.due is not None:
        body["due"] = iso(one.due)
    if one.whose.post:
        body["post"] = one.whose.post
    if one.whose.person:
        body["person"] = one.whose.person
    sign, answer = term(edition, at, rule.sign), term(edition, at, rule.answer)
    head = {
        "rule": rule.code, "rule_name": rule.zh, "dimension": rule.dimension,
        "scored": rule.scored, "level": level, "first_level": level,
        "case": str(one.case) if one.case else None, "number": one.number,
        "item_name": one.item_name, "source": one.source, "agency": one.whose.agency,
        "region": one.region, "hall": one.hall, "window": one.window, "post": one.whose.post,
        "person": one.whose.person, "limit": one.limit,
        "due": iso(one.due) if one.due else None, "at": iso(one.at), "issued": iso(at),
        "whole": rule.whole, "served": bits, "sign_due": iso(sign) if sign else None,
        "answer_due": iso(answer) if answer else None, "state": "issued", "appeal": "",
        "basis_changed": False, "counts": True,
    }  # fmt: skip
    return ledger.Row(
        stream_id=one.id,
        expected=0,
        event=ledger.NewEvent(
            kind="issued", occurred=one.at, actor=one.actor, agency=one.whose.agency,
            region=one.region, source=SOURCE, key=f"finding/{one.id}", request=one.request,
            body=body,
        ),
        head=head,
        contents=one.contents,
    )  # fmt: skip


def _day(when: datetime) -> date:
    return date.fromordinal(ordinal(when))


def move(
    rows: Sequence[tuple[UUID, int]],
    kind: str,
    *,
    at: datetime,
    key: str,
    body: Mapping[str, Any],
    head: Mapping[str, Any],
    agency: str,
    region: str,
) -> None:
    """One entry by the software itself in the streams of findings, (id, version) each."""
    ledger.append(
        FINDINGS,
        [
            ledger.Row(
                stream_id=identifier_,
                expected=version,
                event=ledger.NewEvent(
                    kind=kind, occurred=at, agency=agency, region=region, source=SOURCE,
                    key=f"{kind}/{identifier_}/{key}", body=body,
                ),
                head=head,
            )
            for identifier_, version in rows
        ],
    )  # fmt: skip
