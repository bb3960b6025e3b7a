"""The forms of the timetable (历法变更): what is pasted or filled in, made into a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from zhengwu.calendars import services
from zhengwu.domain import notices
from zhengwu.domain.notices import Read
from zhengwu.domain.procedure import UNITS_ZH
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web.forms import Form, Line, Paragraphs

MOST_BYTES = 256 * 1024
Choices = Sequence[tuple[str, str]]
# What may be published; an amendment is a notice that says so.
WAYS: Mapping[str, str] = {
    "notice": "公布全年放假安排",
    "amendment": "修改通知",
    "overlay": "局部安排（区域、大厅）",
    "rule": "期限规则",
    "hours": "作息时间",
    "after_hours": "非办公时间收件",
}


class ChangeForm(Form):
    """What all changes have: a reason. text: what is pasted; file: the same as a file."""

    year = Line(label="年份", required=False, max_length=4)
    source = Line(label="依据（文号或者网址）", required=False, max_length=notices.SOURCE)
    scope = forms.ChoiceField(label="适用于", required=False)
    basis = Line(label="依据", required=False, max_length=notices.BASIS)
    rule_kind = forms.ChoiceField(
        label="哪一种期限", required=False, choices=list(notices.RULES.items())
    )
    value = Line(label="多少", required=False, max_length=6)
    unit = forms.ChoiceField(
        label="单位", required=False, choices=[(str(one), zh) for one, zh in UNITS_ZH.items()]
    )
    roll = forms.ChoiceField(
        label="末日是休息日时", required=False,
        choices=[("yes", "顺延到下一个工作日"), ("no", "不顺延")],
    )  # fmt: skip
    since = Line(label="起始日", required=False, max_length=10)
    spans = Line(label="办公时间", required=False, max_length=120)
    after_hours = forms.ChoiceField(
        label="非办公时间收到的材料", required=False, choices=list(notices.AFTER_HOURS.items())
    )
    text = Paragraphs(label="内容", required=False, max_length=notices.MOST_TEXT)
    file = forms.FileField(label="或者选择文件", required=False, allow_empty_file=True)
    reason = Paragraphs(label="理由", max_length=services.REASON)

    def __init__(
        self,
        way: str,
        places: Choices,
        data: QueryDict | dict[str, Any] | None = None,
        files: Any = None,
    ) -> None:
        super().__init__(data if isinstance(data, QueryDict) else None, files=files)
        if isinstance(data, dict):
            self.initial = data
        self.way = way
        self.read: Read | None = None
        self.fields["scope"].choices = list(places)  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            wrong = f"请从列表里选择{field.label}。"
            field.error_messages |= {"invalid_choice": wrong, "invalid": "请重新选择文件。"}
            if name in _ASKED[way]:
                field.must = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The file, where there is one, becomes the text: the page shows what was read."""
        given: dict[str, Any] = super().clean() or {}
        file = given.get("file")
        if isinstance(file, UploadedFile):
            text = _decoded(file)
            if text is None:
                self.add_error(
                    "file",
                    "读不出这个文件。请用 UTF-8 或者 GB18030 的文本、CSV、JSON，最大 256 KB。",
                )
            else:
                given["text"] = text
                shown = QueryDict(mutable=True)
                shown.update(self.data)
                shown["text"] = text
                self.data = shown
        return given

    def change(self) -> dict[str, Any]:
        """The change as the service takes it. Raises Refusals for what cannot be read."""
        given = self.cleaned_data
        way = self.way
        kind = "notice" if way == "amendment" else way
        if kind in ("notice", "overlay"):
            year = _whole(given["year"])
            self.read = notices.read(given["text"], year=year)
            days = [[day.isoformat(), name, off] for day, name, off in self.read.days]
            if kind == "overlay":
                return {
                    "kind": kind, "scope": given["scope"], "basis": given["basis"], "days": days,
                }  # fmt: skip
            if year is not None and self.read.year not in (None, year):
                raise Refusals(
                    [
                        Refusal(
                            "calendar.other_year",
                            f"年份填的是 {year}，内容是 {self.read.year} 年的。请核对。",
                            field="year",
                        )
                    ]
                )
            return {
                "kind": kind,
                "year": year if year is not None else self.read.year,
                "amends": way == "amendment",
                "source": given["source"] or self.read.source,
                "days": days,
            }
        if kind == "rule":
            value = _whole(given["value"])
            return {
                "kind": kind,
                "rule": {
                    "kind": given["rule_kind"],
                    "value": given["value"] if value is None else value,
                    "unit": given["unit"],
                    "roll": given["roll"] != "no",
                    "basis": given["basis"],
                    "since": given["since"],
                },
            }
        if kind == "hours":
            return {
                "kind": kind, "scope": given["scope"], "spans": notices.spans_of(given["spans"]),
                "since": given["since"], "basis": given["basis"],
            }  # fmt: skip
        return {
            "kind": kind, "value": given["after_hours"], "since": given["since"],
            "basis": given["basis"],
        }  # fmt: skip


_ASKED: Mapping[str, tuple[str, ...]] = {
    "notice": ("text",),
    "amendment": ("text",),
    "overlay": ("text", "scope", "basis"),
    "rule": ("rule_kind", "value", "unit", "basis", "since"),
    "hours": ("scope", "spans", "since", "basis"),
    "after_hours": ("after_hours", "since", "basis"),
}


class DecideForm(Form):
    """Why a proposal is declined."""

    reason = Paragraphs(label="不予确认的理由", max_length=services.REASON)


def _whole(text: str) -> int | None:
    sign = text[:1] if text[:1] == "-" else ""
    digits = text.removeprefix("-")
    return int(sign + digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else None


def _decoded(file: UploadedFile[Any]) -> str | None:
    if not file.size or file.size > MOST_BYTES:
        return None
    content = file.read()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return str(content.decode(encoding)).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    return None
