"""Shift hand-over (交接班): many cases given away or taken at once, with a result for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from zhengwu.accounts.queries import Actor
from zhengwu.cases import services
from zhengwu.cases.services import CaseNotFound, Moved
from zhengwu.domain.refusal import Refusal, Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One case of the batch. version: of the page; to: the post that gets it, when given away."""

    number: str
    version: int
    to: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case of the batch."""

    number: str
    done: bool
    sentence: str


def give(
    actor: Actor, wanted: Sequence[Wanted], *, note: str, key: str, at: datetime
) -> tuple[Result, ...]:
    """Hand these cases over (移交). Each stands for itself: a refusal stops none of the others."""
    return tuple(
        _one(actor, one, "handed_over", {"to": one.to, "note": note}, key=key, at=at)
        for one in wanted
    )


def take(actor: Actor, wanted: Sequence[Wanted], *, key: str, at: datetime) -> tuple[Result, ...]:
    """Take these cases over (接办). Each stands for itself."""
    return tuple(_one(actor, one, "step_taken", {}, key=key, at=at) for one in wanted)


def _one(
    actor: Actor, wanted: Wanted, kind: str, form: Mapping[str, str], *, key: str, at: datetime
) -> Result:
    try:
        done = services.perform(
            actor,
            wanted.number,
            kind,
            version=wanted.version,
            # The same page sent twice is the same act on the same case.
            key=str(uuid5(UUID(key), f"{wanted.number}/{kind}")),
            form=form,
            at=at,
        )
    except Moved:
        return Result(wanted.number, False, "这个办件有了新进展，没有办。请打开看看再办。")
    except CaseNotFound:
        return Result(wanted.number, False, "没有找到这个办件。")
    except Refusal as refusal:
        return Result(wanted.number, False, refusal.sentence)
    except Refusals as several:
        return Result(wanted.number, False, several.refusals[0].sentence)
    return Result(done.number, True, done.sentence)
