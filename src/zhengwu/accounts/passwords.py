"""What a password must be made of (口令复杂度). GB/T 22239-2019 8.1.4.1 a."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError

KINDS = "小写字母、大写字母、数字、其他字符（标点或者汉字）"


class KindsOfCharacters:
    """At least so many of four kinds of characters: small letters, capitals, digits, others."""

    def __init__(self, least: int = 3) -> None:
        self.least = least

    def validate(self, password: str, user: object = None) -> None:
        if len({_kind(character) for character in password} - {""}) < self.least:
            raise ValidationError(
                f"密码要包含这四类字符中的至少 {self.least} 类：{KINDS}。", code="password_kinds"
            )

    def get_help_text(self) -> str:
        return f"密码要包含这四类字符中的至少 {self.least} 类：{KINDS}。"


def _kind(character: str) -> str:
    """small, capital, digit or other; empty for what nobody types or sees."""
    category = unicodedata.category(character)
    if category in ("Ll", "Lu", "Nd"):
        return category
    return "" if category in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") else "other"
