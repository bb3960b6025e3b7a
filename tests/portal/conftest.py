"""Nothing that a page keeps in this process stays from one test to the next."""

from __future__ import annotations

import pytest

from zhengwu.catalog import browsing, finding, forms
from zhengwu.portal.items import sheet, views


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    for kept in (views._pages, views._papers, sheet._done):
        kept.clear()
    for function in (
        browsing._counts, browsing._organs, browsing._regions, finding._organs, forms._index,
    ):  # fmt: skip
        function.cache_clear()
