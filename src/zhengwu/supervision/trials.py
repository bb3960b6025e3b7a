"""Trying a rule on history (规则试算): had this been in force then, what would it have found?

A trial is asked for here and worked by a process of its own (`supervision.trying`), as exports are.
It changes nothing and is deleted after 30 days; what a proposal rests on is told in the proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.domain import rulebook
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import BY_MATTER, Rule
from zhengwu.ledger import services as ledger
from zhengwu.supervision import rulebooks
from zhengwu.supervision.models import Trial

ACT = "supervise.rules"
FIRST = date(2004, 7, 1)  # 行政许可法 in force
LONGEST = 366  # days of history in one trial
MOST_WAITING = 3  # of one person
KEPT = timedelta(days=30)
DEATHS = 3  # the process ended so often in the middle of it: not once more
TRYING = 7_301_004  # class of the advisory locks that the processes hold, one for each trial
UNDER_WAY = ("waiting", "running")
STATES_ZH: Mapping[str, str] = {
    "waiting": "排队中", "running": "试算中", "done": "已完成", "failed": "没有完成",
    "cancelled": "已取消",
}  # fmt: skip
DIED = f"后台进程在试算中断了 {DEATHS} 次，没有算完。请缩短时间再试；仍然不行的，请联系系统管理员。"
# What cannot be worked out again from the log of the cases, and why.
_UNTRIABLE: Mapping[str, str] = {
    "gap": "数据中断看的是来源系统每天有没有报送，过去的报送日子只保留 20 天，不能试算。",
    "hand": "人工发现由监察人员逐件判断，没有条件可以试算。",
    "correction": "更正是对已经发出的牌来说的，换一种条件时没有那些牌，不能试算。",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A case among what was found: how many findings, the first one's level and instant.

    change: "more" only the tried version finds it, "fewer" only the present one, "" both.
    """

    case: UUID | None
    number: str
    item_name: str
    agency: str
    level: str
    at: datetime
    count: int
    change: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial (试算) as it stands. share: of the cases, 0 to 1, None before it is known."""

    id: UUID
    rule: Rule
    present: Rule | None
    since: date
    until: date
    asked: datetime
    asked_by: str
    asked_by_name: str
    state: str
    looked: int
    total: int | None
    found: int
    by_level: Mapping[str, int]
    by_agency: Mapping[str, int]
    compared: Mapping[str, int]
    hits: tuple[Hit, ...]
    done: datetime | None
    fault: str

    @property
    def state_zh(self) -> str:
        return STATES_ZH[self.state]

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def share(self) -> float | None:
        return min(1.0, self.looked / self.total) if self.total else None

    def told(self) -> dict[str, Any]:
        """What a proposal says of it: numbers only."""
        return {
            "since": self.since.isoformat(), "until": self.until.isoformat(), "found": self.found,
            "looked": self.looked, "by_level": dict(self.by_level), **self.compared,
        }  # fmt: skip


def untriable(rule: Rule) -> str | None:
    """Why a rule cannot be tried on history; None where it can."""
    return _UNTRIABLE.get(rule.matter)


def last_month(today: date) -> tuple[date, date]:
    """The last whole month, first and last day."""
    end = today.replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def ask(actor: Actor, rule: Rule, *, since: date, until: date, key: UUID, at: datetime) -> UUID:
    """Have a rule tried on the cases of a period, both days included (试算). Its id; the same key
    again gives the same. Raises Refusals where the rule or the period is none.
    """
    if not actor.may(ACT):
        raise Refusal("rule.not_allowed", "监察规则由监察人员试算。您没有这个权限。")
    # The dates of force are what a trial leaves out.
    faults = [one for one in rulebook.faults(rule) if one.field not in ("since", "until")]
    if (why := untriable(rule)) is not None and rule.matter in BY_MATTER:
        faults.append(Refusal("trial.matter", why))
    faults += _period(since, until, at.astimezone(SHANGHAI).date())
    if faults:
        raise Refusals(faults)
    if (first := _first(actor, key, rule, since, until)) is not None:
        return first
    waiting = Trial.objects.filter(asked_by=actor.code, state__in=UNDER_WAY).count()
    if waiting >= MOST_WAITING:
        raise Refusal(
            "trial.too_many", f"您已经有 {waiting} 次试算没有做完。请等它们做完，或者取消不要的。"
        )
    today = at.astimezone(SHANGHAI).date()
    present = rulebooks.now().rule(rule.code, today)
    row = Trial(
        id=ledger.uuid7(), key=key, rule=rulebook.as_data(rule),
        present=rulebook.as_data(present) if present else None, since=since, until=until,
        asked=at, asked_by=actor.code,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if (first := _first(actor, key, rule, since, until)) is not None:
            return first
        raise
    return row.id


def _period(since: date, until: date, today: date) -> list[Refusal]:
    if until < since:
        return [Refusal("trial.order", "结束日期应当不早于开始日期。", field="try_until")]
    if until > today:
        return [Refusal("trial.future", "只能在过去的日子上试算，结束日期最晚是今天。",
                        field="try_until")]  # fmt: skip
    if since < FIRST:
        return [Refusal("trial.first", f"最早从 {FIRST} 起试算。", field="try_since")]
    if (until - since).days + 1 > LONGEST:
        return [
            Refusal(
                "trial.long", f"一次最多试算 {LONGEST} 天。请把开始日期改到 "
                f"{until - timedelta(days=LONGEST - 1)} 以后，更早的分几次试算。", field="try_since",
            )
        ]  # fmt: skip
    return []


def _first(actor: Actor, key: UUID, rule: Rule, since: date, until: date) -> UUID | None:
    row = Trial.objects.filter(key=key).first()
    if row is None:
        return None
    if (row.asked_by, row.rule, row.since, row.until) != (
        actor.code, rulebook.as_data(rule), since, until,
    ):  # fmt: skip
        raise Refusal("ledger.key_reused", "这个编号已经用于另一次试算。请刷新页面后重新提交。")
    return row.id


def cancel(actor: Actor, identifier: UUID, *, at: datetime) -> None:
    """Give up a trial of one's own that is not done (取消); one that is done stays as it is."""
    Trial.objects.filter(id=identifier, asked_by=actor.code, state__in=UNDER_WAY).update(
        state="cancelled", done=at
    )


# --- looking -----------------------------------------------------------------------------------------


def trial(identifier: UUID) -> Tried | None:
    """A trial; None where there is none, or no longer."""
    row = Trial.objects.filter(id=identifier).first()
    return _shown(row, accounts.person_name(row.asked_by)) if row is not None else None


def done(identifier: UUID) -> Tried | None:
    """A trial that came to its end."""
    found = trial(identifier)
    return found if found is not None and found.state == "done" else None


def listed(*, most: int = 50) -> tuple[Tried, ...]:
    """The trials there are, the latest first, without their cases."""
    rows = list(Trial.objects.order_by("-asked").defer("cases")[:most])
    names = accounts.names(people=(one.asked_by for one in rows))
    return tuple(_shown(one, names.person(one.asked_by), hits=False) for one in rows)


def _shown(row: Trial, name: str, *, hits: bool = True) -> Tried:
    return Tried(
        id=row.id, rule=rulebook.of_data(row.rule),
        present=rulebook.of_data(row.present) if row.present else None,
        since=row.since, until=row.until, asked=row.asked, asked_by=row.asked_by,
        asked_by_name=name, state=row.state, looked=row.looked, total=row.total, found=row.found,
        by_level=row.by_level, by_agency=row.by_agency, compared=row.compared,
        hits=tuple(_hit(one) for one in row.cases) if hits else (), done=row.done, fault=row.fault,
    )  # fmt: skip


def _hit(one: Mapping[str, Any]) -> Hit:
    return Hit(
        case=UUID(one["case"]) if one["case"] else None, number=one["number"],
        item_name=one["item_name"], agency=one["agency"], level=one["level"],
        at=datetime.fromisoformat(one["at"]), count=one["count"], change=one["change"],
    )  # fmt: skip


# --- the worker --------------------------------------------------------------------------------------


def recover(*, at: datetime) -> int:
    """Trials whose process is gone wait again, or have failed; how many wait now.

    A process holds a lock of its session for the trial it works on, so its death is seen at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH running AS MATERIALIZED (SELECT id FROM supervision_trial"
            "  WHERE done IS NULL AND state = 'running' FOR UPDATE SKIP LOCKED),"
            " dead AS MATERIALIZED (SELECT id FROM running"
            "  WHERE pg_try_advisory_xact_lock(%(class)s, hashtext(id::text)))"
            " UPDATE supervision_trial t SET deaths = t.deaths + 1,"
            "  state = CASE WHEN t.deaths + 1 >= %(most)s THEN 'failed' ELSE 'waiting' END,"
            "  fault = CASE WHEN t.deaths + 1 >= %(most)s THEN %(died)s ELSE '' END,"
            "  done = CASE WHEN t.deaths + 1 >= %(most)s THEN %(at)s::timestamptz END"
            " FROM dead WHERE t.id = dead.id",
            {"class": TRYING, "most": DEATHS, "died": DIED, "at": at},
        )
        cursor.execute(
            "SELECT count(*) FROM supervision_trial WHERE done IS NULL AND state = 'waiting'"
        )
        return int(cursor.fetchone()[0])


def sweep(*, at: datetime) -> int:
    """Timed work: trials older than 30 days go."""
    old = Trial.objects.filter(~Q(state="running"), asked__lt=at - KEPT)
    return old.delete()[0]


__all__ = [
    "KEPT", "LONGEST", "STATES_ZH", "TRYING", "Hit", "Tried", "ask", "cancel", "done", "last_month",
    "listed", "recover", "sweep", "trial", "untriable",
]  # fmt: skip
