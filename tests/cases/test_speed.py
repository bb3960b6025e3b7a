"""One act costs a fixed number of statements, a batch no more; and both do the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases.people import PERSON, WATER, Told, actor, moment, received
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.cases import loading, services
from zhengwu.cases.events import MOVING
from zhengwu.domain.refusal import Refusal, Refusals

pytestmark = pytest.mark.usefixtures("town")
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
SECOND = f"{WATER}-review-2"
WHEN = moment("09-15 10:00")


@pytest.fixture(autouse=True)
def _second_desk(town: None) -> None:
    """Another review post, so that a case can be handed over."""
    account_services.add_post(SECOND, name="审查二岗", kind="review", agency=WATER)
    account_services.add_person(
        "p-water-reviewer3", name="江水一reviewer3", agency=WATER, posts=[(SECOND, "A")],
        holds=[("reviewer", WATER)], since=moment("01-05 09:00"),
    )  # fmt: skip


def taken() -> Told:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    return case


def reviewed() -> Told:
    case = taken()
    case.do(REVIEWER, "step_done", "09-14 15:00", {"opinion": "符合"})
    return case


def suspended() -> Told:
    case = taken()
    case.do(REVIEWER, "suspended", "09-14 15:00", {"procedure": "hearing", "days": "5"})
    return case


def withdrawn_from() -> Told:
    """One entry of it was taken back by whoever made it."""
    case = taken()
    case.do(REVIEWER, "handed_over", "09-14 15:00", {"to": SECOND})
    by = actor(REVIEWER, "09-14 15:00")
    services.undo(
        by, case.number, version=version(case), key=str(uuid4()), at=moment("09-14 15:00")
    )
    return case


STORIES = (received, taken, reviewed, suspended, withdrawn_from)


def version(case: Told) -> int:
    return loading.load(actor(CLERK), case.number).version


def picked(cases: list[Told]) -> list[tuple[str, int]]:
    return [(case.number, version(case)) for case in cases]


# --- how often the database is asked ------------------------------------------------------------


def test_one_hand_over_is_four_statements_the_actor_included() -> None:
    taken().do(REVIEWER, "handed_over", "09-14 16:00", {"to": SECOND})  # what is kept is kept
    case = taken()
    seen = version(case)
    with CaptureQueriesContext(connection) as asked:
        services.perform(
            accounts.actor(REVIEWER), case.number, "handed_over", version=seen, key=str(uuid4()),
            form={"to": SECOND}, at=WHEN,
        )  # fmt: skip
    said = [one["sql"] for one in asked]
    # Who acts; the case with its story and the calendar; the post it goes to; the commit.
    assert ["accounts_person p LEFT" in said[0], "cases_case c" in said[1]] == [True, True]
    assert ["accounts_post o" in said[2], "written AS (INSERT" in said[3]] == [True, True]
    assert len(said) == 4


def test_a_batch_asks_as_often_as_one() -> None:
    taken().do(REVIEWER, "handed_over", "09-14 16:00", {"to": SECOND})
    numbers = []
    for size in (1, 3, 9):
        work = picked([taken() for _ in range(size)])
        by = accounts.actor(REVIEWER)
        with CaptureQueriesContext(connection) as asked:
            results = services.perform_many(
                by, work, "handed_over", key=str(uuid4()), form={"to": SECOND}, at=WHEN
            )
        assert all(result.done for result in results)
        numbers.append(len(asked))
    assert numbers == [3, 3, 3]


# --- and what is done ---------------------------------------------------------------------------


FORMS: Mapping[str, Mapping[str, str]] = {
    "step_taken": {},
    "handed_over": {"to": SECOND, "note": "请接着办"},
    "step_done": {"opinion": "符合条件", "advice": "grant"},
    "inspected": {
        "inspector-p-water-reviewer": "on", "inspector-p-water-approver": "on", "found": "属实",
    },
    "opinion_requested": {"organ": "420100-market", "question": "是否影响", "days": "3"},
    "resumed": {"result": "已经听证"},
    "granted": {},
}  # fmt: skip


def told(case: Told) -> tuple[list[Any], list[Any]]:
    """The head's derived columns and what the last entry says, without ids, numbers and salts."""
    with connection.cursor() as cursor:
        columns = ", ".join(f'c."{name}"' for name in MOVING)
        cursor.execute(
            f"SELECT c.version, {columns} FROM cases_case c WHERE c.number = %s", [case.number]
        )
        head = list(cursor.fetchone())
        cursor.execute(
            "SELECT e.version, e.kind, e.nature, e.occurred, e.actor, e.post, e.agency, e.region,"
            " e.source, e.body FROM ledger_event e JOIN cases_case c ON c.id = e.stream_id"
            " WHERE c.number = %s ORDER BY e.version",
            [case.number],
        )
        story = [[*row, plain(json.loads(body))] for *row, body in cursor.fetchall()]
    return head, story


def plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is another in every case: numbers, ids, salted digests."""
    return {
        name: "content" if isinstance(value, dict) and "content" in value else value
        for name, value in body.items()
        if name not in ("document", "party", "number")
    }


def alone(by: str, case: Told, kind: str) -> tuple[str, str | None, tuple[int, bool] | None]:
    """The sentence and the article, and where it was done the version and whether without paper."""
    try:
        done = services.perform(
            accounts.actor(by), case.number, kind, version=version(case), key=str(uuid4()),
            form=FORMS[kind], at=WHEN,
        )  # fmt: skip
    except Refusal as no:
        return no.sentence, no.article, None
    except Refusals as no:
        return no.refusals[0].sentence, no.refusals[0].article, None
    return done.sentence, None, (done.version, done.document is None)


@pytest.mark.parametrize("kind", FORMS)
def test_what_a_batch_does_is_what_each_act_does_by_itself(kind: str) -> None:
    together = [story() for story in STORIES]
    apart = [story() for story in STORIES]
    by = APPROVER if kind in ("step_taken", "granted") else REVIEWER
    results = services.perform_many(
        accounts.actor(by), picked(together), kind, key=str(uuid4()), form=FORMS[kind], at=WHEN
    )
    assert [result.number for result in results] == [case.number for case in together]
    for batched, single, result in zip(together, apart, results, strict=True):
        expected = alone(by, single, kind)
        assert (result.sentence, result.article) == expected[:2]
        done = result.done
        assert (done and (done.version, done.document is None)) == expected[2]
        assert told(batched) == told(single)
    assert any(result.done for result in results)


def test_the_same_batch_again_is_the_same_hand_overs() -> None:
    work, key = picked([taken(), taken()]), str(uuid4())
    by = accounts.actor(REVIEWER)
    for repeated in (False, True):
        results = services.perform_many(
            by, work, "handed_over", key=key, form={"to": SECOND}, at=WHEN
        )
        assert [r.done and (r.done.repeated, r.done.version) for r in results] == [
            (repeated, seen + 1) for _, seen in work
        ]
    other = services.perform_many(
        by, work, "handed_over", key=key, form={"to": SECOND, "note": "别的话"}, at=WHEN
    )
    assert [r.done for r in other] == [None, None]
    assert "已经提交过另一份内容" in other[0].sentence


def test_what_somebody_moved_meanwhile_is_told_apart() -> None:
    first, second, third = taken(), taken(), taken()
    work = picked([first, second, third])
    second.do(REVIEWER, "handed_over", "09-15 09:00", {"to": SECOND})
    results = services.perform_many(
        accounts.actor(REVIEWER), [*work, ("JC202609999999", 1)], "handed_over",
        key=str(uuid4()), form={"to": SECOND}, at=WHEN,
    )  # fmt: skip
    assert [r.done is not None for r in results] == [True, False, True, False]
    assert "新进展" in results[1].sentence
    assert "没有找到" in results[3].sentence


def test_a_case_that_moves_between_reading_and_writing_is_decided_again() -> None:
    first, second = taken(), taken()
    work = picked([first, second])

    class Slow(dict[str, str]):
        """A form that takes so long to read that somebody else asks for an opinion meanwhile."""

        read = False

        def get(self, name: str, default: Any = None) -> Any:
            if name == "to" and not self.read:
                self.read = True
                second.do(REVIEWER, "opinion_requested", "09-15 09:30", {
                    "organ": "420100-market", "question": "是否影响", "days": "3",
                })  # fmt: skip
            return super().get(name, default)

    results = services.perform_many(
        accounts.actor(REVIEWER), work, "handed_over", key=str(uuid4()),
        form=Slow({"to": SECOND}), at=WHEN,
    )  # fmt: skip
    assert [r.done is not None for r in results] == [True, False]
    assert "新进展" in results[1].sentence


def test_an_act_knows_who_applied_only_when_a_paper_asks() -> None:
    case = received(applicant=PERSON)
    by = accounts.actor(CLERK)
    bare = loading.load_to_act(by, case.number)
    assert bare.applicant_row is None
    assert bare.applicant() == loading.load(by, case.number).applicant()
    assert bare.events == loading.load(by, case.number).events
    assert loading.load_many_to_act(accounts.actor("p-market-clerk"), [case.number]) == {}
