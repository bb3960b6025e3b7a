"""Queues and absences (排队、请假): how much a post does a day, and who does it.

A post works off so many cases a day; what comes beyond waits for the next day that has room, and at
the end of its term is done on the last day all the same (赶在期满前): so the queue grows at the ends
of terms, before holidays and after them. Who is on leave is stood in for by the other of the post
(A、B 岗); where a post has one holder, a day of leave is a day without work.
"""

from __future__ import annotations

import random
from array import array
from math import ceil

from zhengwu.cases.simulation.scene import Desk, Worker

ROOM = 1.15  # what a post can do, of what comes on an average day
LEAVE = ((5, 0.9), (5, 0.7), (2, 0.5), (1, 0.5), (1, 0.3))  # working days in a row, how likely
FIRST = 0.7  # of the cases are A's, while A is there


class Diary:
    """The days of one post, by number. daily: cases on an average day."""

    __slots__ = ("away", "capacity", "desk", "load")

    def __init__(self, desk: Desk, *, daily: float, days: int, chance: random.Random) -> None:
        self.desk = desk
        self.capacity = max(2, ceil(daily * ROOM))
        self.load = array("L", bytes(days * array("L").itemsize))
        self.away: list[frozenset[int]] = []
        alone = len(desk.people) == 1
        for _ in desk.people:
            gone: set[int] = set()
            for many, likely in LEAVE:
                if chance.random() < likely:
                    start = chance.randrange(days)
                    gone.update(range(start, start + (1 if alone else many)))
            self.away.append(frozenset(gone))

    def room(self, day: int) -> int:
        """How many cases the post does on a day."""
        away = self.away
        there = len(away)
        for gone in away:
            there -= day in gone
        return self.capacity * there // len(away)

    def book(self, earliest: int, latest: int) -> int:
        """The first day with room, the last one at the end of the term."""
        for day in range(earliest, latest):
            if self.load[day] < self.room(day):
                break
        else:
            day = latest
            while day > earliest and not self.room(day):
                day -= 1
        self.load[day] += 1
        return day

    def who(self, day: int, draw: float) -> Worker:
        """Who does it on a day: A most of the time, the other while one is away."""
        people, away = self.desk.people, self.away
        if len(people) == 1:
            return people[0]
        if draw < FIRST and day not in away[0]:
            return people[0]
        if draw >= FIRST and day not in away[-1]:
            return people[-1]
        there = [one for one, gone in zip(people, away, strict=True) if day not in gone]
        if not there:
            return people[0]  # called back: the term ends today
        return there[0] if draw < FIRST else there[-1]
