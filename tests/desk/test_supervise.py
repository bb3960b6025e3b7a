"""The pages of supervision: found, signed, answered, appealed, decided; orders, accountability, checks."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases.test_simulation_year import SHANGHAI
from tests.conftest import Kept
from tests.desk.walk import Answer, public, sign_in, text
from zhengwu.cases.simulation import year
from zhengwu.ledger import services as ledger

AT = datetime(2026, 9, 18, 12, tzinfo=SHANGHAI)
DESK, MINE = "/desk/supervision", "/desk/supervision/mine"
WATER = "420100-water"
KEY = re.compile(r'name="key" value="([^"]+)"')
VERSION = re.compile(r'name="version" value="(\d+)"')


@pytest.fixture(autouse=True)
def _supervised(town: None, kept: Kept) -> None:
    """Some of a year with many faults, watched to its end; kept."""
    from tests.accounts.city import small_city
    from tests.cases import people

    def build() -> None:
        small_city()
        people.items()
        year.run(2026, cases=90, seed=11, at=AT, apart=False, faulty=0.6)
        ledger.catch_up()

    kept.clean()
    kept.again("supervised for the desk", build)


@pytest.fixture
def supervisor() -> Client:
    return sign_in("p-supervisor")


@pytest.fixture
def head() -> Client:
    return sign_in("p-water-head")


def one(condition: str = "level IN ('yellow', 'red') AND \"case\" IS NOT NULL") -> dict[str, Any]:
    """A finding of the water bureau's; with a person of ours first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, rule, rule_name, number, agency, person, level FROM supervision_finding"
            f" WHERE agency = %s AND {condition}"
            " ORDER BY person LIKE 'p-water-%%' DESC NULLS LAST, at, id LIMIT 1",
            [WATER],
        )
        row = cursor.fetchone()
    assert row is not None, condition
    return dict(
        zip(("id", "rule", "rule_name", "number", "agency", "person", "level"), row, strict=True)
    )


def page_of(id: UUID) -> str:
    return f"{DESK}/findings/{id}"


def do(client: Client, where: str, verb: str, *, version: int | None = None, **form: str) -> Answer:
    """Submits a verb with the key and the version that the page has."""
    page = text(client.get(where))
    assert f'value="{verb}"' in page, f"{verb} is not offered at {where}"
    key, shown = KEY.search(page[page.index(f'id="do-{verb}"') :]), VERSION.search(page)
    assert key
    assert shown
    seen = shown.group(1) if version is None else str(version)
    return client.post(where, {"do": verb, "key": key.group(1), "version": seen} | form)


def done(answer: Answer) -> None:
    assert answer.status_code == 302, text(answer)


# --- finding one's way ------------------------------------------------------------------------------


def test_the_supervisor_sees_all_by_folder_a_head_their_agency_and_a_stranger_nothing(
    supervisor: Client, head: Client
) -> None:
    page = text(supervisor.get(DESK, {"folder": "all"}))
    for said in ("黄牌、红牌", "申诉", "预警", "提示", "江城市水务局", "江城市市场监督管理局"):
        assert said in page
    own = text(head.get(DESK, {"folder": "all"}))
    assert "江城市水务局" in own
    assert "江城市市场监督管理局" not in own
    card = one()
    assert sign_in("p-market-head").get(page_of(card["id"])).status_code == 404
    assert sign_in("p-water-clerk").get(DESK).status_code == 403
    assert sign_in("p-water-legal").get(page_of(card["id"])).status_code == 404
    assert public().get(page_of(card["id"])).status_code == 302


def test_the_list_is_narrowed_by_number_level_and_rule_and_exported_as_it_is_shown(
    supervisor: Client,
) -> None:
    card = one()
    asked = {
        "folder": "all",
        "number": card["number"],
        "level": card["level"],
        "rule": card["rule"],
    }
    page = text(supervisor.get(DESK, asked))
    assert page_of(card["id"]) in page
    rows = list(
        csv.DictReader(io.StringIO(text(supervisor.get(f"{DESK}.csv", asked)).lstrip("\ufeff")))
    )
    assert {row["办件编号"] for row in rows} == {card["number"]}
    assert {row["规则"] for row in rows} == {card["rule"]}
    nothing = text(supervisor.get(DESK, {"folder": "all", "number": "JC000000000000"}))
    assert "没有符合条件的发现" in nothing
    wrong = supervisor.get(DESK, {"since": "2026-02-01", "until": "2026-01-01"})
    assert wrong.status_code == 422
    assert "“到”早于“从”" in text(wrong)


def test_the_list_asks_as_many_questions_whatever_its_length_and_a_finding_few(
    supervisor: Client,
) -> None:
    def asked(where: str, **query: str) -> int:
        supervisor.get(where, query)
        with CaptureQueriesContext(connection) as captured:
            assert supervisor.get(where, query).status_code == 200
        return len(captured)

    few = asked(DESK, folder="all", number=one()["number"])
    assert asked(DESK, folder="all") <= max(few, 10)
    assert asked(page_of(one()["id"])) <= 20


def test_a_long_list_goes_on_behind_the_last_and_comes_to_its_end(supervisor: Client) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = text(supervisor.get(DESK, {"folder": "all"} | ({"after": after} if after else {})))
        seen += re.findall(r'href="/desk/supervision/findings/([0-9a-f-]{36})"', page)
        found = re.search(r'rel="next" href="[^"]*[?&]after=([^"&]+)', page)
        after = unquote(found.group(1)) if found else None
    assert len(seen) == len(set(seen))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM supervision_finding")
        assert len(seen) == cursor.fetchone()[0]


def test_a_finding_says_rule_law_evidence_with_places_in_the_log_and_how_the_limit_came(
    supervisor: Client,
) -> None:
    card = one("rule = 'T03'")
    page = text(supervisor.get(page_of(card["id"])))
    for said in (
        "超过承诺时限", "行政许可法 第四十二条", "期限怎样算出来", "依据", "经过", "规则怎么说",
        card["number"],
    ):  # fmt: skip
        assert said in page
    proven = one("rule LIKE 'P%%'")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body -> 'positions' ->> 0 FROM ledger_event WHERE stream = 'finding'"
            " AND stream_id = %s AND version = 1",
            [proven["id"]],
        )
        position = int(cursor.fetchone()[0])
    shown = text(supervisor.get(page_of(proven["id"])))
    assert f"{position:,}" in shown
    for said in ("发生", "登记", "入账"):
        assert f'data-l="{said}"' in shown


# --- signed, answered, closed ------------------------------------------------------------------------


def test_a_card_is_signed_answered_and_closed_and_errors_stand_at_their_field(
    supervisor: Client, head: Client
) -> None:
    where = page_of(one()["id"])
    assert where in text(head.get(MINE))
    done(do(head, where, "sign"))
    empty = do(head, where, "answer", text=" ")
    assert empty.status_code == 422
    assert 'href="#id_answer_text"' in text(empty)
    done(do(head, where, "answer", text="受理岗交接遗漏，已补办并调整交接表。"))
    read = text(supervisor.get(where))
    assert "已补办并调整交接表" in read
    unticked = do(supervisor, where, "close", text="整改到位")
    assert unticked.status_code == 422
    assert "请核对以后勾选" in text(unticked)
    assert "整改到位" in text(unticked)
    done(do(supervisor, where, "close", text="整改到位", confirmed="on"))
    ended = text(head.get(where))
    assert "已办结" in ended
    assert 'value="answer"' not in ended


def test_the_same_submission_twice_is_one_answer(head: Client) -> None:
    where = page_of(one()["id"])
    form = {"do": "answer", "key": str(uuid4()), "version": "1", "text": "已经改正。"}
    page = text(head.get(where))
    shown = VERSION.search(page)
    assert shown
    form["version"] = shown.group(1)
    done(head.post(where, form))
    done(head.post(where, form))
    assert text(head.get(where)).count("已经改正。") == 1


def test_who_comes_late_sees_what_came_between_and_keeps_what_was_typed(head: Client) -> None:
    where = page_of(one()["id"])
    shown = VERSION.search(text(head.get(where)))
    assert shown
    old = int(shown.group(1))
    done(do(sign_in("p-water-head"), where, "sign"))
    late = head.post(
        where, {"do": "answer", "key": str(uuid4()), "version": str(old), "text": "已经改正。"}
    )
    assert late.status_code == 409
    page = text(late)
    assert "您打开这一页以后" in page
    assert "签收" in page[page.index("您打开这一页以后") :][:400]
    assert "已经改正。" in page


def test_the_clerk_concerned_finds_theirs_and_not_a_colleagues() -> None:
    card = one("person LIKE 'p-water-%%' AND answer_due IS NOT NULL")
    client = sign_in(card["person"])
    assert page_of(card["id"]) in text(client.get(MINE, {"folder": "all"}))
    done(do(client, page_of(card["id"]), "sign"))
    other = sign_in("p-market-clerk")
    assert page_of(card["id"]) not in text(other.get(MINE, {"folder": "all"}))
    assert other.get(page_of(card["id"])).status_code == 404


# --- appeals ------------------------------------------------------------------------------------------


def test_a_head_appeals_and_a_revoked_card_stays_and_no_longer_counts(
    supervisor: Client, head: Client
) -> None:
    where = page_of(one()["id"])
    blank = do(head, where, "appeal", text="", reason="")
    assert blank.status_code == 422
    for field in ("id_appeal_reason", "id_appeal_text", "id_appeal_confirmed"):
        assert f'href="#{field}"' in text(blank)
    done(
        do(head, where, "appeal", reason="system_fault", text="9 月 2 日系统停机，见停机公告。",
           confirmed="on")
    )  # fmt: skip
    assert where in text(supervisor.get(DESK, {"folder": "appeals"}))
    unticked = do(supervisor, where, "decide", outcome="revoked", text="停机属实")
    assert unticked.status_code == 422
    lowered = do(supervisor, where, "decide", outcome="lowered", text="停机属实", confirmed="on")
    assert lowered.status_code == 422
    assert "降级要选降到哪一级" in text(lowered)
    done(do(supervisor, where, "decide", outcome="revoked", text="停机属实", confirmed="on"))
    page = text(head.get(where))
    assert "不再计分" in page
    assert "停机属实" in page
    assert 'value="appeal"' not in page
    again = head.post(
        where,
        {"do": "appeal", "key": str(uuid4()), "version": "9", "reason": "applicant", "text": "再申诉",
         "confirmed": "on"},
    )  # fmt: skip
    assert again.status_code in (409, 422)


def test_an_appeal_is_not_the_clerks_to_make() -> None:
    card = one("person LIKE 'p-water-%%' AND level IN ('yellow', 'red')")
    client = sign_in(card["person"])
    where = page_of(card["id"])
    page = text(client.get(where))
    assert 'value="appeal"' not in page
    shown = VERSION.search(page)
    assert shown
    form = {"do": "appeal", "key": str(uuid4()), "version": shown.group(1), "reason": "applicant"}
    answer = client.post(where, form | {"text": "不是我", "confirmed": "on"})
    assert answer.status_code == 422
    assert "负责人" in text(answer)


# --- by hand, orders ----------------------------------------------------------------------------------


def test_from_the_case_a_card_with_its_reason_takes_two_steps(supervisor: Client) -> None:
    number = one()["number"]
    case = text(supervisor.get(f"/desk/cases/{number}"))
    link = re.search(r'href="(/desk/supervision/issue\?number=[^"]+)"', case)
    assert link
    form = text(supervisor.get(link.group(1)))
    key = KEY.search(form[form.index("人工发牌</h1>") :])
    assert key
    assert f'value="{number}"' in form
    given = {"key": key.group(1), "number": number, "rule": "H01", "level": "yellow"}
    bare = supervisor.post(f"{DESK}/issue", given | {"text": ""})
    assert bare.status_code == 422
    assert 'href="#id_text"' in text(bare)
    issued: Any = supervisor.post(f"{DESK}/issue", given | {"text": "现场检查时窗口无人值守。"})
    done(issued)
    page = text(supervisor.get(issued["Location"]))
    assert "人工" in page
    assert "现场检查时窗口无人值守" in page
    again: Any = supervisor.post(f"{DESK}/issue", given | {"text": "现场检查时窗口无人值守。"})
    assert again["Location"] == issued["Location"]
    nowhere = supervisor.post(f"{DESK}/issue", given | {"number": "JC000000000000", "text": "x"})
    assert nowhere.status_code == 422
    assert 'href="#id_number"' in text(nowhere)


def test_from_a_finding_to_an_order_in_three_steps_and_the_order_to_its_end(
    supervisor: Client, head: Client
) -> None:
    card = one()
    page = text(supervisor.get(page_of(card["id"])))
    assert f"/desk/supervision/orders/new?finding={card['id']}" in page
    form = text(supervisor.get(f"{DESK}/orders/new", {"finding": card["id"]}))
    key = KEY.search(form[form.index("开督办</h1>") :])
    assert key
    chosen = {
        name: found.group(1)
        for name in ("agency", "subject")
        if (
            found := re.search(
                rf'name="{name}".*?<option value="([^"]+)" selected', form, re.DOTALL
            )
        )
    }
    assert chosen == {"agency": WATER, "subject": "card"}
    given = {"key": key.group(1), "finding": str(card["id"]), "text": "请查明原因并整改。"} | chosen
    nobody = supervisor.post(f"{DESK}/orders/new", given | {"agency": ""})
    assert nobody.status_code == 422
    assert "督办要有人承办" in text(nobody)
    opened: Any = supervisor.post(f"{DESK}/orders/new", given)
    done(opened)
    where = opened["Location"]
    assert "督〔2026〕" in text(supervisor.get(where))
    assert where in text(head.get(MINE))
    assert sign_in("p-market-head").get(where).status_code == 404
    done(do(head, where, "sign"))
    done(do(head, where, "work", text="重排窗口班次。"))
    done(do(head, where, "report", text="班次已重排，办件已办结。"))
    done(do(supervisor, where, "give_back", text="请附班次表。"))
    assert "退回 1 次" in text(head.get(where))
    done(do(head, where, "report", text="班次表已附。"))
    done(do(supervisor, where, "close", text="同意", confirmed="on"))
    assert where in text(supervisor.get(f"{DESK}/orders", {"folder": "closed"}))
    assert where in text(supervisor.get(page_of(card["id"])))


# --- accountability, checks ---------------------------------------------------------------------------


def test_accountability_opened_itself_and_is_worked_to_its_end(supervisor: Client) -> None:
    listed = text(supervisor.get(f"{DESK}/accountability", {"folder": "open"}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM supervision_account WHERE agency = %s LIMIT 1", [WATER])
        where = f"{DESK}/accountability/{cursor.fetchone()[0]}"
    assert where in listed
    assert 'value="decide"' not in text(supervisor.get(where))
    done(do(supervisor, where, "take_up", handler=""))
    done(do(supervisor, where, "hear", text="当事人没有意见。"))
    empty = do(supervisor, where, "decide", measure="", text="")
    assert empty.status_code == 422
    assert 'href="#id_decide_measure"' in text(empty)
    done(
        do(
            supervisor,
            where,
            "decide",
            measure="education",
            text="首次，情节轻微。",
            confirmed="on",
        )
    )
    done(do(supervisor, where, "carry_out", text="已谈话。"))
    done(do(supervisor, where, "close", confirmed="on"))
    page = text(supervisor.get(where))
    assert "批评教育、限期整改" in page
    assert "情节轻微" in page
    assert where in text(supervisor.get(f"{DESK}/accountability", {"folder": "closed"}))


def test_a_check_is_drawn_looked_at_and_closed(supervisor: Client) -> None:
    page = text(supervisor.get(f"{DESK}/checks"))
    key = KEY.search(page[page.index("再抽一次") - 400 :])
    assert key
    given = {"key": key.group(1), "since": "2026-01-01", "until": "2026-09-30", "agency": ""}
    wrong = supervisor.post(f"{DESK}/checks/draw", given | {"wanted": "0"})
    assert wrong.status_code == 422
    assert "1 到 200" in text(wrong)
    drawn: Any = supervisor.post(f"{DESK}/checks/draw", given | {"wanted": "2"})
    done(drawn)
    where = drawn["Location"]
    for text_ in ("程序齐全。", "补正告知没有写依据。"):
        page = text(supervisor.get(where))
        case = re.search(r'name="case" value="([^"]+)"', page)
        key, version = KEY.search(page[page.index('class="svlook') :]), VERSION.search(page)
        assert case
        assert key
        assert version
        form = {"key": key.group(1), "version": version.group(1), "case": case.group(1)}
        bare = supervisor.post(where, form | {"text": text_})
        assert bare.status_code == 422
        assert text_ in text(bare)
        done(supervisor.post(where, form | {"result": "fine", "text": text_}))
    page = text(supervisor.get(where))
    assert "2 / 2 件" in page
    key, version = KEY.search(page[page.index("全部看过了") - 400 :]), VERSION.search(page)
    assert key
    assert version
    done(supervisor.post(where, {"do": "close", "key": key.group(1), "version": version.group(1)}))
    assert "补正告知没有写依据。" in text(supervisor.get(where))
    assert sign_in("p-water-head").post(f"{DESK}/checks/draw", given).status_code == 403


# --- beside the case ----------------------------------------------------------------------------------


def test_the_case_page_names_the_findings_to_whoever_may_see_them_and_asks_nothing_for_others(
    supervisor: Client, head: Client
) -> None:
    card = one()
    where = f"/desk/cases/{card['number']}"
    for client in (supervisor, head):
        page = text(client.get(where))
        assert page_of(card["id"]) in page[page.index('id="watched"') :]
    legal = sign_in("p-water-legal")
    with CaptureQueriesContext(connection) as captured:
        page = text(legal.get(where))
    assert 'id="watched"' not in page
    assert not [one for one in captured.captured_queries if "supervision_" in one["sql"]]
