"""The small city with one item of each kind, and people signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.desk.walk import sign_in


@pytest.fixture
def clerk(city: None) -> Client:
    """The clerk at the water bureau's window B23."""
    return sign_in("p-water-clerk")
