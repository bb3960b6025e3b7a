"""How the database answers a statement in life: by the plan that it keeps for all parameters.

`EXPLAIN` of a statement with its parameters plans for these alone. What the driver prepares is after
five times answered by a plan that knows none of them, and that may be another: wherever it does not
seem dearer than planning each time (`plan_cache_mode`), which it hardly ever does for statements of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import sql as sqls
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer


def kept(
    statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None, how: str = ""
) -> str:
    """The plan as text. how: options of EXPLAIN, as "(ANALYZE, BUFFERS)"."""
    connection.ensure_connection()
    raw = connection.connection
    asked = PostgresQuery(Transformer(raw))
    asked.convert(statement, parameters)
    if not asked.types:
        return _rows(raw, f"EXPLAIN {how} {statement}".replace("%%", "%"))
    values = list(parameters or ())
    if isinstance(parameters, Mapping):
        values = [parameters[name] for name in asked._order or ()]
    given = ", ".join(sqls.Literal(value).as_string(raw) for value in values)
    types = ", ".join(f"{_type(raw, one)}" if one else "unknown" for one in asked.types)
    with raw.cursor() as cursor:
        mode = cursor.execute("SHOW plan_cache_mode").fetchone()[0]
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE explained ({types}) AS ".encode() + asked.query, prepare=False)
        try:
            return _rows(raw, f"EXPLAIN {how} EXECUTE explained ({given})")
        finally:
            cursor.execute("DEALLOCATE explained")
            cursor.execute(f"SET plan_cache_mode = {mode}")


def _type(raw: Any, oid: int) -> str:
    row = raw.execute("SELECT %s::oid::regtype::text", [oid]).fetchone()
    return str(row[0])


def _rows(raw: Any, statement: str) -> str:
    with raw.cursor() as cursor:
        cursor.execute(statement.encode(), prepare=False)
        return "\n".join(row[0] for row in cursor.fetchall())
