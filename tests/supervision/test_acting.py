"""What people do with findings: who may, in which order, and that no card ever disappears."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import moment
from tests.conftest import Kept
from tests.supervision import acting as play
from tests.supervision.acting import (
    AT,
    CLERK,
    HEAD,
    INSIDER,
    MANAGER,
    REVIEWER,
    SECOND,
    STRANGE_HEAD,
    STRANGER,
    SUPERVISOR,
    TEAMMATE,
    card,
    do,
    head,
    key,
    kinds,
    sees,
    software,
    who,
)  # fmt: skip
from zhengwu.cases.loading import CaseNotFound
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import queries, services
from zhengwu.supervision.acting import Moved, NotFound
from zhengwu.supervision.events import ACCOUNTS, FINDINGS
from zhengwu.supervision.queries import Filter

WEEK = timedelta(days=7)


CASE: list[people.Told] = []
CARD: list[UUID] = []


@pytest.fixture
def case(town: None, kept: Kept) -> people.Told:
    """A case that was accepted; kept between the tests."""

    def build() -> None:
        small_city()
        people.items()
        play.supervisors()
        CASE.append(people.received())
        CASE[0].do(CLERK, "accepted", "09-14 10:00")

    kept.clean()
    kept.again("case to supervise", build)
    return CASE[0]


@pytest.fixture
def carded(town: None, kept: Kept) -> UUID:
    """Its card, issued by hand; kept."""

    def build() -> None:
        small_city()
        people.items()
        play.supervisors()
        told = people.received()
        told.do(CLERK, "accepted", "09-14 10:00")
        CARD.append(card(told.number))

    kept.clean()
    kept.again("carded case", build)
    return CARD[0]


def refused(code: str, verb: str, by: str, id: UUID, *words: Any, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        do(verb, by, id, *words, **more)
    assert caught.value.code == f"supervision.{code}", caught.value
    assert caught.value.sentence.endswith("。")
    return caught.value


# --- the usual way --------------------------------------------------------------------------------


def test_a_card_is_signed_answered_and_closed(carded: UUID) -> None:
    do("sign", CLERK, carded)
    assert head(carded).state == "signed"
    do("answer", CLERK, carded, " 当天补登了清点记录。 ")
    assert head(carded).state == "answered"
    done = do("close", SUPERVISOR, carded, "")
    assert (done.version, head(carded).state) == (4, "closed")
    assert kinds(carded) == ["issued", "signed", "answered", "closed"]


def test_what_people_write_stands_in_erasable_contents_only(carded: UUID) -> None:
    do("answer", CLERK, carded, "何晓岚当天补登了清点记录。")
    entries = ledger_queries.stream_events(FINDINGS, carded)
    assert "何晓岚" not in json.dumps([dict(one.body) for one in entries], ensure_ascii=False)
    told = queries.finding(who(HEAD), carded, at=AT).history
    assert [one.text for one in told] == [
        "抽查发现材料没有当场清点。",
        "何晓岚当天补登了清点记录。",
    ]
    ledger.erase_content(UUID(entries[1].body["text"]["content"]), because="申请", by="p", at=AT)
    assert queries.finding(who(HEAD), carded, at=AT).history[1].erased


def test_the_same_key_gives_the_same_answer_and_no_other(carded: UUID) -> None:
    once = key()
    first = do("answer", CLERK, carded, "已整改。", key=once)
    again = do("answer", CLERK, carded, "已整改。", key=once, version=1)
    assert (again.version, again.repeated) == (first.version, True)
    with pytest.raises(Refusal) as caught:
        do("answer", CLERK, carded, "没有整改。", key=once, version=1)
    assert caught.value.code == "ledger.key_reused"
    # Nobody's key is another's.
    with pytest.raises(Moved):
        do("answer", REVIEWER if sees(REVIEWER, carded) else HEAD, carded, "x", key=once, version=1)
    assert kinds(carded) == ["issued", "answered"]


def test_what_the_software_enters_meanwhile_does_not_hold_an_answer_up(carded: UUID) -> None:
    software(carded, "basis_changed")
    software(carded, "appeal_opened")
    do("answer", CLERK, carded, "见申诉。", version=1)
    do("appeal", HEAD, carded, "entry_error", "记载已经撤销。", version=4)
    assert kinds(carded)[-2:] == ["answered", "appealed"]


def test_what_a_person_entered_meanwhile_is_shown_first(carded: UUID) -> None:
    do("sign", CLERK, carded)
    with pytest.raises(Moved) as caught:
        do("answer", CLERK, carded, "已整改。", version=1)
    assert [one.kind for one in caught.value.between] == ["signed"]
    assert (caught.value.seen, caught.value.now) == (1, 2)


def test_nobody_rules_without_having_seen_a_basis_that_changed(carded: UUID) -> None:
    do("appeal", HEAD, carded, "system_fault", "系统停了半天。")
    software(carded, "basis_changed")
    with pytest.raises(Moved):
        do("decide", SECOND, carded, "upheld", "证据不足。", version=2)
    do("decide", SECOND, carded, "revoked", "依据已经改变。")
    assert head(carded).appeal == "revoked"


# --- who may --------------------------------------------------------------------------------------


def test_a_finding_is_seen_by_those_whom_it_concerns(carded: UUID) -> None:
    seen = {
        code for code in (
            CLERK, TEAMMATE, REVIEWER, HEAD, STRANGER, STRANGE_HEAD, SUPERVISOR, SECOND, MANAGER,
            "p-legal_office", "p-audit_admin", "p-d102-head",
        ) if sees(code, carded)
    }  # fmt: skip
    assert seen == {CLERK, HEAD, SUPERVISOR, SECOND, MANAGER}


def test_the_holder_of_the_post_sees_what_bears_the_post(case: people.Told) -> None:
    id = services.issue_by_hand(
        who(SUPERVISOR), case.number, "H01", "yellow", "窗口无人。", post="420100-water-window",
        key=key(), at=AT,
    )  # fmt: skip
    assert [sees(code, id) for code in (CLERK, TEAMMATE, REVIEWER)] == [True, True, False]
    do("sign", TEAMMATE, id)


REFUSED: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("sign", SUPERVISOR, (), "not_yours"),
    ("sign", MANAGER, (), "not_yours"),
    ("answer", SUPERVISOR, ("代为答复",), "not_yours"),
    ("close", HEAD, ("算了",), "not_allowed"),
    ("close", SUPERVISOR, ("算了",), "unanswered"),
    ("appeal", CLERK, ("applicant", "申请人没有来"), "appeal_whose"),
    ("appeal", SUPERVISOR, ("applicant", "申请人没有来"), "appeal_whose"),
    ("appeal", HEAD, ("because", "没有理由"), "reason"),
    ("appeal", HEAD, ("applicant", "  "), "text"),
    ("appeal", HEAD, ("applicant", "字" * 2_001), "text_long"),
    ("appeal", HEAD, ("applicant", "控制\x00字符"), "control"),
    ("withdraw_appeal", HEAD, ("",), "no_appeal"),
    ("decide", SECOND, ("revoked", "没有申诉"), "no_appeal"),
    ("decide", HEAD, ("revoked", "自己裁定"), "not_allowed"),
    ("decide", SECOND, ("forgotten", "算了"), "outcome"),
)  # fmt: skip


def test_what_is_not_theirs_or_not_now_is_refused_with_a_sentence(carded: UUID) -> None:
    for verb, by, words, code in REFUSED:
        refused(code, verb, by, carded, *words)
    assert kinds(carded) == ["issued"]


def test_strangers_find_nothing(carded: UUID) -> None:
    for by in (STRANGER, STRANGE_HEAD, REVIEWER, "p-d102-head"):
        with pytest.raises(NotFound):
            do("sign", by, carded)
    with pytest.raises(NotFound):
        do("appeal", STRANGE_HEAD, carded, "applicant", "错把别的局的牌当成自己的")
    with pytest.raises(NotFound):
        queries.finding(who(STRANGE_HEAD), carded, at=AT)


def test_what_is_offered_is_what_is_not_refused(carded: UUID) -> None:
    def offered(code: str) -> list[str]:
        return [one.kind for one in queries.finding(who(code), carded, at=AT).offers]

    assert offered(CLERK) == ["sign", "answer"]
    assert offered(HEAD) == ["sign", "answer", "appeal"]
    assert offered(SUPERVISOR) == ["order"]
    assert offered(MANAGER) == []
    do("appeal", HEAD, carded, "applicant", "申请人没有来。")
    assert offered(SUPERVISOR) == ["order"]  # it is the issuer's own card
    assert offered(SECOND) == ["decide", "order"]
    assert "withdraw_appeal" in offered(HEAD)


# --- appeals --------------------------------------------------------------------------------------


def test_an_appeal_is_decided_by_another_who_is_not_of_the_same_agency(carded: UUID) -> None:
    do("appeal", HEAD, carded, "force_majeure", "大厅停电，有停电通知。")
    refused("own_card", "decide", SUPERVISOR, carded, "upheld", "我发的牌没有错。")
    refused("own_agency", "decide", INSIDER, carded, "revoked", "本局的牌。")
    refused("appeal_open", "close", SUPERVISOR, carded, "先办结")
    refused("level", "decide", SECOND, carded, "lowered", "减轻。")
    refused("level_up", "decide", SECOND, carded, "lowered", "加重。", "red")
    do("decide", SECOND, carded, "lowered", "有停电通知，减轻。", "warning")
    after = head(carded)
    assert (after.level, after.appeal, after.counts) == ("warning", "lowered", True)
    line = queries.finding(who(HEAD), carded, at=AT).line
    assert (line.first_level, line.level_zh) == ("yellow", "预警")


def test_an_appeal_twice_is_refused(carded: UUID) -> None:
    do("appeal", HEAD, carded, "applicant", "申请人没有来。")
    refused("appeal_twice", "appeal", HEAD, carded, "applicant", "再说一遍。")
    do("decide", SECOND, carded, "upheld", "申请人来过。")
    refused("appeal_twice", "appeal", HEAD, carded, "system_fault", "换一个理由。")
    # A basis that changes afterwards is another matter.
    software(carded, "basis_changed")
    do("appeal", HEAD, carded, "entry_error", "记载已经撤销。")


def test_an_appeal_that_was_taken_back_is_not_brought_again(carded: UUID) -> None:
    do("appeal", HEAD, carded, "applicant", "申请人没有来。")
    do("withdraw_appeal", HEAD, carded, "")
    assert (
        "撤回"
        in refused("appeal_twice", "appeal", HEAD, carded, "applicant", "还是要申诉。").sentence
    )


def test_an_appeal_too_late_is_refused_and_says_until_when_it_was(carded: UUID) -> None:
    until = queries.finding(who(HEAD), carded, at=AT).appeal_until
    assert until == moment("09-17 17:00")  # three working days, the close of business
    late = until + timedelta(seconds=1)
    fault = refused("appeal_late", "appeal", HEAD, carded, "applicant", "晚了。", at=late)
    assert "9 月 17 日 17:00" in fault.sentence
    do("appeal", HEAD, carded, "applicant", "正好赶上。", at=until)


def test_an_appeal_that_the_software_opened_has_its_own_term(carded: UUID) -> None:
    later = AT + WEEK
    software(carded, "basis_changed", at=later)
    software(carded, "appeal_opened", at=later)
    refused("appeal_running", "decide", SECOND, carded, "upheld", "不等了。", at=later)
    do("appeal", HEAD, carded, "special_unregistered", "特别程序补登了。", at=later)
    do("decide", SECOND, carded, "revoked", "特别程序有告知书。", at=later)
    assert not head(carded).counts


def test_there_is_no_appeal_before_there_is_a_card(case: people.Told) -> None:
    for level in ("hint", "warning"):
        refused("no_card", "appeal", HEAD, card(case.number, level), "applicant", "先申诉再说。")


def test_a_revoked_card_no_longer_counts_and_stays_visible(case: people.Told) -> None:
    red = card(case.number, "red")
    ledger.catch_up()
    do("appeal", HEAD, red, "lawful_stop", "法院裁定中止。")
    do("decide", SECOND, red, "revoked", "有裁定书。")
    ledger.catch_up()
    after = head(red)
    assert (after.counts, after.state, after.level) == (False, "closed", "red")
    page = queries.listed(who(HEAD), folder="revoked", q=Filter(), at=AT)
    assert [one.id for one in page.lines] == [red]
    # The case is late besides, which opened a record of its own.
    records = {one.cause: one for one in queries.accounts(who(SECOND), q=Filter(), at=AT).lines}
    record = records["red"]
    assert (record.findings, record.revoked, record.state) == (1, 1, "opened")
    assert kinds(record.id, ACCOUNTS) == ["opened", "cause_revoked"]


# --- by hand --------------------------------------------------------------------------------------


UNFIT: tuple[tuple[dict[str, str], str], ...] = (
    ({"rule": "T03"}, "rule"),  # the clock issues these
    ({"rule": "D02"}, "rule"),
    ({"rule": "X99"}, "rule"),
    ({"level": "purple"}, "level"),
    ({"reason": " "}, "text"),
    ({"person": STRANGER}, "person"),
    ({"person": "p-nobody"}, "person"),
    ({"post": "420100-market-window"}, "post"),
    ({"person": CLERK, "post": "420100-water-head"}, "person_post"),
    ({"by": HEAD}, "not_allowed"),
    ({"by": CLERK}, "not_allowed"),
)


def test_a_card_by_hand_wants_a_rule_a_level_a_reason_and_whose_it_is(case: people.Told) -> None:
    for given, code in UNFIT:
        words = {"rule": "H01", "level": "yellow", "reason": "抽查发现。"} | given
        by = words.pop("by", SUPERVISOR)
        with pytest.raises(Refusal) as caught:
            services.issue_by_hand(who(by), case.number, key=key(), at=AT, **words)
        assert caught.value.code == f"supervision.{code}", given


def test_a_card_by_hand_is_issued_once(case: people.Told) -> None:
    once = key()

    def issue(reason: str) -> UUID:
        return services.issue_by_hand(
            who(SUPERVISOR), case.number, "C02", "red", reason, key=once, at=AT
        )

    assert issue("要了指南以外的材料。") == issue("要了指南以外的材料。")
    with pytest.raises(Refusal) as caught:
        issue("别的理由。")
    assert caught.value.code == "ledger.key_reused"
    with pytest.raises(CaseNotFound):
        services.issue_by_hand(who(SUPERVISOR), "JC000", "H01", "red", "没有。", key=key(), at=AT)
    (line,) = queries.listed(who(SUPERVISOR), folder="cards", q=Filter(), at=AT).lines
    assert (line.level, line.rule, line.person, line.number) == ("red", "C02", None, case.number)


# --- what was not done in time --------------------------------------------------------------------


def test_what_is_not_done_in_time_is_reminded_of_once(carded: UUID) -> None:
    assert services.tend(AT) == 0
    next_day = moment("09-15 17:01")
    assert [services.tend(next_day), services.tend(next_day)] == [1, 0]
    do("sign", CLERK, carded, at=next_day)
    late = moment("09-21 17:01")
    assert [services.tend(late), services.tend(late + WEEK)] == [1, 0]
    reminded = [
        one.body["what"] for one in ledger_queries.stream_events(FINDINGS, carded)
        if one.kind == "reminded"
    ]  # fmt: skip
    assert reminded == ["sign", "answer"]
    # The desk can still answer, and the supervisors are told apart what is late.
    (line,) = queries.listed(who(SUPERVISOR), folder="overdue", q=Filter(), at=late).lines
    assert line.overdue
    refused("text", "close", SUPERVISOR, carded, "", at=late)
    do("close", SUPERVISOR, carded, "多次催办没有答复，另行督办。", at=late)


def test_an_outage_brings_one_reminder_of_each_term_and_a_run_is_bounded(case: people.Told) -> None:
    cards = [card(case.number) for _ in range(5)]
    do("appeal", HEAD, cards[0], "applicant", "申请人没有来。")
    at = AT + 4 * WEEK
    runs = list(iter(lambda: services.tend(at, most=2), 0))
    assert max(runs) == 2
    told = [
        [
            e.body["what"]
            for e in ledger_queries.stream_events(FINDINGS, one)
            if e.kind == "reminded"
        ]
        for one in cards
    ]
    # An appeal is the answer: what is late of it is the ruling.
    assert told == [["appeal"], *[["sign", "answer"]] * 4]
    assert sum(runs) == 9


# --- no card ever disappears ----------------------------------------------------------------------


def _anything(roll: random.Random, id: UUID, at: datetime) -> None:
    """One verb of one person, lawful or not; or an entry of the software."""
    codes = (CLERK, HEAD, STRANGE_HEAD, SUPERVISOR, SECOND, INSIDER, MANAGER)
    verbs: tuple[Callable[[], tuple[str, tuple[str, ...]]], ...] = (
        lambda: ("sign", ()),
        lambda: ("answer", ("已整改。",)),
        lambda: ("close", (roll.choice(("", "办结。")),)),
        lambda: ("appeal", (roll.choice(list(services.REASONS)), "有证据。")),
        lambda: ("withdraw_appeal", ("",)),
        lambda: (
            "decide",
            (roll.choice(list(services.OUTCOMES)), "理由。", roll.choice(("hint", "yellow"))),
        ),
    )  # fmt: skip
    if roll.random() < 0.15:
        software(id, "basis_changed", at=at)
        return
    verb, words = roll.choice(verbs)()
    with suppress(Refusal, Moved, NotFound):
        do(
            verb,
            roll.choice(codes),
            id,
            *words,
            at=at,
            version=head(id).version - roll.choice((0, 0, 0, 1)),
        )


@pytest.mark.parametrize("seed", range(3))
def test_no_sequence_of_verbs_makes_a_card_disappear(case: people.Told, seed: int) -> None:
    roll = random.Random(seed)
    cards = [card(case.number, level) for level in ("yellow", "red", "yellow")]
    ledger.catch_up()
    opened = queries.accounts(who(SECOND), q=Filter(), at=AT).lines
    records = {one.id for one in opened}
    assert {"red", "person_month"} <= {one.cause for one in opened}
    at, revoked = AT, set[UUID]()
    for _ in range(70):
        at += timedelta(minutes=roll.choice((1, 30, 600)))
        id = roll.choice(cards)
        before = head(id)
        _anything(roll, id, at)
        after = head(id)
        assert 0 <= after.version - before.version <= 1
        assert kinds(id)[0] == "issued"
        assert len(kinds(id)) == after.version
        if after.appeal == "revoked" or id in revoked:
            revoked.add(id)
            assert not after.counts
        else:
            assert after.counts
        assert before.closed is None or after.closed is not None
    ledger.catch_up()
    listed = queries.listed(who(SUPERVISOR), folder="all", q=Filter(), at=at).lines
    assert {one.id for one in listed} >= set(cards)
    assert {one.id for one in listed if not one.counts} == revoked
    assert {
        one.id for one in queries.accounts(who(SECOND), folder="all", q=Filter(), at=at).lines
    } >= (records)


# --- lists and pages ------------------------------------------------------------------------------


@pytest.fixture
def many(carded: UUID, owner: Any) -> UUID:
    """Some ten thousand findings like this one, of many agencies, most of them done with."""
    names = [
        "version", "rule", "rule_name", "dimension", "scored", "first_level", '"case"', "number",
        "item_name", "source", "region", '"window"', '"limit"', "due", "issued",
        "whole", "served", "sign_due", "answer_due", "appeal_due", "appeal", "basis_changed", "signed",
        "answered", "reminded", "post",
    ]  # fmt: skip
    columns = ", ".join(names)
    owner.execute(
        f"INSERT INTO supervision_finding (id, agency, hall, person, level, at, state, counts, {columns})"
        " SELECT gen_random_uuid(), CASE WHEN mod(n, 40) = 0 THEN agency ELSE 'x-' || mod(n, 200) END,"
        " CASE WHEN mod(n, 90) = 0 THEN hall ELSE 'x' END,"
        " person, CASE WHEN mod(n, 10) = 0 THEN 'yellow' ELSE 'hint' END, at - n * interval '1 hour',"
        f" CASE WHEN mod(n, 100) = 0 THEN 'signed' ELSE 'closed' END, mod(n, 500) <> 7, {columns}"
        " FROM supervision_finding, generate_series(1, 30000) n WHERE id = %s",
        [carded],
    )
    owner.execute("VACUUM ANALYZE supervision_finding")
    return carded


def plans(code: str, folder: str, q: Filter | None = None, after: str = "") -> list[str]:
    """How the database answers a page: the list, then the counts."""
    queries.listed(who(code), folder=folder, q=q or Filter(), after=after, at=AT)
    by = who(code)
    with CaptureQueriesContext(connection) as asked:
        queries.listed(by, folder=folder, q=q or Filter(), after=after, at=AT)
    assert len(asked) <= 5, [one["sql"][:80] for one in asked]
    told = []
    for one in asked:
        if "FROM supervision_finding" in one["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + one["sql"].replace("%", "%%"), [])
                told.append("\n".join(row[0] for row in cursor.fetchall()))
    return told


INDEXES: tuple[tuple[str, str, str], ...] = (
    (SUPERVISOR, "all", "supervision_finding_at"),
    (SUPERVISOR, "unanswered", "supervision_finding_waiting"),
    (SUPERVISOR, "todo", "supervision_finding_todo"),
    (SUPERVISOR, "revoked", "supervision_finding_gone"),
    (HEAD, "all", "supervision_finding_agency"),
    (HEAD, "cards", "supervision_finding_cards"),
    (HEAD, "unanswered", "supervision_finding_desk"),
    (MANAGER, "all", "supervision_finding_hall"),
)


def test_a_page_is_read_from_an_index_in_its_order(many: UUID) -> None:
    for code, folder, index in INDEXES:
        first = queries.listed(who(code), folder=folder, q=Filter(), most=5, at=AT)
        listed, counted = plans(code, folder, after=first.more)
        assert index in listed, (code, folder, listed)
        assert "Seq Scan" not in listed, (code, folder, listed)
        assert "Sort" not in listed, (code, folder, listed)
        assert "count(" in counted or "Aggregate" in counted


def test_what_waits_for_a_desk_or_a_head_is_read_from_the_indexes_of_what_waits(many: UUID) -> None:
    for code, indexes in (
        (CLERK, {"supervision_finding_desk"}),
        (HEAD, {"supervision_finding_desk", "supervision_finding_todo"}),
    ):
        listed, _ = plans(code, "todo")
        assert set(re.findall(r"Index Scan (?:on|using) (\w+)", listed)) == indexes, listed
        assert "Seq Scan" not in listed, listed


def test_pages_meet_and_show_everything_once(many: UUID) -> None:
    seen: list[UUID] = []
    after = ""
    while True:
        page = queries.listed(who(HEAD), folder="cards", q=Filter(), after=after, most=200, at=AT)
        seen += [one.id for one in page.lines]
        if not (after := page.more):
            break
    assert len(seen) == len(set(seen)) == 30_000 // 40 + 1
    assert seen[0] == many
    assert page.counts["all"] == page.counts["cards"] == 751
    assert queries.listed(who(SUPERVISOR), folder="all", q=Filter(), at=AT).counts["all"] == 1_000


UNREADABLE: tuple[tuple[Filter, str, str, str], ...] = (
    (Filter(), "nonsense", "", "supervision.folder"),
    (Filter(), "all", "yesterday", "supervision.cursor"),
    (Filter(), "all", "2026-01-01T00:00:00~00000000-0000-0000-0000-000000000000", "supervision.cursor"),
    (Filter(agency="x" * 200), "all", "", "request.unreadable"),
    (Filter(number="JC\x00"), "all", "", "request.unreadable"),
)  # fmt: skip


def test_a_question_that_cannot_be_read_is_refused(carded: UUID) -> None:
    for q, folder, after, code in UNREADABLE:
        with pytest.raises(Refusal) as caught:
            queries.listed(who(SUPERVISOR), folder=folder, q=q, after=after, at=AT)
        assert caught.value.code == code


def test_a_list_is_narrowed_by_what_one_asks_for(case: people.Told) -> None:
    yellow, hint = card(case.number), card(case.number, "hint", person=REVIEWER)

    def listed(**narrow: Any) -> set[UUID]:
        found = queries.listed(who(SUPERVISOR), folder="all", q=Filter(**narrow), at=AT)
        return {one.id for one in found.lines}

    day = AT.date()
    assert listed(level="yellow") == listed(person=CLERK) == {yellow}
    assert listed(person=REVIEWER) == {hint}
    assert listed(number=case.number, since=day, until=day, rule="H01") == {yellow, hint}
    assert listed(until=day - timedelta(days=1)) == listed(agency=people.MARKET) == set()


def test_looks_at_a_finding_are_on_record_the_supervisors_own_too(carded: UUID) -> None:
    for code in (SUPERVISOR, HEAD):
        queries.finding(who(code), carded, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person, stream, fields FROM accounts_look WHERE stream_id = %s ORDER BY id",
            [carded],
        )
        looks = cursor.fetchall()
    assert [one[0] for one in looks] == [SUPERVISOR, HEAD]
    assert {one[1] for one in looks} == {FINDINGS}


def test_a_centre_manager_sees_the_finding_and_not_what_people_wrote(carded: UUID) -> None:
    do("answer", CLERK, carded, "当天补登了清点记录。")
    told = queries.finding(who(MANAGER), carded, at=AT).history
    assert [(one.text, one.hidden) for one in told] == [("", True), ("", True)]
