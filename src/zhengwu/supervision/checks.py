"""Spot checks (抽查): cases drawn by what the log itself says, so that anybody can draw them again.

The seed is the Merkle leaf of the last position of the log at the draw, which nobody can choose; the
cases closed in the period, as the log knew them then, are ordered by SHA-256(seed ‖ case id) and the
first so many are taken. `drawn` does it again at any later time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import CITY, Actor
from zhengwu.cases import stories, writing
from zhengwu.cases.events import STREAM
from zhengwu.cases.heads import iso
from zhengwu.domain import lifecycle
from zhengwu.domain.event import Event
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import acting, issuing
from zhengwu.supervision.acting import Act, Done, Moved, NotFound, Step, no, written
from zhengwu.supervision.events import CHECKS, SOURCE
from zhengwu.supervision.sight import Sight

RESULTS: Mapping[str, str] = {"fine": "未发现问题", "fault": "发现问题"}
STATES: Mapping[str, str] = {"open": "检查中", "closed": "已办结"}
MOST = 200  # cases of one check
AMONG = 200_000  # cases among which is drawn: a month or two of a city of ten million
LONGEST = timedelta(days=366)
LARGEST = 2**62
# Entries by which a case that was closed then may not be closed now, or at another time.
_REOPENING = ("closed", "entry_withdrawn", "retracted", "corrected")
PAGE = 400


class Lot(NamedTuple):
    """What a draw brought. of: from how many cases; cases: the drawn ones, in the order drawn."""

    seed: str
    of: int
    cases: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A check as its head says, with its events up to that version."""

    id: UUID
    version: int
    agency: str | None
    region: str
    state: str
    done: int
    events: Sequence[ledger.Entry] = ()

    @property
    def cases(self) -> tuple[UUID, ...]:
        return tuple(UUID(one) for one in self.events[0].body["cases"])

    @property
    def looked(self) -> frozenset[UUID]:
        return frozenset(UUID(one.body["case"]) for one in self.events if one.kind == "looked")


COLUMNS = "k.id, k.version, k.agency, k.region, k.state, k.done"


def load(sight: Sight, id: UUID) -> Check:
    """A check that this actor may see. Raises NotFound."""
    head = acting.row("supervision_check", "k", COLUMNS, id, sight.checks())
    return Check(*(*head, acting.events(CHECKS, id, head[1])))


# --- the draw -------------------------------------------------------------------------------------


def drawn(
    position: int,
    *,
    since: date,
    until: date,
    agencies: Collection[str] | None,
    wanted: int,
) -> Lot:
    """Draw (again) by what the log held up to a position; the same whenever it is done.

    since, until: days in Shanghai, both included; agencies: None is all. Raises LookupError where
    the log has no such position.
    """
    (last,) = ledger_queries.positions(after=position - 1, limit=1) or (None,)
    if last is None:
        raise LookupError(f"no position {position}")
    seed = ledger.leaf(last)
    every = sorted(_closed(position, since, until, agencies))
    lots = sorted((hashlib.sha256(seed + one.bytes).digest(), one) for one in every)
    return Lot(seed.hex(), len(every), tuple(one for _, one in lots[:wanted]))


def _closed(position: int, since: date, until: date, agencies: Collection[str] | None) -> set[UUID]:
    """The cases closed in the period, as known at a position.

    The heads say it of all cases that did not move since; the others are read from their events.
    """
    begin = datetime.combine(since, time(), SHANGHAI)
    end = datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
    narrowed = "" if agencies is None else " AND c.agency = ANY(%(agencies)s::text[])"
    given: dict[str, Any] = {
        "begin": begin, "end": end, "position": position, "stream": STREAM,
        "agencies": sorted(agencies or ()), "kinds": list(_REOPENING),
    }  # fmt: skip
    with connection.cursor() as cursor:
        # Entries of a stream are placed in their order: where the last one is known, all are.
        cursor.execute(
            "SELECT c.id, coalesce(p.position <= %(position)s, false) FROM cases_case c"  # noqa: S608
            " JOIN ledger_event e ON e.stream = %(stream)s AND e.stream_id = c.id"
            " AND e.version = c.version LEFT JOIN ledger_position p ON p.event = e.id"
            f" WHERE c.closed >= %(begin)s AND c.closed < %(end)s{narrowed} LIMIT {AMONG + 1}",
            given,
        )
        if cursor.rowcount > AMONG:
            raise no(
                "check_among",
                f"这段时间办结的超过 {AMONG:,} 件。请缩短时间，或者只选一个机关。", field="until",
            )  # fmt: skip
        known: set[UUID] = set()
        moved: set[UUID] = set()
        for id, before in cursor.fetchall():
            (known if before else moved).add(id)
        cursor.execute(_SINCE, given)
        later = {row[0] for row in cursor.fetchall()} - known - moved
        if later and agencies is not None:
            cursor.execute(
                "SELECT id FROM cases_case WHERE id = ANY(%s::uuid[]) AND agency = ANY(%s::text[])",
                [list(later), given["agencies"]],
            )
            later = {row[0] for row in cursor.fetchall()}
    again = sorted(moved | later)
    for start in range(0, len(again), PAGE):
        for case in stories.watched(again[start : start + PAGE], reached=position):
            when = _closing(case.events)
            if when is not None and begin <= when < end:
                known.add(case.case)
    return known


# Placed after the position, or committed and not placed yet.
_SINCE = (
    "SELECT DISTINCT e.stream_id FROM ledger_position p JOIN ledger_event e ON e.id = p.event"
    " WHERE p.position > %(position)s AND e.stream = %(stream)s"
    " AND e.kind = ANY(%(kinds)s::text[]) UNION SELECT e.stream_id FROM ledger_event e"
    " WHERE e.xid >= coalesce((SELECT low_xid FROM ledger_sequencer), '0'::xid8)"
    " AND e.stream = %(stream)s AND e.kind = ANY(%(kinds)s::text[])"
    " AND NOT EXISTS (SELECT 1 FROM ledger_position p WHERE p.event = e.id)"
)


def _closing(events: Sequence[Event]) -> datetime | None:
    return lifecycle.fold(events).closed_at


# --- who may do what, when ------------------------------------------------------------------------


def _may_look(sight: Sight, one: Check, at: datetime) -> None:
    if one.state == "closed":
        raise no("check_closed", "这次抽查已经办结，不能再登记。")


def _may_close(sight: Sight, one: Check, at: datetime) -> None:
    if one.state == "closed":
        raise no("check_closed", "这次抽查已经办结。")
    left = len(one.cases) - len(one.looked)
    if left:
        raise no("check_left", f"还有 {left} 件没有检查。全部检查以后才可以办结。")


ACTS: tuple[Act[Check], ...] = (
    Act("look", "登记检查结果", "required", _may_look),
    Act("close", "办结", "none", _may_close),
)


# --- the verbs ------------------------------------------------------------------------------------


def draw(
    actor: Actor,
    *,
    since: date,
    until: date,
    agency: str | None = None,
    wanted: int,
    key: str,
    at: datetime,
) -> Done:
    """Draw a check (抽取) from the cases closed from since to until, both included.

    Raises Refusal; the same key gives the same check.
    """
    sight, agency = Sight.of(actor), agency or None
    region = CITY if sight.acts.everything else next(iter(sight.regions()), None)
    if region is None:
        raise no("not_allowed", "抽查由监察人员办理。您没有这个权限。")
    _period(since, until, wanted, at)
    if agency is not None:
        if accounts.agency(agency) is None:
            raise no("agency", "没有这个机关。请从列表里选择。", field="agency")
        if not sight.acts_on(agency):
            raise no("not_allowed", "这个机关不在您的监察范围。请从列表里选择。", field="agency")
    request = writing.digest(
        {
            "act": "draw", "since": since.isoformat(), "until": until.isoformat(),
            "agency": agency or "", "wanted": str(wanted),
        }
    )  # fmt: skip
    key = acting.key_of(actor, key)
    if first := ledger_queries.answer(SOURCE, key):
        return acting.repeated(first, None, request)
    within: Collection[str] | None = None if sight.acts.everything else sight.acts.agencies
    if agency is not None:
        within = (agency,)
    position = ledger_queries.reached(after=0, limit=LARGEST)
    if not position:
        raise no("check_nothing", "还没有办件，没有可以抽查的。")
    lot = drawn(position, since=since, until=until, agencies=within, wanted=wanted)
    if not lot.cases:
        raise no(
            "check_nothing", "这段时间没有办结的办件，没有可以抽查的。请换一段时间或者机关。",
            field="since",
        )  # fmt: skip
    id = uuid5(issuing.NAMESPACE, key)
    body: dict[str, Any] = {
        "since": since.isoformat(), "until": until.isoformat(), "position": position,
        "seed": lot.seed, "wanted": wanted, "of": lot.of, "cases": [str(one) for one in lot.cases],
    }  # fmt: skip
    if agency is not None:
        body["agency"] = agency
    elif within is not None:
        body["agencies"] = sorted(within)
    row = ledger.Row(
        stream_id=id,
        expected=0,
        event=acting.event(
            actor, "drawn", body=body, region=region, key=key, request=request, at=at
        ),
        head={
            "since": since.isoformat(), "until": until.isoformat(), "agency": agency,
            "region": region, "position": position, "seed": lot.seed, "wanted": wanted,
            "drawn": iso(at), "drawn_by": actor.code, "state": "open", "done": 0,
        },
    )  # fmt: skip
    (outcome,) = ledger.append(CHECKS, [row])
    if outcome.status is ledger.Status.MOVED:
        return Done(id, 1, f"已从 {lot.of} 件里抽取 {len(lot.cases)} 件。")
    first = ledger_queries.answer(SOURCE, key)
    if first is None:
        raise no("busy", "这里正在被别人办理，这次没有保存。请稍候再提交一次。")
    return acting.repeated(first, id, request)


def again(check: Check) -> Lot:
    """The same draw made anew from the log, by what the check's own entry says."""
    body = check.events[0].body
    agencies = body.get("agencies")
    if "agency" in body:
        agencies = [body["agency"]]
    return drawn(
        int(body["position"]), since=date.fromisoformat(body["since"]),
        until=date.fromisoformat(body["until"]), agencies=agencies, wanted=int(body["wanted"]),
    )  # fmt: skip


def _period(since: date, until: date, wanted: int, at: datetime) -> None:
    if until < since:
        raise no("check_period", "结束日期不能早于开始日期。", field="until")
    if until - since > LONGEST:
        raise no("check_period", "一次抽查最长一年。请缩短时间。", field="until")
    if since > at.astimezone(SHANGHAI).date():
        raise no("check_period", "这段时间还没有到。请选择今天或者以前的日期。", field="since")
    if not 1 <= wanted <= MOST:
        raise no("check_wanted", f"一次抽查 1 到 {MOST} 件。", field="wanted")


def look(
    actor: Actor,
    id: UUID,
    case: UUID,
    result: str,
    text: str,
    finding: UUID | None = None,
    *,
    version: int,
    key: str,
    at: datetime,
) -> Done:
    """Enter what looking at one of the cases brought (检查记录). result: of RESULTS.

    text: must be there where a fault was found; finding: what was issued for it. Raises NotFound,
    Moved, Refusal.
    """
    if result not in RESULTS:
        raise no("result", "请选择检查结果：未发现问题，或者发现问题。", field="result")
    text = written(text, "发现的问题" if result == "fault" else "记录", required=result == "fault")
    sight = Sight.of(actor)
    if finding is not None:
        (about,) = acting.row("supervision_finding", "f", 'f."case"', finding, sight.findings())
        if about != case or result != "fault":
            raise no("check_finding", "这条发现不是这次检查的办件的。请重新选择。", field="finding")

    def step(one: Check) -> Step:
        _may_look(sight, one, at)
        if case not in one.cases:
            raise no("check_case", "这个办件没有被抽中。请从列表里选择。", field="case")
        if case in one.looked:
            raise no("check_looked", "这个办件已经登记过检查结果。", field="case")
        body = {"case": str(case), "result": result}
        if finding is not None:
            body["finding"] = str(finding)
        return Step(
            kind="looked", sentence=f"已登记：{RESULTS[result]}。", body=body,
            head={"done": one.done + 1}, text=text,
        )  # fmt: skip

    return acting.carry(
        CHECKS, lambda: load(sight, id), step, actor=actor, version=version, key=key, at=at,
        request={
            "act": "check.look", "id": str(id), "case": str(case), "result": result, "text": text,
            "finding": str(finding or ""),
        },
    )  # fmt: skip


def close(actor: Actor, id: UUID, *, version: int, key: str, at: datetime) -> Done:
    """Bring a check to its end (办结), once all its cases were looked at.

    Raises NotFound, Moved, Refusal.
    """
    sight = Sight.of(actor)

    def step(one: Check) -> Step:
        _may_close(sight, one, at)
        return Step(
            kind="closed", sentence="抽查已办结。", head={"state": "closed", "closed": iso(at)}
        )

    return acting.carry(
        CHECKS, lambda: load(sight, id), step, actor=actor, version=version, key=key, at=at,
        request={"act": "check.close", "id": str(id)},
    )  # fmt: skip


__all__ = [
    "ACTS", "MOST", "RESULTS", "STATES", "Act", "Check", "Done", "Lot", "Moved", "NotFound",
    "again", "close", "draw", "drawn", "load", "look",
]  # fmt: skip
