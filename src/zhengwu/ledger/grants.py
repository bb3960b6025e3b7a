"""What the application role may do (授权): everything but rewriting the log.

Applied by the owner after every migration, and by the test fixture; a test tries.
"""

from __future__ import annotations

from typing import Any

# 只增不改: events and positions are written once.
APPEND_ONLY = ("ledger_event", "ledger_position")


def apply(cursor: Any, app_role: str) -> None:
    """Grant the application role its rights in schema public. cursor: of the owner."""
    role = '"' + app_role.replace('"', '""') + '"'
    cursor.execute(
        "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        " AND NOT tablename = ANY(%s) ORDER BY tablename",
        (list(APPEND_ONLY),),
    )
    others = ", ".join(name for (name,) in cursor.fetchall())
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {others} TO {role}")
    cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for table in APPEND_ONLY:
        cursor.execute("SELECT to_regclass(%s)", (f"public.{table}",))
        if cursor.fetchone()[0] is not None:
            # Never without what it needs, not even for the moment between two statements: the
            # application may be at work.
            cursor.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
            cursor.execute(
                f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}"
            )
