"""Applicants (申请人) of a simulated year: numbers that pass their checks, names of nobody."""

from __future__ import annotations

import random
from datetime import date, timedelta

from zhengwu.cases.simulate import GIVEN, PLACES, SURNAMES, TRADES
from zhengwu.cases.simulation.telling import Made
from zhengwu.domain import identifiers

POOL = 5_000  # who came lately and may come again
AGAIN = 0.4  # how often one does
ORGANISATIONS = 0.6
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
A_YEAR = 10_000_000  # so that no other year's applicants have the same numbers
DIVISIONS = ("420103", "420104", "420105", "420106", "420107", "420111", "420112")


class Crowd:
    """Everybody who may come."""

    def __init__(self, year: int, chance: random.Random) -> None:
        self.year, self.chance = year, chance
        self.lately: list[Made] = []

    def comes(self, n: int, at: int) -> Made:
        """Who applies with the n-th case."""
        draw = self.chance.random
        if self.lately and draw() < AGAIN:
            known = self.lately[int(draw() * len(self.lately))]
            return Made(
                known.party, known.kind, known.name, known.identifier_kind, known.identifier,
                known.phone, False,
            )  # fmt: skip
        made = self._new(n, at, organisation=draw() < ORGANISATIONS)
        if len(self.lately) < POOL:
            self.lately.append(made)
        else:
            self.lately[int(draw() * POOL)] = made
        return made

    def _new(self, n: int, at: int, *, organisation: bool) -> Made:
        ms = at // 1000
        party = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7fff-8000-{n:012x}"
        phone = f"1{'3578'[n % 4]}{n * 7_919 % 10**9:09d}"
        given = GIVEN[n * 7 % len(GIVEN)] + GIVEN[n * 13 % 37 % len(GIVEN)]
        if not organisation:
            name = SURNAMES[n % len(SURNAMES)] + given[: 1 + n % 2]
            day, nth = divmod(n * 104_729 % 17_000_000, 1000)  # one to one
            born = date(1955, 1, 1) + timedelta(days=day)
            body = f"{DIVISIONS[self.year % len(DIVISIONS)]}{born:%Y%m%d}{nth:03d}"
            number = body + identifiers.resident_check(body)
            return Made(party, "person", name, "resident_id", number, phone, True)
        name = f"{PLACES[n % len(PLACES)]}{given}{TRADES[n // 9 % len(TRADES)]}有限公司"
        rest, tail = n + (self.year - 2000) % 80 * A_YEAR, ""
        for _ in range(6):
            rest, digit = divmod(rest, len(USCC))
            tail += USCC[digit]
        body = "91420100MB" + tail
        body += identifiers.organisation_check(body[8:16])
        number = body + identifiers.uscc_check(body)
        return Made(party, "organisation", name, "uscc", number, phone, True)
