"""The progress page, as the applicant reads it on a phone with number and query code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import COMPANY
from tests.desk import walk
from zhengwu.cases import loading, tracking
from zhengwu.documents import queries as documents
from zhengwu.documents import services as issuing

TWIN = re.compile(r'href="(/track/documents/[^"]+/words)"')
PDF = re.compile(r'href="(/track/documents/[^"]+\.pdf)"')


@pytest.fixture
def anyone(town: None) -> Client:
    return walk.public()


def page(client: Client, case: people.Told) -> str:
    answer = client.post("/track", {"number": case.number, "code": case.query_code})
    assert answer.status_code == 200
    return walk.text(answer)


def names_of_staff() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, code FROM accounts_person")
        return [one for row in cursor.fetchall() for one in row]


def test_who_has_just_handed_in_has_nothing_to_do(anyone: Client) -> None:
    text = page(anyone, people.received())
    assert "已经收到您的申请" in text
    assert "您现在什么都不用做" in text
    assert "B23 窗口" in text


def test_who_must_supplement_sees_each_material_first(anyone: Client) -> None:
    case = people.received(missing=1)
    short = loading.load_public(case.number, case.query_code).materials()[-1]
    case.do("p-water-clerk", "supplement_requested", "09-16 15:00")
    text = page(anyone, case)
    assert "材料还不齐，等您补交" in text
    assert f"<b>{short.name}</b>：缺，请补交" in text
    assert text.index("您现在要做的") < text.index("办理经过")
    assert "补正告知书" in text


def test_the_reason_why_a_material_is_wrong_stands_beside_it(anyone: Client) -> None:
    case = people.received()
    code = loading.load_public(case.number, case.query_code).materials()[0].code
    case.do(
        "p-water-clerk", "supplement_requested", "09-16 15:00",
        {f"material-{code}": "faulty", f"why-{code}": "第 2 页没有盖章"},
    )  # fmt: skip
    assert "：不合格——第 2 页没有盖章" in page(anyone, case)


def test_the_whole_story_is_told_and_nobody_named(anyone: Client) -> None:
    case = people.golden()
    text = page(anyone, case)
    for said in (
        "取水许可", "江城**", "收到您的申请", "请您补交材料", "受理了", "专家评审", "恢复计时",
        "批准了", "可以来领了", "当面签收", "办结",
    ):  # fmt: skip
        assert said in text, said
    for secret in (*names_of_staff(), COMPANY.name, COMPANY.identifier, COMPANY.phone, "何晓岚"):
        assert secret not in text, secret


def test_a_paused_case_says_why_and_until_when(anyone: Client) -> None:
    case = people.received()
    case.do("p-water-clerk", "accepted", "09-18 10:20")
    case.do("p-water-reviewer", "step_taken", "09-18 14:00")
    case.do(
        "p-water-reviewer", "suspended", "09-24 17:00",
        {"procedure": "expert_review", "days": "10", "reasons": "水资源论证要评审"},
    )  # fmt: skip
    text = page(anyone, case)
    assert "正在进行专家评审" in text
    assert "10 个工作日" in text
    assert 'light-pause">' in text


def test_each_paper_opens_as_pdf_and_as_words(anyone: Client) -> None:
    case = people.golden()
    text = page(anyone, case)
    twins, pdfs = TWIN.findall(text), PDF.findall(text)
    papers = tracking.track(case.number, case.query_code, at=people.moment("11-03 09:00")).documents
    assert len(twins) == len(pdfs) == len(papers) >= 2
    for address in twins:
        answer = anyone.get(unescape(address))
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert "看文书（PDF）" in walk.text(answer)
    assert anyone.get(unescape(pdfs[0])).content.startswith(b"%PDF")


def test_the_twin_says_what_the_paper_says(anyone: Client) -> None:
    case = people.golden()
    stream = loading.load_public(case.number, case.query_code).id
    for one in documents.of_stream(stream):
        found = documents.twin(one.check_code)
        assert found is not None
        assert found.genuine
        assert found.number == one.number
        assert found.paragraphs
        assert found.plain or one.kind in ("forwarding_letter",), one.kind
    text = page(anyone, case)
    decision = next(
        walk.text(anyone.get(unescape(address)))
        for address in TWIN.findall(text)
        if '<h1 class="mb-1">准予' in walk.text(anyone.get(unescape(address)))
    )
    assert "本机关决定准予" in decision
    assert "用大白话说" in decision


def test_a_void_paper_says_so_and_names_the_one_that_holds(anyone: Client) -> None:
    case = people.golden()
    loaded = loading.load_public(case.number, case.query_code)
    papers = documents.of_stream(loaded.id)
    gone = next(one for one in papers if one.kind == "decision")
    issuing.void(
        "case", loaded.id, gone={gone.event: "江水许更字〔2026〕第00001号"},
        at=people.moment("11-03 10:00"),
    )  # fmt: skip
    text = page(anyone, case)
    assert "作废" in text
    assert "江水许更字〔2026〕第00001号" in text
    twin = next(
        walk.text(anyone.get(unescape(address)))
        for address in TWIN.findall(text)
        if "已经作废" in walk.text(anyone.get(unescape(address)))
    )
    assert "江水许更字〔2026〕第00001号" in twin


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "𠮷", "x" * 400])
def test_a_forged_token_opens_nothing(anyone: Client, token: str) -> None:
    assert anyone.get(f"/track/documents/{token}/words").status_code == 404


def test_the_page_asks_the_database_a_fixed_number_of_times(anyone: Client) -> None:
    case = people.golden()
    at = people.moment("11-03 09:00")
    tracking.track(case.number, case.query_code, at=at)
    with CaptureQueriesContext(connection) as asked:
        tracking.track(case.number, case.query_code, at=at)
    assert len(asked) <= 3, [one["sql"][:80] for one in asked]


def test_who_asks_too_often_is_counted_no_further_by_number(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "PER_SENDER", 4)
    monkeypatch.setattr(tracking, "PER_NUMBER", 2)
    at = people.moment("09-15 09:00")

    def ask(number: str, at: datetime = at) -> bool:
        return tracking.too_often("10.0.0.7", number, at=at)

    assert [ask("A") for _ in range(3)] == [False, False, True]
    assert [ask("B"), ask("B"), ask("C")] == [False, True, True]  # the fifth and sixth of four
    # Neither attempt counted for B or C any more, which the next window shows; another may ask.
    assert not tracking.too_often("10.0.0.8", "A", at=at)
    assert not ask("C", at + tracking.WINDOW + timedelta(seconds=1))


def test_only_number_and_code_together_open_it(anyone: Client) -> None:
    case = people.received()
    at = people.moment("09-15 09:00")
    assert tracking.track(case.number.lower(), case.query_code.lower(), at=at).number == case.number
    with pytest.raises(tracking.CaseNotFound):
        tracking.track(case.number, "AAAAAA", at=at)
