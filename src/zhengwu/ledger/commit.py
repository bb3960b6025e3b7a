"""The commit: one statement that moves streams and inserts their next events (提交).

docs/algorithms/log.md explains the statement part by part.
"""

# ruff: noqa: S608 - every composed name is a registered table or column, never input
from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors

from zhengwu.domain.refusal import Refusal
from zhengwu.ledger.canonical import check_json, content_digest, instant
from zhengwu.ledger.events import HeadTable, Outcome, Row, Status, StreamKind, uuid7

GENERIC = HeadTable("ledger_head", opening={"stream": "text"})
EVENT_COLUMNS = (
    "id uuid, kind text, nature text, occurred timestamptz, recorded timestamptz, actor text,"
    " post text, agency text, region text, source text, key text, request bytea, body jsonb"
)
DEADLOCK_TRIES = 4

_kinds: dict[str, StreamKind] = {}


class Stale(Exception):
    """All or nothing was asked and a stream had moved on; nothing was written.

    outcomes: one per row, in order, as they would have been.
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__("stale")
        self.outcomes = tuple(outcomes)


def register(kind: StreamKind) -> StreamKind:
    """Make a kind of stream known; the same registration twice is harmless."""
    known = _kinds.setdefault(kind.name, kind)
    if known != kind:
        raise ValueError(f"stream kind {kind.name} is already registered otherwise")
    return kind


def registered(stream: str) -> StreamKind:
    """The registered kind. Raises LookupError."""
    try:
        return _kinds[stream]
    except KeyError:
        raise LookupError(f"stream kind {stream} is not registered") from None


@dataclass(frozen=True, slots=True)
class _Group:
    """All rows of one stream in a batch; they move together."""

    stream_id: uuid.UUID
    expected: int
    rows: tuple[int, ...]
    consistent: bool
    columns: frozenset[str]
    head: str
    events: str
    bodies: tuple[dict[str, Any], ...]


def _cast(source: str, column: str, sqltype: str) -> str:
    arrow = "->" if sqltype in ("json", "jsonb") else "->>"
    # A JSON null in a jsonb column means the column's own null.
    if arrow == "->":
        return f"NULLIF({source} -> '{column}', 'null'::jsonb)::{sqltype}"
    return f"({source} ->> '{column}')::{sqltype}"


_texts: dict[tuple[str, bool, bool, bool, tuple[str, ...], bool, bool], str] = {}

_ONE = "(SELECT %s::uuid, %s::integer, %s::text::jsonb, %s::text::jsonb)"
_MANY = "unnest(%s::uuid[], %s::integer[], %s::text[]::jsonb[], %s::text[]::jsonb[])"


def statement(
    head: HeadTable,
    *,
    one: bool,
    opens: bool,
    moves: bool,
    columns: Sequence[str],
    numbers: bool,
    contents: bool,
) -> str:
    """The SQL text, composed once for each shape, so that the server prepares it once.

    See `_statement`.
    """
    shape = (head.table, one, opens, moves, tuple(columns), numbers, contents)
    text = _texts.get(shape)
    if text is None:
        text = _texts[shape] = _statement(
            head, one=one, opens=opens, moves=moves, columns=columns, numbers=numbers,
            contents=contents,
        )  # fmt: skip
    return text


def _statement(
    head: HeadTable,
    *,
    one: bool,
    opens: bool,
    moves: bool,
    columns: Sequence[str],
    numbers: bool,
    contents: bool,
) -> str:
    """The SQL text. Parameters: ids, expected versions, heads, events, stream.

    one: of one stream, whose four are no arrays: the server keeps the plan of a statement whose
    rows it need not guess, and the plan costs more than the work. columns: those that the opening rows name. Returns rows (id, version, received, with numbers also
    body) of the inserted events; a stream without such rows did not move.
    """
    parts = [
        "WITH input AS MATERIALIZED (SELECT i.id, i.expected, i.head, i.events FROM"
        f" {_ONE if one else _MANY} AS i(id, expected, head, events)"
        # A stream one of whose keys is already in the log does not move again.
        " WHERE NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(i.events) AS k(source text, key text)"
        " JOIN ledger_event e ON e.source = k.source AND e.key = k.key))"
    ]
    won = []
    if moves:
        sets = "".join(
            f", \"{column}\" = CASE WHEN l.head ? '{column}'"
            f' THEN {_cast("l.head", column, sqltype)} ELSE t."{column}" END'
            for column, sqltype in head.moving.items()
        )
        parts += [
            # In id order, and before anything else is touched: writers queue, never deadlock.
            f"locked AS MATERIALIZED (SELECT i.id, i.expected, i.head, i.events"
            f" FROM input i JOIN {head.table} h ON h.id = i.id WHERE i.expected > 0"
            " ORDER BY h.id FOR UPDATE OF h)",
            f"moved AS (UPDATE {head.table} t SET"
            f" version = l.expected + jsonb_array_length(l.events){sets}"
            " FROM locked l WHERE t.id = l.id AND t.version = l.expected"
            " RETURNING t.id, l.expected, l.events)",
        ]
        won.append("SELECT id, expected, events FROM moved")
    if opens:
        types = {**head.moving, **head.opening}
        names = "".join(f', "{column}"' for column in columns)
        values = "".join(f", {_cast('f.head', column, types[column])}" for column in columns)
        parts += [
            f"fresh AS MATERIALIZED (SELECT i.id, i.expected, i.head, i.events FROM input i"
            f" WHERE i.expected = 0 AND NOT EXISTS (SELECT 1 FROM {head.table} h"
            " WHERE h.id = i.id))",
            f"opened AS (INSERT INTO {head.table} (id, version{names})"
            f" SELECT f.id, jsonb_array_length(f.events){values} FROM fresh f ORDER BY f.id)",
        ]
        won.append("SELECT id, expected, events FROM fresh")
    extra = ", number jsonb, contents jsonb"
    parts.append(
        "taken AS MATERIALIZED (SELECT w.id AS stream_id, (w.expected + e.nth)::integer AS version,"
        f" e.* FROM ({' UNION ALL '.join(won)}) w CROSS JOIN LATERAL ROWS FROM"
        f" (jsonb_to_recordset(w.events) AS ({EVENT_COLUMNS}{extra})) WITH ORDINALITY"
        " AS e(id, kind, nature, occurred, recorded, actor, post, agency, region, source, key,"
        " request, body, number, contents, nth))"
    )
    # What stands in the body is known, but for the numbers that are taken here.
    body, more, answer = "k.body", "", "id, version, received"
    if numbers:
        answer += ", body"
        parts += [
            "wanted AS MATERIALIZED (SELECT k.id, k.number ->> 'agency' AS agency,"
            " k.number ->> 'kind' AS kind, (k.number ->> 'year')::integer AS year,"
            " row_number() OVER (PARTITION BY k.number ->> 'agency', k.number ->> 'kind',"
            " k.number ->> 'year' ORDER BY k.stream_id DESC, k.version DESC) AS down"
            " FROM taken k WHERE k.number IS NOT NULL)",
            "series AS (INSERT INTO ledger_series (agency, kind, year, last)"
            " SELECT agency, kind, year, count(*) FROM wanted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            " ON CONFLICT (agency, kind, year)"
            " DO UPDATE SET last = ledger_series.last + excluded.last"
            " RETURNING agency, kind, year, last)",
            "numbered AS MATERIALIZED (SELECT w.id, s.last - w.down + 1 AS value"
            " FROM wanted w JOIN series s USING (agency, kind, year))",
        ]
        body = (
            "CASE WHEN k.number IS NULL THEN k.body ELSE jsonb_set(k.body,"
            " ARRAY(SELECT jsonb_array_elements_text(k.number -> 'path')), to_jsonb("
            "(k.number ->> 'prefix') || lpad(n.value::text, greatest((k.number ->> 'width')::int,"
            " length(n.value::text)), '0') || (k.number ->> 'suffix'))) END"
        )
        more = " LEFT JOIN numbered n ON n.id = k.id"
    if contents:
        parts.append(
            "kept AS (INSERT INTO ledger_content (id, stream, stream_id, salt, data)"
            " SELECT c.id, %s, k.stream_id, c.salt, c.data FROM taken k CROSS JOIN LATERAL"
            " jsonb_to_recordset(k.contents) AS c(id uuid, salt bytea, data jsonb)"
            " WHERE k.contents IS NOT NULL)"
        )
    parts.append(
        "written AS (INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature,"
        " occurred, recorded, received, actor, post, agency, region, source, key, request, body)"
        " SELECT k.id, %s, k.stream_id, k.version, k.kind, k.nature, k.occurred,"
        " coalesce(k.recorded, statement_timestamp()), statement_timestamp(), k.actor, k.post,"
        f" k.agency, k.region, k.source, k.key, k.request, {body} FROM taken k{more}"
        f" ORDER BY k.stream_id, k.version RETURNING {answer})"
    )
    return ", ".join(parts) + f" SELECT {answer} FROM written"


def _put(body: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Put a value into nested objects, making copies on the way (bodies are the caller's)."""
    for name in path[:-1]:
        inner = body.get(name)
        body[name] = dict(inner) if isinstance(inner, Mapping) else {}
        body = body[name]
    body[path[-1]] = value


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.isoformat()  # in whatever zone: the column is an instant
    if isinstance(value, (bytes, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def _dump(value: object) -> str:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _array(values: Iterable[str]) -> str:
    """A PostgreSQL array of texts, written here: the driver looks at every letter in Python."""
    quoted = (one.replace("\\", "\\\\").replace('"', '\\"') for one in values)
    return '{"' + '","'.join(quoted) + '"}'


def _event(row: Row) -> dict[str, Any]:
    event = row.event
    body = dict(event.body)
    kept = []
    for content in row.contents:
        check_json(content.data, "content")
        identifier, salt = uuid7(), secrets.token_bytes(16)
        _put(
            body,
            content.path,
            {"content": str(identifier), "digest": content_digest(salt, content.data)},
        )
        kept.append({"id": str(identifier), "salt": "\\x" + salt.hex(), "data": content.data})
    number = None
    if row.number:
        _put(body, row.number.path, "")
        number = {
            "agency": row.number.series_agency,
            "kind": row.number.series_kind,
            "year": row.number.year,
            "prefix": row.number.prefix,
            "suffix": row.number.suffix,
            "width": row.number.width,
            "path": list(row.number.path),
        }
    check_json(body)
    return {
        "id": str(event.id),
        "kind": event.kind,
        "nature": str(event.nature),
        "occurred": instant(event.occurred),
        "recorded": instant(event.recorded) if event.recorded else None,
        "actor": event.actor,
        "post": event.post,
        "agency": event.agency,
        "region": event.region,
        "source": event.source,
        "key": event.key,
        "request": "\\x" + event.request.hex() if event.request is not None else None,
        "body": body,
        "number": number,
        "contents": kept or None,
    }


def _groups(kind: StreamKind, rows: Sequence[Row]) -> list[_Group]:
    """The rows per stream, in id order."""
    head = kind.head or GENERIC
    together: dict[uuid.UUID, list[int]] = {}
    for index, row in enumerate(rows):
        if row.event.kind not in kind.events:
            raise ValueError(f"{row.event.kind} is no event of {kind.name}")
        together.setdefault(row.stream_id, []).append(index)
    groups = []
    for stream_id in sorted(together, key=attrgetter("int")):
        indexes = together[stream_id]
        expected = rows[indexes[0]].expected
        merged: dict[str, object] = {} if kind.head else {"stream": kind.name}
        for index in indexes:
            merged |= rows[index].head
        allowed = {*head.moving, *head.opening} if expected == 0 else {*head.moving, "stream"}
        if wrong := set(merged) - allowed:
            raise ValueError(f"{head.table} does not take {sorted(wrong)}")
        events = [_event(rows[index]) for index in indexes]
        groups.append(
            _Group(
                stream_id,
                expected,
                tuple(indexes),
                all(
                    rows[index].expected in (expected, expected + nth)
                    for nth, index in enumerate(indexes)
                ),
                frozenset(merged),
                _dump(merged),
                _dump(events),
                tuple([event["body"] for event in events]),
            )
        )
    return groups


def compose(
    kind: StreamKind, rows: Sequence[Row], groups: Sequence[_Group]
) -> tuple[str, list[Any]]:
    """The statement and its parameters for groups that go together."""
    head = kind.head or GENERIC
    opening = [group for group in groups if group.expected == 0]
    named = {name for group in opening for name in group.columns}
    contents = any(rows[index].contents for group in groups for index in group.rows)
    text = statement(
        head,
        one=len(groups) == 1,
        opens=bool(opening),
        moves=len(opening) < len(groups),
        columns=[name for name in {**head.opening, **head.moving} if name in named],
        numbers=any(rows[index].number for group in groups for index in group.rows),
        contents=contents,
    )
    if len(groups) == 1:
        (group,) = groups
        parameters: list[Any] = [group.stream_id, group.expected, group.head, group.events]
    else:
        parameters = [
            "{" + ",".join([str(group.stream_id) for group in groups]) + "}",
            "{" + ",".join([str(group.expected) for group in groups]) + "}",
            _array([group.head for group in groups]),
            _array([group.events for group in groups]),
        ]
    parameters += [*([kind.name] if contents else []), kind.name]
    return text, parameters


def append(stream: str, rows: Sequence[Row], *, whole: bool = False) -> list[Outcome]:
    """Commit events; one outcome per row, in the order given.

    whole: all or nothing; raises Stale when a stream had moved on, Refusal `ledger.key_reused`
    when a key stands for another request. Without it every stream stands for itself (status
    stale, repeated, reused). Outside a transaction each statement commits by itself.
    """
    if not rows:
        return []
    kind = registered(stream)
    groups = _groups(kind, rows)
    outcomes: dict[int, Outcome] = {}
    if not whole:
        _commit(kind, rows, [group for group in groups if group.consistent], outcomes)
        _look_again(rows, outcomes)
        return [outcomes[index] for index in range(len(rows))]
    try:
        with transaction.atomic():
            _commit(kind, rows, [group for group in groups if group.consistent], outcomes)
            if len(outcomes) < len(rows):
                raise Stale(())
    except Stale:
        outcomes.clear()
        _look_again(rows, outcomes)
        answers = [outcomes[index] for index in range(len(rows))]
        if any(answer.status is Status.REUSED for answer in answers):
            raise Refusal(
                "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
            ) from None
        if any(answer.status is not Status.REPEATED for answer in answers):
            raise Stale(answers) from None
        return answers
    return [outcomes[index] for index in range(len(rows))]


def _commit(
    kind: StreamKind,
    rows: Sequence[Row],
    groups: Sequence[_Group],
    outcomes: dict[int, Outcome],
    tries: int = DEADLOCK_TRIES,
) -> None:
    """Fill in the outcomes of what moved; a unique violation splits the batch."""
    if not groups:
        return
    text, parameters = compose(kind, rows, groups)
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(text, parameters)
            written = {row[0]: row for row in cursor.fetchall()}
    except IntegrityError as problem:
        cause = problem.__cause__
        if not isinstance(cause, errors.UniqueViolation):
            raise
        if len(groups) > 1:
            half = len(groups) // 2
            _commit(kind, rows, groups[:half], outcomes)
            _commit(kind, rows, groups[half:], outcomes)
            return
        table = (kind.head or GENERIC).table
        if cause.diag.table_name == "ledger_event" or (
            cause.diag.constraint_name == f"{table}_pkey"
        ):
            return  # a twin was faster: looked up again in a new statement
        raise
    except OperationalError as problem:
        # Openings of one key under two ids may wait for each other across batches.
        if not isinstance(problem.__cause__, errors.DeadlockDetected) or tries <= 1:
            raise
        _commit(kind, rows, groups, outcomes, tries - 1)
        return
    for group in groups:
        for index, body in zip(group.rows, group.bodies, strict=True):
            row = rows[index]
            if answer := written.get(row.event.id):
                told = answer[3] if len(answer) > 3 else body
                outcomes[index] = _outcome(Status.MOVED, row, (*answer[:3], told))


def _outcome(status: Status, row: Row, answer: Sequence[Any], differs: bool = False) -> Outcome:
    identifier, version, received, body = answer[:4]
    if isinstance(body, str):
        body = json.loads(body)
    number: Any = None
    if row.number:
        number = body
        for name in row.number.path:
            number = number.get(name) if isinstance(number, Mapping) else None
    return Outcome(status, identifier, version, received, number, body, differs)


def _look_again(rows: Sequence[Row], outcomes: dict[int, Outcome]) -> None:
    """Whatever did not move: repeated, reused or stale, seen by a new statement."""
    left = [index for index in range(len(rows)) if index not in outcomes]
    if not left:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.version, e.received, e.body, e.source, e.key, e.request"
            " FROM unnest(%s::text[], %s::text[]) AS k(source, key)"
            " JOIN ledger_event e ON e.source = k.source AND e.key = k.key",
            [
                [rows[index].event.source for index in left],
                [rows[index].event.key for index in left],
            ],
        )
        found = {(row[4], row[5]): row for row in cursor.fetchall()}
    for index in left:
        row = rows[index]
        answer = found.get((row.event.source, row.event.key))
        if answer is None:
            outcomes[index] = Outcome(Status.STALE)
            continue
        first = None if answer[6] is None else bytes(answer[6])
        differs = None not in (first, row.event.request) and first != row.event.request
        status = Status.REUSED if differs else Status.REPEATED
        outcomes[index] = _outcome(status, row, answer, differs)
