"""What feed readers are told of the events of a case is what stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.cases.people import golden, moment
from zhengwu.accounts import queries as accounts
from zhengwu.cases import events, simulate
from zhengwu.domain import lifecycle
from zhengwu.domain.event import Nature
from zhengwu.ledger import queries as ledger
from zhengwu.ledger import sequencer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md"
KEPT = {"content", "digest"}


def written() -> list[Any]:
    """Every event of a case that stands in the log."""
    sequencer.sequence()
    return [one for one in ledger.positions(limit=100_000) if one.stream == events.STREAM]


def strange(found: Iterable[Any]) -> set[tuple[str, str]]:
    """Kinds and fields that the table does not name."""
    return {
        (one.kind, name)
        for one in found
        for name in one.body
        if name not in (
            {**events.BODIES[one.kind], **events.ALWAYS}
            if one.nature == Nature.ACT else events.OBSERVED
        )
    }  # fmt: skip


def private(found: Iterable[Any]) -> set[tuple[str, str]]:
    """What the table says stands elsewhere, and does not."""
    return {
        (one.kind, name)
        for one in found
        if one.nature == Nature.ACT
        for name, said in events.BODIES[one.kind].items()
        if said.endswith(events.KEPT) and name != "document" and name in one.body
        and set(one.body[name]) != KEPT
    }  # fmt: skip


def test_the_reference_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == events.page(), (
        "rebuild: python -m zhengwu.cases.events > docs/reference/events.md"
    )


def test_every_kind_that_the_lifecycle_knows_is_told() -> None:
    assert list(events.BODIES) == [act.code for act in lifecycle.ACTS]
    assert {act for act in events.BODIES if "document" in events.BODIES[act]} == {
        act.code for act in lifecycle.ACTS if act.document and act.code != "licence_made"
    }


@pytest.mark.usefixtures("town")
def test_no_event_of_the_worked_story_or_of_a_simulation_has_more_than_is_told() -> None:
    golden()
    simulate.run(25, seed=7, at=moment("11-20 10:00"))
    found = written()
    assert len({one.kind for one in found}) > 12
    assert strange(found) == set()
    assert private(found) == set()
    assert accounts.actor("p-water-clerk").name not in str([one.body for one in found])


def test_an_event_with_a_field_that_nobody_was_told_of_is_noticed() -> None:
    class Told:
        kind, nature = "ready", Nature.ACT
        body = {"at": "window", "name": "何晓岚"}

    assert strange([Told]) == {("ready", "name")}
