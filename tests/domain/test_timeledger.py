"""The time ledger: the parts sum to the whole to the second, whatever was entered, and how late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import CALENDAR, WATER, WINDOW, at, events
from zhengwu.domain import lifecycle, timeledger
from zhengwu.domain.calendar import OfficeHours
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import ACTS, OBSERVED, HolderKind
from zhengwu.domain.timeledger import Side, Span

EDITION = Edition(CALENDAR)
BROKEN = OfficeHours(
    spans=((time(9), time(12)), (time(13, 30), time(17))),
    later=((date(2026, 10, 1), ((time(8, 30), time(12)), (time(14, 0, 0, 1), time(17, 30)))),),
)
TWICE = Edition(CALENDAR, BROKEN)
BASE = at("09-14 09:20")
ZERO = timedelta()
HOUR = timedelta(hours=1)


# --- random lives: late entries, withdrawn ones, other systems' news ------------------------------

DRAWN = st.lists(
    st.tuples(
        st.sampled_from([act.code for act in ACTS] + ["granted", "step_taken", "handed_over"]),
        st.integers(-40_000, 200_000),  # minutes after the one before; late entries lie before it
        st.integers(1, 12),
        st.sampled_from(["hearing", "testing"]),
        st.integers(0, 999_999),
    ),
    max_size=25,
)
NEWS = st.lists(
    st.tuples(st.sampled_from([*OBSERVED, "claim", "retracted"]), st.integers(-3000, 9000)),
    min_size=1,
    max_size=15,
)


def told(drawn: list[tuple[str, int, int, str, int]]) -> list[Event]:
    """A story of acts as the log may hold it; those the table does not allow have no effect."""
    found, moment = [], BASE
    for version, (kind, minutes, number, procedure, micro) in enumerate(
        [("received", 0, 1, "", 0), *drawn], start=1
    ):
        moment = max(BASE, moment + timedelta(minutes=minutes, microseconds=micro))
        body: dict[str, Any] = {"version": number, "days": number, "procedure": procedure}
        if number % 3 == 0:
            body["to"] = {"kind": "department", "agency": f"a{number}"}
        if number % 5 == 0:
            body["to"] = {"kind": "window", "agency": "a5", "post": "w5"}
        if number % 4 == 0:
            body["at"] = "window"
        found.append(
            Event(
                version=version, kind=kind, occurred=moment, recorded=moment, received=moment,
                actor="p", post=f"w{number}", agency=f"a{number % 4}", body=body,
            )
        )  # fmt: skip
    return found


def news(drawn: list[tuple[str, int]]) -> list[Event]:
    found, moment = [], BASE
    for version, (kind, minutes) in enumerate(drawn, start=1):
        moment += timedelta(minutes=minutes)
        found.append(
            Event(
                version=version, kind=kind, nature=Nature.OBSERVATION, occurred=moment,
                recorded=moment, received=moment, agency="receipt", source="link:receipt",
                body={"step": kind, "version": version - 1},
            )
        )  # fmt: skip
    return found


def expected(story: list[Event], until: datetime) -> timedelta:
    """From the first event to the closing, or to `until`."""
    rows = lifecycle.histories([one for one in story if one.occurred <= until])
    if not rows:
        return ZERO
    standing = rows[-1][1]
    start = min(rows[0][0].occurred, standing.received_at or rows[0][0].occurred)
    return max(ZERO, (standing.closed_at or until) - start)


def holds(story: list[Event], until: datetime, edition: Edition) -> None:
    """All that must be true of any ledger."""
    found = timeledger.spans(story, until=until)
    whole = expected(story, until)
    assert all(one.end == following.start for one, following in pairwise(found))
    assert all(one.end > one.start for one in found[:-1])
    assert sum((one.length for one in found), ZERO) == whole
    assert sum(timeledger.totals(found).values(), ZERO) == whole
    parts = timeledger.parts(found, edition)
    assert timeledger.whole(parts) == whole
    assert sum((one.office + one.rest for one in parts), ZERO) == whole
    assert all(ZERO <= one.office <= one.length for one in parts)
    assert timeledger.whole(timeledger.together([*parts, *parts])) == 2 * whole
    office = timeledger.office_time(found[0].start, found[-1].end, edition) if found else ZERO
    assert sum((one.office for one in parts), ZERO) == office
    under_way = [one for one in found if one.kind == HolderKind.HANDING_OVER]
    ways = timeledger.handovers(found, edition)
    lost = sum((one.length for one in under_way), ZERO)
    assert sum((one.length for one in ways), ZERO) == lost
    assert len(ways) <= len(under_way)
    assert sum(one.end is None for one in ways) <= 1
    for windows in (False, True):
        table = timeledger.table(ways, windows=windows)
        assert table.total.length == lost
        assert table.total.count == len(ways)
        assert sum((table.of_giver(one).length for one in table.givers), ZERO) == lost
        assert sum(table.of_taker(one).count for one in table.takers) == len(ways)


@given(DRAWN, st.integers(-10, 600_000))
def test_the_parts_of_any_story_sum_to_the_whole(
    drawn: list[tuple[str, int, int, str, int]], later: int
) -> None:
    story = told(drawn)
    holds(story, BASE + timedelta(minutes=later), EDITION)
    holds(story, max(one.occurred for one in story) + timedelta(days=1), TWICE)


@given(NEWS, st.integers(0, 60_000))
def test_what_another_system_tells_is_that_systems_time(
    drawn: list[tuple[str, int]], later: int
) -> None:
    story = news(drawn)
    until = BASE + timedelta(minutes=later)
    holds(story, until, EDITION)
    assert {one.kind for one in timeledger.spans(story, until=until)} <= {
        HolderKind.EXCHANGE, HolderKind.NONE,
    }  # fmt: skip


@given(DRAWN, NEWS)
def test_acts_and_news_in_one_story_sum_to_the_whole(
    drawn: list[tuple[str, int, int, str, int]], seen: list[tuple[str, int]]
) -> None:
    story = told(drawn)
    for one in news(seen):
        story.append(replace(one, version=len(story) + 1))
    holds(story, max(one.occurred for one in story), EDITION)


# --- the worked story -----------------------------------------------------------------------------


def test_the_parts_of_the_worked_story() -> None:
    parts = timeledger.parts(timeledger.spans(events(), until=at("11-20 00:00")), EDITION)
    assert [(one.kind, one.charged_kind, one.post, one.length) for one in parts] == [
        (HolderKind.WINDOW, HolderKind.WINDOW, WINDOW, timedelta(hours=53, minutes=55)),
        (HolderKind.APPLICANT, HolderKind.APPLICANT, None, timedelta(hours=211, minutes=55)),
        (HolderKind.HANDING_OVER, HolderKind.WINDOW, None, timedelta(hours=3, minutes=40)),
        (HolderKind.DEPARTMENT, HolderKind.DEPARTMENT, None, timedelta(hours=394, minutes=30)),
        (HolderKind.SPECIAL, HolderKind.SPECIAL, None, timedelta(hours=496)),
        (HolderKind.HANDING_OVER, HolderKind.DEPARTMENT, None, timedelta(hours=16, minutes=40)),
    ]
    assert timeledger.whole(parts) == timedelta(hours=1176, minutes=40)
    assert {one.charged_to for one in parts if one.kind == HolderKind.HANDING_OVER} == {WATER}
    # 14 Sep 9:20-17, 15 Sep, 16 Sep 9-15, and a quarter of an hour after the applicant was back.
    assert parts[0].office == 7 * HOUR + 40 * HOUR / 60 + 8 * HOUR + 6 * HOUR + HOUR / 4
    assert parts[2].office == parts[2].length  # 21 Sep 10:20-14:00
    assert parts[5].office == timedelta(minutes=40)  # 28 Oct 16:30-17:00, 29 Oct 9:00-9:10


def test_the_hand_overs_of_the_worked_story() -> None:
    found = timeledger.spans(events(), until=at("11-20 00:00"))
    ways = timeledger.handovers(found, EDITION)
    assert [
        (one.giver_kind, one.giver_post, one.taker_kind, one.taker, one.taker_post, one.length)
        for one in ways
    ] == [
        (HolderKind.WINDOW, WINDOW, HolderKind.DEPARTMENT, WATER, "r-D16",
         timedelta(hours=3, minutes=40)),
        (HolderKind.DEPARTMENT, "a-D16", HolderKind.WINDOW, WATER, WINDOW,
         timedelta(hours=16, minutes=40)),
    ]  # fmt: skip
    assert all(one.taken and one.end for one in ways)
    table = timeledger.table(ways)
    assert {key: one.count for key, one in table.cells.items()} == {(Side(WATER), Side(WATER)): 2}
    apart = timeledger.table(ways, windows=True)
    window, behind = Side(WATER, True), Side(WATER, False)
    assert apart.givers == (behind, window)
    assert apart.cells[behind, window].office == timedelta(minutes=40)
    assert apart.total.length == timedelta(hours=20, minutes=20)


def test_a_case_under_way_is_charged_to_the_giver_until_now() -> None:
    found = timeledger.spans(events(4), until=at("09-21 13:00"))
    (way,) = timeledger.handovers(found, EDITION)
    assert (way.end, way.taken, way.taker) == (None, False, WATER)
    assert way.length == timedelta(hours=2, minutes=40)
    assert found[-1].open


def test_whoever_has_it_now_is_named_even_before_a_second_has_passed() -> None:
    found = timeledger.spans(events(5), until=at("09-21 14:00"))
    assert (found[-1].kind, found[-1].length, found[-1].open) == (
        HolderKind.DEPARTMENT, ZERO, True,
    )  # fmt: skip
    assert [one.taken for one in timeledger.handovers(found, EDITION)] == [True]
    assert HolderKind.DEPARTMENT not in {one.kind for one in timeledger.parts(found, EDITION)}


def test_a_hand_over_interrupted_by_a_special_procedure_is_one() -> None:
    story = events(4)
    for kind, when, body in (
        ("suspended", "09-21 11:20", {"procedure": "testing", "days": 3}),
        ("resumed", "09-23 11:20", {}),
        ("step_taken", "09-23 12:20", {"at": "department"}),
    ):
        story.append(
            replace(
                events(5)[4], version=len(story) + 1, kind=kind, occurred=at(when), body=body
            )
        )  # fmt: skip
    found = timeledger.spans(story, until=at("09-24 09:00"))
    assert [one.kind for one in found][-4:] == [
        HolderKind.HANDING_OVER, HolderKind.SPECIAL, HolderKind.HANDING_OVER,
        HolderKind.DEPARTMENT,
    ]  # fmt: skip
    (way,) = timeledger.handovers(found, EDITION)
    assert (way.start, way.end) == (at("09-21 10:20"), at("09-23 12:20"))
    assert (way.length, way.taken, way.giver_kind) == (2 * HOUR, True, HolderKind.WINDOW)


def test_what_is_directed_elsewhere_was_not_taken() -> None:
    story = events(4)
    story.append(
        replace(
            story[-1], version=5, kind="handed_over", occurred=at("09-21 11:20"),
            body={"to": {"kind": "department", "agency": "other"}},
        )
    )  # fmt: skip
    ways = timeledger.handovers(timeledger.spans(story, until=at("09-21 12:20")), EDITION)
    assert [(one.giver, one.taker, one.end is None, one.taken) for one in ways] == [
        (WATER, WATER, False, False),
        (WATER, "other", True, False),
    ]


def test_time_between_delivery_and_closing_is_nobodys_and_not_lost() -> None:
    story = [*events(12), replace(events(13)[12], occurred=at("11-02 12:00"))]
    found = timeledger.spans(story, until=at("11-20 00:00"))
    assert (found[-1].kind, found[-1].length) == (HolderKind.NONE, 2 * HOUR)
    assert timeledger.whole(timeledger.parts(found, EDITION)) == timedelta(hours=1178, minutes=40)


def test_a_closing_another_system_dates_before_its_last_steps_cuts_them_off() -> None:
    story = news([("received", 0), ("step", 600), ("closed", -300)])
    (span,) = timeledger.spans(story, until=BASE + timedelta(days=9))
    assert (span.kind, span.agency, span.length) == (HolderKind.EXCHANGE, "receipt", 5 * HOUR)
    backwards = news([("received", 0), ("closed", -300)])
    assert timeledger.spans(backwards, until=BASE + timedelta(days=9)) == ()


# --- office time ----------------------------------------------------------------------------------


def by_hand(start: datetime, end: datetime, edition: Edition) -> timedelta:
    """Day by day."""
    day, total = start.date(), ZERO
    while day <= end.date():
        for opens, closes in edition.hours.on(day) if edition.calendar.works(day) else ():
            low = max(start, datetime.combine(day, opens, start.tzinfo))
            high = min(end, datetime.combine(day, closes, start.tzinfo))
            total += max(ZERO, high - low)
        day += timedelta(days=1)
    return total


@given(
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    st.timedeltas(ZERO, timedelta(days=90)),
    st.sampled_from([EDITION, TWICE, Edition(CALENDAR, OfficeHours(spans=()))]),
)
def test_office_time_is_what_one_counts_day_by_day(
    begins: timedelta, length: timedelta, edition: Edition
) -> None:
    start = BASE + begins
    found = timeledger.office_time(start, start + length, edition)
    assert found == by_hand(start, start + length, edition)
    assert found == edition.office_time(start, start + length)


def test_a_stretch_beyond_the_calendar_has_no_office_time() -> None:
    early = datetime(1901, 1, 1, tzinfo=BASE.tzinfo)
    span = Span(early, early + HOUR, HolderKind.WINDOW, "a", "w", HolderKind.WINDOW, "a", "")
    assert timeledger.split(span, EDITION) == (ZERO, HOUR)


# --- whole numbers --------------------------------------------------------------------------------


@given(st.lists(st.timedeltas(ZERO, timedelta(days=400))), st.booleans())
def test_whole_minutes_still_sum_to_the_whole(lengths: list[timedelta], up: bool) -> None:
    minute, whole = timedelta(minutes=1), sum(lengths, ZERO)
    down = whole // minute
    total = down + 1 if up and whole % minute else down
    found = timeledger.apportion(lengths, minute, total=total)
    assert len(found) == len(lengths)
    assert sum(found) == total
    for count, length in zip(found, lengths, strict=True):
        assert abs(count * minute - length) < minute
    assert sum(timeledger.apportion(lengths, minute)) == down
