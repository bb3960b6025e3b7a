"""The national platform's exchange tables (国家平台交换表): items out and in, six tables in a ZIP.

data/national_tables.csv says of every column its type, whether it is required, and what of ours
stands in it; the code lists are below. The tables hold what is in force: a line of the basic
directory for each item of the province's list, a general item for each implementation, with its
extension, materials, fees and questions. What they have no column for is counted, by element.

    save(place, on=today, at=now)                       out; the answer says what is missing
    read(data, filename, agencies=…, at=now)            in, as `importing.run` takes it

What the sheet of columns does not say is a setting here, and marked so: change it when the platform's
own code tables are at hand. CSV cells are neutral to spreadsheets as all our CSV; JSON is verbatim.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO
from uuid import UUID, uuid5

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import exporting, importing, queries
from zhengwu.catalog.exporting import BETWEEN, Selection
from zhengwu.catalog.importing import File, Parsed, Raw
from zhengwu.catalog.models import Item, ItemVersion
from zhengwu.catalog.services import SHANGHAI
from zhengwu.documents import sheets
from zhengwu.documents.sheets import SheetRow, Table
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, ELEMENTS, Content, Element, Level
from zhengwu.domain.procedure import UNITS_ZH, Unit
from zhengwu.domain.refusal import Refusal

TABLES = Path(__file__).parent / "data" / "national_tables.csv"
DIRECTORY, BASIC, EXTEND = "up_task_directory", "up_task_general_basic", "up_task_general_extend"
# The tables that hold the rows of a list, by its element.
PARTS: Mapping[str, str] = {
    "materials": "up_task_general_material",
    "fees": "up_task_general_fee_project",
    "questions": "up_task_general_questions",
}
# Ours → theirs. A list that is not here is the same on both sides (GB/T 39046 A.2 to A.5).
CODES: Mapping[str, Mapping[str, str]] = {
    # GB/T 39046 A.1; 11 is the first of those that every platform may give away.
    "types": {
        "行政许可": "01", "行政处罚": "02", "行政强制": "03", "行政征收": "04", "行政给付": "05",
        "行政检查": "06", "行政确认": "07", "行政奖励": "08", "行政裁决": "09", "其他行政权力": "10",
        "政府内部审批": "11", "公共服务": "20",
    },
    "kinds": {"immediate": "1", "promised": "2", "forwarded": "9"},  # GB/T 39046 A.6
    # Settings: the order is that of the elements of the national implementation list.
    "units": {
        "working_day": "1", "calendar_day": "2", "month": "3", "year": "4", "hour": "5",
        "office_hour": "6",
    },
    "powers": {"own": "1", "handed_down": "2", "entrusted": "3"},
    "needs": {"required": "1", "optional": "2", "deferrable": "3"},
    "forms": {"paper": "1", "electronic": "2", "either": "3"},
    "origins": {"applicant": "1", "government": "2", "intermediary": "3"},
    "results": {"licence": "1", "document": "2", "other": "9"},
    "scopes": {"country": "1", "province": "2", "city": "3", "district": "4", "none": "5"},
}  # fmt: skip
# These types have tables of their own (up_task_public_*, up_task_punish_*, …), which we do not write.
ELSEWHERE = ("公共服务", "行政处罚", "行政检查", "行政强制", "行政征收")
SEPARATOR = "^"  # between several codes of one column; a setting
IN_USE, NOT_IN_USE = "1", "2"  # 事项状态; a setting
NO_SPECIAL = "无"  # where there is no special procedure: the column is required
PERSON = "P"  # the codes of themes for natural persons begin so (data/themes.csv)
STAMP = "%Y-%m-%d %H:%M:%S"
MOST_UNPACKED = 256 << 20
NAMES = UUID("6f1f5d1e-6d0b-5c52-9c1b-1f7f5e0c5a10")  # of our rows' identifiers
GAPS = "gaps.csv"
TOLD = 200  # gaps that are handed back; all of them stand in the ZIP


@dataclass(frozen=True, slots=True)
class Column:
    """A column of theirs. ours, codes: as data/national_tables.csv says."""

    name: str
    type: str
    required: bool
    label: str
    ours: str
    codes: str

    @property
    def most(self) -> int | None:
        """The most letters, None where there is no such limit."""
        found = re.fullmatch(r"varchar\((\d+)\)", self.type)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Gap:
    """Where our list does not satisfy a table (缺口). item: our code."""

    item: str
    table: str
    column: str
    rule: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a sender says of itself. source: 数据来源, three letters at most."""

    source: str = "42"
    batch: str = ""
    operation: str = "I"
    single_login: str = "0"


@dataclass(slots=True)
class Sent:
    """What was written. rows: by table. left: element → how many items say it and no column holds
    it. gaps: the first of them; many: all."""

    rows: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    many: int = 0


@cache
def tables() -> Mapping[str, tuple[Column, ...]]:
    """The columns of each table, in order."""
    found: dict[str, list[Column]] = {}
    with TABLES.open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            found.setdefault(row["table"], []).append(
                Column(
                    row["column"], row["type"], bool(row["required"]), row["label"], row["ours"],
                    row["codes"],
                )
            )  # fmt: skip
    return {table: tuple(columns) for table, columns in found.items()}


@cache
def carried() -> frozenset[str]:
    """The elements that some column holds."""
    roots = {
        column.ours.partition(".")[0]
        for table in (DIRECTORY, BASIC, EXTEND)
        for column in tables()[table]
    }
    return frozenset(roots & BY_CODE.keys()) | PARTS.keys() | {"themes"}


def fault(column: Column, text: str) -> tuple[str, str] | None:
    """Rule and sentence where a text does not fit a column; an empty one is not looked at here."""
    most = column.most
    if most is not None and len(text) > most:
        return "national.too_long", f"“{column.label}”最多 {most} 个字，现在有 {len(text)} 个。"
    if column.type.startswith(("int", "bigint")) and not re.fullmatch(
        r"-?\d{1,19}", text, re.ASCII
    ):
        return "national.number", f"“{column.label}”应当是整数，现在是“{text[:20]}”。"
    if column.type == "datetime" and _day(text) is None:
        return "national.date", f"“{column.label}”应当是日期，现在是“{text[:20]}”。"
    return None


# --- out ------------------------------------------------------------------------------------------


def save(
    to: BinaryIO,
    *,
    on: date,
    at: datetime,
    format: str = "csv",
    region: str = "",
    agency: str = "",
    settings: Settings | None = None,
    progress: exporting.Progress | None = None,
) -> Sent:
    """The tables of what is in force on a day, in constant memory. format: csv or json."""
    writing = _Writing(settings or Settings(), at, format)
    names = {row.code: row.name for row in accounts.agencies()}
    selection = Selection(level=Level.IMPLEMENTATION, region=region, agency=agency, on=on)
    levels: dict[str, set[str]] = {}
    total = exporting.count(selection) if progress else 0
    for done, version in enumerate(exporting.versions(selection), start=1):
        if progress:
            progress(done, total)
        whole = queries.whole(version)
        exercised = str(whole.get("exercised", ""))
        levels.setdefault(version.item.base, set()).update({exercised} - {""})
        writing.general(version, whole, names.get(version.agency, version.agency))
    for version in exporting.versions(Selection(level=Level.PROVINCE, on=on)):
        if version.item.base in levels:
            writing.directory(version, sorted(levels[version.item.base]))
    writing.pack(to)
    return writing.sent


class _Writing:
    """Rows on their way into the ZIP: one pass over the versions, a file for each table."""

    def __init__(self, settings: Settings, at: datetime, format: str) -> None:
        self.sent = Sent()
        self._format = format
        self._sync = {
            "@batch": settings.batch or f"zw{at.astimezone(SHANGHAI):%Y%m%d%H%M%S}",
            "@operation": settings.operation,
            "@time": at.astimezone(SHANGHAI).strftime(STAMP),
            "@source": settings.source,
            "@single_login": settings.single_login,
        }
        self._spools: dict[str, IO[str]] = {}

    def general(self, version: ItemVersion, whole: Content, agency: str) -> None:
        item = version.item.code
        guid = str(uuid5(NAMES, f"{item}@{version.version}"))
        facts = self._facts(version) | {
            "@guid": guid, "@task": guid, "@item": item, "@agency": agency,
            "@uscc": _organisation(whole), "@flow": _flow(version),
            "@is_fee": "" if "fees" not in whole else "1" if whole["fees"] else "0",
            "@fee_basis": "；".join(
                dict.fromkeys(one["basis"] for one in whole.get("fees", ()) if "basis" in one)
            ),
            "@online": _online(whole),
            "@person_themes": SEPARATOR.join(_themes(whole, person=True)),
            "@legal_themes": SEPARATOR.join(_themes(whole, person=False)),
        }  # fmt: skip
        said = dict(whole)
        said.setdefault("special", NO_SPECIAL)
        if not said.get("fees"):
            said.setdefault("pay_online", False)  # nothing is charged
        self._row(BASIC, item, said, facts)
        self._row(EXTEND, item, said, facts | {"@guid": _child(guid, "extend")})
        for element, table in PARTS.items():
            for number, one in enumerate(whole.get(element, ()), 1):
                more = {"@guid": _child(guid, f"{element}{number}"), "@order": str(number)}
                if element == "fees":
                    more["@standard"] = one.get("standard") or _money(one)
                    more["@relieved"] = "1" if one.get("relief") else "0"
                # task_code is the item's, whatever the row says.
                code = {"code": str(whole.get("code", ""))}
                self._row(table, item, {**one, **code}, facts | more)
        if whole.get("type") in ELSEWHERE:
            self._gap(
                Gap(
                    item, BASIC, "task_type", "national.other_table",
                    f"{whole['type']}在国家平台另有表，接收方可能不收。",
                )
            )  # fmt: skip
        self.sent.left.update(left(whole))

    def directory(self, version: ItemVersion, levels: Sequence[str]) -> None:
        facts = self._facts(version) | {
            "@guid": str(uuid5(NAMES, f"{version.item.code}@{version.version}")),
            "@levels": SEPARATOR.join(levels),
        }
        self._row(DIRECTORY, version.item.code, queries.whole(version), facts)

    def pack(self, to: BinaryIO) -> None:
        gaps = self._spools.pop(GAPS, None)
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for table, columns in tables().items():
                names = [column.name for column in columns]
                rows = _lines(self._spools.pop(table, None))
                write = sheets.write_json if self._format == "json" else sheets.write_csv
                with archive.open(f"{table}.{self._format}", "w", force_zip64=True) as file:
                    for piece in write(names, rows):
                        file.write(piece)
            head = ["事项编码", "表", "列", "规则", "说明"]
            with archive.open(GAPS, "w", force_zip64=True) as file:
                for piece in sheets.write_csv(head, _lines(gaps)):
                    file.write(piece)

    def _facts(self, version: ItemVersion) -> dict[str, str]:
        end = version.in_force.upper
        return self._sync | {
            "@base": version.item.base,
            "@version": str(version.version),
            "@since": f"{version.in_force.lower} 00:00:00",
            "@until": f"{end} 00:00:00" if end else "",
            "@state": IN_USE,
        }

    def _row(
        self, table: str, item: str, said: Mapping[str, Any], facts: Mapping[str, str]
    ) -> None:
        self.sent.rows[table] += 1
        facts = {**facts, "@id": str(self.sent.rows[table])}
        cells = []
        for column in tables()[table]:
            text = _text(column, said, facts)
            if text and (found := fault(column, text)) is not None:
                self._gap(Gap(item, table, column.name, *found))
            elif not text and column.required:
                self._gap(
                    Gap(
                        item, table, column.name, "national.required",
                        f"“{column.label}”在国家平台必填，清单里没有。",
                    )
                )  # fmt: skip
            cells.append(text)
        self._spool(table, cells)

    def _gap(self, gap: Gap) -> None:
        self.sent.many += 1
        if len(self.sent.gaps) < TOLD:
            self.sent.gaps.append(gap)
        self._spool(GAPS, [gap.item, gap.table, gap.column, gap.rule, gap.sentence])

    def _spool(self, name: str, cells: Sequence[str]) -> None:
        if name not in self._spools:
            self._spools[name] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by _lines
        self._spools[name].write(json.dumps(cells, ensure_ascii=False) + "\n")


def _lines(spool: IO[str] | None) -> Iterator[list[str]]:
    if spool is None:
        return
    with spool:
        spool.seek(0)
        for line in spool:
            yield json.loads(line)


def _text(column: Column, said: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    if column.ours.startswith("@"):
        return facts.get(column.ours, "")
    root, _, part = column.ours.partition(".")
    value = said.get(root)
    if part and value is not None:
        value = value.get(part)
    if value is None:
        return ""
    if column.codes:
        return CODES[column.codes].get(str(value), str(value))
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        lines = BY_CODE[root].kind == "lines"
        return ("\n" if lines else SEPARATOR).join(str(one) for one in value)
    return str(value)


def _organisation(whole: Content) -> str:
    code = str(whole.get("code", ""))
    return code[:18] if len(code) >= 31 else ""


def _flow(version: ItemVersion) -> str:
    """The steps in words; the table has no place for their order."""
    told = []
    for one in version.steps:
        limit = one.get("limit")
        days = f"，{limit['value']} {UNITS_ZH[Unit(limit['unit'])]}" if limit else ""
        told.append(f"{one['name']}（{guide.ROLES_ZH.get(one['role'], one['role'])}{days}）")
    return " → ".join(told)


def _online(whole: Content) -> str:
    if "channels" not in whole:
        return ""
    return "1" if {"2", "3"} & set(whole["channels"]) else "0"


def _themes(whole: Content, *, person: bool) -> list[str]:
    return [one for one in whole.get("themes", ()) if one.startswith(PERSON) is person]


def _money(fee: Mapping[str, Any]) -> str:
    return f"{fee['fen'] // 100}.{fee['fen'] % 100:02d} 元" if "fen" in fee else ""


def _child(guid: str, what: str) -> str:
    return str(uuid5(NAMES, f"{guid}:{what}"))


def left(whole: Content) -> list[str]:
    """What of this content no column holds, by the headings of the elements."""
    found = [one.zh for one in ELEMENTS if one.code in whole and one.code not in carried()]
    statutory, promised = whole.get("statutory"), whole.get("promised")
    if statutory and statutory.get("basis") != whole.get("basis"):
        found.append("法定办结时限的依据")
    if any(one and not one.get("roll", True) for one in (statutory, promised)):
        found.append("末日不顺延")
    if whole.get("materials") == []:
        found.append("申请材料：无")
    if any(
        one.get("code") != f"{number:02d}"
        for number, one in enumerate(whole.get("materials", ()), 1)
    ):
        found.append("材料代码")
    if any("fen" in one and one.get("standard") for one in whole.get("fees", ())):
        found.append("收费金额（已写标准）")
    return found


# --- in -------------------------------------------------------------------------------------------


def read(
    data: bytes, filename: str, *, agencies: Mapping[str, str], region: str = "", at: datetime
) -> Parsed:
    """The tables of a ZIP as rows to be taken in. Raises Refusal for a file that is no good.

    Rows are numbered through: first those of the directory, then those of the general items.
    """
    found, notes = _unpacked(data)
    children = {element: _by_task(found.get(table)) for element, table in PARTS.items()}
    extend = _by_task(found.get(EXTEND))
    raws: list[Raw] = []
    organs: dict[str, str] = {}  # base → whoever does it, the highest first
    general = found.get(BASIC)
    for row in sorted(general.rows, key=_height) if general else ():
        organs.setdefault(row.cells.get("local_catalog_code", ""), row.cells["dept_name"])
    raws += [_general(row, extend, children) for row in (general.rows if general else ())]
    directory = found.get(DIRECTORY)
    first = [_directory(row) for row in (directory.rows if directory else ())]
    there = set(
        Item.objects.filter(code__in=[raw.facts.get("item", "") for raw in first]).values_list(
            "code", flat=True
        )
    )
    for raw in first:
        # The directory names no organ: a new item is of those that do it.
        if raw.facts.get("item") not in there:
            raw.facts["agency"] = organs.get(raw.facts.get("base", ""), "")
    for number, raw in enumerate([*first, *raws], 1):
        raw.number = number
    if first:
        notes.append(f"第 1 到 {len(first)} 行是 {DIRECTORY}，其后是 {BASIC}。")
    file = File((*first, *raws), carried() | {"item", "base", "since", "until"}, tuple(notes))
    return importing.settle(file, agencies=agencies, region=region, at=at)


def is_pack(data: bytes) -> bool:
    """Whether these bytes are a ZIP with one of our tables in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(_table_of(name) in tables() for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _table_of(name: str) -> str:
    base, _, ending = name.lower().replace("\\", "/").rpartition("/")[2].rpartition(".")
    return base if ending in ("csv", "json") else ""


def _unpacked(data: bytes) -> tuple[dict[str, Table], list[str]]:
    found: dict[str, Table] = {}
    notes: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise _no("bomb", "压缩包解开以后大得不正常，没有接收。请分成几个压缩包。")
            for part in parts:
                name = _table_of(part.filename)
                if name not in tables():
                    if part.filename != GAPS:
                        notes.append(f"没有用到压缩包里的 {part.filename[:60]}。")
                    continue
                if name in found:
                    raise _no("table_twice", f"压缩包里有两份 {name}。请只留一份。")
                if part.flag_bits & 0x1:
                    raise _no("encrypted", "压缩包加了密码，打不开。请去掉密码再导入。")
                read = sheets.read(archive.read(part), filename=part.filename)
                _check_columns(name, read)
                found[name] = read
                notes += [f"{name}：{note.sentence}" for note in read.notes]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as problem:
        raise _no("broken", "压缩包是坏的或者不完整，打不开。请重新导出。") from problem
    if BASIC not in found and DIRECTORY not in found:
        raise _no("no_table", f"压缩包里没有 {BASIC} 或者 {DIRECTORY}。请检查文件。")
    return found, notes


def _check_columns(name: str, table: Table) -> None:
    wanted = [one.name for one in tables()[name] if one.required and not one.ours.startswith("@")]
    missing = [one for one in wanted if one not in table.columns]
    if missing:
        raise _no("columns", f"{name} 缺少这些列：{BETWEEN.join(missing)}。请照国家平台的表导出。")


def _no(code: str, sentence: str) -> Refusal:
    return Refusal(f"national.{code}", sentence, field="file")


def _by_task(table: Table | None) -> Mapping[str, list[SheetRow]]:
    """The rows of a table below, by the item's row they belong to, in their order."""
    found: dict[str, list[SheetRow]] = {}
    for row in table.rows if table else ():
        task = row.cells.get("task_guid") or row.cells.get("task_code", "")
        found.setdefault(task, []).append(row)
    for rows in found.values():
        rows.sort(key=lambda one: (_order(one.cells.get("order_num", "")), one.number))
    return found


def _order(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _height(row: SheetRow) -> tuple[str, int]:
    return row.cells.get("use_level") or "9", row.number


def _directory(row: SheetRow) -> Raw:
    raw = _checked(row, DIRECTORY)
    base = row.cells.get("local_catalog_code", "")
    raw.facts["level"] = Level.PROVINCE
    if base:
        raw.facts |= {"base": base, "item": f"P.{base}"}
    _values(raw, row, DIRECTORY)
    raw.unsaid |= carried() - raw.values.keys()
    _finished(raw)
    return raw


def _general(
    row: SheetRow,
    extend: Mapping[str, list[SheetRow]],
    children: Mapping[str, Mapping[str, list[SheetRow]]],
) -> Raw:
    raw = _checked(row, BASIC)
    cells = row.cells
    raw.facts |= {"level": Level.IMPLEMENTATION, "agency": cells["dept_name"]}
    for fact, column in (("item", "local_task_code"), ("base", "local_catalog_code")):
        if text := cells.get(column, ""):
            raw.facts[fact] = text
    _values(raw, row, BASIC)
    tasks = [cells.get("row_guid", ""), cells["task_code"]]
    for one in next((extend[task] for task in tasks if task in extend), [])[:1]:
        raw.faults += _checked(one, EXTEND).faults
        _values(raw, one, EXTEND)
        themes = (one.cells.get(name, "") for name in ("user_topic_type", "corp_topic_type"))
        if chosen := [part for text in themes for part in text.split(SEPARATOR) if part]:
            raw.values["themes"] = chosen
    for element, rows in children.items():
        below = next((rows[task] for task in tasks if task in rows), [])
        for one in below:
            raw.faults += _checked(one, PARTS[element]).faults
        if below:
            raw.values[element] = [_part(element, one.cells) for one in below]
        elif element != "fees":
            raw.unsaid.add(element)
    if "fees" not in raw.values:
        if cells.get("is_fee") == "0":
            raw.values["fees"] = []
        else:
            raw.unsaid.add("fees")
    if raw.values.get("special") == NO_SPECIAL:
        del raw.values["special"]
    if raw.values.get("pay_online") is False and not raw.values.get("fees"):
        raw.unsaid.add("pay_online")
        del raw.values["pay_online"]
    _finished(raw)
    return raw


def _checked(row: SheetRow, table: str) -> Raw:
    """The row with what is wrong with it; a required cell that is empty is only remarked upon."""
    raw = Raw(row.number, faults=list(row.faults))
    for column in tables()[table]:
        text = row.cells.get(column.name, "")
        if not text:
            if column.required and not column.ours.startswith("@"):
                raw.remarks.append(f"“{column.label}”（{column.name}）是空的。")
        elif (found := fault(column, text)) is not None:
            raw.faults.append(Refusal(found[0], found[1], field=column.name))
    if row.cells.get("task_state", IN_USE) != IN_USE:
        raw.faults.append(
            Refusal("national.state", "事项状态不是在用，没有导入。", field="task_state")
        )  # fmt: skip
    for fact, column_name in (("since", "plan_effective_date"), ("until", "plan_cancel_date")):
        day = _day(row.cells.get(column_name, ""))
        if day is not None:
            raw.facts[fact] = _before(day).isoformat() if fact == "until" else day.isoformat()
    return raw


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _day(text: str) -> date | None:
    try:
        return sheets.parse_date(text.partition(" ")[0].partition("T")[0]) if text else None
    except Refusal:
        return None


def _values(raw: Raw, row: SheetRow, table: str) -> None:
    """The elements that stand in a row; a limit stands in several columns."""
    for column in tables()[table]:
        text = row.cells.get(column.name, "")
        root, _, part = column.ours.partition(".")
        element = BY_CODE.get(root)
        if not text or element is None:
            continue
        value = _back(column, element, text)
        if part:
            kept = raw.values.setdefault(root, {"basis": ""})
            kept[part] = int(text) if part == "value" and _whole(text) else value
        else:
            raw.values[root] = value


def _back(column: Column, element: Element, text: str) -> Any:
    if column.codes:
        return {theirs: ours for ours, theirs in CODES[column.codes].items()}.get(text, text)
    match element.kind:
        case "lines":
            return text.split("\n")
        case "choices":
            return [one for one in text.split(SEPARATOR) if one]
        case "flag":
            return {"1": True, "0": False}.get(text, text)
        case "count":
            return int(text) if _whole(text) else text
    return text


def _whole(text: str) -> bool:
    return text.isascii() and text.lstrip("-").isdigit() and len(text) < 10


def _part(element: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """A row of a list, in our words."""
    made: dict[str, Any] = {}
    for column in tables()[PARTS[element]]:
        text = cells.get(column.name, "")
        if not text or column.ours.startswith("@") or column.ours in ("", "code"):
            continue
        if column.codes:
            text = {theirs: ours for ours, theirs in CODES[column.codes].items()}.get(text, text)
        made[column.ours] = int(text) if column.ours == "copies" and _whole(text) else text
    if element == "fees" and (standard := cells.get("fee_stand", "")):
        if found := re.fullmatch(r"(\d{1,10})\.(\d\d) 元", standard, re.ASCII):
            made["fen"] = int(found[1]) * 100 + int(found[2])
        else:
            made["standard"] = standard
    return made


def _finished(raw: Raw) -> None:
    """Kept as domain.guide keeps it, as far as it can be."""
    kept: dict[str, Any] = {}
    for code, value in raw.values.items():
        if isinstance(value, Mapping) and not {"value", "unit"} & value.keys():
            continue  # only the words beside a limit
        read, faults = importing.kept(code, value)
        raw.faults += faults
        if read is not None:
            kept[code] = read
    raw.values = kept
    importing.finish(raw)
    raw.alike = _alike


def _alike(code: str, value: Any, other: Any) -> bool:
    """Whether the tables would hold the same of both: what they cannot carry is no difference."""
    return bool(_sent(code, value) == _sent(code, other))


def _sent(code: str, value: Any) -> Any:
    match code:
        case "statutory" | "promised" if isinstance(value, Mapping):
            parts = ("value", "unit") if code == "statutory" else ("value", "unit", "basis")
            return {part: value.get(part) for part in parts}
        case "materials" if value:
            return [{**one, "code": number} for number, one in enumerate(value)]
        case "fees" if value:
            return [
                {**one, "fen": None if one.get("standard") else one.get("fen")} for one in value
            ]
    return value


def left_zh(left: Mapping[str, int]) -> Iterable[str]:
    """What the tables could not carry, one a line."""
    return (f"{zh}：{many} 项" for zh, many in sorted(left.items()))
