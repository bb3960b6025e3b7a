"""The security administrator registers systems, issues tokens that are shown once, and revokes them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from tests.api.system import SECURITY, System, issue, register
from tests.desk.walk import public, sign_in, text
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.models import Token
from zhengwu.accounts.scopes import SCOPES
from zhengwu.ledger import queries as ledger
from zhengwu.web.clock import now

pytestmark = pytest.mark.usefixtures("shop")
LIST, NEW = "/desk/systems", "/desk/systems/new"
SECRET = re.compile(r"zw_[\w-]{43}")


@pytest.fixture
def security() -> Client:
    return sign_in(SECURITY)


def form(**changes: str) -> dict[str, str]:
    given = {
        "key": str(uuid4()), "name": "市水务局办公系统", "code": "water-oa",
        "agency": "江城市水务局", "role": "agency_system", "hall": "", "region": "",
    }  # fmt: skip
    return given | changes


def token(**changes: Any) -> dict[str, Any]:
    return {"key": str(uuid4()), "scopes": ["cases.read"], "days": "30"} | changes


def one(id: Any) -> str:
    return f"{LIST}/{id}"


def read(answer: Any) -> str:
    return html.unescape(text(answer))


def kinds(id: Any) -> list[str]:
    return [each.kind for each in ledger.stream_events(systems.STREAM, id)]


# --- systems ----------------------------------------------------------------------------------------


def test_without_any_system_the_page_says_what_tokens_are_for(security: Client) -> None:
    page = read(security.get(LIST))
    assert "还没有登记系统" in page
    assert f'href="{NEW}"' in page
    assert 'aria-current="page"><span>接入系统' in page


def test_a_system_is_registered_by_the_name_of_its_agency(security: Client) -> None:
    answer: Any = security.post(NEW, form())
    (row,) = systems.systems(accounts.actor(SECURITY), at=now())
    assert answer["Location"] == one(row.id)
    assert (row.code, row.agency, row.place) == ("water-oa", "420100-water", "420100-water")
    page = read(security.get(answer["Location"]))
    for said in (
        "市水务局办公系统",
        "江城市水务局",
        "本机关的办件",
        "还没有令牌",
        "登记了这个系统",
    ):
        assert said in page
    assert kinds(row.id) == ["system_registered"]


def test_a_system_of_a_hall_or_a_region_sees_that_place(security: Client) -> None:
    for role, place, name in (
        ("hall_system", {"hall": "H420100"}, "大厅"), ("region_system", {"region": "420102"}, "临江区"),
    ):  # fmt: skip
        code = role.replace("_", "-")
        answer: Any = security.post(NEW, form(code=code, role=role, **place))
        assert name in read(security.get(answer["Location"]))


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": ""}, "name", "请填写系统名称"),
        ({"code": "水务"}, "code", "小写字母"),
        ({"code": "taken"}, "code", "已经有这个代码的系统"),
        ({"agency": "没有这个局"}, "agency", "没有这个机关"),
        ({"role": ""}, "role", "请选择系统看得到哪些办件"),
        ({"role": "hall_system"}, "hall", "请填写大厅代码"),
        ({"role": "region_system"}, "region", "没有这个区域"),
        ({"role": "region_system", "region": "1"}, "region", "请从列表里选择"),
    ],
)
def test_what_is_wrong_with_a_registration_is_said_at_its_field(
    security: Client, changes: dict[str, str], field: str, said: str
) -> None:
    register("taken")
    answer = security.post(NEW, form(**changes))
    page = read(answer)
    assert answer.status_code == 422
    assert said in page
    assert f'<a href="#id_{field}">' in page
    assert len(systems.systems(accounts.actor(SECURITY), at=now())) == 1


def test_a_registration_sent_twice_is_one_system(security: Client) -> None:
    given = form()
    first: Any = security.post(NEW, given)
    second: Any = security.post(NEW, given)
    assert first["Location"] == second["Location"]
    assert len(systems.systems(accounts.actor(SECURITY), at=now())) == 1


# --- tokens -----------------------------------------------------------------------------------------


def test_scopes_are_offered_in_words_and_the_secret_is_shown_once(
    security: Client, caplog: pytest.LogCaptureFixture
) -> None:
    id = register()
    page = read(security.get(f"{one(id)}/issue"))
    for scope in SCOPES.values():
        assert f"{scope.zh}（{scope.code}）" in page
    given = token(scopes=["cases.read", "events.read"])
    answer: Any = security.post(f"{one(id)}/issue", given)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    secret = SECRET.findall(text(answer))
    assert len(secret) == 1
    assert "只显示这一次" in text(answer)
    assert System(secret[0]).get("/cases").status_code == 200

    again: Any = security.post(f"{one(id)}/issue", given)  # what reloading the page would do
    assert again.status_code == 422
    assert "不能再显示" in text(again)
    pages = [again, security.get(one(id)), security.get(LIST), security.get(f"{one(id)}/issue")]
    assert not [each for each in pages if secret[0] in text(each)]
    assert secret[0] not in caplog.text
    assert not [each for each in security.cookies.values() if secret[0] in each.value]
    assert secret[0] not in str(list(security.session.items()))
    with connection.cursor() as cursor:
        for table in ("accounts_token", "ledger_event", "ledger_content", "django_session"):
            cursor.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{secret[0]}%"]
            )
            assert cursor.fetchone()[0] == 0, table
    assert kinds(id) == ["system_registered", "token_issued"]
    assert Token.objects.count() == 1


def test_after_a_refused_reload_the_next_form_issues_a_new_token(security: Client) -> None:
    id = register()
    given = token()
    security.post(f"{one(id)}/issue", given)
    again = text(security.post(f"{one(id)}/issue", given))
    key = re.search(r'name="key" value="([^"]+)"', again)
    assert key is not None
    assert key[1] != given["key"]
    assert security.post(f"{one(id)}/issue", token(key=key[1])).status_code == 200
    assert Token.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"scopes": []}, "scopes", "请至少选择一项权限"),
        ({"scopes": ["everything"]}, "scopes", "请从列表里选择"),
        ({"days": "0"}, "days", "1 到 366 天"),
        ({"days": "367"}, "days", "1 到 366 天"),
        ({"days": "十天"}, "days", "1 到 366 天"),
        ({"days": ""}, "days", "请填写有效期"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_at_its_field(
    security: Client, changes: dict[str, Any], field: str, said: str
) -> None:
    id = register()
    answer = security.post(f"{one(id)}/issue", token(**changes))
    page = read(answer)
    assert answer.status_code == 422
    assert said in page
    assert f'<a href="#id_{field}">' in page
    assert not Token.objects.exists()


def test_the_list_says_what_expires_soon_and_when_a_token_was_last_used(security: Client) -> None:
    id = register()
    used = issue(id, "cases.read", days=13)
    issue(id, "events.read", days=200)
    issue(id, "events.read", days=5, at=now() - timedelta(days=6))
    assert "没有用过" in read(security.get(LIST))
    System(used).get("/cases")
    page = read(security.get(LIST))
    assert "有 1 个令牌 14 天之内到期" in page
    assert "没有用过" not in page
    page = read(security.get(one(id)))
    assert (page.count("快到期"), page.count("已到期"), page.count(">有效<")) == (1, 1, 2)


# --- revoking ---------------------------------------------------------------------------------------


def test_revoking_asks_once_more_and_holds_at_once(security: Client) -> None:
    id = register()
    secret = issue(id, "cases.read")
    row = Token.objects.get()
    where = f"{one(id)}/tokens/{row.id}/revoke"
    page = read(security.get(where))
    assert "再没有有效的令牌" in page
    assert System(secret).get("/cases").status_code == 200
    given = {"key": str(uuid4())}
    answer: Any = security.post(where, given)
    assert answer["Location"] == one(id)
    assert System(secret).get("/cases").status_code == 401
    assert security.post(where, given).status_code == 302  # a double click
    page = read(security.get(one(id)))
    assert "已撤销" in page
    assert f"撤销了末四位是 {row.hint} 的令牌" in page
    assert "不用再撤销" in read(security.get(where))
    assert kinds(id) == ["system_registered", "token_issued", "token_revoked"]


def test_a_token_is_revoked_under_its_own_system_only(security: Client) -> None:
    id, other = register(), register("market-oa", agency="420100-market")
    issue(id, "cases.read")
    row = Token.objects.get()
    assert security.post(f"{one(other)}/tokens/{row.id}/revoke", {}).status_code == 404
    assert Token.objects.get().revoked is None


# --- the page for developers ------------------------------------------------------------------------


def test_whoever_writes_a_program_reads_how_to_ask_without_signing_in() -> None:
    answer: Any = public().get("/api/v1/docs")
    assert answer.status_code == 200
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    page = read(answer)
    for scope in SCOPES.values():
        assert scope.zh in page
    from tests.api.asking import document

    for methods in document()["paths"].values():
        for told in methods.values():
            assert f'id="{told["operationId"]}"' in page
            assert told["summary"] in page
    # Every form is laid open to the last field, every link on the page leads somewhere on it.
    for field in ("applicant.agent.identifier", "applicant.others[].kind", "form.opinion"):
        assert f"<code>{field}</code>" in page, field
    anchors = set(re.findall(r'href="#([^"]+)"', page)) - {"main"}
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))
    assert "Idempotency-Key: $(uuidgen)" in page
    again = public().get("/api/v1/docs", headers={"if-none-match": answer["ETag"]})
    assert again.status_code == 304
