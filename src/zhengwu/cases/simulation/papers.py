"""Papers of simulated cases (文书): the wording's own data, made once, filled for every case.

For each item, kind of paper and variant the real functions of `documents.wording` are asked once,
with stand-ins for what differs from case to case (private-use characters for names and numbers,
days of the 2030s for days). The canonical text is cut at the stand-ins and filled: the same bytes as
if the wording had been asked for that case, at a hundredth of the price. A test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any

import orjson

from zhengwu.cases import grounds, papers
from zhengwu.cases.parties import Applicant
from zhengwu.cases.simulation import times
from zhengwu.cases.simulation.scene import Offer
from zhengwu.cases.simulation.stories import number
from zhengwu.cases.simulation.telling import Move, Paper, Story
from zhengwu.documents import kinds, wording
from zhengwu.documents.kinds import Kind
from zhengwu.documents.wording.facts import SHANGHAI, day_words, plain_day
from zhengwu.domain.calendar import Due
from zhengwu.domain.lifecycle import PROCEDURES

# What stands in for what differs; in private use, so that nothing else in a text is one of them.
NAME, NUMBER, CASE, CODE, CLERK, DECISION, PROOF = (chr(0xE000 + n) for n in range(7))
# Days that stand in: of the receipt, the acceptance, the issue, and the one that is told.
RECEIVED, ACCEPTED, ISSUED, TOLD = (
    date(2031, 3, 4),
    date(2032, 5, 6),
    date(2033, 7, 8),
    date(2034, 9, 11),
)
WEEK = "一二三四五六日"
MOST_FORMS = 100_000  # kept, at some 4.5 kB each; a million cases have about twice as many
FIRST_OF_SERIES = 100_000  # numbers far beyond those that are taken from the series


@dataclass(frozen=True, slots=True)
class Form:
    """A paper with holes. text: canonical, with a %s for each hole; holes: which value stands where;
    prefix: of its number, after the year.
    """

    template: str
    series: str
    prefix: tuple[str, ...]
    text: str
    holes: Callable[[Mapping[str, str]], tuple[str, ...]]

    def filled(self, values: Mapping[str, str]) -> str:
        return self.text % self.holes(values)

    def number(self, year: int, nth: int) -> str:
        return f"{str(year).join(self.prefix)}{nth:05d}号"


class Press:
    """Makes the papers of a year; keeps forms and the last number of every series."""

    def __init__(self, year: int) -> None:
        self.year = year
        self._forms: dict[tuple[str, Kind, str | None, bool, tuple[str, ...]], Form] = {}
        self._series: dict[tuple[str, str, int], int] = {}
        self._known: dict[tuple[str, str, str | None], wording.Facts] = {}
        self._days: dict[int, _Day] = {}

    def print(
        self, story: Story, move: Move, values: dict[str, str], code: str
    ) -> tuple[Form, str, str]:
        """A paper of a move: its form, its number, and the canonical text of its data.

        values: what the papers of this case say of it; kept by the caller from one to the next.
        """
        paper, offer = move.paper, story.offer
        assert paper is not None
        assert offer is not None
        key = (offer.item, paper.kind, story.window, bool(move.clerk), paper.variant)
        form = self._forms.pop(key, None)
        if form is None:
            of = self._facts(offer, paper.variant[0], story.window)
            if not move.clerk:
                of = replace(of, clerk="")
            form = _form(offer, paper, of)
            if len(self._forms) >= MOST_FORMS:
                del self._forms[next(iter(self._forms))]
        self._forms[key] = form  # the last: whose turn is longest ago goes first
        year = self._words(times.day_of(move.seen)).year
        series = (offer.office.agency, form.series, year)
        last = self._series[series] = self._series.get(series, FIRST_OF_SERIES) + 1
        if not values:
            self._begin(story, values, code)
        self._go_on(story, move, paper, values)
        return form, form.number(year, last), form.filled(values)

    def _facts(self, offer: Offer, kind: str, window: str | None) -> wording.Facts:
        """What every paper of an item says, with stand-ins; asked for once."""
        of = self._known.get((offer.item, kind, window))
        if of is None:
            applicant = Applicant(
                kind=kind,
                name=NAME,
                identifier_kind="uscc" if kind == "organisation" else "resident_id",
                identifier=NUMBER,
                phone="",
            )
            of = self._known[offer.item, kind, window] = papers.facts_of(
                offer.row, applicant, agency=offer.office.agency, number=CASE, query_code=CODE,
                received=_at(RECEIVED), accepted=_at(ACCEPTED), window=window,
                clerk=CLERK,
            )  # fmt: skip
        return of

    def _begin(self, story: Story, values: dict[str, str], code: str) -> None:
        """What is the same on all papers of a case."""
        made = story.applicant
        assert made is not None
        values |= {NAME: made.name, NUMBER: made.identifier, CASE: number(story), CODE: code}
        accepted = next((one for one in story.moves if one.kind in ACCEPTS), None)
        since = accepted.at if accepted and accepted.kind == "accepted" else story.opened
        values |= self._words(times.day_of(story.opened)).received
        values |= self._words(times.day_of(since)).accepted

    def _go_on(self, story: Story, move: Move, paper: Paper, values: dict[str, str]) -> None:
        """What differs from paper to paper."""
        values[CLERK], values[PROOF] = move.clerk, paper.extra
        delivered = paper.kind is Kind.DELIVERY_RECORD
        if delivered:
            values[DECISION] = decision_of(story)
        issued = times.day_of(move.at if delivered else move.seen)
        values |= self._words(issued).issued
        if paper.day:
            values |= self._words(paper.day).told

    def _words(self, day: int) -> _Day:
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = _Day.of(date.fromordinal(day))
        return known


ACCEPTS = frozenset({"accepted", "deemed_accepted"})


def decision_of(story: Story) -> str:
    """The number of the decision, once it was printed."""
    for one in story.moves:
        if one.kind in ("granted", "refused"):
            found = one.body.get("document")
            return str(found["number"]) if found else ""
    return ""


def _names(day: date) -> tuple[str, str, str]:
    """The three ways in which a paper writes a day."""
    return day.isoformat(), day_words(day), plain_day(day)


RECEIVED_NAMES, ACCEPTED_NAMES, ISSUED_NAMES, TOLD_NAMES = (
    _names(day) for day in (RECEIVED, ACCEPTED, ISSUED, TOLD)
)


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as papers write it, in the place of each day that stands in."""

    year: int
    received: Mapping[str, str]
    accepted: Mapping[str, str]
    issued: Mapping[str, str]
    told: Mapping[str, str]

    @classmethod
    def of(cls, day: date) -> _Day:
        words = _names(day)
        places = (RECEIVED_NAMES, ACCEPTED_NAMES, ISSUED_NAMES, TOLD_NAMES)
        return cls(day.year, *[dict(zip(names, words, strict=True)) for names in places])


STAND_INS = (
    *RECEIVED_NAMES, *ACCEPTED_NAMES, *ISSUED_NAMES, *TOLD_NAMES,
    NAME, NUMBER, CASE, CODE, CLERK, DECISION, PROOF,
)  # fmt: skip
HOLES = re.compile(
    f"({'|'.join(re.escape(one) for one in sorted(STAND_INS, key=len, reverse=True))})"
)


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=SHANGHAI)


EARLY = frozenset(
    {Kind.RECEIPT, Kind.SUPPLEMENT_NOTICE, Kind.ACCEPTANCE_NOTICE, Kind.NOT_OURS_DECISION,
     Kind.NOT_NEEDED_NOTICE}
)  # fmt: skip


def _form(offer: Offer, paper: Paper, of: wording.Facts) -> Form:
    """Ask the wording once, with stand-ins."""
    if paper.kind in EARLY:
        of = replace(of, accepted=None)
    data = _data(offer, paper, of)
    text = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    found = HOLES.split(text)
    found[::2] = [piece.replace("%", "%%") for piece in found[::2]]
    holes = found[1::2]  # a number and a name at the least
    licence = offer.row.type
    prefix = kinds.prefix(paper.kind, short=offer.office.short, year=ISSUED.year, item_type=licence)
    return Form(
        template=kinds.KINDS[Kind(wording.form_of(data))].template,
        series=kinds.series(paper.kind, item_type=licence),
        prefix=tuple(prefix.split(str(ISSUED.year))),
        text="%s".join(found[::2]), holes=itemgetter(*holes),
    )  # fmt: skip


def _data(offer: Offer, paper: Paper, of: wording.Facts) -> dict[str, Any]:
    row, variant, issued = offer.row, paper.variant, _at(ISSUED)
    told = Due(TOLD, False)
    names = {one.code: one.name for one in row.materials}
    kind = paper.kind
    if kind is Kind.RECEIPT:
        materials = [
            {"name": names[code], "state": state}
            for code, state in zip(offer.materials, variant[1:], strict=True)
        ]
        return wording.receipt(of, issued=issued, materials=materials, answer_by=told)
    if kind is Kind.ACCEPTANCE_NOTICE:
        deemed = variant[1] == "deemed"
        return wording.acceptance_notice(
            of, issued=issued, promised=papers.limit(row.promised),
            statutory=papers.limit(row.statutory), due=told if offer.promised else None,
            materials=_handed_in(offer, variant[2:]), deemed=deemed,
        )  # fmt: skip
    if kind is Kind.SUPPLEMENT_NOTICE:
        missing = [
            {"code": code, "name": names[code], "state": "missing", "why": ""}
            for code in offer.materials
            if code in variant[2:]
        ]
        return wording.supplement_notice(of, issued=issued, missing=missing, again=variant[1])
    if kind is Kind.DECISION:
        said = ""
        if variant[1] == "refused":
            said = grounds.printed((variant[2],), row, variant[3])
        return wording.decision(of, issued=issued, outcome=variant[1], reasons=said)
    if kind is Kind.DELIVERY_RECORD:
        means = variant[1]
        title = kinds.title(Kind.DECISION, item_type=row.type, outcome=variant[2])
        return wording.delivery_record(
            of, issued=issued, papers=[{"title": title, "number": DECISION}],
            means_zh={"signature": "当面签收", "post": "邮寄", "electronic": "电子送达"}[means],
            receiver=PROOF if means == "signature" else NAME,
            tracking=PROOF if means == "post" else "",
        )  # fmt: skip
    return _rarer(offer, paper, of, issued, told)


def _handed_in(offer: Offer, held: Sequence[str]) -> list[dict[str, str]]:
    """The materials but those that the city has already."""
    return [{"name": one.name} for one in offer.row.materials if one.code not in held]


def _rarer(
    offer: Offer, paper: Paper, of: wording.Facts, issued: datetime, told: Due
) -> dict[str, Any]:
    row, variant = offer.row, paper.variant
    match paper.kind:
        case Kind.SPECIAL_NOTICE:
            zh = PROCEDURES[variant[1]]
            return wording.special_notice(
                of, issued=issued, procedure_zh=zh, days=int(variant[2]), until=told.day,
                reasons=f"作出决定前依法需要{zh}。", since=issued,
            )  # fmt: skip
        case Kind.EXTENSION_NOTICE:
            return wording.extension_notice(
                of, issued=issued, days=int(variant[1]), due=told, reasons=variant[2],
                head=variant[3],
            )  # fmt: skip
        case Kind.FORWARDING_LETTER:
            return wording.forwarding_letter(
                of, issued=issued, organ="省级主管部门", opinion="初审合格，建议准予。",
                materials=_handed_in(offer, variant[1:]),
            )  # fmt: skip
        case Kind.NOT_OURS_DECISION:
            organ = "省级主管部门"
            return wording.not_ours_decision(
                of, issued=issued, organ=organ, reasons=variant[1] or f"这个事项由{organ}办理。"
            )
        case Kind.NOT_NEEDED_NOTICE:
            return wording.not_needed_notice(
                of, issued=issued, reasons=grounds.printed((variant[1],), row, variant[2])
            )
        case Kind.WITHDRAWAL:
            return wording.withdrawal(of, issued=issued, reasons=variant[1])
    raise ValueError(f"no paper {paper.kind}")
