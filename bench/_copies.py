"""Many cases out of a few (复制办件): the rows of a lawful case as lines of COPY with holes in them.

A template is everything that the database holds of one case: head, events, contents, documents,
alarms, publication, slips, applicant. Ids, numbers, codes, times, the applicant's name, number and
telephone are holes; a copy fills them. `shift` moves a case by whole weeks into the past, so that it
meets the same days of the week; `moved` moves it to another district's bureau of the same kind.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid5

import psycopg

from zhengwu.domain import identifiers

DAY = 86_400_000_000  # microseconds
JITTER = 20_000_000
SHANGHAI = 8 * 3_600_000_000
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POOL = 5_000  # applicants who may come again
AGAIN = 0.4  # and how often one does

# Table → its columns (none that the database numbers itself), and the condition on one case.
# An act was entered when it happened; the simulation entered it when it ran.
TABLES: dict[str, tuple[str, str, str]] = {
    "cases_party": ("id, kind, name, phone", "id, kind, name, phone", "id = %(party)s"),
    "cases_partyidentifier": (
        "party_id, kind, value, country, valid_from, valid_to",
        "party_id, kind, value, country, valid_from, valid_to",
        "party_id = %(party)s",
    ),
    "cases_case": (
        (columns := "id, version, number, query_code, source, foreign_id, kind, item, item_version,"
        " item_name, agency, region, hall, \"window\", applicant_id, opened, state, suspended, step,"
        " holder_kind, holder_agency, holder_post, holder_actor, outcome, accepted, due, warn,"
        " provisional, decided, closed, archived, next_at"),
        columns,
        "id = %(case)s",
    ),
    "ledger_event": (
        "id, stream, stream_id, version, kind, nature, occurred, recorded, received, actor, post,"
        " agency, region, source, key, request, body",
        "id, stream, stream_id, version, kind, nature, occurred, occurred, occurred, actor, post,"
        " agency, region, source, key, request, body",
        "stream = 'case' AND stream_id = %(case)s OR stream = 'alarm' AND stream_id IN"
        " (SELECT id FROM cases_alarm WHERE \"case\" = %(case)s) ORDER BY stream DESC, version",
    ),
    "ledger_content": (
        "id, stream, stream_id, salt, data",
        "id, stream, stream_id, salt, data",
        "stream = 'case' AND stream_id = %(case)s",
    ),
    "documents_document": (
        (documents := "id, kind, template, number, check_code, agency, stream, stream_id, event,"
        " content, digest, issued, void_since, replaced_by"),
        documents,
        "stream = 'case' AND stream_id = %(case)s",
    ),
    "cases_slip": (
        'kind, value, party, "case", version, counts',
        'kind, value, party, "case", version, counts',
        '"case" = %(case)s',
    ),
    "cases_alarm": (
        'id, version, "case", "limit", level, due, occurred, agency',
        'id, version, "case", "limit", level, due, occurred, agency',
        '"case" = %(case)s',
    ),
    "cases_publication": (
        "id, case_id, number, item, item_version, item_name, item_type, agency, applicant_kind,"
        " applicant, outcome, decided, publish_by, status, ended, replaced_by, published, changed",
        "id, case_id, number, item, item_version, item_name, item_type, agency, applicant_kind,"
        " applicant, outcome, decided, publish_by, status, ended, replaced_by, decided, decided",
        "case_id = %(case)s",
    ),
}  # fmt: skip
POSITIONS = "ledger_position"
OF_APPLICANT = ("cases_party", "cases_partyidentifier")

STAMP = re.compile(r"\b(20\d\d-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d(?:\.\d+)?)(\+00(?::00)?|Z)")
DATE = re.compile(r"(?<![\d-])(20\d\d-\d\d-\d\d)(?![\d-])")
HOLE = re.compile("\x00(\\d+)\x00")

Connection = psycopg.Connection[Any]
Fill = Callable[["Copy"], str]


@dataclass(slots=True)
class Copy:
    """One case to be: what fills its holes. n: its running number; opened: microseconds."""

    n: int
    shift: int
    jitter: int
    opened: int
    check: int
    applicant: Applicant
    head: str = ""
    year: int = 0


@dataclass(frozen=True, slots=True)
class Applicant:
    """A made-up applicant with numbers that pass their checks. Nobody has them."""

    party: str
    name: str
    masked: str
    identifier: str
    phone: str


@dataclass(slots=True)
class Line:
    """A line of COPY: text with holes. at: when it happened, in microseconds, for events only."""

    table: str
    text: str
    pick: Callable[[list[str]], tuple[str, ...]]
    event: int = -1  # of an event: the hole of its id
    at: int = 0


@dataclass(slots=True)
class Template:
    """A lawful case, ready to be copied."""

    case: UUID
    agency: str
    kind: str
    applicant_kind: str
    opened: int
    closed: bool
    archived: bool
    state: str
    events: int
    item: str
    posts: frozenset[str]
    raw: dict[str, list[str]]
    known: dict[str, Any] = field(default_factory=dict)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


_days: dict[int, str] = {}


def stamp(us: int, between: str = " ", end: str = "+00") -> str:
    """An instant as text, in UTC."""
    day, rest = divmod(us, DAY)
    text = _days.get(day)
    if text is None:
        text = _days[day] = (EPOCH + timedelta(days=day)).date().isoformat()
    seconds, micro = divmod(rest, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{text}{between}{hour:02d}:{minute:02d}:{second:02d}.{micro:06d}{end}"


def read(database: Connection, case: UUID) -> Template:
    """Everything that the database holds of one case."""
    row = database.execute(
        "SELECT c.agency, c.kind, c.opened, c.closed, c.archived, c.state, c.applicant_id, p.kind,"
        " p.name, p.phone, i.value, c.number, c.query_code, c.item FROM cases_case c"
        " JOIN cases_party p ON p.id = c.applicant_id"
        " JOIN cases_partyidentifier i ON i.party_id = p.id WHERE c.id = %s",
        [case],
    ).fetchone()
    assert row is not None
    (agency, kind, opened, closed, archived, state, party, applicant_kind, name, phone, value,
     number, code, item) = row  # fmt: skip
    raw: dict[str, list[str]] = {}
    for table, (_, columns, where) in TABLES.items():
        query = f"COPY (SELECT {columns} FROM {table} WHERE {where}) TO STDOUT"
        for given, word in (("%(case)s", case), ("%(party)s", party)):
            query = query.replace(given, f"'{word}'")
        with database.cursor() as cursor, cursor.copy(query) as copy:
            raw[table] = b"".join(bytes(part) for part in copy).decode().splitlines()
    own = database.execute(
        "SELECT array_agg(occurred), array_agg(DISTINCT post) FILTER (WHERE post IS NOT NULL)"
        " FROM ledger_event WHERE stream = 'case' AND stream_id = %s",
        [case],
    ).fetchone()
    assert own is not None
    return Template(
        case=case, agency=agency, kind=kind, applicant_kind=applicant_kind,
        opened=microseconds(opened), closed=closed is not None, archived=archived is not None,
        state=state, events=len(raw["ledger_event"]), item=item, posts=frozenset(own[1]), raw=raw,
        known={
            "case": str(case), "party": str(party), "name": name, "phone": phone, "value": value,
            "number": number, "code": code, "happened": {microseconds(one) for one in own[0]},
        },
    )  # fmt: skip


class Form:
    """A template with its holes: `fill` gives the lines of one copy."""

    def __init__(self, template: Template, *, moved: str | None, home: str, masked: str) -> None:
        self.template = template
        self._holes: dict[str, int] = {}
        self._fills: list[Fill] = []
        self._home, self._moved = home, moved
        known, raw = template.known, template.raw
        # The case itself is the first hole, the party the second.
        self._hole(known["case"], lambda c: f"{c.head}-7000-8000-{c.n:012x}")
        self._hole(known["party"], lambda c: c.applicant.party)
        self._hole(known["name"], lambda c: c.applicant.name)
        self._hole(known["value"], lambda c: c.applicant.identifier)
        self._hole(known["phone"], lambda c: c.applicant.phone)
        if masked not in ("—", "*"):
            self._hole(masked, lambda c: c.applicant.masked)
        self._hole(known["number"], _number)
        self._hole(known["code"], _code)
        for line in raw["cases_alarm"]:
            self._alarm(line.split("\t"))
        for table in ("ledger_event", "ledger_content", "documents_document", "cases_publication"):
            for line in raw[table]:
                self._id(line.split("\t", 1)[0])
        for line in raw["documents_document"]:
            cells = line.split("\t")
            self._document(cells[3], cells[4])
        for line in raw["cases_slip"]:
            self._slip(line.split("\t")[1])
        self._strings = re.compile(
            "|".join(re.escape(one) for one in sorted(self._holes, key=len, reverse=True))
        )
        self.lines = [
            self._line(table, text, nth)
            for table, lines in raw.items()
            for nth, text in enumerate(lines)
        ]

    # --- holes ------------------------------------------------------------------------------------

    def _hole(self, text: str, fill: Fill) -> int:
        if text not in self._holes:
            self._holes[text] = len(self._fills)
            self._fills.append(fill)
        return self._holes[text]

    def _id(self, text: str) -> None:
        nth = len(self._fills)
        self._hole(text, lambda c: f"{c.head}-7{nth:03x}-9000-{c.n:012x}")

    def _alarm(self, cells: list[str]) -> None:
        """The id of an alarm is made of the case, the limit, the level and the due: alarms.py."""
        found = STAMP.match(cells[5])
        assert found is not None
        due = _instant(found)

        def fill(c: Copy) -> str:
            moment = EPOCH + timedelta(microseconds=due - c.shift)
            case = UUID(f"{c.head}-7000-8000-{c.n:012x}")
            return str(uuid5(case, f"{cells[3]}/{cells[4]}/{moment.isoformat()}"))

        self._hole(cells[0], fill)

    def _document(self, number: str, check: str) -> None:
        nth = len(self._fills)
        found = re.fullmatch(r"(.*)〔\d{4}〕第\d+号", number)
        assert found is not None, number
        word = found[1]
        self._hole(number, lambda c: f"{word}〔{c.year}〕第{c.n * 20 + nth % 20 + 1_000_000}号")
        self._hole(check, lambda c: _check(c.check * 64 + nth))

    def _slip(self, value: str) -> None:
        self._hole(value, lambda c: f"T{c.n + 5_000_000_000:010d}")

    def _line(self, table: str, text: str, nth: int) -> Line:
        template = self.template
        event, at = -1, 0
        if table == "ledger_event":
            cells = text.split("\t")
            found = STAMP.match(cells[6])
            assert found is not None
            at, event = _instant(found), self._holes[cells[0]]
            if cells[1] == "case":  # a key of its own, as long as one from a form
                hole = self._hole(f"key {nth}", lambda c: f"{c.head}-4{nth:03x}-a000-{c.n:012x}")
                cells[14] = f"\x00{hole}\x00"
            text = "\t".join(cells)
        text = self._strings.sub(lambda m: f"\x00{self._holes[m[0]]}\x00", text)
        text = STAMP.sub(lambda m: self._time(m, template.known["happened"]), text)
        if table != "ledger_content":  # what is printed on a paper keeps its dates
            text = DATE.sub(self._date, text)
        if self._moved:
            text = text.replace(self._home, self._moved)
        order = [int(one) for one in HOLE.findall(text)]
        pick = itemgetter(*order) if len(order) > 1 else _one(order[0])
        return Line(table, HOLE.sub("%s", text.replace("%", "%%")), pick, event, at)

    def _time(self, found: re.Match[str], happened: set[int]) -> str:
        us, between, end = _instant(found), found[2], found[4]
        moves = us in happened and between == " "

        def fill(c: Copy) -> str:
            return stamp(us - c.shift + (c.jitter if moves else 0), between, end)

        return f"\x00{self._hole(found[0], fill)}\x00"

    def _date(self, found: re.Match[str]) -> str:
        day = microseconds(datetime.fromisoformat(found[1]).replace(tzinfo=UTC))
        return f"\x00{self._hole(found[1], lambda c: stamp(day - c.shift)[:10])}\x00"

    # --- copies -----------------------------------------------------------------------------------

    def fill(self, copy: Copy) -> list[str]:
        """What goes into the holes."""
        ms = copy.opened // 1000
        copy.head = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}"
        copy.year = int(stamp(copy.opened + SHANGHAI)[:4])
        return [one(copy) for one in self._fills]


def _one(hole: int) -> Callable[[list[str]], tuple[str, ...]]:
    return lambda values: (values[hole],)


def _instant(found: re.Match[str]) -> int:
    return microseconds(datetime.fromisoformat(f"{found[1]}T{found[3]}+00:00"))


def _number(c: Copy) -> str:
    month = stamp(c.opened + SHANGHAI)
    return f"JC{month[:4]}{month[5:7]}{c.n + 1_000:06d}"


def _letters(value: int, many: int) -> str:
    out = []
    for _ in range(many):
        value, rest = divmod(value, 31)
        out.append(ALPHABET[rest])
    return "".join(out)


def _code(c: Copy) -> str:
    return _letters(c.n * 7_368_787 % 31**6, 6)


def _check(value: int) -> str:
    """A check code that no other document has: a multiplication that is one to one."""
    text = _letters(value * 300_000_007 % 31**8, 8)
    return f"{text[:4]}-{text[4:]}"


SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安邦成德恩方广和嘉景康乐明宁平启仁尚泰维文晓雅志宗子梓若云清芳兰敏静丽"
PLACES = ("江城", "清源", "东湖", "长江", "新港", "鸿运", "天和", "绿源", "博学")
TRADES = ("水务", "餐饮", "建筑", "物流", "文化传媒", "农产品", "机械制造", "环保科技", "商贸")


def made_up(kind: str, n: int, party: str) -> Applicant:
    """The n-th applicant; another one for every n below ten million."""
    from zhengwu.cases import wording

    given = GIVEN[n * 7 % len(GIVEN)] + GIVEN[n * 13 % 37 % len(GIVEN)]
    phone = f"1{'3578'[n % 4]}{n * 7_919 % 10**9:09d}"
    if kind == "organisation":
        name = f"{PLACES[n % len(PLACES)]}{given}{TRADES[n // 9 % len(TRADES)]}有限公司"
        rest, tail = n, []
        for _ in range(6):
            rest, digit = divmod(rest, len(USCC))
            tail.append(USCC[digit])
        body = "91420100MA" + "".join(tail)
        body += identifiers.organisation_check(body[8:16])
        number = body + identifiers.uscc_check(body)
    else:
        name = SURNAMES[n % len(SURNAMES)] + given[: 1 + n % 2]
        day, nth = divmod(n * 104_729 % 17_000_000, 1000)
        born = datetime(1955, 1, 1, tzinfo=UTC) + timedelta(days=day)
        body = f"420103{born:%Y%m%d}{nth:03d}"
        number = body + identifiers.resident_check(body)
    return Applicant(party, name, wording.masked(name), number, phone)


@dataclass(slots=True)
class Batch:
    """Copies on their way into the database, table by table."""

    position: int
    rows: dict[str, list[str]] = field(default_factory=dict)
    events: list[tuple[int, str, str]] = field(default_factory=list)
    pools: dict[str, deque[Applicant]] = field(default_factory=dict)

    def add(self, form: Form, *, n: int, shift: int, chance: Callable[[], float]) -> None:
        template = form.template
        kind = template.applicant_kind
        pool = self.pools.setdefault(kind, deque(maxlen=POOL))
        again = bool(pool) and chance() < AGAIN
        jitter = int(chance() * JITTER)
        opened = template.opened - shift + jitter
        if again:
            applicant = pool[int(chance() * len(pool))]
        else:
            ms = opened // 1000
            party = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7fff-8000-{n:012x}"
            applicant = made_up(kind, n, party)
            pool.append(applicant)
        copy = Copy(n, shift, jitter, opened, n, applicant)
        values = form.fill(copy)
        rows = self.rows
        for line in form.lines:
            if again and line.table in OF_APPLICANT:
                continue
            text = line.text % line.pick(values)
            if line.event >= 0:
                self.events.append((line.at - shift + jitter, text, values[line.event]))
            else:
                rows.setdefault(line.table, []).append(text)

    def written(self) -> Iterator[tuple[str, str, str]]:
        """Table, columns, lines; events in the order in which they happened, then the positions."""
        for table, (columns, _, _) in TABLES.items():
            if table == "ledger_event":
                self.events.sort(key=itemgetter(0))
                yield table, columns, "\n".join(one[1] for one in self.events) + "\n"
            elif found := self.rows.get(table):
                yield table, columns, "\n".join(found) + "\n"
        start = self.position
        yield (
            POSITIONS,
            "position, event, leaf",
            "".join(
                f"{start + nth}\t{event}\t\\\\x{event.replace('-', '') * 2}\n"
                for nth, (_, _, event) in enumerate(self.events)
            ),
        )


def copied(database: Connection, batch: Batch) -> Mapping[str, int]:
    """Put a batch into the database, in one transaction."""
    with database.transaction():
        for table, columns, lines in batch.written():
            with (
                database.cursor() as cursor,
                cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
            ):
                copy.write(lines)
    return {table: len(rows) for table, rows in batch.rows.items()}
