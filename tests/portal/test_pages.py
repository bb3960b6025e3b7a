"""The public's pages: there for everyone, whole, and without a dead link."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.desk import walk


@pytest.fixture
def anyone(shop: None) -> Client:
    return walk.public()


PAGES = (
    "/",
    "/items",
    "/items?q=取水",
    "/items?q=没有的事",
    "/items/XK0031",
    "/items/by/department",
    "/items/by/theme",
    "/items/by/object",
    "/forms",
    "/laws",
    "/laws/xkf",
    "/track",
    "/check",
    "/decisions",
    "/decisions?q=没有的事",
    "/help",
)


@pytest.mark.parametrize("address", [*PAGES, "/account/login"])
def test_every_page_is_there_under_the_policy(anyone: Client, address: str) -> None:
    response = anyone.get(address)
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    page = walk.text(response)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<[^>]+\sstyle=|<[^>]+\son\w+=", page)
    assert page.count("<h1") == 1


def test_no_link_is_dead(anyone: Client) -> None:
    seen: set[str] = set()
    todo = list(PAGES)
    while todo:
        address = todo.pop().partition("#")[0]
        if address in seen or not address.startswith("/"):
            continue
        seen.add(address)
        if address.startswith("/static/"):
            continue
        response = anyone.get(address)
        assert response.status_code in (200, 302), address
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            todo += re.findall(r'href="([^"]+)"', walk.text(response))
    assert len(seen) > 10


def test_a_case_number_in_the_search_leads_to_its_progress(anyone: Client) -> None:
    response = anyone.get("/items", {"q": "jc202611000001"})
    assert response["Location"] == "/track?number=JC202611000001"


def test_elder_mode_is_a_cookie_and_never_leads_away(anyone: Client) -> None:
    response = anyone.get("/elder?on&back=//evil.example/")
    assert response["Location"] == "/"
    assert 'class="elder"' in walk.text(anyone.get("/"))
    assert anyone.get("/elder?off&back=/help")["Location"] == "/help"
    assert 'class="elder"' not in walk.text(anyone.get("/"))


@pytest.mark.parametrize("field", ["number", "code"])
def test_tracking_asks_for_both_fields(anyone: Client, field: str) -> None:
    form = {"number": "JC202611000001", "code": "ABCDEF"} | {field: " "}
    response = anyone.post("/track", form)
    assert response.status_code == 422
    assert "<title>错误：" in walk.text(response)
    assert f'href="#id_{field}"' in walk.text(response)


def test_a_wrong_code_and_a_wrong_number_look_the_same(anyone: Client) -> None:
    clerk = walk.sign_in("p-water-clerk")
    number = walk.register(clerk)
    there = anyone.post("/track", {"number": number, "code": "AAAAAA"})
    nowhere = anyone.post("/track", {"number": "JC202601999999", "code": "AAAAAA"})
    assert there.status_code == nowhere.status_code == 404
    assert walk.text(there).replace(number, "").count("没有找到这个办件") == walk.text(
        nowhere
    ).count("没有找到这个办件")


def test_guessing_codes_is_stopped(anyone: Client) -> None:
    answers = [
        anyone.post("/track", {"number": "JC202611000001", "code": f"AAAAA{n % 8 + 2}"}).status_code
        for n in range(11)
    ]
    assert answers[:10] == [404] * 10
    assert answers[10] == 429


@pytest.mark.parametrize(
    "code", ["AAAA-AAAA", "x", "8F3K2Q7M", "%00", "𠮷" * 50, "' OR 1=1", "%2e%2e"]
)
def test_a_document_that_is_not_there_is_said_to_be_missing(anyone: Client, code: str) -> None:
    response = anyone.get(f"/check/{code}")
    assert response.status_code == 404


def test_a_document_is_found_by_its_code_with_the_name_masked(anyone: Client) -> None:
    clerk = walk.sign_in("p-water-clerk")
    number = walk.register(clerk)
    check = re.search(
        rf"/desk/cases/{number}/documents/([^\"]+)\.pdf",
        walk.text(clerk.get(f"/desk/cases/{number}")),
    )
    assert check
    response = anyone.get("/check", {"code": check.group(1).lower().replace("-", " ")}, follow=True)
    page = walk.text(response)
    assert "查验属实" in page
    assert "收件回执" in page
    assert "江城清源" not in page
    pdf = clerk.get(f"/desk/cases/{number}/documents/{check.group(1)}.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert (
        walk.sign_in("p-market-clerk")
        .get(f"/desk/cases/{number}/documents/{check.group(1)}.pdf")
        .status_code
        == 404
    )


@pytest.mark.parametrize("q", ["\x00", "'", "%", "_", "\\", "x" * 9000, "𠮷𠮷", "=1"])
def test_no_search_breaks(anyone: Client, q: str) -> None:
    assert anyone.get("/items", {"q": q}).status_code == 200


def test_what_is_not_there_is_a_page_in_words(anyone: Client) -> None:
    response = anyone.get("/nothing-here")
    assert response.status_code == 404
    assert "没有找到这一页" in walk.text(response)
    assert anyone.get("/items/NONE").status_code == 404
    assert anyone.get("/track/documents/forged:token.pdf").status_code == 404


def test_a_form_without_its_token_says_so(city: None) -> None:
    response = Client(SERVER_NAME="localhost", enforce_csrf_checks=True).post("/track", {})
    assert response.status_code == 403
    assert "没有提交" in walk.text(response)


def test_the_home_page_masks_names(anyone: Client) -> None:
    number = walk.register(walk.sign_in("p-water-clerk"))
    page = walk.text(anyone.get("/"))
    assert number in page
    assert "清源" not in page


@pytest.mark.parametrize("path", ["/items/a%00b", "/check/%00", "/desk/cases/a%00b", "/%0a"])
def test_an_address_with_a_control_character_leads_nowhere(db: None, path: str) -> None:
    assert Client().get(path).status_code == 404
