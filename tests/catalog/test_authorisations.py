"""A window decides only what a paper of the head lets its person decide, there, on that day."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.accounts.city import HALL, small_city
from tests.conftest import Kept
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import authorisations, shipped
from zhengwu.catalog import services as catalog_services
from zhengwu.catalog.authorisations import Authorisation, Draft
from zhengwu.domain.procedure import Limit
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARKET, CLERK = "420100-market", "p-market-clerk"
SHOP = "XK0054"  # 个体工商户设立登记: the market bureau's 即办件 in the list
CODE = "QT9001"  # another, published by the fixture
INTAKE = "XK0036"  # 取水许可, the water bureau's, a promised item
PUBLISHED = datetime(2026, 1, 5, 9, tzinfo=SHANGHAI)
TODAY = date(2026, 9, 14)
AT = datetime(2026, 9, 14, 9, tzinfo=SHANGHAI)
BOTH = frozenset({"granted", "refused"})
Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(autouse=True)
def _items(db: None, kept: Kept) -> None:
    kept.again("authorisations", items)


def items() -> None:
    small_city()
    shipped.import_items(
        agencies={"市水务局": "420100-water", "市市场监督管理局": MARKET},
        at=PUBLISHED,
    )
    filing = catalog_services.Draft(
        code=CODE, name="个体工商户歇业备案", type="其他行政权力", agency=MARKET, kind="immediate",
        statutory=None, promised=Limit(0), promised_is="proposed", materials=("备案表",),
        result="备案回执", basis="促进个体工商户发展条例", fee="无", note="", since=date(2026, 1, 1),
    )  # fmt: skip
    catalog_services.publish(filing, by=None, at=PUBLISHED)


@pytest.fixture
def head() -> Actor:
    return accounts.actor("p-market-head")


def draft(**changes: object) -> Draft:
    paper = Draft(
        agency=MARKET,
        hall=HALL,
        window="A01",
        item=SHOP,
        person=CLERK,
        powers=BOTH,
        since=date(2026, 9, 1),
        until=date(2026, 12, 31),
        number="江市监授〔2026〕1号",
    )
    return replace(paper, **changes)  # type: ignore[arg-type]


def issued(by: Actor, **changes: object) -> Authorisation:
    return authorisations.issue(by, draft(**changes), key=str(uuid4()), at=AT)


def standing(**changes: object) -> Authorisation | None:
    asked = {"item": SHOP, "hall": HALL, "window": "A01", "outcome": "granted", "on": TODAY}
    return authorisations.standing(CLERK, **(asked | changes))  # type: ignore[arg-type]


def why_not(**changes: object) -> Refusal:
    asked = {"item": SHOP, "hall": HALL, "window": "A01", "outcome": "granted", "on": TODAY}
    return authorisations.why_not(CLERK, **(asked | changes))  # type: ignore[arg-type]


def refused(by: Actor, **changes: object) -> list[tuple[str, str | None]]:
    with pytest.raises(Refusals) as told:
        issued(by, **changes)
    return [(one.code.removeprefix("authorisation."), one.field) for one in told.value.refusals]


# --- what it lets do ---------------------------------------------------------------------------


def test_without_a_paper_nothing_stands() -> None:
    assert standing() is None
    assert why_not().code == "authorisation.none"


def test_a_paper_lets_its_person_decide_its_item_at_its_window_on_its_days(head: Actor) -> None:
    paper = issued(head)
    assert standing() == paper
    assert standing(outcome=None) == paper
    assert standing(on=date(2026, 9, 1)) == paper
    assert standing(on=date(2026, 12, 31)) == paper  # the last day is included
    assert standing(on=date(2026, 8, 31)) is None
    assert standing(on=date(2027, 1, 1)) is None
    assert standing(window="A02") is None
    assert standing(hall="H420102") is None
    assert standing(item=CODE) is None
    assert authorisations.standing(
        "p-market-clerk2", item=SHOP, hall=HALL, window="A01", outcome="granted", on=TODAY
    ) is None  # fmt: skip


def test_a_paper_without_a_window_holds_at_every_window_of_the_organ(head: Actor) -> None:
    issued(head, window="", until=None)
    assert standing() is not None
    assert standing(window="A07", on=date(2050, 1, 1)) is not None
    assert standing(hall="H420102") is None


def test_a_paper_for_granting_does_not_let_refuse(head: Actor) -> None:
    issued(head, powers=frozenset({"granted"}))
    assert standing() is not None
    assert standing(outcome="refused") is None
    no = why_not(outcome="refused")
    assert no.code == "authorisation.power"
    assert "只到“准予”" in no.sentence


def test_the_refusal_names_the_rule_and_the_day(head: Actor) -> None:
    issued(head)
    assert "从 2026 年 9 月 1 日起" in why_not(on=date(2026, 8, 31)).sentence
    gone = why_not(on=date(2027, 1, 1))
    assert (gone.code, "到 2026 年 12 月 31 日为止" in gone.sentence) == (
        "authorisation.expired", True,
    )  # fmt: skip
    elsewhere = why_not(window="A02")
    assert (elsewhere.code, " A01 窗口" in elsewhere.sentence) == (
        "authorisation.other_window", True,
    )  # fmt: skip
    assert why_not(item=CODE).code == "authorisation.none"
    with pytest.raises(ValueError, match="stands"):
        why_not()


def test_ended_it_lets_nobody_decide_from_that_day(head: Actor, owner: Owner) -> None:
    paper = issued(head)
    ended = authorisations.end(
        head, paper.id, reason="调离窗口", version=1, key=str(uuid4()), at=AT
    )
    assert (ended.version, ended.ended_on, ended.ended_by) == (2, TODAY, "p-market-head")
    assert standing() is None
    assert standing(on=date(2026, 9, 13)) is not None  # it did stand yesterday
    assert why_not().code == "authorisation.ended"
    assert issued(head, number="江市监授〔2026〕2号").version == 1  # a new one may follow


# --- what stands in the log --------------------------------------------------------------------


def test_number_and_reason_are_erasable_contents(head: Actor, owner: Owner) -> None:
    paper = issued(head)
    authorisations.end(head, paper.id, reason="调离窗口", version=1, key=str(uuid4()), at=AT)
    first, second = ledger_queries.stream_events("authorisation", paper.id)
    assert (first.kind, first.actor, first.body["person"]) == ("issued", "p-market-head", CLERK)
    assert set(first.body["paper"]) == {"content", "digest"}
    assert second.kind == "ended"
    kept = ledger_queries.content(second.body["reason"]["content"])
    assert kept is not None
    assert kept.data == "调离窗口"
    row = owner.execute("SELECT string_agg(body::text, '') FROM ledger_event").fetchone()
    assert row is not None
    assert "调离窗口" not in str(row[0])
    assert "江市监授" not in str(row[0])


def test_the_same_key_gives_the_same_paper_and_another_content_is_refused(head: Actor) -> None:
    first = authorisations.issue(head, draft(), key="one", at=AT)
    assert authorisations.issue(head, draft(), key="one", at=AT + timedelta(hours=1)) == first
    with pytest.raises(Refusal) as told:
        authorisations.issue(head, draft(number="另一号"), key="one", at=AT)
    assert told.value.code == "ledger.key_reused"


def test_several_items_go_in_together_or_not_at_all(head: Actor) -> None:
    papers = [draft(), draft(item=CODE)]
    assert len(authorisations.issue_all(head, papers, key="a", at=AT)) == 2
    with pytest.raises(Refusals):
        authorisations.issue_all(
            head, [draft(person="p-market-clerk2"), draft(item=CODE)], key="b", at=AT
        )
    assert authorisations.standing(
        "p-market-clerk2", item=SHOP, hall=HALL, window="A01", on=TODAY
    ) is None  # fmt: skip


# --- what is refused ---------------------------------------------------------------------------


def test_two_that_overlap_cannot_stand(head: Actor) -> None:
    issued(head)
    assert refused(head, number="二号") == [("overlap", "items")]
    assert refused(head, since=date(2026, 12, 31), until=None) == [("overlap", "items")]
    assert refused(head, window="") == [("overlap", "items")]
    issued(head, since=date(2027, 1, 1), until=None)
    assert refused(head, since=date(2040, 1, 1), until=None) == [("overlap", "items")]


def test_the_database_refuses_the_second_of_two_that_come_at_once(head: Actor) -> None:
    ready, results = threading.Barrier(2), []

    def attempt(number: str) -> None:
        try:
            ready.wait()
            results.append(issued(head, number=number).number)
        except Refusals as told:
            results.append(told.refusals[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(number,)) for number in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one in ("甲", "乙") for one in results) == [False, True]
    assert any(one in ("authorisation.overlap", "authorisation.twice") for one in results)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"person": "p-water-clerk"}, ("not_at_window", "person")),
        ({"person": "p-market-reviewer"}, ("not_at_window", "person")),
        ({"person": "nobody\x00"}, ("not_at_window", "person")),
        ({"person": "p-market-head"}, ("oneself", "person")),
        ({"window": "B23"}, ("window", "place")),
        ({"item": INTAKE}, ("item_agency", "items")),
        ({"item": "no such\x00"}, ("item", "items")),
        ({"powers": frozenset()}, ("powers", "powers")),
        ({"powers": frozenset({"everything"})}, ("powers", "powers")),
        ({"until": date(2026, 8, 31)}, ("dates", "until")),
        ({"until": date(2999, 1, 1)}, ("until", "until")),
        ({"since": date(1900, 1, 1)}, ("since", "since")),
        ({"number": "  "}, ("number", "number")),
        ({"number": "号" * 81}, ("number_long", "number")),
        ({"number": "a\x00b"}, ("control", "number")),
        ({"number": "a\ud800"}, ("control", "number")),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(
    head: Actor, changes: dict[str, object], told: tuple[str, str]
) -> None:
    assert refused(head, **changes) == [told]


def test_only_the_head_of_the_organ_issues() -> None:
    for code in ("p-water-head", "p-market-clerk", "p-market-approver", "p-centre_manager"):
        assert refused(accounts.actor(code)) == [("not_head", None)], code


def test_everything_that_is_wrong_is_told_at_once(head: Actor) -> None:
    told = refused(head, person="p-water-clerk", number="", powers=frozenset())
    assert {field for _, field in told} == {"person", "number", "powers"}


def test_a_head_who_sits_at_the_window_does_not_authorise_himself(head: Actor) -> None:
    account_services.add_person(
        "p-both", name="江双", agency=MARKET, posts=[], holds=[("head", MARKET)], since=AT
    )
    assert refused(accounts.actor("p-both"), person="p-both") == [("oneself", "person")]


def test_it_is_ended_once_by_its_own_head_with_a_reason(head: Actor) -> None:
    paper = issued(head)

    def end(by: Actor, reason: str = "调离", version: int = 1, key: str = "") -> Authorisation:
        return authorisations.end(
            by, paper.id, reason=reason, version=version, key=key or str(uuid4()), at=AT
        )

    with pytest.raises(authorisations.AuthorisationNotFound):
        end(accounts.actor("p-water-head"))
    for bad in ("", "  ", "a\x00", "长" * 501):
        with pytest.raises(Refusal) as told:
            end(head, bad)
        assert told.value.field == "reason"
    with pytest.raises(Refusal, match="moved"):
        end(head, version=7)
    first = end(head, key="k")
    assert end(head, key="k") == first
    with pytest.raises(Refusal, match="ended_already"):
        end(head, version=2)


# --- what is listed ----------------------------------------------------------------------------


def test_the_list_is_by_window_and_item_with_its_filters(head: Actor) -> None:
    issued(head)
    issued(head, item=CODE, since=date(2027, 1, 1), until=None, number="授 2 号")
    issued(head, person="p-market-clerk2", since=date(2020, 1, 1), until=date(2020, 12, 31))
    late = issued(head, person="p-market-clerk2")
    authorisations.end(head, late.id, reason="调离", version=1, key=str(uuid4()), at=AT)
    every = authorisations.listed(head, on=TODAY)
    assert (every.total, every.counts) == (4, {"standing": 1, "coming": 1, "ended": 2})
    assert [line.paper.item for line in every.lines] == sorted(
        line.paper.item for line in every.lines
    )
    ended = authorisations.listed(head, on=TODAY, status="ended")
    assert {line.status_zh for line in ended.lines} == {"已到期", "已终止"}
    assert authorisations.listed(head, on=TODAY, q="歇业").total == 1
    assert authorisations.listed(head, on=TODAY, q="歇业 2 A01").total == 1
    assert authorisations.listed(head, on=TODAY, q="clerk2").total == 2  # the name
    assert authorisations.listed(head, on=TODAY, q="%_'").total == 0
    second = authorisations.listed(head, on=TODAY, page=9, size=3)
    assert (second.page, second.pages, len(second.lines)) == (2, 2, 1)
    other = authorisations.listed(accounts.actor("p-water-head"), on=TODAY)
    assert (other.total, other.lines) == (0, ())
    assert authorisations.listed(accounts.actor(CLERK), on=TODAY).total == 0


def test_an_item_nobody_may_grant_at_a_window_is_listed(head: Actor, owner: Owner) -> None:
    def bare(on: date = TODAY) -> set[str]:
        return {item.code for item in authorisations.unauthorised(head, on=on)}

    assert bare() == {SHOP, CODE}
    issued(head, powers=frozenset({"refused"}), item=CODE)
    issued(head)
    assert bare() == {CODE}  # whoever may only refuse cannot finish it
    assert bare(date(2027, 1, 1)) == {SHOP, CODE}
    owner.execute(
        "UPDATE accounts_postholding h SET until = now() FROM accounts_person p"
        " WHERE p.id = h.person_id AND p.code = %s",
        [CLERK],
    )
    assert bare() == {SHOP, CODE}  # nobody sits there any more
    (line, _) = authorisations.listed(head, on=TODAY).lines
    assert not line.at_post


def test_a_clerk_sees_what_is_theirs_and_what_is_not(head: Actor) -> None:
    issued(head)
    mine = authorisations.mine(accounts.actor(CLERK), on=TODAY)
    assert [(line.item_name, line.paper.powers_zh) for line in mine.lines] == [
        ("个体工商户设立登记", "准予、不予")
    ]
    assert mine.without == ("个体工商户歇业备案",)


def test_the_question_of_every_decision_is_one_query_of_an_index(head: Actor, owner: Owner) -> None:
    owner.execute(
        'INSERT INTO catalog_authorisation (id, version, agency, hall, "window", item, person,'
        " may_grant, may_refuse, since, number, issued_by, issued)"
        " SELECT gen_random_uuid(), 1, 'x', 'H', 'A', 'i' || n % 100, 'p' || n / 100, true, true,"
        " '2026-01-01', 'n', 'h', now() FROM generate_series(1, 20000) n"
    )
    owner.execute("ANALYZE catalog_authorisation")
    issued(head)
    with CaptureQueriesContext(connection) as asked:
        assert standing() is not None
    assert len(asked) == 1
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_a_page_of_the_list_asks_no_more_for_more_lines(head: Actor) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            authorisations.listed(head, on=TODAY)
        return len(seen)

    issued(head)
    few = asked()
    for year in range(2027, 2035):
        issued(head, since=date(year, 1, 1), until=date(year, 12, 31))
    assert asked() == few
