"""Void papers: what a later act replaces is good no longer, on the page and on paper."""

from __future__ import annotations

import io
from uuid import UUID

import psycopg
import pypdf
import pytest
from django.test import Client

from tests.cases import people
from zhengwu.documents import queries, render, services
from zhengwu.documents.queries import Issued

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
LATER, STILL_LATER = people.moment("10-08 09:00"), people.moment("10-09 09:00")
NEW = "江水许决字〔2026〕第00002号"
needs_fonts = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)


def two_papers() -> tuple[str, str]:
    """The check codes of an acceptance notice and of the decision of the same case."""
    case = people.received()
    notice = case.do("p-water-clerk", "accepted", "09-14 10:00").document
    case.do("p-water-reviewer", "step_taken", "09-14 14:00")
    decision = case.do("p-water-approver", "granted", "09-28 16:00").document
    assert notice is not None
    assert decision is not None
    return notice, decision


def issued(code: str) -> Issued:
    found = queries.by_check_code(code)
    assert found is not None
    return found


def row_of(owner: Owner, code: str) -> tuple[UUID, UUID]:
    """Its stream and its event."""
    row = owner.execute(
        "SELECT stream_id, event FROM documents_document WHERE check_code = %s", (code,)
    ).fetchone()
    assert row is not None
    return row  # type: ignore[return-value]


def page(code: str) -> str:
    return Client().get(f"/check/{code}").content.decode()


def test_exactly_the_named_papers_are_void_and_an_undone_act_makes_them_good_again(
    owner: Owner,
) -> None:
    notice, decision = two_papers()
    case, accepted = row_of(owner, notice)
    _, granted = row_of(owner, decision)

    assert services.void("case", case, gone={granted: NEW}, at=LATER) == 1
    assert (issued(decision).void_since, issued(decision).replaced_by) == (LATER, NEW)
    assert issued(notice).void_since is None

    # Said again, and with another beside it: what was void keeps its day.
    assert services.void("case", case, gone={granted: NEW}, at=STILL_LATER) == 0
    gone = {granted: NEW, accepted: None}
    assert services.void("case", case, gone=gone, at=STILL_LATER) == 1
    assert issued(decision).void_since == LATER
    assert (issued(notice).void_since, issued(notice).replaced_by) == (STILL_LATER, None)

    assert services.void("case", case, gone={}, at=STILL_LATER) == 2
    for code in (notice, decision):
        assert (issued(code).void_since, issued(code).replaced_by) == (None, None)


def test_another_case_is_not_touched(owner: Owner) -> None:
    _, decision = two_papers()
    other = people.received("09-14 11:00").do("p-water-clerk", "accepted", "09-14 11:30").document
    assert other is not None
    _, granted = row_of(owner, decision)
    elsewhere, _ = row_of(owner, other)
    assert services.void("case", elsewhere, gone={granted: NEW}, at=LATER) == 0
    assert issued(decision).void_since is None


def test_the_check_page_says_void_since_when_and_what_is_good_instead(owner: Owner) -> None:
    notice, decision = two_papers()
    case, accepted = row_of(owner, notice)
    _, granted = row_of(owner, decision)
    assert "查验属实" in page(decision)
    services.void("case", case, gone={granted: NEW, accepted: None}, at=LATER)

    shown = page(decision)
    assert "这份文书已作废" in shown
    assert "10 月 8 日" in shown
    assert NEW in shown
    assert "查验属实" not in shown
    assert 'role="alert"' in shown

    alone = page(notice)
    assert "这份文书已作废" in alone
    assert "没有新的文书代替" in alone
    assert "查验属实" not in alone


@needs_fonts
def test_a_void_paper_has_it_across_the_page(owner: Owner) -> None:
    _, decision = two_papers()
    case, granted = row_of(owner, decision)
    services.void("case", case, gone={granted: NEW}, at=LATER)
    pages = pypdf.PdfReader(io.BytesIO(queries.render(issued(decision)))).pages
    for one in pages:
        text = "".join(one.extract_text().split())
        assert "作废" in text
        assert NEW in text
    services.void("case", case, gone={}, at=LATER)
    good = pypdf.PdfReader(io.BytesIO(queries.render(issued(decision)))).pages
    assert all("作废" not in one.extract_text() for one in good)


def test_the_database_knows_no_replacement_of_a_good_paper(owner: Owner) -> None:
    two_papers()
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE documents_document SET replaced_by = 'x'")
