from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("db")
AT = datetime(2026, 9, 14, 1, 20, tzinfo=UTC)
ledger.register(ledger.StreamKind("probe", frozenset({"opened", "moved"})))


def event(
    key: str | None = None,
    kind: str = "moved",
    *,
    request: bytes | None = None,
    body: dict[str, Any] | None = None,
) -> ledger.NewEvent:
    return ledger.NewEvent(
        kind=kind,
        occurred=AT,
        source="test",
        key=key or str(uuid.uuid4()),
        request=request,
        body=body or {},
    )


def opened() -> uuid.UUID:
    stream = ledger.uuid7()
    (outcome,) = ledger.append("probe", [ledger.Row(stream, 0, event(kind="opened"))])
    assert (outcome.status, outcome.version) == ("moved", 1)
    return stream


def test_a_stream_opens_moves_and_is_read_back() -> None:
    stream = opened()
    (outcome,) = ledger.append("probe", [ledger.Row(stream, 1, event(body={"说": [1, True]}))])
    assert outcome.version == 2
    assert outcome.body == {"说": [1, True]}
    first, second = queries.stream_events("probe", stream)
    assert second.body == {"说": [1, True]}
    assert first.recorded == first.received != AT
    assert first.position is None


def test_an_old_version_is_stale_and_leaves_nothing() -> None:
    stream = opened()
    (outcome,) = ledger.append("probe", [ledger.Row(stream, 5, event())])
    assert outcome.status == "stale"
    assert ledger.append("probe", [ledger.Row(stream, 0, event())])[0].status == "stale"
    assert len(queries.stream_events("probe", stream)) == 1


def test_a_repeated_key_returns_the_first_answer() -> None:
    stream = opened()
    first = ledger.append("probe", [ledger.Row(stream, 1, event("k", request=b"a"))])[0]
    again = ledger.append("probe", [ledger.Row(stream, 2, event("k", request=b"a"))])[0]
    assert (again.status, again.event_id, again.version) == ("repeated", first.event_id, 2)
    other = ledger.append("probe", [ledger.Row(stream, 2, event("k", request=b"b"))])[0]
    assert (other.status, other.digest_differs) == ("reused", True)
    with pytest.raises(Refusal, match="key_reused"):
        ledger.append("probe", [ledger.Row(stream, 2, event("k", request=b"b"))], whole=True)


def test_several_events_of_one_stream_move_together_or_not_at_all() -> None:
    stream = opened()
    got = ledger.append("probe", [ledger.Row(stream, 1, event()) for _ in range(3)])
    assert [outcome.version for outcome in got] == [2, 3, 4]
    got = ledger.append("probe", [ledger.Row(stream, 3, event()), ledger.Row(stream, 4, event())])
    assert {outcome.status for outcome in got} == {"stale"}
    new = ledger.uuid7()
    got = ledger.append("probe", [ledger.Row(new, n, event()) for n in range(3)])
    assert [outcome.version for outcome in got] == [1, 2, 3]


def test_a_batch_says_what_became_of_each_row() -> None:
    one, two = opened(), opened()
    got = ledger.append("probe", [ledger.Row(two, 1, event()), ledger.Row(one, 9, event())])
    assert [outcome.status for outcome in got] == ["moved", "stale"]


def test_all_or_nothing_leaves_nothing_when_one_is_stale() -> None:
    one, two = opened(), opened()
    with pytest.raises(ledger.Stale) as raised:
        ledger.append(
            "probe", [ledger.Row(one, 1, event()), ledger.Row(two, 9, event())], whole=True
        )
    assert len(raised.value.outcomes) == 2
    assert len(queries.stream_events("probe", one)) == 1


def test_numbers_are_taken_without_a_gap_and_only_by_what_moved() -> None:
    streams = sorted(opened() for _ in range(3))
    number = ledger.Number(series_agency="a", series_kind="n", year=2026, prefix="江水〔2026〕第")
    rows = [ledger.Row(s, 1, event(body={"document": {"x": 1}}), number=number) for s in streams]
    rows[1] = ledger.Row(streams[1], 7, event(), number=number)
    got = ledger.append("probe", rows)
    assert [o.number for o in got] == ["江水〔2026〕第00001号", None, "江水〔2026〕第00002号"]
    assert got[0].body["document"]["x"] == 1
    got = ledger.append("probe", [ledger.Row(streams[1], 1, event(), number=number)])
    assert got[0].number == "江水〔2026〕第00003号"


def test_personal_data_stands_aside_and_can_be_erased() -> None:
    stream = ledger.uuid7()
    row = ledger.Row(
        stream,
        0,
        event(kind="opened"),
        contents=(ledger.Content(("reasons",), {"text": "张三"}),),
    )
    body = ledger.append("probe", [row])[0].body
    kept = queries.content(body["reasons"]["content"])
    assert kept is not None
    assert kept.salt is not None
    assert kept.data == {"text": "张三"}
    assert ledger.content_digest(kept.salt, kept.data) == body["reasons"]["digest"]
    assert ledger.erase_content(kept.id, because="申请", by="p-1", at=AT)
    assert not ledger.erase_content(kept.id, because="申请", by="p-1", at=AT)
    gone = queries.content(kept.id)
    assert gone is not None
    assert gone.data is None
    assert gone.salt is None


@pytest.mark.parametrize("value", [1.0, 2**60, "\x00", AT, float("nan"), {1: 2}, "\ud800"])
def test_a_body_that_is_not_canonical_is_refused(value: object) -> None:
    with pytest.raises(ledger.UnfitBody):
        ledger.append("probe", [ledger.Row(ledger.uuid7(), 0, event(body={"x": [value]}))])


def test_catching_up_gives_gap_free_positions_and_each_event_once() -> None:
    stream = opened()
    ledger.append("probe", [ledger.Row(stream, 1, event()), ledger.Row(stream, 2, event())])
    seen: list[int | None] = []
    ledger.register_follower(
        ledger.Follower(
            "probe", frozenset({"moved"}), lambda es: seen.extend(e.position for e in es)
        )
    )
    try:
        assert ledger.catch_up() == 3
        assert ledger.catch_up() == 0
    finally:
        ledger.unregister_follower("probe")
    assert seen == [2, 3]
    assert [e.version for e in queries.stream_events("probe", stream, known=2)] == [1, 2]
    found = queries.positions()
    assert [e.position for e in found] == [1, 2, 3]
    assert hashlib.sha256(b"\x00" + ledger.canonical(found[0])).digest() == ledger.leaf(found[0])
    assert queries.lag().unsequenced == 0
    assert queries.watermark().age < 2
