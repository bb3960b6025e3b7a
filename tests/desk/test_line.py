"""The thin line through the pages: received, accepted, handled, decided, delivered, tracked."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.desk import walk

pytestmark = pytest.mark.usefixtures("shop")


def _line(clerk: Client) -> tuple[str, str]:
    number = walk.register(clerk)
    page = walk.text(clerk.get(f"/desk/cases/{number}"))
    code = re.search(r"查询码 ([2-9A-Z]{6})", page)
    assert code
    return number, code.group(1)


def test_a_promised_case_goes_from_the_window_to_the_applicant(clerk: Client) -> None:
    number, code = _line(clerk)
    reviewer, approver = walk.sign_in("p-water-reviewer"), walk.sign_in("p-water-approver")
    assert walk.do(reviewer, number, "step_taken").status_code == 302
    assert walk.do(reviewer, number, "step_done", opinion="符合条件").status_code == 302
    assert walk.do(approver, number, "step_taken").status_code == 302
    assert walk.do(approver, number, "granted").status_code == 302
    story = walk.text(approver.get(f"/desk/cases/{number}"))
    assert "准予" in story
    if "acts/licence_made" in story:
        assert walk.do(approver, number, "licence_made").status_code == 302
    assert walk.do(clerk, number, "step_taken").status_code == 302
    assert walk.do(clerk, number, "ready").status_code == 302
    done = walk.do(clerk, number, "delivered", means="signature", proof="何晓岚")
    assert done.status_code == 302
    assert "已办结" in walk.text(clerk.get(f"/desk/cases/{number}"))
    tracked = walk.public().post("/track", {"number": number.lower(), "code": f" {code.lower()} "})
    page = walk.text(tracked)
    assert tracked.status_code == 200
    assert "江城清源" not in page
    assert "决定书" in page
    link = re.search(r"/track/documents/[^\"]+\.pdf", page)
    assert link
    pdf = walk.public().get(link.group(0))
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


def test_an_old_page_shows_what_happened_and_keeps_what_was_typed(clerk: Client) -> None:
    number, _ = _line(clerk)
    reviewer = walk.sign_in("p-water-reviewer")
    walk.do(reviewer, number, "step_taken")
    response = reviewer.post(
        f"/desk/cases/{number}/acts/step_done",
        {
            "version": "2",
            "key": "8a9c0f0e-6a1a-4d53-9f5f-0f2f3b6f1aff",
            "opinion": "写了很久的意见",
        },
    )
    page = walk.text(response)
    assert response.status_code == 409
    assert "写了很久的意见" in page
    assert "接办" in page


def test_a_refusal_gives_the_page_back_with_the_error_at_the_field(clerk: Client) -> None:
    number, _ = _line(clerk)
    reviewer = walk.sign_in("p-water-reviewer")
    walk.do(reviewer, number, "step_taken")
    response = walk.do(reviewer, number, "step_done", opinion="")
    assert response.status_code == 422
    page = walk.text(response)
    assert "<title>错误：" in page
    assert 'href="#id_step_done_opinion"' in page


@pytest.mark.parametrize("version", ["", "-1", "x", "99999999999999999999", "²", "0"])
def test_a_version_that_is_none_is_an_old_page(clerk: Client, version: str) -> None:
    number, _ = _line(clerk)
    reviewer = walk.sign_in("p-water-reviewer")
    response = reviewer.post(f"/desk/cases/{number}/acts/step_taken", {"version": version})
    assert response.status_code == 409


def test_strangers_get_nothing(clerk: Client) -> None:
    number, _ = _line(clerk)
    for code in ("p-market-clerk", "p-d102-clerk"):
        stranger = walk.sign_in(code)
        assert stranger.get(f"/desk/cases/{number}").status_code == 404
        assert number not in walk.text(stranger.get("/desk/"))
        answer = stranger.post(f"/desk/cases/{number}/acts/step_taken", {"version": "2"})
        assert answer.status_code == 404
    assert walk.public().get(f"/desk/cases/{number}").status_code == 302


def test_an_act_nobody_knows_is_not_there(clerk: Client) -> None:
    number, _ = _line(clerk)
    assert clerk.post(f"/desk/cases/{number}/acts/abracadabra", {}).status_code == 404
    assert clerk.post(f"/desk/cases/{number}/acts/granted", {"version": "2"}).status_code in (
        302,
        409,
    )
