"""Signing in: one door, a lock after five wrong words, out after sitting idle."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from django.urls import reverse

from zhengwu.accounts.models import Person
from zhengwu.config.idle import SEEN

pytestmark = pytest.mark.usefixtures("db")
WORD = "long enough and not common"


@pytest.fixture
def clerk() -> Person:
    person = Person.objects.create(code="p-1", username="chuangkou", name="窗口甲")
    person.set_password(WORD)
    person.save()
    return person


def sign_in(web: Client, word: str) -> int:
    answer = web.post(reverse("account_login"), {"login": "chuangkou", "password": word})
    return answer.status_code


def signed_in(web: Client) -> bool:
    return "_auth_user_id" in web.session


def test_the_right_word_opens_and_the_wrong_one_is_said_in_words(clerk: Person) -> None:
    web = Client()
    answer = web.post(reverse("account_login"), {"login": clerk.username, "password": "no"})
    assert answer.status_code == 200
    assert clerk.username in answer.content.decode()
    assert not signed_in(web)
    assert sign_in(web, WORD) == 302
    assert signed_in(web)


def test_five_wrong_words_lock_the_account_even_for_the_right_one(clerk: Person) -> None:
    web = Client()
    for _ in range(5):
        status = sign_in(web, "wrong")
    assert status == 429
    answer = web.post(reverse("account_login"), {"login": clerk.username, "password": WORD})
    assert answer.status_code == 429
    assert "锁住" in answer.content.decode()
    assert not signed_in(web)


def test_nobody_signs_up_and_no_stranger_learns_who_works_here(clerk: Person) -> None:
    web = Client()
    for path in ("account/signup", "accounts/signup/", "admin/", "account/password/reset"):
        assert web.get(f"/{path}").status_code == 404
    known = web.post(reverse("account_login"), {"login": clerk.username, "password": "no"})
    other = web.post(reverse("account_login"), {"login": "nobodyhere", "password": "no"})
    assert known.content.decode().count("不正确") == other.content.decode().count("不正确")


def test_the_idle_are_signed_out_and_a_page_that_refreshes_itself_is_idle(clerk: Person) -> None:
    web = Client()
    assert sign_in(web, WORD) == 302
    web.get("/help")

    def seen_before(seconds: int) -> None:
        session = web.session
        session[SEEN] = int(time.time()) - seconds
        session.save()

    seen_before(29 * 60)
    web.get("/help", headers={"HX-Request": "true"})
    assert web.session[SEEN] < time.time() - 28 * 60
    web.get("/help")
    assert web.session[SEEN] > time.time() - 60
    seen_before(31 * 60)
    web.get("/help", headers={"HX-Request": "true"})
    assert not signed_in(web)


def test_an_account_that_is_closed_does_not_open(clerk: Person) -> None:
    clerk.is_active = False
    clerk.save()
    web = Client()
    sign_in(web, WORD)
    assert not signed_in(web)
