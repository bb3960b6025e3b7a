"""The streams of supervision in words (经过): what happened, who did it, what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from zhengwu.accounts import queries as people
from zhengwu.accounts.queries import Names
from zhengwu.documents.files import File
from zhengwu.domain.derivation import moment_words
from zhengwu.domain.event import Event
from zhengwu.domain.rulebook import LEVELS_ZH, RECEIVERS, Level
from zhengwu.ledger import queries as ledger
from zhengwu.ledger.services import Entry
from zhengwu.supervision import accounts as accountability
from zhengwu.supervision import checks as checking
from zhengwu.supervision import orders as ordering
from zhengwu.supervision import services
from zhengwu.supervision.chain import CAUSES_ZH


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream in words (经过). text: what somebody wrote; erased: it was deleted.

    who: the agency or 系统自动; person: the name of whoever did it. files: what was handed in with it.
    """

    version: int
    kind: str
    kind_zh: str
    when: datetime
    who: str
    person: str
    detail: str
    text: str
    erased: bool = False
    hidden: bool = False  # there is a text, and it is not for this reader
    files: tuple[File, ...] = ()


FINDING_ZH: Mapping[str, str] = {
    "issued": "发出", "signed": "签收", "answered": "答复", "closed": "办结", "reminded": "催办",
    "basis_changed": "依据改变", "appeal_opened": "开启申诉", "appealed": "申诉",
    "appeal_withdrawn": "撤回申诉", "upheld": "裁定维持", "lowered": "裁定降级",
    "revoked": "裁定撤销",
}  # fmt: skip
ORDER_ZH: Mapping[str, str] = {
    "opened": "发出督办", "signed": "签收", "working": "整改", "reported": "反馈",
    "returned": "退回重办", "closed": "办结", "escalated": "逾期升级",
}  # fmt: skip
ACCOUNT_ZH: Mapping[str, str] = {
    "opened": "自动启动", "joined": "又有发现", "cause_revoked": "起因被撤销或者降级",
    "taken_up": "承办", "heard": "陈述和申辩", "decided": "决定", "carried_out": "执行",
    "closed": "办结",
}  # fmt: skip
CHECK_ZH: Mapping[str, str] = {"drawn": "抽取", "looked": "检查", "closed": "办结"}
_REMINDED: Mapping[str, str] = {
    "sign": "逾期没有签收", "answer": "逾期没有答复", "appeal": "逾期没有裁定",
}  # fmt: skip
_ESCALATION: Mapping[str, str] = {"sign": "逾期没有签收", "answer": "逾期没有反馈"}
_TEXTS = ("text", "reason")  # places of erasable contents

_Detailed = Callable[[Entry, Names], str]


def of_finding(event: Entry, names: Names) -> str:
    body = event.body
    if event.kind == "issued":
        return _to(LEVELS_ZH[Level(body["level"])], "送达", body)
    if event.kind == "reminded":
        return _to(_REMINDED.get(str(body.get("what")), ""), "催办", body)
    if event.kind == "lowered":
        return f"降为{LEVELS_ZH[Level(body['level'])]}"
    if event.kind == "appealed":
        return services.REASONS.get(str(body.get("reason")), "")
    if event.kind == "appeal_opened":
        reason = services.REASONS.get(str(body.get("reason")), "")
        return f"{reason}，申诉期限到 {moment_words(datetime.fromisoformat(body['until']))}"
    if event.kind == "basis_changed":
        entries = "、".join(str(one) for one in body.get("versions") or ())
        return f"办件第 {entries} 条记载" if entries else ""
    return ""


def _to(what: str, how: str, body: Mapping[str, Any]) -> str:
    """黄牌，送达责任岗位、机关负责人; what was entered before that counted says nothing of it."""
    named = "、".join(RECEIVERS[one] for one in body.get("served") or () if one in RECEIVERS)
    return f"{what}，{how}{named}" if named else what


def of_order(event: Entry, names: Names) -> str:
    body = event.body
    if event.kind == "opened":
        return ordering.SUBJECTS.get(str(body.get("subject")), "")
    if event.kind == "returned":
        return f"应当在 {moment_words(datetime.fromisoformat(body['until']))} 以前再次反馈"
    if event.kind == "escalated":
        return _ESCALATION.get(str(body.get("what")), "")
    return ""


def of_account(event: Entry, names: Names) -> str:
    body = event.body
    if event.kind == "opened":
        return CAUSES_ZH.get(str(body.get("cause")), "")
    if event.kind == "taken_up":
        return f"由{names.person(body.get('handler'))}承办"
    if event.kind == "decided":
        return accountability.MEASURES.get(str(body.get("measure")), "")
    return ""


def of_check(event: Entry, names: Names) -> str:
    if event.kind == "drawn":
        return f"从 {event.body['of']} 件里抽取 {len(event.body['cases'])} 件"
    return checking.RESULTS.get(str(event.body.get("result")), "")


def names_of(events: Sequence[Event], *, extra: Iterable[str] = ()) -> Names:
    """The names of everybody in these events; one query."""
    persons = {one.actor for one in events} | set(extra)
    persons |= {str(one.body["handler"]) for one in events if one.body.get("handler")}
    persons |= {f"{people.SYSTEM}{one.body['via']}" for one in events if one.body.get("via")}
    return people.names(agencies={one.agency for one in events}, people=persons)


def history(
    events: Sequence[Entry],
    zh: Mapping[str, str],
    detail: _Detailed,
    names: Names,
    *,
    reads: bool,
    files: Mapping[UUID, File] | None = None,
) -> tuple[Told, ...]:
    """A stream in words. reads: whether what people wrote is told; files: of the stream, by id."""
    places = {one.version: _content(one) for one in events}
    wanted = [one for one in places.values() if one is not None]
    texts = ledger.contents(wanted) if reads else {}
    told = []
    for one in events:
        place = places[one.version]
        text = texts.get(UUID(place)) if place is not None else None
        unit, person = "系统自动", ""
        if one.actor is not None:
            unit, person = names.agency(one.agency), names.person(one.actor)
            if via := one.body.get("via"):
                person += f"（经{names.person(f'{people.SYSTEM}{via}')}）"
        told.append(
            Told(
                version=one.version, kind=one.kind, kind_zh=zh.get(one.kind, one.kind),
                when=one.occurred, who=unit, person=person, detail=detail(one, names),
                text=str(text) if text is not None else "",
                erased=reads and place is not None and text is None,
                hidden=not reads and place is not None,
                files=tuple(
                    file for id in named(one) if (file := (files or {}).get(id)) is not None
                ),
            )
        )  # fmt: skip
    return tuple(told)


def named(event: Event) -> dict[UUID, str]:
    """The files that an event names, each with its digest."""
    return {UUID(one["file"]): str(one["digest"]) for one in event.body.get("files") or ()}


def _content(event: Entry) -> str | None:
    """The id of the content that an event names."""
    for place in _TEXTS:
        held = event.body.get(place)
        if isinstance(held, Mapping) and held.get("content"):
            return str(held["content"])
    return None
