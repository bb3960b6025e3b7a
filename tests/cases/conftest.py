"""Cases need the small city and its items."""

from __future__ import annotations

import pytest

from tests.accounts.city import small_city
from tests.cases import people
from tests.conftest import Kept


@pytest.fixture
def town(db: None, kept: Kept) -> None:
    """The small city with the items of its departments."""

    def build() -> None:
        small_city()
        people.items()

    kept.again("town", build)
