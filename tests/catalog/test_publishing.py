"""Publishing on three levels: what follows, what is refused as a whole, who waits for whom."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, connections

from zhengwu.catalog import finding, queries, services
from zhengwu.catalog.services import Release
from zhengwu.domain.guide import Level
from zhengwu.domain.refusal import Refusals

pytestmark = pytest.mark.usefixtures("city")
AT = datetime(2026, 1, 5, 2, tzinfo=UTC)
FIRST, LATER = date(2026, 1, 1), date(2026, 12, 1)
BASIS = "某条例 第一条"
PLACES = ("420100", "420102", "420103")


def days(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "working_day", "basis": BASIS}


def city_list(base: str = "XK9001", since: date = FIRST, **own: Any) -> Release:
    content = {
        "name": "试验取水许可", "type": "行政许可", "kind": "promised", "basis": BASIS,
        "statutory": days(20), "promised": days(10),
        "materials": [{"code": "01", "name": "申请书", "basis": BASIS}],
    } | own  # fmt: skip
    return Release(
        code=f"C.{base}", base=base, level=Level.CITY, region="420100", agency="420100-water",
        own=content, since=since,
    )  # fmt: skip


def done_in(place: str, base: str = "XK9001", since: date = FIRST, **own: Any) -> Release:
    return Release(
        code=base if place == "420100" else f"{base}-{place}", base=base,
        level=Level.IMPLEMENTATION, region=place, agency=f"{place}-water", own=own, since=since,
        above=f"C.{base}",
    )  # fmt: skip


def everywhere(*more: Release) -> None:
    batch = [city_list(), *(done_in(place) for place in PLACES), *more]
    services.publish_all(batch, by=None, at=AT, whole=True)


def number(code: str, on: date = LATER) -> int:
    found = queries.in_force(code, on)
    assert found is not None
    return found.version


def test_every_place_follows_the_citys_list_in_one_transaction_and_says_so_in_its_stream() -> None:
    everywhere()
    services.publish_all([city_list(since=LATER, promised=days(5))], by="p-x", at=AT, whole=True)
    for place in PLACES:
        code = done_in(place).code
        before, then = queries.in_force(code, FIRST), queries.in_force(code, LATER)
        assert before is not None
        assert then is not None
        assert (before.promised_zh, then.promised_zh) == ("10 个工作日", "5 个工作日")
        assert (then.above, then.version) == ("C.XK9001@2", 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_event WHERE stream = 'item'")
        assert cursor.fetchone() == (8,)


def test_a_list_that_is_taken_away_is_taken_away_everywhere() -> None:
    everywhere()
    gone = replace(city_list(since=LATER), retired=True, retired_on=LATER)
    services.publish_all([gone], by="p-x", at=AT, whole=True)
    assert [queries.in_force(done_in(place).code, LATER) for place in PLACES] == [None] * 3
    assert finding.search("试验取水", LATER).total == 0
    assert finding.search("试验取水", FIRST).total == 1


def test_the_deciding_organs_flow_is_the_flow_of_every_place_that_receives_for_it() -> None:
    everywhere()
    forwards = done_in("420102", flow_of="XK9001", since=date(2026, 2, 1))
    services.publish_all([forwards], by=None, at=AT, whole=True)
    steps = [
        {"code": "a", "name": "审查", "role": "review", "limit": days(4)},
        {"code": "b", "name": "决定", "role": "decide", "limit": days(2), "after": ["a"]},
    ]
    services.publish_all([done_in("420100", since=LATER, steps=steps)], by=None, at=AT, whole=True)
    received = queries.in_force("XK9001-420102", LATER)
    assert received is not None
    assert [one.name for one in received.steps] == ["审查", "决定"]
    with pytest.raises(Refusals) as told:
        services.publish_all(
            [done_in("420102", since=date(2026, 12, 5), flow_of="XK9001", steps=steps)],
            by=None, at=AT, whole=True,
        )  # fmt: skip
    assert [one.code for one in told.value.refusals] == ["flow.owned_above"]


def test_a_list_that_would_break_a_place_is_refused_and_the_rest_of_the_batch_goes_in() -> None:
    steps = [{"code": "a", "name": "审查", "role": "review", "limit": days(8)}]
    everywhere(city_list("XK9002", name="另一试验许可"))
    services.publish_all(
        [done_in("420102", since=date(2026, 2, 1), steps=steps)], by=None, at=AT, whole=True
    )
    shorter, other = (
        city_list(since=LATER, promised=days(5)),
        city_list("XK9002", since=LATER, name="另一试验许可", promised=days(5)),
    )
    broken, good = services.publish_all([shorter, other], by=None, at=AT)
    assert (broken.what, good.what) == ("refused", "changed")
    assert [one.code for one in broken.faults] == ["flow.longer_than_promise"]
    assert number("XK9001") == 1


@pytest.mark.parametrize(
    ("later", "code"),
    [
        (date(2025, 12, 1), "item.overlap"),
        (FIRST, "item.twice_a_day"),
    ],
)
def test_dates_of_force_that_cannot_stand_are_refused(later: date, code: str) -> None:
    everywhere()
    services.publish_all(
        [city_list(since=date(2026, 1, 5), promised=days(9))], by=None, at=AT, whole=True
    )
    with pytest.raises(Refusals) as told:
        services.publish_all([city_list(since=later, promised=days(5))], by=None, at=AT, whole=True)
    assert code in {one.code for one in told.value.refusals}


def test_an_end_and_a_later_beginning_leave_a_hole_and_are_refused() -> None:
    ended = replace(city_list("XK9003", name="第三试验许可"), until=date(2026, 6, 1))
    services.publish_all([ended], by=None, at=AT, whole=True)
    with pytest.raises(Refusals) as told:
        services.publish_all(
            [city_list("XK9003", since=LATER, name="第三试验许可")], by=None, at=AT, whole=True
        )
    assert [one.code for one in told.value.refusals] == ["item.hole"]


def test_an_own_item_under_the_name_of_a_listed_one_is_refused() -> None:
    everywhere()
    own = replace(
        done_in(
            "420103", "XK9009", name="试验取水许可", type="行政许可", kind="promised", basis=BASIS
        ),
        above="",
    )
    (outcome,) = services.publish_all([own], by=None, at=AT)
    assert [one.code for one in outcome.faults] == ["item.same_name"]


def test_a_list_and_a_place_published_at_once_wait_for_each_other() -> None:
    everywhere()

    def alone(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    def the_list() -> None:
        services.publish_all([city_list(since=LATER, promised=days(5))], by=None, at=AT, whole=True)

    def the_place() -> None:
        services.publish_all(
            [done_in("420102", since=date(2026, 6, 1), phone="12345")], by=None, at=AT, whole=True
        )

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(alone, the_list), pool.submit(alone, the_place)]
        refused = [one.exception() for one in results]
    # Whoever comes second finds the other's version; a beginning before it is refused in words.
    assert all(one is None or isinstance(one, Refusals) for one in refused)
    then = queries.in_force("XK9001-420102", LATER)
    assert then is not None
    assert (then.promised_zh, then.above) == ("5 个工作日", "C.XK9001@2")
