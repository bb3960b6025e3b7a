"""Numbers that prove something once (凭证号): postal tracking numbers, payment tickets."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from zhengwu.cases.verbs import Slip
from zhengwu.domain.refusal import Refusal

SAID = {
    "tracking": "这个邮寄单号已经用在另一位申请人的办件上。请核对面单。",
    "ticket": "这个票据号已经用在另一个办件上。请核对票据。",
}
FIELDS = {"tracking": "proof", "ticket": "ticket"}


def keep(slip: Slip, *, case: UUID, party: UUID | None) -> None:
    """Enter a number with the act that uses it, in its transaction. Raises Refusal if it is taken.

    One parcel may carry several papers of one applicant; a ticket is of one case.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO cases_slip (kind, value, "case", party) VALUES (%s, %s, %s, %s)'
            " ON CONFLICT (kind, value) DO NOTHING",
            [slip.kind, slip.value, case, party],
        )
        if cursor.rowcount:
            return
        cursor.execute(
            'SELECT "case", party FROM cases_slip WHERE kind = %s AND value = %s',
            [slip.kind, slip.value],
        )
        of_case, of_party = cursor.fetchone()
    if of_case == case or (slip.kind == "tracking" and party and of_party == party):
        return
    raise Refusal(f"case.{slip.kind}_twice", SAID[slip.kind], field=FIELDS[slip.kind])
