"""The events of a selection of cases as a log in XES (IEEE 1849): for any process-mining tool, and
for another city, which takes it in with `zhengwu replay FILE --map zhengwu`.

Nothing of applicants and nothing that people wrote. Who did it stands there only where the one who
asks may see it; else the agency alone. A trace is called by the number of its case, or, where one
other system's cases were asked for, by the number they have there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from zhengwu.accounts.queries import Reach
from zhengwu.cases import process, xes_writing
from zhengwu.cases.process import Selection, Way
from zhengwu.cases.xes import Attribute
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.process import Happening

PIECE = 64 * 1024  # letters, about, of one piece


def stream(reach: Reach, selection: Selection, *, people: bool, at: datetime) -> Iterator[bytes]:
    """The log in pieces. people: with the codes of who did it. Raises Refusal as process.check,
    before the first piece.
    """
    process.check(selection)
    return _pieces(reach, selection, people=people, at=at)


def _pieces(reach: Reach, selection: Selection, *, people: bool, at: datetime) -> Iterator[bytes]:
    waiting = [xes_writing.head(_of_log(selection, at))]
    length = 0
    foreign = selection.source.startswith("link:")
    for row in process.every(reach, selection):
        one = process.way(row)
        if not one.happened:
            continue
        text = xes_writing.trace(_of_case(one, foreign=foreign), _events(one, people=people))
        waiting.append(text)
        length += len(text)
        if length > PIECE:
            yield "".join(waiting).encode()
            waiting, length = [], 0
    yield ("".join(waiting) + xes_writing.FOOT).encode()


def _string(key: str, value: object) -> Attribute:
    return Attribute(key, "string", str(value))


def _date(key: str, value: datetime) -> Attribute:
    # In UTC: there are readers that drop the offset (pm4py 2.7), and they are right all the same.
    return Attribute(key, "date", value.astimezone(UTC))


def _of_log(selection: Selection, at: datetime) -> Iterator[Attribute]:
    yield _string("concept:name", "办件事件日志")
    yield _string("lifecycle:model", "standard")
    yield _date("zw.exported", at)
    for name in ("item", "agency", "source", "outcome"):
        if value := getattr(selection, name):
            yield _string(f"zw.selected.{name}", value)
    for name in ("since", "until"):
        if (moment := getattr(selection, name)) is not None:
            yield _date(f"zw.selected.{name}", moment)


def _of_case(one: Way, *, foreign: bool) -> Iterator[Attribute]:
    row = one.row
    yield _string("concept:name", row.foreign_id if foreign and row.foreign_id else row.number)
    yield _string("zw.number", row.number)
    for key, value in (
        ("source", row.source), ("kind", row.kind), ("item", row.item),
        ("item_name", row.item_name), ("agency", row.agency), ("region", row.region),
    ):  # fmt: skip
        if value:
            yield _string(f"zw.{key}", value)
    if row.item_version is not None:
        yield Attribute("zw.item_version", "int", row.item_version)
    yield _date("zw.opened", row.opened)
    for event in one.counting:
        if event.nature is not Nature.OBSERVATION or not process.from_attribute(event):
            continue
        claim = event.body.get("claim")
        if event.kind == "closed":
            yield _date("zw.ended", event.occurred)
        elif isinstance(claim, Mapping):
            yield _date(f"zw.claim.{claim['kind']}", datetime.fromisoformat(str(claim["due"])))


def _events(one: Way, *, people: bool) -> Iterator[list[Attribute]]:
    events = {event.version: event for event in one.counting}
    for happening in one.happened:
        yield list(_of_event(happening, events[happening.version], people=people))


def _of_event(happening: Happening, event: Event, *, people: bool) -> Iterator[Attribute]:
    yield _string("concept:name", happening.activity)
    yield _date("time:timestamp", happening.at)
    yield _string("lifecycle:transition", "complete")
    if people and happening.resource:
        yield _string("org:resource", happening.resource)
    if happening.group:
        yield _string("org:group", happening.group)
    body = event.body
    if event.nature is Nature.OBSERVATION:
        foreign = body.get("foreign")
        if isinstance(foreign, Mapping) and foreign.get("id"):
            yield _string("concept:instance", foreign["id"])
        if happening.label:
            yield _string("zw.label", happening.label)
        if body.get("outcome"):
            yield _string("zw.outcome", body["outcome"])
        if body.get("deviation"):
            yield _string("zw.deviation", body["deviation"])
        claims = body.get("claims")
        for name, moment in (claims if isinstance(claims, Mapping) else {}).items():
            yield _date(f"zw.claim.{name}", datetime.fromisoformat(str(moment)))
    else:
        if event.kind in ("granted", "refused"):
            yield _string("zw.outcome", event.kind)
        if body.get("step"):
            yield _string("zw.step", body["step"])
    yield _string("zw.kind", event.kind)
    yield _string("zw.nature", event.nature)
    yield Attribute("zw.version", "int", event.version)
    if event.recorded != happening.at:
        yield _date("zw.recorded", event.recorded)


__all__ = ["stream"]
