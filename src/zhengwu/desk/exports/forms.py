"""The form of an order (导出单): made from what the table asks."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from zhengwu.accounts.queries import Actor
from zhengwu.exports.registry import FORMS, LETTERS, Parameter, Table
from zhengwu.web.forms import Form, Line

FORMAT = "form"  # the name of the field with the kind of file


class OrderForm(Form):
    """Kind of file and conditions. What they mean is the table's to say, in services.order."""

    def __init__(self, table: Table, actor: Actor, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.table = table
        for one in table.parameters:
            self.fields[one.name] = _field(one, actor)
        self.fields[FORMAT] = forms.ChoiceField(
            label="文件格式", choices=[(code, FORMS[code]) for code in table.forms], initial="xlsx",
            error_messages={"required": "请选择文件格式", "invalid_choice": "请选择文件格式"},
        )  # fmt: skip

    def given(self) -> dict[str, str]:
        """The conditions as they were written."""
        return {
            one.name: _written(self.cleaned_data.get(one.name)) for one in self.table.parameters
        }


def _field(one: Parameter, actor: Actor) -> forms.Field:
    if one.kind == "choice":
        assert one.choices is not None
        return forms.ChoiceField(
            label=one.zh, required=one.must, choices=[("", "全部"), *one.choices(actor)],
            error_messages={"invalid_choice": f"“{one.zh}”：没有这个选项，或者不在您的范围内。"},
        )  # fmt: skip
    if one.kind == "flag":
        return forms.BooleanField(label=one.zh, required=False)
    return Line(label=one.zh, required=one.must, max_length=10 if one.kind == "day" else LETTERS)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return str(value or "")
