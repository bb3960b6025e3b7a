"""Cases as other systems read them (办件查询). Nobody's name without the scope for it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import Field, WithJsonSchema

from zhengwu.accounts import api as entry
from zhengwu.accounts import services as account_services
from zhengwu.accounts.api import Caller, Door
from zhengwu.cases import exporting, feed, listing, loading, queries, tracking, wording
from zhengwu.cases.api.clock import instant, plain
from zhengwu.cases.events import STREAM
from zhengwu.cases.listing import Question
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.cases.parties import Applicant
from zhengwu.documents import queries as documents
from zhengwu.domain.lifecycle import State
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems, tokens
from zhengwu.web.answering import Moment, Shape, moment, reply
from zhengwu.web.clock import now

MOST = 200
USUAL = 50
MOST_EVENTS = 500
APPLICANT = ("identifier", "name", "phone")
router = Router()


# --- shapes ---------------------------------------------------------------------------------------


class CaseRow(Shape):
    """One case without its applicant. state_zh and holder.kind: in whose hands it is."""

    number: str
    version: int
    source: str
    foreign_id: str | None
    kind: str
    item: str | None
    item_version: int | None
    item_name: str
    agency: str
    region: str
    hall: str | None
    state: str
    state_zh: str
    suspended: bool
    outcome: str | None
    step: str | None
    holder_kind: str
    holder_agency: str | None
    opened: Moment
    accepted: Moment | None
    decided: Moment | None
    closed: Moment | None
    due: Moment | None
    provisional: bool


class CasePage(Shape):
    """next: what to write as `after` for the page that follows; null: this is the last."""

    rows: list[CaseRow]
    next: str | None


class ApplicantAnswer(Shape):
    """Who applied. masked: names and numbers are hidden, because the token does not open them."""

    kind: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str
    masked: bool


class MaterialAnswer(Shape):
    """state: received, missing, faulty or held (the city has it already)."""

    code: str
    name: str
    state: str


class FileAnswer(Shape):
    """An uploaded file of the case. material: its code, or what the file is for."""

    id: UUID
    material: str
    digest: str


class DocumentAnswer(Shape):
    """A paper of the case. void_since: from when it does not hold any more."""

    kind: str
    name: str
    number: str
    check: str
    issued: Moment
    void_since: Moment | None


class CaseAnswer(CaseRow):
    """One case. query_code: only with the scope for applicants, for it opens the progress page."""

    applicant: ApplicantAnswer
    query_code: str | None
    materials: list[MaterialAnswer]
    files: list[FileAnswer]
    documents: list[DocumentAnswer]


class EventAnswer(Shape):
    """One event. position: of the log, null until it has one. body: by the kind, see
    docs/reference/events.md."""

    position: int | None
    version: int
    kind: str
    nature: str
    occurred: Moment
    recorded: Moment
    received: Moment
    actor: str | None
    post: str | None
    agency: str | None
    region: str | None
    source: str
    body: dict[str, Any]


class StoryAnswer(Shape):
    """All events of a case by version."""

    number: str
    version: int
    events: list[EventAnswer]


class FeedEvent(EventAnswer):
    """An event of the feed, and whose it is."""

    number: str


class FeedPage(Shape):
    """next: what to write as `after`, always there; more: there is more to fetch at once."""

    events: list[FeedEvent]
    next: str
    more: bool


class FieldAnswer(Shape):
    """One field of an act's form. choices: code and what it says."""

    name: str
    zh: str
    kind: str
    required: bool
    choices: list[tuple[str, str]]


class OfferAnswer(Shape):
    """An act that can be done now. targets: posts to whom it can be given. confirm: what to say to
    a person before it is done, where it cannot be taken back."""

    act: str
    zh: str
    fields: list[FieldAnswer]
    targets: list[tuple[str, str]]
    agencies: list[str]
    confirm: str


class OffersAnswer(Shape):
    """What the person acted for can do with the case as it is at `version`."""

    number: str
    version: int
    acts: list[OfferAnswer]
    undo: str


# --- helpers --------------------------------------------------------------------------------------


def _maybe(value: datetime | None) -> str | None:
    return moment(value) if value else None


def row_of(row: listing.Row) -> dict[str, Any]:
    """The fields of `CaseRow`."""
    return {
        "number": row.number, "version": row.version, "source": row.source,
        "foreign_id": row.foreign_id, "kind": row.kind, "item": row.item,
        "item_version": row.item_version, "item_name": row.item_name, "agency": row.agency,
        "region": row.region, "hall": row.hall, "state": row.state,
        "state_zh": wording.state(row.state, row.outcome, row.suspended),
        "suspended": row.suspended, "outcome": row.outcome, "step": row.step,
        "holder_kind": row.holder_kind, "holder_agency": row.holder_agency,
        "opened": moment(row.opened), "accepted": _maybe(row.accepted),
        "decided": _maybe(row.decided), "closed": _maybe(row.closed), "due": _maybe(row.due),
        "provisional": row.provisional,
    }  # fmt: skip


def _limit(given: int, most: int) -> int:
    if not 1 <= given <= most:
        raise Refusal("request.limit", f"参数 limit 应是 1 到 {most} 的整数。", field="limit")
    return given


def _short(name: str, value: str | None, most: int = 60) -> str:
    if value and (len(value) > most or not value.isprintable()):
        raise Refusal("request.unreadable", f"参数 {name} 读不懂。请改正。", field=name)
    return value or ""


def _private(applicant: Applicant, *, shown: bool) -> ApplicantAnswer:
    if shown:
        return ApplicantAnswer(
            kind=applicant.kind, name=applicant.name, identifier_kind=applicant.identifier_kind,
            identifier=applicant.identifier, phone=applicant.phone, masked=False,
        )  # fmt: skip
    return ApplicantAnswer(
        kind=applicant.kind,
        name=wording.masked(applicant.name),
        identifier_kind=applicant.identifier_kind,
        identifier="*" * 8,
        phone="*" * 8,
        masked=True,
    )


def _one(loaded: Loaded, row: listing.Row, *, shown: bool) -> CaseAnswer:
    return CaseAnswer(
        **row_of(row),
        applicant=_private(loaded.applicant(), shown=shown),
        query_code=loaded.query_code if shown else None,
        materials=[
            MaterialAnswer(code=one.code, name=one.name, state=one.state)
            for one in loaded.materials()
        ],
        files=[
            FileAnswer(id=id, material=one.material, digest=one.digest)
            for id, one in loading.files_of(loaded.counting).items()
        ],
        documents=[
            DocumentAnswer(
                kind=one.kind, name=wording.DOCUMENTS.get(one.kind, one.kind), number=one.number,
                check=one.check_code, issued=moment(one.issued), void_since=_maybe(one.void_since),
            )
            for one in documents.of_stream(loaded.id)
        ],
    )  # fmt: skip


def seen(caller: Caller, loaded: Loaded, why: str, *fields: str) -> None:
    """Record that personal data were looked at, and by which system."""
    account_services.look(
        caller.actor, STREAM, loaded.id, why=why, fields=fields or APPLICANT, at=now()
    )


def load(caller: Caller, number: str) -> Loaded:
    """The case, by the one filter. Raises CaseNotFound."""
    return loading.load(caller.actor, plain(tracking.capitals(number)))


# --- operations -----------------------------------------------------------------------------------

After = Annotated[str, Field(max_length=tokens.LONGEST)]
AFTER = Query(None, description="上一页的 next，原样写回；不写就从头开始")
LIMIT = Query(USUAL, description=f"一页最多几条，最多 {MOST}")
EVENTS_LIMIT = Query(MOST, description=f"一页最多几条，最多 {MOST_EVENTS}")
FORM = Query("csv", description="csv 或者 ndjson")
FORMS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
STATE = Query(None, description="只要这种状态的")
ITEM = Query(None, description="只要这个事项的（事项编码）")
AGENCY = Query(None, description="只要这个机关的（机关代码）")
OPEN = Query(None, description="true：只要没有办结的；false：只要办结的")
OPENED_FROM = Query(None, description="收件不早于（含），带时区")
OPENED_TO = Query(None, description="收件早于（不含），带时区")
Limit = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST})]
EventLimit = Annotated[
    int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_EVENTS})
]
When = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
if TYPE_CHECKING:
    StateName = str
    FormName = str
else:
    FormName = Literal["csv", "ndjson"]
    StateName = Literal[tuple(str(one) for one in State)]


@router.get(
    "",
    response=CasePage,
    auth=Door("cases.read"),
    summary="权限以内的办件，新的在前",
    description="按收件时间倒序，用续页标记翻页：不论中间来了多少新的，不漏也不重。",
    url_name="cases",
    openapi_extra=problems.documented(304, 401, 403, 422, 429),
)
def cases(
    request: HttpRequest,
    state: StateName | None = STATE,
    item: str | None = ITEM,
    agency: str | None = AGENCY,
    open: bool | None = OPEN,
    opened_from: When | None = OPENED_FROM,
    opened_to: When | None = OPENED_TO,
    after: After | None = AFTER,
    limit: Limit = LIMIT,
) -> Any:
    caller = entry.caller(request)
    problems.only(
        request, "state", "item", "agency", "open", "opened_from", "opened_to", "after", "limit"
    )
    size = _limit(limit, MOST)
    question = _question(state, item, agency, open, opened_from, opened_to)
    found = listing.rows(caller.actor, question, after=_place(after), limit=size + 1)
    more = len(found) > size
    last = found[size - 1] if more else None
    page = CasePage(
        rows=[CaseRow(**row_of(one)) for one in found[:size]],
        next=tokens.write("cases", last.opened.isoformat(), str(last.id)) if last else None,
    )
    return reply(request, page)


def _question(
    state: str | None,
    item: str | None,
    agency: str | None,
    open: bool | None,
    since: str | None,
    until: str | None,
) -> Question:
    """What to list, as it was asked. Raises Refusal with the field."""
    return Question(
        state=state or "",
        item=_short("item", item),
        agency=_short("agency", agency),
        open=open,
        since=instant(since, field="opened_from") if since else None,
        until=instant(until, field="opened_to") if until else None,
    )


def _place(after: str | None) -> tuple[datetime, UUID] | None:
    if not after:
        return None
    try:
        opened, id = tokens.read("cases", after)
        when = datetime.fromisoformat(opened)
        if when.tzinfo is None:
            raise ValueError(opened)
        return when, UUID(id)
    except (ValueError, TypeError, AttributeError):
        raise tokens.bad() from None


@router.get(
    "/export",
    auth=Door("cases.export"),
    summary="成批导出权限以内的办件",
    description="CSV（给人看，中文表头）或者 NDJSON（给程序看，一行一件），边读边给，多少件都行。"
    "没有申请人信息。一件只出现一次，是读到它那一页时的样子；要跟上变化，用事件流。",
    url_name="cases-export",
    openapi_extra=problems.documented(
        401,
        403,
        422,
        429,
        media={200: ("text/csv application/x-ndjson", "办件")},
    ),
)
def cases_export(
    request: HttpRequest,
    form: FormName = FORM,
    state: StateName | None = STATE,
    item: str | None = ITEM,
    agency: str | None = AGENCY,
    open: bool | None = OPEN,
    opened_from: When | None = OPENED_FROM,
    opened_to: When | None = OPENED_TO,
) -> Any:
    caller = entry.caller(request)
    problems.only(request, "form", "state", "item", "agency", "open", "opened_from", "opened_to")
    question = _question(state, item, agency, open, opened_from, opened_to)
    pieces = exporting.stream(caller.actor, question, form="csv" if form == "csv" else "ndjson")
    answer = StreamingHttpResponse(pieces, content_type=f"{FORMS[form]}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="cases.{form}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@router.get(
    "/{number}",
    response=CaseAnswer,
    auth=Door("cases.read"),
    summary="一个办件：现状、材料、文书",
    description="没有 cases.applicant 的，申请人的姓名和号码隐去；有的，每次都记入查阅记录。",
    url_name="case",
    openapi_extra=problems.documented(304, 401, 403, 404, 422, 429),
)
def case(request: HttpRequest, number: str) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    loaded = load(caller, number)
    shown = caller.sees_applicants()
    if shown:
        seen(caller, loaded, "接口查询办件")
    row = listing.one(loaded.id)
    if row is None:
        raise CaseNotFound(number)
    return reply(request, _one(loaded, row, shown=shown), cache="private, no-store")


@router.get(
    "/{number}/events",
    response=StoryAnswer,
    auth=Door("cases.read", "events.read"),
    summary="一个办件的全部事件",
    url_name="case-events",
    openapi_extra=problems.documented(304, 401, 403, 404, 422, 429),
)
def case_events(request: HttpRequest, number: str) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    loaded = load(caller, number)
    return reply(
        request,
        StoryAnswer(
            number=loaded.number,
            version=loaded.version,
            events=[
                EventAnswer(
                    position=one.position, version=one.version, kind=one.kind,
                    nature=str(one.nature), occurred=moment(one.occurred),
                    recorded=moment(one.recorded), received=moment(one.received or one.recorded),
                    actor=one.actor, post=one.post, agency=one.agency, region=one.region,
                    source=one.source, body=dict(one.body),
                )
                for one in loaded.events
            ],
        ),
    )  # fmt: skip


@router.get(
    "/{number}/acts",
    response=OffersAnswer,
    auth=Door("cases.handle", "cases.decide", "cases.collect"),
    summary="现在能办哪些动作，各要填什么",
    description="按办件现在的状态、所代人员的权限和岗位。版本 version 在办理时原样写回。",
    url_name="case-acts",
    openapi_extra=problems.documented(304, 401, 403, 404, 422, 429),
)
def case_acts(request: HttpRequest, number: str) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    view = queries.case(caller.actor, plain(tracking.capitals(number)), at=now())
    return reply(
        request,
        OffersAnswer(
            number=view.number,
            version=view.version,
            acts=[
                OfferAnswer(
                    act=one.kind, zh=one.zh, targets=list(one.targets), confirm=one.confirm,
                    agencies=list(one.agencies),
                    fields=[
                        FieldAnswer(
                            name=ask.name, zh=ask.zh, kind=ask.kind, required=ask.required,
                            choices=list(ask.choices),
                        )
                        for ask in one.asks
                    ],
                )
                for one in view.acts
            ],
            undo=view.undo,
        ),
    )  # fmt: skip


@router.get(
    "/{number}/documents/{check}",
    auth=Door("documents.read"),
    summary="一份文书（PDF）",
    url_name="case-document",
    openapi_extra=problems.documented(
        401, 403, 404, 422, 429, media={200: ("application/pdf", "文书")}
    ),
)
def case_document(request: HttpRequest, number: str, check: str) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    loaded = load(caller, number)
    if not any(one.check_code == check for one in documents.of_stream(loaded.id)):
        raise CaseNotFound(number)
    paper = documents.by_check_code(check)
    if paper is None:
        raise CaseNotFound(number)
    seen(caller, loaded, "接口下载文书", "document")
    answer = HttpResponse(documents.render(paper), content_type="application/pdf")
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Disposition"] = f'inline; filename="{paper.check_code}.pdf"'
    return answer


# --- the feed -------------------------------------------------------------------------------------

events = Router()
FEED = "events"
FEED_SAYS = (
    "按事件账的顺序，从 after 之后接着给，不漏不重；`next` 总有，存下来，下次从那里接着取。"
    "只给权限以内办件的事件；权限后来扩大的，从前的事件不补发，请从头再取。"
)


@events.get(
    "",
    response=FeedPage,
    auth=Door("events.read"),
    summary="事件流：按顺序，不漏",
    description=FEED_SAYS,
    url_name="events",
    openapi_extra=problems.documented(304, 401, 403, 422, 429),
)
def event_feed(
    request: HttpRequest,
    after: After | None = AFTER,
    limit: EventLimit = EVENTS_LIMIT,
) -> Any:
    caller = entry.caller(request)
    problems.only(request, "after", "limit")
    size = _limit(limit, MOST_EVENTS)
    page = feed.read(caller.actor, after=_position(after), limit=size)
    return reply(
        request,
        FeedPage(
            events=[
                FeedEvent(
                    position=one.position, number=one.number, version=one.version, kind=one.kind,
                    nature=one.nature, occurred=moment(one.occurred),
                    recorded=moment(one.recorded), received=moment(one.received),
                    actor=one.actor, post=one.post, agency=one.agency, region=one.region,
                    source=one.source, body=one.body,
                )
                for one in page.events
            ],
            next=tokens.write(FEED, page.upto),
            more=page.more,
        ),
    )  # fmt: skip


def _position(after: str | None) -> int:
    if not after:
        return 0
    found = tokens.read(FEED, after)
    if len(found) != 1 or type(found[0]) is not int or not 0 <= found[0] <= feed.last():
        raise tokens.bad()
    return found[0]
