"""Reads of the log (查阅)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from zhengwu.domain.event import Event, Nature, made
from zhengwu.ledger.events import Entry, entry_made

COLUMNS = (
    "e.id, e.stream, e.stream_id, e.version, e.kind, e.nature, e.occurred, e.recorded, e.received,"
    " e.actor, e.post, e.agency, e.region, e.source, e.body"
)


def parse(value: Any) -> Any:
    """A jsonb value: Django's connection hands it over as text."""
    return orjson.loads(value) if isinstance(value, str) else value


def entry(row: Sequence[Any]) -> Entry:
    """An Entry of COLUMNS and the position."""
    return entry_made(*row[:5], Nature(row[5]), *row[6:14], parse(row[14]), row[15])


def stream_events(stream: str, stream_id: uuid.UUID, *, known: int | None = None) -> list[Entry]:
    """The events of a stream by version. known=p: only those with a position of at most p."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, p.position FROM ledger_event e"  # noqa: S608 - a constant
            " LEFT JOIN ledger_position p ON p.event = e.id"
            " WHERE e.stream = %s AND e.stream_id = %s"
            " AND (%s::bigint IS NULL OR p.position <= %s::bigint) ORDER BY e.version",
            [stream, stream_id, known, known],
        )
        return [entry(row) for row in cursor.fetchall()]


def places(stream: str, stream_id: uuid.UUID) -> list[tuple[int, uuid.UUID, int | None]]:
    """Version, id and position of each event of a stream, by version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.version, e.id, p.position FROM ledger_event e"
            " LEFT JOIN ledger_position p ON p.event = e.id"
            " WHERE e.stream = %s AND e.stream_id = %s ORDER BY e.version",
            [stream, stream_id],
        )
        return [(version, identifier, position) for version, identifier, position in cursor]


def last(
    stream: str, stream_id: uuid.UUID, *, known: int | None = None, version: int | None = None
) -> tuple[int, uuid.UUID] | None:
    """Version and id of the last event of a stream, None where it has none; one index lookup.

    known=p: of those with a position of at most p. version=n: of those up to version n.
    """
    narrowed = (
        " JOIN ledger_position p ON p.event = e.id AND p.position <= %(known)s"
        if known is not None
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.version, e.id FROM ledger_event e{narrowed}"  # noqa: S608 - a constant
            " WHERE e.stream = %(stream)s AND e.stream_id = %(id)s"
            " AND (%(version)s::integer IS NULL OR e.version <= %(version)s::integer)"
            " ORDER BY e.version DESC LIMIT 1",
            {"stream": stream, "id": stream_id, "known": known, "version": version},
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def last_sql(*, stream: str, stream_id: uuid.UUID) -> str:
    """The same as a scalar subquery: "version id", NULL where the stream has no event."""
    return (
        "(SELECT e.version || ' ' || e.id FROM ledger_event e"  # noqa: S608 - constants
        f" WHERE e.stream = '{stream}' AND e.stream_id = '{stream_id}'"
        " ORDER BY e.version DESC LIMIT 1)"
    )


def by_key(source: str, key: str) -> Entry | None:
    """The event that a key stands for, None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, p.position FROM ledger_event e"  # noqa: S608 - a constant
            " LEFT JOIN ledger_position p ON p.event = e.id WHERE e.source = %s AND e.key = %s",
            [source, key],
        )
        row = cursor.fetchone()
    return entry(row) if row else None


def reached(*, after: int, limit: int) -> int:
    """The last position there is of the next `limit` ones; `after` where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(position) FROM ledger_position WHERE position > %s AND position <= %s",
            [after, after + limit],
        )
        row = cursor.fetchone()
    return row[0] if row and row[0] is not None else after


def oldest_unplaced() -> datetime | None:
    """When the oldest entry was received that stands in the log and has no position yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(e.received) FROM ledger_event e WHERE e.xid >="
            " (SELECT low_xid FROM ledger_sequencer) AND NOT EXISTS"
            " (SELECT 1 FROM ledger_position p WHERE p.event = e.id)"
        )
        row = cursor.fetchone()
    return row[0] if row else None


def positions(
    *, after: int = 0, limit: int = 1000, kinds: Collection[str] | None = None
) -> list[Entry]:
    """Events in the order of the log, of the positions after the given one; None: of all kinds."""
    with connection.cursor() as cursor:
        # As one text: a third of what fifteen values of a row cost to take over one by one.
        cursor.execute(
            "SELECT json_build_array(e.id, e.stream, e.stream_id, e.version, e.kind, e.nature,"  # noqa: S608 - constants
            " e.occurred, e.recorded, e.received, e.actor, e.post, e.agency, e.region, e.source,"
            " e.body, p.position)::text FROM ledger_position p"
            " JOIN ledger_event e ON e.id = p.event"
            " WHERE p.position > %s AND p.position <= %s"
            + (" AND e.kind = ANY(%s::text[])" if kinds is not None else "")
            + " ORDER BY p.position",
            [after, after + limit, *([sorted(kinds)] if kinds is not None else [])],
        )
        rows = cursor.fetchall()
    moment, natures, loads, make = datetime.fromisoformat, _NATURES, orjson.loads, entry_made
    streams: dict[str, uuid.UUID] = {}  # most have several entries in a run
    found = []
    for (text,) in rows:
        (
            identifier, stream, told, version, kind, nature, occurred, recorded, received,
            actor, post, agency, region, source, body, position,
        ) = loads(text)  # fmt: skip
        stream_id = streams.get(told)
        if stream_id is None:
            stream_id = streams[told] = uuid.UUID(told)
        found.append(
            make(
                uuid.UUID(identifier), stream, stream_id, version, kind, natures[nature],
                moment(occurred), moment(recorded), moment(received), actor, post, agency, region,
                source, body, position,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Kept:
    """An erasable content. data and salt are None once erased."""

    id: uuid.UUID
    data: Any
    salt: bytes | None
    erased: datetime | None
    erased_because: str | None


def content(identifier: uuid.UUID | str) -> Kept | None:
    """The content row of an id, None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, data, salt, erased, erased_because FROM ledger_content WHERE id = %s",
            [uuid.UUID(str(identifier))],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Kept(row[0], parse(row[1]), bytes(row[2]) if row[2] else None, row[3], row[4])


def contents(identifiers: Collection[uuid.UUID | str]) -> dict[uuid.UUID, Any]:
    """The data of these erasable contents by id, in one query; None for what was erased."""
    if not identifiers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, data FROM ledger_content WHERE id = ANY(%s::uuid[])",
            [[uuid.UUID(str(one)) for one in identifiers]],
        )
        return {identifier: parse(data) for identifier, data in cursor.fetchall()}


def named_contents_sql(*, stream: str, stream_id: str, places: Sequence[str]) -> str:
    """A scalar subquery giving the erasable contents that a stream's events name at these places of
    their bodies, for a context's own SELECT; read the value with `named_contents`.
    """
    listed = ", ".join(f"'{one}'" for one in places)
    return (
        "(SELECT json_agg(json_build_array(k.id, k.data))::text FROM ledger_event e"  # noqa: S608
        f" JOIN LATERAL unnest(ARRAY[{listed}]) o(place) ON e.body ? o.place"
        " JOIN ledger_content k ON k.id = (e.body -> o.place ->> 'content')::uuid"
        f" WHERE e.stream = {stream} AND e.stream_id = {stream_id})"
    )


def named_contents(value: str | None) -> dict[uuid.UUID, Any]:
    """The data of a `named_contents_sql` value by id; None for what was erased."""
    return {uuid.UUID(one): data for one, data in (orjson.loads(value) if value else ())}


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far the order is settled. age: seconds since the oldest writing transaction began.

    session: who holds it, for the alarm; None when nobody does.
    """

    xid: int
    age: float
    session: str | None

    @property
    def alarm(self) -> bool:
        return self.age > 2.0


def watermark() -> Watermark:
    """The watermark of the cluster: any writing transaction in any database holds it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, o.age, o.session FROM"
            " (SELECT 1) one LEFT JOIN LATERAL (SELECT * FROM ("
            " SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age,"
            " format('pid %%s, database %%s, role %%s, %%s, %%s', pid, datname, usename,"
            " coalesce(nullif(application_name, ''), '-'), state) AS session"
            " FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            " UNION ALL SELECT extract(epoch FROM clock_timestamp() - prepared)::float8,"
            " format('prepared transaction %%s, database %%s, role %%s', gid, database, owner)"
            " FROM pg_prepared_xacts) every ORDER BY age DESC NULLS LAST LIMIT 1) o ON true",
            [],
        )
        row = cursor.fetchone()
    return Watermark(row[0], row[1] or 0.0, row[2])


@dataclass(frozen=True, slots=True)
class Lag:
    """last: the last position. unsequenced: events without one. followers: name -> behind by.

    held: those that take no step because their work is done anew out of the log's order.
    """

    last: int
    unsequenced: int
    followers: dict[str, int]
    held: frozenset[str] = frozenset()


def lag() -> Lag:
    """How far sequencer and followers are behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(last), 0), coalesce(max(low_xid::text::bigint), 0)"
            " FROM ledger_sequencer"
        )
        last, low = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM ledger_event e WHERE e.xid >= %s::text::xid8 AND NOT EXISTS"
            " (SELECT 1 FROM ledger_position p WHERE p.event = e.id)",
            [str(low)],
        )
        unsequenced = cursor.fetchone()[0]
        cursor.execute("SELECT name, position, held IS NOT NULL FROM ledger_follower ORDER BY name")
        rows = cursor.fetchall()
    return Lag(
        last,
        unsequenced,
        {name: last - at for name, at, _ in rows},
        frozenset(name for name, _, held in rows if held),
    )


def kinds(*, after: int, limit: int) -> tuple[int, dict[str, int]]:
    """Of the next positions: up to which, and how many events of each kind are among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.kind, count(*), max(p.position) FROM ledger_position p JOIN ledger_event e"
            " ON e.id = p.event WHERE p.position > %s AND p.position <= %s GROUP BY e.kind",
            [after, after + limit],
        )
        found = cursor.fetchall()
    return max((row[2] for row in found), default=after), {row[0]: row[1] for row in found}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a key was answered with: the event it stands for and the digest of its request."""

    stream_id: uuid.UUID
    version: int
    body: dict[str, Any]
    request: bytes | None


def answer(source: str, key: str) -> Answer | None:
    """The first answer to an idempotency key, None if it was never used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stream_id, version, body, request FROM ledger_event"
            " WHERE source = %s AND key = %s",
            [source, key],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Answer(row[0], row[1], parse(row[2]), bytes(row[3]) if row[3] is not None else None)


def story_sql(*, stream: str, stream_id: str, placed: str = "true") -> str:
    """A scalar subquery giving a stream's events as one text, for a context's own SELECT.

    stream, stream_id: SQL of the caller (a literal, a column). placed: SQL that says whether the
    events' positions are wanted, each of which is one more look-up. Read the value with `story`.
    """
    # As json, not jsonb: it is written once and read once, at half the price on both sides.
    return (
        "(SELECT json_agg(json_build_array(e.version, e.kind, e.nature, e.occurred,"  # noqa: S608
        " e.recorded, e.received, e.actor, e.post, e.agency, e.region, e.source,"
        f" CASE WHEN {placed} THEN (SELECT p.position FROM ledger_position p WHERE p.event = e.id)"
        f" END, e.body) ORDER BY e.version)::text FROM ledger_event e WHERE e.stream = {stream}"
        f" AND e.stream_id = {stream_id})"
    )


def content_sql(*, stream: str, stream_id: str, path: str) -> str:
    """A scalar subquery giving the erasable content that a stream's first event holds at `path`.

    path: a PostgreSQL text-array literal down to the content's id. NULL once it is erased.
    """
    return (
        "(SELECT k.data FROM ledger_event e JOIN ledger_content k"  # noqa: S608
        f" ON k.id = (e.body #>> '{path}')::uuid WHERE e.stream = {stream}"
        f" AND e.stream_id = {stream_id} AND e.version = 1)"
    )


def body_of(event: uuid.UUID) -> dict[str, Any] | None:
    """The body of an event by its id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM ledger_event WHERE id = %s", [event])
        row = cursor.fetchone()
    return dict(parse(row[0])) if row else None


def requests(source: str, keys: Sequence[str]) -> dict[str, bytes | None]:
    """Which of these keys are already in the log, with the digests of their requests."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.key, e.request FROM unnest(%s::text[]) AS k(key)"
            " JOIN ledger_event e ON e.source = %s AND e.key = k.key",
            [list(keys), source],
        )
        return {key: bytes(value) if value is not None else None for key, value in cursor}


def story(value: str | None) -> tuple[Event, ...]:
    """The events of a `story_sql` value, by version."""
    if value is None:
        return ()
    moment, natures, make = datetime.fromisoformat, _NATURES, made  # exact to the microsecond
    return tuple(
        [
            make(
                version, kind, natures[nature], moment(occurred), moment(recorded),
                moment(received), actor, post, agency, region, source, position, body,
            )
            for (
                version, kind, nature, occurred, recorded, received, actor, post, agency, region,
                source, position, body,
            ) in orjson.loads(value)
        ]
    )  # fmt: skip


_NATURES = {str(one): one for one in Nature}
