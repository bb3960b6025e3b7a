"""The shift hand-over: everything held goes to colleagues, each case with its own result."""

from __future__ import annotations

import re
from uuid import uuid4

import psycopg
import pytest
from django.test import Client

from tests.cases import people
from tests.cases.people import COMPANY, actor, moment
from tests.desk.walk import sign_in, text
from zhengwu.accounts import services as accounts
from zhengwu.cases import daywork, drafts, loading, shifts
from zhengwu.cases.daywork import InHand
from zhengwu.cases.shifts import Wanted

pytestmark = pytest.mark.usefixtures("city")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, TEAMMATE, REVIEWER = "p-water-clerk", "p-water-clerk2", "p-water-reviewer"
OTHER_WINDOW, OTHER_REVIEW = "420100-water-window2", "420100-water-review2"
NOW = moment("09-15 17:00")


@pytest.fixture(autouse=True)
def colleagues(town: None) -> None:
    """A second window and a second review post of the water bureau, with somebody on each."""
    for post, kind, window, role in (
        (OTHER_WINDOW, "window", "B24", "clerk"),
        (OTHER_REVIEW, "review", "", "reviewer"),
    ):
        accounts.add_post(
            post, name=f"第二{kind}", kind=kind, agency=people.WATER,
            hall="H420100" if window else "", window=window,
        )  # fmt: skip
        accounts.add_person(
            f"p-second-{kind}", name=f"接班{kind}", agency=people.WATER, posts=[(post, "A")],
            holds=[(role, people.WATER)], since=moment("01-01 00:00"),
        )  # fmt: skip


def reviewed(when: str = "09-14 09:20") -> people.Told:
    """A case in the reviewer's hands."""
    case = people.received(when)
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    return case


def mine(code: str) -> tuple[InHand, ...]:
    return daywork.hands(actor(code), at=NOW).mine


def offered(code: str) -> tuple[InHand, ...]:
    return daywork.hands(actor(code), at=NOW).offered


def wanted(rows: tuple[InHand, ...], to: str = "") -> list[Wanted]:
    return [Wanted(number=row.number, version=row.version, to=to) for row in rows]


# --- what one holds -----------------------------------------------------------------------------


def test_both_people_of_a_post_see_what_their_post_holds() -> None:
    case = reviewed()
    assert [row.number for row in mine(REVIEWER)] == [case.number]
    assert [row.number for row in mine("p-water-reviewer2")] == [case.number]
    assert mine("p-second-review") == ()
    assert mine(CLERK) == ()


def test_a_case_not_yet_accepted_is_in_the_hands_of_its_window() -> None:
    case = people.received()
    (row,) = mine(CLERK)
    assert row.number == case.number
    assert row.targets == ((OTHER_WINDOW, "接班window（第二window）"),)


def test_what_may_have_it_next_fits_the_step_and_is_never_one_s_own_post() -> None:
    reviewed()
    (row,) = mine(REVIEWER)
    assert [post for post, _ in row.targets] == [OTHER_REVIEW]


def test_a_case_in_a_special_procedure_is_still_whose_it_was() -> None:
    case = reviewed()
    case.do(REVIEWER, "suspended", "09-15 09:00", {"procedure": "expert_review", "days": "10"})
    assert [row.number for row in mine(REVIEWER)] == [case.number]


def test_what_others_have_sent_away_does_not_push_out_one_s_own(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daywork, "MOST_HELD", 1)
    own = reviewed()
    for _ in range(5):
        other = people.received()
        other.do(CLERK, "accepted", "09-14 10:00")
        other.do("p-second-review", "step_taken", "09-14 14:00")
        other.do("p-second-review", "suspended", "09-15 09:00",
                 {"procedure": "expert_review", "days": "10"})  # fmt: skip
        owner.execute("UPDATE cases_case SET due = opened WHERE number = %s", (other.number,))
    found = daywork.hands(actor(REVIEWER), at=NOW)
    assert [row.number for row in found.mine] == [own.number]
    assert not found.cut
    theirs = daywork.hands(actor("p-second-review"), at=NOW)
    assert len(theirs.mine) == 1
    assert theirs.cut


def test_what_waits_for_the_applicant_is_in_nobody_s_hands() -> None:
    case = people.received(missing=1)
    case.do(CLERK, "supplement_requested", "09-14 10:00")
    assert mine(CLERK) == ()


# --- giving and taking ----------------------------------------------------------------------------


def test_a_batch_goes_over_and_is_taken_over() -> None:
    cases = {reviewed().number, reviewed("09-14 09:30").number}
    given = shifts.give(
        actor(REVIEWER), wanted(mine(REVIEWER), OTHER_REVIEW), note="明天休假", key=str(uuid4()),
        at=NOW,
    )  # fmt: skip
    assert all(one.done for one in given)
    assert mine(REVIEWER) == ()
    assert {row.number for row in offered("p-second-review")} == cases
    taken = shifts.take(
        actor("p-second-review"), wanted(offered("p-second-review")), key=str(uuid4()), at=NOW
    )
    assert all(one.done for one in taken)
    assert {row.number for row in mine("p-second-review")} == cases


def test_a_case_at_the_window_goes_to_the_next_window_and_is_accepted_there() -> None:
    case = people.received()
    (result,) = shifts.give(
        actor(CLERK), wanted(mine(CLERK), OTHER_WINDOW), note="", key=str(uuid4()), at=NOW
    )
    assert result.done, result.sentence
    (taken,) = shifts.take(
        actor("p-second-window"), wanted(offered("p-second-window")), key=str(uuid4()), at=NOW
    )
    assert taken.done, taken.sentence
    assert [row.number for row in mine("p-second-window")] == [case.number]
    assert mine(CLERK) == ()


def test_the_same_page_sent_twice_hands_over_once() -> None:
    case = reviewed()
    page, key = wanted(mine(REVIEWER), OTHER_REVIEW), str(uuid4())
    for _ in range(2):
        (result,) = shifts.give(actor(REVIEWER), page, note="", key=key, at=NOW)
        assert result.done
    story = loading.load(actor(REVIEWER), case.number).events
    assert [event.kind for event in story].count("handed_over") == 1


def test_one_that_moved_on_is_told_and_stops_none_of_the_others() -> None:
    moved, still = reviewed(), reviewed("09-14 09:30")
    page = wanted(mine(REVIEWER), OTHER_REVIEW)
    moved.do(REVIEWER, "suspended", "09-15 09:00", {"procedure": "hearing", "days": "5"})
    results = {
        one.number: one
        for one in shifts.give(actor(REVIEWER), page, note="", key=str(uuid4()), at=NOW)
    }
    assert results[still.number].done
    assert not results[moved.number].done
    assert "新进展" in results[moved.number].sentence


def test_a_post_that_does_not_fit_and_a_case_of_others_are_refused_one_by_one() -> None:
    case = reviewed()
    page = [
        Wanted(number=case.number, version=3, to=OTHER_WINDOW),
        Wanted(number="JC000000000000", version=1, to=OTHER_REVIEW),
    ]
    first, second = shifts.give(actor(REVIEWER), page, note="", key=str(uuid4()), at=NOW)
    assert "不能移交给这个岗位" in first.sentence
    assert second.sentence == "没有找到这个办件。"
    (stranger,) = shifts.give(
        actor("p-market-reviewer"), page[:1], note="", key=str(uuid4()), at=NOW
    )
    assert stranger.sentence == "没有找到这个办件。"


# --- no case without an owner -----------------------------------------------------------------


def leave(owner: Owner, *codes: str) -> None:
    owner.execute(
        "UPDATE accounts_postholding SET until = now() WHERE person_id IN"
        " (SELECT id FROM accounts_person WHERE code = ANY(%s))", (list(codes),),
    )  # fmt: skip


def test_the_head_sees_what_nobody_holds_and_gives_it_away(owner: Owner) -> None:
    case = reviewed()
    assert daywork.hands(actor("p-water-head"), at=moment("11-30 09:00")).ownerless == ()
    leave(owner, REVIEWER, "p-water-reviewer2")
    later = moment("12-31 09:00").replace(year=2030)
    (row,) = daywork.hands(actor("p-water-head"), at=later).ownerless
    assert (row.number, row.holder_zh) == (case.number, "审查岗")
    assert [post for post, _ in row.targets] == [OTHER_REVIEW]
    assert daywork.hands(actor("p-market-head"), at=later).ownerless == ()
    assert daywork.hands(actor("p-second-review"), at=later).ownerless == ()
    (result,) = shifts.give(
        actor("p-water-head"), wanted((row,), OTHER_REVIEW), note="", key=str(uuid4()), at=NOW
    )
    assert result.done, result.sentence
    assert daywork.hands(actor("p-water-head"), at=later).ownerless == ()
    assert [row.number for row in offered("p-second-review")] == [case.number]


def test_a_post_with_one_of_two_left_is_not_empty(owner: Owner) -> None:
    reviewed()
    leave(owner, REVIEWER)
    later = moment("12-31 09:00").replace(year=2030)
    assert daywork.hands(actor("p-water-head"), at=later).ownerless == ()


# --- the page -----------------------------------------------------------------------------------

FIELD = re.compile(r'name="(give-version:[^"]+|take-version:[^"]+|key|list)" value="([^"]*)"')


def fields(page: str, start: str) -> dict[str, str]:
    """The hidden fields of the form that begins with this action."""
    piece = page[page.index(start) :]
    return dict(FIELD.findall(piece[: piece.index("</form>")]))


def test_the_page_gives_and_the_sheet_lists_what_was_given() -> None:
    case = reviewed()
    reviewer = sign_in(REVIEWER)
    page = text(reviewer.get("/desk/shift"))
    assert case.number in page
    sent = fields(page, 'action="/desk/shift/give"')
    sent |= {"to": OTHER_REVIEW, "note": "申请人下午补一份说明", f"give:{case.number}": "1"}
    answer = reviewer.post("/desk/shift/give", sent | {"do": "some"}, follow=True)
    sheet = text(answer)
    assert answer.redirect_chain == [("/desk/shift/sheet", 302)]
    for said in ("已移交 1 件", case.number, COMPANY.name, "接班review（第二review）",
                 "申请人下午补一份说明", "移交人（签名）", "接收人（签名）", "还没有接办"):  # fmt: skip
        assert said in sheet, said
    second = sign_in("p-second-review")
    page = text(second.get("/desk/shift"))
    assert "交给我的" in page
    sent = fields(page, 'action="/desk/shift/take"')
    assert "已接办 1 件" in text(second.post("/desk/shift/take", sent, follow=True))
    assert "已接办" in text(reviewer.get("/desk/shift/sheet"))


def test_one_is_taken_and_the_other_waits() -> None:
    first, second = reviewed(), reviewed("09-14 09:30")
    shifts.give(
        actor(REVIEWER), wanted(mine(REVIEWER), OTHER_REVIEW), note="", key=str(uuid4()), at=NOW
    )
    client = sign_in("p-second-review")
    sent = fields(text(client.get("/desk/shift")), 'action="/desk/shift/take"')
    client.post("/desk/shift/take", sent | {"one": second.number})
    assert [row.number for row in mine("p-second-review")] == [second.number]
    assert [row.number for row in offered("p-second-review")] == [first.number]


def test_all_go_where_each_was_told_to() -> None:
    first, second = reviewed(), reviewed("09-14 09:30")
    client = sign_in(REVIEWER)
    sent = fields(text(client.get("/desk/shift")), 'action="/desk/shift/give"')
    sent |= {f"give-to:{one.number}": OTHER_REVIEW for one in (first, second)}
    answer = client.post("/desk/shift/give", sent | {"do": "all"}, follow=True)
    assert "已移交 2 件" in text(answer)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"do": "some"}, "还没有选择要移交的办件"),
        ({"do": "all"}, "还没有选择移交给谁"),
        ({"do": "all", "to": OTHER_WINDOW}, "不能移交给这个岗位"),
        ({"do": "all", "to": "’; DROP TABLE"}, "不能移交给这个岗位"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    changes: dict[str, str], said: str
) -> None:
    reviewed()
    client = sign_in(REVIEWER)
    sent = fields(text(client.get("/desk/shift")), 'action="/desk/shift/give"')
    answer = client.post("/desk/shift/give", sent | {"note": "别丢了"} | changes)
    assert answer.status_code == 422
    page = text(answer)
    assert said in page
    assert "别丢了" in page
    assert len(mine(REVIEWER)) == 1


def test_forged_fields_do_nothing_and_break_nothing() -> None:
    case = reviewed()
    client = sign_in(REVIEWER)
    for version in ("", "x", "-1", "9" * 30, "①", "0"):
        sent = {f"give-version:{case.number}": version, "do": "all", "to": OTHER_REVIEW}
        assert client.post("/desk/shift/give", sent).status_code == 422, version
    for name in ("", ":", "a/b", "①", "A" * 25, "' OR 1=1"):
        assert client.post("/desk/shift/take", {f"take-version:{name}": "1"}).status_code == 302
    assert client.post("/desk/shift/take", {"take-version:JC1": "1"}).status_code == 422
    assert client.post("/desk/shift/take", {}).status_code == 302
    assert len(mine(REVIEWER)) == 1


def test_parked_drafts_are_called_to_mind_and_stay() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, "register/1", {"name": "江城清源"}, title="登记办件", parked=True, at=NOW)
    page = text(sign_in(CLERK).get("/desk/shift"))
    assert "别忘了暂存的" in page
    assert "江城清源" in page
    assert "可以放心下班" in page


def test_what_was_typed_on_the_page_comes_back_and_goes_with_the_hand_over() -> None:
    case = reviewed()
    client: Client = sign_in(REVIEWER)
    client.post("/desk/drafts/shift", {"note": "断电前写的", f"give:{case.number}": "1"})
    page = text(client.get("/desk/shift"))
    assert "断电前写的" in page
    assert "内容已恢复" in page
    assert f'name="give:{case.number}" value="1" checked' in page
    sent = fields(page, 'action="/desk/shift/give"')
    client.post("/desk/shift/give", sent | {"to": OTHER_REVIEW, "do": "all"})
    assert drafts.of(actor(REVIEWER), "shift") is None


def test_a_day_without_a_hand_over_has_an_empty_sheet_and_ugly_days_are_today() -> None:
    client = sign_in(REVIEWER)
    for day in ("2026-09-01", "x", "9999-12-31", "0001-01-01", ""):
        assert "没有移交过办件" in text(client.get(f"/desk/shift/sheet?day={day}"))


def test_who_may_not_hand_over_does_not_come_in() -> None:
    assert sign_in("p-water-cashier").get("/desk/shift").status_code == 403
