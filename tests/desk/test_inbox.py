"""The inbox: what it shows, finds and exports."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.desk import walk
from zhengwu.desk.inbox.views import neutral


@pytest.fixture(autouse=True)
def _items(city: None) -> None:
    walk.publish_items()


def _csv(client: Client, query: str = "") -> str:
    response = client.get("/desk/list.csv" + query)
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_an_empty_inbox_says_so(clerk: Client) -> None:
    assert "这里没有待办" in walk.text(clerk.get("/desk/"))


def test_a_number_opens_its_case_and_a_name_finds_it(clerk: Client) -> None:
    number = walk.register(clerk)
    assert clerk.get("/desk/", {"q": number.lower()})["Location"] == f"/desk/cases/{number}"
    assert number in walk.text(clerk.get("/desk/", {"q": "江城清源水务有限公司"}))
    assert "没有符合条件" in walk.text(clerk.get("/desk/", {"q": "别的公司"}))


@pytest.mark.parametrize(
    "query",
    [
        {"folder": "receiving"},
        {"folder": "'; --"},
        {"light": "purple"},
        {"light": "green"},
        {"item": "XK0031"},
        {"item": "\x00"},
        {"q": "%_\\ \x00 𠮷"},
        {"page": "99999999999"},
        {"page": "-3"},
        {"q": "x" * 5000},
    ],
)
def test_no_filter_breaks_the_list(clerk: Client, query: dict[str, str]) -> None:
    walk.register(clerk)
    assert clerk.get("/desk/", query).status_code == 200
    assert clerk.get("/desk/list.csv", query).status_code == 200


def test_the_export_holds_the_filtered_list(clerk: Client) -> None:
    number = walk.register(clerk)
    assert number in _csv(clerk)
    assert _csv(clerk).startswith("\ufeff期限")
    assert number not in _csv(clerk, "?folder=closed")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert neutral(cell).startswith("'")


def test_the_operator_sees_the_vital_signs_and_nobody_else(clerk: Client) -> None:
    page = walk.text(walk.sign_in("p-system_admin").get("/desk/operate"))
    assert "水位" in page
    assert "没有进程在工作" in page
    assert clerk.get("/desk/operate").status_code == 403


def test_the_desk_knows_the_workers_lock() -> None:
    from zhengwu.config.migrate import WORKING
    from zhengwu.desk.operate import views

    assert views.WORKING == WORKING


@pytest.mark.parametrize("code", ["p-security_admin", "p-audit_admin", "p-system_admin"])
def test_an_administrator_lands_on_a_page_of_their_own(city: None, code: str) -> None:
    response = walk.sign_in(code).get("/desk/", follow=True)
    assert response.status_code == 200
    assert "退出" in walk.text(response)
