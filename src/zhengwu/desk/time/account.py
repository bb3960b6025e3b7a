"""The account as the page shows it: whole minutes that still sum to the whole (核算表)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from zhengwu.cases.timekeeping import KINDS, Line, Whole
from zhengwu.domain import timeledger
from zhengwu.domain.lifecycle import HolderKind
from zhengwu.domain.timeledger import Side

MINUTE = timedelta(minutes=1)
WIDTH = 10_000  # of a picture, in its own units
TONES: dict[HolderKind, str] = {
    HolderKind.WINDOW: "win",
    HolderKind.DEPARTMENT: "dept",
    HolderKind.HANDING_OVER: "hand",
    HolderKind.APPLICANT: "app",
    HolderKind.SPECIAL: "spec",
    HolderKind.HIGHER: "high",
    HolderKind.EXCHANGE: "exch",
    HolderKind.NONE: "none",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """Minutes in and out of office hours."""

    office: int = 0
    rest: int = 0

    @property
    def minutes(self) -> int:
        return self.office + self.rest

    @property
    def length(self) -> timedelta:
        return self.minutes * MINUTE

    @property
    def office_length(self) -> timedelta:
        return self.office * MINUTE

    @property
    def rest_length(self) -> timedelta:
        return self.rest * MINUTE

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.office + other.office, self.rest + other.rest)


@dataclass(frozen=True, slots=True)
class Detail:
    """One window, department, procedure or giver."""

    zh: str
    count: int
    amount: Amount


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of hands. x, width: its place in the picture; share: in percent of the whole."""

    zh: str
    tone: str
    amount: Amount
    share: float
    x: float
    width: float
    office_width: float
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """Hand-overs between two sides, or of one: how many, how many minutes."""

    count: int = 0
    minutes: int = 0

    def __add__(self, other: Cell) -> Cell:
        return Cell(self.count + other.count, self.minutes + other.minutes)


@dataclass(frozen=True, slots=True)
class Row:
    """One giver: a cell for each taker (None: never), and its sum."""

    zh: str
    cells: tuple[Cell | None, ...]
    sum: Cell


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who hands to whom; its total is the minutes under way."""

    takers: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class Account:
    """The whole page in minutes."""

    kinds: tuple[Kind, ...]
    total: Amount
    average: timedelta
    matrix: Matrix


def account(whole: Whole, *, windows: bool) -> Account:
    """The account of a period. windows: windows stand apart in the table."""
    amounts = _amounts(whole.lines)
    total = sum(amounts, Amount())
    kinds: list[Kind] = []
    x = 0.0
    for kind, zh in KINDS.items():
        here = [
            (line, amount)
            for line, amount in zip(whole.lines, amounts, strict=True)
            if line.kind == kind
        ]
        if not here:
            continue
        amount = sum((one for _, one in here), Amount())
        part = amount.minutes / total.minutes if total.minutes else 0.0
        width = round(part * WIDTH, 1)
        office = width * amount.office / amount.minutes if amount.minutes else 0.0
        kinds.append(
            Kind(
                zh=zh,
                tone=TONES[kind],
                amount=amount,
                share=round(part * 100, 1),
                x=round(x, 1),
                width=width,
                office_width=round(office, 1),
                details=tuple(Detail(named(line), line.stretches, one) for line, one in here),
            )
        )
        x += width
    under_way = sum(
        one.minutes
        for line, one in zip(whole.lines, amounts, strict=True)
        if line.kind == HolderKind.HANDING_OVER
    )
    return Account(
        kinds=tuple(kinds),
        total=total,
        average=timedelta(minutes=total.minutes // whole.cases) if whole.cases else timedelta(),
        matrix=_matrix(whole, under_way, windows=windows),
    )


def named(line: Line) -> str:
    """One line of a kind: under way by the giver, a special procedure with whose it is."""
    if line.kind == HolderKind.HANDING_OVER:
        return f"{line.charged_zh}移交"
    if line.kind == HolderKind.SPECIAL and line.agency_zh:
        return f"{line.zh}（{line.agency_zh}）"
    return line.zh


def _amounts(lines: Sequence[Line]) -> tuple[Amount, ...]:
    """The lines come by kind: what is under way stands together."""
    cut = timeledger.apportion([x for one in lines for x in (one.office, one.rest)], MINUTE)
    return tuple(Amount(*pair) for pair in zip(cut[::2], cut[1::2], strict=True))


def _matrix(whole: Whole, under_way: int, *, windows: bool) -> Matrix:
    table = whole.windows if windows else whole.table
    givers, takers = table.givers, table.takers
    pairs = [(a, b) for a in givers for b in takers if (a, b) in table.cells]
    cut = timeledger.apportion([table.cells[one].length for one in pairs], MINUTE, total=under_way)
    cells = {
        one: Cell(table.cells[one].count, minutes) for one, minutes in zip(pairs, cut, strict=True)
    }

    def of(side: Side, place: int) -> Cell:
        return sum((cell for pair, cell in cells.items() if pair[place] == side), Cell())

    return Matrix(
        takers=tuple(whole.side_zh(one) for one in takers),
        rows=tuple(
            Row(whole.side_zh(a), tuple(cells.get((a, b)) for b in takers), of(a, 0))
            for a in givers
        ),
        sums=tuple(of(one, 1) for one in takers),
        total=sum(cells.values(), Cell()),
    )
