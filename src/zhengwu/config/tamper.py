"""Trying to rewrite history (试改事件账), as the application: for sceptics and for a test."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction

ATTEMPTS = (
    "UPDATE ledger_event SET occurred = occurred - interval '1 day'",
    "UPDATE ledger_event SET received = received - interval '1 day'",
    "UPDATE ledger_position SET position = position + 1",
    "DELETE FROM ledger_event",
    "DELETE FROM ledger_position",
    "TRUNCATE ledger_event, ledger_position",
    "ALTER TABLE ledger_event ALTER COLUMN received DROP NOT NULL",
    "DROP TABLE ledger_position",
    "CREATE RULE quietly AS ON INSERT TO ledger_event DO INSTEAD NOTHING",
    "CREATE TRIGGER quietly BEFORE INSERT ON ledger_event"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
)


def attempts() -> Iterator[tuple[str, str | None]]:
    """Each statement with the database's refusal; None where it went through (rolled back)."""
    for statement in ATTEMPTS:
        refusal = None
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(statement)
            except DatabaseError as problem:
                refusal = str(problem).splitlines()[0]
            transaction.set_rollback(True)
        yield statement, refusal
