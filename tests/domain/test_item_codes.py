"""Codes of service items: made and read again, real ones, faulty ones, and those that are none."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zhengwu.domain.identifiers import item_codes, organisation_check, uscc_check
from zhengwu.domain.identifiers.item_codes import ItemCode, Kind, Placeholder
from zhengwu.domain.identifiers.numbers import PROVINCES, USCC_ALPHABET
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
GUANGAN = DATA / "catalogue" / "guangan_items.json"
needs_guangan = pytest.mark.skipif(
    not GUANGAN.is_file(), reason=f"no real item codes in {GUANGAN} (set ZHENGWU_DATA)"
)

REAL = "11370800MB285591843370117002011"  # implementation code of one city's construction licence
ORGANISATION = "11511301008778183N"


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


def letters(low: int, high: int) -> st.SearchStrategy[str]:
    return st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=low, max_size=high)


@st.composite
def organisations(draw: st.DrawFn) -> str:
    """A true USCC."""
    own = draw(st.text(USCC_ALPHABET, min_size=8, max_size=8))
    region = draw(st.sampled_from(sorted(PROVINCES))) + draw(digits(4))
    first17 = f"11{region}{own}{organisation_check(own)}"
    return first17 + uscc_check(first17)


BASIC = {
    "province": st.sampled_from(["00", *sorted(PROVINCES)]),
    "type": digits(2),
    "department": digits(2),
    "main": digits(3),
    "sub": digits(3),
}
IMPLEMENTATION = {"body": organisations(), "level": st.sampled_from("1234567"), **BASIC}
HUBEI = {
    "region": digits(4).map("42{}".format),
    "body": letters(3, 3),
    "type": letters(2, 2),
    "main": digits(3),
    "sub": digits(2),
}
GB39048 = {
    # 11 to 15 and the like are provinces too: see the test of the two schemes below
    "type": st.sampled_from(["01", "02", "07", "10", "20"])
    | st.text("XKCFQZ", min_size=2, max_size=2),
    "main": digits(5),
    "sub": digits(3),
}
EVERY = st.one_of(
    st.tuples(st.just("hubei"), st.fixed_dictionaries(HUBEI)),
    st.tuples(st.just("gb39048"), st.fixed_dictionaries(GB39048)),
    st.tuples(st.just("gb39048"), st.fixed_dictionaries({**GB39048, "tail": letters(1, 14)})),
    st.tuples(st.just("national"), st.fixed_dictionaries(BASIC)),
    st.tuples(st.just("national"), st.fixed_dictionaries(IMPLEMENTATION)),
    st.tuples(
        st.just("national"),
        st.fixed_dictionaries({**IMPLEMENTATION, "suffix": digits(2) | digits(3)}),
    ),
)


def made(scheme: str, parts: Mapping[str, str]) -> ItemCode:
    try:
        return item_codes.SCHEMES[scheme].compose(**parts)
    except Refusal as refusal:
        assume(refusal.code != "item_code.placeholder")
        raise


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


@given(EVERY)
def test_what_is_composed_is_read_again_with_its_parts(one: tuple[str, Mapping[str, str]]) -> None:
    scheme, parts = one
    code = made(scheme, parts)
    assert (code.scheme, dict(code.parts), code.faults) == (scheme, dict(parts), ())
    assert item_codes.SCHEMES[scheme].parse(code.text) == code


@given(EVERY)
def test_a_code_is_recognised_however_it_is_typed(one: tuple[str, Mapping[str, str]]) -> None:
    code = made(*one)
    for text in (
        code.text,
        code.printed,
        code.text.lower(),
        wide(code.printed),
        code.printed.replace("-", "—"),
        f" {code.text[:6]} \t{code.text[6:]}\n",
    ):
        assert item_codes.read(text) == code
        assert item_codes.is_placeholder(text) is None


@given(st.text())
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    item_codes.is_placeholder(text)
    try:
        code = item_codes.read(text)
    except Refusal:
        return
    assert item_codes.read(code.text) == code


def test_the_code_of_hubei_is_printed_with_the_hyphens_of_its_rule() -> None:
    code = item_codes.read("4201000090100101")
    assert (code.scheme, code.kind) == ("hubei", Kind.IMPLEMENTATION)
    assert code.printed == "420100-009-01-001-01"
    assert code.text == "4201000090100101"
    assert dict(code.parts) == {
        "region": "420100", "body": "009", "type": "01", "main": "001", "sub": "01",
    }  # fmt: skip


def test_a_code_of_gb_39048_has_a_basic_part_and_a_tail_that_is_kept_whole() -> None:
    basic = item_codes.read("XK-00101-001")
    assert (basic.scheme, basic.kind, basic.text) == ("gb39048", Kind.BASIC, "XK00101001")
    code = item_codes.read("XK00101001" + "2520000ABCDEFG")
    assert (code.kind, code.parts["tail"], len(code.text)) == (
        Kind.IMPLEMENTATION, "2520000ABCDEFG", 24,
    )  # fmt: skip


def test_a_real_code_of_beijing_whose_sub_item_is_999_is_no_placeholder() -> None:
    code = item_codes.read("0100605999")  # 公共场所卫生许可, Haidian 2017
    assert (code.scheme, code.parts["main"], code.parts["sub"]) == ("gb39048", "00605", "999")
    assert item_codes.ITEM_TYPES[code.parts["type"]] == "行政许可"
    assert item_codes.is_placeholder("0100605999") is None


def test_the_real_code_of_the_national_platform() -> None:
    code = item_codes.read(REAL)
    assert (code.scheme, code.kind, code.faults) == ("national", Kind.IMPLEMENTATION, ())
    assert dict(code.parts) == {
        "body": "11370800MB28559184", "level": "3", "province": "37", "type": "01",
        "department": "17", "main": "002", "sub": "011",
    }  # fmt: skip
    assert item_codes.EXERCISE_LEVELS[code.parts["level"]] == "市级"
    assert item_codes.GUIDING_DEPARTMENTS[code.parts["department"]] == "住房和城乡建设"
    assert item_codes.ITEM_TYPES[code.parts["type"]] == "行政许可"
    assert item_codes.read("370117002011").kind == Kind.BASIC
    assert item_codes.NATIONAL.compose(**code.parts) == code


@pytest.mark.parametrize("suffix", ["01", "001"])
def test_the_code_of_a_way_of_handling_has_two_digits_or_three_more(suffix: str) -> None:
    code = item_codes.read("11370800MB285591843000117112000" + suffix)
    assert (code.kind, code.parts["province"], code.parts["suffix"]) == (
        Kind.HANDLING, item_codes.NATION, suffix,
    )  # fmt: skip


def test_the_length_of_the_suffix_is_a_setting() -> None:
    two_only = item_codes.national(suffix_lengths=(2,))
    assert two_only.parse(REAL + "01").kind == Kind.HANDLING
    with pytest.raises(Refusal, match=r"item_code\.length"):
        two_only.parse(REAL + "001")


def test_a_false_check_character_is_read_and_reported() -> None:
    code = item_codes.read("113708012345678915" + "4" + "370115056000")
    assert [(fault.part, fault.code) for fault in code.faults] == [("body", "item_code.uscc.check")]
    assert "请" in code.faults[0].sentence


def test_a_false_check_character_is_not_composed() -> None:
    parts = dict(item_codes.read(REAL).parts) | {"body": "11370800MB28559185"}
    with pytest.raises(Refusal) as refused:
        item_codes.NATIONAL.compose(**parts)
    assert (refused.value.code, refused.value.field) == ("item_code.uscc.check", "code")


def test_a_code_of_twelve_that_begins_with_a_province_is_the_national_one() -> None:
    assert item_codes.read("110100605999").scheme == "national"
    assert item_codes.GB39048.parse("100060599901").scheme == "gb39048"
    assert item_codes.read("100060599901").scheme == "gb39048"  # no province is 10


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "item_code.unknown"),
        ("12", "item_code.unknown"),
        ("户口", "item_code.unknown"),
        ("510100-009-01-001-01", "item_code.unknown"),
        ("420100-009-01-0A1-01", "item_code.main"),
        ("3701170020AA", "item_code.sub"),
        ("11370800MB28559184" + "9" + "370117002011", "item_code.level"),
        ("11370800MB28559184" + "3" + "990117002011", "item_code.province"),
        ("XK0010A001", "item_code.main"),
        ("511Z07001006-511602000000-000-11511301008778183N", "item_code.form"),
    ],
)
def test_what_is_no_code_is_refused_with_words_about_the_part(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        item_codes.read(text)
    assert (refused.value.code, refused.value.field) == (code, "code")
    assert "请" in refused.value.sentence


@pytest.mark.parametrize(
    ("scheme", "text", "code"),
    [
        ("hubei", "42010000901001", "item_code.length"),
        ("hubei", "3701000090100101", "item_code.region"),
        ("national", "9901170020111", "item_code.length"),
        ("national", "事项编码", "item_code.characters"),
        ("gb39048", "X100101001", "item_code.type"),
    ],
)
def test_a_scheme_refuses_the_codes_of_others(scheme: str, text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        item_codes.SCHEMES[scheme].parse(text)
    assert refused.value.code == code
    assert "请" in refused.value.sentence


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({}, "item_code.parts"),
        ({"region": "420100"}, "item_code.parts"),
        ({"region": "420100", "body": "009", "type": "01", "main": "01", "sub": "01"}, "item_code.main"),
        ({"region": "420100", "body": "009", "type": "01", "main": "000", "sub": "01"}, "item_code.placeholder"),
    ],
)  # fmt: skip
def test_what_cannot_be_composed_is_refused(parts: Mapping[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        item_codes.HUBEI.compose(**parts)
    assert refused.value.code == code
    assert "请" in refused.value.sentence


def test_the_codes_of_sichuan_are_read_only() -> None:
    with pytest.raises(Refusal, match=r"item_code\.read_only"):
        item_codes.SICHUAN.compose(item="511Z07001006")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Placeholder.BLANK),
        ("　", Placeholder.BLANK),
        ("——", Placeholder.LETTERS),
        ("待定", Placeholder.WORD),
        ("（编码待定）", Placeholder.WORD),
        ("无", Placeholder.WORD),
        ("n/a", Placeholder.WORD),
        ("XXXXXX-XXX-XX-XXX-XX", Placeholder.LETTERS),
        ("420100-xxx-01-001-01", Placeholder.LETTERS),
        ("420100-***-01-001-01", Placeholder.LETTERS),
        ("000000-000-00-000-00", Placeholder.REPEATED),
        ("1111111111111111", Placeholder.REPEATED),
        ("99999999-9", Placeholder.REPEATED),
        ("420100-009-01-000-00", Placeholder.UNNUMBERED),
        ("420100-009-01-000-01", Placeholder.UNNUMBERED),
        ("420100-009-01-999-99", Placeholder.NINES),
        ("420100-009-01-111-11", Placeholder.REPEATED),
        ("420100-000-01-001-01", Placeholder.BODY),
        ("XK00000000", Placeholder.UNNUMBERED),
        ("XK99999999", Placeholder.NINES),
        ("370117000000", Placeholder.UNNUMBERED),
        ("113708012345678915" + "4" + "370115056000", Placeholder.BODY),
        ("511A0014100002-511602000000-000-2222222222222-1-00", Placeholder.BODY),
        ("H-000185-001-4444444444", Placeholder.BODY),
        ("G-000000-001-511602000000-000-115113010833722043-1-00", Placeholder.UNNUMBERED),
        ("511Z07000000-511602000000-000-11511301008778183N-1-00", Placeholder.UNNUMBERED),
    ],
)
def test_a_placeholder_is_known_with_its_reason(text: str, reason: Placeholder) -> None:
    assert item_codes.is_placeholder(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        REAL,
        "420100-009-01-001-00",  # no sub-items: no placeholder
        "XK00101000",
        "000117112000",
        "511A0077700002-510000000000-000-8282348-1-00",  # faulty, which is something else
        "511A0080800002-511602000000-000-1151130000877869M-1-00",
        "G-000007-001-511602000000-000-115113010833722043-1-00",
    ],
)
def test_a_code_without_sub_items_or_with_a_fault_is_no_placeholder(text: str) -> None:
    assert item_codes.is_placeholder(text) is None


def test_every_reason_and_every_kind_has_words() -> None:
    assert set(item_codes.PLACEHOLDERS) == set(Placeholder)
    assert set(item_codes.KINDS) == set(Kind)
    assert len(item_codes.ITEM_TYPES) == 12
    assert list(item_codes.EXERCISE_LEVELS) == list("1234567")
    assert len(item_codes.GUIDING_DEPARTMENTS) == 22


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "511Z07001006-511602000000-000-11511301008778183N-1-00",
            {"item": "511Z07001006", "region": "511602000000", "gap": "000",
             "body": ORGANISATION, "nature": "1", "tail": "00"},
        ),
        (
            "G-000007-001-511602000000-000-115113010833722043-1-00",
            {"item": "G-000007-001", "region": "511602000000", "gap": "000",
             "body": "115113010833722043", "nature": "1", "tail": "00"},
        ),
        (
            "511A0126800000-511602000000-000-76726532-X-1-00",
            {"item": "511A0126800000", "region": "511602000000", "gap": "000",
             "body": "76726532-X", "nature": "1", "tail": "00"},
        ),
        ("E-000004-001-11511301008778386B", {"item": "E-000004-001", "body": "11511301008778386B"}),
    ],
)  # fmt: skip
def test_the_forms_of_sichuan(text: str, parts: Mapping[str, str]) -> None:
    code = item_codes.read(text.lower())
    assert (code.scheme, dict(code.parts), code.text, code.faults) == ("sichuan", parts, text, ())


@cache
def guangan() -> tuple[dict[str, str], ...]:
    return tuple(json.loads(GUANGAN.read_text(encoding="utf-8")))


@needs_guangan
def test_all_real_codes_of_a_district_are_read() -> None:
    codes = [item_codes.read(one["itemCode"]) for one in guangan()]
    assert len(codes) == 1135
    assert {code.scheme for code in codes} == {"sichuan"}
    assert len({code.text for code in codes}) == 1135
    for one, code in zip(guangan(), codes, strict=True):
        assert code.text == one["itemCode"].upper()


@needs_guangan
def test_of_the_real_codes_10_are_placeholders_and_111_name_a_false_organisation() -> None:
    reasons = Counter(item_codes.is_placeholder(one["itemCode"]) for one in guangan())
    assert reasons == {None: 1125, Placeholder.BODY: 10}
    faulty: Counter[str] = Counter()
    for one in guangan():
        code = item_codes.read(one["itemCode"])
        if code.faults and item_codes.is_placeholder(code.text) is None:
            faulty[code.parts["body"]] += 1
    assert faulty == {
        "1151130108778239R": 63,  # 17 characters: a 0 was lost
        "1151130000877869M": 28,
        "0087790701": 12,
        "TE5116020105116050": 7,
        "8282348": 1,
    }


@needs_guangan
def test_the_guiding_departments_are_those_the_real_items_stand_under() -> None:
    """Items of 12 characters carry the national digits in places 5 and 6.

    Left out: the bureau to which departments gave their licences, and the one of enforcement.
    """
    office = {
        "07": "经信", "09": "公安", "11": "民政", "12": "司法", "13": "财政", "14": "人社",
        "15": "自然资源", "16": "生态环境", "17": "住建", "18": "交通", "19": "水务", "20": "农业",
        "22": "文广旅", "23": "卫健", "24": "退役军人", "25": "应急", "30": "税务", "31": "市监",
        "36": "医疗保障", "62": "烟草",
    }  # fmt: skip
    assert set(item_codes.GUIDING_DEPARTMENTS) - set(office) == {"05", "64"}  # none, and several
    seen = Counter[str]()
    for one in guangan():
        item = item_codes.read(one["itemCode"]).parts["item"]
        taken_over = one["department"] in ("区行政审批局", "区综合执法局")
        if re.fullmatch(r"[0-9A-Z]{12}", item) and item[4:6] in office and not taken_over:
            assert office[item[4:6]] in one["department"], one
            seen[item[4:6]] += 1
    assert (set(seen), seen.total()) == (set(office), 167)
