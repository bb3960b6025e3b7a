"""Random walks over the life of a case, through the services (hypothesis).

Whatever is tried, by whomever, in whatever order: only what the table allows happens, a refusal
changes nothing, the head is what the events say, every paper's number is accounted for, and every
case ends or somebody has it. ZHENGWU_DRILL=1 walks further.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.people import FOOD, GAUGES, INTAKE, REGISTRATION, actor, moment, received
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading, queries, services, writing
from zhengwu.cases.acts import VERBS, handling
from zhengwu.cases.services import CaseNotFound, Moved
from zhengwu.cases.verbs import Ask, Verb
from zhengwu.domain import lifecycle
from zhengwu.domain.lifecycle import BY_CODE, State
from zhengwu.domain.refusal import Refusal, Refusals

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
WALKS, STEPS = (300, 40) if DRILL else (12, 18)
ROLES = ("clerk", "clerk2", "reviewer", "approver", "head", "cashier")
UGLY = ("", "准" * 2001, "\x00", "<script>", "-1", "9" * 40, "²", "2026-13-45T99:99")


def filled(chance: random.Random, ask: Ask, loaded: loading.Loaded, verb: Verb) -> str:
    """Something in a field: mostly what belongs there."""
    if chance.random() < 0.04:
        return chance.choice(UGLY)
    if ask.kind in ("choice", "ticks"):
        return chance.choice(ask.choices)[0] if ask.choices else ""
    if ask.kind == "colleague":
        from zhengwu.accounts import queries as accounts

        kind = handling.post_kind(loaded, after=verb.kind == "step_done")
        fitting = [
            c.post for c in accounts.colleagues(loaded.agency) if kind is None or c.kind == kind
        ]
        return chance.choice(fitting) if fitting else ""
    if ask.kind == "agency":
        return chance.choice(("市市场监督管理局", "市水务局", "省水利厅"))
    if ask.kind == "days":
        return str(chance.randint(1, 12))
    if ask.kind == "tick":
        return chance.choice(("on", "on", ""))
    if ask.kind in ("moment", "file"):
        return ""
    return f"EX{chance.randrange(10**9):09d}CN" if ask.name in ("proof", "ticket") else "说明"


def consistent(loaded: loading.Loaded, owner: Owner, at: datetime) -> None:
    """What the head and the holder must be, whatever happened."""
    standing = loaded.standing
    row = owner.execute(
        "SELECT state, suspended, step, holder_kind, holder_agency, holder_post, outcome, closed,"
        " archived FROM cases_case WHERE number = %s",
        [loaded.number],
    ).fetchone()
    derived = writing.head(loaded.events, region=loaded.region, hall=loaded.hall, at=at)
    assert row == tuple(
        derived[name]
        for name in (
            "state", "suspended", "step", "holder_kind", "holder_agency", "holder_post", "outcome",
            "closed", "archived",
        )
    )  # fmt: skip
    ended = standing.state in (State.CLOSED, State.ARCHIVED)
    assert (str(standing.holder.kind) == "none") == ended, (standing.state, standing.holder)


def numbers_are_accounted_for(owner: Owner) -> None:
    """Every series runs from 1 without a hole, each number in the register and in the log."""
    used = owner.execute(
        "SELECT split_part(number, '第', 1), array_agg(number) FROM documents_document"
        " GROUP BY agency, 1"
    ).fetchall()
    for printed, numbers in used:
        assert isinstance(numbers, list)
        runs = sorted(int(n.rsplit("第", 1)[1].removesuffix("号")) for n in numbers)
        assert runs == list(range(1, len(runs) + 1)), (printed, runs)
    (in_log,) = owner.execute(
        "SELECT count(*) FROM ledger_event WHERE body ? 'document'"
    ).fetchone() or (None,)
    (registered,) = owner.execute("SELECT count(*) FROM documents_document").fetchone() or (None,)
    assert in_log == registered


@settings(
    max_examples=WALKS,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
def test_a_random_walk_does_only_what_the_table_allows(owner: Owner, seed: int) -> None:
    chance = random.Random(seed)
    item, office = chance.choice(
        ((INTAKE, "water"), (INTAKE, "water"), (REGISTRATION, "market"), (FOOD, "market"),
         (GAUGES, "market"))
    )  # fmt: skip
    cast: dict[str, Actor] = {role: actor(f"p-{office}-{role}") for role in ROLES}
    at = moment("09-14 09:20")
    case = received(item=item, who=f"p-{office}-clerk", missing=chance.choice((0, 0, 1)))
    for _ in range(STEPS):
        at += timedelta(hours=chance.choice((0, 1, 2, 20, 24, 70)))
        services.deem_accepted(at=at)
        services.archive(at=at, after=timedelta(days=30))
        by = cast[chance.choice(ROLES)]
        view = queries.case(by, case.number, at=at)
        offered = [one.kind for one in view.acts]
        lawful = offered and chance.random() < 0.85
        kind = chance.choice(offered) if lawful else chance.choice(list(VERBS))
        before = loading.load(by, case.number)
        verb = VERBS[kind]
        form = {ask.name: filled(chance, ask, before, verb) for ask in verb.form_of(before)}
        try:
            services.perform(
                by, case.number, kind, version=before.version, key=str(uuid4()), form=form, at=at
            )
        except (Refusal, Refusals) as refusal:
            several = refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
            assert all(one.sentence and one.code for one in several)
            assert loading.load(by, case.number).events == before.events
        except (Moved, CaseNotFound) as wrong:
            pytest.fail(f"{kind}: {wrong!r}")
        else:
            after = loading.load(by, case.number)
            act = BY_CODE[kind]
            assert before.standing.state in act.frm
            if kind != "entry_withdrawn":
                told = [e.kind for e in after.events[before.version :]]
                reached = act.to or before.standing.state
                if "closed" in told:
                    reached = State.CLOSED
                assert after.standing.state == reached
        consistent(loading.load(by, case.number), owner, at)
    numbers_are_accounted_for(owner)


def test_every_state_is_reached_by_lawful_acts() -> None:
    """One story per state, each through the services."""
    reached: dict[str, str] = {}

    def note(case_number: str, who: str) -> None:
        standing = loading.load(actor(who), case_number).standing
        reached.setdefault(str(standing.state), case_number)
        for event, after in lifecycle.histories(loading.load(actor(who), case_number).events):
            reached.setdefault(str(after.state), f"{case_number} {event.kind}")

    clerk, reviewer, approver = "p-water-clerk", "p-water-reviewer", "p-water-approver"
    missing = received(missing=1)
    missing.do(clerk, "supplement_requested", "09-14 10:00")
    missing.do(clerk, "withdrawn", "09-15 10:00")
    note(missing.number, clerk)
    other = received()
    other.do(clerk, "not_ours", "09-14 10:00", {"organ": "市市场监督管理局"})
    note(other.number, clerk)
    ended = received()
    ended.do(clerk, "accepted", "09-14 10:00")
    ended.do(reviewer, "step_taken", "09-14 11:00")
    ended.do(approver, "terminated", "09-15 10:00", {"ground": "moot", "reasons": "水源已调整"})
    note(ended.number, clerk)
    food = received(item=FOOD, who="p-market-clerk")
    food.do("p-market-clerk", "accepted", "09-14 10:00")
    food.do("p-market-reviewer", "step_taken", "09-14 11:00")
    food.do(
        "p-market-reviewer", "forwarded", "09-14 12:00", {"organ": "省局", "opinion": "初审合格"}
    )
    note(food.number, "p-market-clerk")
    done = received()
    done.do(clerk, "accepted", "09-14 10:00")
    done.do(reviewer, "step_taken", "09-14 11:00")
    done.do(approver, "granted", "09-15 10:00")
    done.do(approver, "licence_made", "09-15 11:00")
    done.do(clerk, "step_taken", "09-15 12:00")
    done.do(clerk, "delivered", "09-15 13:00", {"means": "electronic", "proof": "已下载"})
    services.archive(at=moment("12-01 10:00"), after=timedelta(days=30))
    note(done.number, clerk)
    assert set(reached) == {str(state) for state in State}
