"""Stories (办件经过): what happened to a case, move by move, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zhengwu.cases.simulation.scene import Offer, Worker
from zhengwu.documents.kinds import Kind

ACT, OBSERVATION = "act", "observation"
SOURCE = "simulate"
CLOCK = "clock"
LINK = "link:sim-"  # before the code of the organ whose system it is


@dataclass(slots=True)
class Paper:
    """A paper that a move issues. variant: what tells its wording from others of the kind; dates:
    day of the answer, the due or the end, as an ordinal.
    """

    kind: Kind
    variant: tuple[str, ...] = ()
    day: int = 0
    extra: str = ""


@dataclass(slots=True)
class Move:
    """One event to be. at: occurred; recorded, seen (received): microseconds. contents: path in the
    body and what stands there, kept apart from it.
    """

    kind: str
    at: int
    recorded: int
    seen: int
    body: dict[str, Any]
    actor: str | None = None
    post: str | None = None
    agency: str | None = None
    clerk: str = ""
    source: str = SOURCE
    contents: tuple[tuple[str, Any], ...] = ()
    paper: Paper | None = None


@dataclass(slots=True)
class Planted:
    """A fault in a story (差错). versions: the events that show it; at: from when it shows.

    rule: of domain sheet 4.3, "" where none names it; also: rules that find it, too.
    """

    kind: str
    rule: str
    versions: tuple[int, ...]
    at: int
    person: str = ""
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Made:
    """A made-up applicant: id, numbers and name; nobody has them. fresh: is to be written."""

    party: str
    kind: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str
    fresh: bool


@dataclass(slots=True)
class Story:
    """A case and all its moves, by version. offer: None of another system's."""

    n: int
    opened: int
    source: str
    agency: str
    region: str
    kind: str
    channel: str
    offer: Offer | None = None
    hall: str | None = None
    window: str | None = None
    applicant: Made | None = None
    foreign: str | None = None
    title: str = ""
    number: str = ""
    held: tuple[str, ...] = ()  # materials that the city has already
    moves: list[Move] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    attempts: list[Move] = field(default_factory=list)

    def by(
        self,
        worker: Worker | None,
        kind: str,
        at: int,
        body: dict[str, Any],
        *,
        post: str | None = None,
        contents: tuple[tuple[str, Any], ...] = (),
        paper: Paper | None = None,
        occurred: int | None = None,
    ) -> int:
        """One more act of ours, entered as it happens unless `occurred` says otherwise; its version."""
        self.moves.append(
            Move(
                kind, at if occurred is None else occurred, at, at, body,
                worker.code if worker else None, post if worker else None, self.agency,
                worker.name if worker else "", SOURCE, contents, paper,
            )
        )  # fmt: skip
        return len(self.moves)

    def follows(self, kind: str, at: int, body: dict[str, Any], *, source: str = SOURCE) -> int:
        """One more entry by the house itself; its version."""
        self.moves.append(Move(kind, at, at, at, body, agency=self.agency, source=source))
        return len(self.moves)
