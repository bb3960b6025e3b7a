"""Applicants (申请人): cleaned as they are typed, kept once, found again by their identifier."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.cases.heads import SHANGHAI
from zhengwu.domain import identifiers
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

KINDS = {"person": "个人", "organisation": "单位"}
IDENTIFIERS = {
    "resident_id": ("公民身份号码", "person"),
    "passport": ("护照", "person"),
    "uscc": ("统一社会信用代码", "organisation"),
    "registration_no": ("工商注册号", "organisation"),
    "org_code": ("组织机构代码", "organisation"),
}
_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(?:-\d{1,4})?)", re.ASCII)
PHONE_MOST = 20
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """An applicant as given at the counter. Personal data: all of it."""

    kind: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "identifiers": [{"kind": self.identifier_kind, "value": self.identifier}],
            "phone": self.phone,
        }

    def identifier_line(self) -> str:
        """统一社会信用代码 9142…, for a paper."""
        label = IDENTIFIERS.get(self.identifier_kind, ("证件号码", ""))[0]
        return f"{label} {self.identifier}"


def clean(given: Applicant, *, at: datetime) -> tuple[Applicant | None, list[Refusal]]:
    """The applicant in canonical form, or what is wrong with each field."""
    faults: list[Refusal] = []
    on = at.astimezone(SHANGHAI).date()
    if given.kind not in KINDS:
        faults.append(
            Refusal("applicant.kind", "请选择申请人是个人还是单位。", field="applicant_kind")
        )
    name = given.name
    try:
        name = (
            identifiers.person_name(given.name)
            if given.kind == "person"
            else identifiers.organisation_name(given.name)
        )
    except Refusal as refusal:
        faults.append(Refusal(refusal.code, refusal.sentence, field="name"))
    number = given.identifier.strip().upper()
    label, of = IDENTIFIERS.get(given.identifier_kind, ("", ""))
    if not label or (given.kind in KINDS and of != given.kind):
        faults.append(
            Refusal(
                "applicant.identifier_kind",
                "证件类型与申请人类别不符：个人用身份证或者护照，单位用统一社会信用代码等。",
                field="identifier_kind",
            )
        )
    elif not number:
        faults.append(Refusal("form.required", f"请填写{label}。", field="identifier"))
    else:
        try:
            number = _number(given.identifier_kind, number, on=on)
        except Refusal as refusal:
            faults.append(Refusal(refusal.code, refusal.sentence, field="identifier"))
    phone = re.sub(r"[\s　]", "", unicodedata.normalize("NFKC", given.phone))
    if len(phone) > PHONE_MOST or not _PHONE.fullmatch(phone):
        faults.append(
            Refusal(
                "applicant.phone",
                "请填写 11 位手机号，或者带区号的固定电话（如 027-12345678）。",
                field="phone",
            )
        )
    if faults:
        return None, faults
    return (
        Applicant(
            kind=given.kind,
            name=name,
            identifier_kind=given.identifier_kind,
            identifier=number,
            phone=phone,
        ),
        [],
    )


def _number(kind: str, value: str, *, on: date) -> str:
    if kind == "uscc":
        return identifiers.uscc(value)
    if kind == "resident_id":
        return identifiers.resident_id(value, on=on)
    if kind == "org_code":
        return identifiers.organisation_code(value)
    if kind == "registration_no":
        return identifiers.registration_no(value)
    if not _PASSPORT.fullmatch(value):
        raise Refusal("applicant.passport", "护照号码由 5 到 20 位字母和数字组成，请核对。")
    return value


def keep(applicant: Applicant, *, at: datetime) -> UUID:
    """The party of this identifier, made if it is new; its name and phone are the latest given.

    Two clerks at once make one party: the identifier in force is unique.
    """
    today = at.astimezone(SHANGHAI).date()
    with connection.cursor() as cursor:
        found = _find(applicant)
        if found is None:
            new = ledger.uuid7()
            cursor.execute(
                "INSERT INTO cases_party (id, kind, name, phone) VALUES (%s, %s, %s, %s)",
                [new, applicant.kind, applicant.name, applicant.phone],
            )
            cursor.execute(
                "INSERT INTO cases_partyidentifier (party_id, kind, value, valid_from, valid_to) "
                "VALUES (%s, %s, %s, %s, NULL) ON CONFLICT DO NOTHING RETURNING party_id",
                [new, applicant.identifier_kind, applicant.identifier, today],
            )
            if cursor.fetchone():
                return new
            cursor.execute("DELETE FROM cases_party WHERE id = %s", [new])
            found = _find(applicant)
            if found is None:  # the conflict says it is there
                raise Refusal("case.try_again", "系统繁忙，请再提交一次，内容都还在。")
        cursor.execute(
            "UPDATE cases_party SET name = %s, phone = %s WHERE id = %s "
            "AND (name, phone) IS DISTINCT FROM (%s, %s)",
            [applicant.name, applicant.phone, found, applicant.name, applicant.phone],
        )
        return found


def _find(applicant: Applicant) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT party_id FROM cases_partyidentifier "
            "WHERE kind = %s AND value = %s AND valid_to IS NULL",
            [applicant.identifier_kind, applicant.identifier],
        )
        row = cursor.fetchone()
        return row[0] if row else None
