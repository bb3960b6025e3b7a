"""Finished answers kept in this process (页面缓存): asked for by everything they depend on.

What a key does not name (a hall's opening hours, the name of a bureau) is seen a minute later.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

FRESH = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer, and the tag by which a browser knows whether it has them."""

    body: bytes
    etag: str
    made: float

    @classmethod
    def of(cls, body: bytes) -> Answer:
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', time.monotonic())


class Kept:
    """At most so many bytes of answers; what was not asked for the longest goes first."""

    def __init__(self, most: int, *, fresh: float = FRESH) -> None:
        self.most, self.fresh = most, fresh
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Answer | None:
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            if time.monotonic() - found.made > self.fresh:
                self._drop(key)
                return None
            self._answers.move_to_end(key)
            return found

    def put(self, key: Hashable, body: bytes) -> Answer:
        made = Answer.of(body)
        with self._lock:
            if key in self._answers:
                self._drop(key)
            self._answers[key] = made
            self._size += len(body)
            while self._size > self.most and len(self._answers) > 1:
                self._drop(next(iter(self._answers)))
        return made

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
            self._size = 0

    def _drop(self, key: Hashable) -> None:
        self._size -= len(self._answers.pop(key).body)
