"""Cases need the small city and its items."""

from __future__ import annotations

import pytest

from tests.cases import people


@pytest.fixture
def town(city: None) -> None:
    """The small city with the items of its departments."""
    people.items()
