"""A list of items taken in (导入清单): read, settled against what there is, published or drafted.

    parsed = read(data, filename, agencies=organs(region), region="420102", at=at)
    report = run(parsed, by=actor, at=at)                                drafts, in one batch
    report = run(parsed, by=None, at=at, mode="publish", approved=number)     an approved list

A row is one version of one item. Its code may be written, or is found: by what it shares with the
same item elsewhere and the place, by its organ and name, by its name in the city's common list, which
it then takes up: only what differs is its own. A column that is not there says nothing: what the item
says itself stays. An empty cell says that it says nothing itself.

A bad row is left out with its reasons and the rest goes in, some hundred items with all that belongs
to them in one transaction, so that whatever breaks off leaves whole items, and a second run completes
it. A second run changes nothing else.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from django.db import transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, exporting, services
from zhengwu.catalog.exporting import BETWEEN, FACTS, LISTS, NO, PROMISE, YES
from zhengwu.catalog.models import Change, Item, ItemVersion
from zhengwu.catalog.services import CITY, SHANGHAI, Outcome, Release
from zhengwu.catalog.shipped import CODES, PROVINCE
from zhengwu.documents import sheets
from zhengwu.documents.sheets import SheetRow, Table
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, ELEMENTS, LISTS_ZH, Level
from zhengwu.domain.identifiers import item_codes
from zhengwu.domain.publishing import OPEN, STATES_ZH
from zhengwu.domain.refusal import Refusal

Mode = Literal["publish", "draft"]
Progress = Callable[[int, int], None]

CHUNK = 1_000  # releases of one transaction
DEPARTMENTS = Path(__file__).parent / "data" / "guangan_departments.csv"
OUTCOMES_ZH: Mapping[str, str] = {
    "created": "新增",
    "changed": "变更",
    "drafted": "存为草案",
    "unchanged": "不变",
    "refused": "没有导入",
}
# What only publishing needs: the row is kept as a draft, to be completed by its department.
LACKING = frozenset(
    {"item.no_basis", "item.material_no_basis", "item.fee_no_basis", "item.kind", "item.type",
     "item_code.placeholder"}
)  # fmt: skip
# Whoever types commands on this machine has no post in the city; it is recorded as this.
OPERATOR = Actor(
    code="operator", name="操作员（命令行）", agency=None, agency_name="", region=None, hall=None,
    posts=(), roles=frozenset(), holdings=frozenset(), granted=frozenset(),
)  # fmt: skip
# Other headings of the same columns, as lists of other systems have them.
HEADINGS: Mapping[str, str] = {
    **{zh: key for key, zh in FACTS.items()},
    **{one.zh: one.code for one in ELEMENTS},
    **{one.code: one.code for one in ELEMENTS},
    "事项编码": "item",
    "department": "agency",
    "实施主体": "agency",
    "实施部门": "agency",
    "部门": "agency",
    "名称": "name",
    "项目名称": "name",
    "itemCode": "code",
    "taskType": "type",
    "办理依据": "basis",
    "实施依据": "basis",
    "法定时限": "statutory",
    "法定期限": "statutory",
    "承诺时限": "promised",
    "承诺期限": "promised",
    "办理条件": "conditions",
    "申请条件": "conditions",
    "申报材料": "materials",
    "办理材料": "materials",
    "办理时限单位": "promised_unit",
    "法定办结时限单位": "statutory_unit",
    "法定时限单位": "statutory_unit",
    "承诺办结时限单位": "promised_unit",
    "承诺时限单位": "promised_unit",
    "收费标准": "fees",
    "咨询电话": "phone",
    "监督投诉电话": "complaint",
    "办公地址": "place",
    "办公时间": "hours",
    "主题": "themes",
}
LINES = tuple(one.code for one in ELEMENTS if one.kind == "lines")
UNIT_KEYS = {"statutory_unit": "statutory", "promised_unit": "promised"}


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row. outcome: of OUTCOMES_ZH. field, rule, sentence: the first thing that
    is wrong or, of a draft, missing; remarks: the rest, and what was noticed besides."""

    row: int
    name: str
    item: str
    outcome: str
    field: str | None = None
    rule: str | None = None
    sentence: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def outcome_zh(self) -> str:
        return OUTCOMES_ZH[self.outcome]


@dataclass(frozen=True, slots=True)
class Report:
    """An import, row by row in the order of the file. batch: of its drafts, "" where it has none."""

    rows: tuple[RowReport, ...]
    notes: tuple[str, ...] = ()
    batch: str = ""

    def count(self, outcome: str) -> int:
        return sum(row.outcome == outcome for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came to each outcome, all outcomes named."""
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in OUTCOMES_ZH}


@dataclass(frozen=True, slots=True)
class Line:
    """A row that can be tried. said: the elements the file has a column for; the others stay as
    they are. lacks: what publishing will need besides what `plan` finds."""

    number: int
    name: str
    release: Release
    said: frozenset[str]
    lacks: tuple[Refusal, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as it was read: what can be tried, and what is refused already."""

    lines: tuple[Line, ...]
    report: tuple[RowReport, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Raw:
    """A row before it is settled. facts: of exporting.FACTS, those that are written; values: of
    elements, those that are written, as domain.guide keeps them."""

    number: int
    facts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Refusal] = field(default_factory=list)
    lacks: list[Refusal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unsaid: set[str] = field(default_factory=set)  # columns that are there and cannot be used
    bare: set[str] = field(default_factory=set)  # limits that name no basis
    # Where a file cannot carry every word: element, its value, another → whether they are the same.
    alike: Callable[[str, Any, Any], bool] | None = None

    @property
    def name(self) -> str:
        return str(self.values.get("name", ""))


@dataclass(frozen=True, slots=True)
class File:
    """What a file says: its rows, which facts and elements it has columns for, what was noticed."""

    rows: tuple[Raw, ...]
    columns: frozenset[str]
    notes: tuple[str, ...] = ()


# --- who is meant ---------------------------------------------------------------------------------


def organs(region: str) -> dict[str, str]:
    """Name → code of every organ, as lists of this region write them; a code stands for itself.

    市水务局 in the city's list is 江城市水务局, 水务局 or 区水务局 in a district's that district's own.
    """
    every = accounts.agencies()
    names = {row.name: row.code for row in every if row.region != region}
    names |= {row.code: row.code for row in every}
    here = [row for row in every if row.region == region]
    if region == CITY:
        names |= {"市" + row.name.partition("市")[2]: row.code for row in here if "市" in row.name}
    elif place := dict(accounts.regions()).get(region):
        bare = {row.name.removeprefix(place): row.code for row in here if row.name != place}
        names |= bare | {f"区{name}": code for name, code in bare.items()}
        codes = {row.code for row in here}
        names |= {
            name: f"{region}-{bureau}"
            for name, bureau in _departments().items()
            if f"{region}-{bureau}" in codes
        }
    return names | {row.name: row.code for row in here}


@cache
def _departments() -> Mapping[str, str]:
    with DEPARTMENTS.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["name"]: row["bureau"] for row in rows}


# --- reading cells --------------------------------------------------------------------------------


def read(
    data: bytes,
    filename: str,
    *,
    agencies: Mapping[str, str],
    region: str = "",
    level: Level = Level.IMPLEMENTATION,
    agency: str = "",
    sheet: str | None = None,
    at: datetime,
) -> Parsed:
    """The rows of a file (XLSX, CSV, JSON), settled against the catalogue; nothing is written.

    agencies: name → code (`organs`). region, level, agency: of rows that do not say; without a
    region an item lies where its organ does. Raises Refusal for a file that is no good as a whole.
    """
    file = raws(data, filename, agency=agency, sheet=sheet)
    return settle(file, agencies=agencies, region=region, level=level, agency=agency, at=at)


def raws(data: bytes, filename: str, *, agency: str = "", sheet: str | None = None) -> File:
    """What a file says, before anything is known of the catalogue. Raises Refusal."""
    headings = {heading for heading, key in HEADINGS.items() if key in LISTS + LINES}
    table = sheets.read(data, filename=filename, sheet=sheet, json_columns=headings)
    columns = {one: HEADINGS[one] for one in table.columns if one in HEADINGS}
    notes = [note.sentence for note in table.notes] + _unused(table, columns)
    _check_columns(table, columns, agency=agency)
    cells = _Cells()
    read = []
    for row in table.rows:
        raw = _raw(row, columns, cells)
        if (first := table.duplicates.get(row.number)) is not None:
            sentence = f"与第 {first} 行完全相同。同一事项只列一次，请删去重复的一行。"
            raw.faults.insert(0, Refusal("import.row_twice", sentence))
        read.append(raw)
    return File(tuple(read), frozenset(columns.values()), tuple(notes))


def _unused(table: Table, columns: Mapping[str, str]) -> list[str]:
    unused = [one for one in table.columns if one not in columns]
    return [f"没有用到这些列：{BETWEEN.join(unused)}。"[:300]] if unused else []


def _check_columns(table: Table, columns: Mapping[str, str], *, agency: str) -> None:
    there = Counter(columns.values())
    twice = next((key for key, many in there.items() if many > 1), None)
    if twice is not None:
        both = "、".join(f"“{one}”" for one, key in columns.items() if key == twice)
        raise Refusal("import.same_column", f"{both}说的是同一列，分不清用哪一列。请只留一列。")
    missing = []
    if "item" not in there:
        missing += [BY_CODE["name"].zh] if "name" not in there else []
        missing += [FACTS["agency"]] if "agency" not in there and not agency else []
    if missing:
        raise Refusal(
            "import.columns",
            f"文件缺少这些列：{'、'.join(missing)}。表头应当有事项名称和实施机关，或者编码；"
            "可以先导出一份，照它的表头填写。",
        )


def _raw(row: SheetRow, columns: Mapping[str, str], cells: _Cells) -> Raw:
    raw = Raw(row.number)
    for fault in row.faults:
        if fault.field in columns or fault.code == "sheets.extra_cell":
            raw.faults.append(fault)
        else:
            raw.remarks.append(fault.sentence)
    units = {UNIT_KEYS[key]: row.cells[one] for one, key in columns.items() if key in UNIT_KEYS}
    for heading, key in columns.items():
        text = row.cells[heading]
        if text and key in BY_CODE:
            read = cells.read(key, text, units.get(key, ""))
            if read.value is not None:
                raw.values[key] = read.value
            raw.faults += read.faults
            raw.remarks += read.remarks
        elif text and key not in UNIT_KEYS:
            raw.facts[key] = text
    finish(raw)
    return raw


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell says, as domain.guide keeps it; None: nothing."""

    value: Any
    faults: tuple[Refusal, ...]
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _Cells:
    """Cells that were read (读过的格): in a list most of them stand in many rows."""

    known: dict[tuple[str, str, str], _Cell] = field(default_factory=dict)

    def read(self, code: str, text: str, unit: str) -> _Cell:
        found = self.known.get((code, text, unit))
        if found is None:
            found = self.known[(code, text, unit)] = _read_cell(code, text, unit)
        return found


def _read_cell(code: str, text: str, unit: str) -> _Cell:
    remarks: list[str] = []
    try:
        value = exporting.value(BY_CODE[code], text, unit=unit, remark=remarks.append)
    except Refusal as refusal:
        return _Cell(None, (refusal,), tuple(remarks))
    found, faults = kept(code, value)
    return _Cell(found, tuple(faults), tuple(remarks))


def kept(code: str, value: Any) -> tuple[Any, list[Refusal]]:
    """A value as domain.guide keeps it; a limit may name no basis yet (`finish`)."""
    bare = isinstance(value, Mapping) and not value.get("basis")
    content, faults = guide.clean({code: {**value, "basis": "."} if bare else value})
    found = content.get(code)
    return ({**found, "basis": ""} if bare and found is not None else found), faults


def finish(raw: Raw) -> None:
    """A limit that names no basis stands in the item's own, a promise in the guide; codes are
    looked at."""
    for code in ("statutory", "promised"):
        given = raw.values.get(code)
        if given is not None and not given["basis"]:
            raw.bare.add(code)
            basis = str(raw.values.get("basis") or BY_CODE["basis"].zh)
            raw.values[code] = {**given, "basis": basis if code == "statutory" else PROMISE}
    check_codes(raw, raw.values)


def check_codes(raw: Raw, values: dict[str, Any]) -> None:
    """A placeholder is no code: it is left out and missed. A faulty code is in use and kept."""
    for key in ("code", "basic_code"):
        text = values.get(key)
        if text is None:
            continue
        zh = BY_CODE[key].zh
        if (why := item_codes.is_placeholder(text)) is not None:
            del values[key]
            raw.unsaid.add(key)
            raw.lacks.append(
                Refusal(
                    "item_code.placeholder",
                    f"“{zh}”是占位编码（{text[:60]}）：{item_codes.PLACEHOLDERS[why]}请填写真正的编码。",
                    field=key,
                )
            )
            continue
        try:
            raw.remarks += [f"“{zh}”：{one.sentence}" for one in item_codes.read(text).faults]
        except Refusal as refusal:
            raw.faults.append(Refusal(refusal.code, f"“{zh}”：{refusal.sentence}", field=key))


# --- settling against what there is ---------------------------------------------------------------


def settle(
    file: File,
    *,
    agencies: Mapping[str, str],
    region: str = "",
    level: Level = Level.IMPLEMENTATION,
    agency: str = "",
    at: datetime,
) -> Parsed:
    """Rows with the code, the organ, the dates and the list above of each; twins are refused."""
    for raw in file.rows:
        _place(raw, agencies, region=region, level=level, agency=agency, at=at)
    good = [raw for raw in file.rows if not raw.faults]
    there = _There.of(good, file.columns)
    lines: list[Line] = []
    order = {one: place for place, one in enumerate(Level)}
    for raw in sorted(good, key=lambda one: (order[_level(one)], one.facts["since"], one.number)):
        try:
            lines.append(there.line(raw))
        except Refusal as refusal:
            raw.faults.append(refusal)
    lines.sort(key=lambda one: one.number)
    refused = (_refused(raw) for raw in file.rows if raw.faults)
    return Parsed(tuple(lines), tuple(refused), file.notes)


def _level(raw: Raw) -> Level:
    return Level(raw.facts["level"])


def _refused(raw: Raw) -> RowReport:
    first, *others = raw.faults
    remarks = (*(one.sentence for one in others), *raw.remarks)
    return RowReport(
        raw.number, raw.name, raw.facts.get("item", ""), "refused", first.field, first.code,
        first.sentence, remarks,
    )  # fmt: skip


def _place(
    raw: Raw, agencies: Mapping[str, str], *, region: str, level: Level, agency: str, at: datetime
) -> None:
    """List, organ, region and dates: the facts become codes and ISO dates; what is wrong is noted."""
    facts = raw.facts
    by_name = {zh: str(one) for one, zh in LISTS_ZH.items()} | {str(one): str(one) for one in Level}
    given = facts.get("level", str(level))
    if given not in by_name:
        listed = "、".join(LISTS_ZH.values())
        raw.faults.append(
            Refusal(
                "import.level", f"没有“{given[:20]}”这种清单。可以填：{listed}。", field="level"
            )
        )
    facts["level"] = by_name.get(given, str(level))
    if (named := facts.get("agency") or agency) or "item" not in facts:
        _organ(raw, named, agencies)
    _region(raw, region)
    for key in ("since", "until", "retired_on"):
        if text := facts.get(key):
            try:
                facts[key] = sheets.parse_date(text).isoformat()
            except Refusal as refusal:
                sentence = f"“{FACTS[key]}”：{refusal.sentence}"
                raw.faults.append(Refusal(refusal.code, sentence, field=key))
                facts[key] = at.date().isoformat()
    facts.setdefault("since", at.astimezone(SHANGHAI).date().isoformat())
    for key in ("retired", "transition", "generated"):
        if (text := facts.get(key, "").casefold()) and text not in YES | NO:
            raw.faults.append(
                Refusal("item.flag", f"“{FACTS[key]}”应当填是或者否。", field=key)
            )  # fmt: skip


def _organ(raw: Raw, named: str, agencies: Mapping[str, str]) -> None:
    if (code := agencies.get(named)) is not None:
        raw.facts["agency"] = code
        return
    told = f"没有名为“{named[:40]}”的部门" if named else "没有写实施机关"
    raw.faults.append(
        Refusal("item.department", f"{told}。请先登记部门或者改正名称。", field="agency")
    )


def _region(raw: Raw, region: str) -> None:
    facts = raw.facts
    match Level(facts["level"]):
        case Level.PROVINCE:
            facts["region"] = f"{PROVINCE}0000"
        case Level.CITY:
            facts["region"] = CITY
        case Level.IMPLEMENTATION if not facts.get("region"):
            organ = facts.get("agency", "").partition("-")[0]
            facts["region"] = region or organ


@dataclass(slots=True)
class _There:
    """What the catalogue and the file itself hold: read once for the whole file."""

    columns: frozenset[str]
    codes: frozenset[str]  # that the file writes
    items: dict[str, Item]
    shelf: services.Shelf
    owned: dict[
        tuple[str, str, str], str
    ]  # level, organ, name → code of an item in force or drafted
    drafted: dict[str, str]  # code → base of an item that is only drafted
    taken: dict[tuple[str, str, str], str]  # base, level, region → code
    listed: dict[str, str]  # name → base of the city's common list
    names: dict[str, str]  # code → its name now
    uppers: dict[str, list[Line]] = field(default_factory=dict)  # of the file itself
    seen: dict[tuple[str, str], int] = field(default_factory=dict)  # code, since → number
    named: dict[tuple[str, str, str, str], tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, raws: Sequence[Raw], columns: frozenset[str]) -> _There:
        agencies = {raw.facts["agency"] for raw in raws if "agency" in raw.facts}
        names = {raw.name for raw in raws}
        codes = {raw.facts["item"] for raw in raws if "item" in raw.facts}
        current = ItemVersion.objects.filter(in_force__endswith__isnull=True, retired=False)
        owned: dict[tuple[str, str, str], str] = {}
        drafts = Change.objects.filter(state__in=sorted(OPEN), purpose="new", agency__in=agencies)
        drafted: dict[str, str] = {}
        for level, agency, name, code, base in drafts.filter(name__in=names).values_list(
            "level", "agency", "name", "item", "base"
        ):
            owned[(level, agency, name)], drafted[code] = code, base
        for level, agency, name, code in current.filter(
            agency__in=agencies, name__in=names
        ).values_list("item__level", "agency", "name", "item__code"):
            owned[(level, agency, name)] = code
        listed = dict(
            current.filter(item__level=Level.CITY, name__in=names).values_list("name", "item__base")
        )
        bases = {raw.facts["base"] for raw in raws if "base" in raw.facts} | set(listed.values())
        items = {
            one.code: one
            for one in (
                *Item.objects.filter(code__in=codes | set(owned.values())),
                *Item.objects.filter(base__in=bases),
            )
        }
        taken = {(one.base, one.level, one.region): one.code for one in items.values()}
        shelf = services.Shelf.of([])
        above = {raw.facts["above"] for raw in raws if "above" in raw.facts}
        above |= {f"{letter}.{one.base}" for one in items.values() for letter in "CP"}
        shelf.load(items.keys() | above | {f"{letter}.{base}" for base in bases for letter in "CP"})
        names_now = {code: known[-1].name for code, known in shelf.versions.items() if known}
        return cls(
            columns, frozenset(codes), items, shelf, owned, drafted, taken, listed, names_now
        )

    def line(self, raw: Raw) -> Line:
        """The row as a release. Raises Refusal."""
        facts = raw.facts
        said = frozenset(self.columns & BY_CODE.keys()) - raw.unsaid
        level = _level(raw)
        since = date.fromisoformat(facts["since"])
        until = (
            date.fromisoformat(facts["until"]) + timedelta(days=1) if facts.get("until") else None
        )
        services.check_dates(since, until)
        code, base, above = self._identity(raw, level)
        item = self.items.get(code)
        last = next(iter(self.shelf.versions.get(code, ())[-1:]), None)
        agency = facts.get("agency") or (last.agency if last else "")
        if not agency:
            raise Refusal("item.department", "没有写实施机关。请补上。", field="agency")
        region = item.region if item else facts["region"]
        retired = facts.get("retired", "").casefold() in YES
        own = self._own(raw, said, above, last, since)
        name = str(own.get("name") or self._above(above, since).get("name") or "")
        if not name:
            raise Refusal("item.name", "事项没有名称。", field="name")
        self._once(raw, code, (str(level), region, agency, name), open_=not (until or retired))
        line = Line(
            raw.number,
            name,
            Release(
                code=code, base=base, level=level, region=region, agency=agency, own=own,
                since=since, above=above, until=until, retired=retired,
                retired_on=date.fromisoformat(facts["retired_on"]) if "retired_on" in facts else None,
                transition=facts.get("transition", "").casefold() in YES,
                generated=facts.get("generated", "").casefold() in YES,
                approved=facts.get("approved", ""),
            ),
            said,
            tuple(raw.lacks),
            tuple(raw.remarks),
        )  # fmt: skip
        self.uppers.setdefault(code, []).append(line)
        if level is Level.CITY and not until and not retired:
            self.listed.setdefault(name, base)
        self.taken.setdefault((base, str(level), region), code)
        return line

    def _identity(self, raw: Raw, level: Level) -> tuple[str, str, str]:
        """Code, base and list above: written, known, or found by name."""
        facts = raw.facts
        code, base = facts.get("item", ""), facts.get("base", "")
        place = (str(level), facts["region"])
        if not base and code not in self.items and "above" not in facts:
            base = self.listed.get(raw.name, "") if level is not Level.PROVINCE else ""
        if not code:
            code = (self.taken.get((base, *place), "") if base else "") or self.owned.get(
                (str(level), facts["agency"], raw.name), ""
            )
        item = self.items.get(code)
        if item is None and "item" in facts and not {"until", "retired"} & facts.keys():
            self._not_twice(code, str(level), raw)
        if item is not None:
            if item.level != level or (facts.get("base") or item.base) != item.base:
                raise Refusal(
                    "import.other_item",
                    f"编码 {code} 是{LISTS_ZH[Level(item.level)]}里的另一个事项（{item.base}）。请核对编码。",
                    field="item",
                )
            base = item.base
        base = self.drafted.get(code, base)
        if not base:
            base = _bare(code, facts["region"]) or _new_base(raw, facts["agency"])
        if not code:
            code = _code(base, level, facts["region"])
            self._free(code, raw)
        if len(code) > 40 or not all(c.isascii() and (c.isalnum() or c in ".-_") for c in code):
            raise Refusal(
                "change.code",
                "事项编码由 1 到 40 个字母、数字、点和短横组成。请改正。",
                field="item",
            )
        return code, base, self._list_above(raw, code, base, level)

    def _not_twice(self, code: str, level: str, raw: Raw) -> None:
        """A new code is not for what the organ has already, unless that is renamed in this file."""
        other = self.owned.get((level, raw.facts.get("agency", ""), raw.name), code)
        if other != code and other not in self.codes:
            raise Refusal(
                "item.name_taken",
                f"这个机关已有同名事项（{other}）。同一事项请用原来的编码，或者改正名称。",
                field="name",
            )

    def _free(self, code: str, raw: Raw) -> None:
        """A code made from the name must not be that of an item that was renamed since."""
        if (name := self.names.get(code)) is not None and name != raw.name:
            raise Refusal(
                "import.code_taken",
                f"编码 {code} 已经属于“{name}”。请在“编码”一列写明这个事项的编码。",
                field="item",
            )

    def _list_above(self, raw: Raw, code: str, base: str, level: Level) -> str:
        if "above" in raw.facts:
            return raw.facts["above"]
        known = self.shelf.versions.get(code)
        if known and "above" in self.columns:
            return ""
        if known:
            return known[-1].above
        if level is Level.PROVINCE or ("above" in self.columns and "item" in raw.facts):
            return ""
        upper = f"{'C' if level is Level.IMPLEMENTATION else 'P'}.{base}"
        stands = self.shelf.versions.get(upper)
        return upper if upper in self.uppers or (stands and not stands[-1].retired) else ""

    def _above(self, code: str, since: date) -> Mapping[str, Any]:
        """What holds above on a day: as the file says it, else as the catalogue does."""
        if not code:
            return {}
        lines = [one for one in self.uppers.get(code, ()) if not one.release.retired]
        if lines:
            before = [one for one in lines if one.release.since <= since]
            one = (before or lines[:1])[-1]
            return guide.inherit(one.release.own, self._above(one.release.above, one.release.since))
        known = self.shelf.at(code, since)
        return dict(known.whole) if known else {}

    def _own(
        self, raw: Raw, said: frozenset[str], above: str, last: services.Known | None, since: date
    ) -> dict[str, Any]:
        """What this level says itself: what the file names so, and what differs from the list."""
        upper = self._above(above, since)
        named = _named(raw.facts.get("own", ""))
        own: dict[str, Any] = {}
        for element in ELEMENTS:
            code = element.code
            if code not in said:
                if last is not None and code in last.own:
                    own[code] = last.own[code]
                continue
            if code not in raw.values:
                continue
            value = raw.values[code]
            if not above or code in named:
                own[code] = self._as_was(raw, code, value, last.own if last else {})
                continue
            if _same(raw, code, value, upper.get(code)):
                continue
            if (
                last is not None
                and code not in last.own
                and _same(raw, code, value, last.whole.get(code))
            ):
                continue  # it was taken from the list above and moves with it
            if element.below == "same" and code != "name" and code in upper:
                raw.remarks.append(f"“{element.zh}”与上级清单不同，沿用上级清单。")
                continue
            own[code] = self._as_was(raw, code, value, last.own if last else {})
        return own

    @staticmethod
    def _as_was(raw: Raw, code: str, value: Any, before: Mapping[str, Any]) -> Any:
        """A limit that names no basis keeps the one it had."""
        return before[code] if _same(raw, code, value, before.get(code)) else value

    def _once(self, raw: Raw, code: str, who: tuple[str, str, str, str], *, open_: bool) -> None:
        """Neither two rows of one item from the same day, nor two items of one name in one organ."""
        named = self.named.get(who) if open_ else None
        if named is not None and (named[1] != code or "item" not in raw.facts):
            raise Refusal(
                "item.name_twice",
                f"与第 {named[0]} 行名称相同，机关也相同。同一事项只列一次，请删去一行或者改正名称。",
                field="name",
            )
        key = (code, raw.facts["since"])
        if (first := self.seen.get(key)) is not None:
            raise Refusal(
                "item.twice",
                f"与第 {first} 行是同一个事项（{code}）。同一事项在同一天只列一次。",
                field="name",
            )
        self.seen[key] = raw.number
        if open_:
            self.named[who] = (raw.number, code)


def _named(text: str) -> frozenset[str]:
    by_name = {one.zh: one.code for one in ELEMENTS}
    return frozenset(by_name.get(one.strip(), one.strip()) for one in text.split(BETWEEN))


def _same(raw: Raw, code: str, value: Any, other: Any) -> bool:
    """Equal; of a limit that names no basis the basis does not count."""
    if raw.alike is not None:
        return raw.alike(code, value, other)
    if code in raw.bare and isinstance(other, Mapping):
        return {**value, "basis": ""} == {**other, "basis": ""}
    return bool(value == other)


def _bare(code: str, region: str) -> str:
    """C.XK0036 and XK0036-420102 are XK0036 on the city's list and in a district."""
    return code.removeprefix("P.").removeprefix("C.").removesuffix(f"-{region}")


def _new_base(raw: Raw, agency: str) -> str:
    """The base of an item that has none, from its organ and name: the same for every import."""
    letters = CODES.get(str(raw.values.get("type", "")), "QT")
    digest = hashlib.sha256(f"{agency}\n{raw.name}".encode()).hexdigest()
    return f"{letters}{digest[:10].upper()}"


def _code(base: str, level: Level, region: str) -> str:
    if level is Level.PROVINCE:
        return f"P.{base}"
    if level is Level.CITY:
        return f"C.{base}"
    return base if region == CITY else f"{base}-{region}"


# --- publishing and drafting ----------------------------------------------------------------------


def run(
    parsed: Parsed,
    *,
    by: Actor | None,
    at: datetime,
    mode: Mode = "draft",
    approved: str = "",
    batch: str = "",
    progress: Progress | None = None,
) -> Report:
    """Take the rows in (导入); a report of every row. Raises Refusal where nothing can be taken in.

    by: whoever drafts, only what they may; None: the operator. approved: the number under which an
    approved list is published. batch: what its drafts are found by. progress: rows done, of how many.
    """
    return _run(parsed, by, at, mode, approved, batch, progress, writing=True)


def look(
    parsed: Parsed, *, by: Actor | None, at: datetime, mode: Mode = "draft", approved: str = ""
) -> Report:
    """What `run` would do (预览); nothing is written."""
    return _run(parsed, by, at, mode, approved, "", None, writing=False)


def _run(
    parsed: Parsed,
    by: Actor | None,
    at: datetime,
    mode: Mode,
    approved: str,
    batch: str,
    progress: Progress | None,
    *,
    writing: bool,
) -> Report:
    if mode == "publish" and not approved.strip():
        raise Refusal(
            "import.approved", "直接发布的清单要有市政府批准的文号。请写明文号，或者导入为草案。",
            field="approved",
        )  # fmt: skip
    refuse = changes.draftable(by) if by is not None else _everything
    rows = list(parsed.report)
    done, total = len(rows), len(rows) + len(parsed.lines)
    for chunk in _chunks(parsed.lines):
        with transaction.atomic():
            services.by_key()
            taken = _Chunk(chunk, by or OPERATOR, at, batch, writing)
            rows += taken.published(approved) if mode == "publish" else taken.drafted(refuse)
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    rows.sort(key=lambda one: one.row)
    kept = batch if any(one.outcome == "drafted" for one in rows) else ""
    return Report(tuple(rows), parsed.notes, kept)


def _everything(level: Level, agency: str, region: str) -> Refusal | None:
    """The operator asks nobody's permission."""
    return None


def _chunks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Some hundred items at a time; what hangs together (the lists of an item, those that share a
    flow) is never parted."""
    root: dict[str, str] = {}

    def top(base: str) -> str:
        while (above := root.setdefault(base, base)) != base:
            root[base] = root[above]
            base = above
        return base

    bases = {one.release.code: one.release.base for one in lines}
    for one in lines:
        for code in (one.release.above, str(one.release.own.get("flow_of", ""))):
            if code in bases:
                root[top(bases[code])] = top(one.release.base)
    groups: dict[str, list[Line]] = {}
    for one in lines:
        groups.setdefault(top(one.release.base), []).append(one)
    chunk: list[Line] = []
    for group in groups.values():
        # A flow is taken from an item that stands before.
        group.sort(key=lambda one: ("flow_of" in one.release.own, one.release.since, one.number))
        if chunk and len(chunk) + len(group) > CHUNK:
            yield chunk
            chunk = []
        chunk += group
    if chunk:
        yield chunk


@dataclass(slots=True)
class _Chunk:
    """Some lines that stand or fall row by row, and are written together."""

    lines: Sequence[Line]
    by: Actor
    at: datetime
    batch: str
    writing: bool
    rows: list[RowReport] = field(default_factory=list)
    drafts: list[tuple[Line, Outcome, tuple[Refusal, ...]]] = field(default_factory=list)

    def published(self, approved: str) -> list[RowReport]:
        """What passes is published; what only lacks something becomes a draft."""
        whole = [one for one in self.lines if not one.lacks]
        releases = [
            replace(one.release, approved=one.release.approved or approved) for one in whole
        ]
        if self.writing:
            outcomes = services.publish_all(releases, by=self._code(), at=self.at)
        else:
            outcomes = services.lawful(releases, at=self.at, whole=False)
        asked = [one for one in outcomes if not one.follows]
        for line, outcome in zip(whole, asked, strict=True):
            if not outcome.faults:
                self.rows.append(_row(line, outcome.what))
            elif _only_lacking(outcome.faults):
                self.drafts.append((line, outcome, outcome.faults))
            else:
                self.rows.append(_row(line, "refused", outcome.faults))
        self._unfinished([one for one in self.lines if one.lacks])
        self._draft()
        return self.rows

    def drafted(self, refuse: Callable[[Level, str, str], Refusal | None]) -> list[RowReport]:
        """Everything that differs becomes a draft, as far as this person may."""
        allowed = []
        for line in self.lines:
            release = line.release
            refusal = refuse(release.level, release.agency, release.region)
            if refusal is not None:
                self.rows.append(_row(line, "refused", (refusal,)))
            else:
                allowed.append(line)
        self._unfinished(allowed)
        self._draft()
        return self.rows

    def _code(self) -> str | None:
        return None if self.by is OPERATOR else self.by.code

    def _unfinished(self, lines: Sequence[Line]) -> None:
        tomorrow = self.at.astimezone(SHANGHAI).date() + timedelta(days=1)
        # On which day a draft comes into force is said when it is published, never today's second.
        releases = [
            one.release
            if one.release.until or one.release.retired
            else replace(one.release, since=max(one.release.since, tomorrow))
            for one in lines
        ]
        planned = services.plan(releases, at=self.at)
        asked = (one for one in planned if not one.follows)
        behind = {one.release.above: one for one in planned if one.follows and one.faults}
        for line, outcome in zip(lines, asked, strict=True):
            faults = (*line.lacks, *outcome.faults)
            if (below := behind.get(line.release.code)) is not None:
                said = f"下级的 {below.release.code} 不能跟着变：{below.faults[0].sentence}"
                line = replace(line, remarks=(*line.remarks, said))
            if outcome.what == "unchanged":
                remarks = (*(one.sentence for one in line.lacks), *line.remarks)
                self.rows.append(_row(line, "unchanged", remarks=remarks))
            elif not _only_lacking(faults):
                self.rows.append(_row(line, "refused", (*outcome.faults, *line.lacks)))
            elif (refusal := _no_draft(line.release, outcome)) is not None:
                self.rows.append(_row(line, "refused", (refusal,)))
            else:
                self.drafts.append((line, outcome, faults))

    def _draft(self) -> None:
        """One draft for each, unless one says it already; what people worked on is not overwritten."""
        codes = [line.release.code for line, _, _ in self.drafts]
        heads: dict[str, list[Change]] = {}
        for head in Change.objects.filter(item__in=codes, state__in=sorted(OPEN)).order_by(
            "updated"
        ):
            heads.setdefault(head.item, []).append(head)
        made = []
        for line, _, faults in self.drafts:
            mine = heads.get(line.release.code, [])
            if any(_merged(head.own, line) == head.own for head in mine):
                remarks = ("已有一份内容相同的草案。", *line.remarks)
                self.rows.append(_row(line, "unchanged", faults, remarks=remarks))
                continue
            release = line.release
            if mine:
                if (refusal := _touched(mine[-1])) is not None:
                    self.rows.append(_row(line, "refused", (refusal,)))
                    continue
                release = replace(release, own=_merged(mine[-1].own, line))
            made.append(release)
            self.rows.append(_row(line, "drafted", faults))
        if made and self.writing:
            changes.drafts_for(made, self.by, batch=self.batch, at=self.at)


def _row(
    line: Line,
    outcome: str,
    faults: Sequence[Refusal] = (),
    *,
    remarks: Sequence[str] | None = None,
) -> RowReport:
    first = faults[0] if faults else None
    others = [one.sentence for one in faults[1:]]
    return RowReport(
        line.number,
        line.name,
        line.release.code,
        outcome,
        first.field if first else None,
        first.code if first else None,
        _sentence(first) if first else None,
        (*others, *(line.remarks if remarks is None else remarks)),
    )


def _sentence(refusal: Refusal) -> str:
    return refusal.sentence + (f"（{refusal.article}）" if refusal.article else "")


def _only_lacking(faults: Iterable[Refusal]) -> bool:
    return all(one.code in LACKING for one in faults)


def _no_draft(release: Release, outcome: Outcome) -> Refusal | None:
    """What was once in force is not drafted anew; whoever takes over a list publishes it."""
    if release.until is None and not release.retired:
        return None
    if release.retired and release.until is None and outcome.before:
        return None
    return Refusal(
        "import.history",
        "已经过去的版本不能存为草案。历史由操作员随批准的清单导入。",
        field="until",
    )


def _merged(before: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """The draft with what the file says; elements that the file has no column for stay."""
    own = {code: value for code, value in before.items() if code not in line.said}
    return own | {code: value for code, value in line.release.own.items() if code in line.said}


def _touched(head: Change) -> Refusal | None:
    """A draft on its way, or one that a person worked on, is not written over."""
    if head.state != "drafting":
        return Refusal(
            "change.in_the_air",
            f"“{head.name}”有一份草案已经提交（{STATES_ZH[head.state]}），不能再导入。",
            field="item",
        )
    if not changes.imported_last(head):
        return Refusal(
            "change.touched",
            f"“{head.name}”的草案有人在起草，导入不覆盖。请在草案里修改，或者先撤销它。",
            field="item",
        )
    return None
