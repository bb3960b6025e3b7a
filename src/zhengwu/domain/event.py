"""What happened to a case (办件事件), as the pure functions see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Nature(StrEnum):
    """An act (行为) is ours and may be refused; an observation (观测) is another system's news."""

    ACT = "act"
    OBSERVATION = "observation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a stream.

    occurred: claimed, when it happened. recorded: when it was entered in the system that first
    held it. received: when our database took it. All aware datetimes. position: its place in the
    log, None until the sequencer has given one. body: JSON without floats.
    """

    version: int
    kind: str
    nature: Nature = Nature.ACT
    occurred: datetime
    recorded: datetime
    received: datetime
    actor: str | None = None
    post: str | None = None
    agency: str | None = None
    region: str | None = None
    source: str = ""
    position: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


class _Made:
    """An event while it is made. A frozen dataclass sets each of its fields by a call, which costs more
    than all the rest of reading a story; here they are set plainly, and then it is an Event.
    """

    __slots__ = (
        "actor", "agency", "body", "kind", "nature", "occurred", "position", "post", "received",
        "recorded", "region", "source", "version",
    )  # fmt: skip

    def __init__(
        self, version: int, kind: str, nature: Nature, occurred: datetime, recorded: datetime,
        received: datetime, actor: str | None, post: str | None, agency: str | None,
        region: str | None, source: str, position: int | None, body: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.version, self.kind, self.nature = version, kind, nature
        self.occurred, self.recorded, self.received = occurred, recorded, received
        self.actor, self.post = actor, post
        self.agency, self.region = agency, region
        self.source, self.position, self.body = source, position, body
        self.__class__ = Event  # type: ignore[assignment]  # refused where the fields are others


# The same as `Event`, its fields in their order; for whoever reads them by the thousand.
made: Callable[
    [
        int, str, Nature, datetime, datetime, datetime, str | None, str | None, str | None,
        str | None, str, int | None, Mapping[str, Any],
    ],
    Event,
] = _Made  # type: ignore[assignment]  # fmt: skip
