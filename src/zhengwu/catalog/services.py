"""Publishing items (发布事项): the only writers of versions; what the rules forbid is refused."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from zhengwu.catalog import queries, templates
from zhengwu.catalog.events import STREAM
from zhengwu.catalog.models import Item, ItemVersion
from zhengwu.domain.procedure import Flow, Limit, Unit
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

SHANGHAI = ZoneInfo("Asia/Shanghai")
ITEMS = Path(__file__).parent / "data" / "items.csv"
LIST_2009 = date(2009, 1, 1)  # the list that the study of 2009 describes
LIST_TODAY = date(2026, 1, 1)  # the demo city's list in force: a date of ours, not of a law
LICENCE = "行政许可"
# 行政许可法 42: where the special law is silent, twenty working days.
GENERAL = Limit(20, Unit.WORKING_DAY, "行政许可法 第四十二条")
CODES = {"行政许可": "XK", "行政确认": "QR", "其他行政权力": "QT", "公共服务": "GG"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One version to be published."""

    code: str
    name: str
    type: str
    agency: str
    kind: str
    statutory: Limit | None
    promised: Limit | None
    promised_is: str
    materials: tuple[str, ...]
    result: str
    basis: str
    fee: str
    note: str
    since: date
    until: date | None = None
    retired: bool = False
    retired_on: date | None = None
    pay_first: bool = False  # the charge is paid before the result is handed out


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


def check(draft: Draft) -> None:
    """The rules of publication; raises Refusal with the field and the rule."""
    if not draft.name.strip():
        raise Refusal("item.name", "事项没有名称。", field="name")
    if draft.kind not in ("immediate", "promised", "forwarded"):
        raise Refusal(
            "item.kind", f"办件类型“{draft.kind}”不是即办件、承诺件或者上报件。", field="kind"
        )
    if not draft.basis.strip():
        raise Refusal(
            "item.no_basis",
            "事项没有设定依据，不能发布。请补上法律、法规或者规章的条款。",
            article="行政许可法 第三十条",
            field="basis",
        )
    for name, text, most in (
        ("name", draft.name, 200),
        ("type", draft.type, 40),
        ("code", draft.code, 40),
        ("promised_is", draft.promised_is, 16),
    ):
        if len(text) > most:
            raise Refusal(
                "item.too_long", f"内容最多 {most} 个字，现在有 {len(text)} 个。", field=name
            )
    if any("\x00" in text for text in (draft.name, draft.basis, draft.fee, draft.note)):
        raise Refusal("item.control", "内容里有不可见的控制字符。请删去。", field="name")
    if draft.until is not None and draft.until <= draft.since:
        raise Refusal("item.dates", "施行期间的止日不晚于起日。请核对。", field="in_force")
    flow = Flow(templates.flow(draft.kind, draft.promised))
    flow.check(promised=draft.promised, statutory=draft.statutory)


def publish(draft: Draft, *, by: str | None, at: datetime) -> str:
    """Publish a version; returns created, changed or unchanged. Raises Refusal.

    A version equal to the item's version of the same beginning changes nothing. A different one
    that begins later ends the version before it; one that begins on the same day starts today.
    """
    check(draft)
    digest = _digest(draft)
    with transaction.atomic():
        item, _ = Item.objects.get_or_create(code=draft.code, defaults={"stream": ledger.uuid7()})
        item = Item.objects.select_for_update().get(pk=item.pk)
        versions = list(item.versions.order_by("version"))
        if versions and versions[-1].digest == digest:
            return "unchanged"
        if draft.until is not None and (
            before := next((v for v in versions if v.in_force.lower == draft.since), None)
        ):
            # What was in force stands as it was published; only a retirement must agree.
            if draft.retired and before.digest != digest:
                raise Refusal(
                    "item.history_fixed",
                    "这个事项的历史版本已经发布，不能改写。请恢复原来的内容，或者另行发布更正。",
                    field="in_force",
                )
            return "unchanged"
        since = draft.since
        if any(one.in_force.lower == since for one in versions):
            since = max(at.astimezone(SHANGHAI).date(), since)
        for one in versions:
            if one.in_force.upper is None and one.in_force.lower < since:
                one.in_force = DateRange(one.in_force.lower, since)
                one.save(update_fields=["in_force"])
        if any(one.in_force.lower == since for one in versions):
            raise Refusal(
                "item.twice_a_day", "这个事项今天已经发布过一版，请明天再发布。", field="in_force"
            )
        number = len(versions) + 1
        flow = templates.flow(draft.kind, draft.promised)
        ItemVersion.objects.create(
            item=item,
            version=number,
            in_force=DateRange(since, draft.until),
            name=draft.name,
            type=draft.type,
            agency=draft.agency,
            kind=draft.kind,
            statutory=asdict(draft.statutory) if draft.statutory else None,
            promised=asdict(draft.promised) if draft.promised else None,
            promised_is=draft.promised_is,
            materials=[
                {"code": f"{n:02d}", "name": name} for n, name in enumerate(draft.materials, 1)
            ],
            steps=[asdict(one) for one in flow],
            result=draft.result,
            basis=draft.basis,
            fee=draft.fee,
            pay_first=draft.pay_first,
            note=draft.note,
            retired=draft.retired,
            retired_on=draft.retired_on,
            digest=digest,
        )
        ledger.append(
            STREAM,
            [
                ledger.Row(
                    stream_id=item.stream,
                    expected=number - 1,
                    event=ledger.NewEvent(
                        kind="retired" if draft.retired else "published",
                        occurred=at,
                        actor=by,
                        agency=draft.agency,
                        source="catalog",
                        key=f"{draft.code}@{number}",
                        body={
                            "item": draft.code,
                            "version": number,
                            "since": since.isoformat(),
                            "digest": f"sha256:{digest}",
                        },
                    ),
                )
            ],
            whole=True,
        )
    queries.version.cache_clear()
    return "changed" if versions else "created"


def _digest(draft: Draft) -> str:
    text = json.dumps(asdict(draft), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def import_items(
    lines: Iterable[str] | None = None,
    *,
    agencies: Mapping[str, str],
    at: datetime,
    by: str | None = None,
) -> Report:
    """Import the list of items (CSV). agencies: name → code. A bad row is reported, the rest goes in.

    lines: the file's lines; the shipped list by default. A second import changes nothing.
    """
    if lines is None:
        with ITEMS.open(encoding="utf-8") as file:
            return import_items(list(file), agencies=agencies, at=at, by=by)
    report = Report()
    seen: dict[str, int] = {}
    reader = csv.DictReader(line for line in lines if not line.startswith("#"))
    missing = {"seq", "name", "type", "department", "kind", "basis"} - set(reader.fieldnames or ())
    if missing:
        raise Refusal("import.columns", f"文件缺少这些列：{'、'.join(sorted(missing))}。")
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
            drafts = list(_drafts(raw, agencies))
            with transaction.atomic():
                outcomes = {publish(draft, by=by, at=at) for draft in drafts}
        except Refusal as refusal:
            report.rows.append(
                RowReport(number, name, "refused", refusal.field, refusal.code, refusal.sentence)
            )
            continue
        outcome = (
            "created" if "created" in outcomes
            else "changed" if "changed" in outcomes
            else "unchanged"
        )  # fmt: skip
        report.rows.append(RowReport(number, name, outcome))
        if drafts[-1].retired:
            report.retired += 1
        else:
            report.in_force += 1
    return report


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
