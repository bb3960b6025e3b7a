"""Published decisions (许可决定公开): a follower keeps the table, the public searches it.

Which decisions are published, and how soon, is the table `RULES`. What is stored is masked when it
is stored: the whole name of a person never stands in this table. `derive` is a pure function of a
case's story, so that reading the log again gives the same rows; only the moment of publication is
kept from the first time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connection, transaction

from zhengwu.calendars import queries as calendars
from zhengwu.cases.events import STREAM
from zhengwu.cases.heads import SHANGHAI
from zhengwu.catalog import finding
from zhengwu.catalog import queries as catalog
from zhengwu.documents import kinds, masking
from zhengwu.domain import lifecycle
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.event import Event, Nature
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

PAGE = 20
EXPORT = 5_000  # rows of one download
COUNTED = 10_000  # totals stop here, and so do the pages
FEED = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """Which decisions are published, within how many working days, and where that stands.

    item_type: 行政许可, or None for every other type. persons: also those given to natural persons.
    """

    item_type: str | None
    outcomes: frozenset[str]
    persons: bool
    days: int
    basis: str
    days_basis: str


# 行政许可法 40 speaks of decisions that grant; refusals are not published. The seven days of the
# “双公示” are an order to departments, no law: a city may change the number here.
RULES = (
    Rule(
        item_type=kinds.LICENCE,
        outcomes=frozenset({"granted"}),
        persons=True,
        days=7,
        basis="行政许可法 第四十条",
        days_basis="行政许可“双公示”：自作出决定之日起 7 个工作日",
    ),
    # 政府信息公开条例 15 keeps private what only concerns a person; art. 40 says nothing of these.
    Rule(
        item_type=None,
        outcomes=frozenset({"granted"}),
        persons=False,
        days=20,
        basis="政府信息公开条例 第二十条第五项",
        days_basis="政府信息公开条例 第二十六条：20 个工作日",
    ),
)

VALID, CORRECTED, ENTRY_WITHDRAWN = "valid", "corrected", "entry_withdrawn"
STATUSES = {
    VALID: "有效",
    CORRECTED: "已更正",
    "revoked": "已撤销",
    "cancelled": "已注销",
    "taken_back": "已撤回",
    ENTRY_WITHDRAWN: "误录，已作废",
}
ENDS = frozenset({"revoked", "cancelled", "taken_back"})


def rule_of(item_type: str) -> Rule:
    """The rule for an item's type."""
    return next(rule for rule in RULES if rule.item_type in (item_type, None))


@dataclass(frozen=True, slots=True)
class Decision:
    """One published decision; names masked. agency: code. title: as on the paper."""

    id: UUID
    case: UUID
    number: str
    item: str
    item_version: int
    item_name: str
    item_type: str
    agency: str
    applicant_kind: str
    applicant: str
    outcome: str
    decided: date
    publish_by: date
    status: str
    ended: date | None
    replaced_by: str
    published: datetime | None = None
    changed: datetime | None = None

    @property
    def title(self) -> str:
        return kinds.title(kinds.Kind.DECISION, item_type=self.item_type, outcome=self.outcome)

    @property
    def status_zh(self) -> str:
        return STATUSES[self.status]

    @property
    def rule(self) -> Rule:
        return rule_of(self.item_type)

    @property
    def late(self) -> bool:
        """Whether it came later than its rule allows."""
        if self.published is None:
            return False
        return self.published.astimezone(SHANGHAI).date() > self.publish_by


@dataclass(frozen=True, slots=True)
class Case:
    """What is read of a case to derive its published decisions."""

    id: UUID
    item: str
    item_version: int
    item_name: str
    item_type: str
    agency: str
    applicant: Mapping[str, Any]  # empty once erased


def shown(applicant: Mapping[str, Any]) -> str:
    """The applicant as the public may see it. Persons are always masked."""
    name = str(applicant.get("name") or "")
    if not name:
        return "（已依法删除）"
    if applicant.get("kind") == "organisation":
        return name if settings.PUBLISH_ORGANISATION_NAMES else masking.organisation(name)
    return masking.person(name)


def derive(case: Case, events: Sequence[Event], calendar: Calendar) -> tuple[Decision, ...]:
    """The decisions of a case that are public, from its whole story; one for each time it was
    decided, also where that entry was withdrawn later."""
    rule = rule_of(case.item_type)
    kind = str(case.applicant.get("kind") or "")
    if kind != "organisation" and not rule.persons:
        return ()
    counting = lifecycle.standing_events(events)
    standing = {event.version for event in counting}
    found = []
    for event in events:
        document = event.body.get("document")
        if (
            event.nature != Nature.ACT
            or event.kind not in rule.outcomes
            or not isinstance(document, Mapping)
        ):
            continue
        decided = event.occurred.astimezone(SHANGHAI).date()
        status, ended, replaced_by = VALID, None, ""
        if event.version not in standing:
            status, ended = ENTRY_WITHDRAWN, _withdrawn_on(event.version, events)
        else:
            status, ended, replaced_by = _fate(str(document.get("check", "")), event, counting)
        found.append(
            Decision(
                # The public address tells nothing of the case's own id.
                id=uuid5(case.id, f"decision/{event.version}"),
                case=case.id,
                number=str(document.get("number", "")),
                item=case.item,
                item_version=case.item_version,
                item_name=case.item_name,
                item_type=case.item_type,
                agency=case.agency,
                applicant_kind=kind,
                applicant=shown(case.applicant),
                outcome=event.kind,
                decided=decided,
                publish_by=calendar.add_working_days(decided, rule.days).day,
                status=status,
                ended=ended,
                replaced_by=replaced_by,
            )
        )
    return tuple(found)


def _fate(check: str, decision: Event, counting: Iterable[Event]) -> tuple[str, date | None, str]:
    """What became of a decision that stands: its status, since when, the paper that says so."""
    status: str = VALID
    ended: date | None = None
    number = ""
    for event in counting:
        if event.version <= decision.version:
            continue
        document = event.body.get("document")
        paper = document if isinstance(document, Mapping) else {}
        if event.kind == "document_corrected" and event.body.get("replaces") == check:
            check = str(paper.get("check", ""))  # a correction may be corrected again
            if status in ENDS:
                continue
            status = CORRECTED
        elif event.kind in ENDS:
            status = event.kind
        else:
            continue
        ended = event.occurred.astimezone(SHANGHAI).date()
        number = str(paper.get("number", ""))
    return status, ended, number


def _withdrawn_on(version: int, events: Iterable[Event]) -> date | None:
    days = [
        event.occurred.astimezone(SHANGHAI).date()
        for event in events
        if event.kind == "entry_withdrawn" and event.body.get("version") == version
    ]
    return days[-1] if days else None


# --- the follower ----------------------------------------------------------------------------

KINDS = frozenset({"granted", "refused", "document_corrected", "entry_withdrawn"}) | ENDS
APPLICANT = ledger_queries.content_sql(
    stream="'case'", stream_id="c.id", path="{applicant,content}"
)
WRITTEN = (
    ("id", "uuid"), ("case_id", "uuid"), ("number", "text"), ("item", "text"),
    ("item_version", "integer"), ("item_name", "text"), ("item_type", "text"),
    ("agency", "text"), ("applicant_kind", "text"), ("applicant", "text"), ("outcome", "text"),
    ("decided", "date"), ("publish_by", "date"), ("status", "text"), ("ended", "date"),
    ("replaced_by", "text"),
)  # fmt: skip
COLUMNS = ", ".join(f"p.{name}" for name, _ in WRITTEN) + ", p.published, p.changed"


def publish(events: Sequence[ledger.Entry]) -> None:
    """Bring the published decisions of these cases up to date; in the cursor's transaction."""
    cases = sorted({event.stream_id for event in events if event.stream == STREAM})
    if cases:
        refresh(cases)


def refresh(cases: Collection[UUID]) -> None:
    """Derive and write the rows of these cases anew. A row that stays as it was is not touched."""
    found = [row for one in _read(cases) for row in derive(*one)]
    names = ", ".join(name for name, _ in WRITTEN)
    moving = [name for name, _ in WRITTEN[2:]]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM cases_publication WHERE case_id = ANY(%s::uuid[])"
            " AND NOT id = ANY(%s::uuid[])",
            [list(cases), [row.id for row in found]],
        )
        if not found:
            return
        cursor.execute(
            f"INSERT INTO cases_publication AS p ({names}, published, changed) SELECT r.*, now(),"  # noqa: S608
            " now() FROM unnest("
            + ", ".join(f"%s::{sql}[]" for _, sql in WRITTEN)
            + ") AS r ON CONFLICT (id) DO UPDATE SET changed = now(), "
            + ", ".join(f"{name} = excluded.{name}" for name in moving)
            + f" WHERE ({', '.join(f'p.{name}' for name in moving)}) IS DISTINCT FROM"
            + f" ({', '.join(f'excluded.{name}' for name in moving)})",
            [
                [getattr(row, "case" if name == "case_id" else name) for row in found]
                for name, _ in WRITTEN
            ],
        )


def refresh_all(*, page: int = 500, progress: Callable[[int, int], None] | None = None) -> int:
    """Derive every case's rows anew (after a change of rule, mask or setting); how many cases.

    progress: told after every page how many are done, of how many there were at the beginning.
    """
    done, after = 0, UUID(int=0)
    total = _many() if progress else 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM cases_case WHERE id > %s::uuid ORDER BY id LIMIT %s::int",
                [after, page],
            )
            cases = [row[0] for row in cursor.fetchall()]
            if not cases:
                return done
            refresh(cases)
        done, after = done + len(cases), cases[-1]
        if progress:
            progress(done, total)


def _many() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_case")
        return int(cursor.fetchone()[0])


def _read(cases: Collection[UUID]) -> Iterable[tuple[Case, tuple[Event, ...], Calendar]]:
    story = ledger_queries.story_sql(stream="'case'", stream_id="c.id")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.item, c.item_version, c.item_name, c.agency, c.region, "  # noqa: S608
            f"{APPLICANT}, {story} FROM cases_case c"
            " WHERE c.id = ANY(%s::uuid[]) AND c.kind <> 'foreign' AND c.item IS NOT NULL"
            " ORDER BY c.id",
            [list(cases)],
        )
        rows = cursor.fetchall()
    by_region: dict[str, Calendar] = {}
    for id_, item, version, name, agency, region, applicant, events in rows:
        if isinstance(applicant, str):
            applicant = json.loads(applicant)
        if region not in by_region:
            by_region[region] = calendars.edition(region).calendar
        case = Case(
            id=id_, item=item, item_version=version, item_name=name,
            item_type=catalog.version(item, version).type, agency=agency,
            applicant=applicant or {},
        )  # fmt: skip
        yield case, ledger_queries.story(events), by_region[region]


PUBLICATION = ledger.Follower(name="cases.publication", kinds=KINDS, handle=publish)


# --- the public's questions ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A page of published decisions. more: there are more than were counted."""

    rows: tuple[Decision, ...]
    total: int
    page: int
    pages: int
    more: bool


NUMBER = re.compile(r"字(〔|\d|第)")
BRACKETS = str.maketrans("[(（【［〈<])）】］〉>", "〔〔〔〔〔〔〔〕〕〕〕〕〕〕")


def search(
    *,
    q: str = "",
    agency: str = "",
    status: str = "",
    since: date | None = None,
    until: date | None = None,
    page: int = 1,
    size: int = PAGE,
    on: date,
) -> Found:
    """Published decisions, the newest first. q: the decision's number or its beginning, or words
    of the item or the department. since, until: days of the decision, both included."""
    where, parameters = conditions(
        q=q, agency=agency, status=status, since=since, until=until, on=on
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM cases_publication p"  # noqa: S608
            f" WHERE {where} LIMIT {COUNTED + 1}) counted",
            parameters,
        )
        counted = int(cursor.fetchone()[0])
        total = min(counted, COUNTED)
        pages = max(1, -(-total // size))
        page = min(max(1, page), pages)
        cursor.execute(page_sql(where), {**parameters, "size": size, "skip": (page - 1) * size})
        rows = tuple(_decision(row) for row in cursor.fetchall())
    return Found(rows, total, page, pages, counted > COUNTED)


def page_sql(where: str) -> str:
    return (
        f"SELECT {COLUMNS} FROM cases_publication p WHERE {where}"  # noqa: S608 - ours
        " ORDER BY p.decided DESC, p.id DESC LIMIT %(size)s OFFSET %(skip)s"
    )


def conditions(
    *, q: str, agency: str, status: str, since: date | None, until: date | None, on: date
) -> tuple[str, dict[str, Any]]:
    """The WHERE of a search, and its parameters."""
    parts = ["true"]
    parameters: dict[str, Any] = {}
    number = number_of(q)
    if number:
        parts.append("p.number LIKE %(number)s")
        parameters["number"] = re.sub(r"([\\%_])", r"\\\1", number) + "%"
    elif q.strip():
        parts.append("p.item = ANY(%(items)s::text[])")
        parameters["items"] = items_of(q, on)
    if agency:
        parts.append("p.agency = %(agency)s::text")
        parameters["agency"] = agency
    if status in STATUSES:
        # Spelt out, so that the planner sees the partial index of the rare ones.
        parts.append(f"p.status = '{status}'")
    if since:
        parts.append("p.decided >= %(since)s::date")
        parameters["since"] = since
    if until:
        parts.append("p.decided <= %(until)s::date")
        parameters["until"] = until
    return " AND ".join(parts), parameters


def number_of(q: str) -> str:
    """The decision's number as it is printed, if that is what was typed; otherwise nothing."""
    typed = "".join(q.split()).translate(BRACKETS)
    return typed if NUMBER.search(typed) else ""


def items_of(q: str, on: date) -> list[str]:
    """The codes of the items whose name, code or department holds the words, also retired ones."""
    words = q.split()[:8]
    codes = list(finding.codes(q, on))
    codes += [
        row.code for row in catalog.retired() if words and all(word in row.name for word in words)
    ]
    return sorted(set(codes))


def one(identifier: UUID) -> Decision | None:
    """A published decision; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM cases_publication p WHERE p.id = %s::uuid",  # noqa: S608
            [identifier],
        )
        row = cursor.fetchone()
    return _decision(row) if row else None


def newest(*, limit: int = FEED) -> tuple[Decision, ...]:
    """The newest decisions that hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM cases_publication p WHERE p.status IN ('valid', 'corrected')"  # noqa: S608
            " ORDER BY p.decided DESC, p.id DESC LIMIT %s::int",
            [limit],
        )
        return tuple(_decision(row) for row in cursor.fetchall())


def _decision(row: Sequence[Any]) -> Decision:
    """The fields of `Decision` in the order of COLUMNS."""
    return Decision(*row)
