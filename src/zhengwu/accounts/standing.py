"""What a person holds (岗位、角色、授权), as columns for a context's own SELECT.

On the aliases `p` (accounts_person) and `a` (its agency, outer). Everything that was ever held
comes with its times, so that the statement is the same whatever the moment; `held` picks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

_TIMES = "h.since, h.until"
COLUMNS = (
    "p.code, p.name, a.code, a.name, a.region_id,"  # noqa: S608 - constants
    ' (SELECT json_agg(json_build_array(o.code, o.name, o.kind, o.agency_id, o.hall, o."window",'
    f" {_TIMES}) ORDER BY h.part, h.id) FROM accounts_postholding h"
    " JOIN accounts_post o ON o.code = h.post_id WHERE h.person_id = p.id AND p.is_active)::text,"
    " (SELECT json_agg(json_build_array(h.role, h.scope)) FROM accounts_roleholding h"
    " WHERE h.person_id = p.id AND p.is_active)::text,"
    f" (SELECT json_agg(json_build_array(h.act, h.stream, {_TIMES})) FROM accounts_grant h"
    " WHERE h.person_id = p.id AND p.is_active)::text,"
    " statement_timestamp()"
)
Row = tuple[Any, ...]  # the values of COLUMNS


def held(rows: str | None, at: datetime) -> Iterator[Sequence[Any]]:
    """Those of a column's rows that were held at a moment, without their times."""
    for *row, since, until in orjson.loads(rows) if rows else ():
        if datetime.fromisoformat(since) <= at and (
            until is None or datetime.fromisoformat(until) > at
        ):
            yield row
