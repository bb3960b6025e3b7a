"""The case page: every act through HTTP, with what is shown before and after it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.test import Client

from tests.desk import walk
from tests.desk.test_naughty import DATA, DRILL, needs_data
from tests.documents import uploads
from zhengwu.accounts import queries as accounts
from zhengwu.cases import loading, services
from zhengwu.cases import queries as cases
from zhengwu.domain.refusal import Refusal, Refusals

EACH = (
    2 if DRILL else 30
)  # an act is tried with every thirtieth string, in a drill with every second
pytestmark = pytest.mark.usefixtures("shop")
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"


def page(client: Client, number: str) -> str:
    return walk.text(client.get(f"/desk/cases/{number}"))


def reviewed(clerk: Client) -> tuple[str, Client]:
    """A case in the reviewer's hands."""
    number = walk.register(clerk)
    reviewer = walk.sign_in(REVIEWER)
    assert walk.do(reviewer, number, "step_taken").status_code == 302
    return number, reviewer


def test_what_was_written_is_shown_to_those_who_may_see_it(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    walk.do(reviewer, number, "step_done", opinion="经审查，取水口位置合理。")
    assert "经审查，取水口位置合理。" in page(clerk, number)


def test_a_material_that_is_not_in_order_says_why_at_its_field_and_on_the_page(
    clerk: Client,
) -> None:
    number = walk.register(clerk, **{"material-03": "missing", "do": "receive"})
    form = {"material-01": "received", "material-02": "faulty", "material-03": "missing"}
    refused = walk.do(clerk, number, "supplement_requested", **form)
    said = walk.text(refused)
    assert refused.status_code == 422
    assert 'href="#id_supplement_requested_why-02"' in said
    assert re.search(r'value="faulty" checked', said)
    done = walk.do(clerk, number, "supplement_requested", **form, **{"why-02": "论证报告没有盖章"})
    assert done.status_code == 302, walk.text(done)
    shown = page(clerk, number)
    for words in ("不合格", "论证报告没有盖章", "缺 2 项", "补正告知书"):
        assert words in shown


def _form(client: Client, number: str, kind: str) -> dict[str, str]:
    shown = walk.text(client.get(f"/desk/cases/{number}", {"act": kind}))
    piece = shown[shown.index(f'action="/desk/cases/{number}/acts/{kind}"') :]
    key, version = walk.KEY.search(piece), re.search(r'name="version" value="(\d+)"', piece)
    assert key
    assert version
    return {"key": key.group(1), "version": version.group(1)}


def named(data: bytes, name: str) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file


def test_a_material_that_the_guide_does_not_list_is_refused_and_the_attempt_stays(
    clerk: Client,
) -> None:
    number = walk.register(clerk, do="receive", **{"material-03": "missing"})
    form = {"material-01": "received", "material-02": "received", "material-03": "missing"}
    answer = walk.do(clerk, number, "supplement_requested", **form, **{"material-99": "missing"})
    assert answer.status_code == 422
    assert "只能收取办事指南列明的材料" in walk.text(answer)
    (attempt,) = cases.attempts(accounts.actor("p-supervisor")).rows
    assert (attempt.number, attempt.codes) == (number, ("99",))


def test_a_file_that_is_none_is_refused_at_its_field_and_the_good_one_is_not_lost(
    clerk: Client,
) -> None:
    number = walk.register(clerk)
    act = f"/desk/cases/{number}/acts/scanned"
    form: dict[str, Any] = _form(clerk, number, "scanned") | {"material": "01"}
    sent = [
        named(uploads.pdf(2), "申请书.pdf"),
        named(b"<html><script>alert(1)</script>", "假的.pdf"),
        named(b"", "空的.pdf"),
    ]
    refused: Any = clerk.post(act, form | {"files": sent})
    said = walk.text(refused)
    assert refused.status_code == 422
    assert "“假的.pdf”没有收下" in said
    assert "已收下：申请书.pdf（2 页" in said
    kept = re.search(r'name="kept-files" value="([^"]+)"', said)
    assert kept
    for wrong in (kept.group(1)[:-1], str(uuid4()), "’; DROP TABLE", "\x00"):
        again: Any = clerk.post(act, form | {"kept-files": wrong})
        assert again.status_code == 422, wrong
    done: Any = clerk.post(act, form | {"kept-files": kept.group(1)})
    assert done.status_code == 302, walk.text(done)
    shown = page(clerk, number)
    assert "申请书.pdf" in shown
    assert "入卷 1 个文件" in shown
    # Sent twice by a double click, the uploads are others, what is in them is the same.
    form = _form(clerk, number, "scanned") | {"material": "01"}
    data = uploads.pdf(3)
    for _ in range(2):
        once: Any = clerk.post(act, form | {"files": named(data, "又.pdf")})
        assert once.status_code == 302
    page(clerk, number)  # says once more what was done
    assert page(clerk, number).count("入卷 1 个文件") == 2
    # Another file under the same form is not "already submitted".
    other: Any = clerk.post(act, form | {"files": named(uploads.pdf(4), "另.pdf")})
    assert other.status_code == 422
    assert "已经提交过另一份内容" in walk.text(other)


def test_what_made_no_paper_can_be_undone_at_once_and_stays_visible(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    shown = page(reviewer, number)
    assert "您刚办了“接办”" in shown
    assert "您刚办了" not in page(clerk, number)
    key = walk.KEY.search(shown)
    assert key
    form = {"key": key.group(1), "version": "3"}
    not_mine: Any = clerk.post(f"/desk/cases/{number}/undo", form)
    assert "没有撤回" in walk.text(clerk.get(not_mine["Location"]))
    done: Any = reviewer.post(f"/desk/cases/{number}/undo", form | {"key": str(uuid4())})
    assert done.status_code == 302
    shown = page(reviewer, number)
    assert "已撤回刚才的操作" in shown
    assert "<del><b>接办</b></del>" in shown
    assert "acts/step_taken" in shown
    for version in ("3", "4", "", "x"):
        late: Any = reviewer.post(f"/desk/cases/{number}/undo", {"version": version})
        assert "没有撤回" in walk.text(reviewer.get(late["Location"])), version


def test_a_minute_later_it_is_not_undone_any_more(clerk: Client) -> None:
    number, _ = reviewed(clerk)
    by, later = accounts.actor(REVIEWER), datetime.now(UTC) + timedelta(seconds=62)
    assert cases.case(by, number, at=later).undo == ""
    with pytest.raises(Refusal) as refused:
        services.undo(by, number, version=3, key=str(uuid4()), at=later)
    assert refused.value.code == "case.undo_too_late"


def test_what_was_begun_stands_in_the_form_until_it_is_done(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    slot = f"/desk/drafts/case/{number}/step_done"
    reviewer.post(slot, {"opinion": "写到一半的意见", "draft-title": "办结本环节"})
    shown = page(reviewer, number)
    assert "写到一半的意见" in shown
    assert "不要了，清空" in shown
    assert "写到一半的意见" not in page(clerk, number)
    assert walk.do(reviewer, number, "step_done", opinion="写完的意见").status_code == 302
    assert "写到一半的意见" not in walk.text(reviewer.get("/desk/drafts"))


def test_what_made_a_paper_cannot_be_undone(clerk: Client) -> None:
    number = walk.register(clerk)  # accepted, with its notice
    assert "您刚办了" not in page(clerk, number)
    answer: Any = clerk.post(f"/desk/cases/{number}/undo", {"version": "2"})
    assert "提请撤销误录" in walk.text(clerk.get(answer["Location"]))


def test_what_cannot_be_taken_back_is_confirmed_where_the_page_asks(clerk: Client) -> None:
    number = walk.register(clerk)
    form = _form(clerk, number, "withdrawn") | {"asked": "1", "reasons": "不办了"}
    act = f"/desk/cases/{number}/acts/withdrawn"
    refused: Any = clerk.post(act, form)
    assert refused.status_code == 422
    assert 'href="#id_withdrawn_confirmed"' in walk.text(refused)
    assert "不办了" in walk.text(refused)
    done: Any = clerk.post(act, form | {"confirmed": "on"})
    assert done.status_code == 302
    assert "申请人撤回" in page(clerk, number) or "已办结" in page(clerk, number)


def test_a_folded_act_is_a_link_that_opens_it_with_or_without_a_script(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    act = f"/desk/cases/{number}/acts/suspended"
    closed = page(reviewer, number)
    assert f'href="?act=suspended#act-suspended" data-unfold="{act}"' in closed
    assert f'action="{act}"' not in closed
    opened = walk.text(reviewer.get(f"/desk/cases/{number}", {"act": "suspended"}))
    assert '<details class="act" id="act-suspended" open>' in opened
    assert f'action="{act}"' in opened
    alone = walk.text(reviewer.get(act, headers={"X-Fragment": "act"}))
    assert alone.lstrip().startswith('<details class="act" id="act-suspended" open>')
    assert "江城清源" not in alone  # nothing of the applicant, and so no look at it
    led: Any = reviewer.get(act)
    assert led["Location"] == f"/desk/cases/{number}?act=suspended#act-suspended"
    assert reviewer.get(f"/desk/cases/{number}/acts/made-up").status_code == 404
    not_now = f"/desk/cases/{number}/acts/delivered"
    assert reviewer.get(not_now, headers={"X-Fragment": "act"}).status_code == 404
    stranger = walk.sign_in("p-d102-reviewer")
    assert stranger.get(act, headers={"X-Fragment": "act"}).status_code == 404


def test_a_wrong_entry_is_crossed_out_with_who_withdrew_it_and_why(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    walk.do(reviewer, number, "suspended", procedure="testing", days="5")
    proposed = walk.do(
        reviewer, number, "withdrawal_proposed", **{"entry-version": "4", "reasons": "点错了程序"}
    )
    assert proposed.status_code == 302, walk.text(proposed)
    own = page(reviewer, number)
    assert "您是提请人，请本机关另一位同事登录确认" in own
    assert "acts/entry_withdrawn" not in own
    approver = walk.sign_in(APPROVER)
    assert "点错了程序" in page(approver, number)
    done = walk.do(approver, number, "entry_withdrawn", **{"entry-version": "4"})
    assert done.status_code == 302, walk.text(done)
    shown = page(clerk, number)
    assert "<del><b>进入特别程序</b></del>" in shown
    assert re.search("误录，已撤销（第 6 条，江水一approver）：点错了程序", shown)
    assert "<del>特别程序告知书</del>" in shown
    assert "特别程序中</span>" not in shown.split("<main")[1]


def test_printing_is_counted_and_looking_is_not(clerk: Client) -> None:
    number = walk.register(clerk)
    found = re.search(rf"/desk/cases/{number}/documents/([A-Z0-9-]+)\.pdf", page(clerk, number))
    assert found
    check = found.group(1)
    address = f"/desk/cases/{number}/documents/{check}"
    for _ in range(2):
        assert clerk.get(f"{address}.pdf")["Content-Type"] == "application/pdf"
    assert "还没有打印过" in walk.text(clerk.get(f"{address}/print"))
    first: Any = clerk.post(f"{address}/print")
    assert first.content.startswith(b"%PDF")
    again: Any = clerk.post(f"{address}/print", {"why": " "})
    assert again.status_code == 422
    assert "补打请写明原因" in walk.text(again)
    second: Any = clerk.post(f"{address}/print", {"why": "原件遗失"})
    assert second.content.startswith(b"%PDF")
    listed = walk.text(clerk.get(f"{address}/print"))
    assert "第 2 份" in listed
    assert "原件遗失" in listed
    assert clerk.get(f"/desk/cases/{number}/documents/AAAA-AAAA/print").status_code == 404
    other = walk.sign_in("p-market-clerk")
    assert other.post(f"{address}/print", {"why": "看看"}).status_code == 404


def _paper(client: Client, number: str) -> str:
    """The address of the case's first paper."""
    found = re.search(rf"/desk/cases/{number}/documents/[A-Z0-9-]+", page(client, number))
    assert found
    return found.group()


@pytest.mark.parametrize("role", ["legal", "cashier"])
def test_whoever_only_reads_a_case_prints_nothing(clerk: Client, role: str) -> None:
    number = walk.register(clerk)
    paper = _paper(clerk, number)
    reader = walk.sign_in(f"p-water-{role}")
    assert f'action="{paper}/print"' not in page(reader, number)
    record = walk.text(reader.get(f"{paper}/print"))
    assert "还没有打印过" in record
    assert f'action="{paper}/print"' not in record
    assert reader.post(f"{paper}/print").status_code == 403
    assert "没有打印过" in page(clerk, number)
    assert clerk.post(f"{paper}/print").status_code == 200
    assert "已打印 1 份" in page(reader, number)


def test_the_supervisor_prints_nothing(clerk: Client) -> None:
    number = walk.register(clerk)
    paper = _paper(clerk, number)
    assert walk.sign_in("p-supervisor").post(f"{paper}/print").status_code == 403
    assert walk.sign_in("p-water-head").post(f"{paper}/print").status_code == 200


def test_who_is_asked_for_an_opinion_reads_and_prints_nothing(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    walk.do(
        reviewer, number, "opinion_requested", organ="江城市市场监督管理局",
        question="登记地址是否一致", days="3",
    )  # fmt: skip
    paper = _paper(clerk, number)
    asked = walk.sign_in("p-market-reviewer")
    assert asked.get(f"{paper}.pdf").status_code == 200
    assert f'action="{paper}/print"' not in page(asked, number)
    assert asked.post(f"{paper}/print").status_code == 403
    assert "还没有打印过" in walk.text(clerk.get(f"{paper}/print"))


def test_a_print_that_fails_leaves_the_original_to_be_printed(
    clerk: Client, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    paper = _paper(clerk, walk.register(clerk))
    check = paper.rsplit("/", 1)[1]
    column = "UPDATE documents_document SET template = %s WHERE check_code = %s RETURNING template"
    was = owner.execute(
        "SELECT template FROM documents_document WHERE check_code = %s", (check,)
    ).fetchone()
    assert was
    owner.execute(column, ("gone@9", check))
    clerk.raise_request_exception = False
    assert clerk.post(f"{paper}/print").status_code == 500
    owner.execute(column, (was[0], check))
    assert "还没有打印过" in walk.text(clerk.get(f"{paper}/print"))


def test_an_old_page_shows_both_moments_and_keeps_the_files(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    form: dict[str, Any] = {
        "key": str(uuid4()), "version": "2", "found": "现场看了取水口",
        "inspector-p-water-reviewer": "on", "files": named(uploads.pdf(), "现场.pdf"),
    }  # fmt: skip
    answer: Any = reviewer.post(f"/desk/cases/{number}/acts/inspected", form)
    said = walk.text(answer)
    assert answer.status_code == 409
    for words in ("您打开时", "现在", "移交途中", "现场看了取水口", "已收下：现场.pdf"):
        assert words in said
    assert re.search(r'id="id_inspected_inspector-p-water-reviewer"[^>]*checked', said)
    assert 'name="kept-files"' in said


def test_an_asked_organ_finds_the_case_and_answers(clerk: Client) -> None:
    number, reviewer = reviewed(clerk)
    done = walk.do(
        reviewer, number, "opinion_requested", organ="江城市市场监督管理局",
        question="主体资格有无问题", days="5",
    )  # fmt: skip
    assert done.status_code == 302, walk.text(done)
    other = walk.sign_in("p-market-reviewer")
    assert number in walk.text(other.get("/desk/?folder=asked"))
    assert "主体资格有无问题" in page(other, number)
    answered = walk.do(other, number, "opinion_given", view="agree", opinion="没有问题")
    assert answered.status_code == 302, walk.text(answered)
    assert "没有问题" in page(clerk, number)
    assert walk.sign_in("p-d102-reviewer").get(f"/desk/cases/{number}").status_code == 404


@needs_data
def test_no_naughty_string_in_any_field_of_any_act_is_a_fault(clerk: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    number, reviewer = reviewed(clerk)
    by = accounts.actor(REVIEWER)
    loaded = loading.load(by, number)
    at = datetime.now(UTC)
    # What each act makes of it, before anything is written.
    for index, verb in enumerate(services.VERBS.values()):
        for text in strings[index % EACH :: EACH]:
            form = {ask.name: text for ask in verb.form_of(loaded)}
            try:
                verb.plan(loaded, by, form, at)
            except (Refusal, Refusals):
                continue
    extra = ("material-01", "why-01", "entry-version", "paper", "kept-files", "asked")
    for text in [
        *strings[:: 40 if DRILL else 240],
        "\x00",
        "9" * 4_000,
        "\ud7ff",
        "2026-99-99T99:99",
    ]:
        for kind, verb in services.VERBS.items():
            version = str(loading.load(by, number).version)
            form = dict.fromkeys((*(ask.name for ask in verb.asks), *extra), text)
            answer: Any = reviewer.post(
                f"/desk/cases/{number}/acts/{kind}",
                form | {"version": version, "key": str(uuid4())},
            )
            assert answer.status_code in (302, 422), (kind, text)
    assert "审查中" in page(clerk, number)
