"""Figures for other systems (统计接口), under /api/v1/statistics: by anything, for any period, down to
the cases behind a number.

The permission is the figures' own (`queries.reach`); the cases behind a number are shown as far as
the caller may see cases. What a figure is, everybody may read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import Field, WithJsonSchema, create_model

from zhengwu.accounts import api as entry
from zhengwu.accounts import queries as accounts
from zhengwu.accounts.api import Caller, Door
from zhengwu.accounts.queries import Reach
from zhengwu.accounts.scopes import SCOPES
from zhengwu.cases import listing
from zhengwu.cases.api.reading import CaseRow, row_of
from zhengwu.domain.measuring import MEASURES
from zhengwu.domain.periods import Grain
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics import asking, queries, telling
from zhengwu.statistics.queries import DIMENSIONS, FILTERS, Counted, Question, Spread
from zhengwu.web import problems, throttle, tokens, words
from zhengwu.web.answering import Day, Moment, Shape, kept, moment, reply, sent
from zhengwu.web.clock import now

PER_SENDER = 600
WINDOW = timedelta(minutes=10)
MAX_AGE = 3600  # seconds: definitions change with the software only
MOST, USUAL = 200, 50
MOST_ROUNDS = 10  # pages looked through for one that this caller may see
MOST_RESTATED = 500
KIND = "statistics"
NOTHING = Spread(())
router = Router()


# --- shapes ---------------------------------------------------------------------------------------


def _row_shape() -> type[Shape]:
    """A row as `telling.told` makes it: one field for each code and name, measure and share."""
    fields: dict[str, Any] = {}
    for name, zh in asking.FILTERS_ZH.items():
        fields[name] = (str | None, Field(None, description=f"{zh}（按它分时才有）"))
        if name != "unit":
            fields[f"{name}_name"] = (str | None, Field(None, description=f"{zh}的名称"))
    fields |= {"from": (Day, ...), "to": (Day, ...)}
    for one in MEASURES:
        fields[one.code] = (int, Field(..., description=f"{one.zh}（{one.unit}）：{one.what}"))
    for held in telling.HELD:
        kind = int | None if held.code == "overdue" else int
        fields[held.code] = (kind, Field(..., description=f"{held.zh}：{held.what}"))
    for share in telling.SHARES:
        fields[share.code] = (float | None, Field(..., description=f"{share.zh}：{share.what}"))
    for code, (_, zh, what) in telling.PERCENTILES.items():
        fields[code] = (int | None, Field(None, description=f"{zh}：{what}"))
    return create_model(
        "StatisticsRow",
        __base__=Shape,
        __doc__="One value of the dimension and one part of the period. Counts are whole numbers, "
        "shares are parts of one with four digits, null where nothing can be divided.",
        **fields,
    )


class StatisticsAnswer(Shape):
    """from, to: the period that was answered, both days counted."""

    rows: list[_row_shape()]  # type: ignore[valid-type]  # made from the measures


class StatisticsHandover(Shape):
    """Hand-overs of closed cases from one agency to another. giver, taker empty: nobody named.
    seconds: under way; office_seconds: of these within office hours."""

    giver: str
    giver_name: str
    taker: str
    taker_name: str
    times: int
    seconds: int
    office_seconds: int


class StatisticsHandovers(Shape):
    """The longest under way first."""

    rows: list[StatisticsHandover]


class StatisticsRestatement(Shape):
    """A figure of a day that was over, changed by so much. noticed: on which day; first, until: the
    positions of the log that did it."""

    noticed: Day
    day: Day
    agency: str
    agency_name: str
    source: str
    source_name: str
    measure: str
    delta: int
    first: int
    until: int


class StatisticsRestatements(Shape):
    """The latest first, five hundred at most."""

    rows: list[StatisticsRestatement]


class StatisticsDefinition(Shape):
    """What a figure is. when: by the day of what it counts: `event` (of what happened), `closing`,
    `end` (as it stands at the end of the period), `derived` (made from others)."""

    code: str
    zh: str
    unit: str
    when: str
    what: str
    basis: str


class StatisticsCode(Shape):
    """A code and what it says."""

    code: str
    zh: str


class StatisticsDefinitions(Shape):
    """All figures; by what they can be told apart; how time can be cut; kinds of cases."""

    measures: list[StatisticsDefinition]
    dimensions: list[StatisticsCode]
    grains: list[StatisticsCode]
    kinds: list[StatisticsCode]


class StatisticsCase(CaseRow):
    """A case behind a number. day: on which it counted; verdict: early, on_time, late, unjudged;
    working_days: it took; judged_due: the limit it was judged by."""

    day: Day
    verdict: str | None
    working_days: int | None
    judged_due: Moment | None


class StatisticsCases(Shape):
    """next: what to write as `after` for the page that follows; null: this is the last. A page may
    hold fewer than were asked for, where some of the cases may not be seen."""

    rows: list[StatisticsCase]
    next: str | None


# --- what is asked ----------------------------------------------------------------------------------

if TYPE_CHECKING:
    Dimension = str
    Cut = str
    MeasureCode = str
else:
    Dimension = Literal[tuple(DIMENSIONS)]
    Cut = Literal[tuple(str(one) for one in Grain)]
    MeasureCode = Literal[(*(one.code for one in MEASURES), *(one.code for one in telling.HELD))]
Code = Annotated[str, Field(max_length=asking.LONGEST)]
When = Annotated[str, Field(max_length=10)]
After = Annotated[str, Field(max_length=tokens.LONGEST)]
Size = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST})]
BY = Query(None, description="按什么分：" + "、".join(f"{k} {v.zh}" for k, v in DIMENSIONS.items()))
GRAIN = Query(None, description="时间怎么切；不写就是整个期间一行")
FROM = Query(
    None,
    alias="from",
    description="从哪里开始：2026、2026-Q3、2026-10、2026-W45 或者 2026-10-05；"
    "from、to 都不写是上一个整月",
)
TO = Query(None, alias="to", description="到哪里为止（含），写法相同；不写就是 from 那一段")
PERCENTILES = Query(False, description="true：加上 p50、p90（办理工作日的中位数和九成位）")
MEASURE = Query("received", description="哪个指标后面的办件")
AFTER = Query(None, description="上一页的 next，原样写回；不写就从头开始")
LIMIT = Query(USUAL, description=f"一页最多几条，最多 {MOST}")
ONLY = {
    name: Query(None, description=f"只要这个{zh}的（代码）；“-”是没有说明{zh}的")
    for name, zh in asking.FILTERS_ZH.items()
}
ASKED = ("from", "to", *FILTERS)


def _question(request: HttpRequest, *, by: str | None = None, grain: str | None = None) -> Question:
    """What the address asks, checked. Raises Refusal with the name of the parameter."""
    given = {name: request.GET[name] for name in ASKED if name in request.GET}
    question = asking.question({**given, "by": by or "", "grain": grain or ""}, today=_today())
    asking.known(question)
    return question


def _today() -> date:
    return words.local(now()).date()


def _reach(caller: Caller) -> Reach:
    """Whose figures the caller sees. Raises Refused (403) for whom that is nobody's."""
    found = queries.reach(caller.actor)
    if not (found.everything or found.agencies or found.halls):
        raise problems.Refused(
            403,
            "statistics.nobody",
            "您的岗位看不到统计。机关负责人看本机关，中心管理人员看本大厅，监察人员看本区域；"
            "全市的公开统计见 /statistics/。",
        )
    return found


# --- operations -------------------------------------------------------------------------------------

NO = (304, 401, 403, 422, 429)


@router.get(
    "",
    response=StatisticsAnswer,
    auth=Door("statistics.read"),
    summary="统计：按机关、区划、事项、渠道……，按日、周、月、季、年",
    description="一行是一个值、一段时间：每个指标（定义见 /statistics/definitions）、期末在办、在办已超期和各个比率。"
    "数字只含权限以内的办件。期间还没有过完的，是到现在为止的。",
    url_name="statistics",
    openapi_extra=problems.documented(*NO),
)
def statistics(
    request: HttpRequest,
    by: Dimension | None = BY,
    grain: Cut | None = GRAIN,
    since: When | None = FROM,
    until: When | None = TO,
    agency: Code | None = ONLY["agency"],
    unit: Code | None = ONLY["unit"],
    district: Code | None = ONLY["district"],
    hall: Code | None = ONLY["hall"],
    window: Code | None = ONLY["window"],
    item: Code | None = ONLY["item"],
    kind: Code | None = ONLY["kind"],
    source: Code | None = ONLY["source"],
    channel: Code | None = ONLY["channel"],
    percentiles: bool = PERCENTILES,
) -> HttpResponse:
    reach = _reach(entry.caller(request))
    problems.only(request, "by", "grain", *ASKED, "percentiles")
    question = _question(request, by=by, grain=grain)
    if percentiles and question.grain:
        raise Refusal(
            "statistics.percentiles",
            "分位数不能分段。请去掉 grain，或者一段一段地问。",
            field="percentiles",
        )
    asking.not_too_many(reach, question)
    rows = queries.figures(reach, question, at=now())
    names = telling.names((row.key for row in rows), question)
    spreads = queries.spreads(reach, question) if percentiles else {}
    told = [
        telling.told(row, question, names, spreads.get(row.key, NOTHING) if percentiles else None)
        for row in rows
    ]
    return sent(request, orjson.dumps({"rows": told}))


@router.get(
    "/handovers",
    response=StatisticsHandovers,
    auth=Door("statistics.read"),
    summary="移交：谁交给谁，几次，路上多久",
    description="期间内办结的办件在部门之间、窗口与部门之间的移交。不分事项、大厅和窗口。",
    url_name="statistics-handovers",
    openapi_extra=problems.documented(*NO),
)
def statistics_handovers(
    request: HttpRequest,
    since: When | None = FROM,
    until: When | None = TO,
    agency: Code | None = ONLY["agency"],
    unit: Code | None = ONLY["unit"],
    district: Code | None = ONLY["district"],
    kind: Code | None = ONLY["kind"],
    source: Code | None = ONLY["source"],
    channel: Code | None = ONLY["channel"],
) -> HttpResponse:
    reach = _reach(entry.caller(request))
    problems.only(request, *(one for one in ASKED if one not in ("item", "hall", "window")))
    rows = queries.handings(reach, _question(request))
    names = accounts.names(agencies=(one for row in rows for one in (row.giver, row.taker)))
    return sent(request, orjson.dumps({"rows": [telling.of_handing(one, names) for one in rows]}))


@router.get(
    "/restatements",
    response=StatisticsRestatements,
    auth=Door("statistics.read"),
    summary="更正：已经过去的日子，哪些数字后来改了",
    description="期间内的日子，数字在那一天过去以后又有增减的：迟录、补报、撤销误录。"
    f"新的在前，最多 {MOST_RESTATED} 条。",
    url_name="statistics-restatements",
    openapi_extra=problems.documented(*NO),
)
def statistics_restatements(
    request: HttpRequest,
    since: When | None = FROM,
    until: When | None = TO,
    agency: Code | None = ONLY["agency"],
    unit: Code | None = ONLY["unit"],
    district: Code | None = ONLY["district"],
    kind: Code | None = ONLY["kind"],
    source: Code | None = ONLY["source"],
    channel: Code | None = ONLY["channel"],
) -> HttpResponse:
    reach = _reach(entry.caller(request))
    problems.only(request, *(one for one in ASKED if one not in ("item", "hall", "window")))
    rows = queries.restatements(reach, _question(request), limit=MOST_RESTATED)
    names = accounts.names(agencies=(one.agency for one in rows))
    return sent(request, orjson.dumps({"rows": [telling.of_restated(one, names) for one in rows]}))


@router.get(
    "/definitions",
    response=StatisticsDefinitions,
    auth=None,
    summary="指标、维度和时间粒度的定义",
    description="每个指标的名称、单位、定义、法律依据和按什么日子计。不要令牌。",
    url_name="statistics-definitions",
    openapi_extra=problems.documented(304, 422, 429),
)
def statistics_definitions(request: HttpRequest) -> HttpResponse:
    left = throttle.lease(
        "statistics", throttle.sender(request), most=PER_SENDER, within=WINDOW, at=now()
    )
    if left is not None:
        raise problems.Refused(
            429,
            "statistics.too_often",
            "十分钟内查询次数太多。请按 Retry-After 等候；没有变的内容请带 If-None-Match 再问。",
            headers={"Retry-After": str(left)},
        )
    problems.only(request)
    body = StatisticsDefinitions(
        measures=[StatisticsDefinition(**one) for one in telling.definitions()],
        dimensions=_codes({code: one.zh for code, one in DIMENSIONS.items()}),
        grains=_codes({str(one): zh for one, zh in asking.GRAINS_ZH.items()}),
        kinds=_codes(telling.KINDS),
    ).model_dump_json()
    answer = HttpResponse(content_type="application/json; charset=utf-8")
    tag = hashlib.sha256(body.encode()).hexdigest()[:32]
    if same := kept(request, answer, etag=tag, max_age=MAX_AGE):
        return same
    answer.content = body.encode()
    return answer


def _codes(words: Mapping[str, str]) -> list[StatisticsCode]:
    return [StatisticsCode(code=code, zh=zh) for code, zh in words.items()]


@router.get(
    "/cases",
    response=StatisticsCases,
    auth=Door("statistics.read"),
    summary="一个数字后面的办件",
    description="条件与 /statistics 相同，加上指标 measure。还要 cases.read：只给看得到的办件，没有申请人信息。"
    "按日期倒序，用续页标记翻页。",
    url_name="statistics-cases",
    openapi_extra=problems.documented(*NO),
)
def statistics_cases(
    request: HttpRequest,
    measure: MeasureCode = MEASURE,
    since: When | None = FROM,
    until: When | None = TO,
    agency: Code | None = ONLY["agency"],
    unit: Code | None = ONLY["unit"],
    district: Code | None = ONLY["district"],
    hall: Code | None = ONLY["hall"],
    window: Code | None = ONLY["window"],
    item: Code | None = ONLY["item"],
    kind: Code | None = ONLY["kind"],
    source: Code | None = ONLY["source"],
    channel: Code | None = ONLY["channel"],
    after: After | None = AFTER,
    limit: Size = LIMIT,
) -> HttpResponse:
    caller = entry.caller(request)
    if "cases.read" not in caller.scopes:
        raise problems.Refused(
            403,
            "api.scope",
            f"这个令牌没有所需的权限：cases.read（{SCOPES['cases.read'].zh}）。请向安全管理员申请。",
        )
    reach = _reach(caller)
    problems.only(request, "measure", *ASKED, "after", "limit")
    if not 1 <= limit <= MOST:
        raise Refusal("request.limit", f"参数 limit 应是 1 到 {MOST} 的整数。", field="limit")
    question = _question(request)
    mark = _mark(measure, question)
    place = _place(after, mark)
    found: list[tuple[Counted, listing.Row]] = []
    for _ in range(MOST_ROUNDS):
        page = queries.behind(
            reach, question, measure, at=now(), after=place, limit=limit - len(found)
        )
        seen = listing.these(caller.actor, [one.case for one in page.rows])
        found += [(one, seen[one.case]) for one in page.rows if one.case in seen]
        place = page.further
        if not place or len(found) >= limit:
            break
    return reply(
        request,
        StatisticsCases(
            rows=[_counted(one, row) for one, row in found],
            next=tokens.write(KIND, mark, place) if place else None,
        ),
    )


def _counted(one: Counted, row: listing.Row) -> StatisticsCase:
    return StatisticsCase(
        **row_of(row), day=one.day.isoformat(), verdict=one.verdict, working_days=one.days,
        judged_due=moment(one.due) if one.due else None,
    )  # fmt: skip


def _mark(measure: str, question: Question) -> str:
    """A digest of what is asked: a page continues its own question alone."""
    parts: Iterable[object] = (
        measure, question.period.since, question.period.until, *sorted(question.narrowed.items()),
    )  # fmt: skip
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:8]


def _place(after: str | None, mark: str) -> str:
    if not after:
        return ""
    found = cast(Sequence[object], tokens.read(KIND, after))
    if len(found) != 2 or found[0] != mark or not isinstance(found[1], str):
        raise tokens.bad()
    return found[1]
