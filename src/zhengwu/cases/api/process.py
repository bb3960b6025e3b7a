"""The real process of a selection of cases (实际流程), at /api/v1/process. Nobody's name in it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from ninja.params.functions import Query
from pydantic import WithJsonSchema

from zhengwu.accounts import api as entry
from zhengwu.accounts import queries as accounts
from zhengwu.accounts.api import Door
from zhengwu.cases import process
from zhengwu.cases.api.clock import instant
from zhengwu.cases.process import OUTCOMES, Found, Selection
from zhengwu.domain.process import Lengths
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems
from zhengwu.web.answering import Moment, Shape, moment, reply
from zhengwu.web.clock import now

router = Router()
SECOND = timedelta(seconds=1)
LONGEST = 60  # letters of a code


class LengthsAnswer(Shape):
    """Whole seconds, rounded down; office: within opening hours; null: there is none."""

    median: int | None
    mean: int | None
    office_median: int | None
    office_mean: int | None


class NodeAnswer(Shape):
    """An activity: how often, in how many cases; how many began and ended with it; departing: how
    often by an entry that departs from what is published."""

    activity: str
    label: str
    count: int
    cases: int
    starts: int
    ends: int
    departing: int


class EdgeAnswer(Shape):
    """One activity directly after another, and how long after."""

    source: str
    target: str
    count: int
    departing: int
    seconds: LengthsAnswer


class VariantAnswer(Shape):
    """One way through. share: of all cases, from 0 to 1; seconds: from the first to the last."""

    activities: list[str]
    count: int
    share: float
    seconds: LengthsAnswer


class DepartureAnswer(Shape):
    """kind: table (the life cycle), order, skipped, returned or outside (the published flow)."""

    kind: str
    says: str
    count: int
    cases: int


class StepAnswer(Shape):
    """A published step and what became of it. cases: in which it was taken; done: how often it came
    to its end; skipped, returned: how often."""

    step: str
    name: str
    limit: str
    cases: int
    done: int
    skipped: int
    returned: int
    seconds: LengthsAnswer


class ProcessAnswer(Shape):
    """The newest cases of what was asked. matched: how many there are at the least; more: whether
    there are more than were counted; item_version: of the item whose steps stand in `steps`."""

    cases: int
    matched: int
    more: bool
    events: int
    first: Moment | None
    last: Moment | None
    seconds: LengthsAnswer
    nodes: list[NodeAnswer]
    edges: list[EdgeAnswer]
    variants: list[VariantAnswer]
    departures: list[DepartureAnswer]
    item_version: int | None
    steps: list[StepAnswer]


def _seconds(given: Lengths) -> LengthsAnswer:
    def whole(length: timedelta | None) -> int | None:
        return None if length is None else length // SECOND

    return LengthsAnswer(
        median=whole(given.median), mean=whole(given.mean),
        office_median=whole(given.office_median), office_mean=whole(given.office_mean),
    )  # fmt: skip


def process_of(found: Found) -> ProcessAnswer:
    """The answer, also of the command."""
    picture = found.picture
    return ProcessAnswer(
        cases=picture.cases,
        matched=found.matched,
        more=found.more,
        events=picture.events,
        first=moment(picture.first) if picture.first else None,
        last=moment(picture.last) if picture.last else None,
        seconds=_seconds(picture.lengths),
        nodes=[
            NodeAnswer(
                activity=one.activity, label=one.label, count=one.count, cases=one.cases,
                starts=one.starts, ends=one.ends, departing=one.departing,
            )
            for one in picture.nodes
        ],
        edges=[
            EdgeAnswer(
                source=one.source, target=one.target, count=one.count, departing=one.departing,
                seconds=_seconds(one.lengths),
            )
            for one in picture.edges
        ],
        variants=[
            VariantAnswer(
                activities=list(one.activities), count=one.count, share=round(one.share, 6),
                seconds=_seconds(one.lengths),
            )
            for one in picture.variants
        ],
        departures=[
            DepartureAnswer(kind=one.kind, says=one.zh, count=one.count, cases=one.cases)
            for one in picture.departures
        ],
        item_version=found.item.version if found.item else None,
        steps=[
            StepAnswer(
                step=one.step.code, name=one.step.name,
                limit=one.step.limit.words() if one.step.limit else "", cases=one.cases,
                done=one.done, skipped=one.skipped, returned=one.returned,
                seconds=_seconds(one.lengths),
            )
            for one in found.steps
        ],
    )  # fmt: skip


When = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
if TYPE_CHECKING:
    Outcome = str
else:
    Outcome = Literal[tuple(OUTCOMES)]
ITEM = Query(None, description="只要这个事项的（事项编码）")
AGENCY = Query(None, description="只要这个机关的（机关代码）")
SOURCE = Query(None, description="只要这个来源的，例如 link:receipt")
OUTCOME = Query(None, description="granted 准予，refused 不予，open 还没有决定")
OPENED_FROM = Query(None, description="收件不早于（含），带时区")
OPENED_TO = Query(None, description="收件早于（不含），带时区")


@router.get(
    "",
    response=ProcessAnswer,
    auth=Door("process.read"),
    summary="实际流程：先后、次数、用时、变体、偏离",
    description=f"看最近的（先取已经办结的）至多 {process.SAMPLE} 件、{process.EVENTS:,} 个事件；共有多少件见 `matched`，"
    f"数到 {process.LOOKED:,} 为止。撤销的记录不算。要全部办件的，在服务器上用 `zhengwu process`，"
    "或者导出 XES 用流程挖掘工具看。",
    url_name="process",
    openapi_extra=problems.documented(304, 401, 403, 422, 429),
)
def real_process(
    request: HttpRequest,
    item: str | None = ITEM,
    agency: str | None = AGENCY,
    source: str | None = SOURCE,
    outcome: Outcome | None = OUTCOME,
    opened_from: When | None = OPENED_FROM,
    opened_to: When | None = OPENED_TO,
) -> Any:
    caller = entry.caller(request)
    problems.only(request, "item", "agency", "source", "outcome", "opened_from", "opened_to")
    selection = Selection(
        item=_short("item", item),
        agency=_short("agency", agency),
        source=_short("source", source),
        outcome=outcome or "",
        since=instant(opened_from, field="opened_from") if opened_from else None,
        until=instant(opened_to, field="opened_to") if opened_to else None,
    )
    # A system sees the process of the cases that it sees; staff as far as on the page.
    act = "case.see" if caller.system else process.ACT
    found = process.discover(accounts.reach(caller.actor, act), selection, at=now())
    return reply(request, process_of(found))


def _short(name: str, value: str | None) -> str:
    if value and (len(value) > LONGEST or not value.isprintable()):
        raise Refusal("request.unreadable", f"参数 {name} 读不懂。请改正。", field=name)
    return value or ""


__all__ = ["ProcessAnswer", "process_of", "router"]
