"""The review page: who reads, who decides, what is kept, and which case comes after."""

from __future__ import annotations

import io
import re
from uuid import uuid4

import pytest
from django.test import Client
from PIL import Image

from tests.desk import walk
from zhengwu.accounts import queries as accounts
from zhengwu.accounts.models import Look
from zhengwu.cases import drafts, loading, services
from zhengwu.cases import queries as cases
from zhengwu.documents import files
from zhengwu.web.clock import now

REVIEWER, APPROVER = "p-water-reviewer", "p-water-approver"


pytestmark = pytest.mark.usefixtures("shop")


def _cases(clerk: Client, count: int = 1) -> list[str]:
    return [walk.register(clerk, key=str(uuid4())) for _ in range(count)]


def judge(client: Client, number: str, do: str, query: str = "", **form: str) -> walk.Answer:
    """Submits the review page as it stands."""
    where = f"/desk/cases/{number}/review{query}"
    page = walk.text(client.get(where))
    key = walk.KEY.search(page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert key
    assert version
    return client.post(where, {"key": key.group(1), "version": version.group(1), "do": do, **form})


def _reviewed(number: str) -> Client:
    """Reviewed with advice, and taken by the approver."""
    reviewer, approver = walk.sign_in(REVIEWER), walk.sign_in(APPROVER)
    assert judge(reviewer, number, "step_taken").status_code == 302
    done = judge(
        reviewer, number, "step_done",
        **{"opinion": "水量合理", "step_done-advice": "grant", "check-law": "yes"},
    )  # fmt: skip
    assert done.status_code == 302, walk.text(done)
    assert judge(approver, number, "step_taken").status_code == 302
    return approver


def test_the_approver_sees_the_earlier_opinion_and_decides(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    page = walk.text(approver.get(f"/desk/cases/{number}/review"))
    assert "水量合理" in page
    assert "建议准予" in page
    assert "江水一reviewer：符合" in page
    assert "checked" not in page  # unset at first, whatever was ticked before
    ticks = {"check-law": "yes", "check-m-01": "yes", "opinion": "同意"}
    assert judge(approver, number, "granted", **ticks).status_code == 302
    story = loading.load(accounts.actor(APPROVER), number)
    granted = next(e for e in story.events if e.kind == "granted")
    assert granted.body["checks"] == [
        {"code": "law", "is": "yes"},
        {"code": "m-01", "is": "yes"},
    ]
    assert "同意" not in str(granted.body)  # free text is erasable content


def test_what_does_not_conform_is_not_granted(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    answer = judge(approver, number, "granted", **{"check-law": "no", "opinion": "写好的意见"})
    page = walk.text(answer)
    assert answer.status_code == 422
    assert "不能同时准予" in page
    assert 'href="#id_check-law"' in page
    assert "写好的意见" in page
    assert re.search(r'name="check-law" value="no" checked', page)


def test_a_refusal_asks_for_reasons_at_the_opinion(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    answer = judge(approver, number, "refused", **{"check-law": "no"})
    page = walk.text(answer)
    assert answer.status_code == 422
    assert "<title>错误：" in page
    assert 'href="#id_opinion"' in page
    said = {"check-law": "no", "opinion": "不符合条件"}
    page = walk.text(judge(approver, number, "refused", **said))
    assert 'href="#id_refused-grounds"' in page
    assert "设定依据：取水许可和水资源费征收管理条例" in page
    given = judge(approver, number, "refused", **said, **{"refused-grounds": "basis"})
    assert given.status_code == 302
    story = loading.load(accounts.actor(APPROVER), number).events
    assert next(e for e in story if e.kind == "refused").body["grounds"] == ["basis"]


def test_after_the_decision_the_next_case_of_the_folder_opens(clerk: Client) -> None:
    first, second, third = _cases(clerk, 3)
    approver = walk.sign_in(APPROVER)
    for number in (first, second, third):
        _reviewed(number)
    page = walk.text(approver.get(f"/desk/cases/{second}/review?folder=hand"))
    assert "第 2 件，共 3 件" in page
    assert f"/desk/cases/{first}/review?folder=hand" in page
    after = judge(approver, second, "granted", "?folder=hand")
    assert after["Location"] == f"/desk/cases/{third}/review?folder=hand"  # type: ignore[index]
    after = judge(approver, third, "granted", "?folder=hand")
    assert after["Location"] == f"/desk/cases/{first}/review?folder=hand"  # type: ignore[index]
    after = judge(approver, first, "granted", "?folder=hand")
    assert after["Location"] == "/desk/?folder=hand"  # type: ignore[index]


def test_a_case_that_moved_on_keeps_what_was_typed(clerk: Client) -> None:
    (number,) = _cases(clerk)
    _reviewed(number)
    approver = walk.sign_in(APPROVER)
    old = {"key": str(uuid4()), "version": "3", "do": "granted"}
    answer = approver.post(
        f"/desk/cases/{number}/review", {**old, "opinion": "写了很久的意见", "check-law": "yes"}
    )
    page = walk.text(answer)
    assert answer.status_code == 409
    assert "这个办件有了新进展" in page
    assert "写了很久的意见" in page
    assert re.search(r'name="check-law" value="yes" checked', page)
    assert "看过了，准予" in page


def test_the_same_decision_twice_is_one(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    page = walk.text(approver.get(f"/desk/cases/{number}/review"))
    key, version = walk.KEY.search(page), re.search(r'name="version" value="(\d+)"', page)
    assert key
    assert version
    form = {"key": key.group(1), "version": version.group(1), "do": "granted"}
    for _ in range(2):
        answer = approver.post(f"/desk/cases/{number}/review", form)
        assert answer.status_code == 302
    view = cases.case(accounts.actor(APPROVER), number, at=now())
    assert [line.kind for line in view.story].count("granted") == 1


def test_special_procedure_opinion_and_return_work_from_the_page(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    where = f"/desk/cases/{number}/review"
    asked = judge(
        approver, number, "opinion_requested",
        **{"opinion": "是否影响防洪", "opinion_requested-organ": "江城市市场监督管理局",
           "opinion_requested-days": "3"},
    )  # fmt: skip
    assert asked.status_code == 302
    assert "是否影响防洪" in walk.text(approver.get(where))
    wrong = judge(approver, number, "suspended", **{"suspended-procedure": "hearing"})
    assert wrong.status_code == 422
    assert 'href="#id_suspended-days"' in walk.text(wrong)
    paused = judge(
        approver, number, "suspended",
        **{"suspended-procedure": "hearing", "suspended-days": "5"},
    )  # fmt: skip
    assert paused.status_code == 302
    assert "恢复计时" in walk.text(approver.get(where))
    assert judge(approver, number, "resumed", opinion="听证无异议").status_code == 302
    assert "听证无异议" in walk.text(approver.get(where))
    back = judge(
        approver, number, "step_returned",
        **{"step_returned-back_to": "review", "opinion": "请补充水量计算"},
    )  # fmt: skip
    assert back.status_code in (302, 422)


def test_who_may_see_may_read_only(clerk: Client) -> None:
    (number,) = _cases(clerk)
    page = walk.text(walk.sign_in("p-supervisor").get(f"/desk/cases/{number}/review"))
    assert "您现在只能看" in page
    assert 'name="do"' not in page
    answer = walk.sign_in("p-supervisor").post(
        f"/desk/cases/{number}/review", {"do": "granted", "version": "2", "key": str(uuid4())}
    )
    assert answer.status_code == 422
    assert walk.sign_in("p-market-approver").get(
        f"/desk/cases/{number}/review"
    ).status_code == 404  # fmt: skip


def test_the_look_is_recorded_and_the_draft_comes_back_and_goes(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    actor = accounts.actor(APPROVER)
    slot = f"case/{number}/review"
    drafts.save(actor, slot, {"opinion": "写到一半", "check-law": "yes"}, at=now())
    page = walk.text(approver.get(f"/desk/cases/{number}/review"))
    assert "写到一半" in page
    assert re.search(r'name="check-law" value="yes" checked', page)
    assert f"/desk/cases/{number}/review" in walk.text(approver.get("/desk/drafts"))
    assert judge(approver, number, "granted", opinion="写完了").status_code == 302
    assert drafts.of(actor, slot) is None
    assert Look.objects.filter(person=APPROVER, why="审查").count() >= 2


def scan(number: str, pages: int = 1) -> files.File:
    """A scan of the first material, filed by the clerk."""
    clerk = accounts.actor("p-water-clerk")
    data = io.BytesIO()
    sheets = [Image.new("RGB", (600, 800), "white") for _ in range(pages)]
    sheets[0].save(data, "PDF", save_all=True, append_images=sheets[1:])
    data.seek(0)
    kept = files.keep(clerk, purpose="material", name="申请书.pdf", data=data, at=now())
    version = loading.load(clerk, number).version
    services.perform(
        clerk, number, "scanned", version=version, key=str(uuid4()),
        form={"material": "01", "files": str(kept.id)}, at=now(),
    )  # fmt: skip
    return kept


def test_pages_turn_by_links_and_the_file_is_the_cases_own(clerk: Client) -> None:
    number, other = _cases(clerk, 2)
    kept = scan(number, pages=3)
    reviewer = walk.sign_in(REVIEWER)
    where = f"/desk/cases/{number}/review"
    page = walk.text(reviewer.get(where))
    assert f"/desk/cases/{number}/files/{kept.id}/1.jpg" in page
    assert "/ 3 页" in page
    assert "纸质" in page
    second = walk.text(reviewer.get(where, {"m": "01", "p": "2", "z": "3"}))
    assert f"/files/{kept.id}/2.jpg?w=2000" in second
    assert "纸质材料在窗口/卷内" in walk.text(reviewer.get(where, {"m": "02"}))
    for query in ({"m": "x", "p": "-1", "f": "99"}, {"p": "999999999999", "z": "<"}):
        assert reviewer.get(where, query).status_code == 200
    image = reviewer.get(f"/desk/cases/{number}/files/{kept.id}/2.jpg?w=600")
    assert image["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(image.content)).width == 600
    assert reviewer.get(f"/desk/cases/{number}/files/{kept.id}/4.jpg").status_code == 404
    assert reviewer.get(f"/desk/cases/{other}/files/{kept.id}/1.jpg").status_code == 404
    assert reviewer.get(f"/desk/cases/{other}/files/{kept.id}").status_code == 404
    saved = reviewer.get(f"/desk/cases/{number}/files/{kept.id}")
    assert saved["Content-Disposition"].startswith("attachment")
    assert b"".join(saved.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    saved.close()
    stranger = walk.sign_in("p-market-reviewer")
    assert stranger.get(f"/desk/cases/{number}/files/{kept.id}/1.jpg").status_code == 404
    assert stranger.get(f"/desk/cases/{number}/files/{kept.id}").status_code == 404
    assert Look.objects.filter(person=REVIEWER, why="查看材料").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"do": ""}, {"do": "abracadabra"}, {"do": "closed"}],
)
def test_an_act_that_is_none_of_the_page_is_not_there(clerk: Client, wrong: dict[str, str]) -> None:
    (number,) = _cases(clerk)
    assert walk.sign_in(REVIEWER).post(f"/desk/cases/{number}/review", wrong).status_code == 404


def test_ugly_input_is_a_sentence(clerk: Client) -> None:
    (number,) = _cases(clerk)
    approver = _reviewed(number)
    for form in (
        {"opinion": "\x00\x07"},
        {"opinion": "长" * 5_000},
        {"check-law": "maybe", "opinion": ""},
        {"suspended-days": "²", "opinion": "\ud800x".encode("utf-8", "replace").decode()},
    ):
        answer = judge(approver, number, "refused", **form)
        assert answer.status_code in (302, 422), form
