"""Items and guides for other systems and for everybody (事项接口): found, read, as of any day.

Public: what can be applied for, under which conditions, with what and how long it takes must be
shown to everybody (行政许可法 30).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from ninja.params.functions import Path, Query
from pydantic import Field, WithJsonSchema

from zhengwu.accounts.queries import CITY
from zhengwu.catalog import browsing, finding, forms, laws, listing, queries, templates
from zhengwu.catalog.browsing import Page, Place
from zhengwu.catalog.finding import Hit
from zhengwu.catalog.forms import FormRow
from zhengwu.catalog.queries import ItemVersionRow, Material
from zhengwu.domain import guide
from zhengwu.domain.procedure import Limit, Step
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems, throttle, tokens, words
from zhengwu.web.answering import Day, Shape, kept
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

# A whole hall stands behind one address, and so does a system that reads all there is.
PER_SENDER = 3_000
WINDOW = timedelta(minutes=10)
MAX_AGE = 60  # seconds: a publication is seen everywhere after so long
SOFTWARE = version("zhengwu")
MOST, USUAL = 200, 50
LONGEST = 40  # letters of a code
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What the guide answers in a shape of its own, beside the text.
SHAPED = ("limit", "materials", "fees", "steps", "questions")


# --- shapes -----------------------------------------------------------------------------------------


class CitationAnswer(Shape):
    """A law that a text cites and whose words we hold. address: of the article on this site."""

    text: str
    law: str
    address: str


class ItemLimit(Shape):
    """A limit in its own unit. roll: an end on a day off moves to the next working day."""

    value: int
    unit: str
    text: str
    basis: str
    roll: bool
    laws: list[CitationAnswer]


class ItemRow(Shape):
    """One item found. code: of its guide; null where only districts do it: then ask for `base` with
    a `region`. places: how many districts do it, where the row stands for the item everywhere; else
    0. generated: made up for the demo, not a real item."""

    base: str
    code: str | None
    name: str
    type: str
    kind: str | None
    region: str | None
    agency: str
    agency_name: str
    promised: ItemLimit | None
    places: int
    generated: bool


class ItemPage(Shape):
    """next: what to write as `after` for the page that follows; null: this is the last."""

    rows: list[ItemRow]
    next: str | None


class ItemPlace(Shape):
    """Where an item is done. code: of the guide there."""

    code: str
    region: str
    region_name: str
    agency: str
    agency_name: str


class ItemVersionAnswer(Shape):
    """The version that holds. since: its first day; until: its last, null where none is set."""

    code: str
    version: int
    name: str
    type: str
    kind: str | None
    kind_zh: str
    region: str
    region_name: str
    agency: str
    agency_name: str
    since: Day
    until: Day | None
    approved: str | None
    statutory: ItemLimit | None
    promised: ItemLimit | None
    targets: list[str]
    themes: list[str]
    page: str


class ItemAnswer(Shape):
    """An item on a day. version: null where this code is done in districts only and no `region` was
    asked for; places: where else it is done on that day."""

    base: str
    name: str
    type: str
    on: Day
    version: ItemVersionAnswer | None
    places: list[ItemPlace]
    generated: bool


class ItemElement(Shape):
    """One element of the guide. level: the list that it comes from: province, city, implementation;
    flow: made from the standard flow. value: the bare value, null where the guide answers it in a
    shape of its own."""

    code: str
    zh: str
    group: str
    level: str | None
    text: str
    value: Any


class FormAnswer(Shape):
    """A form to download. size: bytes."""

    filename: str
    media: str
    size: int
    address: str


class ItemMaterial(Shape):
    """One material of the list. blank: the form to fill in; sample: one that is filled in."""

    code: str
    name: str
    need: str
    need_zh: str
    form: str | None
    form_zh: str
    copies: int | None
    origin: str | None
    origin_zh: str
    basis: str
    spec: str
    standard: str
    fill: str
    unless: str
    blank: FormAnswer | None
    sample: FormAnswer | None


class ItemStep(Shape):
    """One step of the flow. after: what must be done before it; role: window, review, decide."""

    code: str
    name: str
    role: str
    role_zh: str
    limit: ItemLimit | None
    after: list[str]


class ItemFee(Shape):
    """One fee. fen: hundredths of a yuan, null where it is no fixed sum."""

    name: str
    fen: int | None
    standard: str
    relief: str
    basis: str


class ItemBasis(Shape):
    """One legal basis, with the articles whose words we hold."""

    text: str
    laws: list[CitationAnswer]


class ItemQuestion(Shape):
    """What is often asked."""

    question: str
    answer: str


class GuideAnswer(ItemVersionAnswer):
    """The guide as it holds over all lists: province, city, implementation."""

    base: str
    on: Day
    conditions: list[str]
    materials: list[ItemMaterial]
    template: str | None
    departures: list[str]
    steps: list[ItemStep]
    fees: list[ItemFee]
    basis: list[ItemBasis]
    questions: list[ItemQuestion]
    elements: list[ItemElement]
    generated: bool


class ItemChanged(Shape):
    """An element that a version changed."""

    code: str
    zh: str


class ItemPublished(Shape):
    """One published version. state: coming, in_force, over, retired; approved: the number under
    which the government approved it; changed: against the version before."""

    version: int
    state: str
    name: str
    agency: str
    agency_name: str
    since: Day
    until: Day | None
    retired_on: Day | None
    approved: str | None
    changed: list[ItemChanged]


class ItemHistory(Shape):
    """All versions of an item, the newest first."""

    code: str
    base: str
    name: str
    versions: list[ItemPublished]


class ThemeAnswer(Shape):
    """A theme. audience: person or legal; items: how many items in force stand under it."""

    code: str
    name: str
    english: str
    audience: str
    audience_zh: str
    items: int


class DepartmentAnswer(Shape):
    """An organ that does items. kind: department, utility, bureau, centre, service_point; items:
    what it does in force today."""

    code: str
    name: str
    kind: str
    region: str
    items: int


# --- what is answered -------------------------------------------------------------------------------


def _maybe(text: str) -> str | None:
    return text or None


def _cited(text: str) -> list[CitationAnswer]:
    found = []
    for one in laws.linked(text):
        if one.law:
            where = reverse("law", args=[one.law]) + (f"#{one.anchor}" if one.anchor else "")
            found.append(CitationAnswer(text=one.text, law=one.law, address=where))
    return found


def _limit(limit: Limit | None) -> ItemLimit | None:
    if limit is None:
        return None
    return ItemLimit(
        value=limit.value, unit=str(limit.unit), text=limit.words(), basis=limit.basis,
        roll=limit.roll, laws=_cited(limit.basis),
    )  # fmt: skip


def _row(one: Hit) -> ItemRow:
    return ItemRow(
        base=one.base, code=_maybe(one.code), name=one.name, type=one.type, kind=_maybe(one.kind),
        region=_maybe(one.region), agency=one.agency, agency_name=one.agency_name,
        promised=_limit(one.promised), places=one.places, generated=one.generated,
    )  # fmt: skip


def _last_day(row: ItemVersionRow) -> str | None:
    return (row.in_force_to - timedelta(days=1)).isoformat() if row.in_force_to else None


def _version(row: ItemVersionRow) -> dict[str, Any]:
    """The fields of `ItemVersionAnswer`."""
    return {
        "code": row.code, "version": row.version, "name": row.name, "type": row.type,
        "kind": _maybe(row.kind), "kind_zh": row.kind_zh, "region": row.region,
        "region_name": dict(browsing.regions()).get(row.region, row.region),
        "agency": row.agency, "agency_name": row.agency_name,
        "since": row.in_force_from.isoformat(), "until": _last_day(row),
        "approved": _maybe(row.approved), "statutory": _limit(row.statutory),
        "promised": _limit(row.promised), "targets": row.whole.get("targets", []),
        "themes": row.whole.get("themes", []), "page": reverse("item", args=[row.code]),
    }  # fmt: skip


def _places(places: Iterable[Place]) -> list[ItemPlace]:
    names = dict(browsing.regions())
    return [
        ItemPlace(
            code=one.code, region=one.region, region_name=names.get(one.region, one.region),
            agency=one.agency, agency_name=one.agency_name,
        )
        for one in places
    ]  # fmt: skip


def _file(form: FormRow | None) -> FormAnswer | None:
    if form is None:
        return None
    return FormAnswer(
        filename=form.filename, media=form.mime, size=form.size,
        address=reverse("form", args=[form.digest, form.filename]),
    )  # fmt: skip


def _material(one: Material, files: Mapping[str, FormRow]) -> ItemMaterial:
    return ItemMaterial(
        code=one.code, name=one.name, need=one.need, need_zh=guide.NEEDS_ZH.get(one.need, ""),
        form=_maybe(one.form), form_zh=guide.FORMS_ZH.get(one.form, ""), copies=one.copies,
        origin=_maybe(one.origin), origin_zh=guide.ORIGINS_ZH.get(one.origin, ""), basis=one.basis,
        spec=one.spec, standard=one.standard, fill=one.fill, unless=one.unless,
        blank=_file(files.get(one.blank)), sample=_file(files.get(one.sample)),
    )  # fmt: skip


def _step(one: Step) -> ItemStep:
    return ItemStep(
        code=one.code, name=one.name, role=one.role, role_zh=guide.ROLES_ZH.get(one.role, ""),
        limit=_limit(one.limit), after=list(one.after),
    )  # fmt: skip


def _elements(row: ItemVersionRow) -> list[ItemElement]:
    return [
        ItemElement(
            code=told.element.code, zh=told.element.zh, group=group, level=_maybe(told.source),
            text=told.text,
            value=None if told.element.kind in SHAPED else row.whole.get(told.element.code),
        )
        for group, lines in listing.elements(row.code, row.version)
        for told in lines
    ]  # fmt: skip


def guide_of(row: ItemVersionRow, on: date) -> GuideAnswer:
    """Everything that the guide of a version says."""
    files = forms.found(digest for one in row.materials for digest in (one.blank, one.sample))
    template = templates.of(row.whole.get("template"), row.type, row.kind) if row.steps else None
    departures = templates.departures(row.steps, template) if template else ()
    return GuideAnswer(
        **_version(row),
        base=row.base,
        on=on.isoformat(),
        conditions=list(row.conditions),
        materials=[_material(one, files) for one in row.materials],
        template=template.name if template else None,
        departures=[one.sentence for one in departures],
        steps=[_step(one) for one in row.steps],
        fees=[
            ItemFee(
                name=one["name"], fen=one.get("fen"), standard=one.get("standard", ""),
                relief=one.get("relief", ""), basis=one.get("basis", ""),
            )
            for one in row.whole.get("fees", ())
        ],
        basis=[ItemBasis(text=one, laws=_cited(one)) for one in laws.bases(row.basis)],
        questions=[
            ItemQuestion(question=one["q"], answer=one["a"])
            for one in row.whole.get("questions", ())
        ],
        elements=_elements(row),
        generated=row.generated,
    )  # fmt: skip


def history_of(versions: Sequence[ItemVersionRow], on: date) -> ItemHistory:
    """versions: the newest first."""
    newest = versions[0]
    before: list[ItemVersionRow | None] = [*versions[1:], None]
    return ItemHistory(
        code=newest.code, base=newest.base, name=newest.name,
        versions=[
            ItemPublished(
                version=one.version, state=_state(one, on), name=one.name, agency=one.agency,
                agency_name=one.agency_name, since=one.in_force_from.isoformat(),
                until=_last_day(one),
                retired_on=one.retired_on.isoformat() if one.retired_on else None,
                approved=_maybe(one.approved), changed=_changed(former, one),
            )
            for one, former in zip(versions, before, strict=True)
        ],
    )  # fmt: skip


def _state(one: ItemVersionRow, on: date) -> str:
    if one.in_force_from > on:
        return "coming"
    if one.in_force_to is not None and one.in_force_to <= on:
        return "over"
    return "retired" if one.retired else "in_force"


def _changed(before: ItemVersionRow | None, after: ItemVersionRow) -> list[ItemChanged]:
    if before is None:
        return []
    found = guide.differences(before.whole, after.whole)
    return [ItemChanged(code=one.code, zh=one.zh) for one in found]


# --- what is asked ----------------------------------------------------------------------------------


def _day(text: str | None) -> date:
    """The day asked for; today where none is. Raises Refusal."""
    if text is None:
        return words.local(now()).date()
    try:
        if not DATE.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "items.date",
            "参数 on 应是存在的日期，写成年-月-日，例如 2026-12-01。请改正。",
            field="on",
        ) from None


def _known_region(code: str | None) -> str:
    if not code:
        return ""
    if code not in dict(browsing.regions()):
        raise Refusal(
            "items.region",
            "没有参数 region 写的区域。请写市或者区的代码，例如 420102。",
            field="region",
        )
    return code


def _plain(name: str, value: str | None) -> str:
    if value and (len(value) > LONGEST or not value.isprintable()):
        raise Refusal("request.unreadable", f"参数 {name} 读不懂。请改正。", field=name)
    return value or ""


def _nothing() -> problems.Refused:
    return problems.Refused(
        404, "item.not_found", "没有这个编码的事项。请核对编码，或者用 /items 查找。"
    )


def _page(code: str, on: date) -> Page:
    """Raises Refused (404)."""
    if len(code) > LONGEST or not code.isprintable():
        raise _nothing()
    found = browsing.page(code, on)
    if not found.versions and not found.places:
        raise _nothing()
    return found


def _holding(found: Page, code: str, on: date, region: str) -> ItemVersionRow | None:
    """The version in force on a day, at a place where one is asked for; None where the code is only
    that of the item in many districts. Raises Refused (404)."""
    if region:
        there = next((one for one in found.places if one.region == region), None)
        row = queries.in_force(there.code, on) if there else None
        if row is None:
            raise problems.Refused(
                404,
                "item.not_there",
                "这个事项这一天不在这个区域办理。办理的区域见不写 region 时的 places。",
            )
        return row
    if not found.versions:
        return None
    row = next((one for one in found.versions if _state(one, on) == "in_force"), None)
    if row is None:
        raise problems.Refused(
            404,
            "item.not_in_force",
            "这个事项这一天没有施行的版本：还没有施行，或者已经取消。各版本的起止见 /items/{编码}/versions。",
        )
    return row


def _count(request: HttpRequest) -> None:
    """Raises Refused (429) for one question too many."""
    left = throttle.lease(
        "catalogue", throttle.sender(request), most=PER_SENDER, within=WINDOW, at=now()
    )
    if left is not None:
        raise problems.Refused(
            429,
            "items.too_often",
            "十分钟内查询次数太多。请按 Retry-After 等候；没有变的内容请带 If-None-Match 再问。",
            headers={"Retry-After": str(left)},
        )


def _answer() -> HttpResponse:
    return HttpResponse(content_type="application/json; charset=utf-8")


def _told(answer: HttpResponse, value: Shape | Sequence[Shape]) -> HttpResponse:
    """The answer with what it says, its letters as they are read."""
    if isinstance(value, Shape):
        answer.content = value.model_dump_json().encode()
    else:
        answer.content = f"[{','.join(one.model_dump_json() for one in value)}]".encode()
    return answer


def _same(
    request: HttpRequest, answer: HttpResponse, on: date, *moved: object
) -> HttpResponse | None:
    """304 for who has the answer of this edition of the catalogue already; it moves with the day,
    too, so that the new name of an organ is seen a day later at the latest."""
    tag = "-".join(str(one) for one in (on.isoformat(), *moved, SOFTWARE))
    return kept(request, answer, etag=tag, max_age=MAX_AGE)


# --- operations -------------------------------------------------------------------------------------

if TYPE_CHECKING:
    Target = str
    Type = str
    Level = str
else:
    Target = Literal[tuple(guide.TARGETS_ZH)]
    Type = Literal[guide.TYPES]
    Level = Literal["city", "district"]
Code = Annotated[str, Field(max_length=LONGEST)]
Words = Annotated[str, Field(max_length=200)]
After = Annotated[str, Field(max_length=tokens.LONGEST)]
Size = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST})]
CODE = Path(..., description="事项编码")
Q = Query(None, description="名称里连着的两个字以上、拼音首字母、编码或者平常的说法，可写几个词")
AGENCY = Query(None, description="只要这个机关办的（机关代码，见 /departments）")
THEME = Query(None, description="只要这个主题的（见 /themes）")
TARGET = Query(
    None,
    description="只要这种服务对象的：" + "、".join(f"{k} {v}" for k, v in guide.TARGETS_ZH.items()),
)
TYPE = Query(None, description="只要这种类型的")
REGION = Query(None, description="只要在这个区域办的（市或者区的代码）")
LEVEL = Query(None, description="只要市级（city）或者区级（district）办的，每个办理的地方一行")
AFTER = Query(None, description="上一页的 next，原样写回；不写就从头开始")
LIMIT = Query(USUAL, description=f"一页最多几条，最多 {MOST}")
ON = Query(None, description="哪一天施行的版本，年-月-日；不写就是今天")
AT = Query(None, description="在哪个区域办（市或者区的代码）；不写就是这个编码自己的")
PLACE = Query(None, description="哪个区域的（市或者区的代码）；不写就是全市的部门")
KIND = "items"
READING = (304, 404, 422, 429)
router = Router()


@router.get(
    "/items",
    response=ItemPage,
    summary="查找事项",
    description="今天施行的事项，最像的在前；不写查找的词就按编码排列。一个事项一行，"
    "写了机关、区域或者层级的，那里办的每个事项一行。",
    url_name="items",
    openapi_extra=problems.documented(304, 422, 429),
)
def items(
    request: HttpRequest,
    q: Words | None = Q,
    agency: Code | None = AGENCY,
    theme: Code | None = THEME,
    target: Target | None = TARGET,
    type: Type | None = TYPE,
    region: Code | None = REGION,
    level: Level | None = LEVEL,
    after: After | None = AFTER,
    limit: Size = LIMIT,
) -> HttpResponse:
    _count(request)
    problems.only(
        request, "q", "agency", "theme", "target", "type", "region", "level", "after", "limit"
    )
    if not 1 <= limit <= MOST:
        raise Refusal("request.limit", f"参数 limit 应是 1 到 {MOST} 的整数。", field="limit")
    if theme and theme not in browsing.themes():
        raise Refusal("items.theme", "没有参数 theme 写的主题。请从 /themes 里选。", field="theme")
    on, asked = _day(None), clean_text(q or "")
    place = _known_region(region)
    question = {
        "agency": _plain("agency", agency), "region": place, "theme": theme or "",
        "target": target or "", "type_": type or "", "where_done": level or "",
    }  # fmt: skip
    mark = _digest(asked, *question.values())
    begin = _begin(after, mark)
    answer = _answer()
    if same := _same(request, answer, on, _digest(*map(str, finding.mark()))):
        return same
    try:
        found = finding.following(asked, on, **question, after=begin, size=limit)
    except ValueError:
        raise tokens.bad() from None
    return _told(
        answer,
        ItemPage(
            rows=[_row(one) for one in found.rows],
            next=tokens.write(KIND, mark, *found.next) if found.next else None,
        ),
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _begin(after: str | None, mark: str) -> list[Any]:
    """Where the slice before ended. Raises Refusal for a token of another question."""
    if not after:
        return []
    found = tokens.read(KIND, after)
    texts = [one for one in found if isinstance(one, str)]
    if found[:1] != [mark] or not all(one.isprintable() for one in texts):
        raise tokens.bad()
    return found[1:]


@router.get(
    "/items/{code}",
    response=ItemAnswer,
    summary="一个事项：某一天、某个地方施行的版本",
    url_name="item",
    openapi_extra=problems.documented(*READING),
)
def item(
    request: HttpRequest,
    code: str = CODE,
    on: Day | None = ON,
    region: Code | None = AT,
) -> HttpResponse:
    _count(request)
    problems.only(request, "on", "region")
    day, place = _day(on), _known_region(region)
    answer = _answer()
    if same := _same(request, answer, _day(None), queries.edition()):
        return same
    found = _page(code, day)
    row = _holding(found, code, day, place)
    first = row or found.places[0]
    return _told(answer, ItemAnswer(
        base=row.base if row else code, name=first.name, type=first.type, on=day.isoformat(),
        version=ItemVersionAnswer(**_version(row)) if row else None,
        places=_places(found.places), generated=first.generated,
    ))  # fmt: skip


@router.get(
    "/items/{code}/guide",
    response=GuideAnswer,
    summary="办事指南：各级清单合起来的全部要素",
    description="省级清单、市级通用清单、实施清单逐级合并；elements 里的 level 写明每个要素来自哪一级。",
    url_name="item-guide",
    openapi_extra=problems.documented(*READING),
)
def item_guide(
    request: HttpRequest,
    code: str = CODE,
    on: Day | None = ON,
    region: Code | None = AT,
) -> HttpResponse:
    _count(request)
    problems.only(request, "on", "region")
    day, place = _day(on), _known_region(region)
    answer = _answer()
    if same := _same(request, answer, _day(None), queries.edition()):
        return same
    row = _holding(_page(code, day), code, day, place)
    if row is None:
        raise Refusal(
            "item.districts",
            f"这个事项由各区办理，指南各有一份。请用 region 写明哪个区；有哪些区办，见 /items/{code}。",
            field="region",
        )
    return _told(answer, guide_of(row, day))


@router.get(
    "/items/{code}/versions",
    response=ItemHistory,
    summary="已经发布的各个版本",
    description="新的在前；还没有施行的也在内。changed 是与前一版不同的要素。",
    url_name="item-versions",
    openapi_extra=problems.documented(*READING),
)
def item_versions(request: HttpRequest, code: str = CODE) -> HttpResponse:
    _count(request)
    problems.only(request)
    today = _day(None)
    answer = _answer()
    if same := _same(request, answer, today, queries.edition()):
        return same
    found = _page(code, today)
    if not found.versions:
        raise problems.Refused(
            404,
            "item.districts",
            f"这个编码下没有版本：事项由各区办理，各有编码，见 /items/{code} 的 places。",
        )
    return _told(answer, history_of(found.versions, today))


@router.get(
    "/themes",
    response=list[ThemeAnswer],
    summary="主题，和各有多少事项",
    url_name="themes",
    openapi_extra=problems.documented(304, 422, 429),
)
def themes(request: HttpRequest) -> HttpResponse:
    _count(request)
    problems.only(request)
    today = _day(None)
    answer = _answer()
    if same := _same(request, answer, today, queries.edition()):
        return same
    counts = browsing.counts(today).themes
    return _told(answer, [
        ThemeAnswer(
            code=one.code, name=one.name, english=one.english, audience=one.audience,
            audience_zh=browsing.AUDIENCES_ZH[one.audience], items=counts.get(one.code, 0),
        )
        for one in browsing.themes().values()
    ])  # fmt: skip


@router.get(
    "/departments",
    response=list[DepartmentAnswer],
    summary="办事的机关，和各有多少事项",
    url_name="departments",
    openapi_extra=problems.documented(304, 422, 429),
)
def departments(request: HttpRequest, region: Code | None = PLACE) -> HttpResponse:
    _count(request)
    problems.only(request, "region")
    today, place = _day(None), _known_region(region)
    answer = _answer()
    if same := _same(request, answer, today, queries.edition()):
        return same
    counts = browsing.counts(today).agencies
    place = place or CITY
    return _told(answer, [
        DepartmentAnswer(
            code=one.code, name=one.name, kind=one.kind, region=place,
            items=counts.get(one.code, 0),
        )
        for one in browsing.organs(place)
    ])  # fmt: skip
