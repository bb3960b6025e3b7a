"""The application may add to the log and may not rewrite it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
import pytest

from zhengwu.config.postgres import APP, OWNER, Cluster
from zhengwu.ledger import grants

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("table", grants.APPEND_ONLY)
@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE {} SET {} = {}",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} OWNER TO zhengwu_app",
        "SELECT 1 FROM {} FOR UPDATE",
    ],
)
def test_the_application_role_cannot_rewrite_the_log(
    cluster: Cluster, table: str, attempt: str
) -> None:
    column = {"ledger_event": "kind", "ledger_position": "leaf"}[table]
    with (
        psycopg.connect(cluster.url(role=APP, database="zhengwu_test"), autocommit=True) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute(attempt.format(table, column, column).encode())


def test_the_roles_are_no_superusers(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
            " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)",
            ([APP, OWNER],),
        ).fetchall()
    assert rows == []


class Stepping:
    """The owner's cursor; between any two of its statements the application looks."""

    def __init__(
        self, owner: psycopg.Connection[tuple[object, ...]], look: Callable[[], None]
    ) -> None:
        self._cursor, self._look = owner.cursor(), look
        self.steps = 0

    def execute(self, statement: str, parameters: Sequence[object] | None = None) -> None:
        self._cursor.execute(statement.encode(), parameters)
        self.steps += 1
        self._look()

    def fetchone(self) -> object:
        return self._cursor.fetchone()

    def fetchall(self) -> object:
        return self._cursor.fetchall()


def test_rights_are_granted_anew_while_the_application_works_and_the_log_is_never_open(
    cluster: Cluster, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    with psycopg.connect(cluster.url(role=APP, database="zhengwu_test"), autocommit=True) as app:

        def look() -> None:
            for table in grants.APPEND_ONLY:
                app.execute(f"SELECT 1 FROM {table} LIMIT 1".encode())
                row = app.execute(
                    "SELECT has_table_privilege(%s, 'INSERT'),"
                    " has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')",
                    [table, table],
                ).fetchone()
                assert row == (True, False)

        stepping = Stepping(owner, look)
        grants.apply(stepping, APP)
    assert stepping.steps > 6
