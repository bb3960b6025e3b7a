"""The form of a registration (登记表单), and what it says in the words of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from zhengwu.cases import parties
from zhengwu.cases.parties import AGENTS, IDENTIFIERS, KINDS, Agent, Applicant, Contact, Identifier
from zhengwu.cases.services import Reception
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web.forms import Form, Line

LACKING = ("missing", "faulty")
MATERIAL, WHY, FILE = "material-", "why-", "file-"
LETTER = "letter"
UPLOAD = "upload-"  # what the browser sends; FILE holds the ids of what was kept of it
OTHERS = 3  # further numbers that the form has room for
MOST_FILES = 4  # of one material
SCANNED = 30  # materials with room for a scan; a form carries no more than 40 files
STATES = (
    ("received", "已收", "ok"),
    ("missing", "缺", "bad"),
    ("faulty", "不合格", "bad"),
    ("held", "免交", "no"),
)
DAY = "请按 2026-10-15 的样子填写日期。"
OF_AGENT = ("agent_name", "agent_identifier", "agent_phone", "agent_scope", "agent_until")
# What looking an applicant up fills in; the rest is never filled by itself.
FILLED = ("name", "phone", "contact_name", "contact_phone")


def _kinds(*codes: str) -> list[tuple[str, str]]:
    return [(code, f"{IDENTIFIERS[code][0]}（{KINDS[IDENTIFIERS[code][1]]}）") for code in codes]


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, input_formats=["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"],
        error_messages={"invalid": f"{label}看不懂，{DAY}"},
    )  # fmt: skip


class RegisterForm(Form):
    """Who applies for what. The materials are added once the item is known."""

    identifier = Line(label="身份证号 / 统一社会信用代码", required=False, max_length=40)
    identifier_kind = forms.ChoiceField(
        label="证件类型",
        required=False,
        choices=[("", "自动识别"), *_kinds(*IDENTIFIERS)],
    )
    country = Line(label="护照签发国代码", required=False, max_length=3)
    name = Line(label="名称 / 姓名", required=False, max_length=100)
    phone = Line(label="手机号", required=False, max_length=30)
    contact_name = Line(label="联系人", required=False, max_length=50)
    contact_phone = Line(label="联系人电话", required=False, max_length=30)
    agent_role = forms.ChoiceField(
        label="来的人是", required=False, choices=[("", "申请人本人"), *AGENTS.items()]
    )
    agent_name = Line(label="代办人姓名", required=False, max_length=100)
    agent_identifier = Line(label="代办人证件号", required=False, max_length=40)
    agent_kind = forms.ChoiceField(
        label="代办人证件类型",
        required=False,
        choices=[("", "自动识别"), *_kinds("resident_id", "passport", "uscc")],
    )
    agent_phone = Line(label="代办人电话", required=False, max_length=30)
    agent_scope = Line(label="委托事项和权限", required=False, max_length=200)
    agent_until = _day("委托期限至")
    item = Line(label="事项名称、拼音首字母或编码", required=False, max_length=200)
    letter = forms.CharField(label="授权委托书", required=False, max_length=400)
    shown = forms.CharField(required=False, max_length=60)  # whose data stand in the form

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        item: ItemVersionRow | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        for n in range(1, OTHERS + 1):
            self.fields[f"other-{n}"] = Line(label=f"号码 {n}", required=False, max_length=40)
            self.fields[f"other-{n}-kind"] = forms.ChoiceField(
                label=f"号码 {n} 的类型",
                required=False,
                choices=[
                    ("", "选择类型"),
                    *_kinds("uscc", "registration_no", "org_code", "tax_no", "resident_id"),
                ],
            )
            self.fields[f"other-{n}-since"] = _day("有效期起")
            self.fields[f"other-{n}-until"] = _day("有效期止")
        for nth, material in enumerate(item.materials if item else ()):
            code = material.code
            self.fields[MATERIAL + code] = forms.ChoiceField(
                label=material.name, required=False,
                choices=[(state, zh) for state, zh, _ in STATES],
            )  # fmt: skip
            self.fields[WHY + code] = Line(
                label=f"“{material.name}”的说明", required=False, max_length=200
            )
            if nth < SCANNED:
                self.fields[FILE + code] = forms.CharField(
                    label=f"“{material.name}”的扫描件", required=False, max_length=400
                )

        for field in self.fields.values():
            # The page says what may be left out; the service says all that is missing at once.
            field.must = True  # type: ignore[attr-defined]

    def refuse_all(self, refusals: Refusal | Refusals) -> None:
        """Shows every refusal at its field."""
        for one in refusals.refusals if isinstance(refusals, Refusals) else (refusals,):
            # The kinds of applicant and of number are chosen in one field here.
            where = {"applicant_kind": "identifier_kind", "file": ""}.get(
                one.field or "", one.field
            )
            self.refuse(Refusal(one.code, one.sentence, article=one.article, field=where))

    def also_empty(self) -> None:
        """Says everything missing at once: empty fields beside the fault that stopped us."""
        for name, zh in (("identifier", "证件号码"), ("name", "名称或者姓名"), ("phone", "手机号")):
            if name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, f"请填写{zh}。")

    def reception(self, item: ItemVersionRow, *, on: date) -> Reception:
        """What the clerk registers, of a form without errors."""
        codes = [material.code for material in item.materials]
        got = self.cleaned_data
        scans = {code: ids(got.get(FILE + code, "")) for code in codes}
        # What is asked for and no guide lists is passed on, so that it is refused and kept on record.
        outside = {
            name.removeprefix(MATERIAL): str(self.data[name])
            for name in self.data
            if name.startswith(MATERIAL) and name not in self.fields and self.data[name] in LACKING
        }
        return Reception(
            item=item.code,
            applicant=self.applicant(on),
            materials={code: str(got[MATERIAL + code]) for code in codes} | outside,
            whys={code: got[WHY + code] for code in codes if got[WHY + code]},
            scans={code: several for code, several in scans.items() if several},
        )

    def applicant(self, on: date) -> Applicant:
        got = self.cleaned_data
        number = got["identifier"].upper().replace(" ", "")
        kind = got["identifier_kind"] or parties.recognise(number, on=on)
        return Applicant(
            kind=IDENTIFIERS[kind][1],
            name=got["name"],
            identifier_kind=kind,
            identifier=number,
            country=got["country"],
            phone=got["phone"],
            others=tuple(self._others()),
            contact=Contact(name=got["contact_name"], phone=got["contact_phone"])
            if got["contact_name"] or got["contact_phone"]
            else None,
            agent=self._agent(on),
        )

    def _others(self) -> Iterable[Identifier]:
        got = self.cleaned_data
        for n in range(1, OTHERS + 1):
            number, kind = got[f"other-{n}"], got[f"other-{n}-kind"]
            if number or kind:
                yield Identifier(
                    kind=kind, value=number, since=got[f"other-{n}-since"],
                    until=got[f"other-{n}-until"],
                )  # fmt: skip

    def _agent(self, on: date) -> Agent | None:
        got = self.cleaned_data
        letters = ids(got["letter"])
        if not (got["agent_role"] or letters or any(got[name] for name in OF_AGENT)):
            return None
        number = got["agent_identifier"].upper().replace(" ", "")
        return Agent(
            role=got["agent_role"],
            name=got["agent_name"],
            identifier_kind=got["agent_kind"] or parties.recognise(number, on=on),
            identifier=number,
            phone=got["agent_phone"],
            letter=letters[0] if letters else None,
            scope=got["agent_scope"],
            until=got["agent_until"],
        )


def ids(text: str) -> tuple[UUID, ...]:
    """The uploads in a hidden field; what is no id is left out."""
    found = []
    for one in text.split(","):
        try:
            found.append(UUID(one.strip()))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))
