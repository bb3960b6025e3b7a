"""The pages of the rulebook: read by many, changed by two supervisors, tried on history first."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from tests.accounts.test_url_walk import body, signed_in
from tests.cases import people
from tests.desk.test_naughty import DRILL, needs_data, strings
from zhengwu.accounts import services as accounts
from zhengwu.domain import scoring
from zhengwu.domain.rulebook import MATTERS, SHIPPED
from zhengwu.ledger import services as ledger
from zhengwu.supervision import rulebooks, rules, trials, trying
from zhengwu.web import words
from zhengwu.web.clock import now

pytestmark = pytest.mark.usefixtures("city")
ONE, OTHER = "p-supervisor", "p-supervisor2"


@pytest.fixture(autouse=True)
def second(city: None) -> None:
    """A second supervisor of the city."""
    accounts.add_person(
        OTHER, name="监察二", agency="420100-centre", holds=[("supervisor", "420100")],
        since=datetime(2020, 1, 1, tzinfo=people.SHANGHAI),
    )  # fmt: skip


def tomorrow() -> str:
    return (words.local(now()).date() + timedelta(days=1)).isoformat()


def filled(client: Client, address: str, **given: Any) -> dict[str, Any]:
    """What a browser would send of the page's form: its fields as they stand, and what is typed."""
    page = body(client.get(address))
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if not name or name[1] in ("q", "csrfmiddlewaretoken"):
            continue
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                found.setdefault(name[1], []).append(html.unescape(value[1]) if value else "on")
        else:
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    return found | given


def send(client: Client, address: str, **given: Any) -> Any:
    return client.post(address, filled(client, address, **given))


def decide(client: Client, version: int, do: str = "confirm", **given: str) -> Any:
    form = {"key": str(uuid4()), "version": str(rulebooks.now().number), "do": do}
    return client.post(f"/desk/rules/changes/{version}", form | given)


def errors(answer: Any) -> list[str]:
    """The sentences of the summary, with the field each leads to."""
    assert answer.status_code == 422, answer.status_code
    page = body(answer)
    assert "<title>错误：" in page
    found = re.findall(r'<li>(?:<a href="#id_(\w+|[\w.]+)">|<span class="err">)(.*?)</', page)
    return [f"{field}：{sentence}" for field, sentence in found]


def waiting() -> int:
    (only,) = rules.waiting()
    return only.version


def test_the_rulebook_shows_every_rule_in_words_to_whoever_supervises() -> None:
    for who in (ONE, "p-centre_manager", "p-water-head"):
        page = body(signed_in(who).get("/desk/rules"))
        for one in SHIPPED:
            assert f'<span class="num">{one.code}</span> {html.escape(one.zh)}' in page
        assert ("新设规则" in page) == (who == ONE)
    assert "期限：承诺决定、来源系统自报；已经届满；法定期限还没有超过" in page
    assert "黄牌 = 超期或者违规，红牌 = 严重" in page
    assert signed_in("p-water-clerk").get("/desk/rules").status_code == 403


def test_another_day_shows_the_rules_of_that_day() -> None:
    client = signed_in(ONE)
    assert "没有适用的规则" in body(client.get("/desk/rules?on=2004-06-30"))
    for odd in ("x", "9999-99-99", "0001-01-01", "\x00"):
        assert "适用 <span" in body(client.get("/desk/rules", {"on": odd}))


def test_a_term_is_proposed_confirmed_by_another_and_stands_in_the_history() -> None:
    one, other = signed_in(ONE), signed_in(OTHER)
    answer = send(one, "/desk/rules/rule/T03/edit", do="propose", sign="2", reason="会议纪要 7 号")
    version = waiting()
    assert answer["Location"] == f"/desk/rules/changes/{version}"
    page = body(one.get(answer["Location"]))
    assert "要由另一位监察人员核对以后确认" in page
    assert (
        '<del class="mute">1 日内签收，5 日内答复</del><br><ins>2 日内签收，5 日内答复</ins>'
        in page
    )
    assert "会议纪要 7 号" in page
    assert "您本人提议的" in body(decide(one, version))
    assert "有一项提议在等确认" in body(one.get("/desk/rules/rule/T03"))
    assert "我已核对，确认" not in body(signed_in("p-water-head").get(answer["Location"]))
    assert decide(signed_in("p-water-head"), version).status_code == 422
    assert decide(other, version)["Location"] == "/desk/rules/changes"
    page = body(other.get("/desk/rules/rule/T03"))
    assert "江城supervisor 提议，监察二 确认" in page
    assert "随软件提供" in page
    day = rulebooks.now().rule("T03", datetime.fromisoformat(tomorrow()).date())
    assert day is not None
    assert day.sign == 2


def test_a_condition_is_tried_first_and_its_numbers_stand_in_the_proposal(town: None) -> None:
    one = signed_in(ONE)
    edit = "/desk/rules/rule/T03/edit"
    assert errors(send(one, edit, do="propose", w_over="2", reason="太严")) == [
        "：条件改了，先要在历史上试算，知道会多出、少掉哪些发现，再提交提议。请点“试算”。"
    ]
    answer = send(one, edit, do="try", w_over="2")
    where = answer["Location"]
    page = body(one.get(where))
    assert "排队中" in page
    assert '<meta http-equiv="refresh" content="3">' in page, "it goes on without script"
    assert trying.work() == 1
    page = body(one.get(where))
    assert "如果那时就适用，会有" in page
    assert 'http-equiv="refresh"' not in page
    assert signed_in("p-water-head").get(where).status_code == 403
    # It may be changed and tried again, or proposed.
    identifier = UUID(where.rsplit("/", 1)[1])
    again = filled(one, f"{edit}?trial={identifier}")
    assert again["w_over"] == "2"
    assert again["trial"] == str(identifier)
    assert errors(send(one, where, reason="")) == ["reason：请写明理由。"]
    send(one, where, reason="太严")
    page = body(one.get(f"/desk/rules/changes/{waiting()}"))
    assert "如果当时就适用，会有" in page
    assert trials.trial(identifier) is not None
    assert "先确认或者否决它" in body(one.get(where))


def test_a_trial_lists_its_cases_and_each_leads_to_its_page(town: None) -> None:
    told = people.received()
    ledger.catch_up()
    one = signed_in(ONE)
    rule = {
        "code": "P50", "zh": "收件即算", "level": "hint", "dimension": "procedure", "basis": "试", "do": "try",
        "try_since": "2026-09-01", "try_until": "2026-09-30",
    }  # fmt: skip
    where = send(one, "/desk/rules/new?matter=place", **rule)["Location"]
    trying.work()
    page = body(one.get(where))
    assert "看了那段时间在办的 1 件" in page
    assert "这是新规则，没有现行的可以比" in page
    assert told.number not in page, "nothing was found in it"
    answer = one.post(f"{where}/cancel", {"key": str(uuid4())})
    assert answer["Location"] == where
    assert "已完成" in body(one.get(where)), "one that is done stays"


def test_a_new_rule_begins_with_its_matter_and_has_only_its_fields() -> None:
    client = signed_in(ONE)
    page = body(client.get("/desk/rules/new"))
    for one in MATTERS:
        assert f"/desk/rules/new?matter={one.code}" in page
    page = body(client.get("/desk/rules/new?matter=gap"))
    assert 'name="w_days_ge"' in page
    assert "w_over" not in page
    assert "不能试算" in page
    fresh = {
        "do": "propose", "code": "D09", "zh": "来源系统两天没有报送", "dimension": "data", "level": "yellow",
        "w_days_ge": "2", "basis": "数据交换办法", "reason": "两天以上要紧",
    }  # fmt: skip
    send(client, "/desk/rules/new?matter=gap", **fresh)
    decide(signed_in(OTHER), waiting())
    assert "D09</span> 来源系统两天没有报送" in body(client.get(f"/desk/rules?on={tomorrow()}"))


def test_each_complaint_stands_at_its_field_and_what_was_typed_stays() -> None:
    client = signed_in(ONE)
    wrong = {
        "do": "try",
        "w_nth_ge": "5",
        "w_nth_le": "2",
        "w_more_ge": "许多",
        "sign": "99",
        "basis": "",
    }
    answer = send(client, "/desk/rules/rule/P02/edit", **wrong)
    assert errors(answer) == ["basis：请填写依据"]
    answer = send(client, "/desk/rules/rule/P02/edit", do="try", receivers=[])
    assert errors(answer) == ["receivers：请填写送达"]
    assert '<fieldset class="mb-2 has-error" id="id_receivers"' in body(answer)
    answer = send(client, "/desk/rules/rule/P02/edit", **wrong | {"basis": "某文"})
    assert errors(answer) == [
        "sign：签收期限是 0 到 30 个工作日；不需要签收的填 0。",
        "answer：答复期限不能比签收期限短。",
        "w_more_ge：“上次没有告知的材料”应当是整数。",
        "w_nth_ge：“第几次”不可能既不小于 5 又不大于 2。",
    ]
    assert 'value="许多"' in body(answer)
    assert errors(send(client, "/desk/rules/rule/T03/edit", do="try", w_left="1")) == [
        "w_over：“期限”的规则要写明从哪一刻起：“只剩”、“用去”、“届满后”，只能写一个。"
    ]
    assert errors(send(client, "/desk/rules/rule/T03/edit", do="try", try_since="2016-01-01"))[
        0
    ].startswith("try_since：一次最多试算 366 天。")
    assert "since：规则不溯及既往" in errors(
        send(client, "/desk/rules/rule/T03/edit", do="propose", since="2020-01-01", sign="2", reason="x")
    )[0]  # fmt: skip
    assert rules.history() == ()


def test_a_rule_for_supervisors_alone_says_at_each_field_what_stands_against_it() -> None:
    client = signed_in(ONE)
    where = "/desk/rules/rule/T03/edit"
    assert "只送达监察人员的，机关看不到" in body(client.get(where))
    told = errors(send(client, where, do="propose", receivers=["supervisor"], reason="只作线索"))
    assert [one.split("：")[0] for one in told] == [
        "receivers", "scored", "whole", "level", "approaching",
    ]  # fmt: skip
    assert all("规则 T03" in one and "请" in one for one in told), told
    assert rules.history() == ()
    quiet = {
        "receivers": ["supervisor"], "level": "hint", "approaching": "", "scored": "", "sign": "0",
        "answer": "0", "do": "propose", "reason": "只作线索",
    }  # fmt: skip
    send(client, "/desk/rules/rule/P08/edit", **quiet)
    decide(signed_in(OTHER), waiting())
    after = rulebooks.now().rule("P08", words.local(now()).date() + timedelta(days=1))
    assert after is not None
    assert (after.receivers, after.served) == (("supervisor",), 4)


def test_a_rule_is_ended_by_two_people() -> None:
    client = signed_in(ONE)
    assert "最早是明天" in errors(
        send(client, "/desk/rules/rule/T11/end", since="2026-01-01", reason="并入 T12")
    )[0]  # fmt: skip
    send(client, "/desk/rules/rule/T11/end", reason="并入 T12")
    assert "终止规则：T11" in body(client.get("/desk/rules/changes"))
    decide(signed_in(OTHER), waiting())
    page = body(client.get(f"/desk/rules?on={tomorrow()}"))
    assert ">T11</span>" not in page
    assert "并入 T12" not in page
    assert ">T11</span>" in body(client.get("/desk/rules"))


def test_declined_with_a_reason_and_taken_back_by_whoever_proposed_it() -> None:
    one, other = signed_in(ONE), signed_in(OTHER)
    send(one, "/desk/rules/settings/dialect", value="approaching", reason="省里统一")
    version = waiting()
    assert "请写明理由" in body(decide(other, version, "decline"))
    assert decide(other, version, "decline", reason="省里没有发文").status_code == 302
    page = body(one.get(f"/desk/rules/changes/{version}"))
    assert "省里没有发文" in page
    assert "已否决" in page
    assert "不用再办" in body(decide(other, version))
    send(one, "/desk/rules/settings/dialect", value="approaching", reason="省里统一")
    decide(one, waiting(), "decline", reason="写错了")
    assert rules.waiting() == ()


def test_the_dialect_changes_the_level_that_is_shown() -> None:
    one = signed_in(ONE)
    send(one, "/desk/rules/settings/dialect", value="approaching", reason="省里统一")
    decide(signed_in(OTHER), waiting())
    page = body(one.get(f"/desk/rules?on={tomorrow()}"))
    assert "黄牌 = 临近期限" in page
    row = page[page.index(">T03</span>") :]
    assert "红牌" in row[: row.index("</tr>")]


def test_the_table_of_the_score_adds_to_a_hundred() -> None:
    one = signed_in(ONE)
    where = "/desk/rules/settings/weights"
    wrong = send(one, where, **{"weights.fees": "9"}, reason="收费更要紧")
    assert errors(wrong) == ["：九项分值加起来是 101，应当正好是 100，多了 1。"]
    assert errors(send(one, where, **{"weights.fees": "多"}, reason="x"))[0].startswith(
        "weights.fees：“收费合理”"
    )
    send(one, where, **{"weights.fees": "9", "weights.openness": "9"}, reason="收费更要紧")
    decide(signed_in(OTHER), waiting())
    held = rules.settings(datetime.fromisoformat(tomorrow()).date())["weights"]
    assert scoring.check(held).weights["fees"] == 9
    assert errors(send(one, "/desk/rules/settings/accountability", person="0", reason="x")) == [
        "person：个人一个月的黄牌数请填写 1 到 100 之间的整数。"
    ]


@pytest.mark.parametrize(
    "address",
    ["/desk/rules/rule/NONE", "/desk/rules/rule/T03%00", "/desk/rules/settings/mood",
     "/desk/rules/changes/99", f"/desk/rules/trials/{UUID(int=0)}", "/desk/rules/rule/NONE/edit"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(address: str) -> None:
    assert signed_in(ONE).get(address).status_code == 404


@needs_data
def test_no_string_in_a_field_is_a_fault() -> None:
    client = signed_in(ONE)
    client.raise_request_exception = False
    where = "/desk/rules/rule/T03/edit"
    start = filled(client, where, do="propose", reason="")
    fields = [name for name in start if name not in ("key", "do", "matter", "reason")]
    for text in strings(1):
        assert client.post(where, start | dict.fromkeys(fields, text)).status_code == 422, text
    for text in strings(1)[:: 1 if DRILL else 8]:
        for name in fields:
            answer = client.post(where, start | {name: text})
            assert answer.status_code == 422, (name, text)
