"""Supervision orders: to somebody, worked to an end, escalated past their term whoever hurries then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from tests.cases import people
from tests.cases.people import moment
from tests.supervision import acting as play
from tests.supervision.acting import (
    AT,
    CLERK,
    HEAD,
    MANAGER,
    REVIEWER,
    SECOND,
    STRANGE_HEAD,
    SUPERVISOR,
    TEAMMATE,
    card,
    key,
    kinds,
    who,
)  # fmt: skip
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import orders, queries, services
from zhengwu.supervision.acting import Done, Moved, NotFound
from zhengwu.supervision.events import ACCOUNTS, ORDERS
from zhengwu.supervision.queries import Filter, OrderLine

SIGN_BY, ANSWER_BY = moment("09-15 17:00"), moment("09-21 17:00")


@pytest.fixture
def ready(town: None) -> None:
    play.supervisors()


def opened(*, by: str = SUPERVISOR, at: datetime = AT, **given: Any) -> Done:
    words = {"agency": people.WATER, "subject": "overdue", "text": "三日内查清原因。"} | given
    words.setdefault("key", key())
    return orders.open_order(who(by), at=at, **words)


def line(id: UUID, *, by: str = SUPERVISOR, at: datetime = AT) -> OrderLine:
    return queries.order(who(by), id, at=at).line


def do(verb: str, by: str, id: UUID, *words: Any, at: datetime = AT, **more: Any) -> Done:
    more.setdefault("version", _version(id))
    more.setdefault("key", key())
    done: Done = getattr(orders, verb)(who(by), id, *words, at=at, **more)
    return done


def _version(id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM supervision_order WHERE id = %s", [id])
        return int(cursor.fetchone()[0])


def refused(code: str, verb: str, by: str, id: UUID, *words: Any, at: datetime = AT) -> Refusal:
    with pytest.raises(Refusal) as caught:
        do(verb, by, id, *words, at=at)
    assert caught.value.code == f"supervision.{code}", caught.value
    return caught.value


@pytest.mark.usefixtures("ready")
def test_an_order_goes_its_way_and_may_be_given_back_once_more() -> None:
    id = opened().id
    do("sign", HEAD, id)
    do("work", HEAD, id, "已约谈窗口人员。")
    do("report", HEAD, id, "已整改。")
    do("give_back", SUPERVISOR, id, "没有说明原因。", moment("09-24 00:00").date())
    assert line(id).answer_due == moment("09-24 17:00")
    do("report", HEAD, id, "原因是人手不足，已增派。")
    do("close", SECOND, id, "")
    shown = queries.order(who(HEAD), id, at=AT)
    assert kinds(id, ORDERS) == [
        "opened", "signed", "working", "reported", "returned", "reported", "closed",
    ]  # fmt: skip
    assert (shown.line.state_zh, shown.line.returned, shown.offers) == ("已办结", 1, ())
    assert shown.line.person_zh == "江水一head"
    assert [one.text for one in shown.history][-2:] == ["原因是人手不足，已增派。", ""]
    bodies = str([dict(one.body) for one in ledger_queries.stream_events(ORDERS, id)])
    assert "整改" not in bodies


@pytest.mark.usefixtures("ready")
def test_orders_are_numbered_one_after_another_in_their_year() -> None:
    numbers = [line(opened().id).number for _ in range(3)]
    numbers += [line(opened(at=moment("12-31 16:00") + timedelta(days=1)).id).number]
    assert numbers == ["督〔2026〕1号", "督〔2026〕2号", "督〔2026〕3号", "督〔2027〕1号"]
    once = key()
    first, again = opened(key=once), opened(key=once)
    assert (again.id, again.repeated) == (first.id, True)
    assert line(first.id).number == "督〔2026〕4号"
    with pytest.raises(Refusal) as caught:
        opened(key=once, text="别的要求。")
    assert caught.value.code == "ledger.key_reused"


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"agency": ""}, "order_nobody"),
        ({"agency": "420100-nothing"}, "order_nobody"),
        ({"agency": "420100-centre"}, "order_nobody"),  # nobody there may sign
        ({"post": "420100-water-cellar"}, "order_nobody"),
        ({"post": "420100-market-window"}, "order_nobody"),  # of another agency
        ({"subject": "anger"}, "subject"),
        ({"text": " "}, "text"),
        ({"by": HEAD}, "not_allowed"),
        ({"by": MANAGER}, "not_allowed"),
    ],
)
def test_an_order_to_nobody_is_refused_with_what_to_do(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        opened(**given)
    assert caught.value.code == f"supervision.{code}"
    assert caught.value.sentence.endswith("。")
    assert queries.orders(who(SUPERVISOR), folder="all", q=Filter(), at=AT).lines == ()


def test_an_order_about_a_finding_or_a_case_names_it(ready: None) -> None:
    case = people.received()
    finding = card(case.number)
    one = line(opened(finding=finding, subject="card").id)
    assert (one.finding, one.case_number) == (finding, case.number)
    assert queries.finding(who(HEAD), finding, at=AT).orders == (
        (one.id, "督〔2026〕1号（待签收）"),
    )
    assert line(opened(number=case.number).id).case == one.case
    with pytest.raises(NotFound):
        opened(finding=uuid4())


@pytest.mark.usefixtures("ready")
def test_an_order_to_a_post_is_for_whoever_holds_it_and_the_head() -> None:
    id = opened(post="420100-water-window").id
    for by in (REVIEWER, STRANGE_HEAD):
        with pytest.raises(NotFound):
            do("sign", by, id)
    refused("not_yours", "sign", SUPERVISOR, id)
    refused("order_state", "report", TEAMMATE, id, "还没有签收。")
    do("sign", TEAMMATE, id)
    refused("order_signed", "sign", CLERK, id)
    assert line(id).person_zh == "江水一clerk2"
    refused("not_allowed", "close", HEAD, id, "自己办结。")
    refused("order_state", "give_back", SUPERVISOR, id, "还没有反馈。")
    refused("text", "close", SUPERVISOR, id, "")
    with pytest.raises(Moved):
        do("report", TEAMMATE, id, "已整改。", version=1)


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("days", [0, 400])
def test_a_new_term_lies_ahead_and_not_too_far(days: int) -> None:
    id = opened().id
    do("sign", HEAD, id)
    do("report", HEAD, id, "已整改。")
    refused("until", "give_back", SUPERVISOR, id, "不够。", AT.date() + timedelta(days=days))


@pytest.mark.usefixtures("ready")
def test_past_its_term_an_order_is_escalated_and_accountability_opens_once_for_each_term() -> None:
    id = opened().id
    assert [services.tend(SIGN_BY - timedelta(seconds=1)), services.tend(SIGN_BY)] == [0, 1]
    record = orders.account_of(id)
    assert kinds(record, ACCOUNTS) == ["opened"]
    assert services.tend(SIGN_BY + timedelta(minutes=1)) == 0
    do("sign", HEAD, id, at=SIGN_BY + timedelta(hours=1))
    assert services.tend(ANSWER_BY) == 1
    entries = ledger_queries.stream_events(ORDERS, id)
    assert [one.body["what"] for one in entries if one.kind == "escalated"] == ["sign", "answer"]
    assert kinds(record, ACCOUNTS) == ["opened"]
    shown = queries.account(who(SUPERVISOR), record, at=ANSWER_BY)
    assert (shown.line.cause_zh, shown.order) == ("督办逾期", (id, "督〔2026〕1号"))
    assert queries.order(who(SUPERVISOR), id, at=ANSWER_BY).account == record


@pytest.mark.usefixtures("ready")
def test_a_report_that_comes_late_does_not_come_before_the_sweep() -> None:
    """The worker stood still for a week; the head signs, reports and is closed in that time."""
    id = opened().id
    late = ANSWER_BY + timedelta(hours=1)
    with pytest.raises(NotFound):
        do("sign", STRANGE_HEAD, id, at=late)
    do("sign", HEAD, id, at=late)
    do("report", HEAD, id, "晚了一个小时。", at=late)
    do("close", SUPERVISOR, id, "", at=late)
    assert kinds(id, ORDERS) == ["opened", "escalated", "signed", "reported", "closed"]
    assert kinds(orders.account_of(id), ACCOUNTS) == ["opened"]
    assert services.tend(late) == 0


@pytest.mark.usefixtures("ready")
def test_a_run_is_bounded_and_goes_on_with_the_next() -> None:
    ids = [opened().id for _ in range(5)]
    assert [services.tend(ANSWER_BY, most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert all(kinds(one, ORDERS) == ["opened", "escalated"] for one in ids)


def test_a_record_names_the_finding_for_which_the_order_was_given(ready: None) -> None:
    finding = card(people.received().number, "hint")
    id = opened(finding=finding, subject="card").id
    services.tend(ANSWER_BY)
    ledger.catch_up()
    shown = queries.account(who(SUPERVISOR), orders.account_of(id), at=ANSWER_BY)
    assert [one.id for one in shown.causes] == [finding]
    told = queries.finding(who(SUPERVISOR), finding, at=ANSWER_BY)
    assert (orders.account_of(id), "督办逾期（待承办）") in told.accounts


@pytest.mark.usefixtures("ready")
def test_each_finds_what_waits_for_them() -> None:
    first, second = opened().id, opened(post="420100-water-window").id
    do("sign", HEAD, first)
    do("report", HEAD, first, "已整改。")

    def listed(by: str, folder: str, at: datetime = AT) -> list[UUID]:
        found = queries.orders(who(by), folder=folder, q=Filter(), at=at)
        assert found.counts[folder] == len(found.lines)
        return [one.id for one in found.lines]

    assert listed(SUPERVISOR, "todo") == [first]
    assert listed(TEAMMATE, "todo") == listed(HEAD, "todo") == [second]
    assert listed(TEAMMATE, "all") == [second]
    assert listed(STRANGE_HEAD, "all") == listed(REVIEWER, "all") == []
    assert listed(SUPERVISOR, "overdue", SIGN_BY + timedelta(minutes=1)) == [second]
    assert set(listed(SUPERVISOR, "open")) == {first, second}
    found = queries.orders(who(SUPERVISOR), folder="all", q=Filter(number="督〔2026〕1号"), at=AT)
    assert [one.id for one in found.lines] == [first]
