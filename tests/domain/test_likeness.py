"""Items that look the same under two names, and what they share."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengwu.domain.likeness import Named, Pair, alike

TABLE = files("zhengwu").joinpath("catalog/data/items.csv").read_text(encoding="utf-8")
CITY = [
    row["name"]
    for row in csv.DictReader(line for line in TABLE.splitlines() if not line.startswith("#"))
]
ALL = 10**9


def named(
    name: str,
    *,
    group: str = "",
    key: str = "",
    basis: str = "",
    materials: Sequence[str] = (),
    agency: str = "",
) -> Named:
    group = group or name
    return Named(key or f"{group}/{name}", name, group, basis, frozenset(materials), agency)


def among(*names: str) -> list[Named]:
    """The items of the city, and these under base codes of their own."""
    city = [named(name, group=f"city {number}") for number, name in enumerate(CITY)]
    return city + [named(name, group=f"new {number}") for number, name in enumerate(names)]


def between(pairs: Sequence[Pair], one: str, other: str) -> Pair | None:
    return next((pair for pair in pairs if {pair.a.name, pair.b.name} == {one, other}), None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("取水许可", "取水许可证核发"),
        ("旅馆业特种行业许可", "旅馆业特种行业许可证核发"),
        ("粮食收购资格许可", "粮食收购资格备案"),
        ("公共场所卫生许可", "公共场所卫生许可证新办审批（县级）"),
        ("营业性演出审批", "举办营业性演出审批"),
        ("企业实行不定时/综合计算工时制审批", "企业实行不定时工作制和综合计算工时制审批（县级）"),
        ("建设工程消防设计审核", "特殊建设工程消防设计审查"),
    ],
)
def test_one_item_under_two_names_is_found(one: str, other: str) -> None:
    pair = between(alike(among(other)), one, other)
    assert pair is not None
    assert not pair.variant
    assert 0.6 <= pair.score < 1


@pytest.mark.parametrize("beside", [(), tuple(CITY)])
def test_the_score_holds_in_a_large_and_in_a_small_catalogue(beside: tuple[str, ...]) -> None:
    names = ("取水许可", "取水许可证核发", "食品经营许可", "药品经营许可")
    rows = [named(name) for name in dict.fromkeys((*names, *beside))]
    pairs = alike(rows, least=0.1, most=ALL)
    same, different = between(pairs, *names[:2]), between(pairs, *names[2:])
    assert same is not None
    assert same.score > 0.65
    assert different is not None
    assert different.score < 0.55


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("食品经营许可", "药品经营许可"),
        ("探矿权人名称变更登记", "采矿权人名称变更登记"),
        ("养老保险定期待遇领取资格认证", "工伤保险定期待遇领取资格认证"),
        ("建设项目环境影响报告书审批", "建设项目环境影响报告表审批"),
        ("离婚登记预约", "结婚登记预约"),
        ("民用爆炸物品购买许可", "民用爆炸物品运输许可"),
    ],
)
def test_where_each_has_a_word_of_its_own_they_are_not_the_same(one: str, other: str) -> None:
    assert between(alike(among(one, other), most=ALL), one, other) is None


def test_the_same_name_under_two_base_codes_is_the_surest() -> None:
    rows = [
        named("取水许可", group=group, key=f"{group}-{district:02}")
        for group in ("000119001000", "000219002000")
        for district in range(15)
    ]
    first, *rest = alike([*among("取水许可证核发")[:30], *rows])
    assert first.score == 1.0
    assert not first.variant
    assert (first.a.name, first.b.name) == ("取水许可", "取水许可")
    assert first.a.groups == ("000119001000",)
    assert first.b.keys == tuple(f"000219002000-{district:02}" for district in range(15))
    assert all(pair.score < 1.0 or pair.variant for pair in rest)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("拖拉机/联合收割机转入", "拖拉机\\联合收割机转入"),
        ("种子许可(县级)", "种子许可（县级）"),
        ("设置大型户外广告审批", "设置大型户外广告的审批"),
        ("《预防接种证》办理", "预防接种证办理"),
    ],
)
def test_punctuation_width_and_fillers_do_not_make_another_name(one: str, other: str) -> None:
    (pair,) = alike([named(one), named(other)])
    assert pair.score == 1.0
    assert not pair.variant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("林木采伐许可证核发", "林木采伐许可证核发（市级权限）"),
        ("医疗机构执业审批（新办）", "医疗机构执业审批（变更）"),
        ("公司设立登记", "公司变更登记"),
        ("公司变更登记", "分公司变更登记"),
        ("税务登记", "注销税务登记"),
        ("政府投资农村能源工程设计审核", "非政府投资农村能源工程设计审核"),
        ("停业登记", "停业登记（变更）"),
        ("烟草专卖零售许可证停业", "烟草专卖零售许可证歇业"),
    ],
)
def test_other_brackets_or_another_phase_make_variants(one: str, other: str) -> None:
    (pair,) = alike([named(one), named(other)])
    assert pair.variant


def test_variants_are_listed_after_all_others_and_left_out_first() -> None:
    rows = among("取水许可证核发", "公司注销登记（简易）", "旅馆业特种行业许可证核发")
    pairs = alike(rows, most=ALL)
    variants = [pair.variant for pair in pairs]
    assert variants == sorted(variants)
    true = variants.count(False)
    assert 2 <= true < len(pairs)
    assert alike(rows, most=true) == pairs[:true]
    scores = [pair.score for pair in pairs[:true]]
    assert scores == sorted(scores, reverse=True)


def test_a_phase_that_is_the_whole_matter_stays_in_the_name() -> None:
    assert alike([named("停业登记"), named("撤销登记"), named("补证")]) == ()


def test_a_name_that_is_all_in_brackets_is_a_name() -> None:
    (pair,) = alike([named("（取水许可）"), named("(取水许可)", group="other")])
    assert pair.score == 1.0


def test_what_two_names_share() -> None:
    rows = [
        named(
            "设置大型户外广告审批",
            basis="市容和环境卫生管理条例 第11条",
            materials=("效果图", "场地权属", "安全证明"),
            agency="城管",
        ),
        named(
            "城区设置大型户外广告核准",
            basis="市容和环境卫生管理条例 第11条 ",
            materials=("申请表", "场地权属", "效果图"),
            agency="住建",
        ),
    ]
    (pair,) = alike(rows, least=0.5)
    assert pair.shared.words == ("设置大型户外广告",)
    assert pair.shared.materials == ("场地权属", "效果图")
    assert pair.shared.basis == ("市容和环境卫生管理条例 第11条",)
    assert pair.shared.agency == ()


def test_what_nobody_wrote_is_not_shared() -> None:
    (pair,) = alike([named("取水许可"), named("取水许可", group="other")])
    assert (pair.shared.materials, pair.shared.basis, pair.shared.agency) == ((), (), ())


def test_rows_of_one_base_code_are_one_item_however_they_are_named() -> None:
    names = ("取水许可", "取水许可证核发", "取水许可（县级）", "取水许可证变更")
    assert alike([named(name, group="000119001000") for name in names]) == ()


def test_only_the_base_codes_that_differ_are_compared() -> None:
    rows = [
        named("取水许可", group="1"),
        named("取水许可证核发", group="1"),
        named("取水许可证核发", group="2"),
    ]
    equal, similar = alike(rows)
    assert (equal.a.groups, equal.b.groups) == (("1",), ("2",))
    assert (similar.a.name, similar.a.groups) == ("取水许可", ("1",))
    assert (similar.b.name, similar.b.groups) == ("取水许可证核发", ("2",))


def test_no_rows_and_rows_without_a_name_give_nothing() -> None:
    assert alike([]) == ()
    assert alike([named("、", group="1"), named("（）", group="2"), named("", group="3")]) == ()


parts = st.sampled_from(
    [
        *"取水食药品经营许可证核发审批变更企业投资的非",
        "（县级）",
        "（新办）",
        "(",
        "）",
        "、",
        "注销",
        "登记",
    ]
)
rows_of_names = st.lists(
    st.builds(
        lambda name, group: ("".join(name), group),
        st.lists(parts, max_size=9),
        st.sampled_from("12345678"),
    ),
    max_size=25,
)


def as_rows(found: list[tuple[str, str]]) -> list[Named]:
    return [named(name, group=group, key=str(n)) for n, (name, group) in enumerate(found)]


@given(rows_of_names, st.sampled_from((0.3, 0.6, 0.8)))
@settings(max_examples=100)
def test_nothing_with_the_score_is_missed(found: list[tuple[str, str]], least: float) -> None:
    """The names that are compared are chosen by their rarest pairs; no choice loses any."""
    every = alike(as_rows(found), least=0.001, most=ALL)
    assert alike(as_rows(found), least=least, most=ALL) == tuple(
        pair for pair in every if pair.score >= least
    )


@given(rows_of_names, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_does_not_depend_on_that_of_the_rows(
    found: list[tuple[str, str]], chance: random.Random
) -> None:
    rows = as_rows(found)
    before = alike(rows, least=0.3)
    chance.shuffle(rows)
    assert alike(rows, least=0.3) == before


@given(rows_of_names)
def test_no_base_code_and_no_row_stands_on_both_sides(found: list[tuple[str, str]]) -> None:
    group = {row.key: row.group for row in as_rows(found)}
    for pair in alike(as_rows(found), least=0.1, most=ALL):
        assert pair.a.keys
        assert pair.b.keys
        assert {group[key] for key in pair.a.keys} == set(pair.a.groups)
        assert {group[key] for key in pair.b.keys} == set(pair.b.groups)
        assert not set(pair.a.groups) & set(pair.b.groups)
        assert 0 < pair.score <= 1


def test_the_answer_is_the_same_in_every_process() -> None:
    """Sets of text come in another order in every process."""
    told = "from tests.domain.test_likeness import *; print(alike(among(), least=0.2, most=ALL))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", told],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
