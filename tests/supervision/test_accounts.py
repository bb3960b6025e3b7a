"""Accountability: it opens itself, nobody handles their own, and it ends by a decision only."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import connection

from tests.accounts.city import SINCE
from tests.cases import people
from tests.supervision import acting as play
from tests.supervision.acting import (
    AT,
    CLERK,
    HEAD,
    INSIDER,
    MANAGER,
    SECOND,
    STRANGE_HEAD,
    SUPERVISOR,
    TEAMMATE,
    card,
    key,
    kinds,
    who,
)  # fmt: skip
from zhengwu.accounts import services as accounts_services
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import accounts, queries, services
from zhengwu.supervision.acting import Done, Moved, NotFound
from zhengwu.supervision.events import ACCOUNTS
from zhengwu.supervision.queries import Filter

DISTRICT = "p-d102-supervisor"


@pytest.fixture
def record(town: None) -> UUID:
    """The record of a red card that bears the clerk's name."""
    play.supervisors()
    accounts_services.add_person(
        DISTRICT, name="江区三supervisor", agency="420102-water", holds=[("supervisor", "420102")],
        since=SINCE,
    )  # fmt: skip
    red = card(people.received().number, "red")
    ledger.catch_up()
    return uuid5(red, "red")


def version(id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM supervision_account WHERE id = %s", [id])
        return int(cursor.fetchone()[0])


def do(verb: str, by: str, id: UUID, *words: Any, **more: Any) -> Done:
    more = {"version": version(id), "key": key(), "at": AT} | more
    done: Done = getattr(accounts, verb)(who(by), id, *words, **more)
    return done


def refused(code: str, verb: str, by: str, id: UUID, *words: Any) -> str:
    with pytest.raises(Refusal) as caught:
        do(verb, by, id, *words)
    assert caught.value.code == f"supervision.{code}", caught.value
    return caught.value.sentence


def test_a_record_is_worked_to_its_end(record: UUID) -> None:
    do("take_up", SUPERVISOR, record, SECOND)
    do("hear", CLERK, record, "当天窗口只有我一个人。")
    do("hear", HEAD, record, "本局已经增派人员。")
    do("decide", SECOND, record, "education", "事实清楚，情节轻微。")
    do("carry_out", HEAD, record, "已批评教育。")
    do("close", SECOND, record)
    shown = queries.account(who(CLERK), record, at=AT)
    assert kinds(record, ACCOUNTS) == [
        "opened", "taken_up", "heard", "heard", "decided", "carried_out", "closed",
    ]  # fmt: skip
    assert (shown.line.state_zh, shown.line.measure_zh) == ("已办结", "批评教育、限期整改")
    assert [one.text for one in shown.history if one.text][:2] == [
        "当天窗口只有我一个人。", "本局已经增派人员。",
    ]  # fmt: skip
    assert (shown.handlers, shown.offers) == ((), ())
    bodies = str([dict(one.body) for one in ledger_queries.stream_events(ACCOUNTS, record)])
    assert "增派" not in bodies


def test_nothing_follows_is_a_decision_too_and_wants_reasons(record: UUID) -> None:
    do("take_up", SUPERVISOR, record)
    do("hear", SUPERVISOR, record, "当事人放弃陈述。")
    refused("text", "decide", SUPERVISOR, record, "none", " ")
    refused("measure", "decide", SUPERVISOR, record, "exile", "没有这一种。")
    do("decide", SUPERVISOR, record, "none", "系统故障所致。")
    refused("account_state", "carry_out", SUPERVISOR, record, "没有什么可执行的。")
    do("close", SUPERVISOR, record)
    refused("account_state", "take_up", SECOND, record)


def test_it_is_not_closed_before_a_decision_nor_before_that_is_carried_out(record: UUID) -> None:
    refused("undecided", "close", SUPERVISOR, record)
    do("take_up", SUPERVISOR, record)
    assert "陈述" in refused("not_heard", "decide", SUPERVISOR, record, "none", "不听了。")
    do("hear", CLERK, record, "说明情况。")
    refused("undecided", "close", SUPERVISOR, record)
    do("decide", SUPERVISOR, record, "notice", "通报。")
    refused("not_carried_out", "close", SUPERVISOR, record)
    refused("account_state", "decide", SUPERVISOR, record, "none", "改主意了。")


def test_nobody_handles_what_concerns_themselves_or_their_own_agency(
    record: UUID, town: None
) -> None:
    accounts_services.add_person(
        "p-both", name="江水一both", agency=people.WATER, since=SINCE,
        posts=[("420100-water-decide", "B")], holds=[("clerk", people.WATER), ("supervisor", "420100")],
    )  # fmt: skip
    own = card(people.received("09-14 09:40").number, "red", person="p-both", by=SECOND)
    ledger.catch_up()
    own = uuid5(own, "red")
    refused("own_account", "take_up", "p-both", own)
    refused("own_agency", "take_up", INSIDER, record)
    refused("handler", "take_up", SUPERVISOR, record, INSIDER)
    refused("handler", "take_up", SUPERVISOR, own, "p-both")
    refused("handler", "take_up", SUPERVISOR, record, DISTRICT)
    refused("handler", "take_up", SUPERVISOR, record, HEAD)
    refused("handler", "take_up", SUPERVISOR, record, "p-nobody")
    shown = queries.account(who(SUPERVISOR), record, at=AT)
    assert [code for code, _ in shown.handlers] == [SUPERVISOR, SECOND]


def test_its_handler_works_on_it_and_may_be_replaced(record: UUID) -> None:
    do("take_up", SUPERVISOR, record)
    assert "江城supervisor" in refused("not_handler", "hear", SECOND, record, "代为登记。")
    refused("handler", "take_up", SUPERVISOR, record)
    do("take_up", SECOND, record)
    do("hear", SECOND, record, "已约谈。")
    assert queries.account(who(SECOND), record, at=AT).line.handler == SECOND


def test_strangers_see_nothing_and_those_concerned_read_it(record: UUID) -> None:
    do("take_up", SUPERVISOR, record)
    for by in (TEAMMATE, STRANGE_HEAD, DISTRICT):
        with pytest.raises(NotFound):
            queries.account(who(by), record, at=AT)
        with pytest.raises(NotFound):
            do("hear", by, record, "插一句。")
    refused("not_allowed", "take_up", HEAD, record)
    refused("not_allowed", "decide", CLERK, record, "none", "没有我的事。")
    assert [one.kind for one in queries.account(who(CLERK), record, at=AT).offers] == ["hear"]
    assert queries.account(who(MANAGER), record, at=AT).offers == ()


def test_a_cause_that_comes_or_goes_meanwhile_is_seen_before_it_is_decided(record: UUID) -> None:
    do("take_up", SECOND, record)
    do("hear", CLERK, record, "已经申诉。")
    before = version(record)
    finding = queries.account(who(SECOND), record, at=AT).causes[0]
    services.appeal(
        who(HEAD), finding.id, "system_fault", "系统停机记录。", version=finding.version,
        key=key(), at=AT,
    )  # fmt: skip
    services.decide(
        who(SECOND), finding.id, "revoked", "有停机记录。", version=finding.version + 1, key=key(),
        at=AT,
    )  # fmt: skip
    ledger.catch_up()
    with pytest.raises(Moved) as caught:
        do("decide", SECOND, record, "warning", "告诫。", version=before)
    assert [one.kind for one in caught.value.between] == ["cause_revoked"]
    do("decide", SECOND, record, "none", "牌已撤销。")
    # A statement is not held up by what the software enters.
    assert queries.account(who(SECOND), record, at=AT).line.revoked == 1


def test_the_same_key_gives_the_same_answer(record: UUID) -> None:
    once = key()
    first = do("take_up", SUPERVISOR, record, key=once)
    again = do("take_up", SUPERVISOR, record, key=once, version=1)
    assert (again.version, again.repeated) == (first.version, True)


@pytest.mark.parametrize("seed", range(3))
def test_no_sequence_of_verbs_makes_a_record_vanish_or_end_without_a_decision(
    record: UUID, seed: int
) -> None:
    roll = random.Random(seed)
    verbs: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("take_up", (None,)), ("take_up", (SECOND,)), ("hear", ("陈述。",)),
        ("decide", ("none", "理由。")), ("decide", ("talk", "理由。")), ("carry_out", ("已执行。",)),
        ("close", ()),
    )  # fmt: skip
    done = 0
    for _ in range(140):
        verb, words = roll.choice(verbs)
        by = roll.choice((CLERK, HEAD, SUPERVISOR, SECOND, INSIDER, MANAGER, STRANGE_HEAD))
        with suppress(Refusal, Moved, NotFound):
            do(verb, by, record, *words)
            done += 1
    happened = kinds(record, ACCOUNTS)
    assert len(happened) == version(record) == done + 1
    assert happened[0] == "opened"
    assert {"decided", "closed"} <= set(happened), happened
    assert happened.index("heard") < happened.index("decided") < happened.index("closed")
    assert happened[-1] == "closed"
    found = queries.accounts(who(SUPERVISOR), folder="closed", q=Filter(), at=AT).lines
    assert record in {one.id for one in found}


def test_what_joins_a_closed_record_opens_it_again(town: None) -> None:
    play.supervisors()
    number = people.received().number
    for _ in range(2):
        card(number)
    ledger.catch_up()
    (month,) = [
        one for one in queries.accounts(who(SUPERVISOR), q=Filter(person=CLERK), at=AT).lines
        if one.cause == "person_month"
    ]  # fmt: skip
    do("take_up", SUPERVISOR, month.id)
    do("hear", CLERK, month.id, "说明情况。")
    do("decide", SUPERVISOR, month.id, "none", "情节轻微。")
    do("close", SUPERVISOR, month.id)
    card(number)
    ledger.catch_up()
    again = queries.account(who(SUPERVISOR), month.id, at=AT)
    assert (again.line.state, again.line.closed) == ("opened", None)
    assert again.line.findings == len(again.causes) == month.findings + 1
    do("take_up", SUPERVISOR, month.id)


def test_each_finds_what_waits_for_them(record: UUID) -> None:
    def listed(by: str, folder: str, days: int = 0) -> set[UUID]:
        at = AT + timedelta(days=days)
        return {o.id for o in queries.accounts(who(by), folder=folder, q=Filter(), at=at).lines}

    assert record in listed(SUPERVISOR, "todo")
    do("take_up", SUPERVISOR, record, SECOND)
    assert record in listed(SECOND, "todo")
    assert record not in listed(SUPERVISOR, "todo")
    assert listed(CLERK, "todo") == {record}
    assert record not in listed(SUPERVISOR, "overdue")
    assert record in listed(SUPERVISOR, "overdue", days=200)
    assert listed(STRANGE_HEAD, "all") == listed(DISTRICT, "all") == set()
    assert record in listed(HEAD, "all")
