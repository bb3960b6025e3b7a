"""A case for its applicant (进度查询): found with number and query code, told in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from zhengwu.accounts import queries as accounts
from zhengwu.cases import explaining, loading, readings, reprojection, telling, wording
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.documents import kinds
from zhengwu.documents import queries as documents
from zhengwu.documents.kinds import Kind
from zhengwu.domain import clock
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import Standing
from zhengwu.halls import queries as halls
from zhengwu.ledger import queries as ledger_queries
from zhengwu.web import throttle

PER_SENDER = 20
PER_NUMBER = 10
WINDOW = timedelta(minutes=10)
# Letters between organs are not the applicant's papers.
NOT_SHOWN = frozenset({Kind.FORWARDING_LETTER})


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of the case. replaced_by: the number of what holds instead of a void one."""

    title: str
    number: str
    check: str
    issued: datetime
    void_since: datetime | None
    replaced_by: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the applicant sees; names are masked, no clerk is named."""

    number: str
    item: str | None
    item_name: str
    agency_zh: str
    applicant: str
    state: str
    state_zh: str
    outcome: str | None
    light: clock.Light
    reading: clock.Reading
    opened: datetime
    closed: datetime | None
    id: UUID
    told: telling.Told
    moved: tuple[readings.Change, ...]  # of the limit that presses, what moved its end
    story: tuple[telling.Line, ...]
    steps: tuple[tuple[str, str, datetime | None], ...]
    documents: tuple[Paper, ...]


def too_often(sender: str, number: str, *, at: datetime) -> bool:
    """Counts one more attempt, wherever it is made; whether it is one too many in WINDOW."""
    return throttle.one_too_many(
        ("track", sender, PER_SENDER),
        # By sender and number: nobody can lock a number for the one it belongs to.
        ("track-number", f"{sender} {number}", PER_NUMBER),
        at=at,
        within=WINDOW,
    )


def capitals(text: str) -> str:
    """A number or a code as people type it: capitals, without blanks and hyphens."""
    return text.upper().replace(" ", "").replace("　", "").replace("-", "")


def track(number: str, query_code: str, *, at: datetime) -> Tracked:
    """A case for whoever holds number and query code. Raises CaseNotFound."""
    loaded, beside = loading.load_public_to_show(
        number.strip().upper(), query_code.strip().upper(), BESIDE
    )
    issued, where, moves = beside
    standing = loaded.standing
    counting = loaded.counting
    reading = loaded.read(at)
    names = accounts.names(agencies={loaded.agency, *_agencies(loaded.events)})
    organ = names.agency(loaded.agency)
    return Tracked(
        number=loaded.number,
        item=loaded.item,
        item_name=loaded.item_name,
        agency_zh=organ,
        applicant=wording.masked(loaded.applicant().name),
        state=str(standing.state),
        state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
        outcome=standing.outcome,
        light=reading.light(at),
        reading=reading,
        opened=loaded.opened,
        closed=standing.closed_at,
        id=loaded.id,
        moved=_moved(loaded, reading, moves),
        told=telling.told(
            standing, reading, events=counting,
            matter=_matter(loaded, counting, names, halls.row(where)),
        ),
        story=_story(loaded, counting, names),
        steps=_steps(standing, counting),
        documents=_papers(loaded, standing, documents.listed(issued)),
    )  # fmt: skip


# What the page says beside the story: papers, the hall, what the calendar moved.
BESIDE = (
    documents.of_stream_sql(stream="'case'", stream_id="c.id"),
    halls.hall_sql("c.hall"),
    reprojection.moves_sql("c.id"),
)


def _moved(
    loaded: Loaded, reading: clock.Reading, moves: str | None
) -> tuple[readings.Change, ...]:
    pressing = reading.due
    if pressing is None:
        return ()
    return tuple(
        one
        for one in explaining.changes_of(
            loaded, reprojection.moves(moves, loaded.region, loaded.hall)
        )
        if one.kind == pressing.kind and (one.moved or one.became_firm)
    )


def _matter(
    loaded: Loaded, counting: Sequence[Event], names: accounts.Names, hall: halls.HallRow | None
) -> telling.Matter:
    organ = names.agency(loaded.agency)
    window = f"{loaded.window} 窗口" if loaded.window else ""
    place = f"{hall.name} {window}" if hall and window else window
    if loaded.item is None:
        return telling.Matter(kind=loaded.kind, organ=organ, source=wording.source(loaded.source))
    item = loaded.item_row()
    return telling.Matter(
        kind=loaded.kind,
        organ=organ,
        licence=item.type == kinds.LICENCE,
        result=item.result,
        fee=item.fee if item.pay_first else "",
        window=place,
        hours=hall.hours if hall else "",
        short=_short(loaded, counting),
        organs=_organs(counting, names),
    )


def _short(loaded: Loaded, counting: Sequence[Event]) -> tuple[telling.Short, ...]:
    """The materials still to be handed in, with what the last notice said of each."""
    short = [m for m in loaded.materials() if m.state not in telling.GOOD]
    if not short or str(loaded.standing.state) != "supplementing":
        return ()
    whys: dict[str, str] = {}
    for event in counting:
        if event.kind in ("received", "supplement_requested", "supplemented"):
            whys |= _content(event, "why")
    return tuple(
        telling.Short(m.name, m.state if m.state == "faulty" else "missing", whys.get(m.code, ""))
        for m in short
    )


def _organs(counting: Sequence[Event], names: accounts.Names) -> dict[int, str]:
    """The organs that events name, by version: in content (转报、不属职权), or by code (征求意见)."""
    found: dict[int, str] = {}
    for event in counting:
        if event.kind in ("forwarded", "not_ours"):
            name = _content(event, "organ").get("text") or names.agency(
                str(event.body.get("whose") or "")
            )
            if name:
                found[event.version] = name
        elif event.kind == "opinion_requested":
            found[event.version] = names.agency(str(event.body.get("agency") or ""))
    return found


def _content(event: Event, path: str) -> dict[str, str]:
    """The erasable content at a place of the body, as texts; empty where none is or it is gone."""
    held = event.body.get(path)
    if not isinstance(held, Mapping) or not held.get("content"):
        return {}
    kept = ledger_queries.content(str(held["content"]))
    if kept is None or not isinstance(kept.data, Mapping):
        return {}
    return {str(key): str(value) for key, value in kept.data.items()}


def _agencies(events: Sequence[Event]) -> set[str]:
    found: set[str] = set()
    for event in events:
        found.add(event.agency or "")
        for key in ("agency", "whose"):
            found.add(str(event.body.get(key) or ""))
    return found


def _story(
    loaded: Loaded, counting: Sequence[Event], names: accounts.Names
) -> tuple[telling.Line, ...]:
    counts = {event.version for event in counting}
    materials = {m.code: m.name for m in loaded.materials()}
    lines = []
    for event in loaded.events:
        if event.nature == Nature.OBSERVATION:
            who = wording.source(event.source)
        else:
            who = names.agency(event.agency) if event.actor else "系统自动"
        gone = event.version not in counts
        told = telling.line(event, who=who, materials=materials, gone=gone)
        if told is not None:
            lines.append(told)
    return tuple(lines)


def _steps(
    standing: Standing, counting: Sequence[Event]
) -> tuple[tuple[str, str, datetime | None], ...]:
    """申请, 受理, 审查, 决定, 领取: each done, cur or todo, with the day. Only what happened is
    done; where a case ends early, what did not happen stays undone."""
    first: dict[str, datetime] = {}
    for event in counting:
        first.setdefault(event.kind, event.occurred)
    decided = standing.decided_at
    reached = (
        ("申请", standing.received_at),
        ("受理", standing.accepted_at),
        ("审查", decided or None),
        ("决定", decided),
        ("领取", standing.delivered_at),
    )
    over = standing.closed_at is not None
    current = next((i for i, (_, when) in enumerate(reached) if when is None), len(reached))
    rows: list[tuple[str, str, datetime | None]] = []
    for i, (name, when) in enumerate(reached):
        if when is not None:
            shown = first.get("step_taken", when) if name == "审查" else when
            rows.append((name, "done", shown))
        else:
            rows.append((name, "cur" if i == current and not over else "todo", None))
    return tuple(rows)


def _papers(
    loaded: Loaded, standing: Standing, issued: Sequence[documents.OfCase]
) -> tuple[Paper, ...]:
    """The latest first; a decision is called by what it decides."""
    rows = []
    for one in issued:
        if one.kind in NOT_SHOWN:
            continue
        title = one.title
        if one.kind == Kind.DECISION and one.void_since is None and loaded.item is not None:
            title = kinds.title(
                Kind.DECISION, item_type=loaded.item_row().type, outcome=standing.outcome
            )
        rows.append(
            Paper(
                title, one.number, one.check_code, one.issued, one.void_since,
                one.replaced_by or "",
            )
        )  # fmt: skip
    return tuple(reversed(rows))


__all__ = ["CaseNotFound", "Paper", "Tracked", "capitals", "too_often", "track"]
