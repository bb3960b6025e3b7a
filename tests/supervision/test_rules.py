"""Changing the rulebook and trying rules on history: two people, from tomorrow, never backwards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import SHANGHAI, moment
from tests.cases.test_simulation_year import play
from tests.conftest import Kept
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import alarms
from zhengwu.config.jobs import Triers
from zhengwu.domain import rulebook, scoring
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import SHIPPED, Dialect, Level, Rule
from zhengwu.domain.rulebook import Test as Asked
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import followers, rulebooks, rules, trials, trying
from zhengwu.supervision.events import RULEBOOK, RULEBOOK_ID
from zhengwu.supervision.models import Finding, Trial, Watch
from zhengwu.web.clock import now

NOW = moment("11-29 10:00")
TODAY, TOMORROW = NOW.date(), NOW.date() + timedelta(days=1)
ONE, OTHER, DISTRICT = "p-supervisor", "p-supervisor2", "p-d102-supervisor"
JULY = {"since": date(2026, 7, 1), "until": date(2026, 7, 31)}


def supervisors() -> None:
    for code, scope in ((OTHER, "420100"), (DISTRICT, "420102")):
        account_services.add_person(
            code, name=f"监察{code}", agency="420100-centre", holds=[("supervisor", scope)],
            since=datetime(2020, 1, 1, tzinfo=SHANGHAI),
        )  # fmt: skip


@pytest.fixture
def two(city: None) -> None:
    """The small city with a second supervisor and one of a district."""
    supervisors()


def who(code: str) -> Actor:
    return accounts.actor(code)


def shipped(code: str) -> Rule:
    return next(one for one in SHIPPED if one.code == code)


def changed(which: str = "T03", **more: Any) -> dict[str, Any]:
    return {"rule": rulebook.as_data(replace(shipped(which), **({"since": TOMORROW} | more)))}


def propose(change: dict[str, Any], *, by: str = ONE, **more: Any) -> int:
    given: dict[str, Any] = {"reason": "效能办会议纪要", "key": str(uuid4()), "at": NOW} | more
    return rules.propose(who(by), change, **given)


def confirm(version: int, *, by: str = OTHER, at: datetime = NOW, **more: Any) -> int:
    return rules.confirm(who(by), version, key=str(uuid4()), at=at, **more)


def refused(act: Callable[[], object]) -> dict[str, str | None]:
    """The codes of what is refused, with their fields."""
    with pytest.raises((Refusal, Refusals)) as no:
        act()
    if isinstance(no.value, Refusal):
        return {no.value.code: no.value.field}
    assert isinstance(no.value, Refusals)
    return {one.code: one.field for one in no.value.refusals}


def log() -> list[str]:
    return [one.kind for one in ledger_queries.stream_events(RULEBOOK, RULEBOOK_ID)]


# --- two people --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("two")
def test_nothing_holds_before_another_person_has_confirmed_it() -> None:
    version = propose(changed(sign=2))
    assert rulebooks.now() == rulebook.Rulebook()
    assert [one.title for one in rules.waiting()] == ["规则的新版本：T03 超过承诺时限"]
    confirm(version)
    book = rulebooks.now()
    assert [book.rule("T03", day).sign for day in (TODAY, TOMORROW)] == [1, 2]  # type: ignore[union-attr]
    assert rules.waiting() == ()
    now, before = rules.versions("T03", today=TODAY)
    assert (now.state, before.state) == ("future", "present")
    assert before.rule.until == TOMORROW
    assert now.step is not None
    assert (now.step.by, now.step.decided_by) == ("江城supervisor", f"监察{OTHER}")
    assert now.step.reason == "效能办会议纪要"
    assert before.step is None, "it came with the software"


@pytest.mark.usefixtures("two")
def test_nobody_confirms_their_own_and_one_of_the_two_is_of_the_city() -> None:
    version = propose(changed(sign=2))
    assert refused(lambda: confirm(version, by=ONE)) == {"rule.second_person": None}
    confirm(version, by=DISTRICT)
    version = propose(changed("T04", sign=2), by=DISTRICT)
    account_services.add_person(
        "p-d103-supervisor", name="监察三", agency="420100-centre",
        holds=[("supervisor", "420103")], since=datetime(2020, 1, 1, tzinfo=SHANGHAI),
    )  # fmt: skip
    assert refused(lambda: confirm(version, by="p-d103-supervisor")) == {"rule.city": None}
    for stranger in ("p-water-head", "p-centre_manager", "p-system_admin"):
        assert refused(lambda s=stranger: confirm(version, by=s)) == {"rule.not_allowed": None}  # type: ignore[misc]
        assert refused(lambda s=stranger: propose(changed("T05", sign=2), by=s)) == {  # type: ignore[misc]
            "rule.not_allowed": None
        }
    confirm(version, by=OTHER)
    assert log() == ["proposed", "confirmed", "proposed", "confirmed"]


@pytest.mark.usefixtures("two")
def test_of_two_proposals_for_one_rule_at_once_one_is_taken() -> None:
    """Each in a thread of its own, with a connection of its own."""
    gate, said = threading.Barrier(2), []

    def try_it(by: str, sign: int) -> None:
        from django.db import connection

        try:
            gate.wait()
            propose(changed(sign=sign), by=by)
            said.append("taken")
        except Refusals as no:
            said.append(no.refusals[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=given) for given in ((ONE, 2), (OTHER, 3))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(said) == ["rule.proposed_already", "taken"]
    assert log() == ["proposed"]


@pytest.mark.usefixtures("two")
def test_one_key_is_one_proposal() -> None:
    key = str(uuid4())
    assert propose(changed(sign=2), key=key) == propose(changed(sign=2), key=key)
    assert refused(lambda: propose(changed(sign=3), key=key)) == {"ledger.key_reused": None}
    assert log() == ["proposed"]


@pytest.mark.usefixtures("two")
def test_declined_is_declined_with_its_reason_and_not_decided_again() -> None:
    version = propose(changed(sign=2))
    assert refused(lambda: rules.decline(who(OTHER), version, reason=" ", key="a", at=NOW)) == {
        "rule.reason": "reason"
    }
    rules.decline(who(OTHER), version, reason="期限没有依据", key=str(uuid4()), at=NOW)
    assert refused(lambda: confirm(version)) == {"rule.decided": None}
    assert refused(lambda: confirm(99)) == {"rule.not_proposed": None}
    (step,) = rules.history()
    assert (step.state, step.declined) == ("declined", "期限没有依据")
    assert rulebooks.now() == rulebook.Rulebook()


@pytest.mark.usefixtures("two")
def test_a_page_older_than_the_last_confirmation_does_not_confirm() -> None:
    first, second = propose(changed(sign=2)), propose(changed("T04", sign=2))
    seen = rulebooks.now().number
    confirm(first)
    assert refused(lambda: confirm(second, seen=seen)) == {"rule.changed": None}
    confirm(second, seen=rulebooks.now().number)


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("two")
def test_nothing_is_changed_backwards() -> None:
    for day in (TODAY - timedelta(days=30), date(2004, 7, 1)):
        assert "rule.back" in refused(lambda d=day: propose(changed(sign=2, since=d)))  # type: ignore[misc]
    began = shipped("T03").since
    assert refused(lambda: propose(changed(since=began, until=TODAY))) == {"rule.back": "until"}
    assert refused(lambda: propose(changed(sign=2, since=date(9999, 1, 1)))) == {
        "rule.far": "since"
    }
    # A change whose day came while it waited is not confirmed any more.
    version = propose(changed(sign=2))
    assert refused(lambda: confirm(version, at=NOW + timedelta(days=3))) == {"rule.back": "since"}


@pytest.mark.usefixtures("two")
def test_what_has_issued_nothing_may_begin_today() -> None:
    fresh = changed("D02", code="D09", zh="来源系统两天没有报送", since=TODAY)
    confirm(propose(fresh))
    assert rulebooks.now().rule("D09", TODAY) is not None


@pytest.mark.usefixtures("two")
def test_dates_that_overlap_are_refused() -> None:
    confirm(propose(changed(sign=3, since=TODAY + timedelta(days=30))))
    assert refused(lambda: propose(changed(sign=2))) == {"rule.overlap": "since"}
    # That version itself may be written anew until its day has come.
    confirm(propose(changed(sign=4, since=TODAY + timedelta(days=30))))
    later = rulebooks.now().rule("T03", TODAY + timedelta(days=31))
    assert later is not None
    assert later.sign == 4


@pytest.mark.usefixtures("two")
def test_an_ended_rule_no_longer_holds_and_keeps_its_history() -> None:
    confirm(propose(changed(since=shipped("T03").since, until=TOMORROW)))
    book = rulebooks.now()
    assert (book.rule("T03", TODAY) is None, book.rule("T03", TOMORROW) is None) == (False, True)
    assert [one.kind for one in rules.history()] == ["end"]
    assert len(rules.versions("T03", today=TODAY)) == 1


IMPOSSIBLE: tuple[tuple[str, tuple[Asked, ...], dict[str, str]], ...] = (
    ("T03", (Asked("limit", "in", ("promised",)),), {"rule.point": "where.left"}),
    (
        "T03", (Asked("over", "ge", 0), Asked("left", "le", 1)), {"rule.point": "where.left"},
    ),
    ("T03", (Asked("over", "le", 3),), {"rule.op": "where.over", "rule.point": "where.left"}),
    ("T03", (Asked("over", "ge", 9999),), {"rule.value": "where.over"}),
    ("T03", (Asked("over", "ge", "三"),), {"rule.value": "where.over"}),
    ("T03", (Asked("over", "ge", 0), Asked("colour", "is", True)),
     {"rule.attribute": "where.colour"}),
    ("T03", (Asked("over", "ge", 0), Asked("limit", "in", ("moon",))), {"rule.value": "where.limit"}),
    ("P02", (Asked("nth", "ge", 5), Asked("nth", "le", 2)), {"rule.impossible": "where.nth"}),
    ("P02", (Asked("nth", "ge", 2), Asked("nth", "ge", 3)), {"rule.twice": "where.nth"}),
    ("P09R", (Asked("of", "has", "P09R"), Asked("count", "ge", 3), Asked("per", "in", ("person",))),
     {"rule.of": "where.of"}),
    ("P09R", (Asked("of", "has", "P09"), Asked("per", "in", ("person", "agency"))),
     {"rule.needed": "where.count", "rule.per": "where.per"}),
)  # fmt: skip


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(("code", "where", "expected"), IMPOSSIBLE)
def test_a_condition_that_cannot_come_true_is_refused_at_its_field(
    code: str, where: tuple[Asked, ...], expected: dict[str, str]
) -> None:
    assert refused(lambda: propose(changed(code, where=where))) == expected
    assert log() == []


@pytest.mark.usefixtures("two")
def test_everything_that_is_wrong_with_a_rule_is_said_at_once() -> None:
    wrong = changed(zh=" ", basis="", receivers=(), sign=99, answer=0, matter="moon")
    assert set(refused(lambda: propose(wrong))) == {
        "rule.name", "rule.basis", "rule.receivers", "rule.sign", "rule.matter",
        "rule.matter_changed",
    }  # fmt: skip
    assert refused(lambda: propose({"rule": {"code": "T03"}})) == {"rule.shape": None}
    assert refused(lambda: propose(changed())) == {"rule.nothing": None}


@pytest.mark.usefixtures("two")
def test_what_only_the_supervisors_know_of_is_not_counted_in_what_the_agency_is_told() -> None:
    clues = (Asked("of", "has", "P11"), Asked("count", "ge", 3), Asked("per", "in", ("agency",)))
    assert refused(lambda: propose(changed("P09R", where=clues))) == {"rule.of_kept": "where.of"}
    quiet = {
        "receivers": ("supervisor",), "sign": 0, "answer": 0, "scored": "", "level": Level.HINT,
        "approaching": None,
    }  # fmt: skip
    new = replace(shipped("P09R"), code="P11R", where=clues, since=TOMORROW, **quiet)  # type: ignore[arg-type]
    made = {"rule": rulebook.as_data(new)}
    assert rules.check(made, rulebooks.now(), at=NOW) == made
    # Nor does what is counted so become the supervisors' alone.
    assert refused(lambda: propose(changed("P09", **quiet))) == {"rule.counted": "receivers"}


@pytest.mark.usefixtures("two")
def test_weights_that_do_not_add_to_100_are_refused_and_others_hold_from_their_day() -> None:
    table = scoring.as_data(scoring.SHIPPED)
    change = {"setting": "weights", "since": TOMORROW.isoformat(), "value": table}
    table["weights"]["fees"] += 1
    assert refused(lambda: propose(change)) == {"weights.sum": "weights"}
    table["weights"]["openness"] -= 1
    confirm(propose(change))
    assert rules.settings(TODAY)["weights"]["weights"]["fees"] == 8
    assert rules.settings(TOMORROW)["weights"]["weights"]["fees"] == 9


@pytest.mark.usefixtures("two")
def test_dialect_and_numbers_of_cards_are_settings_with_a_day() -> None:
    def setting(kind: str, value: object, since: date = TOMORROW) -> dict[str, Any]:
        return {"setting": kind, "since": since.isoformat(), "value": value}

    confirm(propose(setting("dialect", "approaching")))
    confirm(propose(setting("accountability", {"person": 4, "agency": 9})))
    book = rulebooks.now()
    assert [book.dialect(day) for day in (TODAY, TOMORROW)] == [
        Dialect.OVERDUE, Dialect.APPROACHING,
    ]  # fmt: skip
    assert book.level(shipped("T03"), TOMORROW) is Level.RED
    assert rules.settings(TOMORROW)["accountability"] == {"person": 4, "agency": 9}
    for given, code in (
        (setting("dialect", "purple"), "rule.dialect"),
        (setting("accountability", {"person": 0, "agency": 3}), "rule.cards"),
        (setting("accountability", {"person": 2}), "rule.cards"),
        (setting("dialect", "overdue", TODAY), "rule.back"),
        (setting("mood", 1), "rule.setting"),
    ):
        assert set(refused(lambda g=given: propose(g))) == {code}  # type: ignore[misc]


@pytest.mark.usefixtures("two")
def test_every_open_case_is_looked_at_on_the_day_a_rule_begins(town: None) -> None:
    supervisors()
    people.received()
    ledger.catch_up()
    early = replace(
        shipped("T01"), since=TOMORROW,
        where=(Asked("limit", "in", ("promised",)), Asked("left", "le", 3)),
    )  # fmt: skip
    tried = ask(early)
    trying.work()
    confirm(propose({"rule": rulebook.as_data(early)}, trial=tried))
    ledger.catch_up()
    (watch,) = Watch.objects.all()
    assert watch.look_at <= datetime.combine(TOMORROW, datetime.min.time(), SHANGHAI)


# --- on history --------------------------------------------------------------------------------------


def ask(
    rule: Rule, *, by: str = ONE, key: UUID | None = None,
    since: date = JULY["since"], until: date = JULY["until"],
) -> UUID:  # fmt: skip
    return trials.ask(who(by), rule, since=since, until=until, key=key or uuid4(), at=NOW)


def tried(rule: Rule, **period: Any) -> trials.Tried:
    identifier = ask(rule, **period)
    assert trying.work() == 1
    found = trials.done(identifier)
    assert found is not None, trials.trial(identifier)
    return found


YEAR = {"since": date(2026, 1, 1), "until": TODAY}


@pytest.fixture
def supervised(town: None, kept: Kept) -> None:
    """The town with most of a simulated year, supervised up to now; kept."""

    def build() -> None:
        small_city()
        people.items()
        supervisors()
        play()
        ledger.catch_up()
        # What only time brings: the clock's alarms, and what they call for.
        while alarms.sweep(now()):
            pass
        ledger.catch_up()
        while followers.sweep(now()):
            pass

    kept.clean()
    kept.again("year to try rules on", build)


@pytest.mark.usefixtures("supervised")
def test_a_rule_as_it_is_finds_in_a_trial_what_was_found_in_life() -> None:
    for code in ("T03", "P02", "P09", "C02", "T01"):
        found = tried(shipped(code), **YEAR)
        issued = Finding.objects.filter(rule=code, at__gte=datetime(2026, 1, 1, tzinfo=SHANGHAI))
        assert found.compared["issued"] == issued.count(), code
        # A trial judges by what is known now; a card that later news took the basis from stands.
        assert found.found == issued.filter(basis_changed=False).count() > 0, code
        assert found.compared["present"] == found.found, code
        assert (found.compared["more"], found.compared["fewer"]) == (0, 0), code
        assert sum(found.by_agency.values()) == sum(found.by_level.values()) == found.found, code
    assert Finding.objects.filter(rule="tried").count() == 0, "nothing is issued"


@pytest.mark.usefixtures("supervised")
@pytest.mark.parametrize(("per", "count"), [("agency", 2), ("person", 2), ("agency", 5)])
def test_a_rule_about_repeats_is_counted_from_the_findings_there_are(per: str, count: int) -> None:
    repeats = replace(
        shipped("P09R"),
        where=(Asked("of", "has", "P09"), Asked("count", "ge", count), Asked("per", "in", (per,))),
    )
    told = Finding.objects.filter(rule="P09", counts=True).values_list("agency", "person", "at")
    months = Counter(
        (agency, person if per == "person" else "", at.astimezone(SHANGHAI).strftime("%Y-%m"))
        for agency, person, at in told
        if per == "agency" or person
    )
    found = tried(repeats, **YEAR)
    assert found.found == sum(held >= count for held in months.values()) > 0
    assert found.compared["present"] == Finding.objects.filter(rule="P09R").count()


@pytest.mark.usefixtures("supervised")
def test_a_milder_rule_finds_fewer_and_says_in_which_cases() -> None:
    milder = replace(
        shipped("T03"), level=Level.WARNING,
        where=(Asked("limit", "in", ("promised", "claim")), Asked("over", "ge", 4)),
    )  # fmt: skip
    found = tried(milder, **YEAR)
    now = found.compared["present"]
    assert 0 < found.found < now + found.compared["more"]
    assert found.found - found.compared["more"] + found.compared["fewer"] == now
    assert set(found.by_level) == {"warning"}
    fewer = [one for one in found.hits if one.change == "fewer"]
    assert fewer
    assert all(one.number for one in found.hits)
    # A part of the year finds a part: the month's alone.
    assert tried(milder, **JULY).found <= found.found
    # A proposal bears what its trial found; without one it is refused.
    change = {"rule": rulebook.as_data(replace(milder, since=TOMORROW))}
    assert refused(lambda: propose(change)) == {"rule.trial": None}
    other = tried(shipped("T04"))
    assert refused(lambda: propose(change, trial=other.id)) == {"rule.trial": None}
    propose(change, trial=found.id)
    assert rules.waiting()[0].trial == found.told()


def test_ten_years_the_future_and_what_cannot_be_tried_are_refused(two: None) -> None:
    periods: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
        ({"since": date(2016, 1, 1), "until": TODAY}, {"trial.long": "try_since"}),
        ({"since": TODAY, "until": TOMORROW}, {"trial.future": "try_until"}),
        ({"since": TODAY, "until": date(2026, 1, 1)}, {"trial.order": "try_until"}),
        ({"since": date(1, 1, 1), "until": date(1, 1, 5)}, {"trial.first": "try_since"}),
    )
    for period, expected in periods:
        assert refused(lambda p=period: ask(shipped("T03"), **p)) == expected  # type: ignore[misc]
    for code in ("D02", "H01", "D03"):
        assert refused(lambda c=code: ask(shipped(c))) == {"trial.matter": None}  # type: ignore[misc]
    assert refused(lambda: ask(shipped("T03"), by="p-water-head")) == {"rule.not_allowed": None}
    key = uuid4()
    assert ask(shipped("T03"), key=key) == ask(shipped("T03"), key=key)
    for _ in range(2):
        ask(shipped("T03"))
    assert refused(lambda: ask(shipped("T04"))) == {"trial.too_many": None}


def test_a_trial_that_is_cancelled_writes_nothing_more(two: None) -> None:
    identifier = ask(shipped("T03"))
    row = trying.take()
    assert row is not None
    trials.cancel(who(OTHER), identifier, at=NOW)
    assert Trial.objects.get().state == "running", "it is not theirs"
    trials.cancel(who(ONE), identifier, at=NOW)
    trying._work(row, threading.Event())
    found = trials.trial(identifier)
    assert found is not None
    assert (found.state, found.found, found.looked) == ("cancelled", 0, 0)


def test_a_killed_process_is_noticed_and_its_trial_is_worked_again(two: None, owner: Any) -> None:
    """The worker starts a process, one at a time, and a new one after its death."""
    identifier = ask(shipped("T03"))
    triers = Triers()
    try:
        # It waits for this lock at its first look at the cases, until it is killed.
        with owner.transaction():
            owner.execute("LOCK TABLE cases_case IN ACCESS EXCLUSIVE MODE")
            assert [triers.tend(NOW) for _ in range(2)] == [1, 0]
            _until(lambda: Trial.objects.get().state == "running")
            (process,) = triers._processes
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        _until(lambda: trials.recover(at=NOW) == 1)
        assert Trial.objects.get().deaths == 1
        assert trying.work() == 1
        assert trials.done(identifier) is not None
    finally:
        triers.end()


def test_a_trial_whose_process_died_three_times_has_failed(two: None) -> None:
    identifier = ask(shipped("T03"))
    # Running, and nobody holds its lock.
    Trial.objects.update(state="running", deaths=trials.DEATHS - 1)
    assert trials.recover(at=NOW) == 0
    found = trials.trial(identifier)
    assert found is not None
    assert (found.state, found.fault) == ("failed", trials.DIED)


def test_a_trial_is_forgotten_after_thirty_days(two: None) -> None:
    ask(shipped("T03"))
    assert trials.sweep(at=NOW + timedelta(days=29)) == 0
    assert trials.sweep(at=NOW + timedelta(days=31)) == 1


def _until(true: Callable[[], bool]) -> None:
    for _ in range(2400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within two minutes")


def test_the_page_of_the_rules_is_what_the_program_prints() -> None:
    kept = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
    assert kept.read_text("utf-8") == rulebook.page()
