"""Issued documents are found by their code, printed from frozen data, and betray tampering."""

from __future__ import annotations

import io

import psycopg
import pypdf
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from zhengwu.cases import loading
from zhengwu.documents import queries
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]


def accepted() -> str:
    case = people.received()
    code = case.do("p-water-clerk", "accepted", "09-14 10:00").document
    assert code is not None
    return code


def test_the_check_page_knows_the_document_and_masks_the_applicant() -> None:
    code = accepted()
    found = queries.by_check_code(code.lower().replace("-", " "))
    assert found is not None
    assert (found.title, found.number, found.genuine) == (
        "受理通知书",
        "江水许受字〔2026〕第00001号",
        True,
    )
    assert "清源" not in found.applicant


def test_it_prints_the_number_the_code_and_the_applicant() -> None:
    code = accepted()
    found = queries.by_check_code(code)
    assert found is not None
    pdf = queries.render(found)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    for words in ("受理通知书".replace("", ""), code, "江城清源水务有限公司", "取水许可"):
        assert words in text.replace(" ", "").replace("\n", "") or words in text
    assert queries.render(found) == pdf


def test_numbers_of_a_series_have_no_holes(owner: Owner) -> None:
    for _ in range(3):
        people.received().do("p-water-clerk", "accepted", "09-14 10:00")
    rows = owner.execute(
        "SELECT number FROM documents_document WHERE kind = 'acceptance_notice' ORDER BY number"
    ).fetchall()
    assert [row[0] for row in rows] == [f"江水许受字〔2026〕第{n:05d}号" for n in (1, 2, 3)]


def test_changed_data_is_noticed_and_not_printed(owner: Owner) -> None:
    code = accepted()
    owner.execute(
        "UPDATE ledger_content SET data = jsonb_set(data, '{item}', '\"别的许可\"')"
        " WHERE id = (SELECT content FROM documents_document WHERE kind = 'acceptance_notice')"
    )
    found = queries.by_check_code(code)
    assert found is not None
    assert found.genuine is False
    with pytest.raises(Refusal, match="tampered"):
        queries.render(found)


def test_an_erased_document_can_still_be_checked_but_not_printed(owner: Owner) -> None:
    code = accepted()
    row = owner.execute(
        "SELECT content FROM documents_document WHERE kind = 'acceptance_notice'"
    ).fetchone()
    assert row is not None
    ledger.erase_content(row[0], because="测试", by="p-x", at=people.moment("09-15 10:00"))  # type: ignore[arg-type]
    found = queries.by_check_code(code)
    assert found is not None
    assert found.erased
    with pytest.raises(Refusal, match="erased"):
        queries.render(found)


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA", "'; --", "0000-0000", "x" * 500, "\x00"])
def test_an_unknown_code_finds_nothing(typed: str) -> None:
    assert queries.by_check_code(typed) is None


def test_the_papers_of_a_case_are_found_by_the_whole_index() -> None:
    case = people.received()
    stream = loading.load(people.actor("p-water-clerk"), case.number).id
    with CaptureQueriesContext(connection) as asked:
        assert queries.of_stream(stream)
    (query,) = asked.captured_queries
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + query["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "documents_of_stream" in plan
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "stream_id" in condition
    assert "(stream)" in condition
