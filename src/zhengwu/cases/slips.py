"""Numbers that prove something once (凭证号): postal tracking numbers, payment tickets."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from zhengwu.cases.verbs import Slip
from zhengwu.domain.refusal import Refusal

SAID = {
    "tracking": "这个邮寄单号已经用在另一位申请人的办件上。请核对面单。",
    "ticket": "这个票据号已经用在另一个办件上。请核对票据。",
}
FIELDS = {"tracking": "proof", "ticket": "ticket"}


def keep(slip: Slip, *, case: UUID, version: int, party: UUID | None) -> None:
    """Enter a number with the entry that uses it, in its transaction. Raises Refusal if it is taken.

    One parcel may carry several papers of one applicant; a ticket is of one case.
    """
    with connection.cursor() as cursor:
        # Two entries with one number queue here: either sees what the other kept.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"cases_slip/{slip.kind}/{slip.value}"],
        )
        cursor.execute(
            'SELECT 1 FROM cases_slip WHERE kind = %s AND value = %s AND counts AND "case" <> %s'
            " AND NOT (kind = 'tracking' AND party IS NOT NULL AND party = %s) LIMIT 1",
            [slip.kind, slip.value, case, party],
        )
        if cursor.fetchone():
            raise Refusal(f"case.{slip.kind}_twice", SAID[slip.kind], field=FIELDS[slip.kind])
        cursor.execute(
            'INSERT INTO cases_slip (kind, value, "case", party, version, counts)'
            " VALUES (%s, %s, %s, %s, %s, true)",
            [slip.kind, slip.value, case, party, version],
        )


def recount(case: UUID, *, standing: Collection[int]) -> None:
    """Let go of the numbers of entries that count no more, and take again those that do.

    standing: the versions that count. Refuses nothing: what counts is decided elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE cases_slip SET counts = NOT counts WHERE "case" = %s'
            " AND counts <> (version = ANY(%s::int[]))",
            [case, list(standing)],
        )
