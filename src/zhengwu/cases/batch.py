"""Picking cases for one act on many (批量办理): what stands before the button is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from zhengwu.accounts.queries import Actor
from zhengwu.cases import grounds, loading, queries, wording
from zhengwu.cases.acts import VERBS
from zhengwu.cases.services import BATCH
from zhengwu.catalog import queries as catalog
from zhengwu.domain import clock

ACTS = ("step_taken", "step_done", "granted", "refused")


@dataclass(frozen=True, slots=True)
class Picked:
    """One picked case. why: act → the sentence why it cannot be done now; not there: it can."""

    id: UUID
    number: str
    version: int
    item: str | None
    item_version: int | None
    item_name: str
    applicant: str
    state_zh: str
    light: clock.Light
    why: dict[str, str]

    @property
    def can(self) -> str:
        """What can be done, in words."""
        return "、".join(VERBS[act].zh for act in ACTS if act not in self.why)


def picked(actor: Actor, numbers: Sequence[str], *, at: datetime) -> tuple[Picked, ...]:
    """The cases of these numbers that the actor may see, by time left. The caller records the
    look."""
    found = loading.several(
        actor,
        "c.number = ANY(%(numbers)s::text[])",
        {"numbers": list(dict.fromkeys(numbers))[: BATCH + 1]},
        most=BATCH + 1,
    )
    rows = []
    for loaded in found:
        reading = loaded.read(at)
        standing = loaded.standing
        why = {}
        for act in ACTS:
            if loaded.kind == "foreign":
                why[act] = "其他系统的办件在来源系统办理。"
            elif (no := queries.why_not(loaded, VERBS[act], actor, at, reading)) is not None:
                why[act] = no.sentence
        rows.append(
            Picked(
                id=loaded.id,
                number=loaded.number,
                version=loaded.version,
                item=loaded.item,
                item_version=loaded.item_version,
                item_name=loaded.item_name,
                applicant=loaded.applicant().name,
                state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
                light=reading.light(at),
                why=why,
            )
        )
    return tuple(rows)


def grounds_of(rows: Sequence[Picked]) -> tuple[tuple[str, str], ...]:
    """What a refusal of them all may rest on, by code; nothing where they are not alike, or where
    none can be refused."""
    first = next((row for row in rows if "refused" not in row.why), None)
    if first is None or not alike(rows) or first.item is None or first.item_version is None:
        return ()
    return grounds.of(catalog.version(first.item, first.item_version))


def alike(rows: Sequence[Picked]) -> bool:
    """Whether all are of one item in one version: only those are decided together."""
    return len({(row.item, row.item_version) for row in rows}) <= 1
