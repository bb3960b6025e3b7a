"""From stories to rows (入账行): heads, events and their leaves, contents, papers, applicants.

A story becomes what the services would have written: the bodies of docs/reference/events.md, erasable
contents with salted digests, papers with numbers and check codes, a head derived by `heads.derived`
from all of it. What is not written is listed in docs/algorithms/simulation.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson

from zhengwu.cases import alarms, heads
from zhengwu.cases.simulation import times
from zhengwu.cases.simulation.lives import Read
from zhengwu.cases.simulation.papers import Press
from zhengwu.cases.simulation.stories import number
from zhengwu.cases.simulation.telling import ACT, OBSERVATION, Made, Move, Story
from zhengwu.domain import clock

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
SORTED = orjson.OPT_SORT_KEYS
NULL = "\\N"

TABLES: Mapping[str, str] = {
    "cases_party": "id, kind, name, phone",
    "cases_partyidentifier": "party_id, kind, value, country, valid_from, valid_to",
    "cases_case": (
        "id, version, number, query_code, source, foreign_id, kind, item, item_version, item_name,"
        ' agency, region, hall, "window", applicant_id, opened, state, suspended, step, holder_kind,'
        " holder_agency, holder_post, holder_actor, outcome, accepted, due, warn, provisional,"
        " decided, closed, archived, next_at"
    ),
    "ledger_event": (
        "id, stream, stream_id, version, kind, nature, occurred, recorded, received, actor, post,"
        " agency, region, source, key, body"
    ),
    "ledger_content": "id, stream, stream_id, salt, data",
    "documents_document": (
        "id, kind, template, number, check_code, agency, stream, stream_id, event, content, digest,"
        " issued"
    ),
    "cases_slip": 'kind, value, party, "case", version, counts',
    "cases_alarm": 'id, version, "case", "limit", level, due, occurred, agency',
    "cases_attempt": (
        'id, version, "case", item, item_version, act, agency, hall, occurred'
    ),
}  # fmt: skip
WRITTEN = Move("", 0, 0, 0, {})
DERIVED = (
    "state", "suspended", "step", "holder_kind", "holder_agency", "holder_post", "holder_actor",
    "outcome", "accepted", "due", "warn", "provisional", "decided", "closed", "archived", "next_at",
)  # fmt: skip
HEAD = itemgetter(*DERIVED)


# An event to be: id, stream, stream id, version, kind, nature, occurred, recorded and received in
# microseconds, actor, post, agency, region, source, key, the body's canonical text.
Entry = tuple[
    str, str, str, int, str, str, int, int, int, str | None, str | None, str | None, str, str, str, str
]  # fmt: skip
Placed = tuple[str, bytes]  # an event and its leaf


@dataclass(slots=True)
class Batch:
    """Rows for one transaction. entries: in the order of the log; opened: cases begun in it; until:
    when the last of them was received. truth, told: of what was begun in it.
    """

    rows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    entries: list[Entry] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    opened: int = 0
    until: int = 0

    def add(self, table: str, line: str) -> None:
        self.rows[table].append(line)


def logged(entries: Iterable[Entry]) -> tuple[list[str], list[Placed]]:
    """Rows of `ledger_event` and leaves: SHA-256 of the canonical bytes, docs/algorithms/log.md.

    Apart from the planning, so that whoever files does this part of the work beside the planner.
    """
    rows, placed = [], []
    for (
        event, stream, stream_id, version, kind, nature, at, entered, seen, actor, post, agency,
        region, source, key, text,
    ) in entries:  # fmt: skip
        received = times.text(seen)
        occurred = received if at == seen else times.text(at)
        recorded = received if entered == seen else times.text(entered)
        canonical = (
            f'\0{{"actor":{_quoted(actor)},"agency":{_quoted(agency)},"body":{text}'
            f',"id":"{stream_id}","kind":"{kind}","nature":"{nature}","occurred":"{occurred}",'
            f'"post":{_quoted(post)},"received":"{received}","recorded":"{recorded}",'
            f'"region":{_quoted(region)},"source":"{source}","stream":"{stream}","v":1,'
            f'"version":{version}}}'
        )
        if "\\" in text:
            text = text.replace("\\", "\\\\")  # for COPY
        rows.append(
            f"{event}\t{stream}\t{stream_id}\t{version}\t{kind}\t{nature}\t{occurred}\t{recorded}"
            f"\t{received}\t{NULL if actor is None else actor}\t{NULL if post is None else post}"
            f"\t{NULL if agency is None else agency}\t{region}\t{source}\t{key}\t{text}"
        )
        placed.append((event, sha256(canonical.encode()).digest()))
    return rows, placed


@dataclass(slots=True)
class Begun:
    """A story under way: its id, its query code, what its papers say of it."""

    story: Story
    case: str
    code: str
    tail: str  # of the ids of its rows
    values: dict[str, str] = field(default_factory=dict)

    def shrink(self) -> None:
        """Closed: nothing is left to write but that it is filed away."""
        story = self.story
        story.moves[:-1] = [WRITTEN] * (len(story.moves) - 1)
        story.applicant, story.planted, story.attempts = None, [], []
        self.values = {}


def case_id(story: Story) -> str:
    """Of the receipt's millisecond and the running number: in the order of time, and the same again."""
    ms = story.opened // 1000
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7000-8000-{story.n:012x}"


def own_id(at: int, group: int, nth: int, n: int) -> str:
    """An id of a row of a case: group 9 event, a content, b paper; nth of its kind."""
    ms = at // 1000
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{nth:03x}-{group:x}000-{n:012x}"


PAIRS = tuple(low + high for high in ALPHABET[:31] for low in ALPHABET[:31])  # digits of base 31²


def query_code(n: int) -> str:
    """One to one below 31^6."""
    high, first = divmod(n * 7_368_787 % 31**6, 961)
    third, second = divmod(high, 961)
    return PAIRS[first] + PAIRS[second] + PAIRS[third]


def check_code(n: int, nth: int) -> str:
    """One to one: no other paper of the year has it."""
    high, low = divmod((n * 64 + nth) * 300_000_007 % 31**8, 961 * 961)
    second, first = divmod(low, 961)
    fourth, third = divmod(high, 961)
    return f"{PAIRS[first]}{PAIRS[second]}-{PAIRS[third]}{PAIRS[fourth]}"


# --- rows -----------------------------------------------------------------------------------------


class Clerk:
    """Writes the rows of one year; keeps the press and what salts are drawn from."""

    def __init__(self, year: int, *, seed: int) -> None:
        self.year, self.seed = year, seed
        self.press = Press(year)

    def begin(self, story: Story) -> Begun:
        return Begun(story, case_id(story), query_code(story.n), f"000-{story.n:012x}")

    def open(self, batch: Batch, begun: Begun, read: Read) -> None:
        """Applicant, head and slips."""
        story, made = begun.story, begun.story.applicant
        if made is not None and made.fresh:
            batch.add("cases_party", f"{made.party}\t{made.kind}\t{made.name}\t{made.phone}")
            day = times.text(story.opened)[:10]
            batch.add(
                "cases_partyidentifier",
                f"{made.party}\t{made.identifier_kind}\t{made.identifier}\t\t{day}\t{NULL}",
            )
        offer = story.offer
        cells: list[object] = [
            begun.case, len(story.moves), number(story), begun.code, story.source,
            story.foreign, story.kind, offer.item if offer else None,
            offer.row.version if offer else None, offer.row.name if offer else story.title,
            story.agency, story.region, story.hall, story.window, made.party if made else None,
            times.text(story.opened), *HEAD(read.head),
        ]  # fmt: skip
        batch.add(
            "cases_case", "\t".join([one if type(one) is str else _cell(one) for one in cells])
        )
        batch.opened += 1
        if made is None:
            return
        for version, one in enumerate(story.moves, 1):
            if one.kind in SLIPPED and (slip := _slip(one)):
                batch.add(
                    "cases_slip",
                    f"{slip[0]}\t{slip[1]}\t{made.party}\t{begun.case}\t{version}\tt",
                )

    def write(self, batch: Batch, begun: Begun, version: int) -> None:
        """One event with its contents and its paper."""
        story, n = begun.story, begun.story.n
        move = story.moves[version - 1]
        ms = move.seen // 1000  # ids as `own_id` makes them
        stamp, tail = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7", begun.tail
        event = f"{stamp}{version:03x}-9{tail}"
        body, nth = move.body, version * 8
        if move.contents or move.paper is not None:
            body = dict(body)
        for path, data in move.contents:
            if path == "applicant":
                assert story.applicant is not None
                data = applicant_json(story.applicant)
            kept = orjson.dumps(data, option=SORTED).decode()
            body[path] = self._keep(batch, begun, f"{stamp}{nth:03x}-a{tail}", kept)[0]
            nth += 1
        if move.paper is not None:
            form, printed, text = self.press.print(story, move, begun.values, begun.code)
            where, digest = self._keep(batch, begun, f"{stamp}{nth:03x}-a{tail}", text)
            check, kind = check_code(n, version), move.paper.kind
            body["document"] = {
                "kind": str(kind), "check": check, "template": form.template,
                "number": printed, "data": where,
            }  # fmt: skip
            move.body = {**move.body, "document": {"number": printed}}  # delivery names it
            batch.rows["documents_document"].append(
                f"{stamp}{version:03x}-b{tail}\t{kind}\t{form.template}\t{printed}"
                f"\t{check}\t{story.agency}\tcase\t{begun.case}\t{event}\t{where['content']}\t{digest}"
                f"\t{times.text(move.seen)}"
            )
        nature = OBSERVATION if story.foreign is not None else ACT
        key = _key(begun, move, version)
        self._log(batch, "case", begun.case, version, event, move, nature, story.region, key, body)

    def attempt(self, batch: Batch, begun: Begun, move: Move) -> None:
        """What was asked for outside the guide: a stream of its own."""
        story, offer = begun.story, begun.story.offer
        assert offer is not None
        stream, event = own_id(move.seen, 12, 1, story.n), own_id(move.seen, 13, 1, story.n)
        body = {"case": begun.case, **move.body}
        batch.add(
            "cases_attempt",
            f"{stream}\t1\t{begun.case}\t{offer.item}\t{offer.row.version}\t{move.body['act']}"
            f"\t{story.agency}\t{_cell(story.hall)}\t{times.text(move.at)}",
        )
        key = f"attempt/{self.year}/{story.n}"
        self._log(batch, "attempt", stream, 1, event, move, ACT, story.region, key, body)

    def alarm(self, batch: Batch, begun: Begun, alarm: clock.Alarm, nth: int) -> None:
        """As the sweep would have raised it, a minute after its instant; the nth of its case."""
        story = begun.story
        stream = str(alarms.identifier(UUID(begun.case), alarm))
        at = times.since_epoch(alarm.at)
        due = heads.iso(alarm.due)
        batch.add(
            "cases_alarm",
            f"{stream}\t1\t{begun.case}\t{alarm.limit}\t{alarm.level}\t{due}\t{heads.iso(alarm.at)}"
            f"\t{story.agency}",
        )
        move = Move(
            alarm.level, at, at + times.MINUTE, at + times.MINUTE, {}, agency=story.agency,
            source="clock",
        )  # fmt: skip
        body = {"case": begun.case, "limit": alarm.limit, "due": due}
        event = own_id(move.seen, 14, nth, story.n)
        self._log(
            batch, "alarm", stream, 1, event, move, ACT, story.region, f"alarm/{stream}", body
        )

    def _keep(
        self, batch: Batch, begun: Begun, identifier: str, text: str
    ) -> tuple[dict[str, str], str]:
        """A content row; what the body says of it, and its digest."""
        salt = sha256(f"{self.seed}/{identifier}".encode()).digest()[:16]
        digest = f"sha256:{sha256(salt + text.encode()).hexdigest()}"
        if "\\" in text:
            text = text.replace("\\", "\\\\")  # for COPY
        batch.rows["ledger_content"].append(
            f"{identifier}\tcase\t{begun.case}\t\\\\x{salt.hex()}\t{text}"
        )
        return {"content": identifier, "digest": digest}, digest

    def _log(
        self, batch: Batch, stream: str, stream_id: str, version: int, event: str, move: Move,
        nature: str, region: str, key: str, body: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The event as it is handed to whoever files it (`logged`)."""
        text = orjson.dumps(body, option=SORTED).decode()
        batch.entries.append(
            (event, stream, stream_id, version, move.kind, nature, move.at, move.recorded, move.seen,
             move.actor, move.post, move.agency, region, move.source, key, text)
        )  # fmt: skip


def applicant_json(made: Made) -> dict[str, Any]:
    """As `Applicant.as_json` has it."""
    return {
        "kind": made.kind, "name": made.name,
        "identifiers": [{"kind": made.identifier_kind, "value": made.identifier}],
        "phone": made.phone,
    }  # fmt: skip


def _key(begun: Begun, move: Move, version: int) -> str:
    story = begun.story
    if story.foreign is not None:
        return f"{story.foreign}/{version - 1}"
    if move.source == "clock":
        return f"{move.kind}/{begun.case}/{version - 1}"
    return f"{times.day_of(story.opened)}/{story.n}/{version}"


SLIPPED = frozenset({"fee_paid", "delivered"})


def _slip(move: Move) -> tuple[str, str] | None:
    if move.kind == "fee_paid":
        return "ticket", str(move.body["ticket"])
    if move.kind == "delivered" and move.body.get("means") == "post":
        assert move.paper is not None
        return "tracking", move.paper.extra
    return None


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def _cell(value: object) -> str:
    if type(value) is str:
        return value
    if value is None:
        return NULL
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
