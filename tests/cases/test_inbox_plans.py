"""The inbox of a department with thousands of cases: few statements, each by its index."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from tests.cases import people
from tests.cases.people import actor, moment
from tests.plans import kept
from zhengwu.accounts.models import Look
from zhengwu.cases import queries
from zhengwu.cases.models import Case

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, AT = "p-water-clerk", moment("09-14 11:00")
OPEN, CLOSED, ELSEWHERE = 3_000, 1_500, 30_000


def multiplied(owner: Owner, number: str, many: int, mark: str) -> None:
    """So many rows like this head, received a minute after each other, each due a minute later."""
    columns = ", ".join(
        f'"{one.column}"' for one in Case._meta.local_concrete_fields
        if one.column not in ("id", "number", "foreign_id", "opened", "due")
    )  # fmt: skip
    owner.execute(
        f"INSERT INTO cases_case (id, number, opened, due, {columns}) SELECT gen_random_uuid(),"
        f" '{mark}' || n, opened + n * interval '1 minute', due + n * interval '1 minute', {columns}"
        " FROM cases_case, generate_series(1, %s::int) n WHERE number = %s",
        [many, number],
    )


@pytest.fixture
def busy(owner: Owner) -> tuple[str, ...]:
    received = people.received(applicant=people.PERSON)
    handled = people.received("09-14 09:30")
    handled.do(CLERK, "accepted", "09-14 10:00")
    suspended = people.received("09-14 09:40")
    suspended.do(CLERK, "accepted", "09-14 10:00")
    suspended.do("p-water-reviewer", "step_taken", "09-14 10:10")
    suspended.do(
        "p-water-reviewer", "suspended", "09-14 10:20", {"procedure": "expert_review", "days": "9"}
    )
    done = people.golden()
    multiplied(owner, received.number, OPEN // 2, "A")
    multiplied(owner, handled.number, OPEN // 2, "B")
    multiplied(owner, suspended.number, 30, "C")
    multiplied(owner, done.number, CLOSED, "D")
    multiplied(owner, done.number, ELSEWHERE, "E")
    owner.execute("UPDATE cases_case SET agency = 'x-' || right(number, 2) WHERE number LIKE 'E%'")
    owner.execute("VACUUM ANALYZE cases_case")
    return received.number, handled.number, suspended.number, done.number


def plans(
    *, folder: str | None = None, page: int = 1, at: datetime = AT, who: str = CLERK, why: str = ""
) -> list[str]:
    """How the database answers what the inbox asks of the cases, by the plans that it keeps."""
    by = actor(who)
    queries.inbox(by, folder=folder, page=page, at=at, why=why)
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        queries.inbox(by, folder=folder, page=page, at=at, why=why)
    assert len(asked) <= 3, [sql[:80] for sql, _ in asked]
    return [kept(sql, params) for sql, params in asked if "cases_case" in sql]


def test_what_is_counted_is_counted_from_the_index_alone(busy: tuple[str, ...]) -> None:
    (first,) = plans()  # the counts and the first page are one statement
    assert "Index Only Scan using cases_case_counted" in first, first
    assert "Index Scan using cases_case_pressing" in first, first
    (later,) = plans(page=9)  # what is passed over costs no page of the table
    assert "Index Only Scan using cases_case_counted" in later, later
    assert "Index Only Scan using cases_case_pressing" in later, later
    assert "Index Scan using cases_case_pkey" in later, later
    assert "Seq Scan on cases_case" not in first + later


def test_a_look_at_a_page_is_recorded_with_it(
    busy: tuple[str, ...],
) -> None:
    before = Look.objects.count()
    first = queries.inbox(actor(CLERK), at=AT, why="查看清单")
    assert first.looked
    named = [row.id for row in first.rows if row.applicant]
    assert named
    look = Look.objects.latest("id")  # one, whatever stood in the list
    assert Look.objects.count() == before + 1
    assert [look.stream_id, *(look.others or ())] == named
    assert (look.person, look.agency) == (CLERK, actor(CLERK).agency)
    assert (look.why, look.fields, look.at) == ("查看清单", ["name"], AT)
    assert not queries.inbox(actor(CLERK), at=AT).looked
    none = queries.inbox(actor(CLERK), item="没有这个事项", at=AT, why="查看清单")
    assert none.looked
    assert not none.rows
    assert Look.objects.count() == before + 1


def test_the_statement_of_a_desk_is_short_enough_for_the_driver_to_know_it_again(
    busy: tuple[str, ...],
) -> None:
    said: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        for folder in (None, "closed"):
            queries.inbox(actor(CLERK), folder=folder, at=AT, why="查看清单")
    assert max(map(len, said)) > 3_000
    assert max(map(len, said)) <= MAX_CACHED_STATEMENT_LENGTH


@pytest.mark.parametrize("folder", ["receiving", "handling", "suspended"])
def test_a_folder_comes_in_order_from_the_index_of_its_state(
    busy: tuple[str, ...], folder: str
) -> None:
    (plan,) = plans(folder=folder)
    assert "Index Scan using cases_case_staged" in plan, plan  # its first rows
    assert "Index Only Scan using cases_case_staged" in plan, plan  # its lights
    assert plan.count("Index Scan using cases_case_counted") <= 1, (
        plan
    )  # the items, of a small desk
    assert "Seq Scan on cases_case" not in plan


def test_what_is_closed_is_counted_and_listed_by_its_index(busy: tuple[str, ...]) -> None:
    for plan in plans(folder="closed"):
        assert "Seq Scan on cases_case" not in plan, plan


def test_a_desk_below_the_bound_is_counted_exactly_and_its_pages_meet(
    busy: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "COUNTED", 10_000)
    by = actor(CLERK)
    whole = queries.inbox(by, at=AT)
    assert whole.total == OPEN + 30 + 3
    assert whole.counts["receiving"] == OPEN // 2 + 1
    assert whole.counts["suspended"] == 31
    lamps = {one.code: one.count for one in whole.lamps}
    assert lamps["pause"] == 31
    assert sum(lamps.values()) == whole.total
    running = whole.total - 31
    # The last page of what runs, and the first on which what is suspended stands.
    seen: list[str] = []
    for page in range(running // 20, whole.pages + 1):
        rows = queries.inbox(by, page=page, at=AT).rows
        seen += [row.number for row in rows]
    assert len(seen) == len(set(seen))
    assert len(seen) == whole.total - (running // 20 - 1) * 20
    assert sum(one.startswith("C") for one in seen[-31:]) + (busy[2] in seen[-31:]) == 31
    halted = queries.inbox(by, folder="suspended", at=AT)
    assert {one.code: one.count for one in halted.lamps if one.count} == {"pause": 31}
    for light, total in (("pause", 31), ("over", 0), ("green", 0)):
        assert queries.inbox(by, folder="suspended", light=light, at=AT).total == total
    received = queries.inbox(by, folder="receiving", light="green", at=AT)
    assert received.total == sum(
        one.count for one in queries.inbox(by, folder="receiving", at=AT).lamps
        if one.code == "green"
    )  # fmt: skip


def test_a_desk_beyond_the_bound_is_counted_up_to_it_and_the_rare_ones_exactly(
    busy: tuple[str, ...],
) -> None:
    whole = queries.inbox(actor(CLERK), at=AT)
    assert whole.total == queries.COUNTED
    assert whole.pages == queries.COUNTED // queries.PAGE
    assert whole.counts["receiving"] == queries.COUNTED
    assert whole.counts["suspended"] == 31
    lamps = {one.code: one.count for one in whole.lamps}
    assert lamps["pause"] == 31
    assert lamps["over"] + lamps["red"] + lamps["yellow"] < queries.COUNTED == lamps["green"]
    # The items of the whole desk are to be chosen from, not only those of the first thousand.
    assert Case.objects.get(number=busy[0]).item in {code for code, _ in whole.items}
    last = queries.inbox(actor(CLERK), page=10**6, at=AT)
    assert last.page == whole.pages
    assert len(last.rows) == queries.PAGE


def test_a_hall_s_list_comes_in_order_from_its_index(busy: tuple[str, ...]) -> None:
    listed = queries.inbox(actor("p-centre_manager"), at=AT, why="查看清单")
    assert listed.total == queries.COUNTED
    assert listed.looked
    assert listed.counts == {}  # a whole hall's folders are not counted beyond the bound
    for page in (1, 9):
        (plan,) = plans(page=page, who="p-centre_manager", why="查看清单")
        rows = plan[plan.index("CTE l") :]
        rows = rows[: rows.index("SubPlan")]  # the names come after
        assert "using cases_case_in_hall" in rows, plan
        assert "Sort" not in rows, plan
        assert "Seq Scan on cases_case" not in plan


def further() -> None:
    """Cases in the states that `busy` has none of: waiting for the applicant, decided, to be handed
    out."""
    clerk, approver = "p-water-clerk", "p-water-approver"
    for n in range(2):
        people.received(f"09-14 09:2{n}", missing=1).do(
            clerk, "supplement_requested", "09-16 15:00"
        )
    for n in range(5):
        case = people.received(f"09-14 09:3{n}")
        case.do(clerk, "accepted", "09-15 10:20")
        case.do("p-water-reviewer", "step_taken", "09-15 14:00")
        case.do(approver, "granted", "09-18 16:00")
        if n > 2:
            case.do(approver, "licence_made", "09-18 16:30")


def test_every_light_of_every_list_holds_what_its_lamp_says(
    busy: tuple[str, ...], owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "COUNTED", 10_000)
    further()
    owner.execute("UPDATE cases_case SET due = NULL WHERE number LIKE 'A%7'")  # without a limit
    due = Case.objects.get(number=busy[0]).due
    assert due is not None
    at = due + timedelta(hours=3)  # some are over, some due today, some near, some not
    for who in (CLERK, "p-water-reviewer", "p-water-approver"):
        for folder in ("", *(name for name, _, _ in queries.folders(actor(who)))):
            if folder == "closed":
                continue
            whole = queries.inbox(actor(who), folder=folder or None, at=at)
            exact = {one.code: one.count for one in whole.lamps}
            if folder not in queries.APART:
                assert sum(exact.values()) == whole.total, (who, folder)
                assert folder in ("", "mine") or whole.counts[folder] == whole.total, (who, folder)
            for light, count in exact.items():
                found = queries.inbox(actor(who), folder=folder or None, light=light, at=at)
                assert found.total == count, (who, folder, light)
                assert {one.code: one.count for one in found.lamps if one.count} == (
                    {light: count} if count else {}
                ), (who, folder, light)
            # Up to a bound each is counted by itself, and as far.
            with monkeypatch.context() as bounded:
                bounded.setattr(queries, "COUNTED", 60)
                few = queries.inbox(actor(who), folder=folder or None, at=at)
            if folder not in queries.APART:
                told = {one.code: one.count for one in few.lamps}
                assert told == {code: min(count, 60) for code, count in exact.items()}, folder
                assert few.total == min(whole.total, 60)
    lists = {
        name: queries.inbox(actor(CLERK), folder=name, at=at).total
        for name in ("receiving", "supplementing", "handling", "suspended", "decided", "deliver")
    }
    assert lists["supplementing"] == 2
    assert lists["decided"] == 3
    assert lists["deliver"] == 2
    lamps = {one.code: one.count for one in queries.inbox(actor(CLERK), at=at).lamps}
    assert min(lamps.values()) > 20, lamps


def test_a_look_holds_what_stood_on_the_page_in_its_order(
    busy: tuple[str, ...], owner: Owner
) -> None:
    further()
    named = "SELECT id FROM ledger_event WHERE stream = 'case' AND version = 1 LIMIT 1"
    assert owner.execute(named).fetchone()
    for who, folder, page in (
        (CLERK, None, 3), (CLERK, "receiving", 2), (CLERK, "hand", 2), (CLERK, "decided", 1),
        (CLERK, None, 10**6),
    ):  # fmt: skip
        before = Look.objects.count()
        shown = queries.inbox(actor(who), folder=folder, page=page, at=AT, why="查看清单")
        assert shown.looked
        assert len(shown.rows) == (3 if folder == "decided" else queries.PAGE)
        seen = [row.id for row in shown.rows if row.applicant]
        if not seen:
            assert Look.objects.count() == before, folder
            continue
        assert Look.objects.count() == before + 1
        look = Look.objects.latest("id")
        assert [look.stream_id, *(look.others or ())] == seen, folder
