"""Legal bases read into citations, and statutes cut into articles."""

from __future__ import annotations

import csv
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.domain import citations
from zhengwu.domain.citations import Article, Citation, article_zh, parse, pieces, split_law
from zhengwu.domain.refusal import Refusal

HERE = Path(__file__).resolve()
ITEMS = HERE.parents[2] / "src" / "zhengwu" / "catalog" / "data" / "items.csv"
LAW = Path(os.environ.get("ZHENGWU_DATA", HERE.parents[3] / "shared" / "data")) / "law"
needs_law = pytest.mark.skipif(
    not LAW.is_dir(), reason=f"no texts of statutes in {LAW} (set ZHENGWU_DATA)"
)
LICENSING = "行政法/行政许可法(2019-04-23).md"


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "零"), (1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (42, "四十二"), (83, "八十三"),
        (100, "一百"), (101, "一百零一"), (110, "一百一十"), (115, "一百一十五"), (204, "二百零四"),
        (1001, "一千零一"), (1010, "一千零一十"), (1260, "一千二百六十"), (9999, "九千九百九十九"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_statutes_write_them(value: int, written: str) -> None:
    assert citations.number_zh(value) == written
    assert citations.number(written) == value


def test_every_number_is_read_as_it_was_written() -> None:
    for value in range(citations.HIGHEST + 1):
        assert citations.number(citations.number_zh(value)) == value


@pytest.mark.parametrize(
    ("text", "value"), [("42", 42), ("４２", 42), ("二〇", 20), ("一〇一", 101), ("两百", 200)]
)
def test_numbers_written_otherwise_are_read(text: str, value: int) -> None:
    assert citations.number(text) == value


@pytest.mark.parametrize("text", ["", "条", "十百", "百", "四十二条", "-1", "12345", "4.2"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        citations.number(text)
    assert refused.value.code == "citation.number"
    assert "请" in refused.value.sentence


@pytest.mark.parametrize("value", [-1, 10000])
def test_a_number_no_statute_has_is_not_written(value: int) -> None:
    with pytest.raises(Refusal, match=r"citation\.number"):
        citations.number_zh(value)


def test_an_article_is_called_by_its_number() -> None:
    assert article_zh(42) == "第四十二条"
    assert article_zh((120, 1)) == "第一百二十条之一"


# --- citations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "law", "articles"),
    [
        ("国务院令673号 第10条", "国务院令673号", (10,)),
        ("行政许可法 第四十二条", "行政许可法", (42,)),
        ("行政许可法第四十二条", "行政许可法", (42,)),
        ("《水法》第38条", "水法", (38,)),
        ("《中华人民共和国行政许可法》第三十二条", "行政许可法", (32,)),
        ("国务院令712号 第9-11条", "国务院令712号", (9, 10, 11)),
        ("国务院令712号 第9、12条", "国务院令712号", (9, 12)),
        ("国务院令198号 第30、31、33条", "国务院令198号", (30, 31, 33)),
        ("行政许可法 第四十二条至第四十四条", "行政许可法", (42, 43, 44)),
        ("行政许可法 第四十二条、第四十四条和第四十五条", "行政许可法", (42, 44, 45)),
        ("国务院令406号 第24条起", "国务院令406号", (24,)),
        ("行政许可法 第十四条第二款", "行政许可法", (14,)),
        ("行政许可法 第十四条第一款、第二款、第十五条", "行政许可法", (14, 15)),
        ("行政许可法 第三十二条第一款第（四）项", "行政许可法", (32,)),
        ("刑法 第一百二十条之一、第一百二十一条", "刑法", ((120, 1), 121)),
        ("国务院令412号 第101项", "国务院令412号", ()),
        ("招标投标法实施条例 第7条", "招标投标法实施条例", (7,)),
        ("国务院令350/710号 第25条", "国务院令350/710号", (25,)),
        ("国办函〔2016〕108号", "国办函〔2016〕108号", ()),
        ("主席令第七号", "主席令第七号", ()),
        ("公司法 第11-9条", "公司法", (11, 9)),
        ("公司法 第1-9999条", "公司法", (1, 9999)),
    ],
)
def test_a_basis_of_one_law_is_one_citation_of_the_whole_text(
    text: str, law: str, articles: tuple[Article, ...]
) -> None:
    first = articles[0] if articles else None
    assert parse(text) == (Citation(text, law, first, articles, 0, len(text)),)


@pytest.mark.parametrize(
    ("text", "cited", "edition"),
    [
        ("建筑法(2019修正) 第8条", "建筑法(2019修正) 第8条", "2019修正"),
        ("环境影响评价法 第22条(2018修正)", "环境影响评价法 第22条", "2018修正"),
        ("发改委令2号(2023)", "发改委令2号(2023)", "2023"),
        ("城镇燃气管理条例(583号)", "城镇燃气管理条例(583号)", "583号"),
        ("代码管理办法(质检总局令110号)", "代码管理办法(质检总局令110号)", "质检总局令110号"),
        ("《环境影响评价法（2018修正）》第22条", "《环境影响评价法（2018修正）》第22条", "2018修正"),
        ("已废止(征收条例590号)", "征收条例590号", "590号"),
        ("城乡规划法 第36条(与用地预审合并核发)", "城乡规划法 第36条", ""),
        ("国务院令654号(年报)", "国务院令654号", ""),
        ("国务院令682号取消", "国务院令682号", ""),
    ],
)  # fmt: skip
def test_a_bracket_is_an_edition_or_a_note(text: str, cited: str, edition: str) -> None:
    [one] = parse(text)
    assert (one.text, one.edition) == (cited, edition)
    assert "(" not in one.law
    assert "（" not in one.law


def test_two_laws_are_two_citations_each_with_its_place() -> None:
    text = "《水法》第38条; 防洪法 第27条"
    assert pieces(text) == (
        Citation("《水法》第38条", "水法", 38, (38,), 0, 8),
        "; ",
        Citation("防洪法 第27条", "防洪法", 27, (27,), 10, 18),
    )


def test_an_article_without_a_name_belongs_to_the_law_before() -> None:
    cited = parse("行政许可法 第42条; 第43条")
    assert [(one.law, one.article) for one in cited] == [("行政许可法", 42), ("行政许可法", 43)]
    assert parse("第43条") == ()


def test_the_words_of_a_sentence_are_no_part_of_the_name() -> None:
    text = (
        "依据《中华人民共和国行政许可法》（2003年8月27日主席令第七号公布）第四十二条：除可以当场作出"
        "决定的外，申请人依照本法第四十三条和建筑法第八条，持《营业执照》和已取得的种子法第三十一条许可办理。"
    )
    assert [(one.law, one.articles) for one in parse(text)] == [
        ("行政许可法", (42,)), ("行政许可法", (43,)), ("建筑法", (8,)), ("种子法", (31,)),
    ]  # fmt: skip
    assert [one.text for one in parse(text)][1:] == ["本法第四十三条", "建筑法第八条", "种子法第三十一条"]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "取消", "省市文件", "备案(2016修正)", "按照国务院规定", "有关法律的规定", "第十四条第二款",
     "《营业执照》", "责令停产", "法", "公司法人"],
)  # fmt: skip
def test_what_names_no_law_is_no_citation(text: str) -> None:
    assert parse(text) == ()


@given(
    st.text()
    | st.text("《》法条例令第号之款项、;；（）()-至起的本依照国务院行政许可十百千二两〇123456 \n")
    | st.lists(
        st.sampled_from(["行政许可法", "《水法》", "第四十二条", "第9-11条", "国务院令673号", "; ", "、",
                         "(2019修正)", "取消", "第二款", "之一", " ", "国发〔2004〕20号"])
    ).map("".join)
)  # fmt: skip
def test_no_text_is_lost_and_each_citation_stands_where_it_says(text: str) -> None:
    assert "".join(one if isinstance(one, str) else one.text for one in pieces(text)) == text
    at = 0
    for one in parse(text):
        assert at <= one.start < one.end
        assert text[one.start : one.end] == one.text
        assert one.article == (one.articles[0] if one.articles else None)
        at = one.end


@given(st.lists(st.integers(1, 1260), min_size=1, max_size=4, unique=True), st.booleans())
def test_articles_are_read_back_in_characters_and_in_figures(numbers: list[int], zh: bool) -> None:
    where = "、".join(article_zh(n) if zh else f"第{n}条" for n in numbers)
    [one] = parse(f"行政许可法{where}")
    assert one.articles == tuple(numbers)


def bases() -> list[str]:
    with ITEMS.open(encoding="utf-8") as file:
        next(file)  # the comment that names the source
        return [row[one] for row in csv.DictReader(file) for one in ("basis", "basis_2009")]


def test_every_basis_of_the_catalogue_is_read_without_losing_text() -> None:
    assert len(bases()) == 2 * 99
    cited: list[Citation] = []
    plain: Counter[str] = Counter()
    for text in bases():
        assert "".join(one if isinstance(one, str) else one.text for one in pieces(text)) == text
        cited += parse(text)
        plain.update(one for one in pieces(text) if isinstance(one, str))
    assert len(cited) == 217
    assert sum(one.article is not None for one in cited) == 150
    # What is left is separators, notes in brackets and words: no law and no article among them.
    left = {one for one in plain if not one.startswith("(")}
    assert left == {
        "; ", "; 企业承诺", ")", "取消", "2016年起取消", "已废止(", "省市文件", "武汉市政府文件",
        "备案(2016修正)", ": 居民3/低压8/高压单20/双45 wd",
    }  # fmt: skip
    assert not any("条" in one or "令" in one for one in plain)


# --- statutes ---------------------------------------------------------------------------------


@cache
def statute(name: str) -> str:
    return (LAW / name).read_text(encoding="utf-8")


def statutes() -> list[str]:
    return sorted(str(path.relative_to(LAW)) for path in LAW.rglob("*.md"))


@needs_law
@pytest.mark.parametrize(
    ("name", "articles"),
    [
        (LICENSING, 83),
        ("行政法/行政处罚法(2021-01-22).md", 86),
        ("行政法/城乡规划法(2019-04-23).md", 70),
        ("行政法/土地管理法(2019-08-26).md", 87),
        ("经济法/建筑法(2019-04-23).md", 85),
        ("经济法/政府采购法(2014-08-31).md", 88),
        ("民法商法/招标投标法(2017-12-27).md", 68),
        ("民法典/总则.md", 204),
        ("行政法规/优化营商环境条例(2019-10-22).md", 72),
        ("行政法规/招标投标法实施条例(2019-03-02).md", 84),
        ("诉讼与非诉讼程序法/行政复议法(2023-09-01).md", 90),
    ],
)
def test_a_statute_has_its_number_of_articles(name: str, articles: int) -> None:
    assert list(split_law(statute(name))) == list(range(1, articles + 1))


@needs_law
def test_every_statute_is_cut_without_gap_and_without_losing_a_line() -> None:
    assert len(statutes()) == 30
    for name in statutes():
        law = split_law(statute(name))
        assert list(law) == list(range(1, len(law) + 1)), name
        lines = [line.strip() for line in statute(name).split("<!-- INFO END -->")[1].splitlines()]
        body = [line for line in lines if line and not line.startswith("#")]
        cut = "".join(article_zh(number) + text for number, text in law.items())
        assert "".join(cut.split()) == "".join("".join(body).replace("\u200b", "").split()), name


@needs_law
def test_an_article_has_all_its_paragraphs_and_no_heading() -> None:
    law = split_law(statute(LICENSING))
    assert law[42].startswith("除可以当场作出行政许可决定的外")
    assert law[42].count("\n") == 1
    assert law[42].endswith("并应当将延长期限的理由告知申请人。")
    assert law[10].endswith("实施有效监督。")  # 第二章 comes next
    assert "第二章" not in "".join(law.values())


@needs_law
def test_the_articles_the_catalogue_cites_are_in_the_statutes_at_hand() -> None:
    laws = {Path(name).name.split("(")[0]: name for name in statutes()}
    found = 0
    for text in bases():
        for one in parse(text):
            if one.law in laws and one.articles:
                law = split_law(statute(laws[one.law]))
                assert set(one.articles) <= set(law), one
                found += 1
    assert found == 20


def test_what_cannot_be_seen_hides_no_article() -> None:
    assert split_law("\ufeff第一条 甲。\n\u200b第二条 乙。\n\u200b\n") == {1: "甲。", 2: "乙。"}


def test_a_reference_at_the_beginning_of_a_line_begins_no_article() -> None:
    text = (
        "# 某条例\n第一章 总则 ……目录\n\n## 第一章 总则\n\n第一条 为了规范。\n\n第二条　违反本条例第\n"
        "一条规定的，\n第一条 所称的规范，\n第五条规定的除外。\n\n### 第一节 后来\n\n第二条之一 补充。\n"
        "第三条\n（一）甲；\n（二）乙。\n第二章 附则\n**第四条** 自公布之日起施行。\n\n## 附件\n表一\n"
    )
    law = split_law(text)
    assert law == {
        1: "为了规范。",
        2: "违反本条例第\n一条规定的，\n第一条 所称的规范，\n第五条规定的除外。",
        (2, 1): "补充。",
        3: "（一）甲；\n（二）乙。",
        4: "自公布之日起施行。",
    }


@given(st.text() | st.text("第一二十百条之章 \n#*　"))
def test_any_text_is_cut_in_rising_order(text: str) -> None:
    keys = [one if isinstance(one, tuple) else (one, 0) for one in split_law(text)]
    assert keys == sorted(set(keys))
