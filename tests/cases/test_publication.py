"""Which decisions become public, how soon, under which name, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import override_settings

from tests.cases import people
from tests.cases.people import COMPANY, INTAKE, PERSON
from zhengwu.calendars import queries as calendars
from zhengwu.cases import publication
from zhengwu.domain.event import Event
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
ON = date(2026, 11, 2)


def published() -> tuple[publication.Decision, ...]:
    ledger.catch_up()
    return publication.search(on=ON).rows


def decided(
    outcome: str = "granted", *, applicant: Any = COMPANY, reasons: str = ""
) -> people.Told:
    case = people.received(applicant=applicant)
    case.do("p-water-clerk", "accepted", "09-14 10:20")
    case.do("p-water-reviewer", "step_taken", "09-14 14:00")
    case.do("p-water-approver", outcome, "09-18 16:00", {"reasons": reasons, "grounds": "basis"})
    return case


def act(case: people.Told, kind: str, when: str, body: dict[str, Any]) -> None:
    """An entry of the log as the acts after the decision write it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, version FROM cases_case WHERE number = %s", [case.number])
        stream, version = cursor.fetchone()
    event = ledger.NewEvent(
        kind=kind, occurred=people.moment(when), source="desk", key=str(uuid4()), body=body,
        agency=people.WATER,
    )  # fmt: skip
    (outcome,) = ledger.append("case", [ledger.Row(stream, version, event)])
    assert outcome.status == ledger.Status.MOVED


def story(case: people.Told) -> tuple[Event, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_case WHERE number = %s", [case.number])
        return tuple(ledger_queries.stream_events("case", cursor.fetchone()[0]))


def paper(case: people.Told) -> dict[str, Any]:
    return dict(next(e for e in story(case) if e.kind == "granted").body["document"])


def test_a_granted_decision_is_public_with_the_name_masked() -> None:
    case = decided()
    (row,) = published()
    assert row.number == paper(case)["number"]
    assert row.applicant == "江城**公司"
    assert (row.item, row.agency, row.status) == (INTAKE, people.WATER, "valid")
    assert row.decided == date(2026, 9, 18)
    assert row.title == "准予行政许可决定书"


def test_seven_working_days_are_counted_with_the_holidays() -> None:
    """The clock of the domain counts; the days are the table's."""
    decided()
    (row,) = published()
    calendar = calendars.edition().calendar
    assert calendar.working_days_between(row.decided, row.publish_by) == 7
    assert row.late  # it happened in the past of the test's clock, and came in now


def test_a_refusal_is_not_published() -> None:
    decided("refused", reasons="水源地保护区内不得取水")
    assert published() == ()


def test_a_person_is_masked_and_never_stored_whole() -> None:
    decided(applicant=PERSON)
    (row,) = published()
    assert "*" in row.applicant
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM cases_publication p")
        text = cursor.fetchone()[0]
    for secret in (PERSON.name, PERSON.identifier, PERSON.identifier.upper(), PERSON.phone):
        assert secret not in text


@override_settings(PUBLISH_ORGANISATION_NAMES=True)
def test_a_city_may_publish_the_names_of_organisations_and_only_theirs() -> None:
    decided()
    decided(applicant=PERSON)
    shown = {row.applicant_kind: row.applicant for row in published()}
    assert shown["organisation"] == COMPANY.name
    assert shown["person"] != PERSON.name


def case_of(item_type: str, kind: str) -> publication.Case:
    return publication.Case(
        id=uuid4(), item="X", item_version=1, item_name="某事", item_type=item_type,
        agency="a", applicant={"kind": kind, "name": "李小梅"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("item_type", "kind", "public"),
    [
        ("行政许可", "person", True),
        ("行政许可", "organisation", True),
        ("公共服务", "organisation", True),
        ("公共服务", "person", False),
        ("行政确认", "person", False),
    ],
)
def test_only_licences_of_persons_are_published(item_type: str, kind: str, public: bool) -> None:
    """政府信息公开条例 15: what concerns only a person's own affairs stays private."""
    case = decided()
    found = publication.derive(case_of(item_type, kind), story(case), calendars.edition().calendar)
    assert bool(found) is public


def test_reading_the_log_again_gives_the_same_rows() -> None:
    decided()
    golden = people.golden()
    before = published()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = 'cases.publication'")
    assert published() == before
    told: list[tuple[int, int]] = []
    assert publication.refresh_all(page=1, progress=lambda *seen: told.append(seen)) == 2
    assert told == [(1, 2), (2, 2)]
    assert published() == before
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_publication")
    publication.refresh_all()
    again = published()
    same = [replace(row, published=None, changed=None) for row in again]
    assert same == [replace(row, published=None, changed=None) for row in before]
    assert golden.number


@pytest.mark.parametrize("kind", ["revoked", "cancelled", "taken_back"])
def test_what_ends_a_licence_stays_visible_and_says_so(kind: str) -> None:
    people.golden()
    (before,) = published()
    case = people.Told(number(), "")
    act(case, kind, "11-03 10:00", {"document": {"number": "江水许销字〔2026〕第00001号"}})
    (row,) = published()
    assert (row.status, row.ended) == (kind, date(2026, 11, 3))
    assert row.replaced_by == "江水许销字〔2026〕第00001号"
    assert row.published == before.published
    assert row.changed is not None
    assert before.changed is not None
    assert row.changed > before.changed


def test_a_corrected_paper_names_the_one_that_replaces_it() -> None:
    case = decided()
    check = paper(case)["check"]
    act(case, "document_corrected", "09-19 09:00", {
        "replaces": check, "document": {"number": "江水许更字〔2026〕第00001号", "check": "X"},
    })  # fmt: skip
    (row,) = published()
    assert (row.status, row.replaced_by) == ("corrected", "江水许更字〔2026〕第00001号")


def test_the_correction_of_another_paper_changes_nothing() -> None:
    case = decided()
    before = published()
    act(case, "document_corrected", "09-19 09:00", {
        "replaces": "another", "document": {"number": "N", "check": "X"},
    })  # fmt: skip
    assert published() == before


def test_a_decision_entered_by_mistake_is_shown_as_such() -> None:
    case = decided()
    version = next(e.version for e in story(case) if e.kind == "granted")
    act(case, "entry_withdrawn", "09-18 16:30", {"version": version})
    (row,) = published()
    assert row.status == "entry_withdrawn"
    case.do(
        "p-water-approver", "refused", "09-18 16:40", {"reasons": "水源不足", "grounds": "basis"}
    )
    assert [one.status for one in published()] == ["entry_withdrawn"]


def number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM cases_case")
        found: str = cursor.fetchone()[0]
    return found


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 1),
        ({"q": "取水"}, 1),
        ({"q": "取水 水务"}, 1),
        ({"q": "饮食"}, 0),
        ({"q": "XK0036"}, 1),
        ({"agency": people.WATER}, 1),
        ({"agency": people.MARKET}, 0),
        ({"status": "valid"}, 1),
        ({"status": "revoked"}, 0),
        ({"status": "' OR 1=1"}, 1),
        ({"since": date(2026, 10, 28), "until": date(2026, 10, 28)}, 1),
        ({"since": date(2026, 10, 29)}, 0),
        ({"until": date(2026, 10, 27)}, 0),
        ({"page": 999}, 1),
    ],
)
def test_searching(asked: dict[str, Any], count: int) -> None:
    people.golden()
    ledger.catch_up()
    assert publication.search(**asked, on=ON).total == count


@pytest.mark.parametrize("typed", ["{}", " {} ", "[]", "()", "【】"])
def test_a_number_is_found_however_its_brackets_are_typed(typed: str) -> None:
    people.golden()
    (row,) = published()
    q = row.number
    if len(typed) == 2 and typed != "{}":
        q = q.replace("〔", typed[0]).replace("〕", typed[1])
    else:
        q = typed.format(q)
    assert publication.search(q=q, on=ON).rows == (row,)
    assert publication.search(q=q[:9], on=ON).rows == (row,)
    assert publication.search(q=q + "x%_", on=ON).rows == ()


QUESTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "cases_publication_newest"),
    ({"agency": "a-77"}, "cases_publication_agency"),
    ({"items": ["i-77"]}, "cases_publication_item"),
    ({"number": "江7许决字〔2026〕第0001%"}, "cases_publication_number"),
    ({"status": "revoked"}, "cases_publication_ended"),
    ({"since": date(2026, 1, 1), "until": date(2026, 1, 3)}, "cases_publication_newest"),
)


def test_no_question_reads_the_whole_table(owner: Any) -> None:
    case = decided()
    owner.execute(
        "INSERT INTO cases_publication SELECT gen_random_uuid(), '江' || n %% 100 ||"
        " '许决字〔2026〕第' || lpad(n::text, 5, '0') || '号', 'i-' || n %% 500, 1, '某事',"
        " '行政许可', 'a-' || n %% 100, 'organisation', '江城**公司', 'granted',"
        " date '2020-01-01' + n / 20, date '2020-01-08' + n / 20,"
        " CASE WHEN n %% 1000 = 0 THEN 'revoked' ELSE 'valid' END, NULL, '', now(), now(), c.id"
        " FROM generate_series(1, 60000) n, cases_case c WHERE c.number = %s",
        (case.number,),
    )
    owner.execute("ANALYZE cases_publication")
    for asked, index in QUESTIONS:
        plan = planned(asked)
        assert index in plan, (asked, plan)
        assert "Seq Scan" not in plan, asked


def planned(asked: dict[str, Any]) -> str:
    given = {"agency": "", "status": "", "since": None, "until": None} | {
        key: value for key, value in asked.items() if key not in ("items", "number")
    }
    where, parameters = publication.conditions(q="", **given, on=ON)
    if "items" in asked:
        where += " AND p.item = ANY(%(items)s::text[])"
    if "number" in asked:
        where += " AND p.number LIKE %(number)s"
    parameters |= asked | {"size": 20, "skip": 0}
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + publication.page_sql(where), parameters)
        return "\n".join(row[0] for row in cursor.fetchall())
