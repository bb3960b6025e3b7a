"""What a guide says (办事指南): the elements of an item put into the order in which people read them.

One composition serves the page and the paper. What is filled is said, what is empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import browsing, forms, laws, templates
from zhengwu.catalog.forms import FormRow
from zhengwu.catalog.queries import ItemVersionRow, Material
from zhengwu.documents import remedies
from zhengwu.domain import guide
from zhengwu.domain.identifiers import item_codes
from zhengwu.domain.refusal import Refusal
from zhengwu.halls import queries as halls
from zhengwu.portal.items import flow
from zhengwu.web import words
from zhengwu.web.jinja import SITE

# What becomes of a guide as the days go by.
IN_FORCE, COMING, RETIRED, OVER = "in_force", "coming", "retired", "over"
STANDING = (IN_FORCE, COMING)  # one can go by it, today or soon
PROMISES_ZH = {"stated": "部门公布的承诺", "proposed": "演示城市拟定，供参考"}
NEED_TONES = {"required": "b", "deferrable": "g", "optional": "n"}
PHONE = re.compile(r"\d[\d-]{4,18}\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the guide. rows: label and text; lines: numbered; notes: small, with their article."""

    id: str
    title: str
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    small: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows or self.lines)


@dataclass(frozen=True, slots=True)
class Paper:
    """One material as the table shows it. more: label and text of what else is to be known."""

    name: str
    need: str
    tone: str
    form: str
    copies: str
    origin: str
    basis: str
    more: tuple[tuple[str, str], ...]
    blank: FormRow | None
    sample: FormRow | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One version in the history. until: its last day. changes: element, before, after; none for
    the first."""

    version: int
    since: date
    until: date | None
    retired: bool
    retired_on: date | None
    approved: str
    first: bool
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that the page and the paper show of one item. next: what comes after this one."""

    item: ItemVersionRow
    status: str
    sections: Mapping[str, Section]
    papers: tuple[Paper, ...]
    stages: tuple[flow.Stage, ...]
    nodes: tuple[flow.Node, ...]
    template: str
    departures: tuple[str, ...]
    flow_of: str
    questions: tuple[tuple[str, str], ...]
    places: tuple[browsing.Place, ...]
    regions: Mapping[str, str]
    turns: tuple[Turn, ...]
    next: ItemVersionRow | None

    @property
    def tel(self) -> str:
        """A number to dial: of the item where it names one, else the hotline's."""
        found = PHONE.search(str(self.item.whole.get("phone", "")))
        return found[0] if found else SITE.hotline

    @property
    def stands(self) -> bool:
        return self.status in STANDING

    @property
    def last_day(self) -> date | None:
        return _last_day(self.item)

    @property
    def text(self) -> str:
        """The title of the picture."""
        return "办理流程图：" + "，".join(
            "同时办" + "和".join(one.name for one in stage.nodes)
            if len(stage.nodes) > 1
            else stage.nodes[0].name
            for stage in self.stages
        )


@dataclass(frozen=True, slots=True)
class Places:
    """An item that has no guide of its own under this code: where it is done. regions: names."""

    name: str
    type: str
    generated: bool
    places: tuple[browsing.Place, ...]
    regions: Mapping[str, str]


def of(code: str, on: date) -> Guide | Places | None:
    """The guide of a code, or the places of a base; None where the public has nothing to see."""
    found = browsing.page(code, on)
    if not found.versions and not found.places:
        return None
    regions = dict(accounts.regions())
    if not found.versions:
        first = found.places[0]
        generated = any(one.generated for one in found.places)
        return Places(first.name, first.type, generated, found.places, regions)
    item, status = _shown(found.versions, on)
    return _guide(item, status, found, regions, on)


def _shown(versions: Sequence[ItemVersionRow], on: date) -> tuple[ItemVersionRow, str]:
    """Of the versions, the newest first, the one to show, and what it is on this day."""
    for one in versions:
        if one.in_force_from <= on and (one.in_force_to is None or on < one.in_force_to):
            return one, RETIRED if one.retired else IN_FORCE
    began = [one for one in versions if one.in_force_from <= on]
    if not began:
        return versions[-1], COMING
    return began[0], RETIRED if began[0].retired else OVER


def _guide(
    item: ItemVersionRow, status: str, found: browsing.Page, regions: Mapping[str, str], on: date
) -> Guide:
    whole = item.whole
    template = templates.of(whole.get("template"), item.type, item.kind)
    nodes = flow.nodes(item.steps, type_=item.type, kind=item.kind) if item.steps else ()
    sections = [
        _base(item, regions), _conditions(item), _time(item), _fees(item), _result(item),
        _law(item),
    ]  # fmt: skip
    if status in STANDING:
        sections += [_where(item), _rights(item, on)]
    after = [one for one in found.versions if one.in_force_from > on and one is not item]
    return Guide(
        item=item,
        status=status,
        sections={one.id: one for one in sections},
        papers=_papers(item),
        stages=flow.stages(nodes),
        nodes=nodes,
        template=template.name if item.steps else "",
        departures=tuple(one.sentence for one in templates.departures(item.steps, template))
        if item.steps
        else (),
        flow_of=str(whole.get("flow_of", "")),
        questions=tuple((one["q"], one["a"]) for one in whole.get("questions", ())),
        places=found.places if status in STANDING else (),
        regions=regions,
        turns=tuple(_turns(found.versions)),
        next=after[-1] if after else None,
    )


def _told(item: ItemVersionRow, *codes: str) -> Iterator[tuple[str, str]]:
    """Label and text of the elements that are filled."""
    for code in codes:
        element = guide.BY_CODE[code]
        if text := guide.told(element, item.whole.get(code)):
            yield element.zh, text


def _base(item: ItemVersionRow, regions: Mapping[str, str]) -> Section:
    whole = item.whole
    rows: list[tuple[str, str]] = [("事项编码", item.code)]
    for code in ("basic_code", "code"):
        if whole.get(code):
            rows.append((guide.BY_CODE[code].zh, printed(str(whole[code]))))
    rows.append(("实施机关", item.agency_name))
    rows += _told(item, "nature", "entrusting", "exercised", "power")
    if guiding := whole.get("guiding"):
        rows.append(("业务指导部门", item_codes.GUIDING_DEPARTMENTS.get(guiding, str(guiding))))
    rows.append(("区域", regions.get(item.region, item.region)))
    rows += _told(item, "targets")
    if themes := [_theme(one) for one in whole.get("themes", ())]:
        rows.append(("主题分类", "、".join(themes)))
    rows += _told(item, "joint", "intermediary")
    if synonyms := whole.get("synonyms"):
        rows.append(("也叫", "、".join(synonyms)))
    until = f"，到 {dated(last)}为止" if (last := _last_day(item)) else ""
    rows.append(("指南版本", f"第 {item.version} 版，{dated(item.in_force_from)}起施行{until}"))
    if item.approved:
        rows.append(("批准文号", item.approved))
    rows += _told(item, "note")
    return Section("base", "基本信息", tuple(rows))


def dated(day: date) -> str:
    """2026 年 1 月 1 日: in a guide that is printed and kept the year is always said."""
    return words.day_zh(day, today=date.min, week=False)


def printed(code: str) -> str:
    """A code in the groups people read it in; as it is where it is of no scheme we know."""
    try:
        return item_codes.read(code).printed
    except Refusal:
        return code


def _theme(code: str) -> str:
    known = browsing.themes().get(code)
    return f"{known.name}（{browsing.AUDIENCES_ZH[known.audience]}）" if known else code


def _conditions(item: ItemVersionRow) -> Section:
    return Section("cond", "受理条件", tuple(_told(item, "quota")), item.conditions)


def _papers(item: ItemVersionRow) -> tuple[Paper, ...]:
    listed = item.materials
    known = forms.found(digest for one in listed for digest in (one.blank, one.sample))
    return tuple(
        Paper(
            name=one.name,
            need=guide.NEEDS_ZH.get(one.need, ""),
            tone=NEED_TONES.get(one.need, "n"),
            form=guide.FORMS_ZH.get(one.form, ""),
            copies="" if one.copies is None else f"{one.copies} 份",
            origin=guide.ORIGINS_ZH.get(one.origin, ""),
            basis=one.basis,
            more=tuple(_more(one)),
            blank=known.get(one.blank),
            sample=known.get(one.sample),
        )
        for one in listed
    )


def _more(one: Material) -> Iterator[tuple[str, str]]:
    for label, text in (
        ("规格", one.spec), ("受理标准", one.standard), ("填报须知", one.fill),
        ("不用提交的情形", one.unless),
    ):  # fmt: skip
        if text:
            yield label, text


def _time(item: ItemVersionRow) -> Section:
    licence = item.type == guide.LICENCE
    rows: list[tuple[str, str]] = []
    for label, limit in (("承诺办结时限", item.promised), ("法定办结时限", item.statutory)):
        if limit is not None:
            basis = f"（{limit.basis}）" if limit.basis else ""
            rows.append((label, limit.words() + basis))
    if item.statutory is None and item.kind != "immediate":
        rows.append(("法定办结时限", "法律没有规定，按承诺办理"))
    rows += _told(item, "statutory_note")
    if how := item.promised_is:
        rows.append(("承诺的来历", PROMISES_ZH.get(how, how)))
    rows += _told(item, "special")
    if item.kind == "immediate":
        notes: tuple[str, ...] = ("材料齐全、符合法定形式的，当场办结。",)
    else:
        law = "《行政许可法》第四十五条" if licence else "参照《行政许可法》第四十五条"
        notes = (
            "期限从受理的第二天起算，按工作日算的不含法定节假日。"
            + ("《行政许可法》第八十二条" if licence else ""),
            f"听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审需要的时间不计算在内，要多久会书面告知。{law}",
        )
    return Section("time", "办理时限", tuple(rows), notes=notes)


def _fees(item: ItemVersionRow) -> Section:
    rows = []
    for one in item.whole.get("fees", ()):
        parts = []
        if "fen" in one:
            parts.append(f"{one['fen'] / 100:,.2f} 元")
        if one.get("standard") and one["standard"] != one["name"]:
            parts.append(one["standard"])
        if one.get("relief"):
            parts.append(f"减免：{one['relief']}")
        if one.get("basis"):
            parts.append(f"依据：{one['basis']}")
        rows.append((one["name"], "；".join(parts) or "收费"))
    rows += _told(item, "pay_first")
    if not item.whole.get("fees"):
        rows.insert(0, ("收费", "不收费"))
    return Section("fee", "收费", tuple(rows))


def _where(item: ItemVersionRow) -> Section:
    rows: list[tuple[str, str]] = []
    windows = halls.windows_of(item.agency)
    known = {one.code: one for one in halls.halls()} if windows else {}
    by_hall: dict[str, list[str]] = {}
    for one in windows:
        by_hall.setdefault(one.hall, []).append(one.code)
    for code, numbers in by_hall.items():
        hall = known[code]
        rows.append(
            ("办事窗口", f"{hall.name} {'、'.join(numbers)} 号窗口\n{hall.address}，{hall.hours}")
        )
    rows += _told(item, "place", "hours", "traffic")
    if phone := item.whole.get("phone"):
        rows.append(("咨询方式", str(phone)))
    else:
        rows.append(("咨询方式", f"政务服务热线 {SITE.hotline}"))
    rows += _told(item, "complaint")
    rows += _told(item, "channels", "depth", "in_hall", "scope")
    if "visits" in item.whole:
        rows.append(("到办事现场次数", f"{item.whole['visits']} 次"))
    rows += _told(item, "visits_why", "booking", "pay_online", "post", "kiosk")
    return Section("where", "去哪里办", tuple(rows))


def _result(item: ItemVersionRow) -> Section:
    rows = tuple(_told(item, "result", "result_kind", "validity"))
    notes = (
        ("准予许可的，自作出决定之日起 10 日内颁发、送达证件。《行政许可法》第四十四条",)
        if item.type == guide.LICENCE and item.kind != "immediate"
        else ()
    )
    return Section("result", "办理结果", rows, notes=notes)


def _law(item: ItemVersionRow) -> Section:
    return Section("law", "设定依据", lines=laws.bases(item.basis))


def _rights(item: ItemVersionRow, on: date) -> Section:
    rows = list(_told(item, "rights", "duties", "review_body", "court"))
    whole: Mapping[str, Any] = item.whole
    ways = []
    if way := remedies.in_force(remedies.RECONSIDERATION, on):
        organ = whole.get("review_body") or "行政复议机关"
        ways.append(f"{way.period}内向{organ}申请行政复议（{way.article}）")
    if way := remedies.in_force(remedies.LITIGATION, on):
        court = whole.get("court") or "人民法院"
        ways.append(f"{way.period}内向{court}提起行政诉讼（{way.article}）")
    if ways:
        rows.append(("不服决定", f"自收到决定书之日起，可以在{'，也可以在'.join(ways)}。"))
    return Section("rights", "权利、义务与救济", tuple(rows))


def _turns(versions: Sequence[ItemVersionRow]) -> Iterator[Turn]:
    for number, one in enumerate(versions):
        before = versions[number + 1] if number + 1 < len(versions) else None
        yield Turn(
            one.version, one.in_force_from, _last_day(one), one.retired, one.retired_on,
            one.approved, before is None, tuple(_changes(before, one)) if before else (),
        )  # fmt: skip


def _last_day(row: ItemVersionRow) -> date | None:
    return row.in_force_to - timedelta(days=1) if row.in_force_to else None


def _changes(before: ItemVersionRow, after: ItemVersionRow) -> Iterator[tuple[str, str, str]]:
    if before.agency != after.agency:
        yield "实施机关", before.agency_name, after.agency_name
    for one in guide.differences(before.whole, after.whole):
        told = tuple(
            _readable(one.code, row.whole.get(one.code), text)
            for row, text in ((before, one.before), (after, one.after))
        )
        if told[0] != told[1]:
            yield one.zh, *_only_what_differs(*told)
    if "steps" not in after.whole and _order(before) != _order(after):
        element = guide.BY_CODE["steps"]
        yield (
            element.zh,
            guide.told(element, guide.as_steps(before.steps)),
            guide.told(element, guide.as_steps(after.steps)),
        )


def _order(row: ItemVersionRow) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.name, one.role, one.after) for one in row.steps]


def _readable(code: str, value: Any, told: str) -> str:
    """A value as the page shows it, where it is a code of a list that the element does not hold."""
    if value is None:
        return ""
    match code:
        case "themes":
            return "、".join(_theme(one) for one in value)
        case "guiding":
            return item_codes.GUIDING_DEPARTMENTS.get(value, str(value))
        case "basic_code" | "code":
            return printed(str(value))
        case "promised_is":
            return PROMISES_ZH.get(value, str(value))
    return told


def _only_what_differs(before: str, after: str) -> tuple[str, str]:
    """Of texts of many lines only the lines that the other has not."""
    old, new = before.split("\n"), after.split("\n")
    return (
        "\n".join(line for line in old if line not in new),
        "\n".join(line for line in new if line not in old),
    )
