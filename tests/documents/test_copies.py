"""Copies: the first print is the original, every later one has its number, its reason, its mark."""

from __future__ import annotations

import threading
from collections import Counter

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from tests.cases import people
from tests.documents.samples import text_of
from zhengwu.documents import queries, render, services
from zhengwu.documents.queries import Issued
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
AT = people.moment("10-08 09:00")
needs_fonts = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)


def accepted() -> Issued:
    code = people.received().do("p-water-clerk", "accepted", "09-14 10:00").document
    assert code is not None
    issued = queries.by_check_code(code)
    assert issued is not None
    return issued


def printed(issued: Issued, why: str = "", *, who: str = "p-water-clerk") -> int:
    return services.copy(people.actor(who), issued.check_code, why=why, at=AT)


def test_the_first_print_is_the_original_and_the_rest_are_counted() -> None:
    issued = accepted()
    assert queries.copies(issued.check_code) == ()
    assert printed(issued) == 1
    assert printed(issued, "原件遗失") == 2
    assert printed(issued, " 原件\n污损\u202e ", who="p-water-reviewer") == 3
    rows = queries.copies(issued.check_code)
    assert [(row.number, row.why, row.at) for row in rows] == [
        (1, "", AT),
        (2, "原件遗失", AT),
        (3, "原件 污损", AT),
    ]
    assert rows[2].person == "p-water-reviewer"
    assert rows[2].name != rows[2].person
    assert rows[0].agency_name == "江城市水务局"


@pytest.mark.parametrize(("why", "code"), [("", "why"), (" \n\x00 ", "why"), ("久" * 201, "long")])
def test_a_copy_says_why(why: str, code: str) -> None:
    issued = accepted()
    printed(issued)
    with pytest.raises(Refusal, match=code) as refused:
        printed(issued, why)
    assert refused.value.field == "why"
    assert len(queries.copies(issued.check_code)) == 1


def test_prints_at_the_same_moment_get_different_numbers() -> None:
    issued = accepted()
    begin = threading.Barrier(6)
    numbers: Counter[int] = Counter()

    def run() -> None:
        try:
            begin.wait()
            for _ in range(5):
                numbers[printed(issued, "补打")] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == Counter(range(1, 31))


def test_a_print_that_is_not_committed_did_not_happen() -> None:
    issued = accepted()
    with transaction.atomic():
        assert printed(issued) == 1
        transaction.set_rollback(True)
    assert printed(issued) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE documents_copy SET why = ''", "DELETE FROM documents_copy"]
)
def test_the_record_of_a_print_stays(statement: str) -> None:
    printed(accepted())
    with pytest.raises(DatabaseError, match="never changed"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_what_cannot_be_printed_takes_no_number(owner: Owner) -> None:
    issued = accepted()
    row = owner.execute(
        "SELECT content FROM documents_document WHERE check_code = %s", (issued.check_code,)
    ).fetchone()
    assert row is not None
    ledger.erase_content(row[0], because="测试", by="p-x", at=AT)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="erased"):
        printed(issued)
    assert queries.copies(issued.check_code) == ()
    with pytest.raises(LookupError):
        services.copy(people.actor("p-water-clerk"), "AAAA-AAAA", at=AT)


@needs_fonts
def test_a_copy_says_so_on_paper_and_the_original_does_not() -> None:
    issued = accepted()
    original = text_of(queries.render(issued, copy=1, copied=AT))
    assert original == text_of(queries.render(issued))
    assert "副本" not in original
    text = text_of(queries.render(issued, copy=2, copied=AT))
    assert "第2份副本" in text
    assert "2026年10月8日" in text
