"""The list that ships with the software (随附清单): 99 items of a city, on all their levels.

data/items.csv says what the law and the city say; data/guides.csv the rest of each guide. The
province's list takes what the law settles, the city's common list the standard for everybody, the
department's and the districts' implementations where and by whom it is done.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from zhengwu.catalog import services
from zhengwu.catalog.services import CITY, LICENCE, Draft, Release
from zhengwu.domain.guide import Level
from zhengwu.domain.identifiers import item_codes
from zhengwu.domain.procedure import Limit, Unit
from zhengwu.domain.refusal import Refusal

DATA = Path(__file__).parent / "data"
ITEMS = DATA / "items.csv"
GUIDES = DATA / "guides.csv"
LIST_2009 = date(2009, 1, 1)  # the list that the study of 2009 describes
LIST_TODAY = date(2026, 1, 1)  # the demo city's list in force: a date of ours, not of a law
# 行政许可法 42: where the special law is silent, twenty working days.
GENERAL = Limit(20, Unit.WORKING_DAY, "行政许可法 第四十二条")
CODES = {"行政许可": "XK", "行政确认": "QR", "其他行政权力": "QT", "公共服务": "GG"}
PROVINCE = "42"
# C0109 digits 3-4 by type: GB/T 39046 A.1.
TYPE_DIGITS = {"行政许可": "01", "行政确认": "07", "其他行政权力": "10", "公共服务": "20"}
OF_LAW = (
    "name", "type", "basis", "basic_code", "guiding", "statutory", "statutory_note", "targets",
    "result_kind", "result", "english", "power",
)  # fmt: skip
OF_PLACE = (
    "code", "exercised", "nature", "in_hall", "place", "hours", "phone", "complaint", "review_body",
    "court", "flow_of",
)  # fmt: skip
RIGHTS = "依法取得办理结果；对不予办理的决定陈述、申辩，申请行政复议或者提起行政诉讼。"
DUTIES = "如实提交有关材料、反映真实情况，对申请材料实质内容的真实性负责。"


@dataclass(frozen=True, slots=True)
class Office:
    """Where an organ does it (实施机关). usccs: unified social credit code, for the codes."""

    agency: str
    region: str
    name: str
    uscc: str = ""
    place: str = ""
    hours: str = ""
    phone: str = ""
    court: str = ""
    review_body: str = ""

    def content(self, basic: str) -> dict[str, Any]:
        """The elements that belong to the place."""
        level = "3" if self.region == CITY else "4"
        made: dict[str, Any] = {
            "exercised": level,
            "nature": "1",
            "in_hall": bool(self.place),
            "place": self.place or self.name,
            "hours": self.hours,
            "phone": self.phone,
            "complaint": self.phone,
            "court": self.court,
            "review_body": self.review_body,
        }
        if self.uscc and basic:
            made["code"] = f"{self.uscc}{level}{basic}"
        return {code: value for code, value in made.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row of an import. outcome: created | changed | unchanged | refused."""

    row: int
    name: str
    outcome: str
    field: str | None = None
    rule: str | None = None
    sentence: str | None = None


@dataclass(slots=True)
class Report:
    """An import, row by row."""

    rows: list[RowReport] = field(default_factory=list)
    in_force: int = 0
    retired: int = 0

    def count(self, outcome: str) -> int:
        return sum(row.outcome == outcome for row in self.rows)


def item_code(type_: str, serial: int) -> str:
    """The city's own short code: letters of the type and a running number (XK0036)."""
    return f"{CODES.get(type_, 'QT')}{serial:04d}"


def import_items(
    lines: Iterable[str] | None = None,
    *,
    agencies: Mapping[str, str],
    at: datetime,
    by: str | None = None,
    offices: Mapping[str, Office] | None = None,
    below: Mapping[str, Sequence[Office]] | None = None,
    own_words: Callable[[Mapping[str, Any], Office], Mapping[str, Any]] | None = None,
) -> Report:
    """Import the list of items (CSV). agencies: name → code. A bad row is reported, the rest goes in.

    lines: the file's lines; the shipped list by default. offices: code of an organ → where it is.
    below: code of a department → the district organs that may do its items too. own_words: what
    such an organ says itself of an item it decides, given the city's content. A second import
    changes nothing.
    """
    if lines is None:
        with ITEMS.open(encoding="utf-8") as file:
            lines = list(file)
    report = Report()
    seen: dict[str, int] = {}
    reader = csv.DictReader(line for line in lines if not line.startswith("#"))
    missing = {"seq", "name", "type", "department", "kind", "basis"} - set(reader.fieldnames or ())
    if missing:
        raise Refusal("import.columns", f"文件缺少这些列：{'、'.join(sorted(missing))}。")
    read: list[tuple[int, str, list[Release]]] = []
    for number, row in enumerate(reader, start=1):
        raw = {key: (value or "").strip() for key, value in row.items() if key is not None}
        name = raw.get("name", "")
        try:
            if name in seen:
                raise Refusal(
                    "item.name_twice",
                    f"与第 {seen[name]} 行名称相同。同一事项只列一次。",
                    field="name",
                )
            seen[name] = number
            read.append(
                (
                    number,
                    name,
                    list(_releases(raw, agencies, offices or {}, below or {}, own_words)),
                )
            )
        except Refusal as refusal:
            report.rows.append(_refused(number, name, refusal))
    # Row by row they stand or fall; all that stand are written together.
    with transaction.atomic():
        _publish(report, read, by=by, at=at)
    report.rows.sort(key=lambda one: one.row)
    return report


def _publish(
    report: Report, read: list[tuple[int, str, list[Release]]], *, by: str | None, at: datetime
) -> None:
    planned = services.plan([one for _, _, group in read for one in group], at=at)
    asked = iter(one for one in planned if not one.follows)
    good: list[tuple[int, str, list[Release]]] = []
    for number, name, group in read:
        faults = [fault for _ in group for fault in next(asked).faults]
        if faults:
            report.rows.append(_refused(number, name, faults[0]))
        else:
            good.append((number, name, group))
    outcomes = iter(
        services.publish_all(
            [one for _, _, group in good for one in group], by=by, at=at, whole=True
        )
    )
    for number, name, group in good:
        became = {next(outcomes).what for _ in group}
        what = next((one for one in ("created", "changed") if one in became), "unchanged")
        if "unchanged" in became and what == "created":
            what = "changed"
        report.rows.append(RowReport(number, name, what))
        if group[-1].retired:
            report.retired += 1
        else:
            report.in_force += 1


def _refused(number: int, name: str, refusal: Refusal) -> RowReport:
    return RowReport(number, name, "refused", refusal.field, refusal.code, refusal.sentence)


def _releases(
    raw: Mapping[str, str],
    agencies: Mapping[str, str],
    offices: Mapping[str, Office],
    below: Mapping[str, Sequence[Office]],
    own_words: Callable[[Mapping[str, Any], Office], Mapping[str, Any]] | None,
) -> Iterator[Release]:
    """The versions that one row means: that of 2009 where it says one, and today's on every level."""
    told = guides().get(raw["seq"], {})
    drafts = list(_drafts(raw, agencies))
    for draft in drafts[:-1]:
        services.check_dates(draft.since, draft.until)
        yield draft.release()
    draft = drafts[-1]
    if draft.retired:
        services.check_dates(draft.since, draft.until)
        yield draft.release()
        return
    whole = draft.content(_more(draft, told))
    basic = str(whole.get("basic_code", ""))
    law = {code: whole[code] for code in OF_LAW if code in whole}
    common = {c: v for c, v in whole.items() if c not in OF_LAW and c not in OF_PLACE}
    place = {c: v for c, v in whole.items() if c in OF_PLACE}
    base, since = draft.code, draft.since
    yield Release(
        code=f"P.{base}", base=base, level=Level.PROVINCE, region=PROVINCE + "0000",
        agency=draft.agency, own=law, since=since,
    )  # fmt: skip
    yield Release(
        code=f"C.{base}", base=base, level=Level.CITY, region=CITY, agency=draft.agency,
        own=common, since=since, above=f"P.{base}",
    )  # fmt: skip
    office = offices.get(draft.agency)
    yield Release(
        code=base, base=base, level=Level.IMPLEMENTATION, region=draft.agency.partition("-")[0],
        agency=draft.agency, own=place | (office.content(basic) if office else {}), since=since,
        above=f"C.{base}",
    )  # fmt: skip
    ways = told.get("districts", "none")
    if ways == "none":
        return
    for one in below.get(draft.agency, ()):
        own = one.content(basic)
        if ways == "forwards":
            own["flow_of"] = base
        elif own_words is not None:
            own |= own_words(whole, one)
        yield Release(
            code=f"{base}-{one.region}", base=base, level=Level.IMPLEMENTATION, region=one.region,
            agency=one.agency, own=own, since=since, above=f"C.{base}",
        )  # fmt: skip


@cache
def guides() -> Mapping[str, Mapping[str, str]]:
    """The rest of the guides, by the running number of the list."""
    if not GUIDES.exists():
        return {}
    with GUIDES.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            row["seq"]: {key: (value or "").strip() for key, value in row.items()} for row in rows
        }


def _more(draft: Draft, told: Mapping[str, str]) -> dict[str, Any]:
    """What data/guides.csv adds to an item, in elements."""
    if not told:
        return {}
    basis = draft.basis
    basic = item_codes.NATIONAL.compose(
        province=PROVINCE, type=TYPE_DIGITS.get(draft.type, "10"), department=told["guiding"],
        main=told["main"], sub=told["sub"],
    ).text  # fmt: skip
    questions = [one.partition("|") for one in _listed(told["questions"], ";;")]
    return {
        "power": "own",
        "basic_code": basic,
        "guiding": told["guiding"],
        "targets": _listed(told["targets"]),
        "themes": _listed(told["themes"]),
        "conditions": _listed(told["conditions"]),
        "visits": int(told["visits"] or 0),
        "visits_why": told["why"],
        "result_kind": {"证照": "licence", "批文": "document"}.get(told["result_kind"], "other"),
        "result": told["result"] or draft.result,
        "validity": told["validity"],
        "channels": ["1"],
        "depth": "1",
        "scope": "city" if told["districts"] != "none" else "none",
        "post": True,
        "rights": RIGHTS,
        "duties": DUTIES,
        "questions": [{"q": q, "a": a} for q, _, a in questions],
        "english": told["english"],
        "synonyms": _listed(told["synonyms"]),
        "materials": [
            {
                "code": f"{n:02d}", "name": name, "need": "required", "form": "either", "copies": 1,
                "origin": _origin(name), **({"basis": basis} if basis else {}),
            }
            for n, name in enumerate(draft.materials, 1)
        ],
    }  # fmt: skip


def _listed(text: str, by: str = ";") -> list[str]:
    return [one.strip() for one in text.split(by) if one.strip()]


def _origin(name: str) -> str:
    """Who makes a paper, told from its name: what the state issues is not the applicant's."""
    issued = ("证", "执照", "批复", "批文", "意见", "许可", "决定书", "核准")
    studies = ("报告", "评估", "检测", "鉴定", "图审")
    if any(word in name for word in studies):
        return "intermediary"
    return "government" if any(name.endswith(word) for word in issued) else "applicant"


def _drafts(raw: Mapping[str, str], agencies: Mapping[str, str]) -> Iterator[Draft]:
    """The versions that one row of the list means: that of 2009 where it says one, and today's."""
    agency = agencies.get(raw["department"])
    if agency is None:
        raise Refusal(
            "item.department", f"没有名为“{raw['department']}”的部门。请先登记部门或者改正名称。",
            field="department",
        )  # fmt: skip
    try:
        serial = int(raw["seq"])
    except ValueError as error:
        raise Refusal("item.seq", "序号应为整数。", field="seq") from error
    gone = raw.get("retired_on", "")
    promised = _limit(raw, "promised", None, basis="办事指南承诺")
    code = item_code(raw["type"], serial)
    notes = [raw.get("note", ""), raw.get("limit_note", "")]
    common: dict[str, Any] = {
        "code": code,
        "name": raw["name"],
        "type": raw["type"],
        "agency": agency,
        "kind": raw["kind"],
        "materials": tuple(m.strip() for m in raw.get("materials", "").split(";") if m.strip()),
        "result": "行政许可决定书" if raw["type"] == LICENCE else "办理决定书",
        "fee": raw.get("fee", "") or "无",
        "pay_first": raw.get("pay_first", "") == "yes",
        "note": "；".join(part for part in notes if part),
    }
    old = _limit(raw, "limit_2009", "limit_2009_unit", basis=raw.get("basis_2009", ""))
    if gone:
        try:
            retired_on = None if gone == "unknown" else date.fromisoformat(gone)
        except ValueError as error:
            raise Refusal(
                "item.retired_on", f"取消日期“{gone}”不是日期，也不是 unknown。", field="retired_on"
            ) from error
        yield Draft(
            **common,
            statutory=old,
            promised=promised,
            promised_is=raw.get("promised_is", ""),
            basis=raw.get("basis_2009", "") or raw["basis"],
            since=LIST_2009,
            until=retired_on or LIST_TODAY,
            retired=True,
            retired_on=retired_on,
        )
        return
    if old is not None:
        yield Draft(
            **common,
            statutory=old,
            promised=None,
            promised_is="",
            basis=raw.get("basis_2009", "") or raw["basis"],
            since=LIST_2009,
            until=LIST_TODAY,
        )
    statutory = _limit(raw, "limit", "limit_unit", basis=raw["basis"])
    if statutory is None and raw["type"] == LICENCE and raw["kind"] != "immediate":
        statutory = GENERAL
    yield Draft(
        **common,
        statutory=statutory,
        promised=promised,
        promised_is=raw.get("promised_is", ""),
        basis=raw["basis"],
        since=LIST_TODAY,
    )


def _limit(raw: Mapping[str, str], name: str, unit: str | None, *, basis: str) -> Limit | None:
    text = raw.get(name, "")
    if not text:
        return None
    try:
        value = int(text)
        kind = Unit((raw.get(unit) or "working_day") if unit else "working_day")
    except ValueError as error:
        raise Refusal(
            "item.limit", f"时限“{text}”不是整数，或者单位不认识。", field=name
        ) from error
    if not 0 <= value <= 3650:
        raise Refusal("item.limit", f"时限 {value} 不合理（0 到 3650）。", field=name)
    return Limit(value, kind, basis)
