"""The reference page of the lifecycle is the table itself."""

from __future__ import annotations

from pathlib import Path

from zhengwu.domain import lifecycle

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "lifecycle.md"


def test_the_reference_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == lifecycle.page(), (
        "rebuild: python -m zhengwu.domain.lifecycle > docs/reference/lifecycle.md"
    )
