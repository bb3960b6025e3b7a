"""The application may add to the log and may not rewrite it."""

from __future__ import annotations

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
