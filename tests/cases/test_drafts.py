"""Drafts: only the owner's, cleaned, limited, swept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cases.people import actor, moment
from zhengwu.cases import drafts
from zhengwu.domain.refusal import Refusal

pytestmark = pytest.mark.usefixtures("city")
CLERK, TEAMMATE = "p-water-clerk", "p-water-clerk2"
SLOT = "register/0190b2a4-0000-7000-8000-000000000001"
AT = moment("11-23 15:21")


def test_what_was_typed_comes_back_to_its_owner_only() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, SLOT, {"name": "买买提·艾合买提", "phone": ""}, title="登记办件", at=AT)
    kept = drafts.of(clerk, SLOT)
    assert kept is not None
    assert kept.initial == {"name": "买买提·艾合买提", "phone": ""}
    assert (kept.title, kept.version, kept.at, kept.parked) == ("登记办件", 1, AT, False)
    assert drafts.of(actor(TEAMMATE), SLOT) is None
    assert drafts.all_of(actor(TEAMMATE)) == ()
    assert not drafts.discard(actor(TEAMMATE), SLOT)
    assert drafts.of(clerk, SLOT) is not None


def test_saving_again_replaces_counts_up_and_stays_parked() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, SLOT, {"name": "甲"}, title="登记办件", parked=True, at=AT)
    drafts.save(clerk, SLOT, {"name": "乙"}, at=AT + timedelta(minutes=1))
    (kept,) = drafts.all_of(clerk)
    assert (kept.version, kept.parked, kept.title) == (2, True, "登记办件")
    assert kept.initial == {"name": "乙"}
    assert kept.at == AT + timedelta(minutes=1)


def test_the_latest_stands_first() -> None:
    clerk = actor(CLERK)
    for minute in (0, 2, 1):
        slot = f"case/JC202611000001/act-{minute}"
        drafts.save(clerk, slot, {"reasons": "理由"}, at=AT + timedelta(minutes=minute))
    assert [one.slot[-1] for one in drafts.all_of(clerk)] == ["2", "1", "0"]
    assert drafts.count_of(clerk) == 3


def test_an_empty_form_is_no_draft() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, SLOT, {"name": "甲"}, at=AT)
    assert drafts.save(clerk, SLOT, {"name": " ", "phone": ""}, at=AT) is None
    assert drafts.of(clerk, SLOT) is None


def test_discarding_says_whether_there_was_one() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, SLOT, {"name": "甲"}, at=AT)
    assert drafts.discard(clerk, SLOT)
    assert not drafts.discard(clerk, SLOT)


def test_tokens_keys_and_passwords_are_never_kept() -> None:
    given = {
        "name": "甲", "csrfmiddlewaretoken": "t", "key": "k", "version": "3", "do": "accept",
        "password": "p", "new_password2": "p", "secret_word": "s", "api-token": "t",
        "登录密码": "p", "draft-title": "x", "draft-parked": "1",
    }  # fmt: skip
    kept = drafts.save(actor(CLERK), SLOT, given, at=AT)
    assert kept is not None
    assert dict(kept.fields) == {"name": "甲"}


def test_control_characters_and_halves_of_letters_are_taken_out() -> None:
    typed = "甲\x00乙\x07\r\n丙\ud800 丁\u200d𠮷"
    kept = drafts.save(actor(CLERK), SLOT, {"na\x00me": typed}, title="登\x00记\n办件", at=AT)
    assert kept is not None
    assert kept.initial == {"name": "甲乙\n丙 丁\u200d𠮷"}
    assert kept.title == "登记 办件"


def test_a_name_that_came_several_times_keeps_all_its_texts() -> None:
    kept = drafts.save(actor(CLERK), SLOT, {"people": ["甲", "乙"], "none": []}, at=AT)
    assert kept is not None
    assert kept.fields["people"] == ("甲", "乙")
    assert kept.initial["people"] == "乙"
    assert kept.initial["none"] == ""


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({f"f{n}": "甲" for n in range(201)}, "draft.too_many_fields"),
        ({"opinion": "字" * 22_000}, "draft.too_long"),
    ],
)
def test_too_much_is_refused_in_words_and_the_last_draft_stays(
    fields: dict[str, str], code: str
) -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, SLOT, {"name": "甲"}, at=AT)
    with pytest.raises(Refusal) as refused:
        drafts.save(clerk, SLOT, fields, at=AT)
    assert refused.value.code == code
    assert "没有保存" in refused.value.sentence
    kept = drafts.of(clerk, SLOT)
    assert kept is not None
    assert kept.initial == {"name": "甲"}


def test_two_hundred_fields_and_almost_64_kilobytes_are_kept() -> None:
    clerk = actor(CLERK)
    assert drafts.save(clerk, SLOT, {f"f{n}": "甲" for n in range(200)}, at=AT)
    assert drafts.save(clerk, SLOT, {"opinion": "字" * 21_800}, at=AT)


def test_the_two_hundred_and_first_draft_is_refused_and_an_old_one_may_still_be_saved() -> None:
    clerk = actor(CLERK)
    for n in range(drafts.MOST_DRAFTS):
        drafts.save(clerk, f"register/{n}", {"name": "甲"}, at=AT)
    with pytest.raises(Refusal, match="200 份"):
        drafts.save(clerk, "register/more", {"name": "甲"}, at=AT)
    assert drafts.save(clerk, "register/7", {"name": "乙"}, at=AT)
    assert drafts.save(actor(TEAMMATE), "register/more", {"name": "甲"}, at=AT)


@pytest.mark.parametrize(
    "slot", ["", "a" * 81, "登记", "register/", "/register", "a//b", "a b", "a\x00", "x/discard"]
)
def test_a_slot_that_is_none_is_refused_and_read_as_nothing(slot: str) -> None:
    with pytest.raises(Refusal, match="不能暂存"):
        drafts.save(actor(CLERK), slot, {"name": "甲"}, at=AT)
    assert drafts.of(actor(CLERK), slot) is None


def test_the_summary_says_words_and_no_numbers_of_certificates_or_telephones() -> None:
    kept = drafts.save(
        actor(CLERK),
        SLOT,
        {"identifier": "91330102MA28NBU477", "name": "江城清源", "phone": "13912342046",
         "item": "取水许可", "material-01": "received", "opinion": "很" * 100},
        at=AT,
    )  # fmt: skip
    assert kept is not None
    assert kept.summary.startswith("取水许可，江城清源，很很")
    assert len(kept.summary) == 60
    assert "9133" not in kept.summary


def test_the_sweep_takes_what_nobody_touched_for_thirty_days_and_no_more() -> None:
    clerk = actor(CLERK)
    drafts.save(clerk, "register/old", {"name": "甲"}, at=AT)
    drafts.save(clerk, "register/new", {"name": "甲"}, at=AT + timedelta(days=1))
    assert drafts.sweep(at=AT + timedelta(days=30)) == 0
    assert drafts.sweep(at=AT + timedelta(days=30, seconds=1)) == 1
    assert [one.slot for one in drafts.all_of(clerk)] == ["register/new"]
    assert drafts.sweep(at=AT + timedelta(days=30, seconds=1)) == 0
