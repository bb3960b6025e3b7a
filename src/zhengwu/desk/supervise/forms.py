"""The forms of supervision (监察): one for every verb, drawn from the tables below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from zhengwu.accounts.queries import Actor
from zhengwu.desk import taking
from zhengwu.desk.audit.views import Day
from zhengwu.desk.taking import KEPT
from zhengwu.documents.files import File
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import LEVELS_ZH, Level
from zhengwu.supervision.accounts import MEASURES
from zhengwu.supervision.checks import MOST, RESULTS
from zhengwu.supervision.orders import SUBJECTS
from zhengwu.supervision.services import MOST_FILES, REASONS, too_many_files
from zhengwu.web.forms import Form, Line, Paragraphs

TEXT = 2_000  # characters of an answer, a reason, an opinion
UNTICKED = "请核对以后勾选“我已核对”，再提交。"
NOT_LISTED = "请从列表里选择{label}。"
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb as its form asks for it. text: what the words are called, "" for none; must: whether
    they are needed. harm: what cannot be taken back, said before the box that has to be ticked.

    when: the states in which it is the usual next step, drawn open; the others are folded.
    """

    code: str
    zh: str
    text: str = ""
    hint: str = ""
    must: bool = True
    harm: str = ""
    when: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    firm: bool = False  # a red button
    rows: int = 3
    files: bool = False  # whether evidence may be handed in


FINDING_VERBS: Mapping[str, Verb] = {one.code: one for one in (
    Verb(code="sign", zh="签收", when=("issued",)),
    Verb(code="answer", zh="答复", when=("signed",), text="答复", rows=4,
         hint="写明查到的情况、怎样改、什么时候改好；不写申请人的个人信息"),
    Verb(code="decide", zh="裁定申诉", when=("pending",), choices=("outcome", "level"),
         text="裁定的理由", harm="裁定送达双方，不能收回。撤销的牌不再计分，仍然列在这里。"),
    Verb(code="appeal", zh="申诉", choices=("reason",), files=True, text="事实和证据", rows=4,
         hint="写明什么时间发生了什么、哪里可以查到；不写申请人的个人信息",
         harm="一张牌只能申诉一次，由发牌人以外的监察人员裁定。"),
    Verb(code="withdraw_appeal", zh="撤回申诉", text="撤回的原因", rows=2, must=False, firm=True,
         harm="撤回以后不能再次申诉，这张牌维持原样。"),
    Verb(code="close", zh="办结", when=("answered",), text="办结意见", rows=2, must=False,
         hint="没有答复而直接办结的，写明为什么", harm="办结以后责任单位不能再答复。"),
)}  # fmt: skip
ORDER_VERBS: Mapping[str, Verb] = {one.code: one for one in (
    Verb(code="sign", zh="签收", when=("opened",)),
    Verb(code="work", zh="登记整改措施", when=("signed",), text="整改措施", rows=3,
         hint="准备怎样改、谁来改、什么时候改好"),
    Verb(code="report", zh="反馈结果", when=("working", "returned"), text="整改结果", rows=4,
         hint="查到的原因、改了什么、办件现在到了哪一步"),
    Verb(code="close", zh="办结", when=("reported",), text="办结意见", rows=2, must=False,
         hint="没有反馈而直接办结的，写明为什么", harm="办结以后这件督办不能再退回重办。"),
    Verb(code="give_back", zh="退回重办", choices=("until",), text="退回的理由", rows=2, firm=True,
         hint="哪里没有办到；承办单位会看到"),
)}  # fmt: skip
ACCOUNT_VERBS: Mapping[str, Verb] = {one.code: one for one in (
    Verb(code="take_up", zh="确定承办人", when=("opened",), choices=("handler",)),
    Verb(code="hear", zh="记下陈述和申辩", when=("taken_up",), text="陈述和申辩", rows=4,
         hint="当事人或者机关怎么说；放弃的写明“放弃陈述”"),
    Verb(code="decide", zh="作出处理决定", when=("heard",), choices=("measure",), text="事实和理由",
         rows=4, harm="处理决定作出以后不能更改。"),
    Verb(code="carry_out", zh="记下执行情况", when=("decided",), text="执行情况",
         hint="什么时候、怎样执行的；文号"),
    Verb(code="close", zh="办结", when=("carried_out", "decided"),
         harm="办结以后不能再添加记录；同一起因再次发生时，软件会重新打开。"),
)}  # fmt: skip
OUTCOMES: Choices = (
    ("upheld", "维持：牌不变"),
    ("lowered", "降级：降到下面选的级别"),
    ("revoked", "撤销：不再计分，仍然留档"),
)
LOWERED: Choices = tuple(
    (str(level), LEVELS_ZH[level]) for level in (Level.YELLOW, Level.WARNING, Level.HINT)
)


class VerbForm(Form):
    """One verb with what it asks for. offered: the choices of each of its fields."""

    outcome = forms.ChoiceField(label="裁定", choices=OUTCOMES)
    level = forms.ChoiceField(label="降到", choices=LOWERED, required=False)
    reason = forms.ChoiceField(label="申诉理由", choices=list(REASONS.items()))
    measure = forms.ChoiceField(label="处理方式", choices=list(MEASURES.items()))
    handler = forms.ChoiceField(label="承办人", required=False)
    until = Day(label="新的期限")
    text = Paragraphs(label="说明", max_length=TEXT)
    evidence = forms.FileField(label="证据文件", required=False)
    confirmed = forms.BooleanField(label="我已核对", required=True)

    def __init__(
        self,
        verb: Verb,
        data: QueryDict | None = None,
        *,
        offered: Mapping[str, Choices] | None = None,
    ) -> None:
        super().__init__(data, auto_id=f"id_{verb.code}_%s")
        self.verb = verb
        self.first = False  # the usual next step
        self.kept: list[File] = []  # taken in and not yet the finding's; they outlive a refusal
        self.fields["level"].must = True  # type: ignore[attr-defined]  # the choice above says when
        kept = {
            *verb.choices,
            *(("text",) if verb.text else ()),
            *(("evidence",) if verb.files else ()),
            *(("confirmed",) if verb.harm else ()),
        }
        for name in set(self.fields) - kept:
            del self.fields[name]
        for name, choices in (offered or {}).items():
            if name in self.fields:
                self.fields[name].choices = list(choices)  # type: ignore[attr-defined]
        for name in set(verb.choices) - {"until"}:
            field = self.fields[name]
            field.error_messages["required"] = f"请选择{field.label}"
            field.error_messages["invalid_choice"] = NOT_LISTED.format(label=field.label)
        if verb.text:
            field = self.fields["text"]
            field.label = verb.text
            field.required = verb.must
            field.error_messages["required"] = f"请填写{verb.text}"
            field.error_messages["max_length"] = f"{verb.text}最多 {TEXT:,} 个字。"
        if verb.harm:
            self.fields["confirmed"].error_messages["required"] = UNTICKED

    def take_in(
        self, actor: Actor, sent: Sequence[UploadedFile[Any]], *, of: UUID, at: datetime
    ) -> list[Refusal]:
        """Keep every file that was sent, beside those kept before; what is wrong with them.

        of: the finding, whose they are already where the same form comes a second time.
        """
        came = cast(QueryDict, self.data).getlist(f"{KEPT}evidence")
        self.kept = taking.before(actor, came, most=MOST_FILES, stream_id=of)
        if len(sent) + len(set(came)) > MOST_FILES:
            return [too_many_files()]
        return taking.take_in(actor, sent, self.kept, purpose="material", field="evidence", at=at)

    def clean(self) -> dict[str, Any]:
        """Lowering needs to say to what."""
        given: dict[str, Any] = super().clean() or {}
        if (
            given.get("outcome") == "lowered"
            and not given.get("level")
            and "level" not in self.errors
        ):
            self.add_error("level", "降级要选降到哪一级。")
        return given


class OrderForm(Form):
    """A supervision order (督办): to whom, about what, what is to be done. posts: of the agency, where
    it is known beforehand."""

    agency = forms.ChoiceField(label="承办机关")
    post = forms.ChoiceField(label="承办岗位", required=False)
    number = Line(label="办件编号", required=False, max_length=24)
    subject = forms.ChoiceField(label="事由", choices=list(SUBJECTS.items()))
    text = Paragraphs(label="要求", max_length=TEXT)

    def __init__(
        self,
        agencies: Choices,
        posts: Choices,
        data: QueryDict | None = None,
        *,
        first: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(first or {}))
        self.fields["agency"].choices = list(agencies)  # type: ignore[attr-defined]
        self.fields["post"].choices = [("", ""), *posts]  # type: ignore[attr-defined]
        if not posts:
            del self.fields["post"]
        for name in ("agency", "post", "subject"):
            if name in self.fields:
                field = self.fields[name]
                field.error_messages["invalid_choice"] = NOT_LISTED.format(label=field.label)
        self.fields["agency"].error_messages["required"] = "请选择承办机关：督办要有人承办。"
        self.fields["subject"].error_messages["required"] = "请选择事由"
        self.fields["text"].error_messages["max_length"] = f"要求最多 {TEXT:,} 个字。"
        self.fields["number"].error_messages["max_length"] = "办件编号最多 24 个字符。"


class CardForm(Form):
    """A finding that a supervisor issues by hand (人工发牌), with its reason.

    staff: of the case's agency, where the case is known: post/person, and how they are called.
    """

    number = Line(label="办件编号", max_length=24)
    rule = forms.ChoiceField(label="规则")
    level = forms.ChoiceField(
        label="级别", choices=[(str(level), zh) for level, zh in LEVELS_ZH.items()][::-1]
    )
    whose = forms.ChoiceField(label="责任人", required=False)
    text = Paragraphs(label="理由", max_length=TEXT)

    def __init__(
        self,
        rules: Choices,
        staff: Choices,
        data: QueryDict | None = None,
        *,
        first: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(first or {}))
        self.fields["rule"].choices = list(rules)  # type: ignore[attr-defined]
        self.fields["whose"].choices = [("", ""), *staff]  # type: ignore[attr-defined]
        if not staff:
            del self.fields["whose"]
        for name in ("rule", "level", *(("whose",) if staff else ())):
            field = self.fields[name]
            field.error_messages["required"] = f"请选择{field.label}"
            field.error_messages["invalid_choice"] = NOT_LISTED.format(label=field.label)
        self.fields["text"].error_messages["max_length"] = f"理由最多 {TEXT:,} 个字。"


class DrawForm(Form):
    """A spot check to be drawn (抽查): of what period, which agency, how many."""

    since = Day(label="办结日期从")
    until = Day(label="到")
    agency = forms.ChoiceField(label="机关", required=False)
    wanted = forms.IntegerField(label="抽几件", min_value=1, max_value=MOST)

    def __init__(
        self,
        agencies: Choices,
        data: QueryDict | None = None,
        *,
        first: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(first or {}))
        self.fields["agency"].choices = [("", ""), *agencies]  # type: ignore[attr-defined]
        self.fields["agency"].error_messages["invalid_choice"] = NOT_LISTED.format(label="机关")
        for name in ("since", "until"):
            self.fields[name].required = True
        for said in ("invalid", "min_value", "max_value"):
            self.fields["wanted"].error_messages[said] = f"请填写 1 到 {MOST} 之间的整数。"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since: date | None = given.get("since")
        until: date | None = given.get("until")
        if since and until and until < since:
            self.add_error("until", "“到”早于“从”。请改一下日期。")
        return given


class LookForm(Form):
    """What one looked-at case of a spot check showed."""

    result = forms.ChoiceField(label="结果", choices=list(RESULTS.items()))
    text = Paragraphs(label="记录", required=False, max_length=TEXT)

    def __init__(self, data: QueryDict | None = None, *, of: str = "") -> None:
        super().__init__(data, auto_id=f"id_{of}_%s" if of else "id_%s")
        self.fields["result"].error_messages["required"] = "请选择结果"
        self.fields["result"].error_messages["invalid_choice"] = NOT_LISTED.format(label="结果")
        self.fields["text"].error_messages["max_length"] = f"记录最多 {TEXT:,} 个字。"


class Narrow(Form):
    """What narrows the list of findings (筛选); days are Shanghai's, both included."""

    number = Line(label="办件编号", required=False, max_length=24)
    level = forms.ChoiceField(label="级别", required=False)
    dimension = forms.ChoiceField(label="维度", required=False)
    agency = forms.ChoiceField(label="机关", required=False)
    rule = forms.ChoiceField(label="规则", required=False)
    state = forms.ChoiceField(label="状态", required=False)
    person = Line(label="责任人代码", required=False, max_length=80)
    since = Day(label="从")
    until = Day(label="到")

    def __init__(self, data: QueryDict, offered: Mapping[str, Choices]) -> None:
        super().__init__(data)
        for name, choices in offered.items():
            field = self.fields[name]
            field.choices = [("", ""), *choices]  # type: ignore[attr-defined]
            field.error_messages["invalid_choice"] = NOT_LISTED.format(label=field.label)
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]  # a search says nowhere "optional"

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "“到”早于“从”。请改一下日期。")
        return self.cleaned_data


__all__ = [
    "ACCOUNT_VERBS", "FINDING_VERBS", "LOWERED", "ORDER_VERBS", "OUTCOMES", "CardForm", "DrawForm",
    "LookForm", "Narrow", "OrderForm", "Verb", "VerbForm",
]  # fmt: skip
