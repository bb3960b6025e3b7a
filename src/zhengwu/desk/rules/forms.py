"""The forms of the rulebook (规则编辑): a rule's fields, with those its matter has; the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict

from zhengwu.domain import scoring
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import (
    BASIS,
    DIALECTS_ZH,
    DIMENSIONS,
    LEVELS_ZH,
    RECEIVERS,
    SCORED,
    Attribute,
    Level,
    Matter,
    Rule,
    Test,
)
from zhengwu.supervision import rules
from zhengwu.web.forms import Form, Line, Paragraphs

Choices = Sequence[tuple[str, str]]
_NO_DAY = "请写成 2026-12-01 这样的日期。"
_LEVELS: Choices = [(str(one), zh) for one, zh in LEVELS_ZH.items()]
_OTHER = "请从列表里选择"


class Ticks(forms.CheckboxSelectMultiple):
    """Boxes whose complaint leads to the whole group."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return id_ if index is None else super().id_for_label(id_, index)


@dataclass(frozen=True, slots=True)
class Condition:
    """The fields of one attribute. low, high: of a number; one: of anything else, or of a point."""

    about: Attribute
    one: BoundField | None = None
    low: BoundField | None = None
    high: BoundField | None = None

    @property
    def hint(self) -> str:
        """Between what a number lies."""
        if self.about.kind != "number":
            return ""
        return f"{self.about.least} 到 {self.about.most} {self.about.unit}".rstrip()


class RuleForm(Form):
    """A rule as it is to be. Whether it can be one says domain.rulebook, through `refuse`."""

    code = Line(label="代码", max_length=16)
    zh = Line(label="名称", max_length=100)
    dimension = forms.ChoiceField(label="维度", choices=list(DIMENSIONS.items()))
    level = forms.ChoiceField(label="级别", choices=_LEVELS)
    approaching = forms.ChoiceField(label="另一口径时的级别", required=False, choices=_LEVELS)
    receivers = forms.MultipleChoiceField(
        label="送达", choices=list(RECEIVERS.items()), widget=Ticks
    )
    sign = Line(label="签收期限（工作日）", max_length=3)
    answer = Line(label="答复期限（工作日）", max_length=3)
    scored = forms.ChoiceField(label="计分项", required=False, choices=list(SCORED.items()))
    whole = forms.BooleanField(label="整件超期：自动启动问责", required=False)
    basis = Line(label="依据", max_length=BASIS)
    since = Line(label="生效日期", max_length=10)
    try_since = Line(label="试算从", required=False, max_length=10)
    try_until = Line(label="试算到", required=False, max_length=10)
    reason = Paragraphs(label="理由", required=False, max_length=rules.REASON)

    def __init__(
        self,
        matter: Matter,
        others: Sequence[Rule],
        data: QueryDict | None = None,
        *,
        rule: Rule | None = None,
        initial: Mapping[str, Any] | None = None,
        fixed: str | None = None,
    ) -> None:
        """others: the rules in force, of which a rule about repeats may count one. fixed: the code."""
        super().__init__(data)
        self.matter, self.fixed = matter, fixed
        if fixed is not None:
            del self.fields["code"]
        if matter.code != "limit":
            del self.fields["whole"]
        for about in matter.attributes:
            for name, field in _fields(about, others):
                self.fields[name] = field
        for field in self.fields.values():
            wrong = f"{_OTHER}{field.label}。"
            field.error_messages |= {"invalid_choice": wrong, "invalid_list": wrong}
        for name in ("reason", "try_since", "try_until"):
            self.fields[name].must = True  # type: ignore[attr-defined]
        self.initial.update(_of_rule(rule, matter) if rule else ())
        self.initial.update(initial or {})

    def conditions(self) -> Iterator[Condition]:
        for about in self.matter.attributes:
            name = f"w_{about.code}"
            if about.kind == "number" and not about.point:
                yield Condition(about, low=self[f"{name}_ge"], high=self[f"{name}_le"])
            else:
                yield Condition(about, one=self[name])

    def clean_since(self) -> date:
        return _day(self.cleaned_data["since"])

    def clean_try_since(self) -> date | None:
        return _day(text) if (text := self.cleaned_data["try_since"]) else None

    def clean_try_until(self) -> date | None:
        return _day(text) if (text := self.cleaned_data["try_until"]) else None

    def clean_sign(self) -> int:
        return _number(self.cleaned_data["sign"])

    def clean_answer(self) -> int:
        return _number(self.cleaned_data["answer"])

    def rule(self) -> Rule:
        """The rule that was written; for a valid form."""
        given = self.cleaned_data
        return Rule(
            code=self.fixed or given["code"], zh=given["zh"], dimension=given["dimension"],
            matter=self.matter.code, where=tuple(self._tests()), level=Level(given["level"]),
            approaching=Level(given["approaching"]) if given["approaching"] else None,
            receivers=tuple(one for one in RECEIVERS if one in given["receivers"]),
            sign=given["sign"], answer=given["answer"], scored=given["scored"],
            whole=bool(given.get("whole")), basis=given["basis"], since=given["since"],
        )  # fmt: skip

    def _tests(self) -> Iterator[Test]:
        given = self.cleaned_data
        for about in self.matter.attributes:
            name = f"w_{about.code}"
            if about.kind == "number" and not about.point:
                for op in ("ge", "le"):
                    if (text := given[f"{name}_{op}"]) != "":
                        yield Test(about.code, op, _whole(text))
                continue
            value = given[name]
            if value in ("", []):
                continue
            if about.kind == "number":
                yield Test(about.code, "le" if about.code == "left" else "ge", _whole(value))
            elif about.kind == "flag":
                yield Test(about.code, "is", value == "yes")
            elif about.kind == "choice":
                yield Test(about.code, "in", tuple(one for one in about.choices if one in value))
            else:
                yield Test(about.code, "has", value)

    def refuse(self, refusal: Refusal) -> None:
        """At the field; a comparison's at the field it was written in."""
        place = refusal.field or ""
        if place.startswith("where."):
            name = f"w_{place.removeprefix('where.')}"
            place = name if name in self.fields else f"{name}_ge"
        elif place == "until":
            place = "since"
        super().refuse(
            Refusal(refusal.code, refusal.sentence, article=refusal.article, field=place)
        )


def _fields(about: Attribute, others: Sequence[Rule]) -> Iterator[tuple[str, forms.Field]]:
    name = f"w_{about.code}"
    if about.kind == "number":
        if about.point:
            yield name, Line(label=about.zh, required=False, max_length=6)
        else:
            for op, zh in (("ge", "不少于"), ("le", "不多于")):
                yield f"{name}_{op}", Line(label=f"{about.zh}{zh}", required=False, max_length=6)
    elif about.kind == "flag":
        yield (
            name,
            forms.ChoiceField(
                label=about.zh, required=False, choices=[("yes", "是"), ("no", "不是")]
            ),
        )
    elif about.kind == "choice":
        yield name, forms.MultipleChoiceField(
            label=about.zh, required=False, choices=list(about.choices.items()),
            widget=Ticks,
        )  # fmt: skip
    elif about.code == "of":
        yield name, forms.ChoiceField(
            label=about.zh, required=False,
            choices=[(one.code, f"{one.code} {one.zh}") for one in others if one.matter != "repeat"],
        )  # fmt: skip
    else:
        yield name, Line(label=about.zh, required=False, max_length=40)


def _of_rule(rule: Rule, matter: Matter) -> Iterator[tuple[str, Any]]:
    yield from (
        ("code", rule.code), ("zh", rule.zh), ("dimension", rule.dimension),
        ("level", str(rule.level)), ("approaching", str(rule.approaching or "")),
        ("receivers", list(rule.receivers)), ("sign", str(rule.sign)), ("answer", str(rule.answer)),
        ("scored", rule.scored), ("whole", rule.whole), ("basis", rule.basis),
    )  # fmt: skip
    for test in rule.where:
        about = matter.attribute(test.attribute)
        assert about is not None
        name = f"w_{test.attribute}"
        if about.kind == "number" and not about.point:
            yield f"{name}_{test.op}", str(test.value)
        elif about.kind == "number":
            yield name, str(test.value)
        elif about.kind == "flag":
            yield name, "yes" if test.value else "no"
        else:
            yield name, list(test.value) if about.kind == "choice" else test.value


def _whole(text: str) -> int | str:
    """A whole number; what is none stays as it was written, and the domain refuses it."""
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() else text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise forms.ValidationError("请填写整数；不需要的填 0。")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError(_NO_DAY) from None


class ReasonForm(Form):
    """A reason alone: of a proposal that is declined."""

    reason = Paragraphs(label="理由", required=False, max_length=rules.REASON)

    def __init__(self, data: QueryDict | None = None, *, initial: Any = None) -> None:
        super().__init__(data)
        self.initial.update(initial or {})
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]


class DatedForm(ReasonForm):
    """From when on, and why: the end of a rule (失效), or the proposal of one that was tried."""

    since = Line(label="生效日期", max_length=10)
    field_order = ("since", "reason")

    def __init__(
        self, data: QueryDict | None = None, *, initial: Any = None, label: str = "生效日期"
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["since"].label = label

    def clean_since(self) -> date:
        return _day(self.cleaned_data["since"])

    def refuse(self, refusal: Refusal) -> None:
        place = "since" if refusal.field == "until" else refusal.field
        super().refuse(
            Refusal(refusal.code, refusal.sentence, article=refusal.article, field=place)
        )


class SettingForm(DatedForm):
    """A setting: the dialect, how many cards open a record, or the table of the score."""

    def __init__(self, kind: str, data: QueryDict | None = None, *, value: Any = None) -> None:
        self.kind = kind
        super().__init__(data)
        if kind == "dialect":
            self.fields["value"] = forms.ChoiceField(
                label="牌色口径", choices=[(str(one), zh) for one, zh in DIALECTS_ZH.items()],
                error_messages={"invalid_choice": "请从列表里选择牌色口径。"}, initial=value,
            )  # fmt: skip
            self.fields["value"].error_messages["required"] = "请选择牌色口径"
        elif kind == "accountability":
            for name, zh in (("person", "个人一个月的黄牌数"), ("agency", "机关一个月的黄牌数")):
                self.fields[name] = Line(label=zh, max_length=3, initial=value and value[name])
        else:
            for name, zh, found in _numbers(value):
                self.fields[name] = Line(label=zh, max_length=6, initial=found)
        for field in self.fields.values():
            field.error_messages.setdefault("required", f"请填写{field.label}")

    def parts(self) -> Iterator[BoundField]:
        """The fields of the value, without date and reason."""
        for name in self.fields:
            if name not in ("since", "reason"):
                yield self[name]

    def value(self, stands: Mapping[str, Any]) -> Any:
        """The value that was written; for a valid form. stands: what it takes the place of."""
        given = self.cleaned_data
        if self.kind == "dialect":
            return given["value"]
        if self.kind == "accountability":
            return {name: _whole(given[name]) for name in ("person", "agency")}
        # What the page does not ask for (the coefficients of single units) stays.
        made: dict[str, Any] = {
            key: dict(one) if isinstance(one, Mapping) else one for key, one in stands.items()
        }
        for name in given:
            if name not in ("since", "reason"):
                *above, last = name.split(".")
                place = made
                for one in above:
                    place = place[one]
                place[last] = _whole(given[name])
        return made


def _numbers(value: Any) -> Iterator[tuple[str, str, str]]:
    """Every number of the table of the score: its path, name, what it is now."""
    weights = (value or {}).get("weights", {})
    for code, zh in SCORED.items():
        yield f"weights.{code}", zh, str(weights.get(code, ""))
    for path, (zh, _, _) in scoring.NUMBERS.items():
        found: Any = value or {}
        for one in path:
            found = found.get(one, "") if isinstance(found, Mapping) else ""
        yield ".".join(path), zh, str(found)


__all__ = ["Condition", "DatedForm", "ReasonForm", "RuleForm", "SettingForm"]
