"""Changing the timetable (历法变更): one proposes, another confirms; what ships with the software."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries
from zhengwu.calendars.events import STREAM, STREAM_ID
from zhengwu.domain import notices
from zhengwu.domain.edition import SHANGHAI, Pending, Timetable
from zhengwu.domain.notices import Checked
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

SOURCE = "calendars"
SEE, PROPOSE, CONFIRM = "calendar.see", "calendar.propose", "calendar.confirm"
REASON = 500  # most characters
TRIES = 5  # others may move the stream meanwhile

Listed = tuple[str, str, bool | None]


# --- what ships with the software ----------------------------------------------------------------


def load_shipped(*, at: datetime) -> int:
    """The years of data/holidays.json that nobody has published; how many were new.

    A second time changes nothing. A year that the file has otherwise than a file before it is
    amended; a year that people here have published or amended is theirs.
    """
    data = json.loads(files("zhengwu.calendars").joinpath("data/holidays.json").read_text("utf-8"))
    years = {
        int(year["year"]): (_source(year), [(day, name, off) for day, name, off in year["days"]])
        for year in data["years"]
    }
    return _ship(years, at=at)


def keep_former(years: Mapping[int, tuple[str, Sequence[Listed]]], *, at: datetime) -> int:
    """Days that an installation has beyond the file: year → source, days. How many years changed.

    For the step from the former tables to the stream, after `load_shipped`.
    """
    return _ship(years, at=at, whole=False)


def _source(year: Mapping[str, Any]) -> str:
    title = f"国务院办公厅关于{year['year']}年部分节假日安排的通知"
    return f"{title} {' '.join(year['notices'])}"


def _ship(
    years: Mapping[int, tuple[str, Sequence[Listed]]], *, at: datetime, whole: bool = True
) -> int:
    """whole: the list is all that holds in its year; what stood and is not listed is taken back."""
    for _ in range(TRIES):
        events = ledger_queries.stream_events(STREAM, STREAM_ID)
        changes = list(_missing(events, years, whole=whole))
        if not changes:
            return 0
        version = events[-1].version if events else 0
        rows = [
            ledger.Row(
                stream_id=STREAM_ID,
                expected=version,
                event=ledger.NewEvent(
                    kind="shipped",
                    occurred=at,
                    source=SOURCE,
                    key=f"shipped:{change['year']}:{version + nth}",
                    body={"change": change},
                ),
            )
            for nth, change in enumerate(changes, 1)
        ]
        outcomes = ledger.append(STREAM, rows)
        if all(one.status is ledger.Status.MOVED for one in outcomes):
            return len(rows)
    raise ledger.Stale(())


def _missing(
    events: Sequence[ledger.Entry],
    years: Mapping[int, tuple[str, Sequence[Listed]]],
    *,
    whole: bool,
) -> Iterable[dict[str, Any]]:
    table = Timetable.of(events)
    ours = {one.version for one in events if one.kind == "shipped"}
    for year, (source, days) in sorted(years.items()):
        told = [one for one in table.notices if one.year == year]
        if whole and any(one.version not in ours for one in told):
            continue
        stands: dict[str, tuple[str, bool | None]] = {}
        for notice in told:
            stands |= {day.isoformat(): (name, off) for day, name, off in notice.days}
        new = [one for one in days if stands.get(one[0]) != (one[1], one[2])]
        listed = {day for day, _, _ in days}
        if whole:
            new += [
                (day, "", None)
                for day, (_, off) in sorted(stands.items())
                if day not in listed and off is not None
            ]
        if new:
            yield {
                "kind": "notice",
                "year": year,
                "amends": bool(told),
                "source": source,
                "days": [list(one) for one in (new if told else days)],
            }


def reprojected(number: int, *, looked: int, moved: int, unread: int, at: datetime) -> None:
    """Running cases were read again by an edition (重新推算): how many were looked at, moved, and
    could not be read. Once each.
    """
    for _ in range(TRIES):
        last = ledger_queries.last(STREAM, STREAM_ID)
        row = ledger.Row(
            stream_id=STREAM_ID,
            expected=last[0] if last else 0,
            event=ledger.NewEvent(
                kind="reprojected",
                occurred=at,
                source=SOURCE,
                key=f"reprojected:{number}",
                body={"edition": number, "looked": looked, "moved": moved, "unread": unread},
            ),
        )
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status in (ledger.Status.MOVED, ledger.Status.REPEATED):
            return
    raise ledger.Stale(())


# --- one proposes, another confirms ---------------------------------------------------------------


def propose(
    actor: Actor,
    change: Mapping[str, Any],
    *,
    reason: str,
    key: str,
    at: datetime,
    halls: Collection[str] = (),
    running: int | None = None,
) -> int:
    """Propose a change (提出变更); the version of the proposal. Nothing holds by it yet.

    halls: the codes of the halls there are. Raises Refusals; the same key gives the same answer.
    """
    _may(actor, PROPOSE)
    reason = _reason(reason)
    digest = _digest("propose", change, reason)
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        table = queries.timetable()
        checked = check(change, table, at=at, halls=halls, running=running)
        if any(one.change == checked.change for one in table.pending):
            raise Refusals(
                [
                    Refusal(
                        "calendar.proposed_already",
                        "同样的变更已经提出，正在等第二个人确认。请到“待确认”里查看。",
                    )
                ]
            )
        row = _row(
            "proposed",
            actor,
            {"change": checked.change},
            expected=table.number,
            key=key,
            request=digest,
            at=at,
            contents=(ledger.Content(path=("reason",), data=reason),),
        )
        if (version := _append(row)) is not None:
            return version
    raise _busy()


def check(
    change: Mapping[str, Any],
    table: Timetable,
    *,
    at: datetime,
    halls: Collection[str] = (),
    running: int | None = None,
) -> Checked:
    """What `propose` would say of a change, for the preview. Raises Refusals."""
    return notices.check(
        change,
        table,
        today=at.astimezone(SHANGHAI).date(),
        regions=accounts.region_codes(),
        halls=halls,
        running=running,
    )


def confirm(
    actor: Actor,
    version: int,
    *,
    key: str,
    at: datetime,
    seen: int | None = None,
    halls: Collection[str] = (),
) -> int:
    """Confirm a proposal (确认): it holds from the next question on. Its number.

    seen: the number of the timetable that the preview was made from; None: of the proposal. Raises
    Refusal: calendar.second_person, calendar.changed, calendar.decided, calendar.not_proposed; or
    Refusals where the change has become unlawful since.
    """
    _may(actor, CONFIRM)
    digest = _digest("confirm", {"version": version}, "")
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        table = queries.timetable()
        found = _waiting(table, version)
        if found.actor == actor.code:
            raise Refusal(
                "calendar.second_person",
                "这项变更是您本人提出的，要由另一个人核对原文以后确认。请通知另一位管理员。",
            )
        if queries.holds(table.number) > (version if seen is None else min(seen, table.number)):
            raise Refusal(
                "calendar.changed",
                "您打开这一页以后，历法又有了变更，预览已经不准。请重新打开，核对以后再确认。",
            )
        check(found.change, table, at=at, halls=halls)
        row = _row(
            "confirmed", actor, {"version": version}, expected=table.number, key=key,
            request=digest, at=at,
        )  # fmt: skip
        if (number := _append(row)) is not None:
            return number
    raise _busy()


def decline(actor: Actor, version: int, *, reason: str, key: str, at: datetime) -> int:
    """Decline a proposal, or take one's own back (不予确认). The number of the entry."""
    _may(actor, CONFIRM)
    reason = _reason(reason)
    digest = _digest("decline", {"version": version}, reason)
    for _ in range(TRIES):
        if (first := _answered(key, digest)) is not None:
            return first
        table = queries.timetable()
        _waiting(table, version)
        row = _row(
            "declined", actor, {"version": version}, expected=table.number, key=key,
            request=digest, at=at, contents=(ledger.Content(path=("reason",), data=reason),),
        )  # fmt: skip
        if (number := _append(row)) is not None:
            return number
    raise _busy()


def _may(actor: Actor, act: str) -> None:
    if not actor.may(act):
        raise Refusal(
            "calendar.not_allowed", "历法由系统管理员和安全管理员提出和确认。您没有这个权限。"
        )


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise Refusals([Refusal("calendar.reason", "请写明理由。", field="reason")])
    if len(text) > REASON:
        raise Refusals(
            [Refusal("calendar.reason_long", f"理由最多 {REASON} 个字。", field="reason")]
        )
    try:
        ledger.check_json(text)
    except ledger.UnfitBody:
        raise Refusals(
            [Refusal("calendar.control", "理由里有不可见的控制字符。请删去。", field="reason")]
        ) from None
    return text


def _waiting(table: Timetable, version: int) -> Pending:
    found = table.proposal(version)
    if found is not None:
        return found
    ended = next((one for one in queries.history() if one.version == version), None)
    if ended is None or ended.kind == "shipped":
        raise Refusal("calendar.not_proposed", "没有这项变更。请回到列表重新选择。")
    done = "确认" if ended.kind == "confirmed" else "不予确认"
    raise Refusal(
        "calendar.decided", f"这项变更已经由{ended.decided_by or '别人'}{done}，不用再办。"
    )


def _digest(verb: str, given: Mapping[str, Any], reason: str) -> bytes:
    text = json.dumps([verb, given, reason], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).digest()


def _answered(key: str, digest: bytes) -> int | None:
    """The version that this key stands for. Raises Refusal where it was for something else."""
    found = ledger_queries.answer(SOURCE, key)
    if found is None:
        return None
    if found.request != digest:
        raise Refusal(
            "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
        )
    return found.version


def _row(
    kind: str,
    actor: Actor,
    body: Mapping[str, Any],
    *,
    expected: int,
    key: str,
    request: bytes,
    at: datetime,
    contents: tuple[ledger.Content, ...] = (),
) -> ledger.Row:
    return ledger.Row(
        stream_id=STREAM_ID,
        expected=expected,
        event=ledger.NewEvent(
            kind=kind, occurred=at, actor=actor.code, agency=actor.agency, source=SOURCE, key=key,
            request=request, body=body,
        ),
        contents=contents,
    )  # fmt: skip


def _append(row: ledger.Row) -> int | None:
    """Its version; None where the stream had moved on."""
    (outcome,) = ledger.append(STREAM, [row])
    if outcome.status in (ledger.Status.MOVED, ledger.Status.REPEATED):
        return outcome.version
    return None


def _busy() -> Refusal:
    return Refusal("calendar.busy", "历法正在被别人变更，这次没有保存。请稍候再提交一次。")
