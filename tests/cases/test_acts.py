"""What people may do to a case, what is refused, and what happens when two do it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest
from django.db import connections

from tests.cases.people import (
    COMPANY,
    PERSON,
    Told,
    actor,
    golden,
    moment,
    received,
    reception,
)
from zhengwu.cases import loading, queries, services, simulate
from zhengwu.cases.parties import Applicant
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as answer:
        act()
    return answer.value


def test_an_organisation_and_a_person_can_apply() -> None:
    for applicant in (COMPANY, PERSON):
        case = received(applicant=applicant)
        view = queries.case(actor(CLERK), case.number, at=moment("09-14 10:00"))
        assert view.state_zh == "待受理"
    assert view.applicant == "买买提·艾合买提"


def test_the_same_submission_twice_is_one_case() -> None:
    key = str(uuid4())
    first = services.receive(actor(CLERK), reception(), key=key, at=moment("09-14 09:20"))
    second = services.receive(actor(CLERK), reception(), key=key, at=moment("09-14 09:21"))
    assert (second.number, second.query_code, second.repeated) == (
        first.number,
        first.query_code,
        True,
    )


def test_the_same_key_with_other_content_is_refused() -> None:
    key = str(uuid4())
    services.receive(actor(CLERK), reception(), key=key, at=moment("09-14 09:20"))
    again = lambda: services.receive(  # noqa: E731
        actor(CLERK), reception(applicant=PERSON), key=key, at=moment("09-14 09:21")
    )
    assert refused(again).code == "ledger.key_reused"


def test_a_double_click_from_two_threads_is_one_case(owner: Owner) -> None:
    key = str(uuid4())
    numbers: list[str] = []
    gate = threading.Barrier(4)

    def click() -> None:
        gate.wait()
        try:
            numbers.append(
                services.receive(
                    actor(CLERK), reception(), key=key, at=moment("09-14 09:20")
                ).number
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 4
    assert len(set(numbers)) == 1
    row = owner.execute("SELECT count(*) FROM cases_case").fetchone()
    assert row == (1,)


def test_two_clerks_at_once_one_is_told_what_the_other_did() -> None:
    case = received()
    version = loading.load(actor(CLERK), case.number).version
    case.do(CLERK, "accepted", "09-14 10:00")
    with pytest.raises(services.Moved) as moved:
        services.perform(
            actor("p-water-clerk2"), case.number, "accepted", version=version, key=str(uuid4()),
            form={}, at=moment("09-14 10:01"),
        )  # fmt: skip
    assert [event.kind for event in moved.value.between] == ["accepted"]


def test_the_same_act_twice_is_done_once() -> None:
    case = received()
    key = str(uuid4())
    answers = [
        services.perform(
            actor(CLERK), case.number, "accepted", version=1, key=key, form={},
            at=moment("09-14 10:00"),
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [answer.repeated for answer in answers] == [False, True]
    assert answers[0].document == answers[1].document


def test_a_stranger_is_told_that_there_is_no_such_case() -> None:
    case = received()
    for who in ("p-market-clerk", "p-d102-head", "p-system_admin", "p-audit_admin"):
        with pytest.raises(services.CaseNotFound):
            queries.case(actor(who), case.number, at=moment("09-14 10:00"))
        with pytest.raises(services.CaseNotFound):
            case.do(who, "accepted", "09-14 10:00")


def test_a_case_with_missing_materials_is_not_accepted() -> None:
    case = received(missing=1)
    answer = refused(lambda: case.do(CLERK, "accepted", "09-14 10:00"))
    assert answer.code == "case.materials_missing"
    assert answer.article == "行政许可法 第三十二条"


def test_nobody_handles_a_case_that_is_on_its_way() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    answer = refused(lambda: case.do(APPROVER, "granted", "09-15 10:00"))
    assert answer.code in ("case.under_way", "case.not_yet")


def test_a_refusal_needs_reasons_and_gives_a_paper() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    case.do(REVIEWER, "step_done", "09-15 11:00", {"opinion": "水源不足。"})
    case.do(APPROVER, "step_taken", "09-15 12:00")
    assert refused(lambda: case.do(APPROVER, "refused", "09-15 13:00")).field == "reasons"
    reasons = {"reasons": "水资源论证结论为不可行。"}
    nothing = refused(lambda: case.do(APPROVER, "refused", "09-15 13:00", reasons))
    assert (nothing.code, nothing.field) == ("case.no_ground", "grounds")
    done = case.do(APPROVER, "refused", "09-15 13:00", reasons | {"grounds": "basis"})
    assert done.document is not None


def test_a_named_colleague_gets_the_case_and_nobody_else_takes_it() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    answer = refused(
        lambda: case.do(REVIEWER, "handed_over", "09-14 12:00", {"to": "420100-market-review"})
    )
    assert answer.field == "to"
    assert refused(lambda: case.do(REVIEWER, "handed_over", "09-14 12:00")).field == "to"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "张\x00三"}, "name"),
        ({"name": "一" * 101}, "name"),
        ({"name": "😀😀"}, "name"),
        ({"identifier": ""}, "identifier"),
        ({"identifier": "91330102MA28NBU478"}, "identifier"),
        ({"identifier": "9133"}, "identifier"),
        ({"identifier_kind": "resident_id"}, "identifier_kind"),
        ({"identifier_kind": "nonsense"}, "identifier_kind"),
        ({"kind": "martian"}, "applicant_kind"),
        ({"phone": "12345"}, "phone"),
        ({"phone": "+860271-12345678-123456"}, "phone"),
        ({"phone": "'; DROP TABLE cases_case; --"}, "phone"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_half_done(
    owner: Owner, changed: dict[str, str], field: str
) -> None:
    parts = {
        "kind": COMPANY.kind, "name": COMPANY.name, "identifier_kind": COMPANY.identifier_kind,
        "identifier": COMPANY.identifier, "phone": COMPANY.phone,
    }  # fmt: skip
    wrong = Applicant(**{**parts, **changed})  # type: ignore[arg-type]
    before = owner.execute("SELECT count(*) FROM ledger_content").fetchone()
    with pytest.raises(Refusals) as answer:
        services.receive(
            actor(CLERK), reception(applicant=wrong), key=str(uuid4()), at=moment("09-14 09:20")
        )
    assert field in {one.field for one in answer.value.refusals}
    assert owner.execute("SELECT count(*) FROM ledger_content").fetchone() == before
    for table in ("cases_case", "cases_party"):
        assert owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


def test_everything_wrong_is_said_at_once() -> None:
    wrong = services.Reception(
        item="none such",
        applicant=Applicant(kind="", name="", identifier_kind="", identifier="", phone=""),
        materials={},
    )
    with pytest.raises(Refusals) as answer:
        services.receive(actor(CLERK), wrong, key=str(uuid4()), at=moment("09-14 09:20"))
    assert {one.field for one in answer.value.refusals} == {
        "item", "applicant_kind", "name", "identifier_kind", "phone",
    }  # fmt: skip


def test_only_listed_materials_may_be_asked_for() -> None:
    given = reception()
    more = services.Reception(
        item=given.item,
        applicant=given.applicant,
        materials={**given.materials, "99": "received"},
    )
    with pytest.raises(Refusals) as answer:
        services.receive(actor(CLERK), more, key=str(uuid4()), at=moment("09-14 09:20"))
    assert answer.value.refusals[0].article == (
        "行政许可法 第三十一条；优化营商环境条例 第三十五条"
    )


def test_another_departments_item_cannot_be_received() -> None:
    given = reception()
    with pytest.raises(Refusals) as answer:
        services.receive(actor("p-market-clerk"), given, key=str(uuid4()), at=moment("09-14 09:20"))
    assert answer.value.refusals[0].field == "item"


def test_five_working_days_of_silence_are_acceptance_from_the_receipt() -> None:
    case = received("09-14 09:20")
    assert services.deem_accepted(at=moment("09-20 16:59")) == 0
    assert services.deem_accepted(at=moment("09-20 17:01")) == 1
    assert services.deem_accepted(at=moment("09-20 17:02")) == 0
    view = queries.case(actor(CLERK), case.number, at=moment("09-21 09:00"))
    promised = view.reading.limit("promised")
    assert promised is not None
    assert promised.start == moment("09-14 09:20").date()
    assert view.story[-1].who == "系统自动"
    _receipt, paper = view.documents
    assert (paper.zh, paper.number) == ("受理通知书", "江水许受字〔2026〕第00001号")


def test_a_deemed_acceptance_between_page_and_click_does_not_lose_the_click() -> None:
    case = received("09-14 09:20")
    services.deem_accepted(at=moment("09-20 17:01"))
    answer = refused(
        lambda: services.perform(
            actor(CLERK), case.number, "accepted", version=1, key=str(uuid4()), form={},
            at=moment("09-21 09:00"),
        )
    )  # fmt: skip
    assert answer.code == "lifecycle.not_allowed"


def test_no_event_body_holds_a_name_a_number_or_an_opinion(owner: Owner) -> None:
    golden()
    received(applicant=PERSON)
    row = owner.execute("SELECT string_agg(body::text, ' ') FROM ledger_event").fetchone()
    assert row is not None
    bodies = str(row[0])
    for secret in ("清源", "艾合买提", "MA28NBU477", "11010519491231002", "13912342046", "何晓岚"):
        assert secret not in bodies


def test_the_inbox_sorts_by_time_left_and_counts_by_light() -> None:
    early, late = received("09-14 09:20"), received("09-16 09:20", applicant=PERSON)
    page = queries.inbox(actor(CLERK), at=moment("09-17 09:00"))
    assert [row.number for row in page.rows] == [early.number, late.number]
    assert page.total == 2
    assert sum(lamp.count for lamp in page.lamps) == 2
    assert queries.inbox(actor(CLERK), q=PERSON.identifier, at=moment("09-17 09:00")).total == 1
    assert queries.inbox(actor("p-market-clerk"), at=moment("09-17 09:00")).total == 0


def test_heads_are_what_the_events_say(owner: Owner) -> None:
    golden()
    rows = owner.execute("SELECT c.id, c.version, c.state, c.closed FROM cases_case c").fetchall()
    for identifier, version, state, closed in rows:
        events = ledger_queries.stream_events("case", identifier)  # type: ignore[arg-type]
        assert version == len(events) == events[-1].version
        assert state == "closed"
        assert closed == moment("11-02 10:00")


def test_a_simulation_goes_by_lawful_acts_and_is_repeatable(owner: Owner) -> None:
    at = moment("11-20 17:00")
    result = simulate.run(25, seed=7, at=at, days=30)
    assert result.cases == 25
    assert result.refused == {}
    row = owner.execute("SELECT max(occurred) FROM ledger_event WHERE stream = 'case'").fetchone()
    assert row is not None
    assert row[0] <= at + timedelta(0)  # type: ignore[operator]


def at_the_applicant() -> Told:
    """A case whose result lies ready at the window."""
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    case.do(APPROVER, "granted", "09-15 11:00")
    case.do(APPROVER, "licence_made", "09-15 12:00")
    case.do(CLERK, "step_taken", "09-15 13:00")
    case.do(CLERK, "ready", "09-15 13:05")
    return case


def test_what_has_been_done_is_not_done_again_and_nobody_takes_it_from_the_applicant() -> None:
    case = at_the_applicant()
    for who, kind in ((CLERK, "ready"), (REVIEWER, "step_taken"), (APPROVER, "licence_made")):
        assert refused(partial(case.do, who, kind, "09-15 14:00")).code in (
            "case.not_now",
            "case.not_holder",
        )
    done = case.do(CLERK, "delivered", "09-15 15:00", {"means": "post", "proof": "EX123456789CN"})
    assert "办结" in done.sentence


def test_a_clerk_does_not_take_a_case_out_of_the_reviewers_hands_but_the_head_may() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    to = {"to": "420100-water-review"}
    assert refused(lambda: case.do(CLERK, "handed_over", "09-14 12:00", to)).code == (
        "case.not_holder"
    )
    case.do("p-water-head", "handed_over", "09-14 12:00", to)


def test_only_what_was_brought_counts_as_supplemented() -> None:
    case = received(missing=2)
    case.do(CLERK, "supplement_requested", "09-14 10:00")
    assert refused(lambda: case.do(CLERK, "supplemented", "09-15 10:00")).field == "material-02"
    case.do(
        CLERK,
        "supplemented",
        "09-15 10:00",
        {"material-02": "received", "material-03": "missing"},
    )
    assert refused(lambda: case.do(CLERK, "accepted", "09-15 11:00")).code == (
        "case.materials_missing"
    )


def test_a_later_registration_under_the_same_number_changes_no_earlier_case() -> None:
    first = received()
    received(applicant=replace(COMPANY, name="别的公司"))
    view = queries.case(actor(CLERK), first.number, at=moment("09-15 09:00"))
    assert view.applicant == COMPANY.name
    names = {row.applicant for row in queries.inbox(actor(CLERK), at=moment("09-15 09:00")).rows}
    assert names == {COMPANY.name, "别的公司"}


def test_one_case_that_cannot_be_read_does_not_stop_the_others(
    owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = received(), received(applicant=PERSON)
    owner.execute("UPDATE cases_case SET item_version = 99 WHERE number = %s", [broken.number])
    assert services.deem_accepted(at=moment("09-20 17:01")) == 1
    assert broken.number in caplog.text
    view = queries.case(actor(CLERK), sound.number, at=moment("09-21 09:00"))
    assert view.story[-1].kind == "deemed_accepted"
