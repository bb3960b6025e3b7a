"""Published decisions, as anybody reads, searches and downloads them."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.cases import people
from tests.cases.people import COMPANY, PERSON
from tests.desk import walk
from zhengwu.cases import publication
from zhengwu.ledger import services as ledger

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def anyone(town: None) -> Client:
    return walk.public()


def whole(answer: Any) -> str:
    """All of an answer, also of one that is streamed; without the mark at its beginning."""
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8-sig")


@pytest.fixture
def row(town: None) -> publication.Decision:
    people.golden()
    ledger.catch_up()
    (found,) = publication.newest()
    return found


def secrets() -> Iterator[str]:
    for one in (COMPANY, PERSON):
        yield from (one.name, one.identifier, one.phone)
    yield "何晓岚"  # who signed for it


def test_it_says_so_when_there_is_none(anyone: Client) -> None:
    page = walk.text(anyone.get("/decisions"))
    assert "还没有公开的决定" in page
    assert "没有找到符合条件的决定" in walk.text(anyone.get("/decisions?q=取水"))


def test_a_decision_is_listed_read_and_leads_to_its_guide(
    anyone: Client, row: publication.Decision
) -> None:
    page = walk.text(anyone.get("/decisions", {"q": "取水"}))
    assert row.number in page
    address = re.search(r'href="(/decisions/[0-9a-f-]{36})"', page)
    assert address
    one = walk.text(anyone.get(address.group(1)))
    for told in (
        row.number,
        "准予行政许可决定书",
        "江城**公司",
        "行政许可法 第四十条",
        "7 个工作日",
    ):
        assert told in one, told
    assert f'href="/items/{row.item}"' in one
    assert anyone.get(f"/items/{row.item}").status_code == 200


def test_no_page_of_it_gives_an_applicant_a_case_or_a_code_away(anyone: Client) -> None:
    company, person = people.golden(), None
    person = people.received(applicant=PERSON)
    person.do("p-water-clerk", "accepted", "09-14 10:20")
    person.do("p-water-reviewer", "step_taken", "09-14 14:00")
    done = person.do("p-water-approver", "granted", "09-18 16:00")
    ledger.catch_up()
    for address in (
        "/decisions",
        "/decisions.csv",
        "/decisions.atom",
        *(f"/decisions/{one.id}" for one in publication.newest()),
    ):
        answer = anyone.get(address)
        assert answer.status_code == 200, address
        text = whole(answer)
        for secret in (
            *secrets(), company.number, company.query_code, person.number, person.query_code,
            str(done.document),
        ):  # fmt: skip
            assert secret not in text, (address, secret)


def test_the_download_holds_what_was_searched_for(
    anyone: Client, row: publication.Decision
) -> None:
    answer = anyone.get("/decisions.csv", {"q": "取水"})
    lines = list(csv.reader(io.StringIO(whole(answer))))
    assert len(lines) == 2
    assert dict(zip(*lines, strict=True))["文号"] == row.number
    none = anyone.get("/decisions.csv", {"status": "revoked"})
    assert len(whole(none).splitlines()) == 1


def test_the_feed_is_atom(anyone: Client, row: publication.Decision) -> None:
    answer = anyone.get("/decisions.atom")
    assert answer["Content-Type"].startswith("application/atom+xml")
    tree = ET.fromstring(answer.content)
    (entry,) = tree.findall(f"{ATOM}entry")
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.attrib["href"].endswith(f"/decisions/{row.id}")
    updated = entry.findtext(f"{ATOM}updated")
    assert updated
    assert datetime.fromisoformat(updated).tzinfo


def test_an_unchanged_page_is_not_sent_twice(anyone: Client, row: publication.Decision) -> None:
    for address in ("/decisions", f"/decisions/{row.id}", "/decisions.atom"):
        first = anyone.get(address)
        assert "max-age=60" in first["Cache-Control"], address
        again = anyone.get(address, headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 304, address


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "昨天"}, "id_since"),
        ({"until": "2026-02-30"}, "id_until"),
        ({"since": "0001-01-01"}, "id_since"),
        ({"agency": "' OR 1=1"}, "id_agency"),
        ({"status": "\x00"}, "id_status"),
        ({"q": "长" * 200}, "id_q"),
    ],
)
def test_a_condition_that_is_none_is_told_at_its_field(
    anyone: Client, asked: dict[str, str], field: str
) -> None:
    answer = anyone.get("/decisions", asked)
    assert answer.status_code == 422
    assert "<title>错误：" in walk.text(answer)
    assert f'href="#{field}"' in walk.text(answer)
    assert anyone.get("/decisions.csv", asked).status_code == 422


@pytest.mark.parametrize(
    "q", ["'", "%", "_", "\\", "字〔2026", "字%_\\", "𠮷𠮷", "=1", "\x00", "字第", "〔〕"]
)
def test_no_search_breaks(anyone: Client, row: publication.Decision, q: str) -> None:
    assert anyone.get("/decisions", {"q": q}).status_code == 200


@pytest.mark.parametrize("day", ["2026-10-28", "2026/10/28", "20261028", "2026.10.28"])
def test_days_are_read_as_people_write_them(
    anyone: Client, row: publication.Decision, day: str
) -> None:
    assert row.number in walk.text(anyone.get("/decisions", {"since": day, "until": day}))


def test_what_is_not_there_is_not_found(anyone: Client) -> None:
    assert anyone.get(f"/decisions/{uuid4()}").status_code == 404
    assert anyone.get("/decisions/x").status_code == 404


def test_the_home_page_and_every_page_lead_there(anyone: Client) -> None:
    assert 'href="/decisions"' in walk.text(anyone.get("/"))
    assert 'href="/decisions"' in walk.text(anyone.get("/help"))
