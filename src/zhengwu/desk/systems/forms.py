"""The forms of systems and tokens (接入系统与令牌); the service says what the rules forbid."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.scopes import SCOPES
from zhengwu.halls import queries as halls
from zhengwu.web.forms import Form, Line

USUAL_DAYS = 90
NOT_LISTED = "请从列表里选择{label}。"
# Where a system's own agency may be looked for; of the two thousand organs those with departments.
OFFERED = ("department", "utility", "bureau", "centre")


class RegisterForm(Form):
    """A system: who it is, whose it is, how far it sees by itself."""

    name = Line(label="系统名称", max_length=60)
    code = Line(label="系统代码", max_length=30)
    agency = Line(label="所属机关", max_length=100)
    role = forms.ChoiceField(label="看得到哪些办件", choices=list(systems.ROLES.items()))
    hall = forms.ChoiceField(label="哪个大厅", required=False)
    region = forms.ChoiceField(label="哪个区域", required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["hall"].choices = [(one.code, one.name) for one in halls.halls()]  # type: ignore[attr-defined]
        self.fields["region"].choices = list(accounts.regions())  # type: ignore[attr-defined]
        for name in ("role", "hall", "region"):
            field = self.fields[name]
            field.error_messages["invalid_choice"] = NOT_LISTED.format(label=field.label)
        self.fields["role"].error_messages["required"] = "请选择系统看得到哪些办件"

    def agency_code(self) -> str:
        """Of what was typed: a code, or the name of exactly one organ; else what was typed."""
        typed = str(self.cleaned_data["agency"]).partition("（")[0].strip()
        found = [one.code for one in accounts.agencies() if typed in (one.code, one.name)]
        return found[0] if len(found) == 1 else typed

    def place(self) -> str:
        """The hall or region that goes with the chosen sight."""
        given = self.cleaned_data
        return str(given["hall"] if given["role"] == "hall_system" else given["region"])

    def refuse_place(self) -> str:
        return "hall" if self.cleaned_data["role"] == "hall_system" else "region"


class IssueForm(Form):
    """What a token opens and for how long."""

    scopes = forms.MultipleChoiceField(
        label="权限", choices=[(one.code, f"{one.zh}（{one.code}）") for one in SCOPES.values()]
    )
    days = forms.IntegerField(
        label="有效期（天）", min_value=1, max_value=systems.LONGEST, initial=USUAL_DAYS
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        scopes, days = self.fields["scopes"], self.fields["days"]
        scopes.error_messages["required"] = "请至少选择一项权限"
        scopes.error_messages |= dict.fromkeys(
            ("invalid_choice", "invalid_list"), NOT_LISTED.format(label="权限")
        )
        sentence = f"有效期应是 1 到 {systems.LONGEST} 天的整数。"
        days.error_messages |= dict.fromkeys(("invalid", "min_value", "max_value"), sentence)
