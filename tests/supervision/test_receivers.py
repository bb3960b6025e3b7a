"""Whom a finding is served to: a clue is the supervisors' alone, a to-do is theirs who were served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from tests.accounts.city import small_city
from tests.cases import people
from tests.conftest import Kept
from tests.desk.walk import sign_in, text
from tests.supervision import acting as play
from tests.supervision.acting import (
    AT,
    CLERK,
    HEAD,
    MANAGER,
    REVIEWER,
    STRANGE_HEAD,
    SUPERVISOR,
    do,
    head,
    key,
    kinds,
    sees,
    who,
)
from zhengwu.accounts import services as accounts_services
from zhengwu.calendars import queries as calendars
from zhengwu.desk.wall import views as boards
from zhengwu.domain import periods
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import SHIPPED, Level
from zhengwu.domain.supervising import Responsible
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import issuing, orders, queries, report, rulebooks, services, sight, wall
from zhengwu.supervision.events import FINDINGS
from zhengwu.supervision.models import Finding
from zhengwu.supervision.queries import Filter
from zhengwu.supervision.sight import Sight

DESK, CLUE = "/desk/supervision", "不予许可或者不予受理，列为抽查线索"
DISTRICT, DISTRICT_HEAD = "p-d102-supervisor", "p-d102-head"
PLACE = "420100-water-window"
NUMBER: list[str] = []
RULES = {rule.code: rule for rule in SHIPPED}


@pytest.fixture
def number(town: None, kept: Kept) -> Iterator[str]:
    """A case that was refused with its reasons, watched; kept. Its number."""

    def build() -> None:
        small_city()
        people.items()
        play.supervisors()
        accounts_services.add_person(
            DISTRICT, name="区监察", agency="420102-water", holds=[("supervisor", "420102")],
            since=datetime(2020, 1, 1, tzinfo=people.SHANGHAI),
        )  # fmt: skip
        told = people.received()
        told.do(CLERK, "accepted", "09-14 10:00")
        told.do(REVIEWER, "step_taken", "09-14 11:00")
        told.do(REVIEWER, "step_done", "09-15 11:00", {"opinion": "水源不足。"})
        told.do("p-water-approver", "step_taken", "09-15 12:00")
        told.do(
            "p-water-approver", "refused", "09-15 13:00",
            {"reasons": "水资源论证结论为不可行。", "grounds": "basis"},
        )  # fmt: skip
        ledger.catch_up()
        NUMBER.append(told.number)

    boards._boards.clear()
    kept.clean()
    kept.again("refused case", build)
    yield NUMBER[0]
    boards._boards.clear()


def found(rule: str) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM supervision_finding WHERE rule = %s", [rule])
        ((id,),) = cursor.fetchall()
    assert isinstance(id, UUID)
    return id


def issued(
    *receivers: str, post: str | None = PLACE, person: str | None = CLERK, code: str = "T13",
    agency: str = people.WATER, hall: str | None = "H420100", case: UUID | None = None,
    at: datetime = AT, **more: object,
) -> UUID:  # fmt: skip
    """A finding by a rule like P08, served as is said here."""
    rule = replace(RULES["P08"], code=code, receivers=receivers, scored="", **more)  # type: ignore[arg-type]
    id = issuing.identifier(code, key(), about="test")
    issuing.issue(
        [
            issuing.Issue(
                id=id, rule=rule, key=str(id), at=at, case=case, whose=Responsible(agency, post, person),
                region="420100", source="desk", hall=hall, number="JC202609140001",
                item_name="取水许可",
            )
        ],
        book=rulebooks.now(), edition=calendars.edition("420100"), at=at,
    )  # fmt: skip
    return id


def noticed(id: UUID) -> datetime:
    return Finding.objects.get(id=id).at


def row(id: UUID) -> tuple[int, list[str]]:
    """What its head and what its first entry say of whom it is served to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT served FROM supervision_finding WHERE id = %s", [id])
        ((bits,),) = cursor.fetchall()
    return bits, ledger_queries.stream_events(FINDINGS, id)[0].body["served"]


def todo(code: str) -> set[UUID]:
    page = queries.listed(who(code), folder="todo", q=Filter(), at=AT)
    assert page.counts["todo"] == len(page.lines)
    return {one.id for one in page.lines}


def page_of(id: UUID) -> str:
    return f"{DESK}/findings/{id}"


# --- a clue -----------------------------------------------------------------------------------------


def test_a_shipped_clue_is_shown_to_the_supervisors_and_to_nobody_it_may_be_about(
    number: str,
) -> None:
    clue = found("P11")
    assert RULES["P11"].receivers == ("supervisor",)
    assert row(clue) == (4, ["supervisor"])
    supervisor = sign_in(SUPERVISOR)
    assert CLUE in text(supervisor.get(DESK, {"folder": "hints"}))
    assert "只送监察" in text(supervisor.get(DESK, {"folder": "todo"}))
    page = text(supervisor.get(page_of(clue)))
    assert "只送达监察人员：" in page
    assert "提示，送达监察人员" in page
    assert CLUE in text(supervisor.get(f"/desk/cases/{number}"))
    for code in (HEAD, MANAGER):
        client = sign_in(code)
        for folder, _ in queries.FOLDERS:
            answer = text(client.get(DESK, {"folder": folder}))
            assert CLUE not in answer.replace(f"P11 {CLUE}", ""), (code, folder)  # but as a rule
        rows = text(client.get(f"{DESK}.csv", {"folder": "all"}))
        assert CLUE not in rows
        assert client.get(page_of(clue)).status_code == 404
        assert client.post(page_of(clue), {"do": "close"}).status_code == 404
        assert CLUE not in text(client.get(f"/desk/cases/{number}"))
    for code in (HEAD, "p-water-approver", REVIEWER):
        client = sign_in(code)
        assert CLUE not in text(client.get(f"{DESK}/mine", {"folder": "all"}))
        assert client.get(page_of(clue)).status_code == 404
    assert [sees(code, clue) for code in (SUPERVISOR, play.SECOND, play.INSIDER)] == [True] * 3
    assert not any(
        sees(code, clue)
        for code in (HEAD, MANAGER, "p-water-approver", REVIEWER, CLERK, STRANGE_HEAD, DISTRICT)
    )


def test_the_counts_of_a_folder_leave_out_what_is_for_the_supervisors_alone(number: str) -> None:
    def counted(code: str) -> tuple[int, int, int]:
        counts = queries.listed(who(code), folder="all", q=Filter(), at=AT).counts
        return counts["hints"], counts["warnings"], counts["all"]

    assert counted(SUPERVISOR) == (1, 1, 2)  # its entries came late, too, which is no secret
    assert counted(HEAD) == counted(MANAGER) == (0, 1, 1)
    issued("desk", "head")
    issued("supervisor", sign=0, answer=0)
    assert counted(SUPERVISOR) == (1, 3, 4)
    assert counted(HEAD) == counted(MANAGER) == (0, 2, 2)


def test_wall_and_monthly_report_count_it_for_those_who_supervise(number: str) -> None:
    came = noticed(found("P11"))
    issued("supervisor", at=came, sign=0, answer=0)  # a warning, which the wall would tell as news
    month = periods.month(came.astimezone(people.SHANGHAI).date())
    for code, warnings, hints in ((SUPERVISOR, 2, 1), (HEAD, 1, 0), (MANAGER, 1, 0)):
        actor = who(code)
        reach, acts = wall.reach(actor), wall.acts(actor)
        shown = wall.wall(reach, acts=acts, people=False, at=came)
        assert (shown.cards_today["warning"], shown.cards_today["hint"]) == (warnings, hints)
        assert len(shown.news) == warnings
        told = report.content(reach, month, at=came, scope="", acts=acts)
        assert {what: many for what, many, _ in told.summary} | {
            "预警": warnings,
            "提示": hints,
        } == {what: many for what, many, _ in told.summary}, code
        (rules,) = [one for one in told.tables if one.title.startswith("现行规则")]
        assert {line[0]: line[5] for line in rules.rows}["P11"] == hints
    # Nobody is shown a clue because the caller forgot to say as far as whom one supervises.
    assert wall.wall(wall.reach(who(HEAD)), people=False, at=came).cards_today["hint"] == 0


def test_the_boards_of_the_wall_are_not_shared_between_those_who_supervise_and_those_who_do_not(
    number: str,
) -> None:
    made: list[Client] = [sign_in(SUPERVISOR), sign_in(HEAD), sign_in(HEAD)]
    for client in made:
        assert client.get("/desk/wall", {"part": "1"}).status_code == 200
    assert len(boards._boards._answers) == 2


def test_who_supervises_one_agency_and_heads_another_sees_the_clues_of_the_one_only(
    number: str,
) -> None:
    accounts_services.add_person(
        "p-both", name="兼任", agency=people.WATER,
        holds=[("head", people.WATER), ("supervisor", "420102")],
        since=datetime(2020, 1, 1, tzinfo=people.SHANGHAI),
    )  # fmt: skip
    theirs = issued("supervisor", agency="420102-water", hall=None, sign=0, answer=0)
    own = found("P11")
    assert [sees("p-both", one) for one in (theirs, own)] == [True, False]
    assert [sees(DISTRICT, one) for one in (theirs, own)] == [True, False]
    assert [sees(DISTRICT_HEAD, one) for one in (theirs, own)] == [False, False]
    assert todo("p-both") == todo(DISTRICT) == {theirs}
    assert (
        sight.served_to("f", Sight.of(who(DISTRICT)).sees, Sight.of(who(DISTRICT)).acts)[0]
        == "true"
    )


def test_a_supervisor_looks_into_a_clue_and_closes_it_with_what_that_showed(number: str) -> None:
    clue = found("P11")
    assert todo(SUPERVISOR) == {clue}
    with pytest.raises(Refusal) as refused:
        do("close", SUPERVISOR, clue, " ")
    assert (refused.value.field, refused.value.sentence) == ("text", "请写明核查的情况和结果。")
    for verb in ("sign", "answer"):
        with pytest.raises(Refusal):
            do(verb, SUPERVISOR, clue, *(["核查"] if verb == "answer" else []))
    do("close", SUPERVISOR, clue, "调阅了论证报告，理由成立。")
    assert (head(clue).state, kinds(clue)) == ("closed", ["issued", "closed"])
    assert todo(SUPERVISOR) == set()
    assert "已办结" in text(sign_in(SUPERVISOR).get(page_of(clue)))


def test_an_order_on_a_clue_reaches_the_agency_without_the_clue(number: str) -> None:
    clue = found("P11")
    order = orders.open_order(
        who(SUPERVISOR), subject="other", text="请说明这件不予许可的理由。", finding=clue, key=key(),
        at=AT, agency=people.WATER,
    ).id  # fmt: skip
    assert queries.order(who(SUPERVISOR), order, at=AT).line.finding == clue
    assert queries.order(who(HEAD), order, at=AT).line.finding is None
    where = f"{DESK}/orders/{order}"
    assert page_of(clue) in text(sign_in(SUPERVISOR).get(where))
    assert str(clue) not in text(sign_in(HEAD).get(where))


def test_a_hall_has_an_order_by_the_findings_that_its_manager_may_see(number: str) -> None:
    case = uuid4()
    clue = issued("supervisor", case=case, sign=0, answer=0)
    order = orders.open_order(
        who(SUPERVISOR), subject="other", text="请说明理由。", finding=clue, key=key(), at=AT,
        agency=people.WATER,
    ).id  # fmt: skip
    manager, where = sign_in(MANAGER), f"{DESK}/orders/{order}"
    assert manager.get(where).status_code == 404
    issued("desk", case=case)
    assert manager.get(where).status_code == 200


def test_nobody_issues_by_hand_what_the_agency_would_not_be_told_of(number: str) -> None:
    assert "P11" not in {one.code for one in services.rules_by_hand(AT)}
    with pytest.raises(Refusal) as refused:
        services.issue_by_hand(
            who(SUPERVISOR), number, "P11", "red", "重点核查。", key=key(), at=AT
        )
    assert (refused.value.code, refused.value.field) == ("supervision.rule", "rule")


# --- whose to-do it is ------------------------------------------------------------------------------


def test_what_waits_is_with_those_who_were_served(number: str) -> None:
    clue = found("P11")
    desk, top, both, all_ = (
        issued(*whom) for whom in (
            ("desk",), ("head",), ("desk", "head"), ("desk", "head", "supervisor"),
        )
    )  # fmt: skip
    assert [row(one)[0] for one in (desk, top, both, all_)] == [1, 2, 3, 7]
    assert todo(CLERK) == {desk, both, all_}
    assert todo(HEAD) == {top, both, all_}
    assert todo(SUPERVISOR) == {clue}  # what is to be answered waits for the answer
    # It is seen beyond: by the head what the agency has, by the desk what bears its name.
    assert all(sees(HEAD, one) and sees(CLERK, one) for one in (desk, top, both, all_))
    do("answer", CLERK, all_, "已经改正。")
    assert todo(SUPERVISOR) == {clue, all_}
    with pytest.raises(Refusal) as refused:
        do("sign", CLERK, top)
    assert refused.value.code == "supervision.not_served"
    assert "负责人签收" in refused.value.sentence
    assert not any(
        one.kind in ("sign", "answer") for one in queries.finding(who(CLERK), top, at=AT).offers
    )
    do("sign", HEAD, top)
    do("answer", HEAD, desk, "岗位上没有人，由机关答复。")


def test_the_head_stands_for_a_desk_that_nobody_has(number: str) -> None:
    alone = issued("desk", post=None, person=None)
    assert row(alone) == (3, ["desk", "head"])
    assert alone in todo(HEAD)


def test_the_head_who_had_the_case_has_what_is_served_to_the_desk(number: str) -> None:
    own = issued("desk", person=HEAD, post="420100-water-head")
    assert own in todo(HEAD)
    assert own not in todo(CLERK)


def test_those_who_were_served_are_reminded_and_the_supervisors_of_an_appeal(number: str) -> None:
    desk, both = issued("desk"), issued("desk", "head", "supervisor", level=Level.YELLOW)
    do("appeal", HEAD, both, "applicant", "申请人没有来。", at=AT + timedelta(days=1))
    late = AT + timedelta(weeks=3)
    while services.tend(late):
        pass
    told = {
        id: [
            (one.body["what"], one.body["served"])
            for one in ledger_queries.stream_events(FINDINGS, id) if one.kind == "reminded"
        ] for id in (desk, both, found("P11"))
    }  # fmt: skip
    assert told[desk] == [("sign", ["desk"]), ("answer", ["desk"])]
    assert told[both] == [("appeal", ["supervisor"])], "whoever has appealed waits for the ruling"
    assert told[found("P11")] == [], "a clue has no term"
    words = [one.detail for one in queries.finding(who(HEAD), both, at=late).history]
    assert words[0] == "黄牌，送达责任岗位、机关负责人、监察人员"
    assert "逾期没有裁定，催办监察人员" in words
    words = [one.detail for one in queries.finding(who(SUPERVISOR), desk, at=late).history]
    assert "逾期没有签收，催办责任岗位" in words


def test_a_rule_written_before_it_counted_hides_no_card(number: str) -> None:
    old = replace(RULES["T03"], receivers=("supervisor",))
    assert old.served == 7
    card = issued("supervisor", level=Level.RED)
    assert row(card) == (7, ["desk", "head", "supervisor"])
    assert sees(HEAD, card)
