"""The worked story, told through the services and read back from the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cases.people import WATER, actor, golden, moment
from zhengwu.cases import loading, queries, tracking
from zhengwu.domain import timeledger
from zhengwu.domain.lifecycle import HolderKind

pytestmark = pytest.mark.usefixtures("town")


def test_the_story_is_told_event_by_event() -> None:
    case = golden()
    loaded = loading.load(actor("p-water-clerk"), case.number)
    assert [(e.version, e.kind) for e in loaded.events] == list(
        enumerate(
            [
                "received", "supplement_requested", "supplemented", "accepted", "step_taken",
                "suspended", "resumed", "granted", "licence_made", "step_taken", "ready",
                "delivered", "closed",
            ],
            start=1,
        )
    )  # fmt: skip
    assert loaded.closed == moment("11-02 10:00")
    accepted = loaded.events[3].body
    assert accepted["document"]["number"] == "江水许受字〔2026〕第00001号"
    assert {limit["kind"]: limit["value"] for limit in accepted["limits"]} == {
        "statutory": 45,
        "promised": 20,
    }


def test_its_clock_and_its_time_ledger_are_those_worked_out_by_hand() -> None:
    case = golden()
    view = queries.case(actor("p-water-clerk"), case.number, at=moment("11-03 09:00"))
    promised = view.reading.limit("promised")
    assert promised is not None
    assert (promised.used, promised.left, promised.due) == (12, 8, moment("11-09 17:00"))
    statutory = view.reading.limit("statutory")
    assert statutory is not None
    assert statutory.due == moment("12-14 17:00")
    totals = timeledger.totals(view.spans)
    assert totals[HolderKind.WINDOW, WATER] == timedelta(hours=53, minutes=55)
    assert totals[HolderKind.DEPARTMENT, WATER] == timedelta(hours=394, minutes=30)
    assert sum(totals.values(), timedelta()) == timedelta(hours=1176, minutes=40)


def test_the_applicant_tracks_it_with_number_and_code_and_nobody_without() -> None:
    case = golden()
    seen = tracking.track(case.number, case.query_code.lower(), at=moment("11-03 09:00"))
    assert seen.state_zh == "已办结"
    assert "清源" not in seen.applicant
    with pytest.raises(queries.CaseNotFound):
        tracking.track(case.number, "AAAAAA", at=moment("11-03 09:00"))
