"""A window decides only what a paper of the head lets its person decide, there, on that day."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from tests.accounts.city import HALL
from tests.cases import people
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import authorisations
from zhengwu.catalog import services as catalog_services
from zhengwu.catalog.authorisations import Authorisation, Draft
from zhengwu.domain.procedure import Limit
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries

MARKET, CLERK = "420100-market", "p-market-clerk"
SHOP = "XK0054"  # 个体工商户设立登记: the market bureau's 即办件 in the list
CODE = "QT9001"  # another, published by the fixture
INTAKE = "XK0036"  # 取水许可, the water bureau's, a promised item
TODAY = date(2026, 9, 14)
AT = people.moment("09-14 09:00")
BOTH = frozenset({"granted", "refused"})
Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(autouse=True)
def _items(city: None) -> None:
    catalog_services.import_items(
        agencies={"市水务局": people.WATER, "市市场监督管理局": people.MARKET},
        at=people.moment("01-05 09:00"),
    )
    filing = catalog_services.Draft(
        code=CODE, name="个体工商户歇业备案", type="其他行政权力", agency=MARKET, kind="immediate",
        statutory=None, promised=Limit(0), promised_is="proposed", materials=("备案表",),
        result="备案回执", basis="促进个体工商户发展条例", fee="无", note="", since=date(2026, 1, 1),
    )  # fmt: skip
    catalog_services.publish(filing, by=None, at=people.moment("01-05 09:00"))


@pytest.fixture
def head() -> Actor:
    return people.actor("p-market-head")


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
        assert refused(people.actor(code)) == [("not_head", None)], code


def test_everything_that_is_wrong_is_told_at_once(head: Actor) -> None:
    told = refused(head, person="p-water-clerk", number="", powers=frozenset())
    assert {field for _, field in told} == {"person", "number", "powers"}


def test_a_head_who_sits_at_the_window_does_not_authorise_himself(head: Actor) -> None:
    account_services.add_person(
        "p-both", name="江双", agency=MARKET, posts=[], holds=[("head", MARKET)], since=AT
    )
    assert refused(people.actor("p-both"), person="p-both") == [("oneself", "person")]


def test_it_is_ended_once_by_its_own_head_with_a_reason(head: Actor) -> None:
    paper = issued(head)

    def end(by: Actor, reason: str = "调离", version: int = 1, key: str = "") -> Authorisation:
        return authorisations.end(
            by, paper.id, reason=reason, version=version, key=key or str(uuid4()), at=AT
        )

    with pytest.raises(authorisations.AuthorisationNotFound):
        end(people.actor("p-water-head"))
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
