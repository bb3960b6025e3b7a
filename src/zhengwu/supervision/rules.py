"""Changing the rulebook (规则变更): one proposes, another confirms; from tomorrow at the earliest.

A change is a new version of a rule, its end, a new rule, or a setting: the dialect, the numbers that
open accountability, the weights of the score. Nothing holds before the second person has confirmed
it, and nothing is changed backwards: a card is judged by the rules of its day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.domain import rulebook, scoring
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import DIALECTS_ZH, SUPERVISOR, Dialect, Rule, Rulebook
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import rulebooks, trials
from zhengwu.supervision.chain import YELLOWS
from zhengwu.supervision.events import RULEBOOK, RULEBOOK_ID, SOURCE
from zhengwu.supervision.models import Finding

SEE, CHANGE = "supervise.see", "supervise.rules"
REASON = 500  # most characters
TRIES = 5  # others may move the stream meanwhile
FARTHEST = timedelta(days=366 * 2)  # ahead of today
CARDS_MOST = 100  # the largest number of cards that may open a record
SETTINGS: Mapping[str, str] = {
    "dialect": "牌色口径", "accountability": "启动问责的黄牌数", "weights": "测评表",
}  # fmt: skip
KINDS: Mapping[str, str] = {
    "new": "新设规则", "version": "规则的新版本", "end": "终止规则", **SETTINGS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One proposal (提议) and what became of it. state: waiting, confirmed, declined.

    subject: the rule's code or the setting. reason, decline: None where erased or none. by_code is
    a person's code; by, decided_by are names. trial: what trying it on history found, as told then.
    """

    version: int
    state: str
    kind: str
    subject: str
    change: Mapping[str, Any]
    trial: Mapping[str, Any] | None
    by_code: str
    by: str
    at: datetime
    reason: str | None
    decided_by: str = ""
    decided: datetime | None = None
    decided_version: int | None = None
    declined: str | None = None

    @property
    def title(self) -> str:
        """规则的新版本：T03 超过承诺时限."""
        if "rule" not in self.change:
            return KINDS[self.kind]
        return f"{KINDS[self.kind]}：{self.subject} {self.change['rule']['zh']}"

    @property
    def rule(self) -> Rule | None:
        return rulebook.of_data(self.change["rule"]) if "rule" in self.change else None

    @property
    def since(self) -> date:
        """The day from which it holds; of an end, the first day without the rule."""
        if self.rule is None:
            return date.fromisoformat(self.change["since"])
        return (self.rule.until if self.kind == "end" else None) or self.rule.since


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a rule (规则版本) and the change that made it; None: shipped with the software."""

    rule: Rule
    step: Step | None
    state: str  # past | present | future


# --- proposing ---------------------------------------------------------------------------------------


def propose(
    actor: Actor,
    change: Mapping[str, Any],
    *,
    reason: str,
    key: str,
    at: datetime,
    trial: UUID | None = None,
) -> int:
    """Propose a change (提议): {rule} as `rulebook.as_data` writes it, or {setting, since, value}.

    trial: where the rule was tried on history; asked for where what it finds would change. Its
    version in the stream; the same key gives the same answer. Raises Refusals, Refusal.
    """
    _may(actor)
    reason = _reason(reason)
    digest = _digest("propose", change, reason)
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        number, book = _last(), rulebooks.now()
        made = check(change, book, at=at)
        subject = _subject(made)
        if any(one.subject == subject for one in waiting()):
            raise Refusals(
                [Refusal("rule.proposed_already",
                         f"“{subject_zh(subject)}”已经有一项提议在等确认。请先确认或者否决它。")]
            )  # fmt: skip
        body: dict[str, Any] = {"change": made}
        if (told := _tried(made, book, trial)) is not None:
            body["trial"] = told
        row = _row(
            "proposed", actor, body, expected=number, key=key, request=digest, at=at, reason=reason
        )
        if (version := _append(row)) is not None:
            return version
    raise _busy()


def check(change: Mapping[str, Any], book: Rulebook, *, at: datetime) -> dict[str, Any]:
    """A change as it would be written, for the preview too. Raises Refusals."""
    today = at.astimezone(SHANGHAI).date()
    if "setting" in change:
        return _setting(change, today)
    try:
        rule = rulebook.of_data(change["rule"])
    except (KeyError, TypeError, ValueError):
        raise Refusals([Refusal("rule.shape", "这不是一条完整的规则。请从编辑页提交。")]) from None
    faults = [*rulebook.faults(rule), *_dates(rule, book, today), *_kept(rule, book)]
    made = {"rule": rulebook.as_data(rule)}
    if not faults:
        try:
            book.with_change(made, book.number + 1)
        except Refusal as refusal:
            faults.append(refusal)
        if _same(rule, book):
            faults.append(Refusal("rule.nothing", "和现在的规则完全一样，没有可以提议的改动。"))
    if faults:
        raise Refusals(faults)
    return made


def kind_of(change: Mapping[str, Any], book: Rulebook) -> str:
    """Which of KINDS a change is, against the book before it."""
    if "setting" in change:
        return str(change["setting"])
    rule = rulebook.of_data(change["rule"])
    stands = [one for one in book.rules if one.code == rule.code]
    if not stands:
        return "new"
    return "end" if any(_only_ends(rule, one) for one in stands) else "version"


def _only_ends(new: Rule, old: Rule) -> bool:
    return new.until is not None and replace(new, until=None) == replace(old, until=None)


def _same(rule: Rule, book: Rulebook) -> bool:
    if rule in book.rules:
        return True
    before = book.rule(rule.code, rule.since - timedelta(days=1))
    if before is None or before.until == rule.since:
        return False  # it is ended there, and would go on
    return replace(before, since=rule.since, until=rule.until) == rule


def _dates(rule: Rule, book: Rulebook, today: date) -> list[Refusal]:
    """Nothing begins or ends before tomorrow; what has issued nothing may still begin today."""
    stands = next(
        (one for one in book.rules if (one.code, one.since) == (rule.code, rule.since)), None
    )
    tomorrow = today + timedelta(days=1)
    if max(rule.since, rule.until or rule.since) > today + FARTHEST:
        return [Refusal("rule.far", "日期最远到两年以后。", field="since")]
    if stands is not None and _only_ends(rule, stands):
        assert rule.until is not None
        return [] if rule.until >= tomorrow else [_back("until", tomorrow)]
    if rule.since >= tomorrow:
        return []
    if rule.since == today and stands is None and not _issued(rule.code, today):
        return []
    return [_back("since", tomorrow)]


def _back(field: str, tomorrow: date) -> Refusal:
    what = "失效" if field == "until" else "生效"
    return Refusal(
        "rule.back", f"规则不溯及既往，{what}日期最早是明天（{tomorrow}）。", field=field
    )


def _issued(code: str, day: date) -> bool:
    """Whether a rule found something from the beginning of a day on."""
    since = datetime.combine(day, datetime.min.time(), SHANGHAI)
    return Finding.objects.filter(rule=code, at__gte=since).exists()


def _kept(rule: Rule, book: Rulebook) -> list[Refusal]:
    """What a rule must keep, and what it may speak of."""
    found = []
    stands = [one for one in book.rules if one.code == rule.code]
    if any(one.matter != rule.matter for one in stands):
        found.append(
            Refusal("rule.matter_changed", "规则的对象不能改。看别的对象请新设一条规则。",
                    field="matter")
        )  # fmt: skip
    if rule.matter != "repeat":
        return found + _counted_by(rule, book)
    tests = {one.attribute: one.value for one in rule.where}
    of = [one for one in book.rules if one.code == tests.get("of")]
    if rule.served != SUPERVISOR and any(
        _holds_beside(one, rule) and one.served == SUPERVISOR for one in of
    ):
        found.append(
            Refusal(
                "rule.of_kept",
                f"规则 {tests['of']} 只送达监察人员，数它的规则不能让机关知道。"
                "请改数别的规则，或者这条规则也只送达监察人员。", field="where.of",
            )
        )  # fmt: skip
    if not of or of[0].matter == "repeat":
        found.append(
            Refusal("rule.of", "请选择数哪一条规则的发现；“屡次”本身不能再数。", field="where.of")
        )
    found += [
        Refusal("rule.needed", zh, field=f"where.{name}")
        for name, zh in (("count", "请填写达到几次。"), ("per", "请选择按个人还是按机关数。"))
        if name not in tests
    ]
    if len(tests.get("per") or "x") > 1:
        found.append(
            Refusal("rule.per", "个人和机关分别数，只能选一个。", field="where.per")
        )  # fmt: skip
    return found


def _counted_by(rule: Rule, book: Rulebook) -> list[Refusal]:
    """A rule that is served to supervisors alone is counted by none of which the agency learns."""
    if rule.served != SUPERVISOR:
        return []
    counting = [
        one.code for one in book.every("repeat")
        if _holds_beside(one, rule) and one.served != SUPERVISOR
        and any(test.attribute == "of" and test.value == rule.code for test in one.where)
    ]  # fmt: skip
    if not counting:
        return []
    named = "、".join(dict.fromkeys(counting))
    return [
        Refusal(
            "rule.counted",
            f"规则 {named} 数这条规则的发现，并且送达机关，这条规则就不能只送达监察人员。"
            f"请加选责任岗位、机关负责人为送达对象，或者先终止规则 {named}。", field="receivers",
        )
    ]  # fmt: skip


def _holds_beside(one: Rule, other: Rule) -> bool:
    """Whether there is a day on which both are in force."""
    return (other.until is None or one.since < other.until) and (
        one.until is None or other.since < one.until
    )


def _setting(change: Mapping[str, Any], today: date) -> dict[str, Any]:
    kind, value = change.get("setting"), change.get("value")
    faults = []
    try:
        since = date.fromisoformat(str(change.get("since")))
    except ValueError:
        since = None
    if since is None:
        faults.append(Refusal("rule.since", "请填写生效日期。", field="since"))
    elif since <= today:
        faults.append(_back("since", today + timedelta(days=1)))
    elif since > today + FARTHEST:
        faults.append(Refusal("rule.far", "日期最远到两年以后。", field="since"))
    if kind == "dialect":
        if value not in set(Dialect):
            faults.append(Refusal("rule.dialect", "请选择牌色口径。", field="value"))
    elif kind == "accountability":
        faults += _thresholds(value)
    elif kind == "weights":
        faults += _weights(value)
    else:
        faults.append(Refusal("rule.setting", "没有这项设定。"))
    if faults or since is None:
        raise Refusals(faults)
    return {"setting": kind, "since": since.isoformat(), "value": value}


def _thresholds(value: Any) -> list[Refusal]:
    given = value if isinstance(value, Mapping) else {}
    return [
        Refusal("rule.cards", f"{zh}请填写 1 到 {CARDS_MOST} 之间的整数。", field=name)
        for name, zh in (("person", "个人一个月的黄牌数"), ("agency", "机关一个月的黄牌数"))
        if not _whole(given.get(name)) or not 1 <= given[name] <= CARDS_MOST
    ] or (
        [Refusal("rule.cards_kind", "只有个人和机关两个数。")] if set(given) - set(YELLOWS) else []
    )


def _weights(value: Any) -> list[Refusal]:
    """A whole table of the score: its parts add to 100 (domain.scoring.check)."""
    try:
        scoring.check(value)
    except Refusal as refusal:
        return [refusal]
    return []


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def wants_trial(rule: Rule, book: Rulebook) -> bool:
    """Whether a rule finds something else than what stands, and can be tried on history."""
    if trials.untriable(rule) is not None or (
        rule.until is not None and kind_of({"rule": rulebook.as_data(rule)}, book) == "end"
    ):
        return False
    before = _present(rule, book)
    return before is None or _finds(before) != _finds(rule)


def _present(rule: Rule, book: Rulebook) -> Rule | None:
    """The version that a new one would take the place of."""
    stands = [one for one in book.rules if one.code == rule.code and one.since <= rule.since]
    return max(stands, key=lambda one: one.since, default=None)


def _finds(rule: Rule) -> tuple[object, ...]:
    """What of a rule decides what it finds."""
    where = sorted((one.attribute, one.op, str(one.value)) for one in rule.where)
    return rule.matter, tuple(where)


def _tried(
    change: Mapping[str, Any], book: Rulebook, trial: UUID | None
) -> Mapping[str, Any] | None:
    """What the trial found, for the proposal. Raises Refusals where one is wanting."""
    if "setting" in change:
        return None
    rule = rulebook.of_data(change["rule"])
    found = trials.done(trial) if trial is not None else None
    if found is not None and _finds(found.rule) == _finds(rule):
        return found.told()
    if wants_trial(rule, book):
        raise Refusals(
            [Refusal("rule.trial",
                     "条件改了，先要在历史上试算，知道会多出、少掉哪些发现，再提交提议。请点“试算”。")]
        )  # fmt: skip
    return None


# --- deciding ----------------------------------------------------------------------------------------


def confirm(actor: Actor, version: int, *, key: str, at: datetime, seen: int | None = None) -> int:
    """Confirm a proposal (确认); its number. Another person than who proposed it, and one of the two
    of the whole city.

    seen: the number of the rulebook that the page was made from. Raises Refusal, or Refusals where
    it has become unlawful since (its day has come meanwhile).
    """
    _may(actor)
    digest = _digest("confirm", {"version": version}, "")
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        number, book = _last(), rulebooks.now()
        found = _waiting(version)
        if found.by_code == actor.code:
            raise Refusal(
                "rule.second_person",
                "这项改动是您本人提议的，要由另一位监察人员核对以后确认。请通知另一位监察人员。",
            )
        if not (_of_the_city(actor) or _of_the_city(accounts.actor(found.by_code))):
            raise Refusal(
                "rule.city",
                "规则管全市。区里提议的改动要由市级监察人员确认。请通知市级监察人员。",
            )
        if book.number > (version if seen is None else min(seen, number)):
            raise Refusal(
                "rule.changed",
                "您打开这一页以后，规则册又有了变更，页面已经不准。请重新打开，核对以后再确认。",
            )
        check(found.change, book, at=at)
        row = _row(
            "confirmed", actor, {"version": version}, expected=number, key=key, request=digest,
            at=at,
        )  # fmt: skip
        if (done := _append(row)) is not None:
            return done
    raise _busy()


def decline(actor: Actor, version: int, *, reason: str, key: str, at: datetime) -> int:
    """Decline a proposal (否决), or take one's own back. The number of the entry."""
    _may(actor)
    reason = _reason(reason)
    digest = _digest("decline", {"version": version}, reason)
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        number = _last()
        _waiting(version)
        row = _row(
            "declined", actor, {"version": version}, expected=number, key=key, request=digest,
            at=at, reason=reason,
        )  # fmt: skip
        if (done := _append(row)) is not None:
            return done
    raise _busy()


def _of_the_city(actor: Actor) -> bool:
    return accounts.reach(actor, CHANGE).everything


def _may(actor: Actor) -> None:
    if not actor.may(CHANGE):
        raise Refusal("rule.not_allowed", "监察规则由监察人员提议和确认。您没有这个权限。")


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise Refusals([Refusal("rule.reason", "请写明理由。", field="reason")])
    if len(text) > REASON:
        raise Refusals([Refusal("rule.reason_long", f"理由最多 {REASON} 个字。", field="reason")])
    try:
        ledger.check_json(text)
    except ledger.UnfitBody:
        raise Refusals(
            [Refusal("rule.control", "理由里有不可见的控制字符。请删去。", field="reason")]
        ) from None
    return text


def _waiting(version: int) -> Step:
    found = next((one for one in history() if one.version == version), None)
    if found is None:
        raise Refusal("rule.not_proposed", "没有这项提议。请回到列表重新选择。")
    if found.state != "waiting":
        done = "确认" if found.state == "confirmed" else "否决"
        raise Refusal("rule.decided", f"这项提议已经由{found.decided_by}{done}，不用再办。")
    return found


def _last() -> int:
    """The version of the stream; everything that was read before an append is as old as this."""
    found = ledger_queries.last(RULEBOOK, RULEBOOK_ID)
    return found[0] if found else 0


def _digest(verb: str, given: Mapping[str, Any], reason: str) -> bytes:
    text = json.dumps([verb, given, reason], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).digest()


def _answered(key: str, digest: bytes) -> int | None:
    found = ledger_queries.answer(SOURCE, key)
    if found is None:
        return None
    if found.request != digest:
        raise Refusal(
            "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
        )
    return found.version


def _row(
    kind: str, actor: Actor, body: Mapping[str, Any], *, expected: int, key: str, request: bytes,
    at: datetime, reason: str = "",
) -> ledger.Row:  # fmt: skip
    return ledger.Row(
        stream_id=RULEBOOK_ID,
        expected=expected,
        event=ledger.NewEvent(
            kind=kind, occurred=at, actor=actor.code, agency=actor.agency, source=SOURCE, key=key,
            request=request, body=body,
        ),
        contents=(ledger.Content(path=("reason",), data=reason),) if reason else (),
    )  # fmt: skip


def _append(row: ledger.Row) -> int | None:
    """Its version; None where the stream had moved on."""
    (outcome,) = ledger.append(RULEBOOK, [row])
    if outcome.status in (ledger.Status.MOVED, ledger.Status.REPEATED):
        return outcome.version
    return None


def _busy() -> Refusal:
    return Refusal("rule.busy", "规则册正在被别人变更，这次没有保存。请稍候再提交一次。")


# --- looking -----------------------------------------------------------------------------------------


def as_of(day: date) -> tuple[Rule, ...]:
    """The rules in force on a day by everything known, by code."""
    return tuple(sorted(rulebooks.now().on(day), key=lambda one: one.code))


def subject_zh(subject: str) -> str:
    return SETTINGS.get(subject, f"规则 {subject}")


def history() -> tuple[Step, ...]:
    """Everything that was proposed, the latest first, with what became of it."""
    events = ledger_queries.stream_events(RULEBOOK, RULEBOOK_ID)
    ends = {
        int(one.body["version"]): one for one in events if one.kind in ("confirmed", "declined")
    }
    names = accounts.names(people=(one.actor for one in events))
    wanted = [found for one in events if (found := _content(one)) is not None]
    texts = {str(one): data for one, data in ledger_queries.contents(wanted).items()}
    made: list[Step] = []
    book = Rulebook()
    kinds: dict[int, str] = {}
    for one in events:  # what a proposal is, is said against what held when it was made
        if one.kind == "proposed":
            kinds[one.version] = kind_of(one.body["change"], book)
        elif one.kind == "confirmed":
            first = next(e for e in events if e.version == int(one.body["version"]))
            book = book.with_change(first.body["change"], one.version)
    for one in reversed(events):
        if one.kind != "proposed":
            continue
        end = ends.get(one.version)
        made.append(
            Step(
                version=one.version, state=end.kind if end else "waiting",
                kind=kinds[one.version], subject=_subject(one.body["change"]),
                change=one.body["change"], trial=one.body.get("trial"),
                by_code=one.actor or "", by=names.person(one.actor), at=one.received,
                reason=_text(texts, _content(one)),
                decided_by=names.person(end.actor) if end else "",
                decided=end.received if end else None,
                decided_version=end.version if end else None,
                declined=_text(texts, _content(end)) if end else None,
            )
        )  # fmt: skip
    return tuple(made)


def waiting() -> tuple[Step, ...]:
    """The proposals nobody has decided (待确认), the latest first."""
    return tuple(one for one in history() if one.state == "waiting")


def versions(code: str, *, today: date) -> tuple[Version, ...]:
    """Every version of a rule, the newest first; empty where there is no such rule."""
    steps = {
        (one.subject, one.rule.since): one
        for one in reversed(history())
        if one.state == "confirmed" and one.rule is not None and one.kind != "end"
    }
    found = [one for one in rulebooks.now().rules if one.code == code]
    return tuple(
        Version(
            one,
            steps.get((one.code, one.since)),
            "present" if one.in_force(today) else "future" if one.since > today else "past",
        )
        for one in sorted(found, key=lambda one: one.since, reverse=True)
    )


def settings(day: date) -> Mapping[str, Any]:
    """What holds on a day, by kind, as a change writes it."""
    book = rulebooks.now()
    return {
        "dialect": str(book.dialect(day)),
        "accountability": {**YELLOWS, **(book.setting("accountability", day) or {})},
        "weights": book.setting("weights", day) or scoring.as_data(scoring.SHIPPED),
    }


def value_zh(kind: str, value: Any) -> str:
    """A setting's value as one reads it."""
    if kind == "dialect":
        return DIALECTS_ZH[Dialect(value)]
    if kind == "accountability":
        return f"个人一个月 {value['person']} 张、机关一个月 {value['agency']} 张"
    return "、".join(f"{zh} {value['weights'][code]}" for code, zh in rulebook.SCORED.items())


def _subject(change: Mapping[str, Any]) -> str:
    return str(change["rule"]["code"] if "rule" in change else change["setting"])


def _content(event: ledger.Entry) -> str | None:
    found = event.body.get("reason")
    return str(found["content"]) if isinstance(found, Mapping) else None


def _text(texts: Mapping[str, Any], identifier: str | None) -> str | None:
    data = texts.get(identifier or "")
    return None if data is None else str(data)


__all__ = [
    "CHANGE", "KINDS", "REASON", "SEE", "SETTINGS", "Step", "Version", "as_of", "check", "confirm",
    "decline", "history", "kind_of", "propose", "settings", "subject_zh", "value_zh", "versions",
    "waiting", "wants_trial",
]  # fmt: skip
