"""What goes into the log and what comes out of it, as values."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import uuid_utils

from zhengwu.domain.event import Event, Nature


def uuid7() -> uuid.UUID:
    """A fresh time-ordered identifier (RFC 9562)."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


@dataclass(frozen=True, slots=True)
class HeadTable:
    """The table that holds the version of each stream of a kind, with columns id and version.

    opening: column -> SQL type, written when a stream opens. moving: the same, written when it
    moves; a column that a row's head does not name keeps its value.
    """

    table: str
    opening: Mapping[str, str] = field(default_factory=dict)
    moving: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamKind:
    """A kind of stream (流): its name, its event kinds, its head (None: the ledger keeps one)."""

    name: str
    events: frozenset[str]
    head: HeadTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be appended. `received` is not here: the database stamps it.

    recorded: None means the stamp (our own acts). key: idempotency key, unique within the source.
    request: digest of the request that the key stands for; None is not compared.
    """

    kind: str
    nature: Nature = Nature.ACT
    occurred: datetime
    recorded: datetime | None = None
    actor: str | None = None
    post: str | None = None
    agency: str | None = None
    region: str | None = None
    source: str
    key: str
    request: bytes | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A document number (文号) to be taken in the same statement and put into the body at path."""

    series_agency: str
    series_kind: str
    year: int
    prefix: str
    suffix: str = "号"
    width: int = 5
    path: tuple[str, ...] = ("document", "number")


@dataclass(frozen=True, slots=True)
class Content:
    """Personal data or free text: stands in an erasable row; the body gets its id and digest."""

    path: tuple[str, ...]
    data: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One event for one stream. expected: the version before it; 0 opens the stream.

    Several rows of one stream in a batch name the same version, or each its own next one.
    """

    stream_id: uuid.UUID
    expected: int
    event: NewEvent
    head: Mapping[str, object] = field(default_factory=dict)
    number: Number | None = None
    contents: tuple[Content, ...] = ()


class Status(StrEnum):
    MOVED = "moved"
    STALE = "stale"  # somebody else moved the stream
    REPEATED = "repeated"  # the same key: this is the first answer
    REUSED = "reused"  # the same key for another request


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row. Everything but status is None or empty after `stale`."""

    status: Status
    event_id: uuid.UUID | None = None
    version: int | None = None
    received: datetime | None = None
    number: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    digest_differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Event):
    """An event as it stands in the log."""

    id: uuid.UUID
    stream: str
    stream_id: uuid.UUID


_Plain: Any = Event  # whose fields may be set


class _Made(_Plain):  # type: ignore[misc]
    """An entry while it is made: its fields are set plainly, and then it is an Entry."""

    __slots__ = ("id", "stream", "stream_id")
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # only both together are quick

    def __init__(
        self, identifier: uuid.UUID, stream: str, stream_id: uuid.UUID, version: int, kind: str,
        nature: Nature, occurred: datetime, recorded: datetime, received: datetime,
        actor: str | None, post: str | None, agency: str | None, region: str | None, source: str,
        body: Mapping[str, Any], position: int | None,
    ) -> None:  # fmt: skip
        self.id, self.stream, self.stream_id = identifier, stream, stream_id
        self.version, self.kind, self.nature = version, kind, nature
        self.occurred, self.recorded, self.received = occurred, recorded, received
        self.actor, self.post = actor, post
        self.agency, self.region = agency, region
        self.source, self.body, self.position = source, body, position
        self.__class__ = Entry  # type: ignore[assignment]  # refused where the fields are others


# The same as `Entry`, its fields in the order of ledger.queries.COLUMNS; as `domain.event.made`.
entry_made: Callable[..., Entry] = _Made
