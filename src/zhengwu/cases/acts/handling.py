"""What the department does (承办): take, hand on, ask, stop and start the clock, send up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import heads, papers
from zhengwu.cases.loading import Loaded
from zhengwu.cases.verbs import (
    Ask,
    Form,
    Grant,
    Plan,
    Verb,
    choice,
    days,
    moment,
    note,
    text,
    uploads,
)
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.calendar import Due
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import State
from zhengwu.domain.procedure import Step
from zhengwu.domain.refusal import Refusal

PROCEDURES = tuple((code, zh) for code, zh in lifecycle.PROCEDURES.items())
MOST_DAYS = 200  # of a special procedure; a setting of the house
OPINION_MOST = 30  # working days; a setting of the house
SIGHT = timedelta(days=30)  # how long the asked may still look after the opinion was due


def _take(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    step = loaded.current_step()
    state = loaded.standing.state
    body: dict[str, Any] = {
        "step": step.code if step and state == State.HANDLING else "deliver",
        "at": "department" if state == State.HANDLING else "window",
        "holder": actor.code,
    }
    if state == State.RECEIVED:
        body["step"] = "receive"
    elif step is not None:
        right_post(loaded, actor)
        if step.limit is not None:
            body["limit"] = {
                "value": step.limit.value,
                "unit": str(step.limit.unit),
                "basis": "本事项办理流程",
            }
    return Plan(body=body, sentence="已接办，从现在起由您承办。")


def right_post(loaded: Loaded, actor: Actor) -> None:
    """Whether this actor has a post that does the current step. Raises Refusal."""
    step = loaded.current_step()
    if step is None or loaded.standing.state == State.RECEIVED:
        return
    if step.role not in {post.kind for post in actor.posts}:
        raise Refusal(
            "case.wrong_post",
            f"“{step.name}”环节由{heads.role_zh(step.role)}岗办理，您没有这个岗位。"
            "请移交有这个岗位的同事。",
        )


def _done(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    step = loaded.current_step()
    if step is None:
        raise Refusal("case.no_step", "这个办件没有正在办理的环节。")
    opinion = text(form, "opinion", "审查意见")
    following = loaded.step_after(step)
    if following is None:
        raise Refusal("case.last_step", "这是最后一个环节，请直接作出准予或者不予的决定。")
    body: dict[str, Any] = {"step": step.code, "to": _target(loaded, form, step=following)}
    if advice := form.get("advice", "").strip():
        body["advice"] = choice(form, "advice", "建议", ADVICE) if advice else ""
    if checks := checked(form):
        body["checks"] = checks
    return Plan(
        body=body,
        contents=note("opinion", opinion),
        sentence=f"本环节已办结，移交“{following.name}”环节。",
    )


ADVICE = (("grant", "建议准予"), ("refuse", "建议不予"))
CHECKS = (("yes", "符合"), ("no", "不符合"))


def checked(form: Form) -> list[dict[str, str]]:
    """The ticks of the review list (审查清单): check-<code> → yes | no."""
    return [
        {"code": name.removeprefix("check-"), "is": value}
        for name, value in sorted(form.items())
        if name.startswith("check-") and value in dict(CHECKS)
    ]


def _return(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    back = returnable(loaded)
    code = choice(form, "back_to", "退回到哪个环节", tuple((s.code, s.name) for s in back))
    reasons = text(form, "reasons", "退回的原因")
    step = next(s for s in back if s.code == code)
    did = next(
        (e for e in reversed(loaded.counting) if e.kind == "step_done" and e.body["step"] == code),
        None,
    )
    target = {"kind": "department", "agency": loaded.agency}
    if did and did.post:
        target["post"] = did.post
    return Plan(
        body={"back_to": code, "to": target},
        contents=note("reasons", reasons),
        sentence=f"已退回“{step.name}”环节，期限照常计算。",
    )


def returnable(loaded: Loaded) -> tuple[Step, ...]:
    """The steps already done, to one of which the case may go back."""
    if loaded.item is None:
        return ()
    done = loaded.done()
    return tuple(step for step in loaded.item_row().steps if step.code in done)


def _target(loaded: Loaded, form: Form, *, step: Step | None) -> dict[str, str]:
    """A colleague's post, by name, from the form; the agency's own pool when none is named."""
    wanted = form.get("to", "").strip()
    target = {"kind": "department", "agency": loaded.agency}
    if not wanted:
        return target
    kind = loaded.post_held(wanted)
    if kind is not None and (step is None or kind == step.role):
        return {**target, "post": wanted}
    raise Refusal(
        "case.unknown_colleague",
        "不能移交给这个岗位：它不属于本机关，或者不办理下一环节。请从列表中选择。",
        field="to",
    )


def post_kind(loaded: Loaded, *, after: bool = False) -> str | None:
    """The kind of post that can have the case next; None: any of the agency."""
    if loaded.standing.state == State.RECEIVED:
        return "window"
    step = loaded.current_step()
    if after and step is not None:
        step = loaded.step_after(step)
    return step.role if step else None


def _hand_over(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if not form.get("to", "").strip():
        raise Refusal("form.required", "请选择移交给谁。", field="to")
    if loaded.standing.state == State.RECEIVED:
        target = _window_target(loaded, form)
    else:
        target = _target(loaded, form, step=loaded.current_step())
    if target.get("post") in {post.code for post in actor.posts}:
        raise Refusal("case.to_oneself", "不能移交给自己的岗位。请选择另一位同事。", field="to")
    said = text(form, "note", "移交说明", required=False)
    return Plan(body={"to": target}, contents=note("note", said), sentence="已移交，等待对方接办。")


def _window_target(loaded: Loaded, form: Form) -> dict[str, str]:
    wanted = form.get("to", "").strip()
    if loaded.post_held(wanted) == "window":
        return {"kind": "window", "agency": loaded.agency, "post": wanted}
    raise Refusal(
        "case.unknown_colleague",
        "还没有受理的办件只能移交给本机关的窗口岗位。请从列表中选择。",
        field="to",
    )


# --- asking and looking ----------------------------------------------------------------------


def _ask_opinion(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    organ = form.get("organ", "").strip()
    agency = next((a for a in accounts.agencies() if organ in (a.code, a.name)), None)
    if agency is None:
        raise Refusal("case.organ_unknown", "请从列表中选择要征求意见的机关。", field="organ")
    question = text(form, "question", "征求什么意见")
    number = days(
        form, "days", "答复需要的工作日", most=OPINION_MOST, article="行政许可法 第三十六条"
    )
    day = at.astimezone(heads.SHANGHAI).date()
    edition = calendars.edition(loaded.region, loaded.hall)
    until = edition.calendar.add_working_days(day, number).day
    asked = tuple(
        c.person for c in accounts.colleagues(agency.code) if c.kind in ("review", "decide", "head")
    )
    if not asked:
        raise Refusal(
            "case.organ_empty", f"{agency.name}现在没有审查岗位，请选择其他机关。", field="organ"
        )
    if any(one.agency == agency.code for one in loaded.standing.asking):
        raise Refusal(
            "case.asked_already", f"已经在征求{agency.name}的意见，请等待答复。", field="organ"
        )
    ends = datetime.combine(until, datetime.max.time(), tzinfo=heads.SHANGHAI) + SIGHT
    return Plan(
        body={"agency": agency.code, "days": number, "until": until.isoformat()},
        contents=note("question", question),
        grants=(Grant(asked, ("case.see", "case.opine"), ends, f"征求意见：{loaded.number}"),),
        sentence=f"已征求{agency.name}的意见，请其在 {until.month} 月 {until.day} 日前答复。"
        "期限照常计算。",
    )


def _give_opinion(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    own = {post.agency for post in actor.posts} | {actor.agency}
    open_ = next((one for one in loaded.standing.asking if one.agency in own), None)
    if open_ is None:
        raise Refusal("case.not_asked", "没有向您的机关征求意见，或者已经答复。")
    opinion = text(form, "opinion", "意见")
    view = choice(form, "view", "是否同意", VIEWS)
    return Plan(
        body={"request": open_.version, "view": view},
        contents=note("opinion", opinion),
        files=uploads(form),
        sentence="意见已反馈给承办机关。",
    )


VIEWS = (("agree", "同意"), ("conditions", "有条件同意"), ("against", "不同意"))


def _inspect(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    staff = {c.person for c in accounts.colleagues(loaded.agency)}
    people = sorted(code for code in staff if form.get(f"inspector-{code}") == "on")
    found = text(form, "found", "核查情况")
    return Plan(
        body={"people": people},
        contents=note("found", found),
        files=uploads(form),
        occurred=moment(form),
        sentence="已登记现场核查。现场核查不停止计时。",
    )


def _inspect_form(loaded: Loaded) -> tuple[Ask, ...]:
    return inspectors(accounts.colleagues(loaded.agency))


def inspectors(staff: Sequence[accounts.Colleague]) -> tuple[Ask, ...]:
    """A tick for each of the staff."""
    seen: dict[str, str] = {}
    for colleague in staff:
        seen.setdefault(colleague.person, colleague.name)
    return tuple(
        Ask(f"inspector-{person}", name, "tick", required=False) for person, name in seen.items()
    )


# --- the clock stands still, or runs longer --------------------------------------------------


def _suspend(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    number = days(
        form,
        "days",
        "特别程序需要的工作日数，并书面告知申请人",
        most=MOST_DAYS,
        article="行政许可法 第四十五条",
    )
    procedure = form.get("procedure", "")
    if procedure not in lifecycle.PROCEDURES:
        lifecycle_says_no(loaded, at, procedure)
    zh = lifecycle.PROCEDURES[procedure]
    reasons = text(form, "reasons", "原因", required=False)
    begins = moment(form) or at
    day = begins.astimezone(heads.SHANGHAI).date()
    edition = calendars.edition(loaded.region, loaded.hall)
    until = edition.calendar.add_working_days(day, number).day
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.SPECIAL_NOTICE,
        of,
        at=at,
        data=wording.special_notice(
            of,
            issued=at,
            procedure_zh=zh,
            days=number,
            until=until,
            reasons=reasons or f"作出决定前依法需要{zh}。",
            since=begins,
        ),
    )
    return Plan(
        body={
            "procedure": procedure,
            "days": number,
            "until": until.isoformat(),
            "document": paper.body(),
        },
        paper=paper,
        contents=note("reasons", reasons),
        occurred=moment(form),
        sentence=f"已进入特别程序，期限暂停计算，已告知到 {until.month} 月 {until.day} 日。"
        "请打印特别程序告知书送达申请人。",
    )


def lifecycle_says_no(loaded: Loaded, at: datetime, procedure: str) -> None:
    """A ninth reason: the table's own refusal, before anything is put on paper."""
    lifecycle.admit(
        loaded.standing,
        "suspended",
        at=at,
        now=at,
        actor=None,
        body={"procedure": procedure, "days": 1},
        case_kind=loaded.kind,
    )


def _resume(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    under_way = loaded.standing.procedures
    body: dict[str, Any] = {}
    if len(under_way) > 1:
        body["procedure"] = choice(
            form,
            "procedure",
            "哪个特别程序结束了",
            tuple((p, lifecycle.PROCEDURES.get(p, p)) for p in under_way),
        )
    occurred = moment(form)
    begun = [e for e in loaded.counting if e.kind == "suspended"]
    start = next(
        (e for e in reversed(begun) if body.get("procedure") in (None, e.body.get("procedure"))),
        None,
    )
    if occurred and start and occurred < start.occurred:
        raise Refusal(
            "case.resumed_before_start",
            "恢复的时间早于特别程序开始的时间。请核对日期和时间。",
            article="行政许可法 第四十五条",
            field="occurred",
        )
    result = text(form, "result", "特别程序的结论", required=False)
    return Plan(
        body=body,
        contents=note("result", result),
        files=uploads(form),
        occurred=occurred,
        sentence="特别程序结束，恢复计时。",
    )


def _resume_form(loaded: Loaded) -> tuple[Ask, ...]:
    under_way = loaded.standing.procedures
    if len(under_way) < 2:
        return ()
    choices = tuple((p, lifecycle.PROCEDURES.get(p, p)) for p in under_way)
    return (Ask("procedure", "哪个特别程序结束了", "choice", choices=choices),)


def _extend(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    number = days(
        form,
        "days",
        "延长的工作日数",
        most=extension_most(loaded, at),
        article="行政许可法 第四十二条",
    )
    reasons = text(form, "reasons", "延期的理由")
    lifecycle.admit(
        loaded.standing,
        "extended",
        at=at,
        now=at,
        actor=actor.code,
        body={"days": number},
        case_kind=loaded.kind,
        due=expiry(loaded.read(at)),
        extension_most=extension_most(loaded, at),
    )
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.EXTENSION_NOTICE,
        of,
        at=at,
        data=wording.extension_notice(
            of,
            issued=at,
            days=number,
            due=_due_after(loaded, at, number),
            reasons=reasons,
            head=actor.name,
        ),
    )
    return Plan(
        body={"days": number, "document": paper.body(), "reasons": {"content": ""}},
        paper=paper,
        contents=note("reasons", reasons),
        sentence=f"已批准延长 {number} 个工作日。请打印延期告知书送达申请人。",
    )


def expiry(reading: clock.Reading) -> datetime | None:
    """行政许可法 42: what must not have expired before an extension is the limit of the law; where
    none is set, the promise.
    """
    for kind in ("statutory", "joint", "promised"):
        if limit := reading.limit(kind):
            return limit.due
    return None


def extension_most(loaded: Loaded, at: datetime) -> int:
    """行政许可法 42: how many working days an extension may have, by the rule in force."""
    joint = any(
        one.get("kind") == "joint"
        for event in loaded.counting
        if event.kind in ("accepted", "deemed_accepted")
        for one in event.body.get("limits") or ()
    )
    day = at.astimezone(heads.SHANGHAI).date()
    rule = loaded.edition().rule("joint_extension" if joint else "extension", day)
    return rule.value if rule else 0


def _due_after(loaded: Loaded, at: datetime, number: int) -> Due | None:
    """The day by which the organ must decide once the extension counts."""
    event = Event(
        version=loaded.version + 1,
        kind="extended",
        occurred=at,
        recorded=at,
        received=at,
        body={"days": number},
    )
    reading = replace(loaded, events=(*loaded.events, event)).read(at)
    moved = [one for one in reading.limits if one.extra]
    return min(moved, key=lambda one: one.due).last if moved else None


# --- forwarded items -------------------------------------------------------------------------


def _forward(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    organ = text(form, "organ", "转报的上级机关", most=100)
    opinion = text(form, "opinion", "初步审查意见")
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.FORWARDING_LETTER,
        of,
        at=at,
        data=wording.forwarding_letter(
            of,
            issued=at,
            organ=organ,
            opinion=opinion,
            materials=[{"name": m.name} for m in loaded.materials() if m.state == "received"],
        ),
    )
    return Plan(
        body={"document": paper.body()},
        paper=paper,
        contents=(*note("organ", organ), *note("opinion", opinion)),
        sentence=f"已转报{organ}，等待批复期间本机关不计时。请打印转报函。",
    )


def _came_back(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    number = text(form, "number", "批复文号", most=80)
    view = choice(form, "view", "批复结果", ANSWERS)
    return Plan(
        body={"view": view},
        contents=note("number", number),
        files=uploads(form),
        occurred=moment(form),
        sentence="已登记批复，恢复计时，请据此作出决定。",
    )


ANSWERS = (("approved", "同意"), ("rejected", "不同意"))


def under_review(loaded: Loaded) -> bool:
    """Somebody of the department has taken it."""
    return loaded.kind != "immediate" and loaded.has("step_taken")


def on_its_way(loaded: Loaded) -> bool:
    """Handed over and not taken yet; during a special procedure, who will have it afterwards."""
    holder = loaded.standing.holder
    if holder.kind in ("special", "higher"):
        holder = loaded.standing.before
    return holder.kind == "handing_over"


def _done_fits(loaded: Loaded) -> bool:
    step = loaded.current_step()
    return (
        step is not None and loaded.standing.step == step.code
        and loaded.step_after(step) is not None
    )  # fmt: skip


NOW = "不填就是现在"
VERBS = (
    Verb(
        kind="step_taken", zh="接办", may="case.take", plan=_take, offered=True,
        fits=on_its_way,
    ),
    Verb(
        kind="step_done", zh="办结本环节", may="case.review", plan=_done, fits=_done_fits,
        asks=(
            Ask("opinion", "审查意见", "long"),
            Ask("advice", "建议", "choice", required=False, choices=ADVICE),
            Ask("to", "移交给", "colleague", required=False),
        ),
    ),
    Verb(
        kind="step_returned", zh="退回环节", may="case.review", plan=_return,
        fits=lambda loaded: bool(returnable(loaded)) and loaded.standing.outcome is None,
        asks_of=lambda loaded: (
            Ask(
                "back_to", "退回到", "choice",
                choices=tuple((s.code, s.name) for s in returnable(loaded)),
            ),
        ),
        asks=(Ask("reasons", "原因", "long"),),
    ),
    Verb(
        kind="handed_over", zh="移交", may="case.hand_over", plan=_hand_over, offered=True,
        asks=(
            Ask("to", "移交给", "colleague"),
            Ask("note", "移交说明", "long", required=False),
        ),
    ),
    Verb(
        kind="inspected", zh="现场核查", may="case.review", plan=_inspect, fits=under_review,
        asks_of=_inspect_form,
        asks=(
            Ask("found", "核查情况", "long"),
            Ask("files", "核查记录、照片", "file", required=False),
            Ask("occurred", "核查时间", "moment", required=False, hint=NOW),
        ),
    ),
    Verb(
        kind="opinion_requested", zh="征求意见", may="case.review", plan=_ask_opinion,
        fits=under_review,
        asks=(
            Ask("organ", "征求哪个机关的意见", "agency"),
            Ask("question", "征求什么意见", "long"),
            Ask("days", "答复需要的工作日", "days"),
        ),
    ),
    Verb(
        kind="opinion_given", zh="反馈意见", may="case.opine", plan=_give_opinion, anyone=True,
        fits=lambda loaded: bool(loaded.standing.asking),
        asks=(
            Ask("view", "是否同意", "choice", choices=VIEWS),
            Ask("opinion", "意见", "long"),
            Ask("files", "附件", "file", required=False),
        ),
    ),
    Verb(
        kind="suspended", zh="特别程序", may="case.review", plan=_suspend, fits=under_review,
        asks=(
            Ask("procedure", "特别程序", "choice", choices=PROCEDURES),
            Ask("days", "需要的工作日", "days"),
            Ask("reasons", "原因", "long", required=False),
            Ask("occurred", "开始时间", "moment", required=False, hint=NOW),
        ),
        confirm="期限从开始时起暂停计算，并书面告知申请人。补登较早的开始时间，监察可以看到。",
    ),
    Verb(
        kind="resumed", zh="恢复计时", may="case.review", plan=_resume, asks_of=_resume_form,
        asks=(
            Ask("result", "结论", "long", required=False),
            Ask("files", "报告、意见书", "file", required=False),
            Ask("occurred", "结束时间", "moment", required=False, hint=NOW),
        ),
    ),
    Verb(
        kind="extended", zh="延期", may="case.head", plan=_extend, anyone=True,
        fits=lambda loaded: loaded.kind != "immediate",
        asks=(
            Ask("days", "延长的工作日", "days"),
            Ask("reasons", "理由", "long"),
        ),
        confirm="只能延期一次，理由会书面告知申请人。",
    ),
    Verb(
        kind="forwarded", zh="转报", may="case.review", plan=_forward,
        fits=lambda loaded: under_review(loaded) and not loaded.standing.came_back,
        asks=(
            Ask("organ", "转报的上级机关", "agency"),
            Ask("opinion", "初步审查意见", "long"),
        ),
        confirm="会打印转报函；批复以前本机关不计时。",
    ),
    Verb(
        kind="came_back", zh="登记批复", may="case.review", plan=_came_back,
        asks=(
            Ask("view", "批复结果", "choice", choices=ANSWERS),
            Ask("number", "批复文号"),
            Ask("files", "批复（扫描件）", "file", required=False),
            Ask("occurred", "批复收到时间", "moment", required=False, hint=NOW),
        ),
    ),
)  # fmt: skip
