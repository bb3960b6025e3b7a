"""Signing in and out, through the pages: the lock, the idle time-out, the password, the cookie."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client

from tests.accounts.city import SINCE
from zhengwu.accounts import services
from zhengwu.config.idle import SEEN

PASSWORD = "Jiang-Cheng-2046"
NEW = "Lin-Jiang-2047"
CODE = "p-1042"
SAID = re.compile(r'<li><a href="#id_login">(.*?)</a></li>')


@pytest.fixture
def person(city: None) -> str:
    """A clerk of the water bureau with a password; the code is the sign-in name."""
    services.add_person(
        CODE, name="何晓岚", agency="420100-water", holds=[("clerk", "420100-water")],
        since=SINCE, password=PASSWORD,
    )  # fmt: skip
    return CODE


def browser(*, csrf: bool = False) -> Client:
    return Client(SERVER_NAME="localhost", enforce_csrf_checks=csrf)


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/account/login", {"login": name, "password": password, **more})


def text(answer: Any) -> str:
    return unescape(answer.content.decode())


def signed_in(client: Client) -> bool:
    answer: Any = client.get("/desk/")
    return answer.status_code == 200 or not answer["Location"].startswith("/account/login")


# --- in and out -------------------------------------------------------------------------------


def test_by_sign_in_name_and_password_to_the_page_one_wanted(person: str) -> None:
    client = browser()
    wanted: Any = client.get("/desk/register")
    answer = client.post(wanted["Location"], {"login": person, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/register")
    assert "何晓岚" in text(client.get("/desk/"))


@pytest.mark.parametrize(
    "elsewhere", ["https://example.com/", "//example.com", "javascript:alert(1)", "/\\example.com"]
)
def test_signing_in_never_leads_to_another_site(person: str, elsewhere: str) -> None:
    answer = sign_in(browser(), person, next=elsewhere)
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")


def test_a_wrong_name_and_a_wrong_password_are_told_the_same(person: str) -> None:
    wrong = [
        sign_in(browser(), person, "not-it-at-all-1"),
        sign_in(browser(), "p-nobody", "not-it-at-all-1"),
        sign_in(browser(), "p-water-clerk", "not-it-at-all-1"),  # has no usable password
    ]
    sentences = {SAID.findall(text(one))[0] for one in wrong}
    assert {one.status_code for one in wrong} == {200}
    assert len(sentences) == 1
    assert "不正确" in sentences.pop()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", ""),
        ("x" * 5000, "y" * 5000),
        ("p-1042\x00", "x"),
        ("江\u202e城😀", "口令"),
        ("' OR 1=1 --", "x"),
    ],
)
def test_whatever_is_typed_is_answered_with_the_form(person: str, name: str, password: str) -> None:
    answer = sign_in(browser(), name, password)
    assert answer.status_code == 200
    assert "没有登录" in text(answer)


def test_the_e_mail_is_no_sign_in_name(person: str) -> None:
    model = get_user_model()
    model.objects.filter(code=person).update(email="he@example.cn")
    client = browser()
    sign_in(client, "he@example.cn")
    assert not signed_in(client)


def test_a_form_from_another_site_does_not_sign_in(person: str) -> None:
    client = browser(csrf=True)
    assert sign_in(client, person).status_code == 403
    assert not signed_in(client)


def test_signing_out_ends_the_session_in_the_database(person: str) -> None:
    client = browser()
    sign_in(client, person)
    kept = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get("/account/logout").status_code == 200  # asks; a link signs nobody out
    assert signed_in(client)
    assert client.post("/account/logout")["Location"] == "/"
    assert not signed_in(client)
    assert not Session.objects.filter(session_key=kept).exists()
    again = browser()
    again.cookies[settings.SESSION_COOKIE_NAME] = kept
    assert not signed_in(again)


def test_a_person_made_inactive_is_out_at_once(person: str) -> None:
    client = browser()
    sign_in(client, person)
    get_user_model().objects.filter(code=person).update(is_active=False)
    assert not signed_in(client)
    assert not signed_in_anew(person)


def signed_in_anew(name: str, password: str = PASSWORD) -> bool:
    client = browser()
    sign_in(client, name, password)
    return signed_in(client)


# --- the lock ---------------------------------------------------------------------------------


def test_after_five_failures_the_account_is_locked_and_told_what_to_do(person: str) -> None:
    for _ in range(4):
        assert sign_in(browser(), person, "wrong").status_code == 200
    fifth = sign_in(browser(), person, "wrong")
    assert fifth.status_code == 429
    right = sign_in(browser(), person)
    assert right.status_code == 429
    said = text(right)
    assert "账号暂时锁住了" in said
    assert "15 分钟" in said
    assert "系统管理员" in said
    assert PASSWORD not in said
    assert not signed_in_anew(person)


def test_a_lock_holds_one_account_and_not_the_hall(person: str) -> None:
    services.add_person(
        "p-1043", name="何晓兰", agency="420100-water", since=SINCE, password=PASSWORD
    )
    for _ in range(6):
        sign_in(browser(), person, "wrong")
    assert not signed_in_anew(person)
    assert signed_in_anew("p-1043")


def test_spaces_and_capitals_do_not_get_round_the_lock(person: str) -> None:
    for name in (person, f" {person}", f"{person} ", f"\u3000{person}", person):
        sign_in(browser(), name, "wrong")
    assert not signed_in_anew(person)
    assert not signed_in_anew(person.upper())


def test_a_name_nobody_has_is_locked_like_any_other(city: None) -> None:
    answers = [sign_in(browser(), "p-nobody", "wrong").status_code for _ in range(6)]
    assert answers == [200, 200, 200, 200, 429, 429]


def test_the_lock_opens_after_its_time(person: str, owner: Any) -> None:
    for _ in range(5):
        sign_in(browser(), person, "wrong")
    assert not signed_in_anew(person)
    assert timedelta(minutes=15) == settings.AXES_COOLOFF_TIME
    owner.execute("UPDATE axes_accessattempt SET attempt_time = attempt_time - interval '14 min'")
    assert not signed_in_anew(person)  # and this attempt does not begin the time anew
    owner.execute("UPDATE axes_accessattempt SET attempt_time = attempt_time - interval '2 min'")
    assert signed_in_anew(person)


def test_a_right_password_forgets_the_failures(person: str) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in(browser(), person, "wrong")
        assert signed_in_anew(person)


# --- the session ------------------------------------------------------------------------------


def test_the_cookie_is_for_the_browser_alone_and_ends_with_it(person: str) -> None:
    client = browser()
    client.get("/account/login")
    before = client.cookies.get(settings.SESSION_COOKIE_NAME)
    cookie = sign_in(client, person).cookies[settings.SESSION_COOKIE_NAME]
    assert before is None or before.value != cookie.value
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["expires"]
    assert not cookie["max-age"]
    assert len(cookie.value) >= 32


def test_outside_the_demo_cookies_travel_by_https_only() -> None:
    code = (
        "from zhengwu.config import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT,"
        " s.SECURE_HSTS_SECONDS > 0)"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZHENGWU_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"] * 4


def _sit(client: Client, minutes: float) -> None:
    """Put the last act of the session so far back."""
    session = client.session
    session[SEEN] = int(time.time() - minutes * 60)
    session.save()


def test_whoever_sits_idle_is_signed_out_and_led_back(person: str) -> None:
    client = browser()
    sign_in(client, person)
    client.get("/desk/")
    _sit(client, settings.IDLE_MINUTES - 1)
    assert signed_in(client)
    _sit(client, settings.IDLE_MINUTES + 1)
    answer: Any = client.get("/desk/register")
    assert answer["Location"] == "/account/login?next=/desk/register"
    assert not signed_in(client)


def test_an_act_after_sitting_idle_is_not_done(person: str) -> None:
    client = browser()
    sign_in(client, person)
    client.get("/desk/")
    _sit(client, settings.IDLE_MINUTES + 1)
    answer: Any = client.post("/desk/register", {"do": "accept"})
    assert answer["Location"] == "/account/login?next=/desk/register"


def test_acting_keeps_the_session_and_a_page_that_refreshes_itself_does_not(person: str) -> None:
    client = browser()
    sign_in(client, person)
    client.get("/desk/")
    _sit(client, 10)
    client.get("/desk/", headers={"HX-Request": "true"})
    assert time.time() - client.session[SEEN] > 9 * 60
    client.get("/desk/")
    assert time.time() - client.session[SEEN] < 60


# --- the password -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "Jiang-2046-Cheng",
        "correct-horse-江城-2046",
        "江城水务局九号窗口-a1",
        "ABCDEFG-2046",
        "abc DEF 123",
    ],
)
def test_a_good_password_is_taken(password: str) -> None:
    validate_password(password)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("Ab-2046", "10"),
        ("jiangchengshi", "3 类"),
        ("20462046204620", "3 类"),
        ("jiangcheng2046", "3 类"),
        ("JIANGCHENG-SHI", "3 类"),
        ("jiangcheng\u200b2046", "3 类"),
        ("江城市政务服务中心水务局窗口", "3 类"),
        ("Password123", "常见"),
        ("P-1042-1042", "相似"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, told: str) -> None:
    person = get_user_model()(code="p-1042-1042", username="p-1042-1042", name="何晓岚")
    with pytest.raises(ValidationError) as refused:
        validate_password(password, person)
    assert any(told in sentence for sentence in refused.value.messages), refused.value.messages


def test_one_changes_ones_own_password_and_other_sessions_end(person: str) -> None:
    here, elsewhere = browser(), browser()
    sign_in(here, person)
    sign_in(elsewhere, person)
    weak: Any = here.post(
        "/account/password", {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    )
    assert weak.status_code == 200
    assert "没有提交" in text(weak)
    assert PASSWORD not in text(weak)
    wrong: Any = here.post(
        "/account/password", {"oldpassword": "no", "password1": NEW, "password2": NEW}
    )
    assert "没有提交" in text(wrong)
    done: Any = here.post(
        "/account/password", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    assert (done.status_code, done["Location"]) == (302, "/desk/")
    assert "密码" in text(here.get("/desk/"))
    assert not signed_in(elsewhere)
    assert signed_in_anew(person, NEW)
    assert not signed_in_anew(person, PASSWORD)


def test_who_has_no_password_of_ours_is_told_so(city: None) -> None:
    client = browser()
    client.force_login(
        get_user_model().objects.get(code="p-water-clerk"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer: Any = client.get("/account/password")
    assert answer.status_code == 200
    assert "没有可以修改的" in text(answer)


# --- people without a post ----------------------------------------------------------------------


def test_a_person_without_post_and_role_sees_an_empty_desk_with_a_sentence(city: None) -> None:
    services.add_person("p-new", name="新来的", agency=None, since=SINCE, password=PASSWORD)
    client = browser()
    sign_in(client, "p-new")
    answer: Any = client.get("/desk/")
    assert answer.status_code == 200
    assert "没有岗位" in text(answer)
    assert "安全管理员" in text(answer)


def test_a_clerk_with_a_role_and_no_post_sees_an_empty_list(
    person: str,
) -> None:
    client = browser()
    sign_in(client, person)
    assert "这里没有待办" in text(client.get("/desk/"))
    assert client.get("/desk/register").status_code == 200


@pytest.mark.parametrize(
    ("code", "lands"),
    [
        ("p-system_admin", "/desk/operate"),
        ("p-audit_admin", "/desk/audit"),
        ("p-security_admin", "/desk/calendar"),
    ],
)
def test_an_administrator_lands_on_a_page_of_theirs(city: None, code: str, lands: str) -> None:
    client = browser()
    client.force_login(
        get_user_model().objects.get(code=code),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer: Any = client.get("/desk/")
    assert answer["Location"] == lands
    assert client.get(lands).status_code == 200
