"""Simulated cases (模拟办件): seeded, by lawful acts through the services, any number of them.

Names and numbers are made up: the resident numbers carry right check digits and a division code
that exists, the people do not. Every act is told the time at which it is meant to have happened;
the log still shows when it was really received.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import grounds, loading, services
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.parties import Applicant
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain import identifiers
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.refusal import Refusal

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安邦成德恩方广和嘉景康乐明宁平启仁尚泰维文晓雅志宗子梓若云清芳兰敏静丽"
TRADES = ("水务", "餐饮", "建筑", "物流", "文化传媒", "农产品", "机械制造", "环保科技", "商贸")
PLACES = ("江城", "清源", "东湖", "长江", "新港", "鸿运", "天和", "绿源", "博学")


@dataclass(slots=True)
class Result:
    """What a simulation made: cases by how far they went, and refusals by code (should be none)."""

    cases: int = 0
    reached: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


def applicant(chance: random.Random) -> Applicant:
    """A made-up applicant with numbers that pass their checks."""
    phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"
    if chance.random() < 0.6:
        head = f"91420100MA{''.join(chance.choices('0123456789ABCDEFGHJKLMNPQRTUWXY', k=6))}"
        body = head + identifiers.organisation_check(head[8:16])
        return Applicant(
            kind="organisation",
            name=f"{chance.choice(PLACES)}{chance.choice(GIVEN)}{chance.choice(GIVEN)}"
            f"{chance.choice(TRADES)}有限公司",
            identifier_kind="uscc",
            identifier=body + identifiers.uscc_check(body),
            phone=phone,
        )
    born = date(1955, 1, 1) + timedelta(days=chance.randrange(17_000))
    body = f"420102{born:%Y%m%d}{chance.randrange(1000):03d}"
    return Applicant(
        kind="person",
        name=chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2)))),
        identifier_kind="resident_id",
        identifier=body + identifiers.resident_check(body),
        phone=phone,
    )


@dataclass(frozen=True, slots=True)
class _Cast:
    clerk: Actor
    by_kind: dict[str, list[Actor]]
    cashier: Actor | None


def run(
    cases: int,
    *,
    seed: int,
    at: datetime,
    days: int = 40,
    agencies: Sequence[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Make `cases` cases received over the `days` before `at`; each goes on as far as time allows.

    agencies: only items of these; by default of all agencies that have a window and staff.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation, nothing secret
    result = Result()
    today = at.astimezone(SHANGHAI).date()
    casts: dict[str, _Cast | None] = {}
    items = [
        item for item in catalog.all_in_force(today) if not agencies or item.agency in agencies
    ]
    if not items:
        raise Refusal("simulate.no_items", "没有现行有效的事项可以模拟。请先导入事项。")
    calendar = calendars.edition().calendar
    workdays = [
        day
        for back in range(days, 0, -1)
        if calendar.is_working_day(day := today - timedelta(days=back)).working
    ] or [today]
    tried = 0
    while result.cases < cases and tried < cases * 3 + 10:
        tried += 1
        item = chance.choice(items)
        if item.agency not in casts:
            casts[item.agency] = _cast(item.agency)
        cast = casts[item.agency]
        if cast is None:
            continue
        moment = datetime.combine(
            chance.choice(workdays), time(9, chance.randrange(60)), tzinfo=SHANGHAI
        ) + timedelta(hours=chance.choice((0, 1, 2, 5, 6, 7)))
        try:
            end = _live(item, cast, chance, moment, at=at, mark=f"simulate/{seed}/{tried}")
        except Refusal as refusal:
            result.refused[refusal.code] = result.refused.get(refusal.code, 0) + 1
            continue
        result.cases += 1
        result.reached[end] = result.reached.get(end, 0) + 1
        if progress:
            progress(result.cases)
    return result


def in_office(moment: datetime, calendar: Calendar) -> datetime:
    """The moment itself in office hours, else the same minute of the next opening."""
    local = moment.astimezone(SHANGHAI)
    if local.hour >= 17:
        local = (local + timedelta(days=1)).replace(hour=9)
    elif local.hour < 9:
        local = local.replace(hour=9)
    while not calendar.is_working_day(local.date()).working:
        local = (local + timedelta(days=1)).replace(hour=9)
    return local


def _cast(agency: str) -> _Cast | None:
    by_kind: dict[str, list[Actor]] = {}
    for one in accounts.colleagues(agency):
        by_kind.setdefault(one.kind, []).append(accounts.actor(one.person))
    clerks = by_kind.get("window")
    if not clerks or not by_kind.get("review") or not by_kind.get("decide"):
        return None
    cashier = next(iter(accounts.with_role("cashier", agency)), None)
    return _Cast(clerks[0], by_kind, accounts.actor(cashier) if cashier else None)


def _live(
    item: ItemVersionRow,
    cast: _Cast,
    chance: random.Random,
    moment: datetime,
    *,
    at: datetime,
    mark: str,
) -> str:
    """One case from its receipt on; stops where time or chance stops it. Returns the last act."""
    short = chance.random() < 0.12
    ticks = {material.code: "received" for material in item.materials}
    if short and ticks:
        ticks[chance.choice(list(ticks))] = "missing"
    received = services.receive(
        cast.clerk,
        services.Reception(item=item.code, applicant=applicant(chance), materials=ticks),
        key=f"{mark}/received",
        at=moment,
    )
    last = "received"
    when = moment
    gone = 0
    calendar = calendars.edition().calendar
    if at - moment < timedelta(days=4) and chance.random() < 0.35:
        return last  # still on the window's pile

    def act(actor: Actor, kind: str, hours: float, form: dict[str, str] | None = None) -> bool:
        nonlocal last, when, gone
        later = in_office(when + timedelta(hours=hours), calendar)
        if later > at:
            return False
        loaded = loading.load(actor, received.number)
        gone += 1
        services.perform(
            actor,
            received.number,
            kind,
            version=loaded.version,
            key=f"{mark}/{gone}",
            form=form or {},
            at=later,
        )
        when, last = later, kind
        return True

    ground = grounds.of(item)[0][0]
    turn = chance.random()  # now and then a case goes another way
    if turn < 0.02:
        act(cast.clerk, "not_ours", 0.2, {"organ": "省级主管部门", "reasons": ""})
        return last
    if turn < 0.04:
        unneeded = {"reasons": "所申请的活动不需要取得行政许可。", "grounds": ground}
        act(cast.clerk, "not_needed", 0.2, unneeded)
        return last
    if "missing" in ticks.values():
        if not act(cast.clerk, "supplement_requested", 0.2):
            return last
        brought = {f"material-{c}": "received" for c, s in ticks.items() if s == "missing"}
        if not act(cast.clerk, "supplemented", chance.uniform(20, 120), brought):
            return last
    if not act(cast.clerk, "accepted", chance.uniform(0.05, 0.3)):
        return last
    decider = chance.choice(cast.by_kind["decide"])
    outcome = "granted" if chance.random() < 0.93 else "refused"
    refusal = {"reasons": "申请事项不符合规定的条件。", "grounds": ground}
    reasons = {} if outcome == "granted" else refusal
    if item.kind == "immediate":
        if not act(cast.clerk, outcome, 0.1, reasons):
            return last
    else:
        pace = max(1.0, (item.promised.value if item.promised else 10) * chance.uniform(6, 36))
        reviewer = chance.choice(cast.by_kind["review"])
        if not act(reviewer, "step_taken", chance.uniform(1, 6)):
            return last
        if turn < 0.07:
            act(cast.clerk, "withdrawn", pace * 0.2, {"reasons": "申请人调整了计划。"})
            return last
        visitors = cast.by_kind["review"][:1] + cast.by_kind["decide"][:1]
        if turn > 0.85 and len({one.code for one in visitors}) > 1:
            visit = {f"inspector-{one.code}": "on" for one in visitors}
            if not act(reviewer, "inspected", pace * 0.1, visit | {"found": "现场与申请一致。"}):
                return last
        head = cast.by_kind.get("head")
        if turn > 0.95 and head:
            longer = {"days": "5", "reasons": "需要进一步核实有关数据。"}
            if not act(head[0], "extended", pace * 0.1, longer):
                return last
        review = {"procedure": "expert_review", "days": "10"}
        suspended = chance.random() < 0.08 and act(reviewer, "suspended", pace * 0.3, review)
        if suspended and not act(reviewer, "resumed", chance.uniform(150, 300)):
            return last
        if not act(reviewer, "step_done", pace * 0.6, {"opinion": "材料属实，符合条件。"}):
            return last
        if not act(decider, "step_taken", chance.uniform(1, 20)):
            return last
        if item.kind == "forwarded":
            letter = {"organ": "省级主管部门", "opinion": "初审合格，建议准予。"}
            if not act(decider, "forwarded", chance.uniform(1, 8), letter):
                return last
            answer = "approved" if outcome == "granted" else "rejected"
            reply = {"view": answer, "number": f"批复〔{when.year}〕{gone} 号"}
            if not act(decider, "came_back", chance.uniform(100, 400), reply):
                return last
        if not act(decider, outcome, pace * 0.3, reasons):
            return last
        if outcome == "granted" and not act(decider, "licence_made", chance.uniform(0.5, 20)):
            return last
        if not act(cast.clerk, "step_taken", chance.uniform(0.5, 20)):
            return last
        if not act(cast.clerk, "ready", 0.1):
            return last
    if item.pay_first and outcome == "granted" and cast.cashier is not None:
        paid = {"how": "paid", "ticket": f"T{zlib.crc32(mark.encode()):010d}"}
        if not act(cast.cashier, "fee_paid", chance.uniform(0.05, 4), paid):
            return last
    hours = 0.05 if item.kind == "immediate" else chance.uniform(2, 90)
    act(cast.clerk, "delivered", hours, {"means": "signature", "proof": "申请人签收"})
    return last
