"""The timetable's stream: what ships, who proposes and confirms, and what a question costs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from tests.accounts.city import HALL
from tests.domain.notice_texts import NOTICE_2027
from zhengwu.accounts import queries as accounts
from zhengwu.calendars import queries, services
from zhengwu.domain import notices
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("city")
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
ONE, OTHER = "p-system_admin", "p-security_admin"
OVERLAY = {
    "kind": "overlay", "scope": "region:420102", "basis": "临江区政府通告〔2026〕3号",
    "days": [["2026-12-07", "区庆", True]],
}  # fmt: skip


def notice() -> dict[str, Any]:
    read = notices.read(NOTICE_2027)
    return {
        "kind": "notice", "year": read.year, "amends": False, "source": read.source,
        "days": [[day.isoformat(), name, off] for day, name, off in read.days],
    }  # fmt: skip


def propose(change: Mapping[str, Any], *, by: str = ONE, key: str | None = None) -> int:
    return services.propose(
        accounts.actor(by), change, reason="按通知公布", key=key or str(uuid4()), at=NOW,
        halls=[HALL],
    )  # fmt: skip


def confirm(version: int, *, by: str = OTHER, key: str | None = None, **more: Any) -> int:
    return services.confirm(
        accounts.actor(by), version, key=key or str(uuid4()), at=NOW, halls=[HALL], **more
    )


def decline(version: int, *, by: str = OTHER) -> int:
    return services.decline(
        accounts.actor(by), version, reason="与原文不符", key=str(uuid4()), at=NOW
    )


def works(day: str, region: str = "420100", hall: str | None = None, **more: Any) -> bool:
    return queries.edition(region, hall, **more).calendar.works(date.fromisoformat(day))


def code(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return refused.value.code


# --- what ships ----------------------------------------------------------------------------------


def test_the_shipped_years_are_there_once_each_with_its_notice() -> None:
    assert [one.year for one in queries.notices()] == list(range(2007, 2027))
    assert all(one.source for one in queries.notices())
    assert services.load_shipped(at=NOW) == 0
    assert queries.number() == 20


def test_two_first_starts_at_once_ship_once(owner: Any) -> None:
    owner.execute("TRUNCATE ledger_event, ledger_position, ledger_head CASCADE")

    def load() -> int:
        try:
            return services.load_shipped(at=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as several:
        loaded = list(several.map(lambda _: load(), range(4)))
    assert sorted(loaded) == [0, 0, 0, 20]
    assert queries.number() == 20


def test_the_calendar_knows_a_make_up_day_and_where_it_ends() -> None:
    calendar = queries.edition().calendar
    assert calendar.works(date(2026, 2, 14))  # a Saturday, made up
    assert not calendar.works(date(2026, 1, 1))
    assert calendar.is_working_day(date(2027, 3, 1)).provisional


def test_days_an_installation_had_beyond_the_file_are_kept() -> None:
    former = {
        2026: ("市政府放假通知", [("2026-12-31", "调休", True), ("2026-01-01", "元旦", True)]),
        2027: ("国办发明电〔2026〕9号", [("2027-02-05", "春节", True)]),
    }
    assert services.keep_former(former, at=NOW) == 2
    assert services.keep_former(former, at=NOW) == 0
    assert not works("2026-12-31")
    assert not works("2027-02-05")
    assert works("2026-02-14")
    last = queries.notices()
    assert [(one.year, one.amends, len(one.days)) for one in last][-2:] == [
        (2026, True, 1), (2027, False, 1),
    ]  # fmt: skip
    assert services.load_shipped(at=NOW) <= 1


# --- two people ----------------------------------------------------------------------------------


def test_a_proposal_changes_nothing_until_another_person_confirms_it() -> None:
    version = propose(notice())
    assert queries.unpublished(NOW.date()) == 2027
    assert works("2027-02-05")
    number = confirm(version)
    assert queries.number() == number
    assert queries.unpublished(NOW.date()) is None
    assert not works("2027-02-05")
    assert works("2027-02-13")
    assert works("2027-02-05", number=version), "a former edition stays as it was"


def test_who_proposed_cannot_confirm() -> None:
    version = propose(notice())
    with pytest.raises(Refusal) as no:
        confirm(version, by=ONE)
    assert code(no) == "calendar.second_person"
    assert queries.timetable().proposal(version)


@pytest.mark.parametrize(
    "who", ["p-water-head", "p-supervisor", "p-audit_admin", "p-centre_manager"]
)
def test_nobody_else_may_propose_confirm_or_decline(who: str) -> None:
    version = propose(notice())
    refused = []
    with pytest.raises(Refusal) as no:
        propose(OVERLAY, by=who)
    refused.append(code(no))
    with pytest.raises(Refusal) as no:
        confirm(version, by=who)
    refused.append(code(no))
    with pytest.raises(Refusal) as no:
        decline(version, by=who)
    assert [*refused, code(no)] == ["calendar.not_allowed"] * 3


def test_a_change_confirmed_meanwhile_makes_the_second_look_again() -> None:
    first, second = propose(notice()), propose(OVERLAY)
    seen = queries.number()
    confirm(first, seen=seen)
    with pytest.raises(Refusal) as no:
        confirm(second, seen=seen)
    assert code(no) == "calendar.changed"
    with pytest.raises(Refusal, match=r"calendar\.changed"):
        confirm(second)
    assert confirm(second, seen=queries.number())


def test_another_proposal_or_a_new_reading_meanwhile_does_not_disturb() -> None:
    version = propose(notice())
    seen = queries.number()
    propose(OVERLAY)
    services.reprojected(20, looked=7, moved=2, unread=0, at=NOW)
    services.reprojected(20, looked=7, moved=2, unread=0, at=NOW)
    assert queries.holds() == 20
    assert confirm(version, seen=seen) == queries.number() == seen + 3


def test_the_same_key_gives_the_same_answer_and_not_for_something_else() -> None:
    key, other = str(uuid4()), str(uuid4())
    version = propose(notice(), key=key)
    assert propose(notice(), key=key) == version
    with pytest.raises(Refusal) as no:
        propose(OVERLAY, key=key)
    assert code(no) == "ledger.key_reused"
    number = confirm(version, key=other)
    assert confirm(version, key=other) == number
    assert queries.number() == number


def test_of_two_who_confirm_at_once_one_wins() -> None:
    version = propose(OVERLAY, by=ONE)

    def one(_: int) -> str:
        try:
            return str(confirm(version))
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as several:
        answers = sorted(several.map(one, range(4)))
    assert answers == [str(version + 1), *["calendar.decided"] * 3]


def test_what_was_decided_or_never_proposed_cannot_be_confirmed() -> None:
    version = propose(notice())
    decline(version)
    assert works("2027-02-05")
    for again in (version, 1, 9_999):
        with pytest.raises(Refusal) as no:
            confirm(again)
        assert code(no) == ("calendar.decided" if again == version else "calendar.not_proposed")
    assert propose(notice()), "it may be proposed again"


def test_who_proposed_may_take_it_back() -> None:
    version = propose(notice())
    decline(version, by=ONE)
    assert queries.timetable().pending == ()


def test_the_same_change_does_not_wait_twice() -> None:
    propose(notice())
    with pytest.raises(Refusals) as no:
        propose(notice(), by=OTHER)
    assert no.value.refusals[0].code == "calendar.proposed_already"


def test_what_became_unlawful_while_it_waited_is_not_confirmed() -> None:
    first = propose(notice())
    second = propose(notice() | {"source": "另一份"}, by=OTHER)
    confirm(first)
    with pytest.raises(Refusals) as no:
        confirm(second, by=ONE, seen=queries.number())
    assert no.value.refusals[0].code == "calendar.published"


def test_a_reason_is_asked_for_and_stands_outside_the_log() -> None:
    for bad in ("", "  ", "理" * 501, "\x00"):
        with pytest.raises(Refusals):
            services.propose(accounts.actor(ONE), OVERLAY, reason=bad, key=str(uuid4()), at=NOW)
    version = propose(OVERLAY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body::text FROM ledger_event WHERE version = %s", [version])
        assert "按通知公布" not in cursor.fetchone()[0]
    assert queries.history()[0].reason == "按通知公布"


def test_the_history_says_who_proposed_and_who_confirmed() -> None:
    version = propose(notice())
    confirm(version)
    latest = queries.history()[0]
    assert (latest.kind, latest.by, latest.decided_by) == (
        "confirmed", "江城system_admin", "江城security_admin",
    )  # fmt: skip
    assert latest.decided
    assert queries.history()[-1].kind == "shipped"


# --- editions ------------------------------------------------------------------------------------


def test_an_overlay_holds_in_its_district_and_nowhere_else() -> None:
    confirm(propose(OVERLAY))
    assert not works("2026-12-07", "420102")
    assert works("2026-12-07")
    assert works("2026-12-07", "420103")
    assert works("2026-12-07", "receipt"), "a region we do not know has the city's calendar"


def test_an_overlay_of_the_city_holds_in_its_districts_and_a_halls_only_there() -> None:
    confirm(propose(OVERLAY | {"scope": "region:420100"}))
    hall = OVERLAY | {"scope": f"hall:{HALL}", "days": [["2026-12-08", "停电", True]]}
    confirm(propose(hall))
    assert not works("2026-12-07", "420103")
    assert not works("2026-12-08", "420100", HALL)
    assert works("2026-12-08", "420100", "H420102")


def test_what_was_known_at_a_position_is_what_was_published_then() -> None:
    ledger.catch_up()
    before = ledger_queries.lag().last
    confirm(propose(notice()))
    ledger.catch_up()
    assert works("2027-02-05", known=before)
    assert not works("2027-02-05", known=ledger_queries.lag().last)
    assert not works("2026-01-01", known=0), "what ships was known before the log"


def test_a_cached_edition_costs_one_query_in_any_place() -> None:
    confirm(propose(OVERLAY))
    first = queries.edition("420102", HALL)
    with CaptureQueriesContext(connection) as asked:
        assert queries.edition("420102", HALL) is first
        assert queries.edition("420102") is first
    assert len(asked) == 2
    with CaptureQueriesContext(connection) as asked:
        queries.number()
    assert len(asked) == 1


def test_without_anything_loaded_every_day_is_provisional(owner: Any) -> None:
    owner.execute("TRUNCATE ledger_event, ledger_position, ledger_head CASCADE")
    assert queries.number() == 0
    assert queries.edition().calendar.is_working_day(date(2026, 3, 2)).provisional
    assert queries.unpublished(date(2026, 3, 2)) == 2026


@pytest.mark.parametrize(
    ("day", "missing"), [("2026-10-31", None), ("2026-11-01", 2027), ("2027-01-01", 2027)]
)
def test_from_november_on_the_next_year_is_missed(day: str, missing: int | None) -> None:
    assert queries.unpublished(date.fromisoformat(day)) == missing


def test_the_step_from_the_former_tables_loses_no_day(owner: Any) -> None:
    owner.execute("TRUNCATE ledger_event, ledger_position, ledger_head CASCADE")
    owner.execute(
        "CREATE TABLE accounts_calendaryear (year integer PRIMARY KEY, notice text);"
        "CREATE TABLE accounts_calendarday (day date PRIMARY KEY, year_id integer, name text,"
        " off boolean);"
        "INSERT INTO accounts_calendaryear VALUES (2026, 'shipped'), (2027, '市里的通知');"
        "INSERT INTO accounts_calendarday VALUES ('2026-01-01', 2026, '元旦', true),"
        " ('2026-12-31', 2026, '调休', true), ('2027-02-05', 2027, '春节', true);"
        "GRANT SELECT ON accounts_calendaryear, accounts_calendarday TO PUBLIC"
    )
    try:
        step = import_module("zhengwu.calendars.migrations.0001_former_days")
        loader = MigrationLoader(connection)
        step.carry_over(loader.project_state(("accounts", "0003_looks_by_stream")).apps, None)
    finally:
        owner.execute("DROP TABLE accounts_calendarday, accounts_calendaryear")
    assert [one.year for one in queries.notices()] == [*range(2007, 2027), 2026, 2027]
    assert not works("2026-12-31")
    assert not works("2027-02-05")
    assert works("2026-02-14")
