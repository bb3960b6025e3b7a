"""What a change does (发布预览与影响): differences in words, what follows below, cases under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import impact, transition
from zhengwu.catalog import browsing, changes, queries, templates
from zhengwu.catalog.changes import Change, Conflict, Preview
from zhengwu.catalog.listing import PROMISED_IS_ZH
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.catalog.services import SHANGHAI, Outcome
from zhengwu.desk.changes import diff
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, Element, Level
from zhengwu.domain.identifiers.item_codes import GUIDING_DEPARTMENTS
from zhengwu.domain.refusal import Refusal

ROWS = 60  # implementations that are listed one by one
LISTED = 20  # cases that are named


# --- words ------------------------------------------------------------------------------------------


def options(element: Element) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """What may be chosen, in groups: of most elements one without a name."""
    if element.code == "themes":
        return tuple(
            (zh, {t.code: t.name for t in browsing.themes().values() if t.audience == audience})
            for audience, zh in browsing.AUDIENCES_ZH.items()
        )
    if element.code == "promised_is":
        return (("", PROMISED_IS_ZH),)
    if element.code == "template":
        return (("", {one.code: one.name for one in templates.templates().values()}),)
    return (("", element.choices or {}),)


def told(element: Element, value: Any) -> str:
    """A value as a person reads it, with the names of themes and templates."""
    return _named(element, guide.spelled(element, value))


def _named(element: Element, text: str) -> str:
    if element.code == "guiding" and text in GUIDING_DEPARTMENTS:
        return f"{GUIDING_DEPARTMENTS[text]}（{text}）"
    if element.code not in ("themes", "template", "promised_is") or not text:
        return text
    names = {code: zh for _, group in options(element) for code, zh in group.items()}
    return "、".join(names.get(one, one) for one in text.split("、"))


# --- differences ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that differs, line by line. same: how many lines stayed as they were."""

    code: str
    zh: str
    group: str
    lines: tuple[diff.Line, ...]
    same: int


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    made = []
    for one in guide.differences(before, after):
        element = BY_CODE[one.code]
        every = diff.lines(_named(element, one.before), _named(element, one.after))
        kept = tuple(line for line in every if line.what != "same")
        made.append(Difference(one.code, one.zh, one.group, kept, len(every) - len(kept)))
    return tuple(made)


# --- what follows below -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Followed:
    """An implementation below. fallen: of its own words those that give way, and what they said."""

    code: str
    name: str
    agency: str
    what: str
    since: date
    fallen: tuple[tuple[str, str], ...]
    faults: tuple[Refusal, ...]


_WHAT = {"changed": "跟着改变", "unchanged": "不变", "refused": "不能发布", "created": "新增"}


def following(change: Change, preview: Preview) -> tuple[Followed, ...]:
    """What stands below and changes with it: first what would break, then what loses words."""
    beside = (change, *(one.change for one in preview.conflicts))
    names = {one.agency: one.agency_name for one in beside}
    others = {one.release.agency for one in preview.following} - set(names)
    names |= accounts.names(agencies=others).agencies
    made = [
        Followed(
            code=one.release.code,
            name=str(one.after.get("name") or one.release.code),
            agency=names.get(one.release.agency, one.release.agency),
            what="一起取消" if one.release.retired else _WHAT[one.what],
            since=one.since,
            fallen=tuple(
                (BY_CODE[code].zh, told(BY_CODE[code], one.before.get(code))) for code in one.fallen
            ),
            faults=one.faults,
        )
        for one in preview.following
    ]
    return tuple(sorted(made, key=lambda one: (not one.faults, not one.fallen, one.code)))


# --- the whole preview ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beside:
    """Another change in the air. open: whether this actor may look at it."""

    conflict: Conflict
    open: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing would do, or did. against: what the differences are differences to.

    faults: why it cannot be published; done: it is published, `released` is what became of it.
    """

    done: bool
    against: str
    differences: tuple[Difference, ...]
    followed: tuple[Followed, ...]
    faults: tuple[Refusal, ...]
    beside: tuple[Beside, ...]
    nothing: bool
    score: guide.Completeness
    released: tuple[ItemVersionRow, ...] = ()


def effect(actor: Actor, change: Change, preview: Preview | None) -> Effect:
    """preview: None for what is published."""
    if preview is None:
        return _done(change)
    main = preview.main
    beside = changes.seen(actor, [one.change for one in preview.conflicts])
    new = change.purpose == "new"
    above = queries.standing(change.above, main.since) if new and change.above else None
    if change.purpose == "retire":
        found: tuple[Difference, ...] = ()
    else:
        before = above.whole if above else main.before
        if any(fault.code == "change.outdated" for fault in preview.faults) and change.onto:
            before = queries.version(change.item, change.onto).whole
        found = differences(before, main.after)
    nothing = main.what == "unchanged"
    return Effect(
        done=False,
        against="上级清单" if above else "" if new else f"第 {change.onto} 版",
        differences=found,
        followed=following(change, preview),
        faults=_once(preview.faults),
        beside=tuple(Beside(one, one.change.id in beside) for one in preview.conflicts),
        nothing=nothing,
        score=guide.completeness(main.after),
    )


def _done(change: Change) -> Effect:
    released = changes.released(change)
    own = next((one for one in released if one.code == change.item), None)
    after = own.whole if own else {}
    before: Mapping[str, Any] = {}
    if own and own.version > 1:
        before = queries.version(own.code, own.version - 1).whole
    found = () if change.purpose == "retire" else differences(before, after)
    return Effect(
        done=True,
        against=f"第 {own.version - 1} 版" if own and own.version > 1 else "",
        differences=found,
        followed=(),
        faults=(),
        beside=(),
        nothing=False,
        score=guide.completeness(after),
        released=released,
    )


def _once(faults: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Each fault once: many implementations may break by the same rule."""
    return tuple({(one.code, one.field, one.sentence): one for one in faults}.values())


# --- cases under way --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases under way of one of the items that change. items: those one may look at, by code;
    moves: what the transitional clause will do; run: what it did."""

    item: str
    items: Mapping[str, str]
    running: impact.Running
    drafts: impact.Drafts
    desks: Mapping[str, str]
    moves: transition.Preview | None
    run: transition.Outcome | None
    clause: bool


def cases(
    change: Change, preview: Preview | None, found: Effect, *, of: str, at: datetime
) -> Cases | None:
    """The cases of the item asked for, else of the first; None where no item of the change has any:
    a new one, or a list without implementations."""
    rows: dict[str, ItemVersionRow | Outcome] = {}
    if preview is None:
        rows = {one.code: one for one in found.released if one.level == Level.IMPLEMENTATION}
    else:
        every = (preview.main, *preview.following)
        rows = {
            one.release.code: one
            for one in every
            if one.release.level is Level.IMPLEMENTATION and one.before
        }
    if not rows:
        return None
    code = of if of in rows else next(iter(rows))
    one = rows[code]
    version = one if isinstance(one, ItemVersionRow) else _row(one)
    clause = version.transition and not version.retired
    moves = run = None
    if clause and preview is None:
        run = transition.outcome(code, version.version)
    elif clause and version.version:
        moves = transition.preview(code, version, at=max(at, _begin(version.in_force_from)))
    drafts = impact.drafts(code)
    desks = accounts.names(agencies=drafts.by_agency)
    return Cases(
        item=code,
        items={
            key: row.name if isinstance(row, ItemVersionRow) else str(row.after.get("name") or key)
            for key, row in rows.items()
        },
        running=impact.running(code, at=at),
        drafts=drafts,
        desks={key: desks.agency(key) or "不明" for key in drafts.by_agency},
        moves=moves,
        run=run,
        clause=clause,
    )


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _row(one: Outcome) -> ItemVersionRow:
    """A planned version as if it were published: what a transitional clause is worked out from."""
    release, whole = one.release, one.after
    return ItemVersionRow(
        code=release.code,
        base=release.base,
        level=release.level,
        region=release.region,
        name=str(whole.get("name", "")),
        version=one.version,
        type=str(whole.get("type", "")),
        agency=release.agency,
        agency_name="",
        kind=str(whole.get("kind", "")),
        steps=guide.steps(one.steps),
        in_force_from=one.since,
        in_force_to=one.until,
        retired=release.retired,
        retired_on=release.retired_on,
        pay_first=bool(whole.get("pay_first")),
        transition=release.transition,
        generated=release.generated,
        score=0,
        above="",
        approved=release.approved,
        own=release.own,
        whole=whole,
    )
