"""The head issues and ends authorisations on paper's own words; a clerk reads what they may do."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from tests.accounts.city import small_city
from tests.conftest import Kept
from tests.desk.test_naughty import DRILL
from tests.desk.walk import Answer, public, sign_in, text
from zhengwu.accounts import queries as accounts
from zhengwu.catalog import authorisations, shipped
from zhengwu.web.clock import now

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
LIST, NEW = "/desk/authorisations", "/desk/authorisations/new"
SHOP = "XK0054"  # 个体工商户设立登记
PLACE = "420100-market/H420100/A01"


@pytest.fixture(autouse=True)
def _items(db: None, kept: Kept) -> None:
    kept.again("imported", items)


def items() -> None:
    small_city()
    shipped.import_items(
        agencies={"市水务局": "420100-water", "市市场监督管理局": "420100-market"}, at=now()
    )


@pytest.fixture
def head() -> Client:
    return sign_in("p-market-head")


def form(**changes: object) -> dict[str, object]:
    given: dict[str, object] = {
        "key": str(uuid4()), "person": "p-market-clerk", "place": PLACE, "items": [SHOP],
        "powers": ["granted", "refused"], "since": "2026-01-01", "until": "2099-12-31",
        "number": "江市监授〔2026〕1号",
    }  # fmt: skip
    return given | changes


def issue(head: Client, **changes: object) -> None:
    answer = head.post(NEW, form(**changes))
    assert answer.status_code == 302, text(answer)


def link(head: Client) -> str:
    """The address of the first that stands."""
    found = re.search(
        r'href="(/desk/authorisations/[0-9a-f-]{36})"', text(head.get(LIST, {"status": "standing"}))
    )
    assert found
    return found.group(1)


def end(head: Client, where: str, **changes: str) -> Answer:
    return head.post(where, {"key": str(uuid4()), "version": "1", "reason": "调离窗口"} | changes)


def test_the_head_issues_and_the_list_of_what_nobody_may_decide_grows_empty(head: Client) -> None:
    before = text(head.get(LIST))
    assert "还没有签发过授权" in before
    assert "个体工商户设立登记" in before[before.index("没有授权的事项") :]
    page = text(head.get(NEW, {"item": SHOP}))
    assert re.search(rf'value="{SHOP}"[^>]* checked', page)
    issue(head)
    after = text(head.get(LIST))
    assert "已签发 1 份授权" in after
    assert "本机关的即办件都有人可以在窗口当场决定" in after
    assert "江市监授〔2026〕1号" in after
    assert "江市二clerk" in after


def test_a_clerk_reads_on_the_same_address_what_they_may_decide(head: Client) -> None:
    clerk = sign_in("p-market-clerk")
    assert "您还没有书面授权" in text(clerk.get(LIST))
    issue(head)
    mine = text(clerk.get(LIST))
    assert "我的授权" in mine
    assert "准予、不予" in mine
    assert "今天不能由我当场决定" not in mine
    deputy = text(sign_in("p-market-clerk2").get(LIST))
    assert "今天不能由我当场决定的即办件" in deputy
    assert "个体工商户设立登记" in deputy
    for where in (NEW, f"{LIST}.csv", link(head)):
        assert clerk.get(where).status_code == 403
        assert clerk.post(where).status_code in (403, 405)


def test_an_end_says_what_stops_asks_why_and_happens_once(head: Client) -> None:
    issue(head)
    where = link(head)
    page = text(head.get(where))
    assert "再没有别人可以在窗口决定这个事项" in page
    empty = end(head, where, reason=" ")
    assert empty.status_code == 422
    assert 'href="#id_reason"' in text(empty)
    assert end(head, where).status_code == 302
    again = end(head, where)
    assert again.status_code == 422
    assert "不用再终止" in text(again)
    whole = text(head.get(where))
    assert "调离窗口" in whole
    assert "终止这份授权" not in whole
    ended = text(head.get(LIST, {"status": "ended"}))
    assert "已终止" in ended
    assert "没有符合条件的授权" in text(head.get(LIST, {"status": "standing"}))


def test_who_else_may_decide_is_named_at_the_end(head: Client) -> None:
    issue(head)
    issue(head, person="p-market-clerk2")
    assert "还有 1 人可以在窗口决定：江市二clerk" in text(head.get(link(head)))


def test_another_organs_head_finds_nothing(head: Client) -> None:
    issue(head)
    other = sign_in("p-water-head")
    assert other.get(link(head)).status_code == 404
    assert end(other, link(head)).status_code == 404
    assert "江市监授" not in text(other.get(LIST))
    assert "江市监授" not in text(other.get(f"{LIST}.csv"))
    assert public().get(LIST).status_code == 302


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"person": ""}, "id_person"),
        ({"person": "p-water-clerk"}, "id_person"),
        ({"place": "420100-water/H420100/B23"}, "id_place"),
        ({"place": "x"}, "id_place"),
        ({"items": []}, "id_items"),
        ({"items": ["XK0036"]}, "id_items"),
        ({"powers": []}, "id_powers"),
        ({"powers": ["everything"]}, "id_powers"),
        ({"since": ""}, "id_since"),
        ({"since": "昨天"}, "id_since"),
        ({"since": "1000-01-01"}, "id_since"),
        ({"until": "2025-12-31"}, "id_until"),
        ({"until": "2026-02-30"}, "id_until"),
        ({"number": ""}, "id_number"),
        ({"number": "号" * 81}, "id_number"),
    ],
)
def test_what_is_wrong_comes_back_at_its_field_with_what_was_typed(
    head: Client, changes: dict[str, object], field: str
) -> None:
    answer = head.post(NEW, form(**changes))
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>错误：" in page
    assert f'href="#{field}"' in page
    assert f'id="{field}"' in page
    if "number" not in changes:
        assert 'value="江市监授〔2026〕1号"' in page
    assert authorisations.listed(accounts.actor("p-market-head"), on=now().date()).total == 0


def test_sending_the_form_twice_issues_once_and_overlapping_is_told(head: Client) -> None:
    sent = form()
    assert head.post(NEW, sent).status_code == 302
    assert head.post(NEW, sent).status_code == 302
    again = head.post(NEW, form(number="又一号"))
    assert again.status_code == 422
    assert "已经有一份授权（江市监授〔2026〕1号" in text(again)
    assert authorisations.listed(accounts.actor("p-market-head"), on=now().date()).total == 1


def test_an_organ_without_immediate_items_is_told_so() -> None:
    water = sign_in("p-water-head")
    assert "本机关没有即办件" in text(water.get(NEW))
    page = text(water.get(LIST))
    assert "本机关没有即办件，不用签发书面授权" in page
    assert "签发第一份" not in page


def test_the_list_goes_out_as_csv_and_no_cell_is_a_formula(head: Client) -> None:
    issue(head, number="=1+1")
    answer = head.get(f"{LIST}.csv", {"text": "clerk"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1][:4] == ["A01 窗口", SHOP, "个体工商户设立登记", "江市二clerk"]
    assert "'=1+1" in rows[1]
    assert len(list(csv.reader(io.StringIO(text(head.get(f"{LIST}.csv", {"text": "无"})))))) == 1


@needs_data
def test_every_naughty_string_is_a_number_a_reason_a_search_or_a_sentence(head: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    for naughty in strings[:: 12 if DRILL else 40]:
        wrong = form(person=naughty, place=naughty, items=[naughty], powers=[naughty])
        assert head.post(NEW, wrong | {"since": naughty}).status_code == 422, naughty
        assert head.get(LIST, {"text": naughty, "status": naughty}).status_code == 200, naughty
    for naughty in strings[5 :: 24 if DRILL else 80]:
        answer = head.post(NEW, form(number=naughty, key=naughty))
        assert answer.status_code in (302, 422), naughty
        if answer.status_code == 302:
            ended = end(head, link(head), reason=naughty)
            if ended.status_code == 422:  # nothing visible in it
                assert end(head, link(head)).status_code == 302, naughty
