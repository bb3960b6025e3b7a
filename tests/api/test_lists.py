"""Lists and the feed: nothing skipped, nothing twice, whatever comes in meanwhile."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.api.asking import no
from tests.api.system import System, issue, register, water
from tests.api.test_acting import APPLICANT, CLERK, act, received, reception
from tests.desk import walk
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.cases import feed, services
from zhengwu.cases.parties import Applicant
from zhengwu.ledger import services as ledger
from zhengwu.web import tokens
from zhengwu.web.clock import now

pytestmark = pytest.mark.usefixtures("city")
WRITERS = 6
Owner = psycopg.Connection[tuple[object, ...]]
EACH = 12


@pytest.fixture
def system(city: None) -> System:
    walk.publish_items()
    return water()


def everything(system: System, path: str, rows: str, **given: Any) -> list[Any]:
    """All pages of a list."""
    found: list[Any] = []
    after = ""
    while True:
        page = system.get(path, given | ({"after": after} if after else {})).json()
        found += page[rows]
        after = page["next"] or ""
        if not after or page.get("more") is False:
            return found


# --- the list ---------------------------------------------------------------------------------------


def test_pages_hold_every_case_once_though_more_come_in(system: System) -> None:
    numbers = [received(system)["number"] for _ in range(7)]
    first = system.get("/cases", {"limit": 3}).json()
    late = received(system)["number"]
    rest = everything(system, "/cases", "rows", limit=3, after=first["next"])
    seen = [one["number"] for one in [*first["rows"], *rest]]
    assert seen == numbers[::-1]
    assert late not in seen
    assert system.get("/cases", {"limit": 1}).json()["rows"][0]["number"] == late


def test_a_list_answers_what_was_asked(system: System) -> None:
    numbers = [received(system)["number"] for _ in range(3)]
    act(system, CLERK, numbers[0], "accepted", 1)
    found = system.get("/cases", {"state": "handling"}).json()["rows"]
    assert [one["number"] for one in found] == [numbers[0]]
    assert found[0]["state_zh"] == "审查中"
    assert len(system.get("/cases", {"open": "true"}).json()["rows"]) == 3
    assert system.get("/cases", {"open": "false"}).json()["rows"] == []
    assert system.get("/cases", {"item": "XK9999"}).json()["rows"] == []
    assert system.get("/cases", {"agency": "420100-market"}).json()["rows"] == []
    opened = found[0]["opened"]
    since = system.get("/cases", {"opened_from": opened}).json()["rows"]
    assert [one["number"] for one in since] == numbers[::-1]
    assert system.get("/cases", {"opened_to": opened}).json()["rows"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": "0"}, "limit"), ({"limit": "201"}, "limit"), ({"limit": "x"}, "limit"),
        ({"after": "made-up"}, "after"), ({"after": tokens.write("events", 5)}, "after"),
        ({"after": tokens.write("cases", "x", "y")}, "after"),
        ({"after": tokens.write("cases", "2026-01-01T00:00:00", str(uuid4()))}, "after"),
        ({"state": "asleep"}, "state"), ({"open": "perhaps"}, "open"),
        ({"opened_from": "yesterday"}, "opened_from"),
        ({"opened_from": "2026-01-01T00:00:00"}, "opened_from"),
        ({"item": "x" * 99}, "item"), ({"item": "a\0"}, "item"), ({"q": "1"}, "q"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_read_is_told_which_part(
    system: System, given: dict[str, str], field: str
) -> None:
    answer = system.get("/cases", given)
    assert answer.status_code == 422
    no(answer, 422, answer.json()["code"], field)


def test_an_unchanged_case_is_not_sent_again(system: System) -> None:
    number = received(system)["number"]
    first = system.get(f"/cases/{number}")
    again = system.get(f"/cases/{number}", None, **{"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    act(system, CLERK, number, "accepted", 1)
    changed = system.get(f"/cases/{number}", None, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_the_list_of_one_bureau_is_read_from_its_index(system: System, owner: Owner) -> None:
    from zhengwu.cases.listing import Question, rows

    owner.execute(
        "INSERT INTO cases_case (id, version, number, query_code, source, kind, item, item_version,"
        " item_name, agency, region, opened, state, suspended, holder_kind, provisional, closed)"
        " SELECT gen_random_uuid(), 2, 'X' || n, 'X', 'test', 'promised', 'x', 1, 'x',"
        " CASE WHEN n %% 40 = 0 THEN '420100-water' ELSE 'a-' || n %% 40 END, '420100',"
        " now() - n * interval '1 minute', 'closed', false, 'nobody', false, now()"
        " FROM generate_series(1, %s) n",
        [20_000],
    )
    owner.execute("VACUUM ANALYZE cases_case")
    bearer = systems.bearer(system.token, at=now())
    assert bearer
    try:
        with CaptureQueriesContext(connection) as seen:
            found = rows(bearer.actor, Question(), after=None, limit=50)
        assert len(found) == 50
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + str(seen[-1]["sql"]).replace("%", "%%"), [])
            plan = "\n".join(row[0] for row in cursor.fetchall())
    finally:
        owner.execute("TRUNCATE cases_case CASCADE")
        owner.execute("VACUUM ANALYZE cases_case")
    assert "cases_case_opened" in plan, plan
    assert "Seq Scan on cases_case" not in plan, plan


def test_an_export_holds_what_the_list_holds_and_names_nobody(system: System) -> None:
    numbers = [received(system)["number"] for _ in range(3)]
    lines: Any = system.get("/cases/export", {"form": "ndjson"})
    rows = [json.loads(one) for one in b"".join(lines.streaming_content).splitlines()]
    assert [one["number"] for one in rows] == numbers
    table: Any = system.get("/cases/export", {"state": "received"})
    text = b"".join(table.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0].startswith('"办件编号"')
    assert APPLICANT["name"] not in text
    narrow = System(issue(register("narrow"), "cases.read"))
    no(narrow.get("/cases/export"), 403, "api.scope")
    no(system.get("/cases/export", {"form": "xlsx"}), 422, "request.unreadable", "form")


# --- the feed ---------------------------------------------------------------------------------------


def test_the_feed_goes_on_where_it_was_and_gives_each_event_once(system: System) -> None:
    number = received(system)["number"]
    ledger.catch_up()
    first = system.get("/events").json()
    assert [(one["number"], one["kind"]) for one in first["events"]] == [(number, "received")]
    assert not first["more"]
    nothing = system.get("/events", {"after": first["next"]}).json()
    assert nothing["events"] == []
    act(system, CLERK, number, "accepted", 1)
    ledger.catch_up()
    more = system.get("/events", {"after": nothing["next"]}).json()
    assert [one["version"] for one in more["events"]] == [2]
    assert len(everything(system, "/events", "events", limit=1)) == 2


@pytest.mark.parametrize("token", ["x", tokens.write("events", 10**9), tokens.write("events", -1),
                                   tokens.write("cases", 1), tokens.write("events", "1")])  # fmt: skip
def test_a_made_up_place_in_the_feed_is_refused(system: System, token: str) -> None:
    no(system.get("/events", {"after": token}), 422, "request.token", "after")


def test_a_narrow_reader_gets_past_what_is_not_its_own(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        received(system)
    ledger.catch_up()
    monkeypatch.setattr(feed, "SCANNED", 2)
    market = System(issue(register("market-oa", agency="420100-market")))
    assert everything(market, "/events", "events") == []
    assert len(everything(system, "/events", "events")) == 5


def test_nothing_is_skipped_while_many_write(system: System) -> None:
    """Six write at once, holding their transactions open for a while; the sequencer and a reader of
    the feed run beside them. Every event arrives, once, each case's in the order of its versions.
    """
    bearer = systems.bearer(system.token, at=now())
    assert bearer
    clerk = accounts.actor(CLERK)
    written: list[tuple[str, int]] = []
    done = threading.Event()
    faults: list[BaseException] = []

    def guarded(work: Any, *given: Any) -> None:
        try:
            work(*given)
        except BaseException as fault:
            faults.append(fault)
            raise
        finally:
            connections.close_all()

    def write(nth: int) -> None:
        from django.db import transaction

        body = reception()["applicant"]
        for turn in range(EACH):
            with transaction.atomic():
                got = services.receive(
                    clerk,
                    services.Reception(
                        item="XK0031", applicant=Applicant(**body),
                        materials=reception()["materials"],
                    ),
                    key=str(uuid4()),
                    at=now(),
                )  # fmt: skip
                # Some transactions are long: later ones commit before them.
                time.sleep(0.02 if (nth + turn) % 3 == 0 else 0)
            services.perform(
                clerk, got.number, "accepted", version=1, key=str(uuid4()), form={}, at=now()
            )
            written.extend([(got.number, 1), (got.number, 2)])

    def order() -> None:
        while not done.is_set():
            ledger.sequence()
            time.sleep(0.005)
        ledger.sequence()

    read: list[tuple[str, int]] = []

    def follow() -> None:
        after = 0
        while True:
            last_round = finished.is_set()
            page = feed.read(bearer.actor, after=after, limit=7)
            read.extend((one.number, one.version) for one in page.events)
            after = page.upto
            if last_round and not page.more:
                return

    finished = threading.Event()
    writers = [threading.Thread(target=guarded, args=(write, nth)) for nth in range(WRITERS)]
    sequencer = threading.Thread(target=guarded, args=(order,))
    reader = threading.Thread(target=guarded, args=(follow,))
    for thread in (*writers, sequencer, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    sequencer.join()
    finished.set()
    reader.join()
    assert not faults
    assert len(written) == WRITERS * EACH * 2
    assert sorted(read) == sorted(written)
    for number in {number for number, _ in read}:
        assert [version for one, version in read if one == number] == [1, 2]
