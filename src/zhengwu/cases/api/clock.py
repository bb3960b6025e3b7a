"""The clock and the time ledger of a case for other systems (期限与时间账接口). No personal data.

Three may ask: a system by its token and staff by their session, within their reach; and whoever
holds the case's number and its query code (header X-Query-Code), whose attempts count with those of
the progress page.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import WithJsonSchema

from zhengwu.accounts.api import Door
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading, timekeeping, tracking
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.cases.timekeeping import TimeLedger
from zhengwu.domain import clock
from zhengwu.domain.derivation import SHANGHAI
from zhengwu.domain.reading import ASIDE, LimitReading, Reading
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems, throttle
from zhengwu.web.answering import Day, Line, Moment, Shape, lines, moment
from zhengwu.web.clock import now

HEADER = "X-Query-Code"
READER = Door("cases.read")
LONGEST = 40  # letters of a number or a query code, more are none of ours
MOST_POSITION = 2**63 - 1

router = Router()


# --- the clock ------------------------------------------------------------------------------------


class LightAnswer(Shape):
    """code: green, yellow, red, over or pause."""

    code: str
    text: str


class LimitAnswer(Shape):
    """One limit (期限). value, extra, used, left: in the unit, months and years in calendar days
    used and left; left is negative when overdue. met: null while it runs in time."""

    kind: str
    name: str
    state: str
    start: Day
    due: Moment
    used: int
    left: int
    met: bool | None
    provisional: bool
    value: int
    extra: int
    unit: str
    basis: str
    roll: bool
    stopped_at: Moment | None
    lines: list[Line]


class ClockAnswer(Shape):
    """All limits of a case at an instant (法定时钟). edition: of the calendar it is counted by; known:
    the position of the log up to which entries were seen, null: all; pressing: the kind of the limit
    that presses now; waiting: why nothing runs although the case is open."""

    number: str
    at: Moment
    known: int | None
    edition: int
    state: str
    light: LightAnswer
    limits: list[LimitAnswer]
    waiting: str | None
    pressing: str | None
    ended: bool


def clock_of(
    loaded: Loaded, *, at: datetime, known: int | None = None, inside: bool = True
) -> ClockAnswer:
    """The clock of a case. inside: with the limits of steps, which bind only inside the house.

    Raises Refusal: `clock.outside`, where `at` is outside the calendar's table.
    """
    edition = loaded.edition(known=known)
    calendar = edition.calendar
    # First the year: at the ends of the era no offset can be taken off.
    if not 1 < at.year < 9999 or not calendar.reaches(at.astimezone(SHANGHAI).date()):
        raise Refusal(
            "clock.outside",
            f"参数 at 不在历法表之内。请写 {calendar.first} 到 {calendar.last} 之间的时间。",
            field="at",
        )
    reading = clock.read(loaded.events, at=at, known=known, edition=edition)
    return _clock(loaded.number, reading, known=known, inside=inside)


def _clock(number: str, reading: Reading, *, known: int | None, inside: bool) -> ClockAnswer:
    light = reading.light(reading.at)
    pressing = reading.due
    return ClockAnswer(
        number=number,
        at=moment(reading.at),
        known=known,
        edition=reading.edition.number,
        state=reading.state,
        light=LightAnswer(code=light.code, text=light.text),
        limits=[_limit(one) for one in reading.limits if inside or one.kind not in ASIDE],
        waiting=reading.waiting,
        pressing=pressing.kind if pressing else None,
        ended=reading.ended,
    )


def _limit(one: LimitReading) -> LimitAnswer:
    return LimitAnswer(
        kind=one.kind,
        name=one.name,
        state=one.state,
        start=one.start.isoformat(),
        due=moment(one.due),
        used=one.used,
        left=one.left,
        met=one.met,
        provisional=one.provisional,
        value=one.value,
        extra=one.extra,
        unit=one.unit,
        basis=one.basis,
        roll=one.roll,
        stopped_at=moment(one.stopped_at) if one.stopped_at else None,
        lines=lines(one.lines),
    )


def instant(text: str | None, *, field: str = "at") -> datetime:
    """The parameter `at`, or another moment; none: now. Raises Refusal: `clock.at`,
    `clock.no_offset`.
    """
    if not text:
        return now()
    if len(text) > 6 and text[-6] == " " and "T" in text:
        text = f"{text[:-6]}+{text[-5:]}"  # a plus sign that was not written %2B arrives as a blank
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "clock.at",
            f"参数 {field} 应写作带时区的时间，例如 2026-11-23T09:00:00+08:00（在网址里加号写作 %2B）。",
            field=field,
        ) from None
    if found.tzinfo is None:
        raise Refusal(
            "clock.no_offset",
            f"参数 {field} 没有写明时区，不能推算期限。请补上，例如 2026-11-23T09:00:00+08:00"
            "（在网址里加号写作 %2B）。",
            field=field,
        )
    return found


def position(text: str | None) -> int | None:
    """The parameter `known`; none: all that is known. Raises Refusal: `clock.known`."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MOST_POSITION):
        raise Refusal(
            "clock.known",
            "参数 known 应是事件账的序号，零或正整数。请改正，或者去掉它。",
            field="known",
        )
    return int(text)


# --- the time ledger ------------------------------------------------------------------------------


class WholeAnswer(Shape):
    """Seconds, parted into office time and the rest."""

    seconds: int
    office_seconds: int
    rest_seconds: int


class PartAnswer(WholeAnswer):
    """A part of the whole. who: whose hands, in words; charged: whose time it is, under way the
    giver's. post and window only for staff. count: how many stretches."""

    kind: str
    who: str
    agency: str | None
    post: str | None
    window: str | None
    charged_kind: str
    charged_to: str | None
    charged_who: str
    label: str | None
    count: int


class HandoverAnswer(WholeAnswer):
    """A hand-over (移交). end: null while it is under way; taken: whether somebody took it."""

    giver_kind: str
    giver: str | None
    giver_who: str
    taker_kind: str | None
    taker: str | None
    taker_who: str
    start: Moment
    end: Moment | None
    taken: bool


class TimeLedgerAnswer(Shape):
    """The time of a case (时间账), from the receipt to its end, or to `until` while it is open. The
    parts sum to the whole, the hand-overs to the parts of kind handing_over."""

    number: str
    start: Moment
    end: Moment | None
    until: Moment
    whole: WholeAnswer
    parts: list[PartAnswer]
    handovers: list[HandoverAnswer]


def ledger_of(found: TimeLedger) -> TimeLedgerAnswer:
    office = sum(one.office_seconds for one in found.lines)
    return TimeLedgerAnswer(
        number=found.number,
        start=moment(found.start),
        end=moment(found.end) if found.end else None,
        until=moment(found.until),
        whole=WholeAnswer(
            seconds=found.seconds, office_seconds=office, rest_seconds=found.seconds - office
        ),
        parts=[
            PartAnswer(
                kind=one.kind,
                who=one.zh,
                agency=one.agency,
                post=one.post,
                window=one.window or None,
                charged_kind=one.charged_kind,
                charged_to=one.charged_to,
                charged_who=one.charged_zh,
                label=one.label or None,
                count=one.stretches,
                seconds=one.seconds,
                office_seconds=one.office_seconds,
                rest_seconds=one.rest_seconds,
            )
            for one in found.lines
        ],
        handovers=[
            HandoverAnswer(
                giver_kind=one.giver_kind,
                giver=one.giver,
                giver_who=one.giver_zh,
                taker_kind=one.taker_kind,
                taker=one.taker,
                taker_who=one.taker_zh,
                start=moment(one.start),
                end=moment(one.end) if one.end else None,
                taken=one.taken,
                seconds=one.seconds,
                office_seconds=one.office_seconds,
                rest_seconds=one.seconds - one.office_seconds,
            )
            for one in found.ways
        ],
    )


# --- who asks -------------------------------------------------------------------------------------


def _who(request: HttpRequest, number: str, *, at: datetime) -> Actor | str:
    """Somebody of the staff, or the query code that an applicant gives; that attempt is counted.

    Raises Refused: 401 for who says nothing of himself, 429 for one attempt too many.
    """
    given = request.headers.get(HEADER)
    if given is None:
        try:
            return READER(request).actor
        except problems.Refused as refused:
            if request.headers.get("Authorization") or refused.status != 401:
                raise
        raise problems.Refused(
            401,
            "case.who",
            f"请在请求头 {HEADER} 里写收件回执上的查询码；系统请用令牌，工作人员请先登录。",
            headers={"WWW-Authenticate": f'QueryCode header="{HEADER}"'},
        )
    if tracking.too_often(throttle.sender(request), number, at=at):
        raise problems.Refused(
            429,
            "case.too_often",
            "查询次数太多。请过十分钟再试。",
            headers={"Retry-After": str(int(tracking.WINDOW.total_seconds()))},
        )
    return tracking.capitals(given)


def plain(text: str) -> str:
    """A number or code that can be one of ours. Raises CaseNotFound."""
    if len(text) > LONGEST or not text.isprintable():
        raise CaseNotFound
    return text


def _private(response: HttpResponse) -> None:
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = f"Authorization, Cookie, {HEADER}"


Position = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$"})]
AT = Query(None, description="哪一时刻，带时区；不写就是现在")
KNOWN = Query(None, description="只看事件账到这个序号为止的记载；不写就是全部")


def _documented() -> dict[str, Any]:
    return problems.documented(
        401,
        403,
        404,
        422,
        429,
        security=[{"QueryCode": []}, {"Token": ["cases.read"]}, {"Session": []}],
    )


@router.get(
    "/{number}/clock",
    response=ClockAnswer,
    summary="办件的全部期限和推导",
    auth=None,
    url_name="clock",
    openapi_extra=_documented(),
)
def case_clock(
    request: HttpRequest,
    response: HttpResponse,
    number: str,
    at: Moment | None = AT,
    known: Position | None = KNOWN,
) -> Any:
    present = now()
    number = tracking.capitals(number)
    who = _who(request, number, at=present)
    problems.only(request, "at", "known")
    when, seen = instant(at), position(known)
    if isinstance(who, str):
        loaded = loading.load_public(plain(number), plain(who))
    else:
        loaded = loading.load(who, plain(number))
    _private(response)
    return clock_of(loaded, at=when, known=seen, inside=not isinstance(who, str))


@router.get(
    "/{number}/time-ledger",
    response=TimeLedgerAnswer,
    summary="办件的时间账",
    description="各段之和等于全程；移交各次之和等于“移交途中”各段之和。",
    auth=None,
    url_name="time-ledger",
    openapi_extra=_documented(),
)
def case_time_ledger(request: HttpRequest, response: HttpResponse, number: str) -> Any:
    present = now()
    number = tracking.capitals(number)
    who = _who(request, number, at=present)
    problems.only(request)
    if isinstance(who, str):
        found = timekeeping.of_public(plain(number), plain(who), at=present)
    else:
        found = timekeeping.of_case(who, plain(number), at=present)
    _private(response)
    return ledger_of(found)
