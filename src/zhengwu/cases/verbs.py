"""What an act asks for and what it wants written: the shapes shared by `cases.acts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from zhengwu.accounts.queries import Actor
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import Loaded
from zhengwu.documents.services import Prepared
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

Form = Mapping[str, str]
MAX_TEXT = 2_000
TICKS = (("received", "已收"), ("missing", "缺"), ("faulty", "不合格"), ("held", "免交"))
GOOD = ("received", "held")  # 在线政务服务若干规定 7: what the city holds is not asked for again


@dataclass(frozen=True, slots=True)
class Ask:
    """One field of an act's form.

    kind: text | long | choice | several | colleague | days | moment | tick | ticks | file. The
    value of a file is the ids of kept uploads, of several the codes, parted by commas. value: what
    stands in it at first.
    """

    name: str
    zh: str
    kind: str = "text"
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    value: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Slip:
    """A number that proves something once (凭证号): a postal tracking number, a payment ticket."""

    kind: str  # tracking | ticket
    value: str


@dataclass(slots=True)
class Plan:
    """What a verb wants written: the act's body, its paper, and acts that follow at once.

    occurred: when it happened, where it is entered later. files: uploads that become the case's.
    gone: check codes of papers that no longer hold, with the paper that replaces each. grants: who
    may see the case from now on, for what and until when.
    """

    body: dict[str, Any] = field(default_factory=dict)
    paper: Prepared | None = None
    contents: tuple[ledger.Content, ...] = ()
    then: tuple[str, ...] = ()
    sentence: str = ""
    occurred: datetime | None = None
    files: tuple[UUID, ...] = ()
    slip: Slip | None = None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """Sight and one act on this case for people of another post (授权)."""

    people: tuple[str, ...]
    acts: tuple[str, ...]
    until: datetime
    because: str


def always(loaded: Loaded) -> bool:
    """The flow has nothing to say; the law is asked by `lifecycle.admit`."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One act as people do it.

    may: the permission. plan: decides. fits: whether the flow has come to it. offered: done by
    whom the case is on its way to. anyone: not only by its holder. confirm: what to say before it
    is done, where it cannot be taken back.
    """

    kind: str
    zh: str
    may: str
    plan: Callable[[Loaded, Actor, Form, datetime], Plan]
    asks: tuple[Ask, ...] = ()
    asks_of: Callable[[Loaded], tuple[Ask, ...]] | None = None
    fits: Callable[[Loaded], bool] = always
    offered: bool = False
    anyone: bool = False
    confirm: str = ""

    def form_of(self, loaded: Loaded) -> tuple[Ask, ...]:
        """The fields for this case."""
        return (*(self.asks_of(loaded) if self.asks_of else ()), *self.asks)


def readable(form: Form) -> None:
    """Refuses what no field can hold and no database takes: NUL and halves of a letter. Raises
    Refusal at the field.
    """
    for name, value in form.items():
        if any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value):
            raise Refusal(
                "form.control_characters",
                "这一栏里有不可见的控制字符，请重新输入。",
                field=name if name.isprintable() else None,
            )


def text(form: Form, name: str, zh: str, *, required: bool = True, most: int = MAX_TEXT) -> str:
    """A free-text field, cleaned. Raises Refusal at the field."""
    value = form.get(name, "").replace("\r\n", "\n").strip()
    if required and not value:
        raise Refusal("form.required", f"请填写{zh}。", field=name)
    if len(value) > most:
        raise Refusal(
            "form.too_long", f"{zh}最多 {most} 个字，现在有 {len(value)} 个。请删减。", field=name
        )
    if any(
        (ord(c) < 32 and c not in "\n\t") or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF
        for c in value
    ):
        raise Refusal(
            "form.control_characters", f"{zh}里有不可见的控制字符，请重新输入。", field=name
        )
    return value


def days(form: Form, name: str, zh: str, *, most: int, article: str) -> int:
    """A whole number of working days from 1 to `most`."""
    typed = form.get(name, "").strip()
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    if not 1 <= number <= most:
        raise Refusal(
            "form.days", f"请填写{zh}（1 到 {most} 的整数）。", article=article, field=name
        )
    return number


def choice(form: Form, name: str, zh: str, choices: tuple[tuple[str, str], ...]) -> str:
    value = form.get(name, "").strip()
    if value not in dict(choices):
        raise Refusal("form.choice", f"请选择{zh}。", field=name)
    return value


def moment(form: Form, name: str = "occurred") -> datetime | None:
    """When it happened, local time of Shanghai (2026-10-15T09:00); None where nothing is said."""
    typed = form.get(name, "").strip()
    if not typed:
        return None
    try:
        when = datetime.fromisoformat(typed)
        if when.tzinfo is None:
            when = when.replace(tzinfo=SHANGHAI)
        if not 1990 <= when.year <= 2200:
            raise ValueError(typed)
    except (ValueError, OverflowError):
        raise Refusal(
            "form.moment", "请按“2026-10-15 09:00”的样子填写日期和时间。", field=name
        ) from None
    return when


def uploads(form: Form, name: str = "files") -> tuple[UUID, ...]:
    """The ids of kept uploads in a field."""
    try:
        return tuple(UUID(one) for one in form.get(name, "").split(",") if one.strip())
    except ValueError:
        raise Refusal("form.file", "这个文件没有收到，请重新选择文件。", field=name) from None


def note(path: str, said: str) -> tuple[ledger.Content, ...]:
    """Free text as erasable content at a place of the body; nothing where nothing is said."""
    return (ledger.Content(path=(path,), data={"text": said}),) if said else ()
