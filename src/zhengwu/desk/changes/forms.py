"""The forms around a draft: where a new item belongs, and what a step brings."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from zhengwu.catalog import changes
from zhengwu.catalog.changes import Given, NewItem, Places
from zhengwu.desk.audit.views import Day
from zhengwu.domain.guide import LISTS_ZH, Level
from zhengwu.domain.publishing import Act
from zhengwu.web.forms import Form, Line, Paragraphs

LONGEST = 200


class BeginForm(Form):
    """A new item: its code, its list, its organ, and the item of the list above that it takes up."""

    name = Line(label="事项名称", required=False, max_length=LONGEST)
    item_code = Line(label="事项编码", max_length=40)
    level = forms.ChoiceField(label="清单层级")
    agency = forms.ChoiceField(label="实施机关")
    above = Line(label="承接的上级清单事项编码", required=False, max_length=40)
    copy_of = Line(label="复制自", required=False, max_length=40)

    def __init__(
        self, places: Places, data: QueryDict | None = None, first: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=first)
        levels = [(str(level), LISTS_ZH[level]) for level in places.levels]
        agencies = [(row.code, row.name) for row in places.agencies]
        for name, offered in (("level", levels), ("agency", agencies)):
            field = self.fields[name]
            field.choices = offered  # type: ignore[attr-defined]
            field.error_messages["invalid_choice"] = f"请从列表里选择{field.label}。"
        for name, most in (("name", LONGEST), ("item_code", 40), ("above", 40), ("copy_of", 40)):
            label = self.fields[name].label
            self.fields[name].error_messages["max_length"] = f"{label}最多 {most} 个字。"
        self.fields["name"].must = True  # type: ignore[attr-defined]  # the hint says when not

    def clean(self) -> dict[str, Any]:
        """A name is inherited from the list above; without one it has to be said."""
        given: dict[str, Any] = super().clean() or {}
        if not given.get("above") and not given.get("name") and "name" not in self.errors:
            self.add_error("name", "请填写事项名称；承接上级清单的不用填。")
        return given

    def new(self) -> NewItem:
        given = self.cleaned_data
        level = Level(given["level"])
        return NewItem(
            code=given["item_code"], base="", level=level, agency=given["agency"],
            region=changes.region(level, given["agency"]), above=given["above"],
        )  # fmt: skip

    def own(self) -> dict[str, Any]:
        """The name, where no list above says it."""
        given = self.cleaned_data
        return {} if given["above"] or not given["name"] else {"name": given["name"]}


class StepForm(Form):
    """What a step brings (办理一步): only the fields that this act has."""

    reason = Paragraphs(label="说明", required=False, max_length=changes.REASON)
    number = Line(label="市政府批准清单的文号", max_length=changes.NUMBER)
    on = Day(label="批准日期")
    since = Day(label="施行日期")

    def __init__(
        self,
        act: Act,
        data: QueryDict | None = None,
        first: dict[str, Any] | None = None,
        *,
        day: bool = True,
    ) -> None:
        """day: whether the day of force has to be said here."""
        super().__init__(data, initial=first, auto_id=f"id_{act.code}_%s")
        self.act = act
        fields = {"listed": ("number", "on", "reason"), "published": ("since", "reason")}
        for name in set(self.fields) - set(fields.get(act.code, ("reason",))):
            del self.fields[name]
        if "on" in self.fields:
            self.fields["on"].required = True
        if "since" in self.fields:
            self.fields["since"].required = day
        if act.reason:
            self.fields["reason"].label = REASONS[act.code]
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = f"请写明为什么{act.zh}"
        for name, most in (("reason", changes.REASON), ("number", changes.NUMBER)):
            if name in self.fields:
                label = self.fields[name].label
                self.fields[name].error_messages["max_length"] = f"{label}最多 {most} 个字。"

    def given(self) -> Given:
        said = self.cleaned_data
        on: date | None = said.get("on")
        since: date | None = said.get("since")
        return Given(
            reason=said.get("reason", ""), number=said.get("number", ""), on=on, since=since
        )


REASONS = {"returned": "退回的理由", "withdrawn": "撤销的理由"}
