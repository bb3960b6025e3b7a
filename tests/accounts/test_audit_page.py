"""The audit administrator's page of looks at personal data, through HTTP."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from tests.accounts.test_url_walk import Case, case, signed_in  # noqa: F401 - a fixture
from tests.plans import kept
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services
from zhengwu.accounts.models import Look
from zhengwu.desk.audit.views import PAGE, SHOWN

NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)  # 12:00 in Shanghai


@pytest.fixture
def audit(city: None) -> Client:
    return signed_in("p-audit_admin")


def look(
    code: str, *, why: str = "办件页", at: datetime = NOON, stream: UUID | None = None
) -> None:
    services.look(
        accounts.actor(code), "case", stream or uuid4(), why=why, fields=("name", "phone"), at=at
    )


def page(client: Client, **query: str) -> str:
    answer: Any = client.get("/desk/audit", query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_nobody_looked_yet(audit: Client) -> None:
    assert "还没有人查阅过个人信息" in page(audit)


def test_opening_a_case_is_seen_with_who_which_why_what_and_when(case: Case) -> None:  # noqa: F811
    answer: Any = signed_in("p-water-clerk").get(f"/desk/cases/{case.number}")
    assert answer.status_code == 200
    shown = page(signed_in("p-audit_admin"))
    for part in (
        "江水一clerk",
        "p-water-clerk",
        "江城市水务局",
        case.number,
        "办件页",
        "证件号码、姓名或名称、电话",
    ):
        assert part in shown, part
    for part in case.secrets():
        assert part not in shown


def test_one_finds_by_person_agency_reason_and_case(case: Case) -> None:  # noqa: F811
    signed_in("p-water-clerk").get(f"/desk/cases/{case.number}")
    look("p-market-clerk", why="抽查")
    client = signed_in("p-audit_admin")
    for q in (
        "江水一",
        "p-water-clerk",
        "江城市水务局",
        "办件页",
        case.number,
        case.number.lower(),
    ):
        shown = page(client, q=q)
        assert case.number in shown.replace(f'value="{case.number}"', ""), q
        assert "抽查" not in shown, q
    assert "抽查" in page(client, q="市场监督")
    for q in ("没有这个人", "%", "_", "' OR 1=1", "\x00", "𠮷"):
        answer: Any = client.get("/desk/audit", {"q": q})
        assert answer.status_code == 200, q
    assert "没有符合条件的查阅记录" in page(client, q="没有这个人")


def test_the_days_are_shanghais_and_both_belong(audit: Client) -> None:
    late = datetime(2026, 3, 4, 15, 59, tzinfo=UTC)  # 23:59 on the 4th
    look("p-water-clerk", why="四日晚上", at=late)
    look("p-water-clerk", why="五日零点", at=late + timedelta(minutes=1))
    fourth = page(audit, since="2026-03-04", until="2026-03-04")
    assert "四日晚上" in fourth
    assert "五日零点" not in fourth
    assert "五日零点" in page(audit, since="2026-03-05")


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-02-30"}, {"since": "昨天"}, {"until": "9999-12-31"}, {"until": "0001-01-01"},
        {"since": "2026-03-05", "until": "2026-03-04"}, {"q": "x" * 101},
    ],
)  # fmt: skip
def test_a_wrong_condition_is_told_at_its_field(audit: Client, query: dict[str, str]) -> None:
    look("p-water-clerk")
    for where in ("/desk/audit", "/desk/audit.csv"):
        answer: Any = audit.get(where, query)
        assert answer.status_code == 422
        shown = unescape(answer.content.decode())
        assert "aria-invalid" in shown
        assert "p-water-clerk" not in shown
        assert next(iter(query.values())) in shown


def test_page_by_page_the_latest_first(audit: Client) -> None:
    for minute in range(PAGE + 5):
        look("p-water-clerk", why=f"第 {minute} 次查阅", at=NOON + timedelta(minutes=minute))
    first, second = page(audit), page(audit, page="2")
    assert f"第 {PAGE + 4} 次查阅" in first
    assert "第 4 次查阅" not in first
    assert "第 4 次查阅" in second
    assert second.index("第 4 次查阅") < second.index("第 0 次查阅")
    assert f'共 <span class="num">{PAGE + 5}</span> 条' in first
    assert "第 0 次查阅" in page(audit, page="999")


def test_the_export_holds_the_filtered_list_and_no_formula(audit: Client) -> None:
    look("p-water-clerk", why='=HYPERLINK("http://x")')
    look("p-market-clerk", why="抽查")
    answer: Any = audit.get("/desk/audit.csv", {"q": "p-water"})
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    head, *rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert head == ["时间", "姓名", "人员代码", "机关", "对象", "编号", "事由", "查阅内容"]
    assert len(rows) == 1
    assert rows[0][:5] == [
        "2026-03-04 12:00:00",
        "江水一clerk",
        "p-water-clerk",
        "江城市水务局",
        "办件",
    ]
    assert rows[0][6].startswith("'=")


def test_for_everybody_else_the_page_is_not_there(city: None) -> None:
    for code in ("p-system_admin", "p-security_admin", "p-supervisor", "p-water-head"):
        client = signed_in(code)
        for where in ("/desk/audit", "/desk/audit.csv"):
            answer: Any = client.get(where)
            assert answer.status_code == 404, code
        desk: Any = client.get("/desk/", follow=True)
        assert "/desk/audit" not in desk.content.decode(), code


def test_a_look_at_a_list_is_one_with_all_that_stood_in_it(audit: Client) -> None:
    listed = [uuid4() for _ in range(SHOWN + 2)]
    services.look_through(
        accounts.actor("p-water-clerk"), "case", listed, why="查看清单", fields=("name",), at=NOON
    )
    services.look_through(
        accounts.actor("p-water-clerk"), "case", (), why="空的清单", fields=("name",), at=NOON
    )
    look("p-market-clerk", why="抽查", stream=listed[3])
    shown = page(audit)
    assert '共 <span class="num">2</span> 条' in shown
    assert "空的清单" not in shown
    assert f"同一清单共 {len(listed)} 件" in shown
    assert str(listed[SHOWN - 1]) in shown
    assert str(listed[SHOWN]) not in shown
    assert f"这里只列前 {SHOWN} 件，全部在导出里" in shown
    for one, looked in ((listed[0], 1), (listed[3], 2), (listed[-1], 1)):
        shown = page(audit, q=str(one))
        assert f'共 <span class="num">{looked}</span> 条' in shown
        assert f"（同一清单共 {len(listed)} 件）" in shown
        assert ("抽查" in shown) == (looked == 2)
    assert "没有符合条件的查阅记录" in page(audit, q=str(uuid4()))


def test_the_export_has_a_line_for_each_case_of_a_list(audit: Client) -> None:
    listed = [uuid4() for _ in range(3)]
    services.look_through(
        accounts.actor("p-water-clerk"), "case", listed, why="查看清单", fields=("name",), at=NOON
    )
    look("p-water-clerk", why="办件页", at=NOON - timedelta(minutes=1))

    def lines(**query: str) -> list[str]:
        answer: Any = audit.get("/desk/audit.csv", query)
        assert answer.status_code == 200
        return [row[5] for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))][1:]

    assert lines()[:3] == [str(one) for one in listed]
    assert len(lines()) == 4
    assert lines(q=str(listed[1])) == [str(listed[1])]
    asked = accounts.actor("p-audit_admin")
    assert (accounts.count_looks(asked), accounts.count_look_lines(asked)) == (2, 4)
    assert accounts.count_look_lines(asked, accounts.LookFilter(stream_id=listed[1])) == 1
    assert accounts.count_look_lines(asked, most=1) == 4  # more than one is all that is asked
    assert lines(q=str(listed[0])) == [str(listed[0])]


def test_the_looks_at_one_case_are_found_by_index_also_in_lists(audit: Client) -> None:
    actor = accounts.actor("p-water-clerk")
    for _ in range(40):
        listed = [uuid4() for _ in range(20)]
        services.look_through(actor, "case", listed, why="查看清单", fields=("name",), at=NOON)
    said: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append((sql, params))
        return execute(sql, params, many, context)

    asked = accounts.actor("p-audit_admin")
    with connection.execute_wrapper(note):
        at_it = accounts.LookFilter(stream_id=listed[7])
        (found,) = accounts.looks(asked, at_it)
        assert accounts.count_looks(asked, at_it) == 1
    assert found.stream_ids == (listed[7],)
    assert found.total == 20
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")  # so few rows are read at once otherwise
        try:
            plans = [kept(sql, params) for sql, params in said if "FROM accounts_look" in sql]
        finally:
            cursor.execute("RESET enable_seqscan")
    assert len(plans) == 2
    for plan in plans:
        assert "accounts_look_of_stream" in plan, plan
        assert "accounts_look_of_others" in plan, plan
        assert "Scan using accounts_look_latest" not in plan, (
            plan
        )  # none is passed over, one by one


def test_going_back_makes_a_look_of_each_that_stood_in_a_list(city: None) -> None:
    listed = [uuid4() for _ in range(3)]
    services.look_through(
        accounts.actor("p-water-clerk"), "case", listed, why="查看清单", fields=("name",), at=NOON
    )
    apart = import_module("zhengwu.accounts.migrations.0007_look_at_list").APART
    with connection.cursor() as cursor:
        cursor.execute(apart)
    found = Look.objects.filter(why="查看清单").values_list("stream_id", "person", "at")
    assert set(found) == {(one, "p-water-clerk", NOON) for one in listed}
