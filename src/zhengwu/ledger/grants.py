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
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for table in APPEND_ONLY:
        cursor.execute("SELECT to_regclass(%s)", (f"public.{table}",))
        if cursor.fetchone()[0] is not None:
            cursor.execute(f"REVOKE ALL ON {table} FROM {role}")
            cursor.execute(f"GRANT SELECT, INSERT ON {table} TO {role}")
