"""From decided acts to rows of the log: events, heads, digests of requests."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import rfc8785
from django.conf import settings
from django.utils.crypto import salted_hmac

from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import heads
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import Life
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

SOURCE = "desk"


def event(
    actor: Actor | None,
    kind: str,
    *,
    at: datetime,
    body: Mapping[str, Any],
    version: int,
    post: str | None,
    occurred: datetime | None = None,
    agency: str | None = None,
    region: str | None = None,
) -> Event:
    """An act as it will stand in the log; actor None: the house itself. Where a system acted for
    somebody, `via` says which.
    """
    if actor and actor.via:
        body = {**body, "via": actor.via}
    return Event(
        version=version,
        kind=kind,
        occurred=occurred or at,
        recorded=at,
        received=at,
        actor=actor.code if actor else None,
        post=post,
        agency=actor.agency if actor else agency,
        region=region or (actor.region if actor else None),
        source=SOURCE,
        body=body,
    )


def new(of: Event, *, key: str, request: bytes | None) -> ledger.NewEvent:
    """For our own acts `recorded` is the database's own stamp, like `received`."""
    return ledger.NewEvent(
        kind=of.kind,
        nature=of.nature,
        occurred=of.occurred,
        recorded=None,
        actor=of.actor,
        post=of.post,
        agency=of.agency,
        region=of.region,
        source=of.source,
        key=key,
        request=request,
        body=of.body,
    )


def head(events: Sequence[Event], *, region: str, hall: str | None, at: datetime) -> dict[str, Any]:
    """The derived columns after these events."""
    return head_of(Life.of(events), edition=calendars.edition(region, hall), at=at)


def head_of(life: Life, *, edition: Edition, at: datetime) -> dict[str, Any]:
    """The derived columns of a life, counted by an edition of the calendar."""
    # What came true before this entry is still to be raised, though the limit stops with it.
    reading, came = clock.look(life, at=at, edition=edition)
    return heads.derived(life.standing, reading=reading, came=came)


# Acts that begin, stop and change no limit: the clock's columns stay as it keeps them itself, by
# the sweep at `next_at` and by re-projection. Withdrawing an entry changes what counts.
QUIET = frozenset(act.code for act in lifecycle.ACTS) - clock.TELLING - {"entry_withdrawn"}


def head_after(
    life: Life, new: Sequence[Event], *, edition: Callable[[], Edition], at: datetime
) -> dict[str, Any]:
    """The derived columns that these entries, the last of a life, may have changed."""
    if all(event.kind in QUIET for event in new):
        return heads.of_standing(life.standing)
    return head_of(life, edition=edition(), at=at)


def digest(request: Mapping[str, Any]) -> bytes:
    # Keyed, so that nobody can confirm a guessed name by it after the content was erased.
    keyed = _keyed(settings.SECRET_KEY).copy()
    keyed.update(_canonical(request))
    return keyed.digest()


@lru_cache(maxsize=1)
def _keyed(secret: str) -> hmac.HMAC:
    return salted_hmac("zhengwu.cases.request", b"", secret=secret, algorithm="sha256")


def _canonical(request: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes; of a request that is text through and through, by the quick encoder."""
    if all(
        type(one) is str or (type(one) is dict and all(type(text) is str for text in one.values()))
        for one in request.values()
    ):
        with suppress(TypeError):  # half a character: refused below, in the same words as ever
            plain = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
            if plain.isascii() or max(plain.decode()) < "\ud800":  # sorted the same beyond doubt
                return plain
    return rfc8785.dumps(dict(request))


def same(first: ledger_queries.Answer, request: bytes) -> None:
    """Raises Refusal when a key is used again for something else."""
    if first.request != request:
        raise Refusal(
            "ledger.key_reused",
            "这份表单已经提交过另一份内容。请从办件页重新打开表单再提交。",
        )
