"""Every kind of paper says what the law wants, in words for the law and in words for people."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.documents.samples import AT, REASONS, facts, number, paper
from zhengwu.documents import services, wording
from zhengwu.documents.kinds import KINDS, Kind, title
from zhengwu.domain.refusal import Refusal

EVERY = pytest.mark.parametrize("kind", list(Kind))
# What each must cite of the 行政许可法. A withdrawal and a termination have no article in it.
ARTICLES = {
    Kind.RECEIPT: "第三十二条第一款第（四）项",
    Kind.ACCEPTANCE_NOTICE: "第三十二条第一款第（五）项",
    Kind.SUPPLEMENT_NOTICE: "第三十二条第一款第（四）项",
    Kind.NOT_NEEDED_NOTICE: "第三十二条第一款第（一）项",
    Kind.NOT_OURS_DECISION: "第三十二条第一款第（二）项",
    Kind.SPECIAL_NOTICE: "第四十五条",
    Kind.EXTENSION_NOTICE: "第四十二条第一款",
    Kind.FORWARDING_LETTER: "第三十五条、第四十三条",
    Kind.DECISION: "第三十八条第二款",
    Kind.DELIVERY_RECORD: "第四十四条",
    Kind.REVOCATION: "第六十九条",
    Kind.CORRECTION: "第三十八条第二款",
}
REFUSING = (
    Kind.NOT_NEEDED_NOTICE,
    Kind.NOT_OURS_DECISION,
    Kind.DECISION,
    Kind.TERMINATION,
    Kind.REVOCATION,
)
JARGON = re.compile("依据|第.{1,4}条|行政复议|行政诉讼|申请人|受送达人|本机关|法定|期限|事项")


def words(data: Any) -> str:
    """Everything in the data that gets onto paper, but the plain twin."""
    if isinstance(data, str):
        return data + "\n"
    if isinstance(data, dict):
        return "".join(words(value) for key, value in data.items() if key != "plain")
    return "".join(words(value) for value in data) if isinstance(data, list) else ""


@EVERY
def test_each_kind_has_its_title_and_its_word_in_numbers(kind: Kind) -> None:
    data = paper(kind)
    assert data["kind"] == kind
    assert data["title"] == (
        "不予行政许可决定书（更正件）"
        if kind is Kind.CORRECTION
        else title(kind, outcome=data["outcome"])
    )
    assert number(kind) == f"江水许{KINDS[kind].word}字〔2026〕第00017号"


def test_no_two_kinds_share_a_word() -> None:
    assert len({row.word for row in KINDS.values()}) == len(Kind)


@pytest.mark.parametrize(("kind", "article"), ARTICLES.items())
def test_each_kind_cites_its_article(kind: Kind, article: str) -> None:
    assert f"《中华人民共和国行政许可法》{article}" in words(paper(kind))


@EVERY
def test_what_is_no_licence_never_cites_the_licensing_law(kind: Kind) -> None:
    of = replace(facts(), item_type="行政确认", item="水利工程确认")
    assert "行政许可法" not in words(paper(kind, of))


@EVERY
def test_the_plain_twin_is_short_and_without_jargon(kind: Kind) -> None:
    plain = paper(kind)["plain"]
    assert 2 <= len(plain) <= 5
    assert [text for text in plain if JARGON.search(text)] == []
    assert max(len(text) for text in plain) < 80
    assert "B-23 窗口" in plain[-1]


@pytest.mark.parametrize("kind", REFUSING)
def test_who_refuses_names_the_remedies_of_the_day(kind: Kind) -> None:
    said = words(paper(kind))
    assert "第二十条向本级人民政府申请行政复议" in said
    assert "六个月内" in said
    assert "60 天" in "".join(paper(kind)["plain"])


def test_an_old_refusal_names_the_remedies_of_its_own_day() -> None:
    then = datetime(2009, 9, 21, 2, tzinfo=UTC)
    old = wording.decision(facts(), issued=then, outcome="refused", reasons="x")
    assert "三个月内" in words(old)
    assert "第九条" in words(old)


def test_a_supplement_notice_says_of_each_material_why() -> None:
    rows = paper(Kind.SUPPLEMENT_NOTICE)["table"]["rows"]
    assert [row[2:] for row in rows] == [["不合格", REASONS], ["缺", "未提交，请补交。"]]
    with pytest.raises(Refusal, match="why_missing"):
        wording.supplement_notice(
            facts(), issued=AT, missing=[{"name": "图纸", "state": "faulty", "why": " "}]
        )
    with pytest.raises(Refusal, match="nothing_missing"):
        wording.supplement_notice(facts(), issued=AT, missing=[])


def test_a_second_supplement_notice_says_why_there_is_one() -> None:
    again = wording.supplement_notice(
        facts(), issued=AT, missing=[{"name": "图纸", "state": "missing", "why": ""}], again="漏告"
    )
    assert "再次告知的原因：漏告" in words(again)


def test_a_receipt_shows_all_four_states() -> None:
    rows = paper(Kind.RECEIPT)["table"]["rows"]
    assert [row[2] for row in rows] == ["已收", "不合格", "缺", "本市已有，不用交", "已收"]


def test_a_special_procedure_tells_its_days_and_its_day() -> None:
    said = words(paper(Kind.SPECIAL_NOTICE))
    assert "15 个工作日" in said
    assert "2026 年 10 月 20 日" in said


def test_an_extension_tells_why_who_and_until_when() -> None:
    said = words(paper(Kind.EXTENSION_NOTICE))
    assert REASONS in said
    assert "经本机关负责人（张明）批准" in said
    assert "2026 年 11 月 4 日" in said


def test_a_joint_extension_is_the_governments() -> None:
    said = words(
        wording.extension_notice(
            facts(), issued=AT, days=15, due=None, reasons="x", head="", joint=True
        )
    )
    assert "第四十二条第二款" in said
    assert "本级人民政府负责人批准" in said


@pytest.mark.parametrize(
    ("act", "name", "article"),
    [
        ("revoked", "撤销行政许可决定书", "第六十九条"),
        ("cancelled", "注销行政许可决定书", "第七十条"),
        ("taken_back", "撤回行政许可决定书", "第八条第二款"),
    ],
)
def test_a_decision_ends_in_three_ways(act: str, name: str, article: str) -> None:
    data = wording.revocation(
        facts(), issued=AT, act=act, reasons="x", of="江水许决字〔2026〕第1号"
    )
    assert data["title"] == name
    assert f"《中华人民共和国行政许可法》{article}" in words(data)
    assert ("给予补偿" in words(data)) == (act == "taken_back")


@pytest.mark.parametrize(
    "kind",
    [
        Kind.SUPPLEMENT_NOTICE,
        Kind.SPECIAL_NOTICE,
        Kind.EXTENSION_NOTICE,
        Kind.FORWARDING_LETTER,
        Kind.DELIVERY_RECORD,
        *REFUSING,
    ],
)
def test_a_missing_reason_is_a_refusal(kind: Kind) -> None:
    with pytest.raises(Refusal):
        paper(kind, text=" \n ")


@pytest.mark.parametrize(
    ("basis", "cited"),
    [
        ("水法 第38条; 防洪法 第27条", "《水法》第三十八条、《防洪法》第二十七条"),
        ("食品安全法(2021) 第35条", "《食品安全法》第三十五条"),
        ("国务院令505号 第12-14条", "国务院令505号第十二条至第十四条"),
        ("取水许可和水资源费征收管理条例 第十四条", "《取水许可和水资源费征收管理条例》第十四条"),
        ("《水法》第四十八条第一款", "《水法》第四十八条第一款"),
        ("取消", ""),
        ("省市文件", ""),
    ],
)
def test_a_basis_is_cited_as_statutes_are(basis: str, cited: str) -> None:
    assert wording.basis_words(basis) == cited


def test_prepare_takes_a_number_by_agency_kind_and_year() -> None:
    at = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)  # New Year's Day in Shanghai
    of = facts()
    prepared = services.prepare(Kind.RECEIPT, facts=of, at=at, data=paper(Kind.RECEIPT, of))
    taken = prepared.number
    assert (taken.series_agency, taken.series_kind, taken.year) == ("water", "receipt", 2027)
    assert taken.prefix == "江水许收字〔2027〕第"
    with pytest.raises(ValueError, match="decision"):
        services.prepare(Kind.RECEIPT, facts=of, at=at, data=paper(Kind.DECISION, of))


def test_one_series_counts_what_bears_one_printed_word() -> None:
    at = datetime(2026, 9, 14, tzinfo=UTC)
    counted: dict[str, set[str]] = {}
    for item_type in ("行政许可", "行政确认", "公共服务"):
        of = replace(facts(), item_type=item_type)
        taken = services.prepare(Kind.RECEIPT, facts=of, at=at, data=paper(Kind.RECEIPT, of)).number
        counted.setdefault(taken.series_kind, set()).add(taken.prefix)
    assert sorted(map(sorted, counted.values())) == [
        ["江水收字〔2026〕第"],
        ["江水许收字〔2026〕第"],
    ]


# --- 更正 ------------------------------------------------------------------------------------


def corrected(*changes: tuple[str, str], original: dict[str, Any] | None = None) -> dict[str, Any]:
    return wording.correction(
        original or paper(Kind.DECISION),
        issued=datetime(2026, 9, 25, tzinfo=UTC),
        of="江水许决字〔2026〕第00017号",
        title_of="行政许可决定书",
        changes=changes,
        reasons="录入笔误",
    )


def test_a_correction_is_the_whole_paper_put_right() -> None:
    data = corrected(("清源", "清原"), ("91420100MA4KX0000X", "91420100MA4KX1111X"))
    assert data["applicant"]["name"] == data["addressee"] == "江城清原水务有限公司"
    assert "91420100MA4KX1111X" in data["paragraphs"][0]
    assert "清源" not in words(data | {"corrects": {}})
    assert data["corrects"]["number"] == "江水许决字〔2026〕第00017号"
    assert data["corrects"]["changes"][0] == ["清源", "清原"]
    assert data["kind"] == "correction"


def test_a_correction_refuses_a_text_that_is_not_there() -> None:
    with pytest.raises(Refusal, match="wrong_not_found"):
        corrected(("清泉", "清源"))
    with pytest.raises(Refusal, match="wrong_not_found"):
        corrected(("清源", "清原"), ("清源", "清泉"))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("不予行政许可", "准予行政许可"),
        ("决定不予", "决定给予"),
        ("受理", "收到"),
        ("超过该流域", "不符合该流域"),
        ("可以自收到", "不得自收到"),
    ],
)
def test_a_correction_cannot_change_what_was_decided(wrong: str, right: str) -> None:
    with pytest.raises(Refusal, match="outcome_corrected"):
        corrected((wrong, right))


@pytest.mark.parametrize("changes", [(), (("清源", "清源"),), (("", "x"),), (("清源", " "),)])
def test_a_correction_without_a_change_is_refused(changes: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(Refusal):
        corrected(*changes)


def test_a_paper_of_the_first_template_can_be_corrected() -> None:
    old = {
        "kind": "acceptance_notice",
        "title": "受理通知书",
        "agency_name": "江城市水务局",
        "case": "C-1",
        "item": "取水许可",
        "outcome": None,
        "applicant": {"kind": "person", "name": "李梅", "id_number": "", "agent": ""},
        "issued_words": "2026 年 9 月 21 日",
        "paragraphs": ["你提出的“取水许可”申请，现予受理。"],
        "materials": [{"name": "申请书", "form": "原件", "copies": 1}],
        "contact": "",
    }
    data = corrected(("申请书", "申请表"), original=old)
    assert data["table"]["rows"] == [["1", "申请表", "原件", "1"]]


def test_a_correction_can_itself_be_corrected() -> None:
    twice = corrected(("清原", "清元"), original=corrected(("清源", "清原")))
    assert twice["applicant"]["name"] == "江城清元水务有限公司"
    assert twice["title"] == "不予行政许可决定书（更正件）"
    assert len(twice["plain"]) <= 5


def test_a_correction_has_the_form_of_what_it_corrects() -> None:
    form = corrected(("李小梅", "李晓梅"), original=paper(Kind.DELIVERY_RECORD, text="李小梅"))
    assert wording.form_of(form) == wording.form_of(corrected(("李晓梅", "李小妹"), original=form))
    prepared = services.prepare(Kind.CORRECTION, facts=facts(), at=AT, data=form)
    assert prepared.template == KINDS[Kind.DELIVERY_RECORD].template
    assert form["title"] == "送达回证（更正件）"


def test_days_that_are_none_are_refused() -> None:
    with pytest.raises(Refusal, match=r"documents\.days"):
        wording.special_notice(
            facts(), issued=AT, procedure_zh="检测", days=0, until=date(2026, 9, 30), reasons="x"
        )
