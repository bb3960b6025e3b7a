"""Nothing that a page keeps in this process stays from one test to the next."""

from __future__ import annotations

import pytest

from zhengwu.catalog import browsing, finding, forms
from zhengwu.portal.items import sheet, views
from zhengwu.portal.statistics import reading
from zhengwu.portal.statistics import views as statistics


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    for kept in (
        views._pages, views._papers, sheet._done, statistics._pages, statistics._files,
    ):  # fmt: skip
        kept.clear()
    for function in (
        browsing._counts, browsing._organs, browsing._regions, finding._organs, forms._index,
        reading._position, reading._choices, reading._begins,
    ):  # fmt: skip
        function.cache_clear()
