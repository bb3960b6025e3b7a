"""The guide of an item, as anybody reads, prints and keeps it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.desk import walk
from tests.portal import listing
from zhengwu.catalog import forms, laws
from zhengwu.catalog.services import CITY
from zhengwu.domain import guide
from zhengwu.domain.guide import Level

WATER_LICENCE = "XK0036"


@pytest.fixture
def anyone(town: None) -> Client:
    return walk.public()


def page(client: Client, code: str) -> str:
    response = client.get(f"/items/{code}")
    assert response.status_code == 200, code
    return walk.text(response)


def paper(client: Client, code: str) -> str:
    response = client.get(f"/items/{code}.pdf")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    read = pypdf.PdfReader(io.BytesIO(response.content))
    return "".join(one.extract_text() for one in read.pages)


@contextmanager
def queries(most: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as asked:
        yield
    said = "\n".join(one["sql"][:120] for one in asked.captured_queries)
    assert len(asked) <= most, said


def every_element() -> dict[str, Any]:
    """Something in every element that an item can have, told apart wherever it is shown."""
    plain = {
        "limit": {"value": 9, "unit": "working_day", "basis": "某依据"}, "count": 3, "flag": True,
        "steps": [
            {"code": "a", "name": "初看环节", "role": "review"},
            {"code": "b", "name": "左边环节", "role": "review", "after": ["a"]},
            {"code": "c", "name": "右边环节", "role": "window", "after": ["a"]},
            {"code": "d", "name": "合并环节", "role": "decide", "after": ["b", "c"]},
        ],
        "fees": [
            {"name": "某某费", "fen": 12345, "standard": "每证", "basis": "收费依据", "relief": "免于某某"}
        ],
        "questions": [{"q": "问的问题", "a": "答的回答"}],
        "materials": [
            {
                "code": "01", "name": "某某材料", "need": "deferrable", "form": "paper", "copies": 4,
                "origin": "intermediary", "basis": "材料依据", "standard": "材料标准",
                "fill": "材料须知", "spec": "材料规格", "unless": "材料非必要",
            }
        ],
    }  # fmt: skip
    content: dict[str, Any] = {}
    for one in guide.ELEMENTS:
        if one.choices:
            first = next(iter(one.choices))
            content[one.code] = [first] if one.kind == "choices" else first
        elif one.kind in plain:
            content[one.code] = plain[one.kind]
        elif one.kind == "lines":
            content[one.code] = [f"{one.zh}甲", f"{one.zh}乙"]
        else:
            content[one.code] = f"{one.zh}的内容"
    content |= {
        "promised_is": "proposed", "themes": ["L20"], "guiding": "19", "kind": "promised",
        "basic_code": "420119001000", "code": "11420100MB1234567X3420119001000", "template": "general",
        "basis": "城乡规划法 第40条", "english": "Water works trial", "flow_of": "",
        "statutory": {"value": 20, "unit": "working_day", "basis": "行政许可法 第四十二条"},
    }  # fmt: skip
    del content["flow_of"]
    return content


SHOWN_OTHERWISE = {
    "promised_is": "演示城市拟定", "themes": "水务气象（法人办事）", "guiding": "水利",
    "basic_code": "42-01-19-001-000", "code": "11420100MB1234567X-3-42-01-19-001-000",
    "template": "标准流程：一般许可", "steps": "合并环节", "materials": "材料非必要",
    "fees": "123.45 元", "questions": "答的回答", "name": "事项名称的内容",
}  # fmt: skip


def words_of(code: str, value: Any) -> list[str]:
    element = guide.BY_CODE[code]
    if code in SHOWN_OTHERWISE:
        return [SHOWN_OTHERWISE[code]]
    if element.kind == "lines":
        return [str(one) for one in value]
    return [element.zh, guide.told(element, value)]


def test_everything_that_is_filled_is_shown_on_the_page_and_on_paper(anyone: Client) -> None:
    content = every_element()
    listing.publish("XK9001", content)
    shown = page(anyone, "XK9001")
    printed = paper(anyone, "XK9001").replace("\n", "")
    labels = {"synonyms", "promised_is", "visits", "english", "kind", "type", "name", "special"}
    for code, value in content.items():
        for word in words_of(code, value):
            if word == guide.BY_CODE[code].zh and code in labels:
                continue
            assert word in shown, (code, word)
            assert word.replace(" ", "") in printed.replace(" ", ""), (code, word)


def test_what_is_empty_is_not_shown_as_an_empty_box(anyone: Client) -> None:
    listing.publish("XK9001", listing.own())
    shown = page(anyone, "XK9001")
    assert not re.search(r"<dd[^>]*>\s*</dd>|<dt[^>]*>\s*</dt>", shown)
    for words in ("受理条件", "常见问题", "在别处办", "办理结果</h2>", "交通指引", "批准文号"):
        assert words not in shown
    assert "不需要提交材料" in shown
    assert "不收费" in shown


def test_it_says_how_long_it_takes_and_what_is_not_counted(anyone: Client) -> None:
    shown = page(anyone, WATER_LICENCE)
    assert re.search(r"承诺办结</dt><dd><b>20</b> 个工作日", shown)
    assert re.search(r"法定办结</dt><dd><b>45</b> 个工作日", shown)
    assert "专家评审需要的时间不计算在内" in shown
    assert "演示城市拟定" in shown


def test_an_immediate_item_is_done_on_the_spot(anyone: Client) -> None:
    shown = page(anyone, "XK0054")
    assert re.search(r"承诺办结</dt><dd><b>当场</b>", shown)
    assert "当场办结" in shown
    assert "收件、受理" not in shown


def test_a_forwarded_item_shows_that_somebody_above_decides(anyone: Client) -> None:
    assert "上级机关决定" in page(anyone, "XK0057")


def test_a_citation_leads_to_the_words_of_the_article(anyone: Client) -> None:
    listing.publish("XK9001", listing.own(basis="城乡规划法 第40条；某某管理办法 第3条"))
    shown = page(anyone, "XK9001")
    found = re.search(r'href="(/laws/\w+)#(art-40)">城乡规划法 第40条</a>', shown)
    assert found
    assert '<li class="mb-1">某某管理办法 第3条</li>' in shown
    law = walk.text(anyone.get(found[1]))
    assert f'id="{found[2]}"' in law
    cited = laws.cited("城乡规划法")
    assert cited is not None
    assert cited.articles[40].split("\n")[0] in law


def test_where_to_go_names_the_hall_its_windows_and_the_hotline(anyone: Client) -> None:
    shown = page(anyone, WATER_LICENCE)
    assert "江城市政务服务中心大厅 B23 号窗口" in shown
    assert "江城市临江区政务路 1 号，工作日 9:00-17:00" in shown
    assert "政务服务热线 027-12345" in shown
    listing.revise(WATER_LICENCE, {"phone": "027-8577 1215", "place": "2 楼 B 区"})
    shown = page(anyone, WATER_LICENCE)
    assert "027-8577 1215" in shown
    assert "2 楼 B 区" in shown


def test_who_disagrees_is_told_where_to_turn_and_by_which_article(anyone: Client) -> None:
    shown = page(anyone, WATER_LICENCE)
    assert "六十日内向行政复议机关申请行政复议" in shown
    assert re.search(r'<a href="/laws/fyf#art-20">《中华人民共和国行政复议法》第二十条</a>', shown)


# --- the flow -------------------------------------------------------------------------------------


def test_the_flow_is_a_picture_with_its_list_beside_it(anyone: Client) -> None:
    listing.publish("XK9001", listing.own(template="site_and_drawings"))
    shown = page(anyone, "XK9001")
    picture = re.search(r"<svg[^>]*role=\"img\".*?</svg>", shown, re.S)
    assert picture
    steps = re.findall(r"<strong>([^<]+)</strong>", shown)
    assert steps == [
        "申请", "收件、受理", "书面审查", "图纸审查", "现场核查", "决定", "送达、领取结果",
    ]  # fmt: skip
    assert all(step in picture[0] for step in steps)
    assert "同时办理" in shown
    assert "等“图纸审查”、“现场核查”都办完" in shown
    assert "标准流程：现场和图纸同时审查。没有不同。" in shown


def test_it_says_where_the_flow_departs_from_the_standard(anyone: Client) -> None:
    steps = [
        {"code": "review", "name": "审查", "role": "review"},
        {"code": "panel", "name": "集体讨论", "role": "decide", "after": ["review"]},
    ]
    listing.publish("XK9001", listing.own(steps=steps))
    shown = page(anyone, "XK9001")
    assert "与标准流程不同的地方" in shown
    assert "多了环节“集体讨论”" in shown
    assert "少了环节“决定”" in shown


def test_below_a_deciding_organ_the_guide_leads_to_its_flow(anyone: Client) -> None:
    listing.publish(
        "XK0036-420102", {"flow_of": WATER_LICENCE}, base=WATER_LICENCE, region="420102",
        agency=listing.DISTRICT_WATER, above="C.XK0036", since=listing.today(),
    )  # fmt: skip
    shown = page(anyone, "XK0036-420102")
    assert "各级共用一个流程" in shown
    assert 'href="/items/XK0036">看决定机关的指南' in shown


# --- places ---------------------------------------------------------------------------------------


def districts(code: str = "XK9002") -> None:
    content = listing.own(name="小型取水点登记")
    for region, agency in (("420102", listing.DISTRICT_WATER), ("420103", "420100-market")):
        listing.publish(
            f"{code}-{region}", {**content, "place": f"{region} 路 1 号"}, base=code, region=region,
            agency=agency,
        )  # fmt: skip


def test_an_item_of_the_districts_has_a_page_of_its_places(anyone: Client) -> None:
    districts()
    shown = page(anyone, "XK9002")
    for place in ("临江区", "望江区"):
        assert place in shown
    assert 'href="/items/XK9002-420102"' in shown
    assert "420102 路 1 号" in shown
    assert anyone.get("/items/XK9002.pdf").status_code == 404


def test_a_guide_leads_to_the_same_item_elsewhere(anyone: Client) -> None:
    districts()
    shown = page(anyone, "XK9002-420102")
    assert "临江区（本页）" in shown
    assert 'href="/items/XK9002-420103">望江区</a>' in shown


@pytest.mark.parametrize(
    "code", ["C.XK0036", "P.XK0036", "NONE", "x" * 300, "%00", "XK0036.pdf.pdf"]
)
def test_what_is_only_on_a_list_or_nowhere_is_not_found(anyone: Client, code: str) -> None:
    assert anyone.get(f"/items/{code}").status_code == 404
    assert anyone.get(f"/items/{code}.pdf").status_code == 404


def test_what_was_made_for_size_says_so_everywhere(anyone: Client) -> None:
    listing.publish("XK9001", listing.own(name="演示大型许可"), generated=True)
    assert page(anyone, "XK9001").count("演示生成") >= 2
    assert "演示生成" in paper(anyone, "XK9001")
    assert "演示生成" in walk.text(anyone.get("/items", {"q": "演示大型"}))
    assert "演示生成" not in page(anyone, WATER_LICENCE)


# --- versions -------------------------------------------------------------------------------------


def test_the_history_says_what_changed(anyone: Client) -> None:
    listing.revise("C.XK0036", {"traffic": "地铁 2 号线", "conditions": ["取水、退水布局合理"]})
    shown = page(anyone, WATER_LICENCE)
    history = shown[shown.index('id="history"') :]
    assert "第 3 版" in history
    assert "现行" in history
    assert "批准文号 江政办〔2026〕18号" in history
    first = history[: history.index("第 2 版")]
    assert "地铁 2 号线" in first
    assert "（没有）" in first
    assert "不在地下水禁采区取用地下水" in first  # went away
    assert "取水、退水布局合理" not in first  # stayed


def test_a_retired_item_is_shown_with_its_history_and_says_that_it_is_gone(anyone: Client) -> None:
    shown = page(anyone, "QT0053")
    assert "这个事项已经取消，不用再办" in shown
    assert "2014 年 3 月 1 日起取消" in shown
    for gone in ("去哪里办", "下载指南 PDF", "行政复议", "在别处办"):
        assert gone not in shown
    assert anyone.get("/items/QT0053.pdf").status_code == 404


def test_an_item_that_is_retired_by_decision_keeps_its_guide_as_a_record(anyone: Client) -> None:
    listing.publish("XK9001", listing.own())
    listing.publish("XK9001", listing.own(), since=listing.today(), retired=True)
    shown = page(anyone, "XK9001")
    assert "不用再办" in shown
    assert "取消，内容没有变化" in shown


def test_a_coming_version_is_announced_and_holds_from_its_day_on(anyone: Client) -> None:
    listing.publish("XK9001", listing.own())
    soon = listing.today() + timedelta(days=3)
    listing.publish("XK9001", listing.own(traffic="新的路线"), since=soon)
    shown = page(anyone, "XK9001")
    assert "指南将有变化" in shown
    assert f"{soon.day} 日起施行第 2 版" in shown
    assert "新的路线" not in shown[: shown.index('id="history"')]
    with override_settings(DEMO_CLOCK=timedelta(days=3)):
        shown = page(anyone, "XK9001")
    assert "新的路线" in shown[: shown.index('id="history"')]
    assert "指南将有变化" not in shown


def test_an_item_that_is_to_come_can_be_read_before(anyone: Client) -> None:
    listing.publish("XK9001", listing.own(), since=listing.today() + timedelta(days=9))
    shown = page(anyone, "XK9001")
    assert "还没有施行" in shown
    assert "还没有施行" in paper(anyone, "XK9001")


# --- kept, and for whom ---------------------------------------------------------------------------


def test_a_publication_is_seen_at_once(anyone: Client) -> None:
    listing.publish("XK9001", listing.own())
    before = anyone.get("/items/XK9001")
    listing.publish("XK9001", listing.own(note="刚刚发布的说明"), since=listing.today())
    after = anyone.get("/items/XK9001")
    assert "刚刚发布的说明" in walk.text(after)
    assert before["ETag"] != after["ETag"]
    assert "刚刚发布的说明" in paper(anyone, "XK9001")


def test_a_place_more_is_seen_on_the_pages_of_the_others(anyone: Client) -> None:
    assert "在别处办" not in page(anyone, WATER_LICENCE)
    listing.publish(
        "XK0036-420102", {}, base=WATER_LICENCE, region="420102", agency=listing.DISTRICT_WATER,
        above="C.XK0036", since=listing.today(),
    )  # fmt: skip
    assert "在别处办" in page(anyone, WATER_LICENCE)


def test_a_browser_that_has_the_page_is_told_that_it_still_holds(anyone: Client) -> None:
    for address in (f"/items/{WATER_LICENCE}", f"/items/{WATER_LICENCE}.pdf"):
        first = anyone.get(address)
        again = anyone.get(address, headers={"if-none-match": first["ETag"]})
        assert again.status_code == 304
        assert again.content == b""
        assert anyone.get(address, headers={"if-none-match": '"other"'}).status_code == 200
        assert anyone.head(address).status_code == 200


def test_everybody_gets_the_same_page_and_nobodys_session_is_in_it(anyone: Client) -> None:
    clerk = walk.sign_in("p-water-clerk")
    mine = clerk.get(f"/items/{WATER_LICENCE}")
    theirs = anyone.get(f"/items/{WATER_LICENCE}")
    assert mine.content == theirs.content
    assert "csrf" not in walk.text(mine)
    assert not theirs.cookies
    anyone.cookies["zw_elder"] = "1"
    elder = anyone.get(f"/items/{WATER_LICENCE}")
    assert 'class="elder"' in walk.text(elder)
    assert "Cookie" in elder["Vary"]


def test_a_guide_asks_the_database_little_and_a_kept_one_once(anyone: Client) -> None:
    digest = forms.keep(listing.docx(), "申请书.docx", by="p", at=listing.AT)
    materials = [
        {
            "code": "01",
            "name": "申请书",
            "need": "required",
            "basis": "某法 第一条",
            "blank": digest,
        }
    ]
    listing.publish("XK9001", listing.own(materials=materials))
    with queries(8):
        page(anyone, "XK9001")
    with queries(1):
        page(anyone, "XK9001")
    with queries(8):
        paper(anyone, "XK9001")
    with queries(1):
        paper(anyone, "XK9001")


def test_a_paper_says_which_version_it_is_and_where_the_present_one_stands(anyone: Client) -> None:
    text = paper(anyone, WATER_LICENCE).replace("\n", "")
    assert "办事指南" in text
    assert "第2版" in text.replace(" ", "")
    assert "/items/XK0036" in text
    assert "Water abstraction licence" in text
    response = anyone.get(f"/items/{WATER_LICENCE}.pdf")
    assert "filename*=UTF-8''" in response["Content-Disposition"]


def test_levels_of_the_list_are_told_apart(anyone: Client) -> None:
    listing.publish(
        "C.XK9003",
        listing.own(name="只在清单上的许可"),
        base="XK9003",
        level=Level.CITY,
        region=CITY,
    )
    assert anyone.get("/items/XK9003").status_code == 404
    assert anyone.get("/items/C.XK9003").status_code == 404
