"""Items made up for size (演示事项): the city's list filled to the number of a real one, and forms.

A made-up item says so in its name (（演示）), in its basis, in its item (`generated`) and in the file
of its form. It is lawful like any other: it goes through `services.publish_all`, and where a district
does it too, that departs from the city's list only in the applicant's favour. Which organs there are
is told by the catalogue itself: those that already do something, and the bureaus that do a
department's items in the districts. The same seed makes the same items; a second run makes none.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import forms as blank_forms
from zhengwu.catalog import services
from zhengwu.catalog.models import Form, Item, ItemVersion
from zhengwu.catalog.services import CITY, SHANGHAI, Release
from zhengwu.domain.guide import LICENCE, Level

WORDS = Path(__file__).parent / "data" / "filling.csv"
MARK = "（演示）"
ITEMS, FORMS, SEED = 2_286, 352, 420_100  # as many as the city that the study describes published
CHUNK = 1_000
IN_DISTRICTS = 0.6  # of the items of a department that has bureaus below
BASIS = "演示依据"
# How an item of this kind is called: its type, its kind, the days of the law and of the promise.
ACTIONS: tuple[tuple[str, str, str, int | None, tuple[int, int], str, str], ...] = (
    ("许可证核发", LICENCE, "promised", 20, (5, 15), "许可证", "licence"),
    ("许可证变更", LICENCE, "promised", 20, (3, 8), "许可证", "licence"),
    ("许可证延续", LICENCE, "promised", 20, (3, 8), "许可证", "licence"),
    ("方案审批", LICENCE, "promised", 20, (8, 18), "批准文件", "document"),
    ("备案", "其他行政权力", "immediate", None, (0, 0), "备案回执", "document"),
    ("年度报告", "其他行政权力", "immediate", None, (0, 0), "回执", "document"),
    ("资格认定", "行政确认", "promised", 30, (10, 20), "认定书", "document"),
    ("信息查询", "公共服务", "immediate", None, (0, 0), "查询结果", "other"),
    ("补贴申领", "行政给付", "promised", None, (10, 20), "发放通知", "other"),
    ("先进表彰", "行政奖励", "promised", None, (15, 30), "表彰决定", "document"),
)
PAPERS = (
    ("身份证明", "government", "electronic"), ("场所使用证明", "applicant", "either"),
    ("人员名单和资格证明", "applicant", "paper"), ("管理制度", "applicant", "electronic"),
    ("设施设备清单", "applicant", "either"), ("检测报告", "intermediary", "paper"),
)  # fmt: skip
CONDITIONS = (
    "依法设立，具有独立承担民事责任的能力", "有与业务相适应的场所", "有与业务相适应的人员",
    "有健全的管理制度", "近三年没有重大违法记录",
)  # fmt: skip
OF_PLACE = (
    "exercised", "nature", "in_hall", "place", "hours", "phone", "complaint", "review_body", "court",
)  # fmt: skip
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made. items: of the city; places: their implementations in the districts."""

    items: int
    places: int
    forms: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Organ:
    """An organ and where it does its items, as an item of its own says it."""

    agency: str
    region: str
    name: str
    place: Mapping[str, Any]


def fill(
    *,
    items: int = ITEMS,
    forms: int = FORMS,
    districts: bool = True,
    seed: int = SEED,
    at: datetime,
    progress: Progress | None = None,
) -> Filled:
    """Fill the city's list up to so many items in force, and up to so many forms (填充).

    districts: with implementations there. progress: releases done, of how many.
    """
    day = at.astimezone(SHANGHAI).date()
    departments, below = _organs(day)
    papers = _forms(departments, forms, at=at)
    real = ItemVersion.objects.filter(
        item__level=Level.IMPLEMENTATION, item__region=CITY, item__generated=False,
        in_force__contains=day, retired=False,
    ).count()  # fmt: skip
    made = [
        _item(number, departments, below if districts else {}, papers.digests, seed, day)
        for number in range(1, items - real + 1)
        if departments
    ]
    there = set(Item.objects.filter(generated=True).values_list("code", flat=True))
    groups = [group for group in made if any(one.code not in there for one in group)]
    total = sum(map(len, groups))
    done = new = places = refused = 0
    for chunk in _chunks(groups):
        for outcome in services.publish_all(chunk, by=None, at=at):
            release = outcome.release
            refused += outcome.what == "refused"
            if outcome.what == "created" and release.level is Level.IMPLEMENTATION:
                new += release.region == CITY
                places += release.region != CITY
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    return Filled(new, places, papers.new, refused)


def _chunks(groups: Sequence[Sequence[Release]]) -> Iterator[list[Release]]:
    chunk: list[Release] = []
    for group in groups:
        if chunk and len(chunk) + len(group) > CHUNK:
            yield chunk
            chunk = []
        chunk.extend(group)
    if chunk:
        yield chunk


# --- organs and words -----------------------------------------------------------------------------


def _organs(day: date) -> tuple[tuple[_Organ, ...], Mapping[str, tuple[_Organ, ...]]]:
    """The city's departments, and by their code the organs that do their items in the districts."""
    names = {row.code: row.name for row in accounts.agencies()}
    found = ItemVersion.objects.filter(
        item__level=Level.IMPLEMENTATION, item__generated=False, in_force__contains=day,
        retired=False,
    ).order_by("item__code")  # fmt: skip
    organs: dict[str, _Organ] = {}
    bases: dict[str, list[str]] = {}
    for base, region, agency, own in found.values_list(
        "item__base", "item__region", "agency", "own"
    ):
        bases.setdefault(base, []).append(agency)
        if agency not in organs:
            place = {code: own[code] for code in OF_PLACE if code in own}
            organs[agency] = _Organ(agency, region, names.get(agency, agency), place)
    below: dict[str, dict[str, _Organ]] = {}
    for agencies in bases.values():
        for department in (one for one in agencies if organs[one].region == CITY):
            others = {one: organs[one] for one in agencies if organs[one].region != CITY}
            below.setdefault(department, {}).update(others)
    departments = tuple(
        organs.get(row.code) or _Organ(row.code, CITY, row.name, {"nature": "1", "exercised": "3"})
        for row in accounts.agencies(CITY)
        if row.kind == "department"
    )
    return departments, {
        code: tuple(sorted(rows.values(), key=lambda one: one.agency))
        for code, rows in below.items()
    }


@cache
def _words() -> Mapping[str, tuple[str, ...]]:
    with WORDS.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["key"]: tuple(row["objects"].split(";")) for row in rows}


def _objects(department: _Organ) -> tuple[str, ...]:
    words = _words()
    key = next((key for key in words if key in department.name), "*")
    if key != "*":
        return words[key]
    return tuple(f"{department.name}{one}" for one in words["*"])


# --- one item -------------------------------------------------------------------------------------


def _item(
    number: int,
    departments: Sequence[_Organ],
    below: Mapping[str, Sequence[_Organ]],
    papers: Mapping[str, str],
    seed: int,
    day: date,
) -> list[Release]:
    """The item of this number on the city's list, at its department and in the districts."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - made-up items, nothing secret
    # Department by department, thing by thing, action by action: no name comes twice.
    turn, at = divmod(number - 1, len(departments))
    department = departments[at]
    objects = _objects(department)
    action = ACTIONS[(turn // len(objects)) % len(ACTIONS)]
    round_ = turn // (len(objects) * len(ACTIONS))
    thing = objects[turn % len(objects)] + (f"（第{round_ + 1}类）" if round_ else "")
    base = f"YS{number:05d}"
    common = _content(thing, action, papers.get(objects[turn % len(objects)], ""), chance)
    releases = [
        _release(f"C.{base}", base, Level.CITY, department, common, day, ""),
        _release(base, base, Level.IMPLEMENTATION, department, dict(department.place), day,
                 f"C.{base}"),
    ]  # fmt: skip
    organs = below.get(department.agency, ())
    if chance.random() < IN_DISTRICTS:
        for organ in organs:
            own = dict(organ.place) | _departure(common, chance)
            code = f"{base}-{organ.region}"
            releases.append(
                _release(code, base, Level.IMPLEMENTATION, organ, own, day, f"C.{base}")
            )
    return releases


def _release(
    code: str,
    base: str,
    level: Level,
    organ: _Organ,
    own: Mapping[str, Any],
    day: date,
    above: str,
) -> Release:
    return Release(
        code=code, base=base, level=level, region=organ.region, agency=organ.agency, own=own,
        since=day, above=above, generated=True,
    )  # fmt: skip


def _content(
    thing: str,
    action: tuple[str, str, str, int | None, tuple[int, int], str, str],
    form: str,
    chance: random.Random,
) -> dict[str, Any]:
    """What the city's list says: every element that an applicant needs."""
    named, type_, kind, statutory, promised, result, result_kind = action
    basis = f"{BASIS}：《{thing}管理办法{MARK}》第{chance.randint(3, 60)}条。本条目是演示数据，不是真实的法律依据。"
    days = 0 if kind == "immediate" else chance.randint(*promised)
    whole: dict[str, Any] = {
        "name": f"{thing}{named}{MARK}",
        "type": type_,
        "basis": basis,
        "power": "own",
        "kind": kind,
        "promised": {"value": days, "unit": "working_day", "basis": "办事指南承诺"},
        "targets": (targets := chance.choice((["1"], ["2"], ["1", "2"], ["2", "3", "4"]))),
        "conditions": list(CONDITIONS[: chance.randint(2, len(CONDITIONS))]),
        "materials": _materials(thing, basis, form, chance),
        "result_kind": result_kind,
        "result": result,
        "visits": (visits := chance.choice((0, 0, 1, 1, 2))),
        "channels": chance.choice((["1"], ["1", "2"], ["1", "2", "3"])),
        "depth": chance.choice(("1", "2", "3", "4")),
        "scope": chance.choice(("city", "district", "none")),
        "post": True,
        "fees": [],
        "themes": [*(["L02"] if targets != ["1"] else []), *(["P07"] if "1" in targets else [])],
        "rights": "依法取得办理结果；对不予办理的决定陈述、申辩，申请行政复议或者提起行政诉讼。",
        "duties": "如实提交有关材料，对申请材料实质内容的真实性负责。",
        "questions": [
            {"q": f"{thing}{named}是真实的事项吗？", "a": "不是。这是为演示规模生成的事项。"}
        ],
        "note": "为演示规模生成的事项，不是真实的政务服务事项。",
    }
    if visits:
        whole["visits_why"] = "需要核对原件。"
    if type_ == LICENCE:
        whole["quota"] = "无数量限制"
    if statutory is not None:
        whole["statutory"] = {"value": statutory, "unit": "working_day", "basis": basis}
    if kind == "promised" and chance.random() < 0.1:
        fen = chance.choice((500, 1_000, 5_000, 20_000))
        whole["fees"] = [{"name": "工本费", "fen": fen, "basis": basis}]
        whole["pay_online"] = True
    return whole


def _materials(thing: str, basis: str, form: str, chance: random.Random) -> list[dict[str, Any]]:
    first: dict[str, Any] = {
        "code": "01", "name": f"{thing}申请表", "need": "required", "form": "either", "copies": 1,
        "origin": "applicant", "basis": basis, "standard": "填写完整，签字或者盖章",
    }  # fmt: skip
    if form:
        first["blank"] = form
    others = chance.sample(PAPERS, chance.randint(1, len(PAPERS)))
    return [
        first,
        *(
            {
                "code": f"{number:02d}", "name": name,
                "need": chance.choice(("required", "required", "deferrable", "optional")),
                "form": form_, "copies": 1, "origin": origin, "basis": basis,
            }
            for number, (name, origin, form_) in enumerate(others, 2)
        ),
    ]  # fmt: skip


def _departure(common: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """What a district does otherwise, never to the applicant's disadvantage."""
    own: dict[str, Any] = {}
    days = common["promised"]["value"]
    if days > 3 and chance.random() < 0.25:
        own["promised"] = common["promised"] | {"value": days - chance.randint(1, days // 3)}
    if len(common["materials"]) > 2 and chance.random() < 0.15:
        own["materials"] = common["materials"][:-1]
    if common["visits"] and chance.random() < 0.2:
        own["visits"] = common["visits"] - 1
    if chance.random() < 0.2:
        own["booking"] = True
    if "3" not in common["channels"] and chance.random() < 0.1:
        own["channels"] = sorted({*common["channels"], "3"})
    return own


# --- forms ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Papers:
    """The blank forms by what they are about, and how many were new."""

    digests: Mapping[str, str]
    new: int


def _forms(departments: Sequence[_Organ], many: int, *, at: datetime) -> _Papers:
    """A blank form for each thing, until there are so many forms; the same bytes every time.

    Every department's first thing comes first, then its second, then those of no department here.
    """
    there = set(Form.objects.values_list("digest", flat=True))
    room = many - Form.objects.filter(generated=False).count()
    ranks = zip(*(_objects(one) for one in departments), strict=True)
    every = (objects for key, objects in _words().items() if key != "*")
    things = list(dict.fromkeys([*chain(*ranks), *chain(*every)]))
    digests: dict[str, str] = {}
    new = 0
    for thing in things[: max(0, room)]:
        data = _docx(thing)
        digest = digests[thing] = hashlib.sha256(data).hexdigest()
        if digest not in there:
            filename = f"{thing}申请表{MARK}.docx"
            blank_forms.keep(data, filename, by="", at=at, generated=True)
            new += 1
    return _Papers(digests, new)


FIELDS = (
    "申请人（单位）名称", "统一社会信用代码或者证件号码", "法定代表人（负责人）", "联系人和电话",
    "通信地址", "申请的内容", "需要说明的情况",
)  # fmt: skip
NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PARTS: Mapping[str, str] = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>'
    ),
}


def _docx(thing: str) -> bytes:
    """A form to be filled in: a heading, a table, the signature; nothing in it changes with time."""
    border = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    rows = "".join(
        f"<w:tr>{_cell(field, 3000)}{_cell('', 6000)}</w:tr>" for field in FIELDS
    )  # fmt: skip
    body = (
        _paragraph(f"{thing}申请表{MARK}", size=32, centre=True)
        + _paragraph("本表为演示而生成，不能用于办理真实的事项。", size=18, centre=True)
        + f'<w:tbl><w:tblPr><w:tblW w:w="9000" w:type="dxa"/><w:tblBorders>{border}</w:tblBorders>'
        f'</w:tblPr><w:tblGrid><w:gridCol w:w="3000"/><w:gridCol w:w="6000"/></w:tblGrid>{rows}'
        "</w:tbl>"
        + _paragraph("申请人承诺所填内容和所附材料真实、有效。", size=21)
        + _paragraph("申请人（签字或者盖章）：　　　　　　　　　　年　　月　　日", size=21)
    )
    document = (
        f'<w:document xmlns:w="{NAMESPACE}"><w:body>{body}<w:sectPr>'
        '<w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'
    )
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*PARTS.items(), ("word/document.xml", document)):
            head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            part = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, head + text)
    return place.getvalue()


def _paragraph(text: str, *, size: int, centre: bool = False) -> str:
    placed = '<w:pPr><w:jc w:val="center"/></w:pPr>' if centre else ""
    return (
        f'<w:p>{placed}<w:r><w:rPr><w:sz w:val="{size}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
    )


def _cell(text: str, width: int) -> str:
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'
        f"{_paragraph(text, size=21)}</w:tc>"
    )
