"""Drafts at the desk: the list, the autosave's address, throwing away, the parking button."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django.contrib.auth import get_user_model
from django.test import Client

from tests.desk.walk import sign_in, text
from zhengwu.accounts import queries as accounts
from zhengwu.cases import drafts

SLOT = "register/0190b2a4-0000-7000-8000-000000000001"
HERE = f"/desk/drafts/{SLOT}"
CLERK = "p-water-clerk"


def mine(slot: str = SLOT) -> drafts.Draft | None:
    return drafts.of(accounts.actor(CLERK), slot)


def keep(slot: str = SLOT, *, parked: bool = False, title: str = "登记办件", **fields: str) -> None:
    drafts.save(
        accounts.actor(CLERK), slot, fields or {"name": "江城清源"}, title=title, parked=parked,
        at=datetime.now(UTC),
    )  # fmt: skip


def test_the_autosave_gets_204_and_the_time(clerk: Client) -> None:
    answer = clerk.post(HERE, {"name": "甲", "draft-title": "登记办件", "key": "k"})
    assert answer.status_code == 204
    assert len(answer["Draft-Saved"]) == 5
    kept = mine()
    assert kept is not None
    assert (dict(kept.fields), kept.title, kept.parked) == ({"name": "甲"}, "登记办件", False)


def test_htmx_gets_a_snippet(clerk: Client) -> None:
    answer = clerk.post(HERE, {"name": "甲"}, headers={"HX-Request": "true"})
    assert "已自动保存" in text(answer)


def test_json_is_read_too(clerk: Client) -> None:
    sent = {"fields": {"name": "甲", "n": 3, "people": ["乙", "丙"]}, "title": "t", "parked": True}
    answer = clerk.post(HERE, json.dumps(sent), content_type="application/json")
    assert answer.status_code == 204
    kept = mine()
    assert kept is not None
    assert kept.fields == {"name": "甲", "n": "3", "people": ("乙", "丙")}
    assert kept.parked


def test_json_that_is_none_is_refused_in_words(clerk: Client) -> None:
    for body in ("{", "[]", '{"fields": 3}', "[" * 100_000, '"\\ud800"'):
        answer = clerk.post(HERE, body, content_type="application/json")
        assert answer.status_code == 422
        assert "没有保存" in text(answer)
    assert mine() is None


def test_json_with_ugly_letters_is_cleaned(clerk: Client) -> None:
    body = '{"fields": {"na\\u0000me": "a\\u0000b\\ud800"}}'
    assert clerk.post(HERE, body, content_type="application/json").status_code == 204
    kept = mine()
    assert kept is not None
    assert kept.fields == {"name": "ab"}


def test_too_much_is_422_with_its_sentence(clerk: Client) -> None:
    answer = clerk.post(HERE, {"opinion": "字" * 30_000})
    assert answer.status_code == 422
    assert text(answer).startswith("填写的内容超过 64 KB")
    assert answer["Content-Type"].startswith("text/plain")


def test_a_slot_that_is_none_is_422(clerk: Client) -> None:
    assert clerk.post("/desk/drafts/登记", {"name": "甲"}).status_code == 422


def test_without_a_script_the_button_parks_and_leads_to_the_list(clerk: Client) -> None:
    answer = clerk.post(
        HERE, {"name": "江城清源", "draft-title": "登记办件", "draft-parked": "1"}, follow=True
    )
    page = text(answer)
    assert "已暂存" in page
    assert "江城清源" in page
    assert f'href="/desk/register?draft={SLOT.split("/")[1]}"' in page
    kept = mine()
    assert kept is not None
    assert kept.parked


def test_parking_an_empty_form_says_so_and_a_refusal_is_a_page(clerk: Client) -> None:
    assert "没有什么要暂存" in text(clerk.post(HERE, {"draft-parked": "1"}, follow=True))
    answer = clerk.post(HERE, {"opinion": "字" * 30_000, "draft-parked": "1"})
    assert answer.status_code == 422
    assert "<h1" in text(answer)


def test_a_foreign_page_cannot_save_or_throw_away(city: None) -> None:
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.force_login(
        get_user_model().objects.get(code=CLERK),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    keep()
    assert client.post(HERE, {"name": "乙"}).status_code == 403
    assert client.post(f"{HERE}/discard").status_code == 403
    kept = mine()
    assert kept is not None
    assert kept.initial == {"name": "江城清源"}


def test_the_list_parts_the_parked_from_the_unfinished(clerk: Client) -> None:
    keep(parked=True)
    keep("case/JC202611000001/granted", title="准予 取水许可", reasons="符合条件")
    page = text(clerk.get("/desk/drafts"))
    assert page.index("暂存的") < page.index("江城清源") < page.index("没有提交的")
    assert 'href="/desk/cases/JC202611000001?draft=granted#acts"' in page
    assert "准予 取水许可" in page
    assert "确定删除" in page


def test_an_empty_list_says_what_it_is_for(clerk: Client) -> None:
    assert "没有暂存的登记" in text(clerk.get("/desk/drafts"))


def test_nobody_else_sees_or_deletes_it(clerk: Client) -> None:
    keep()
    other = sign_in("p-water-clerk2")
    assert "江城清源" not in text(other.get("/desk/drafts"))
    other.post(f"{HERE}/discard")
    assert mine() is not None
    other.post(HERE, {"name": "乙"})
    kept = mine()
    assert kept is not None
    assert kept.initial == {"name": "江城清源"}


def test_throwing_away_goes_back_to_where_the_button_stood_and_nowhere_else(clerk: Client) -> None:
    for back, where in (
        ("/desk/shift", "/desk/shift"),
        ("", "/desk/drafts"),
        ("https://example.com/", "/desk/drafts"),
        ("//example.com/desk/", "/desk/drafts"),
        ("/account/logout", "/desk/drafts"),
    ):
        keep()
        answer = clerk.post(f"{HERE}/discard", {"next": back})
        assert answer["Location"] == where
        assert mine() is None


def test_only_a_form_saves_or_throws_away(clerk: Client) -> None:
    assert clerk.get(HERE).status_code == 405
    assert clerk.get(f"{HERE}/discard").status_code == 405
