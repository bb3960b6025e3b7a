"""What the verbs of supervision share (监察行为): fetching under permission, what came between, commit.

A verb asks for what it moves with its permission in the fetch, decides by the events it read, and
appends one event under the version it read. What the software entered meanwhile (a reminder, a cause
that joined) does not hold a person up: the verb decides anew. What a person entered does, and so does
what changes the ground of a decision: `Moved`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.db import connection, transaction

from zhengwu.accounts.queries import Actor
from zhengwu.cases import writing
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision.events import SOURCE
from zhengwu.supervision.sight import Sight

TRIES = 5  # others may move the stream meanwhile
TEXT = 2_000  # most characters of what somebody writes


class NotFound(Exception):
    """There is no such finding, order, record or check, or not for this actor (没有找到)."""


class Moved(Exception):
    """Somebody moved it while the form was being filled (已有新进展).

    seen, now: versions; between: the events since, by version.
    """

    def __init__(self, seen: int, now: int, between: Sequence[ledger.Entry]) -> None:
        super().__init__(seen, now)
        self.seen, self.now, self.between = seen, now, tuple(between)


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb did. sentence: for whoever did it; repeated: the same key came before."""

    id: UUID
    version: int
    sentence: str
    repeated: bool = False


class Loaded(Protocol):
    """A stream as it was read: its head and the events up to the head's version."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def region(self) -> str: ...
    @property
    def events(self) -> Sequence[ledger.Entry]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event to be appended. text: what somebody wrote; it stands in an erasable content.

    also: what goes into the same transaction once the stream moved.
    """

    kind: str
    sentence: str
    head: Mapping[str, Any]
    body: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    also: Callable[[], None] | None = None


_Loaded = TypeVar("_Loaded", bound=Loaded)


@dataclass(frozen=True, slots=True)
class Act(Generic[_Loaded]):
    """Something a person may do. text: none | optional | required; check raises Refusal."""

    kind: str
    zh: str
    text: str
    check: Callable[[Sight, _Loaded, datetime], None]


def row(table: str, alias: str, columns: str, id: UUID, allowed: tuple[str, dict[str, Any]]) -> Any:
    """The head of an id with the permission in the SELECT. Raises NotFound."""
    condition, parameters = allowed
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {table} {alias} WHERE {alias}.id = %(id)s AND {condition}",  # noqa: S608 - fragments of ours
            {**parameters, "id": id},
        )
        found = cursor.fetchone()
    if found is None:
        raise NotFound(id)
    return found


def events(stream: str, id: UUID, version: int) -> tuple[ledger.Entry, ...]:
    """The events of a stream up to the version of the head that was read before."""
    return tuple(one for one in ledger_queries.stream_events(stream, id) if one.version <= version)


def carry(
    stream: str,
    load: Callable[[], _Loaded],
    decide: Callable[[_Loaded], Step],
    *,
    actor: Actor,
    version: int,
    key: str,
    request: Mapping[str, Any],
    at: datetime,
    minds: Collection[str] = (),
) -> Done:
    """Load, decide, append; anew where only the software came in between.

    version: what the page showed. minds: kinds of the software's own entries that change the ground
    of this decision. Raises NotFound, Moved, Refusal; the same key gives the same answer.
    """
    key, digest = key_of(actor, key), writing.digest(request)
    for _ in range(TRIES):
        loaded = load()
        if loaded.version != version:
            if first := ledger_queries.answer(SOURCE, key):
                return repeated(first, loaded.id, digest)
            between = [one for one in loaded.events if one.version > version]
            if version > loaded.version or any(
                one.actor is not None or one.kind in minds for one in between
            ):
                raise Moved(version, loaded.version, between)
        step = decide(loaded)
        outcome = _append(stream, _row(loaded, step, actor, key=key, request=digest, at=at), step)
        if outcome.status is ledger.Status.MOVED:
            assert outcome.version is not None
            return Done(loaded.id, outcome.version, step.sentence)
        if outcome.status is not ledger.Status.STALE:
            first = ledger_queries.answer(SOURCE, key)
            assert first is not None
            return repeated(first, loaded.id, digest)
    raise Refusal("supervision.busy", "这里正在被别人办理，这次没有保存。请稍候再提交一次。")


def key_of(actor: Actor, key: str) -> str:
    """A form's key as it stands in the log: nobody's key is another's, nor one of the software's."""
    return f"act/{actor.code}/{key}"


def repeated(first: ledger_queries.Answer, id: UUID | None, request: bytes) -> Done:
    """What the same key was answered before. Raises Refusal where it was for something else."""
    if first.request != request or (id is not None and first.stream_id != id):
        raise Refusal(
            "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
        )
    return Done(first.stream_id, first.version, "已经提交过，不用再办。", repeated=True)


def _row(
    loaded: Loaded, step: Step, actor: Actor, *, key: str, request: bytes, at: datetime
) -> ledger.Row:
    return ledger.Row(
        stream_id=loaded.id,
        expected=loaded.version,
        event=event(
            actor, step.kind, body=step.body, region=loaded.region, key=key, request=request, at=at
        ),
        head=step.head,
        contents=(ledger.Content(path=("text",), data=step.text),) if step.text else (),
    )


def event(
    actor: Actor,
    kind: str,
    *,
    body: Mapping[str, Any],
    region: str,
    key: str,
    request: bytes,
    at: datetime,
) -> ledger.NewEvent:
    """What a person did. agency: of whoever did it."""
    if actor.via:
        body = {**body, "via": actor.via}
    return ledger.NewEvent(
        kind=kind, occurred=at, actor=actor.code, agency=actor.agency, region=region,
        source=SOURCE, key=key, request=request, body=body,
    )  # fmt: skip


def _append(stream: str, one: ledger.Row, step: Step) -> ledger.Outcome:
    if step.also is None:
        return ledger.append(stream, [one])[0]
    with transaction.atomic():
        outcome = ledger.append(stream, [one])[0]
        if outcome.status is ledger.Status.MOVED:
            step.also()
    return outcome


# --- what somebody wrote --------------------------------------------------------------------------


def written(text: str, what: str, *, required: bool = True, name: str = "text") -> str:
    """What somebody wrote, trimmed. what: what it is called. Raises Refusal with the field."""
    text = text.strip()
    if required and not text:
        raise Refusal("supervision.text", f"请写明{what}。", field=name)
    if len(text) > TEXT:
        raise Refusal("supervision.text_long", f"{what}最多 {TEXT} 个字。", field=name)
    try:
        ledger.check_json(text)
    except ledger.UnfitBody:
        raise Refusal(
            "supervision.control", f"{what}里有不可见的控制字符。请删去。", field=name
        ) from None
    return text


def no(
    code: str, sentence: str, *, field: str | None = None, article: str | None = None
) -> Refusal:
    """A refusal of this context."""
    return Refusal(f"supervision.{code}", sentence, field=field, article=article)
