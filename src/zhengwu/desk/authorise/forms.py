"""The forms of written authorisations (书面授权)."""

from __future__ import annotations

from datetime import date

from django import forms
from django.http import QueryDict

from zhengwu.catalog import authorisations
from zhengwu.catalog.authorisations import Choices, Draft
from zhengwu.desk.audit.views import Day
from zhengwu.web.forms import Form, Line, Paragraphs

NOT_LISTED = "请从列表里选择{label}。"


class IssueForm(Form):
    """Who may decide what, where and from when; the service says what the rules forbid."""

    person = forms.ChoiceField(label="被授权人")
    place = forms.ChoiceField(label="窗口")
    items = forms.MultipleChoiceField(label="事项")
    powers = forms.MultipleChoiceField(
        label="可以作出的决定", choices=list(authorisations.POWERS_ZH.items())
    )
    since = Day(label="起始日")
    until = Day(label="截止日")
    number = Line(label="授权书文号", max_length=authorisations.NUMBER)

    def __init__(self, choices: Choices, data: QueryDict | dict[str, object] | None = None) -> None:
        super().__init__(data if isinstance(data, QueryDict) else None)
        if isinstance(data, dict):
            self.initial = data
        for name, offered in (
            ("person", choices.people), ("place", choices.places), ("items", choices.items),
        ):  # fmt: skip
            self.fields[name].choices = list(offered)  # type: ignore[attr-defined]
        for name in ("person", "place", "items", "powers"):
            field = self.fields[name]
            wrong = NOT_LISTED.format(label=field.label)
            field.error_messages |= {"invalid_choice": wrong, "invalid_list": wrong}
            field.error_messages["required"] = f"请选择{field.label}"
        self.fields["since"].required = True
        self.fields["number"].error_messages["max_length"] = (
            f"授权书文号最多 {authorisations.NUMBER} 个字。"
        )

    def drafts(self) -> list[Draft]:
        """One authorisation for each item ticked."""
        given = self.cleaned_data
        agency, hall, window = str(given["place"]).split("/")
        since: date = given["since"]
        return [
            Draft(
                agency=agency,
                hall=hall,
                window=window,
                item=item,
                person=given["person"],
                powers=frozenset(given["powers"]),
                since=since,
                until=given["until"],
                number=given["number"],
            )
            for item in given["items"]
        ]


class EndForm(Form):
    """Why an authorisation ends."""

    reason = Paragraphs(label="终止的理由", max_length=authorisations.REASON)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["reason"].error_messages["max_length"] = (
            f"理由最多 {authorisations.REASON} 个字。"
        )
