"""Deciding like cases together: picked, looked over, done once, a result for each."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client

from tests.desk import walk
from tests.desk.test_review import judge
from zhengwu.accounts import queries as accounts
from zhengwu.accounts.models import Look
from zhengwu.cases import queries as cases
from zhengwu.web.clock import now

REVIEWER, APPROVER = "p-water-reviewer", "p-water-approver"
PICK = re.compile(r'name="pick" value="([^"]+)"')


pytestmark = pytest.mark.usefixtures("shop")


def _cases(clerk: Client, count: int) -> list[str]:
    return [walk.register(clerk, key=str(uuid4())) for _ in range(count)]


def _form(client: Client, numbers: list[str], **form: str) -> dict[str, object]:
    """The look-over page of these cases, filled in."""
    page = walk.text(client.get("/desk/batch", {"case": numbers}))
    key = walk.KEY.search(page)
    assert key
    return {"key": key.group(1), "pick": PICK.findall(page), **form}


def _for_the_approver(clerk: Client, count: int) -> list[str]:
    """Reviewed, and taken by the approver."""
    numbers = _cases(clerk, count)
    reviewer, approver = walk.sign_in(REVIEWER), walk.sign_in(APPROVER)
    assert (
        reviewer.post("/desk/batch", _form(reviewer, numbers, do="step_taken")).status_code == 200
    )
    done = reviewer.post("/desk/batch", _form(reviewer, numbers, do="step_done", text="符合条件"))
    assert f"办好 {count} 件" in walk.text(done)
    taken = approver.post("/desk/batch", _form(approver, numbers, do="step_taken"))
    assert f"办好 {count} 件" in walk.text(taken)
    return numbers


def _granted(number: str) -> int:
    view = cases.case(accounts.actor(APPROVER), number, at=now())
    return [line.kind for line in view.story].count("granted")


def test_like_cases_are_granted_together_and_the_papers_are_linked(clerk: Client) -> None:
    numbers = _for_the_approver(clerk, 3)
    approver = walk.sign_in(APPROVER)
    page = walk.text(approver.get("/desk/batch", {"case": numbers}))
    assert "江城清源水务有限公司" in page
    assert "会制作准予决定书" in page
    form = _form(approver, numbers, do="granted", text="经审查符合条件")
    page = walk.text(approver.post("/desk/batch", form))
    assert "办好 3 件" in page
    assert len(re.findall(r'href="/desk/cases/\w+/documents/[^"]+\.pdf"', page)) == 3
    # The same submission again is the same decisions, with the same papers.
    again = walk.text(approver.post("/desk/batch", form))
    assert "办好 3 件" in again
    assert "没有重复办理" in again
    assert re.findall(r"documents/([^\"]+)\.pdf", again) == re.findall(
        r"documents/([^\"]+)\.pdf", page
    )
    assert [_granted(number) for number in numbers] == [1, 1, 1]
    for look in Look.objects.filter(person=APPROVER, why="批量办理"):
        assert len({look.stream_id, *(look.others or ())}) == 3
    assert Look.objects.filter(person=APPROVER, why="批量办理").count() >= 3


def test_what_moved_on_is_told_apart_and_only_it_is_done_again(clerk: Client) -> None:
    first, second = _for_the_approver(clerk, 2)
    approver = walk.sign_in(APPROVER)
    form = _form(approver, [first, second], do="granted")
    judge(approver, second, "extended")  # refused: changes nothing
    assert judge(
        approver, second, "opinion_requested",
        **{"opinion": "是否影响", "opinion_requested-organ": "江城市市场监督管理局",
           "opinion_requested-days": "3"},
    ).status_code == 302  # fmt: skip
    page = walk.text(approver.post("/desk/batch", form))
    assert "办好 1 件，没办成 1 件" in page
    assert "已有新进展" in page
    assert f'name="case" value="{second}"' in page
    assert f'name="case" value="{first}"' not in page
    again = approver.post("/desk/batch", _form(approver, [second], do="granted"))
    assert "办好 1 件" in walk.text(again)
    assert [_granted(first), _granted(second)] == [1, 1]


def test_unlike_cases_are_not_decided_together(clerk: Client) -> None:
    (one,) = _for_the_approver(clerk, 1)
    other = walk.register(
        clerk, key=str(uuid4()), item="节水型单位备案", **{"material-01": "received"}
    )
    approver = walk.sign_in(APPROVER)
    form = _form(approver, [one, other], do="granted")
    answer = approver.post("/desk/batch", form)
    page = walk.text(answer)
    assert answer.status_code == 422
    assert "同一事项" in page
    assert "行政许可法 第三十四条" in page
    assert _granted(one) == 0


def test_like_cases_are_refused_on_the_same_listed_grounds(clerk: Client) -> None:
    numbers = _for_the_approver(clerk, 2)
    approver = walk.sign_in(APPROVER)
    form = _form(approver, numbers, do="refused", text="水源不足")
    page = walk.text(approver.post("/desk/batch", form))
    assert 'href="#id_grounds"' in page
    assert "材料不符合要求：水资源论证报告书" in page
    form |= {"grounds": ["basis", "material:02"]}
    assert "办好 2 件" in walk.text(approver.post("/desk/batch", form))
    for number in numbers:
        view = cases.case(accounts.actor(APPROVER), number, at=now())
        assert "根据办事指南的申请材料、设定依据" in next(
            line.text for line in view.story if line.kind == "refused"
        )


def test_nothing_picked_too_many_and_no_act_are_sentences(clerk: Client) -> None:
    (number,) = _cases(clerk, 1)
    reviewer = walk.sign_in(REVIEWER)
    assert reviewer.get("/desk/batch")["Location"] == "/desk/"
    assert "请先在清单里勾选" in walk.text(reviewer.get("/desk/"))
    many = [f"JC2026119{n:05d}" for n in range(20)]  # of no case
    assert "一次最多办 20 件" in walk.text(reviewer.get("/desk/batch", {"case": [number, *many]}))
    for form in ({}, {"do": "closed"}, {"do": "step_done"}, {"do": "refused", "text": " "}):
        answer = reviewer.post("/desk/batch", _form(reviewer, [number], **form))
        assert answer.status_code == 422, form
        assert "<title>错误：" in walk.text(answer)
    kept = reviewer.post("/desk/batch", _form(reviewer, [number], text="写好的意见"))
    assert "写好的意见" in walk.text(kept)
    for pick in ("", ":", "a/b:1", "x", f"{number}:²", f"{number}:999999999999", "\x00:1", "JC1:1"):
        answer = reviewer.post("/desk/batch", {"do": "step_taken", "pick": pick})
        assert answer.status_code in (200, 422), pick


def test_strangers_cases_are_not_found_one_by_one(clerk: Client) -> None:
    (number,) = _cases(clerk, 1)
    stranger = walk.sign_in("p-market-reviewer")
    page = walk.text(stranger.get("/desk/batch", {"case": number}))
    assert "江城清源" not in page
    answer = stranger.post("/desk/batch", {"do": "step_taken", "pick": f"{number}:2"})
    assert "没有找到这个办件" in walk.text(answer)
    decided = stranger.post("/desk/batch", {"do": "granted", "pick": f"{number}:2"})
    assert decided.status_code in (200, 404)
    assert "江城清源" not in walk.text(decided)


def test_the_inbox_offers_picking_to_those_who_may(clerk: Client) -> None:
    (number,) = _cases(clerk, 1)
    page = walk.text(walk.sign_in(REVIEWER).get("/desk/", {"folder": "mine"}))
    assert f'name="case" value="{number}"' in page
    assert f'href="/desk/cases/{number}/review?folder=mine"' in page
    page = walk.text(walk.sign_in("p-supervisor").get("/desk/"))
    assert number in page
    assert 'name="case"' not in page
    assert "/review" not in page


@pytest.mark.parametrize("folder", [name for name, _, _ in cases.FOLDERS])
def test_every_folder_opens_for_everybody(clerk: Client, folder: str) -> None:
    (number,) = _cases(clerk, 1)
    for code in ("p-water-clerk", REVIEWER, "p-water-cashier", "p-supervisor"):
        assert walk.sign_in(code).get("/desk/", {"folder": folder}).status_code == 200, code
    if folder == "mine":
        assert number in walk.text(walk.sign_in(REVIEWER).get("/desk/", {"folder": folder}))
        clerk.get("/desk/")  # what was said about the registration is read
        assert number not in walk.text(clerk.get("/desk/", {"folder": folder}))
