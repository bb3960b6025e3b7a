"""The inbox: what it shows, finds and exports."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.desk import walk
from zhengwu.desk.inbox.views import neutral

pytestmark = pytest.mark.usefixtures("shop")


def _csv(client: Client, query: str = "") -> str:
    response = client.get("/desk/list.csv" + query)
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_an_empty_inbox_says_so(clerk: Client) -> None:
    assert "这里没有待办" in walk.text(clerk.get("/desk/"))


def test_a_number_opens_its_case_and_a_name_finds_it(clerk: Client) -> None:
    number = walk.register(clerk)
    assert clerk.get("/desk/", {"q": number.lower()})["Location"] == f"/desk/cases/{number}"
    assert number in walk.text(clerk.post("/desk/", {"q": "江城清源水务有限公司"}, follow=True))
    assert "没有符合条件" in walk.text(clerk.post("/desk/", {"q": "别的公司"}, follow=True))


def test_a_name_or_an_identity_number_stands_in_no_address(clerk: Client) -> None:
    number = walk.register(clerk)
    for words in ("江城清源水务有限公司", walk.uscc(), "<b>&\x00"):
        sent: Any = clerk.post("/desk/", {"q": words})
        assert sent.status_code == 303
        where = sent["Location"]
        assert re.fullmatch(r"/desk/\?s=[0-9a-f]{8}", where), where
        assert clerk.post("/desk/", {"q": words})["Location"] == where
        shown = walk.text(clerk.get(where))
        for address in re.findall(r'(?:href|action)="([^"]*)"', shown):
            assert "江城清源" not in address
            assert walk.uscc() not in address
        assert "江城清源" not in shown.split("</title>", maxsplit=1)[0]
    # Paging, lamps, filters and the download go on with the token.
    where = clerk.post("/desk/", {"q": "江城清源水务有限公司"})["Location"]
    token = where.partition("?")[2]
    shown = walk.text(clerk.get(where))
    assert f"/desk/list.csv?{token}" in shown
    assert f'name="s" value="{token[2:]}"' in shown
    assert f"?{token}&light=" in shown
    assert number in walk.text(clerk.get(f"{where}&page=1&item=XK0031"))
    assert number in _csv(clerk, f"?{token}")
    other = clerk.post("/desk/", {"q": "别的公司"})["Location"].partition("?")[2]
    assert number not in _csv(clerk, f"?{other}")


def test_a_case_number_may_stand_in_the_address(clerk: Client) -> None:
    number = walk.register(clerk)
    sent: Any = clerk.post("/desk/", {"q": f" {number.lower()} "})
    assert sent["Location"] == f"/desk/?q={number.lower()}"
    assert clerk.post("/desk/", {"q": " "})["Location"] == "/desk/"


@pytest.mark.parametrize("query", ["s=made-up", "s=%00", "q=%E6%B1%9F%E5%9F%8E"])
def test_what_nobody_knows_any_more_is_an_empty_search_that_says_so(
    clerk: Client, query: str
) -> None:
    number = walk.register(clerk)
    clerk.get("/desk/")  # which tells of the registration
    shown = walk.text(clerk.get(f"/desk/?{query}"))
    assert "这次查找的内容已经不在了" in shown
    assert number not in shown
    assert number not in _csv(clerk, f"?{query}")


def test_a_token_is_of_one_session(clerk: Client) -> None:
    number = walk.register(clerk)
    where = clerk.post("/desk/", {"q": "江城清源水务有限公司"})["Location"]
    assert number in walk.text(clerk.get(where))
    teammate = walk.text(walk.sign_in("p-water-clerk2").get(where))
    assert "不在了" in teammate
    assert "江城清源" not in teammate


def test_only_the_latest_searches_are_kept(clerk: Client) -> None:
    places = [clerk.post("/desk/", {"q": f"公司{n}"})["Location"] for n in range(21)]
    assert "不在了" in walk.text(clerk.get(places[0]))
    assert "公司20" in walk.text(clerk.get(places[-1]))


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
