"""The receipt log, played into the small city and counted: the first test that asks for it waits for
it, and the others of the worker find it put back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.accounts.city import small_city
from tests.cases import people
from tests.conftest import Kept
from zhengwu.cases import replay
from zhengwu.ledger import services as ledger

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
RECEIPT = DATA / "permit-logs" / "receipt.xes.gz"
TOLD: dict[str, replay.Report] = {}
real = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")


@pytest.fixture
def replayed(db: None, kept: Kept) -> replay.Report:
    """What was said when it was read."""

    def build() -> None:
        small_city()
        people.items()
        TOLD["receipt"] = replay.run(RECEIPT, "receipt")
        ledger.catch_up()

    kept.again("receipt counted", build)
    return TOLD["receipt"]
