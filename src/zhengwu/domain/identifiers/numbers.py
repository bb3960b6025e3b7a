"""USCC (GB 32100-2015), organisation code (GB 11714-1997), resident number (GB 11643-1999),

business registration number (GS 15-2006). Each checker returns the canonical form or raises
Refusal with a sentence that says what to look at.
"""

from __future__ import annotations

import re
from datetime import date

from zhengwu.domain.refusal import Refusal

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I O S V Z
# The first two digits of division codes (GB/T 2260).
PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)


def _plain(text: str) -> str:
    """Upper case, full-width digits and letters narrowed, spaces and hyphens dropped."""
    narrow = text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
    return re.sub(r"[\s\u3000-]", "", narrow).upper()


def uscc_check(first17: str) -> str:
    """The check character of the first 17."""
    total = sum(USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def uscc(text: str) -> str:
    """统一社会信用代码, 18 characters."""
    number = _plain(text)
    if len(number) != 18:
        raise Refusal(
            "uscc.length", f"统一社会信用代码应为 18 位，现在是 {len(number)} 位。请核对营业执照。"
        )
    if any(c not in USCC_ALPHABET for c in number) or not number[2:8].isdigit():
        raise Refusal(
            "uscc.characters",
            "统一社会信用代码由数字和大写字母组成，不用 I、O、S、V、Z，第 3 到 8 位是数字。请核对。",
        )
    if number[2:4] not in PROVINCES and number[2:4] != "10":
        raise Refusal(
            "uscc.division", "统一社会信用代码的第 3、4 位不是登记机关所在地代码。请核对。"
        )
    if uscc_check(number[:17]) != number[17]:
        raise Refusal("uscc.check", "统一社会信用代码的校验位不对，请逐位核对。")
    return number


def organisation_check(first8: str) -> str:
    """The check character of an organisation code's first 8."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rest = 11 - sum(alphabet.index(c) * w for c, w in zip(first8, weights, strict=True)) % 11
    return "X" if rest == 10 else "0" if rest == 11 else str(rest)


def organisation_code(text: str) -> str:
    """组织机构代码, 8 + 1 characters, without the hyphen."""
    number = _plain(text)
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", number):
        raise Refusal("org_code.form", "组织机构代码应为 8 位数字或者字母加 1 位校验码。请核对。")
    if organisation_check(number[:8]) != number[8]:
        raise Refusal("org_code.check", "组织机构代码的校验码不对，请逐位核对。")
    return number


def resident_check(first17: str) -> str:
    """The check character of a resident number's first 17."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(c) * w for c, w in zip(first17, weights, strict=True)) % 11]


def resident_id(text: str, *, on: date) -> str:
    """公民身份号码, 18 characters; the birth date must be a day not after `on`."""
    number = _plain(text)
    if re.fullmatch(r"[0-9]{15}", number):
        raise Refusal(
            "resident_id.old", "15 位的旧身份证号码已停止使用，请填写 18 位公民身份号码。"
        )
    if len(number) != 18:
        raise Refusal(
            "resident_id.length", f"公民身份号码应为 18 位，现在是 {len(number)} 位。请核对身份证。"
        )
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise Refusal("resident_id.characters", "公民身份号码由数字组成，末位可以是 X。请核对。")
    if number[:2] not in PROVINCES:
        raise Refusal("resident_id.division", "公民身份号码的前两位不是地区代码。请核对。")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise Refusal("resident_id.birth", "公民身份号码里的出生日期不存在。请核对。") from error
    if born > on or born.year < 1850:
        raise Refusal("resident_id.birth", "公民身份号码里的出生日期不合理。请核对。")
    if resident_check(number[:17]) != number[17]:
        raise Refusal("resident_id.check", "公民身份号码的校验位不对，请逐位核对。")
    return number


def registration_check(first14: str) -> str:
    """The check digit of a registration number's first 14 (ISO 7064 MOD 11,10)."""
    product = 10
    for digit in first14:
        total = (product % 11 + int(digit)) % 10 or 10
        product = total * 2
    return str((11 - product % 11) % 10)


def registration_no(text: str) -> str:
    """工商注册号, 15 digits (before 2015-10-01)."""
    number = _plain(text)
    if not re.fullmatch(r"[0-9]{15}", number):
        raise Refusal("registration_no.form", "工商注册号应为 15 位数字。请核对营业执照。")
    if registration_check(number[:14]) != number[14]:
        raise Refusal("registration_no.check", "工商注册号的校验位不对，请逐位核对。")
    return number
