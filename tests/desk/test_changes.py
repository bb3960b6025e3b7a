"""Drafting and publishing items through the pages: from a copy to the list, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.datastructures import MultiValueDict

from tests.cases import people
from tests.cases.people import actor
from tests.desk.test_calendar import NAUGHTY
from tests.desk.test_naughty import DRILL
from tests.desk.walk import sign_in, text
from zhengwu.accounts import services as accounts_services
from zhengwu.cases import transition
from zhengwu.catalog import changes, queries, services
from zhengwu.catalog.services import Release
from zhengwu.desk.changes import diff, editor
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.domain.refusal import Refusals
from zhengwu.web.clock import now
from zhengwu.web.words import local

pytestmark = pytest.mark.usefixtures("town")
LIST, BEGIN = "/desk/changes", "/desk/changes/begin"
ITEM, CITY_LIST = "XK0036", "C.XK0036"  # 取水许可, of the water bureau
DRAFTER, CENTRE, LEGAL, SECOND = (
    "p-water-reviewer", "p-centre_manager", "p-legal_office", "p-centre_manager2",
)  # fmt: skip
STRANGERS = ("p-market-reviewer", "p-market-head", "p-d102-reviewer", "p-market-clerk")
BACKEND = "django.contrib.auth.backends.ModelBackend"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def today(plus: int = 0) -> date:
    return local(now()).date() + timedelta(days=plus)


# --- reading a page as a browser does -----------------------------------------------------------


class Page(HTMLParser):
    """The forms of a page: of each its action and what it would send."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.forms: list[tuple[str, MultiValueDict[str, str]]] = []
        self.status = answer.status_code
        self.text = text(answer)
        self._area: str | None = None
        self._select: str | None = None
        self.feed(answer.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), MultiValueDict()))
        if not self.forms or ("name" not in given and tag != "option"):
            return
        fields = self.forms[-1][1]
        if tag == "input" and given.get("type") not in ("checkbox", "radio", "submit", "file"):
            fields.appendlist(given["name"], given.get("value", ""))
        elif tag == "input" and "checked" in given:
            fields.appendlist(given["name"], given.get("value", "on"))
        elif tag == "textarea":
            self._area = given["name"]
            fields.appendlist(self._area, "")
        elif tag == "select":
            self._select = given["name"]
            fields.appendlist(self._select, "")
        elif tag == "option" and self._select and "selected" in given:
            fields.setlist(self._select, [given.get("value", "")])

    def handle_endtag(self, tag: str) -> None:
        self._area = None if tag == "textarea" else self._area
        self._select = None if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        if self._area:
            fields = self.forms[-1][1]
            fields.setlist(self._area, [str(fields[self._area]) + data])

    def form(self, action: str, *names: str, **has: str) -> dict[str, list[str]]:
        """What the form with this action would send that holds these fields and values."""
        for where, fields in self.forms:
            if where == action and {"key", *names} <= set(fields) and (
                has.items() <= fields.dict().items()
            ):  # fmt: skip
                return dict(fields.lists())
        raise AssertionError(f"no form {action} with {names} {has}")


def begin(who: str = DRAFTER, item: str = ITEM, purpose: str = "revise") -> str:
    """Begins a change by the page; the address of the change."""
    client = sign_in(who)
    form = Page(client.get(BEGIN, {"item": item})).form(BEGIN)
    answer = client.post(BEGIN, form | {"purpose": purpose})
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"]).removesuffix("/edit")


def save(
    where: str,
    part: str,
    changed: Mapping[str, Any],
    *,
    who: str = DRAFTER,
    do: str = "save",
    client: Client | None = None,
    page: Page | None = None,
) -> Any:
    """Opens a part of the editor, changes some fields and sends everything that is on the page."""
    client = client or sign_in(who)
    page = page or Page(client.get(f"{where}/edit", {"part": part}))
    form: dict[str, Any] = page.form(f"{where}/edit") | {"do": do} | dict(changed)
    return client.post(f"{where}/edit", form)


def own(where: str) -> dict[str, Any]:
    return dict(changes.one(actor(DRAFTER), identifier(where)).own)


def identifier(where: str) -> UUID:
    return UUID(where.rsplit("/", 1)[1])


def act(where: str, who: str, do: str, **given: str) -> Any:
    """Takes a step with the form that the page offers to this person."""
    client = sign_in(who)
    page = Page(client.get(where))
    assert f'value="{do}"' in page.text, f"{do} is not offered to {who}"
    return client.post(where, page.form(where, *given) | {"do": do} | given)


def publish(where: str, who: str, day: date | None = None) -> None:
    client = sign_in(who)
    given = {"since": str(day or today(3))}
    form = Page(client.get(where, given)).form(where, seen=given["since"])
    answer = client.post(where, form | {"do": "published"})
    assert answer.status_code == 302, text(answer)


def listed(where: str) -> None:
    """From the draft to the city government's approval, each by its person."""
    assert act(where, DRAFTER, "submitted").status_code == 302
    assert act(where, CENTRE, "checked").status_code == 302
    assert act(where, LEGAL, "approved").status_code == 302
    approval = {"number": "江政发〔2026〕18号", "on": str(today(-1))}
    assert act(where, SECOND, "listed", **approval).status_code == 302


# --- the whole way ------------------------------------------------------------------------------


def test_from_a_copy_to_the_list_through_the_pages() -> None:
    drafter, steps = sign_in(DRAFTER), 0
    page = Page(drafter.get(BEGIN, {"copy": ITEM}))  # 复制为新事项
    steps += 1
    form = page.form(BEGIN)
    assert form["item_code"] == ["XK0036.2"], "a free code is proposed"
    answer = drafter.post(BEGIN, form | {"name": "地下水取水许可"})  # the name, 开始起草
    steps += 2
    where = answer["Location"].removesuffix("/edit")
    page = Page(drafter.get(answer["Location"]))
    assert page.form(f"{where}/edit")["name"] == ["地下水取水许可"]
    assert "20 个工作日" not in page.text, "one part of the guide at a time"
    answer = save(where, "base", {}, do="check", client=drafter)  # 保存并检查
    steps += 1
    assert answer.status_code == 302, text(answer)
    assert "检查通过" in text(drafter.get(where))
    assert act(where, DRAFTER, "submitted").status_code == 302  # 提交中心审核
    steps += 1
    assert steps <= 8
    act(where, CENTRE, "checked", reason="与取水许可分开，理由充分")
    act(where, LEGAL, "approved")
    answer = act(where, SECOND, "listed", number="江政发〔2026〕18号", on=str(today(-1)))
    assert answer.status_code == 302, text(answer)
    publish(where, CENTRE)  # the day, and 发布: the second person's two
    page_text = text(sign_in(CENTRE).get(where))
    assert "现在可以办" not in page_text
    assert f"{today(3)} 起" in page_text
    assert "与取水许可分开，理由充分" in page_text
    row = queries.in_force("XK0036.2", today(3))
    assert row is not None
    assert (row.name, row.promised_zh, row.approved) == (
        "地下水取水许可", "20 个工作日", "江政发〔2026〕18号",
    )  # fmt: skip


def test_the_page_says_what_changes_by_words_and_what_follows_below() -> None:
    where = begin(CENTRE, CITY_LIST)
    answer = save(where, "time", {"promised-value": "12"}, who=CENTRE, do="check")
    assert answer.status_code == 302, text(answer)
    page = text(sign_in(CENTRE).get(where))
    assert re.search(r"删</span><span><del>20</del> 个工作日", page)
    assert re.search(r"增</span><span><ins>12</ins> 个工作日", page)
    assert "1 个实施清单事项" in page
    assert "江城市水务局" in page[page.index("下级跟着变的") :]


def test_own_words_that_fall_away_and_drafts_beside_are_shown() -> None:
    own_words = begin()
    assert save(own_words, "time", {"promised-value": "15"}).status_code == 302
    listed(own_words)
    publish(own_words, CENTRE)
    where = begin(CENTRE, CITY_LIST)
    beside = begin()
    day = str(today(9))
    save(where, "time", {"promised-value": "12"}, who=CENTRE)
    save(where, "force", {"since": day}, who=CENTRE)
    page = text(sign_in(CENTRE).get(where))
    assert "承诺办结时限（原来：15 个工作日" in page
    assert f'href="{beside}"' in page, "a draft of an item below is in the air"
    page = text(sign_in("p-d102-reviewer").get(LIST, {"state": "open"}))
    assert "取水许可" not in page


def test_a_transitional_clause_shows_the_cases_it_moves_and_afterwards_what_it_did() -> None:
    case = people.received(f"{today(-2):%m-%d} 09:20")
    case.do("p-water-clerk", "accepted", f"{today(-2):%m-%d} 10:00")
    where = begin(CENTRE, CITY_LIST)
    save(where, "time", {"promised-value": "12"}, who=CENTRE)
    page = text(sign_in(CENTRE).get(where))
    assert "第 2 版 <b" in page, "the case keeps its version"
    assert "过渡条款会改的" not in page
    save(where, "force", {"transition": "1", "since": str(today(1))}, who=CENTRE)
    page = text(sign_in(CENTRE).get(where))
    assert re.search(r"<b class=\"num\">1</b> 件的期限提前", page)
    assert case.number in page[page.index("过渡条款会改的") :]
    assert f"/desk/cases/{case.number}" not in text(sign_in(LEGAL).get(where)), "they see no cases"
    act(where, CENTRE, "submitted")
    act(where, SECOND, "checked")
    act(where, LEGAL, "approved")
    third = "p-third"
    accounts_services.add_person(
        third, name="江城第三人", agency="420100-centre", holds=[("centre_manager", "H420100")],
        since=people.moment("01-01 00:00"),
    )  # fmt: skip
    act(where, SECOND, "listed", number="江政发〔2026〕18号", on=str(today(-1)))
    publish(where, third, today())
    after = text(sign_in(third).get(where))
    assert "还没有开始" in after
    assert "发布了什么" in after
    transition.sweep(now())
    after = text(sign_in(third).get(where))
    assert re.search(r"期限提前 <b class=\"num\">1</b> 件", after)


# --- who may look -------------------------------------------------------------------------------


def test_a_stranger_finds_no_draft_behind_any_of_its_addresses() -> None:
    where = begin()
    for who in STRANGERS:
        client = sign_in(who)
        for address in ("", "/edit", "/material?code=01", "/files/" + "0" * 64):
            drafts = who.endswith("clerk") and address in ("/edit", "/material?code=01")
            wanted = 403 if drafts else 404
            assert client.get(where + address).status_code == wanted, (who, address)
            posted = client.post(where + address, {"do": "submitted", "key": str(uuid4())})
            assert posted.status_code in (wanted, 405), (who, address)
        assert identifier(where).hex not in text(client.get(LIST, {"state": "open"}))
        many = client.get(f"{LIST}/step", {"act": "submitted", "change": f"{identifier(where)}:1"})
        assert many.status_code == 302
    assert sign_in(DRAFTER).get(f"{where}/files/{'0' * 64}").status_code == 404


def test_who_only_reads_is_shown_and_offered_nothing() -> None:
    where = begin()
    for who in (LEGAL, "p-water-clerk", "p-supervisor"):
        page = text(sign_in(who).get(where))
        assert "现在可以办" not in page, who
    assert sign_in(CENTRE).get(f"{where}/edit").status_code == 200
    act(where, DRAFTER, "withdrawn", reason="先不改了")
    gone = sign_in(DRAFTER).get(f"{where}/edit")
    assert gone["Location"] == where
    assert "先不改了" in text(sign_in(DRAFTER).get(where))


def test_nothing_is_written_without_the_token_or_by_looking() -> None:
    where = begin()
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.get(code=DRAFTER), backend=BACKEND)
    for address in (BEGIN, where, f"{where}/edit", f"{where}/material?code=01", f"{LIST}/step"):
        assert client.post(address, {"act": "submitted"}).status_code == 403, address
    sign_in(DRAFTER).get(where, {"do": "submitted"})
    assert changes.one(actor(DRAFTER), identifier(where)).version == 1


def test_the_same_form_sent_twice_is_one_change_and_one_step() -> None:
    client = sign_in(DRAFTER)
    form = Page(client.get(BEGIN, {"item": ITEM})).form(BEGIN) | {"purpose": "revise"}
    twice = [client.post(BEGIN, form)["Location"] for _ in range(2)]
    assert twice[0] == twice[1]
    where = twice[0].removesuffix("/edit")
    page = Page(client.get(f"{where}/edit", {"part": "time"}))
    for _ in range(2):
        answer = save(where, "time", {"promised-value": "15"}, client=client, page=page)
        assert answer.status_code == 302, text(answer)
    step = Page(client.get(where)).form(where) | {"do": "submitted"}
    assert [client.post(where, step).status_code for _ in range(2)] == [302, 302]
    assert changes.one(actor(DRAFTER), identifier(where)).version == 3


# --- the editor ---------------------------------------------------------------------------------


def test_what_is_left_as_the_list_says_it_stays_the_lists() -> None:
    where = begin()
    for part in editor.PARTS:
        answer = save(where, part.slug, {})
        assert answer.status_code == 302, part.slug
    change = changes.one(actor(DRAFTER), identifier(where))
    assert (change.own, change.version) == ({}, 1), "opening and saving writes nothing"
    save(where, "where", {"phone": "027-12345", "channels": ["1", "2"], "booking": "yes"})
    assert own(where) == {"phone": "027-12345", "channels": ["1", "2"], "booking": True}
    page = text(sign_in(DRAFTER).get(f"{where}/edit", {"part": "where"}))
    assert "本级另写" in page
    answer = save(where, "where", {"restore": "channels"})
    assert answer["Location"].endswith("#e-channels")
    assert own(where) == {"phone": "027-12345", "booking": True}
    save(where, "where", {"phone": "", "booking": ""})
    assert own(where) == {}


def test_rows_are_added_moved_and_deleted_without_scripts() -> None:
    where = begin(CENTRE, CITY_LIST)
    form = {
        "materials-+1-name": "法人授权书", "materials-+1-basis": "条例", "materials-+1-order": "1.5",
        "materials-+1-need": "deferrable", "materials-+1-copies": "2", "materials-02-gone": "1",
        "materials-03-order": "0",
    }  # fmt: skip
    assert save(where, "ask", form, who=CENTRE).status_code == 302
    rows = own_of(where)["materials"]
    assert [(one["code"], one["name"]) for one in rows] == [
        ("03", "第三者利害关系说明"), ("01", "取水申请书"), ("04", "法人授权书"),
    ]  # fmt: skip
    assert rows[2] | {"copies": 2, "need": "deferrable"} == rows[2]
    fees = {
        "fees-+1-name": "工本费",
        "fees-+1-yuan": "12.5",
        "fees-+1-basis": "某条例",
        "fees-1-gone": "1",
    }
    save(where, "fee", fees, who=CENTRE)
    assert own_of(where)["fees"] == [{"name": "工本费", "fen": 1250, "basis": "某条例"}]
    save(where, "more", {"questions-1-a": "二十个工作日。", "questions-2-gone": "1"}, who=CENTRE)
    assert own_of(where)["questions"] == [{"q": "多久能办好？", "a": "二十个工作日。"}]
    save(where, "ask", {f"materials-{n:02d}-gone": "1" for n in range(1, 5)}, who=CENTRE)
    assert own_of(where).get("materials") is None, "nothing above lists any"


def own_of(where: str) -> dict[str, Any]:
    return dict(changes.one(actor(CENTRE), identifier(where)).own)


def test_all_materials_deleted_below_a_list_says_none_and_can_be_restored() -> None:
    where = begin()
    save(where, "ask", {f"materials-{n:02d}-gone": "1" for n in range(1, 4)})
    assert own(where) == {"materials": []}
    save(where, "ask", {"restore": "materials"})
    assert own(where) == {}


def test_a_flow_is_listed_from_its_template_changed_and_left_again() -> None:
    where = begin()
    page = text(sign_in(DRAFTER).get(f"{where}/edit", {"part": "flow"}))
    assert "按模板“一般许可”" in page
    assert "15 个工作日" in page
    answer = save(where, "flow", {}, do="unfold")
    assert answer["Location"].endswith("#e-steps")
    assert [one["code"] for one in own(where)["steps"]] == ["review", "decide"]
    more = {
        "steps-+1-name": "现场核查", "steps-+1-role": "review", "steps-+1-order": "1.5",
        "steps-+1-after": "1", "steps-decide-after": "1.5", "steps-review-value": "10",
        "steps-+1-value": "5",
    }  # fmt: skip
    save(where, "flow", more)
    steps = own(where)["steps"]
    assert [(one["code"], one.get("after", [])) for one in steps] == [
        ("review", []), ("s1", ["review"]), ("decide", ["s1"]),
    ]  # fmt: skip
    page = text(sign_in(DRAFTER).get(f"{where}/edit", {"part": "flow"}))
    assert "多了环节“现场核查”" in page
    assert "环节“决定”的先后与模板不同" in page
    save(where, "flow", {"restore": "steps", "template": "site"})
    assert own(where) == {"template": "site"}


def test_a_blank_form_is_sent_in_shown_and_taken_away() -> None:
    where, client = begin(), sign_in(DRAFTER)
    answer = save(where, "ask", {"more": "01"}, client=client)
    there = answer["Location"]
    page = Page(client.get(there))
    form: dict[str, Any] = page.form(f"{where}/material") | {"standard": "加盖公章"}
    sent = client.post(
        f"{where}/material", form | {"blank": SimpleUploadedFile("取水申请书.pdf", PDF)}
    )
    assert sent.status_code == 302, text(sent)
    row = own(where)["materials"][0]
    assert row["standard"] == "加盖公章"
    given = client.get(f"{where}/files/{row['blank']}")
    assert (given.status_code, given.content) == (200, PDF)
    assert "attachment" in given["Content-Disposition"]
    page = Page(client.get(there))
    assert "取水申请书.pdf" in page.text
    bad = page.form(f"{where}/material") | {"sample": SimpleUploadedFile("x.exe", b"MZ" * 50)}
    refused = client.post(f"{where}/material", bad | {"fill": "按表填写"})
    assert refused.status_code == 422
    assert "按表填写" in text(refused), "what was typed is kept"
    assert own(where)["materials"][0]["fill"] == "按表填写"
    form = Page(client.get(there)).form(f"{where}/material") | {"blank-gone": "1"}
    assert client.post(f"{where}/material", form).status_code == 302
    assert "blank" not in own(where)["materials"][0]


def test_two_editors_of_one_part_lose_nothing_and_of_two_parts_meet_no_wall() -> None:
    where = begin()
    one, other = sign_in(DRAFTER), sign_in("p-water-head")
    mine = Page(one.get(f"{where}/edit", {"part": "time"}))
    beside = Page(one.get(f"{where}/edit", {"part": "where"}))
    assert save(where, "time", {"promised-value": "15"}, client=other).status_code == 302
    answer = save(where, "time", {"promised-value": "12"}, client=one, page=mine)
    assert answer.status_code == 409
    stale = Page(answer)
    assert "别人先保存了" in stale.text
    assert "15 个工作日" in stale.text, "what they saved"
    assert '<a href="#e-promised">承诺办结时限</a>' in stale.text
    assert stale.form(f"{where}/edit")["promised-value"] == ["12"], "what was typed"
    assert own(where)["promised"]["value"] == 15
    answer = save(where, "where", {"phone": "027-1"}, client=one, page=beside)
    assert answer.status_code == 302, "another part was not touched"
    fresh = Page(save(where, "time", {"promised-value": "12"}, client=one, page=mine))
    assert save(where, "time", {}, client=one, page=fresh).status_code == 302
    assert (own(where)["promised"]["value"], own(where)["phone"]) == (12, "027-1")


def test_a_draft_that_was_submitted_meanwhile_gives_back_what_was_typed() -> None:
    where = begin()
    save(where, "where", {"phone": "027-1"})
    page = Page(sign_in(DRAFTER).get(f"{where}/edit", {"part": "where"}))
    act(where, DRAFTER, "submitted")
    answer = save(where, "where", {"phone": "027-2"}, page=page)
    assert answer.status_code == 422
    assert "027-2" in text(answer)
    assert "待中心审核" in text(answer)


# --- what is refused ----------------------------------------------------------------------------


def row(code: str, number: int, **parts: str) -> dict[str, str]:
    return {f"{code}-+{number}-{part}": value for part, value in parts.items()}


BROKEN: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("flow", row("steps", 1, name="复核", order="1", after="2", role="review")
     | row("steps", 2, name="再核", order="2", after="1", role="review"), "steps", "永远办不完"),
    ("flow", row("steps", 1, name="复核", value="2"), "steps", "环节“复核”没有岗位"),
    ("flow", row("steps", 1, name="复核", role="review", after="9"), "steps", "没有这个序号"),
    ("flow", row("steps", 1, name="复核", role="review", value="三天"), "steps", "期限应当是整数"),
    ("flow", row("steps", 1, name="复核", role="review", value="21"), "steps", "超过承诺的"),
    ("flow", {"visits": "两次"}, "visits", "0 到 99 的整数"),
    ("flow", {"visits": "9"}, "visits", "只能减少"),
    ("time", {"promised-unit": "calendar_day", "promised-value": "30"}, "promised", "单位不同"),
    ("time", {"promised-value": "60"}, "promised", "只能缩短，不能延长"),
    ("time", {"promised-value": "-1"}, "promised", "不能是负数"),
    ("time", {"promised-unit": "fortnight"}, "promised", "期限单位"),
    ("time", {"kind": "tomorrow"}, "kind", "没有“tomorrow”这一项"),
    ("ask", {f"materials-+{n}-name": f"材料{n}" for n in range(1, 59)}, "materials", "最多 60 项"),
    ("ask", row("materials", 1, name="取水申请书"), "materials", "重名"),
    ("ask", {"materials-01-copies": "一份"}, "materials", "0 到 99 的整数"),
    ("ask", row("materials", 1, name="保证书", basis="某文"), "materials", "不能多要"),
    ("fee", row("fees", 1, name="工本费", yuan="5.555"), "fees", "不是钱数"),
    ("more", row("questions", 1, q="要多久？"), "questions", "没有问或者没有答"),
    ("where", {"phone": "1" * 101, "traffic": "乘 1 路"}, "phone", "最多 100 个字"),
    ("where", {"channels": ["7"], "traffic": "乘 1 路"}, "channels", "没有“7”这一项"),
    ("base", {"themes": ["P99"]}, "themes", "列表之外"),
    ("force", {"since": "2026-02-30"}, "since", "不能用"),
    ("force", {"since": "1000-01-01"}, "since", "不能用"),
)  # fmt: skip
# What is not in a list cannot be shown in it again; the sentence names it.
NOT_SHOWN = {"kind", "channels", "themes", "promised-unit"}


def test_what_breaks_a_rule_comes_back_at_its_field_with_what_was_typed() -> None:
    where, client = begin(), sign_in(DRAFTER)
    for part, changed, field, rule in BROKEN:
        page = Page(save(where, part, changed, do="check", client=client))
        assert page.status == 422, (part, changed)
        assert "<title>错误：" in page.text
        assert rule in page.text, (part, changed)
        assert f'href="#{"i-since" if field == "since" else f"e-{field}"}"' in page.text, rule
        sent = page.form(f"{where}/edit")
        for name, value in changed.items():
            if name not in NOT_SHOWN and name.replace("+", "") == name:
                assert sent[name] == [value], (name, "is lost")
        if NOT_SHOWN.isdisjoint(changed):
            shown = {value for values in sent.values() for value in values}
            assert set(changed.values()) <= shown, (part, "something typed is lost")
        if part == "where":
            assert own(where)["traffic"] == "乘 1 路", "what can be kept is kept"
        fresh(where)


def fresh(where: str) -> None:
    """The draft as it was begun."""
    by = actor(DRAFTER)
    change = changes.one(by, identifier(where))
    blank = changes.Revision(own={})
    changes.revise(by, change.id, blank, version=change.version, key=str(uuid4()), at=now())


def test_days_of_force_that_overlap_are_refused_at_the_day() -> None:
    first = begin()
    save(first, "where", {"phone": "027-1"})
    listed(first)
    publish(first, CENTRE, today(10))
    where = begin()
    save(where, "where", {"phone": "027-2"})
    answer = save(where, "force", {"since": str(today(5))}, do="check")
    assert answer.status_code == 422
    page = text(answer)
    assert "期间不能重叠" in page
    assert 'href="#i-since"' in page


def test_an_outdated_draft_says_so_and_is_moved_by_one_button() -> None:
    late, first = begin(), begin()
    save(late, "where", {"phone": "027-2"})
    save(first, "time", {"promised-value": "15"})
    listed(first)
    publish(first, CENTRE, today(3))
    client = sign_in(DRAFTER)
    page = Page(client.get(late))
    assert "起草以后又发布了第 3 版" in page.text
    differ = page.text[page.text.index("改了什么") : page.text.index("在办的办件")]
    assert "和第 2 版比，1 个要素不同" in differ, "only what the drafter changed"
    form = page.form(late) | {"do": "rebase"}
    assert [client.post(late, form).status_code for _ in range(2)] == [302, 302]
    moved = changes.one(actor(DRAFTER), identifier(late))
    assert (moved.onto, moved.own["phone"], moved.own["promised"]["value"]) == (3, "027-2", 15)


def test_a_retirement_asks_only_for_its_day_and_keeps_the_history() -> None:
    where = begin(purpose="retire")
    page = Page(sign_in(DRAFTER).get(f"{where}/edit", {"part": "ask"}))
    assert "materials-01-name" not in page.form(f"{where}/edit")
    assert "取消以前收到的办件按原来的版本办完" in page.text
    assert save(where, "force", {"since": str(today(4))}, do="check").status_code == 302
    assert "起不再受理" in text(sign_in(DRAFTER).get(where))
    listed(where)
    publish(where, CENTRE, today(4))
    assert "已经取消" in text(sign_in(CENTRE).get(where))
    assert queries.in_force(ITEM, today(4)) is None
    assert "已经取消，不能修改" in text(sign_in(DRAFTER).get(BEGIN, {"item": ITEM}))


def test_a_returned_draft_says_why_and_to_publish_on_another_day_means_looking_again() -> None:
    where = begin()
    save(where, "where", {"phone": "027-2"})
    act(where, DRAFTER, "submitted")
    assert act(where, CENTRE, "returned", reason=" ").status_code == 422
    assert act(where, CENTRE, "returned", reason="电话没有区号").status_code == 302
    assert "电话没有区号" in text(sign_in(DRAFTER).get(f"{where}/edit"))
    listed(where)
    client = sign_in(CENTRE)
    form = Page(client.get(where)).form(where, "seen")
    answer = client.post(where, form | {"do": "published", "since": str(today(8))})
    assert answer.status_code == 422
    assert "已按新的日期预览" in text(answer)
    assert act(where, SECOND, "returned", reason="另一个人").status_code == 302


def test_the_approval_needs_its_number_and_a_day_that_has_come() -> None:
    where = begin()
    save(where, "where", {"phone": "027-2"})
    for who, do in ((DRAFTER, "submitted"), (CENTRE, "checked"), (LEGAL, "approved")):
        act(where, who, do)
    number = "江政发〔2026〕18号"
    for given, sentence in (
        ({"number": "", "on": "2026-11-20"}, "请填写市政府批准清单的文号"),
        ({"number": "号" * 81, "on": "2026-11-20"}, "最多 80 个字"),
        ({"number": number, "on": ""}, "请填写批准日期"),
        ({"number": number, "on": "昨天"}, "批准日期"),
        ({"number": number, "on": "2099-01-01"}, "还没有到"),
    ):
        answer = act(where, SECOND, "listed", **given)
        assert answer.status_code == 422, given
        assert sentence in text(answer), given


def test_where_a_new_item_belongs_is_said_or_refused() -> None:
    client = sign_in(DRAFTER)
    form = Page(client.get(BEGIN, {"new": "1"})).form(BEGIN)
    for given, field in (
        ({"item_code": ""}, "id_item_code"),
        ({"item_code": "取水"}, "id_item_code"),
        ({"item_code": ITEM}, "id_item_code"),
        ({"item_code": "x" * 41}, "id_item_code"),
        ({"name": ""}, "id_name"),
        ({"name": "名" * 201}, "id_name"),
        ({"level": "province"}, "id_level"),
        ({"level": "moon"}, "id_level"),
        ({"agency": "420100-market"}, "id_agency"),
        ({"above": "C.NONE"}, "id_above"),
        ({"above": "P.XK0036"}, "id_above"),
        ({"above": CITY_LIST}, "id_above"),
        ({"level": "city", "above": "P.XK0036"}, "id_above"),
    ):
        answer = client.post(BEGIN, form | {"name": "新事项", "item_code": "GG9001"} | given)
        assert answer.status_code == 422, given
        assert f'href="#{field}"' in text(answer), given
    assert changes.listed(actor(DRAFTER)).total == 0


def test_a_district_takes_up_the_citys_item_and_inherits_it() -> None:
    client = sign_in("p-d102-reviewer")
    form = Page(client.get(BEGIN, {"copy": ITEM})).form(BEGIN)
    assert (form["above"], form["item_code"]) == ([CITY_LIST], ["XK0036-420102"])
    answer = client.post(BEGIN, form)
    assert answer.status_code == 302, text(answer)
    where = answer["Location"].removesuffix("/edit")
    change = changes.one(actor("p-d102-reviewer"), identifier(where))
    assert (change.own, change.base, change.region, change.name) == ({}, ITEM, "420102", "取水许可")
    page = text(client.get(answer["Location"]))
    assert "全市一致" in page
    assert 'name="name"' not in page, "the name is the list's"
    assert act(where, "p-d102-reviewer", "submitted").status_code == 302


def test_an_item_stands_once_on_a_list() -> None:
    twin = Release(
        code="C.OTHER", base=ITEM, level=Level.CITY, region="420100", agency="420100-water",
        own={"kind": "immediate"}, since=today(1), above="P.XK0036",
    )  # fmt: skip
    (outcome,) = services.plan([twin], at=now())
    assert [one.code for one in outcome.faults] == ["item.listed_twice"]
    with pytest.raises(Refusals):
        services.publish_all([twin], by=None, at=now(), whole=True)


def test_a_changed_basis_is_a_difference_that_is_shown() -> None:
    row = {"code": "01", "name": "申请书", "basis": "条例 第三条"}
    (found,) = guide.differences(
        {"materials": [row]}, {"materials": [row | {"basis": "条例 第五条"}]}
    )
    assert ("第三条" in found.before, "第五条" in found.after) == (True, True)
    old, new = diff.lines(found.before, found.after)
    assert [piece.text for piece in old.pieces if piece.mark] == ["三"]
    assert [piece.text for piece in new.pieces if piece.mark] == ["五"]
    whole = diff.lines("一\n二\n三", "一\n三\n四")
    assert [(one.what, one.pieces[0].text) for one in whole] == [
        ("same", "一"), ("gone", "二"), ("same", "三"), ("new", "四"),
    ]  # fmt: skip


# --- many at once -------------------------------------------------------------------------------


def test_many_are_checked_with_one_confirmation_or_none_of_them() -> None:
    waiting = [begin(item=item) for item in (ITEM, "XK0037")]
    for where in waiting:
        save(where, "where", {"phone": "027-1"})
    drafter, centre = sign_in(DRAFTER), sign_in(CENTRE)
    page = Page(drafter.get(LIST))
    assert "等我办理" in page.text
    ticked = re.findall(r'name="change" value="([^"]+)"', page.text)
    assert len(ticked) == 2
    look = Page(drafter.get(f"{LIST}/step", {"act": "submitted", "change": ticked}))
    assert "提交中心审核：2 项" in look.text
    form = look.form(f"{LIST}/step")
    assert drafter.post(f"{LIST}/step", form).status_code == 302
    page = Page(centre.get(LIST))
    assert "审核通过" in page.text
    ticked = re.findall(r'name="change" value="([^"]+)"', page.text)
    form = Page(centre.get(f"{LIST}/step", {"act": "checked", "change": ticked})).form(
        f"{LIST}/step"
    )
    act(waiting[0], CENTRE, "returned", reason="先改")
    answer = centre.post(f"{LIST}/step", form)
    assert answer.status_code == 422, "none of them"
    assert changes.one(actor(CENTRE), identifier(waiting[1])).state == "submitted"
    left = Page(centre.get(f"{LIST}/step", {"act": "checked", "change": ticked}))
    assert "不能：不在这一步" in left.text
    assert centre.post(f"{LIST}/step", left.form(f"{LIST}/step")).status_code == 302
    assert changes.one(actor(CENTRE), identifier(waiting[1])).state == "checked"
    none = centre.get(f"{LIST}/step", {"act": "checked", "change": ["x", "1:2"]})
    assert none["Location"] == LIST


def test_of_many_the_page_says_which_one_the_rules_refuse() -> None:
    good, bad = begin(), begin(item="XK0037")
    save(good, "where", {"phone": "027-1"})
    save(bad, "time", {"promised-value": "300"})
    client = sign_in(DRAFTER)
    ticked = [f"{identifier(where)}:2" for where in (good, bad)]
    form = Page(client.get(f"{LIST}/step", {"act": "submitted", "change": ticked})).form(
        f"{LIST}/step"
    )
    answer = client.post(f"{LIST}/step", form)
    assert answer.status_code == 422
    page = text(answer)
    line = page[page.index(str(identifier(bad))) :]
    assert "只能缩短，不能延长" in line[: line.index("</tr>")]
    assert "可以" in page[page.index(str(identifier(good))) : page.index(str(identifier(bad)))]


def test_the_list_is_searched_filtered_and_says_what_to_do_when_empty() -> None:
    client = sign_in(DRAFTER)
    assert "要新增、修改或者取消事项，请" in text(client.get(LIST))
    begin()
    for asked in ({"q": "取水"}, {"q": ITEM}, {"state": "drafting"}, {"state": "x", "page": "x"}):
        assert '<td data-l="变更">修改' in text(client.get(LIST, asked)), asked
    assert "没有符合条件的变更" in text(client.get(LIST, {"q": "没有这个词"}))
    assert "这个状态下没有变更" in text(client.get(LIST, {"state": "listed"}))
    assert client.get(BEGIN, {"item": "NONE"}).status_code == 404
    assert client.get(BEGIN, {"copy": "NONE"}).status_code == 302
    assert "取水许可" in text(client.get(BEGIN, {"q": "取水"}))
    assert "已有没办完的变更" in text(client.get(BEGIN, {"item": ITEM}))


# --- naughty strings, and how much is asked -----------------------------------------------------


def test_no_naughty_string_in_any_field_is_a_fault_of_ours_or_lost() -> None:
    if not NAUGHTY.exists():
        pytest.skip("the naughty strings are not on this machine")
    strings = json.loads(NAUGHTY.read_text("utf-8"))
    where, client = begin(CENTRE, CITY_LIST), sign_in(CENTRE)
    fixed = {"csrfmiddlewaretoken", "part", "seen", "version"}
    for part in editor.PARTS:
        page = Page(client.get(f"{where}/edit", {"part": part.slug}))
        fields = [one for one in page.form(f"{where}/edit") if one not in fixed]
        for turn in range(40 if DRILL else 2):  # every field another string, every turn others
            given = {
                one: strings[(number * 7 + turn * 251) % len(strings)]
                for number, one in enumerate(fields)
            }
            answer = save(where, part.slug, given, client=client, page=page, do="check")
            assert answer.status_code in (302, 409, 422), (part.slug, given)
            if answer.status_code == 302:
                answer = client.get(f"{where}/edit", {"part": part.slug})
                assert answer.status_code == 200, (part.slug, given)
            page = Page(answer)
    assert client.get(where).status_code == 200
    for string in strings[:: 4 if DRILL else 110]:
        new = dict.fromkeys(("name", "item_code", "level", "agency", "above", "copy_of"), string)
        step = dict.fromkeys(("number", "on", "since", "seen", "version", "do"), string)
        for address, sent in (
            (BEGIN, {"item": string, "purpose": string, "key": string}),
            (BEGIN, new),
            (where, step),
            (f"{LIST}/step", {"act": "returned", "change": string, "reason": string}),
        ):
            assert client.post(address, sent).status_code in (302, 404, 422), (address, string)
        asked = ("q", "state", "batch", "page", "item", "copy", "since", "of")
        for address in (LIST, BEGIN, where):
            answer = client.get(address, dict.fromkeys(asked, string))
            assert answer.status_code in (200, 302, 404), (address, string)


def test_the_list_asks_at_most_twelve_questions_and_a_change_twenty_five() -> None:
    for item in (ITEM, "XK0037", "XK0038"):
        save(begin(item=item), "where", {"phone": "027-1"})
    where = begin(CENTRE, CITY_LIST)
    save(where, "time", {"promised-value": "12"}, who=CENTRE)
    for who in (DRAFTER, CENTRE, LEGAL):
        client = sign_in(who)
        client.get(LIST)
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST, {"state": "open"})
        assert len(asked) <= 12, "\n".join(one["sql"][:160] for one in asked.captured_queries)
    for who in (CENTRE, LEGAL):
        client = sign_in(who)
        client.get(where)
        with CaptureQueriesContext(connection) as asked:
            client.get(where)
        assert len(asked) <= 25, "\n".join(one["sql"][:160] for one in asked.captured_queries)
