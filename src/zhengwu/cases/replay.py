"""Replaying another system's log (重放): its events become observations, by the same commit.

A mapping (TOML) says which attribute is what and which foreign name means which observation; a
name it does not list is a `step`. Nothing is invented: no acceptance, decision or document that
the log does not report. A second replay of the same file changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import rfc8785

from zhengwu.calendars import queries as calendars
from zhengwu.cases import heads
from zhengwu.cases.events import OBSERVATIONS, STREAM
from zhengwu.cases.xes import TOO_LONG, Trace, readable, traces
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

CHUNK = 2_000  # events a transaction: an open transaction holds up the sequencer
FIRST_YEAR, LAST_YEAR = 1900, 2200  # of an instant that is taken in
OUTCOMES = ("granted", "refused")
SHIPPED = Path(__file__).parent / "mappings"


@dataclass(frozen=True, slots=True)
class LogMapping:
    """A mapping file, read and checked."""

    title: str
    source: str
    agency: str
    region: str
    zone: ZoneInfo
    trace: Mapping[str, Any]
    event: Mapping[str, Any]
    observations: Mapping[str, str]


@dataclass(slots=True)
class Reject:
    """An entry of the file that was not imported, and why."""

    trace: str
    index: int | None
    rule: str
    sentence: str


@dataclass(slots=True)
class Report:
    """What a replay did. Counts of this run; `cases` and `events` are those of the file."""

    cases: int = 0
    events: int = 0
    written: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    opened: int = 0
    rejects: list[Reject] = field(default_factory=list)


def load_mapping(name: str) -> LogMapping:
    """A shipped mapping by name, or a TOML file by path. Raises Refusal (`mapping.*`)."""
    shipped = SHIPPED / f"{name}.toml"
    path = shipped if re.fullmatch(r"[a-z0-9_-]+", name) and shipped.exists() else Path(name)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = "、".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise Refusal(
            "mapping.unknown", f"没有名为“{name}”的映射。自带的映射有：{known}。"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal("mapping.broken", f"映射文件 {path.name} 读不懂：{error}") from error
    try:
        mapping = LogMapping(
            title=str(raw["title"]),
            source=str(raw["source"]),
            agency=str(raw["agency"]),
            region=str(raw["region"]),
            zone=ZoneInfo(raw["timezone"]),
            trace=raw["trace"],
            event=raw["event"],
            observations=raw.get("observations", {}),
        )
        for section, needed in ((mapping.trace, ["id"]), (mapping.event, ["name", "time"])):
            for key in needed:
                if not isinstance(section[key], str):
                    raise KeyError(key)
    except (KeyError, TypeError, ZoneInfoNotFoundError) as error:
        raise Refusal(
            "mapping.incomplete", f"映射文件 {path.name} 缺少或者写错了 {error}。"
        ) from error
    if strange := set(mapping.observations.values()) - OBSERVATIONS:
        raise Refusal(
            "mapping.observation",
            f"映射文件 {path.name} 里有不认识的观测：{'、'.join(sorted(strange))}。",
        )
    return mapping


def instant(text: str, zone: ZoneInfo) -> datetime | None:
    """An instant in UTC; a time without an offset is read in `zone`. None if it is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation ready to be written, before it knows its stream."""

    kind: str
    key: str
    occurred: datetime
    recorded: datetime
    body: Mapping[str, Any]


def observations(trace: Trace, mapping: LogMapping, rejects: list[Reject]) -> list[Seen]:
    """The observations of one trace, in order; what cannot be taken goes to `rejects`."""
    name = trace.attributes.get(mapping.trace["id"], "")
    if not name or len(name) > 100:
        rejects.append(
            Reject(
                f"#{trace.index + 1}", None, "replay.case_without_id",
                f"办件没有编号（{mapping.trace['id']}），或者超过 100 字，整件未导入。"
                "请来源系统补上编号后重新导出。",
            )
        )  # fmt: skip
        return []
    if -1 in trace.long:
        rejects.append(
            Reject(
                name, None, "replay.too_long",
                f"办件的属性 {trace.long[-1]} {TOO_LONG}，没有照抄，其余照常导入。",
            )
        )  # fmt: skip
    zone = mapping.zone
    seen: list[Seen] = []
    for index, raw in enumerate(trace.events):
        label = raw.get(mapping.event["name"], "").strip()
        moment = instant(raw.get(mapping.event["time"], ""), zone)
        if index in trace.long:
            rejects.append(
                Reject(
                    name, index, "replay.too_long",
                    f"事件的属性 {trace.long[index]} {TOO_LONG}，事件未导入。"
                    "请来源系统缩短后重新导出。",
                )
            )  # fmt: skip
            continue
        if not label:
            rejects.append(
                Reject(
                    name, index, "replay.nameless",
                    f"事件没有名称（{mapping.event['name']}），未导入。请来源系统补上后重新导出。",
                )
            )  # fmt: skip
            continue
        if moment is None:
            rejects.append(
                Reject(
                    name, index, "replay.no_time",
                    f"事件的时间（{mapping.event['time']}）没有写，或者不是 {FIRST_YEAR} 年到"
                    f" {LAST_YEAR} 年之间的时刻，未导入。请来源系统更正后重新导出。",
                )
            )  # fmt: skip
            continue
        first = not seen
        kind = "received" if first else mapping.observations.get(label, "step")
        foreign = {
            "actor": raw.get(mapping.event.get("actor", ""), None),
            "id": raw.get(mapping.event.get("id", ""), None),
            "name": label,
        }
        if group := raw.get(mapping.event.get("group", ""), None):
            foreign["group"] = group
        body: dict[str, Any] = {"foreign": foreign}
        decided = raw.get(mapping.event.get("outcome", ""), None)
        if kind == "decided" and decided in OUTCOMES:
            body["outcome"] = decided
        occurred = moment
        if first:
            start = instant(trace.attributes.get(mapping.trace.get("start", ""), ""), zone)
            occurred = start or moment
            body["kept"] = {
                key: trace.attributes[key]
                for key in mapping.trace.get("keep", [])
                if key in trace.attributes
            }
            amounts = {
                key: amount
                for key in mapping.trace.get("amounts", [])
                if (amount := _whole(trace.attributes.get(key))) is not None
            }
            if amounts:
                body["amounts"] = amounts
            body["case"] = name
        else:
            body["step"] = raw.get(mapping.event.get("label", ""), "").strip() or label
        claims = {}
        for key, attribute in mapping.event.get("claims", {}).items():
            if attribute in raw and (claimed := instant(raw[attribute], zone)):
                claims[key] = stamp(claimed)
        if claims:
            body["claims"] = claims
        seen.append(Seen(kind, f"{name}/{index}", occurred, moment, body))
    if not seen:
        rejects.append(Reject(name, None, "replay.empty", "办件没有一个可用的事件，未导入。"))
        return []
    entered = seen[0].recorded
    for claim, attribute in mapping.trace.get("claims", {}).items():
        if due := instant(trace.attributes.get(attribute, ""), zone):
            body = {"claim": {"kind": claim, "due": stamp(due)}, "foreign": {"name": attribute}}
            seen.append(Seen("claim", f"{name}/claim/{claim}", entered, entered, body))
    if end := instant(trace.attributes.get(mapping.trace.get("end", ""), ""), zone):
        seen.append(Seen("closed", f"{name}/closed", end, end, {"foreign": {"name": "end"}}))
    return seen


def _whole(text: str | None) -> int | None:
    """A whole number of cents, half up; None if the text is no number."""
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return int(amount.to_integral_value()) if amount.is_finite() else None


def run(
    path: Path,
    mapping_name: str,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Replay a file. `progress(cases, events)` is told after every chunk.

    Raises Refusal for a mapping or a file that cannot be read to its end: then nothing is taken in.
    What is interrupted is completed by a repeated replay.
    """
    mapping = load_mapping(mapping_name)
    readable(path)
    report = Report()
    known_ids: set[str] = set()
    batch: list[tuple[str, list[Seen]]] = []
    waiting = 0
    for trace in traces(path):
        report.cases += 1
        report.events += len(trace.events)
        seen = observations(trace, mapping, report.rejects)
        if not seen:
            continue
        name = trace.attributes[mapping.trace["id"]]
        if name in known_ids:
            report.rejects.append(
                Reject(name, None, "replay.twice", "同一编号在文件中出现两次，后一件未导入。")
            )
            continue
        known_ids.add(name)
        batch.append((name, seen))
        waiting += len(seen)
        if waiting >= CHUNK:
            _write(batch, mapping, report)
            batch, waiting = [], 0
            if progress:
                progress(report.cases, report.events)
    if batch:
        _write(batch, mapping, report)
    if progress:
        progress(report.cases, report.events)
    return report


def _write(batch: Sequence[tuple[str, list[Seen]]], mapping: LogMapping, report: Report) -> None:
    existing = heads.foreign(mapping.source, [name for name, _ in batch])
    known = ledger_queries.requests(
        mapping.source, [one.key for name, seen in batch if name in existing for one in seen]
    )
    fresh = [name for name, _ in batch if name not in existing]
    numbers = iter(heads.new_numbers(len(fresh)))
    rows: list[ledger.Row] = []
    edition = calendars.edition(mapping.region)
    for name, seen in batch:
        held = existing.get(name)
        number = None if held else next(numbers)
        for row in _rows(name, seen, mapping, held=held, number=number, edition=edition):
            if row.event.key not in known:
                rows.append(row)  # new, or news of a trace that has grown
            elif known[row.event.key] == row.event.request:
                report.repeated += 1
            else:
                report.rejects.append(
                    Reject(
                        name, None, "replay.reused",
                        "同一键的内容与已入账的不同；未导入，请来源系统核对。",
                    )
                )  # fmt: skip
    for outcome, row in zip(ledger.append(STREAM, rows), rows, strict=True):
        if outcome.status == ledger.Status.REPEATED:
            report.repeated += 1
        elif outcome.status == ledger.Status.MOVED:
            kind = row.event.kind
            report.written[kind] = report.written.get(kind, 0) + 1
            report.opened += outcome.version == 1
        else:
            report.rejects.append(
                Reject(
                    str(row.event.key).partition("/")[0],
                    None,
                    f"replay.{outcome.status}",
                    "同一键的内容与已入账的不同，或者办件同时被别处改动；未导入，请核对后重放。",
                )
            )


def _rows(
    name: str,
    seen: Sequence[Seen],
    mapping: LogMapping,
    *,
    held: heads.Foreign | None,
    number: int | None,
    edition: Edition,
) -> Iterator[ledger.Row]:
    events: list[Event] = []
    new: list[tuple[Seen, Event]] = []
    standing = lifecycle.fold(())
    for at, one in enumerate(seen, start=1):
        body = {**one.body, "deviation": lifecycle.deviation(standing, one.kind)}
        event = Event(
            version=at,
            kind=one.kind,
            nature=Nature.OBSERVATION,
            occurred=one.occurred,
            recorded=one.recorded,
            received=one.recorded,
            agency=mapping.agency,
            region=mapping.region,
            source=mapping.source,
            body=body,
        )
        events.append(event)
        standing = lifecycle.fold(events) if _moves(one.kind) else standing._replace(version=at)
        new.append((one, event))
    reading = clock.read(events, at=max(e.occurred for e in events), edition=edition)
    head = heads.derived(lifecycle.fold(events), reading=reading)
    if held is None:
        head |= {
            "number": heads.case_number(seen[0].occurred, number or 0),
            "query_code": heads.query_code(),
            "source": mapping.source,
            "foreign_id": name,
            "kind": "foreign",
            "item": None,
            "item_version": None,
            "item_name": mapping.title,
            "agency": mapping.agency,
            "region": mapping.region,
            "hall": None,
            "window": None,
            "applicant_id": None,
            "opened": seen[0].occurred,
        }
    stream_id: UUID = held.id if held else ledger.uuid7()
    for one, event in new:
        yield ledger.Row(
            stream_id=stream_id,
            expected=held.version if held else 0,
            event=ledger.NewEvent(
                kind=one.kind,
                nature=Nature.OBSERVATION,
                occurred=one.occurred,
                recorded=one.recorded,
                actor=None,
                post=None,
                agency=mapping.agency,
                region=mapping.region,
                source=mapping.source,
                key=one.key,
                request=hashlib.sha256(
                    rfc8785.dumps({"k": one.kind, "o": stamp(one.occurred), "b": dict(event.body)})
                ).digest(),
                body=event.body,
            ),
            head=head,
        )


def _moves(kind: str) -> bool:
    """A plain step or claim leaves the state where it is; folding again would be waste."""
    return kind not in ("step", "claim")
