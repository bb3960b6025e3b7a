"""Numbers by their standards, names by their letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.domain import identifiers
from zhengwu.domain.refusal import Refusal

ON = date(2026, 11, 2)


@pytest.mark.parametrize(
    "number",
    ["11110000000021135M", "11330105002500287C", "91330102MA28NBU477", "11511301008778183N",
     "11511300MB1A21304N"],
)  # fmt: skip
def test_true_credit_codes_pass_and_hold_a_true_organisation_code(number: str) -> None:
    assert identifiers.uscc(number) == number
    assert identifiers.uscc(f" {number.lower()[:9]} {number.lower()[9:]} ") == number
    assert identifiers.organisation_code(number[8:17]) == number[8:17]


@pytest.mark.parametrize("number", ["MA28NBU4-7", "00250028-7", "00002113-5"])
def test_true_organisation_codes(number: str) -> None:
    assert identifiers.organisation_code(number) == number.replace("-", "")


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_true_resident_numbers(number: str) -> None:
    assert identifiers.resident_id(number, on=ON) == number
    assert identifiers.resident_id(number.lower(), on=ON) == number


def test_a_true_registration_number() -> None:
    assert identifiers.registration_no("110108000000016") == "110108000000016"


def test_full_width_digits_are_narrowed() -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in "91330102MA28NBU477")
    assert identifiers.uscc(wide) == "91330102MA28NBU477"


@pytest.mark.parametrize(
    ("check", "text", "code"),
    [
        (identifiers.uscc, "91330102MA28NBU478", "uscc.check"),
        (identifiers.uscc, "91330102MA28NBU47", "uscc.length"),
        (identifiers.uscc, "91330102MA28NBUI77", "uscc.characters"),
        (identifiers.uscc, "", "uscc.length"),
        (identifiers.organisation_code, "MA28NBU48", "org_code.check"),
        (identifiers.organisation_code, "MA28", "org_code.form"),
        (identifiers.registration_no, "110108000000017", "registration_no.check"),
        (identifiers.registration_no, "११०१०८००००००१६०", "registration_no.form"),
    ],
)
def test_a_false_number_is_refused_with_words(
    check: Callable[[str], str], text: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check(text)
    assert refused.value.code == code
    assert "请" in refused.value.sentence or "应为" in refused.value.sentence


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("110105194912310021", "resident_id.check"),
        ("110105194913310021", "resident_id.birth"),
        ("110105299912310021", "resident_id.birth"),
        ("990105194912310021", "resident_id.division"),
        ("110105491231002", "resident_id.old"),
        ("1101051949123100", "resident_id.length"),
        ("1101051949123100AX", "resident_id.characters"),
        ("", "resident_id.length"),
    ],
)
def test_a_false_resident_number_is_refused(number: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        identifiers.resident_id(number, on=ON)
    assert refused.value.code == code


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(first17: str, place: int, by: int) -> None:
    check = identifiers.resident_check(first17)
    digit = str((int(first17[place]) + by) % 10)
    assert identifiers.resident_check(first17[:place] + digit + first17[place + 1 :]) != check


@pytest.mark.parametrize("dot", "·•‧∙⋅・･．")
def test_every_dot_becomes_the_one_on_the_card(dot: str) -> None:
    assert identifiers.person_name(f"买买提{dot}艾合买提") == "买买提·艾合买提"


@pytest.mark.parametrize(
    "name",
    [
        "王建明",
        "㛃",
        "\U00020bb7田",
        "\U0002b81c",
        "\U00031350",
        "\U000323b0",
        "欧阳娜娜",
        "Anna O'Neil",
    ],
)
def test_rare_han_of_any_extension_and_other_scripts_are_names(name: str) -> None:
    assert identifiers.person_name(f" {name} ") == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name.required"),
        ("　", "name.required"),
        ("王" * 51, "name.too_long"),
        ("王\x00明", "name.control"),
        ("王\u200b明", "name.invisible"),
        ("王\u202e明", "name.invisible"),
        ("王😀", "name.characters"),
        ("王1", "name.characters"),
        ("<script>", "name.characters"),
        ("·王", "name.characters"),
        ("王··明", "name.dot"),
        ("王·", "name.dot"),
    ],
)
def test_what_is_no_name_is_refused(name: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        identifiers.person_name(name)
    assert refused.value.code == code


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_a_refusal_and_a_name_stays_itself(text: str) -> None:
    for check in (identifiers.person_name, identifiers.organisation_name):
        try:
            name = check(text)
        except Refusal:
            continue
        assert check(name) == name
