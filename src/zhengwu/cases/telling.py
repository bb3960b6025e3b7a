"""Where a case is, in the applicant's words (进度说明): pure, one answer for every state.

`told` says who has the case, what its applicant must do now, and what happens next; `line` tells
one event of the story. No name of a clerk is ever in it, no free text that was written inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from zhengwu.cases import wording
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.clock import LimitState
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES, State
from zhengwu.web import words

GOOD = ("received", "held")
SHORT_ZH = {"missing": "缺", "faulty": "不合格"}
GROUNDS = {
    "dead": "申请人死亡或者丧失行为能力",
    "dissolved": "申请单位依法终止",
    "moot": "申请的事项已不存在",
}
ENDED = {
    "revoked": ("已被依法撤销", "《行政许可法》第六十九条"),
    "cancelled": ("已依法注销", "《行政许可法》第七十条"),
    "taken_back": ("已依法撤回", "《行政许可法》第八条"),
}
REMEDY = "不服的，可以依法申请行政复议或者提起行政诉讼，向谁提、多长时间内提，都写在决定书上。"


@dataclass(frozen=True, slots=True)
class Short:
    """A material that is still to be handed in. why: what is wrong with it, if that was said."""

    name: str
    state: str  # missing | faulty
    why: str = ""

    @property
    def words(self) -> str:
        return self.name + (f"（{SHORT_ZH[self.state]}：{self.why}）" if self.why else
                            f"（{SHORT_ZH[self.state]}）")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What the case is about and where it was handed in; the words of the catalog and the hall.

    fee: what is to be paid before the result is handed out; empty where nothing is. organs: the
    organs that events only name by content or code: event version → name.
    """

    kind: str  # immediate | promised | forwarded | foreign
    organ: str
    licence: bool = True
    result: str = ""
    fee: str = ""
    window: str = ""
    hours: str = ""
    source: str = ""
    short: tuple[Short, ...] = ()
    organs: Mapping[int, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.window or "收件的窗口"

    @property
    def thing(self) -> str:
        return "许可" if self.licence else "申请"

    @property
    def paper(self) -> str:
        return self.result or ("许可证件" if self.licence else "办理结果")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """where: one sentence. who: who has it. must: what to do now, in order; empty: nothing.

    short: the materials to hand in. until: what ends when, in words; empty where nothing runs.
    paused: why the clock stands and until when. ended: nothing more happens by itself.
    """

    where: str
    who: str
    since: datetime | None
    next: str
    must: tuple[str, ...] = ()
    short: tuple[Short, ...] = ()
    until: str = ""
    paused: str = ""
    ended: bool = False


PROMISES = {
    "acceptance": "答复您是否受理",
    "promised": "作出决定",
    "statutory": "作出决定",
    "joint": "作出决定",
    "lower_review": "审完报给上级机关",
    "delivery": "把结果交到您手上",
    "claim": "办好",
}


def told(
    standing: lifecycle.Standing,
    reading: clock.Reading,
    *,
    events: Sequence[Event],
    matter: Matter,
) -> Told:
    """Where the case stands for its applicant. events: those that count."""
    teller = _Teller(standing, reading, tuple(events), matter)
    return teller.tell()


@dataclass(frozen=True, slots=True)
class _Teller:
    standing: lifecycle.Standing
    reading: clock.Reading
    events: tuple[Event, ...]
    matter: Matter

    def tell(self) -> Told:
        if self.matter.kind == "foreign":
            return self._foreign()
        match self.standing.state:
            case State.RECEIVED:
                return self._received()
            case State.SUPPLEMENTING:
                return self._supplementing()
            case State.HANDLING:
                return self._suspended() if self.standing.suspended else self._handling()
            case State.FORWARDED:
                return self._forwarded()
            case State.DECIDED:
                return self._refused() if self.standing.outcome == "refused" else self._granted()
            case _:
                return self._over()

    # --- on the way ---

    def _received(self) -> Told:
        again = self._last("supplemented") is not None
        silence = "；到时没有答复的，从收到材料那天起就算受理了" if self.matter.licence else ""
        what = "您补交的材料" if again else "您的申请"
        return Told(
            where=f"已经收到{what}，窗口正在核对，决定是否受理。",
            who=self._window(),
            since=self.standing.holder.since,
            next=f"材料齐全的，受理并给您受理通知书；还缺的，一次告诉您要补的全部内容{silence}。",
            until=self._until(),
        )

    def _supplementing(self) -> Told:
        short = self.matter.short
        count = f"下面 {len(short)} 项" if short else "补正告知书上写的"
        return Told(
            where="材料还不齐，等您补交。",
            who="在您这里",
            since=self.standing.holder.since,
            must=(
                f"准备好{count}材料",
                f"送到{self.matter.place}{self._hours()}",
                "带上补正告知书或者办件编号，窗口当面给您收件回执",
            ),
            short=short,
            next="补齐以后，窗口从收到补正材料那天起 5 个工作日内答复您是否受理。"
            if self.matter.licence
            else "补齐以后，窗口答复您是否受理。",
            paused="等您补交材料期间不计时。",
        )

    def _handling(self) -> Told:
        organ = self.matter.organ
        standing = self.standing
        if standing.asking:
            asked = "、".join(
                dict.fromkeys(self.matter.organs.get(o.version, "") for o in standing.asking)
            )
            where = f"{organ}正在审查，并在征求{asked or '有关机关'}的意见。"
        elif standing.came_back:
            where = f"上级机关已经答复，{organ}正在据此作出决定。"
        elif self._last("deemed_accepted") and not self._last("step_taken"):
            where = f"窗口没有按时答复，依法从收到材料那天起就算受理了，已转{organ}审查。"
        elif self._last("step_taken") or self.matter.kind == "immediate":
            where = f"已经受理，{organ}正在审查。"
        else:
            where = f"已经受理，已转{organ}，等待承办人接办。"
        extended = self._last("extended")
        more = (
            f"审查时间已经批准延长 {extended.body.get('days')} 个工作日，延期告知书在下面。"
            if extended
            else ""
        )
        late = ""
        if self.reading.due is not None and self.reading.at > self.reading.due.due:
            late = "现在已经超过期限，您可以打政务服务热线催办。"
        return Told(
            where=where,
            who=self._department(),
            since=standing.accepted_at,
            must=self._pay(),
            next=f"审查完作出准予或者不予的决定，给您决定书。{more}{late}",
            until=self._until(),
        )

    def _suspended(self) -> Told:
        names = "、".join(PROCEDURES.get(one, "特别程序") for one in self.standing.procedures)
        begun = self._last("suspended")
        days, until = None, None
        if begun is not None:
            days, until = begun.body.get("days"), _day(begun.body.get("until"))
        paused = f"{names or '特别程序'}所需的时间不计入期限（《行政许可法》第四十五条）"
        if days:
            paused += f"，书面告知需要 {days} 个工作日"
        if until:
            paused += f"，到 {self._day(until)}"
        return Told(
            where=f"正在进行{names or '特别程序'}，这段时间暂停计时。",
            who=self.matter.organ,
            since=begun.occurred if begun else self.standing.holder.since,
            must=("需要您到场、送检或者配合的，按特别程序告知书上写的时间和地点做",),
            next=f"{names or '特别程序'}结束后恢复计时，{self.matter.organ}接着审查、作出决定。",
            paused=paused + "。",
            until=self._until(),
        )

    def _forwarded(self) -> Told:
        event = self._last("forwarded")
        higher = self.matter.organs.get(event.version, "") if event else ""
        return Told(
            where=f"{self.matter.organ}已经初步审查，转报{higher or '上级机关'}，等待批复。",
            who=higher or "上级机关",
            since=self.standing.holder.since,
            next=f"批复以后回到{self.matter.organ}，作出决定并告诉您。",
            paused="等待上级批复期间，本机关不计时。",
        )

    # --- decided ---

    def _granted(self) -> Told:
        paper, pay = self.matter.paper, self._pay()
        if self._last("ready") or self.matter.kind == "immediate":
            return Told(
                where=f"{self.matter.thing}已经批准。{paper}在窗口，等您来领。",
                who=self._window(),
                since=self._since("ready", "licence_made", "granted"),
                must=(*pay, *self._collect(paper)),
                next="签收以后办件就办结了。",
                until=self._until(),
            )
        made = self._last("licence_made")
        return Told(
            where=f"{self.matter.thing}已经批准，"
            + (f"{paper}已经做好，正在送往窗口。" if made else f"正在制作{paper}。"),
            who=self.matter.organ,
            since=self._since("licence_made", "granted"),
            must=pay,
            next="到了窗口就通知您来领。" if made else "做好以后送到窗口，通知您来领。",
            until=self._until(),
        )

    def _refused(self) -> Told:
        where = f"没有批准，已作出不予{self._matter()}的决定，理由写在决定书上。"
        if self._last("ready") or self.matter.kind == "immediate":
            return Told(
                where=f"{where}决定书在窗口，等您来领。",
                who=self._window(),
                since=self._since("ready", "refused"),
                must=self._collect("决定书"),
                next=REMEDY,
                until=self._until(),
            )
        return Told(
            where=f"{where}决定书正在送往窗口。",
            who=self.matter.organ,
            since=self.standing.decided_at,
            next=f"到了窗口就通知您来领，现在不用跑。{REMEDY}",
            until=self._until(),
        )

    # --- over ---

    def _over(self) -> Told:
        where, following, must = self._ending()
        if self.standing.state == State.ARCHIVED:
            where += "案卷已经归档。"
        return Told(
            where=where,
            who="已经办结，没有人在办" if self.standing.state != State.DELIVERED else "已经送达",
            since=self.standing.closed_at or self.standing.holder.since,
            must=must,
            next=following,
            ended=True,
        )

    def _ending(self) -> tuple[str, str, tuple[str, ...]]:
        standing, matter = self.standing, self.matter
        if standing.ended_by in ENDED:
            how, law = ENDED[standing.ended_by]
            return f"这个{matter.thing}{how}，不再有效（{law}）。", REMEDY, ()
        if event := self._last("not_ours"):
            whose = matter.organs.get(event.version, "")
            must = (f"向{whose}申请",) if whose else ("看不予受理决定书上写的是哪个机关",)
            return f"没有受理：这件事不归{matter.organ}管。", REMEDY, must
        if self._last("not_needed"):
            what = "取得行政许可" if matter.licence else "办理"
            return f"没有受理：这件事依法不需要{what}。", "您可以直接去做，不用再申请。", ()
        if standing.state == State.NOT_ACCEPTED:
            return "没有受理，理由写在决定书上。", REMEDY, ()
        if self._last("withdrawn"):
            return "申请已经撤回，办件结束了。", "还想办的，可以重新申请。", ()
        if event := self._last("terminated"):
            why = GROUNDS.get(str(event.body.get("ground")), "")
            because = f"：{why}" if why else "，理由写在终止通知书上"
            return f"办理已经终止{because}。", REMEDY, ()
        if standing.outcome == "refused":
            return f"已经办结，结果是不予{self._matter()}。", REMEDY, ()
        if standing.outcome == "granted":
            return f"已经办结，{matter.thing}已经批准，{matter.paper}已经送达。", self._keep(), ()
        return "已经办结。", "", ()

    def _foreign(self) -> Told:
        over = self.standing.state in (State.CLOSED, State.ARCHIVED, State.DELIVERED)
        source = self.matter.source or "其他系统"
        return Told(
            where=f"这件在{source}办理，" + ("已经办结。" if over else "还在办。"),
            who=source,
            since=self.standing.closed_at if over else self.standing.received_at,
            next="" if over else "进度以办理系统报来的为准，材料和期限请问办理机关。",
            until="" if over else self._until(),
            ended=over,
        )

    # --- pieces ---

    def _matter(self) -> str:
        return "许可" if self.matter.licence else "办理"

    def _keep(self) -> str:
        return f"请保管好{self.matter.paper}和决定书；丢了可以凭身份证件到窗口补打文书。"

    def _pay(self) -> tuple[str, ...]:
        if not self.matter.fee or self.standing.paid:
            return ()
        if self.standing.state == State.HANDLING:
            return ()  # nothing is due before it is decided
        return (f"到大厅收费处缴费（{self.matter.fee}），保管好票据",)

    def _collect(self, paper: str) -> tuple[str, ...]:
        return (
            "带上经办人的身份证原件；请别人代领的，再带一份委托书",
            f"到{self.matter.place}领取{paper}{self._hours()}",
            "当面核对，签收",
        )

    def _hours(self) -> str:
        return f"（{self.matter.hours}）" if self.matter.hours else ""

    def _window(self) -> str:
        return self.matter.window or f"{self.matter.organ}窗口"

    def _department(self) -> str:
        if self.standing.holder.kind == lifecycle.HolderKind.HANDING_OVER:
            return f"{self.matter.organ}（正在移交承办人）"
        return self.matter.organ

    def _until(self) -> str:
        due = self.reading.due
        if due is None:
            return ""
        today = words.local(self.reading.at).date()
        promise = PROMISES.get(due.kind, "办好")
        when = words.due_zh(due.due, today=today)
        rough = ""
        if due.provisional:
            rough = "（暂定：国家还没有公布那一年的放假安排，公布以后日期可能变）"
        if due.state is LimitState.SUSPENDED:
            return f"现在停着不计时；如果今天恢复，最迟 {when}{promise}{rough}"
        if self.reading.at > due.due:
            return f"最迟应当在 {when}{promise}，已经超期{rough}"
        return f"最迟 {when}{promise}{rough}"

    def _day(self, day: date) -> str:
        return words.day_zh(day, today=words.local(self.reading.at).date())

    def _last(self, *kinds: str) -> Event | None:
        return next((e for e in reversed(self.events) if e.kind in kinds), None)

    def _since(self, *kinds: str) -> datetime | None:
        """When the first of these happened last."""
        for kind in kinds:
            if event := self._last(kind):
                return event.occurred
        return None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


# --- the story -------------------------------------------------------------------------------

# Inside matters of the house, of no use to its applicant; everything else is told.
INSIDE = frozenset({"withdrawal_proposed", "scanned", "archived"})
PLAIN: Mapping[str, tuple[str, str]] = {
    "received": ("收到您的申请", ""),
    "corrected_on_spot": ("当场更正了材料", "您当面更正并签了名"),
    "supplement_requested": ("请您补交材料", ""),
    "supplemented": ("收到您补交的材料", ""),
    "not_needed": ("告知您不需要办理", ""),
    "not_ours": ("没有受理：不归本机关管", ""),
    "accepted": ("受理了", ""),
    "deemed_accepted": ("依法视为受理", "窗口没有按时答复，从收到材料那天起算"),
    "step_taken": ("开始办理", ""),
    "step_done": ("完成一步审查", "转下一步"),
    "step_returned": ("退回前一步重新审查", "期限照常计算"),
    "handed_over": ("转给承办人", ""),
    "inspected": ("到现场核查", "两名以上工作人员；期限照常计算"),
    "opinion_requested": ("征求其他机关的意见", "期限照常计算"),
    "opinion_given": ("收到其他机关的意见", ""),
    "suspended": ("暂停计时", ""),
    "resumed": ("恢复计时，继续审查", ""),
    "extended": ("审查时间延长", ""),
    "forwarded": ("转报上级机关", "等待批复期间不计时"),
    "came_back": ("上级机关有了批复", "恢复计时"),
    "version_moved": ("办理期限缩短了", "依新版办事指南的过渡条款"),
    "granted": ("批准了", "作出准予决定"),
    "refused": ("没有批准", "作出不予决定，理由写在决定书上"),
    "licence_made": ("证件做好了", "送往窗口"),
    "fee_paid": ("费用已经确认", ""),
    "ready": ("可以来领了", "请带身份证到窗口领取"),
    "delivered": ("送达了", ""),
    "closed": ("办结", ""),
    "withdrawn": ("申请撤回了", ""),
    "terminated": ("办理终止", ""),
    "document_corrected": ("更正了一份文书", "原来的作废，以更正件为准"),
    "revoked": ("许可被撤销", "不再有效"),
    "cancelled": ("许可被注销", "不再有效"),
    "taken_back": ("许可被撤回", "不再有效"),
    "entry_withdrawn": ("撤销一条误录", "状态和期限已重新计算"),
}
OBSERVED = {
    "received": "来源系统：收件",
    "accepted": "来源系统：受理",
    "decided": "来源系统：决定",
    "delivered": "来源系统：送达",
    "closed": "来源系统：办结",
    "claim": "来源系统：自报期限",
    "corrected": "来源系统：更正",
    "retracted": "来源系统：撤回记录",
}
MEANS = {"signature": "当面签收", "post": "邮寄", "electronic": "电子送达"}
UNITS = {
    "working_day": "个工作日", "calendar_day": "日", "natural_day": "日", "month": "个月",
    "year": "年", "hour": "小时",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. gone: it was entered by mistake and no longer counts."""

    version: int
    when: datetime
    kind: str
    title: str
    text: str
    who: str
    gone: bool = False


def line(event: Event, *, who: str, materials: Mapping[str, str], gone: bool) -> Line | None:
    """One event in plain words; None for what only concerns the house. who: the organ.

    materials: code → name. An act this table does not know yet is told by its name in the law.
    """
    if event.nature == Nature.OBSERVATION:
        title = OBSERVED.get(event.kind) or str(event.body.get("step") or "环节")
        return Line(event.version, event.occurred, event.kind, title, "", who, gone)
    if event.kind in INSIDE:
        return None
    act = lifecycle.BY_CODE.get(event.kind)
    title, text = PLAIN.get(event.kind, (act.zh if act else "有新进展", ""))
    if event.kind == "step_taken" and event.body.get("at") == "window":
        title = "窗口接手"
    text = _detail(event, materials) or text
    return Line(event.version, event.occurred, event.kind, title, text, who, gone)


def _detail(event: Event, materials: Mapping[str, str]) -> str:
    body = event.body
    if event.kind in ("received", "supplemented"):
        ticked = _ticked(body)
        got = sum(1 for _, state in ticked if state in GOOD)
        short = len(ticked) - got
        if not ticked:
            return ""
        return f"材料 {got} 项" + (f"，还缺 {short} 项" if short else "，齐全")
    if event.kind == "supplement_requested":
        short_of = [code for code, state in _ticked(body) if state not in GOOD]
        names = "、".join(materials.get(code, code) for code in short_of)
        return f"要补：{names}" if names else ""
    if event.kind in ("accepted", "deemed_accepted"):
        limits = {str(one.get("kind")): one for one in body.get("limits") or ()}
        limit = limits.get("promised") or limits.get("statutory")
        if not limit:
            return ""
        if not limit.get("value"):
            return "当场办理"
        unit = UNITS.get(str(limit.get("unit")), "个工作日")
        return f"{'承诺' if 'promised' in limits else '法定'} {limit['value']} {unit}作出决定"
    if event.kind == "suspended":
        name = PROCEDURES.get(str(body.get("procedure")), "特别程序")
        until = _day(body.get("until"))
        day = f"，到 {until.month} 月 {until.day} 日" if until else ""
        told = f"，书面告知需要 {body['days']} 个工作日" if body.get("days") else ""
        return f"{name}{told}{day}"
    if event.kind == "extended":
        return f"延长 {body['days']} 个工作日" if body.get("days") else ""
    if event.kind == "refused" and (rests_on := wording.grounds(body)):
        return f"作出不予决定，根据{rests_on}，理由写在决定书上"
    if event.kind == "version_moved":
        return wording.clause(body, version=False)
    if event.kind == "delivered":
        return MEANS.get(str(body.get("means")), "")
    if event.kind == "fee_paid":
        return {"paid": "已缴费", "free": "依法不需缴费"}.get(str(body.get("how")), "")
    return ""


def _ticked(body: Mapping[str, object]) -> list[tuple[str, str]]:
    """The materials of a body as (code, state): plain codes are missing ones."""
    found = body.get("materials")
    if not isinstance(found, list | tuple):
        return []
    return [
        (str(one.get("code")), str(one.get("state", "missing")))
        if isinstance(one, Mapping)
        else (str(one), "missing")
        for one in found
    ]
