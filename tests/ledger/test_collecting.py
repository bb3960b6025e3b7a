"""How often Python looks for circles of dead objects while much is read (内存回收)."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from zhengwu.ledger import services as ledger
from zhengwu.ledger.following import SELDOM


@pytest.fixture
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)


def test_it_looks_seldom_meanwhile_and_as_before_afterwards(usual: tuple[int, int, int]) -> None:
    seen = []

    def broken_off() -> None:
        with ledger.seldom_collected():
            seen.append(gc.get_threshold())
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert seen == [SELDOM]
    assert gc.get_threshold() == usual


@pytest.mark.usefixtures("usual")
def test_where_it_never_looks_it_goes_on_not_looking() -> None:
    gc.set_threshold(0, 10, 10)
    with ledger.seldom_collected():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold() == (0, 10, 10)
