"""What happened to a case (办件事件), as the pure functions see it."""

from __future__ import annotations

from collections.abc import Mapping
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
