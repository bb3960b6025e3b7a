"""Migrating (迁移): as the owner of the database, then the rights of the application's role."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ProgrammingError
from psycopg import sql

from zhengwu.config.environment import database
from zhengwu.ledger import grants

# Session-level advisory locks: one migration at a time, one working worker at a time.
MIGRATING = 7_301_000_001
WORKING = 7_301_000_002


class MigrationProblem(Exception):
    """The database cannot be migrated; the message says what to do."""


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Django's connection is the owner's in here; the application's again after."""
    if settings.OWNER_ELSEWHERE:
        raise MigrationProblem(
            "这里没有数据库所有者的连接（ZHENGWU_OWNER_DATABASE_URL=elsewhere）。"
            "请在有它的地方运行 zhengwu migrate，例如 systemctl start zhengwu-migrate。"
        )
    kept = dict(connection.settings_dict)
    connection.close()
    owner = database(settings.OWNER_DATABASE_URL or settings.DATABASE_URL, name="owner")
    connection.settings_dict.update({**owner, "CONN_MAX_AGE": 0})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def app_role() -> str:
    """The role the application's statements run under."""
    if settings.ONE_DATABASE_USER:
        return str(settings.APP_ROLE)
    return unquote(urlsplit(settings.DATABASE_URL).username or "")


def pending() -> list[str]:
    """Migrations that are not applied, as app.name."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{one.app_label}.{one.name}" for one, _ in plan]


def run(*, verbosity: int = 0) -> list[str]:
    """Apply what is pending and grant the rights; give what was applied. Raises MigrationProblem.

    A running worker must be stopped first: its followers read the tables that change.
    """
    from zhengwu.calendars import services as calendars  # needs the models, which wait for setup
    from zhengwu.web.clock import now

    with as_owner():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
            plan = pending()
            if plan:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (WORKING,))
                row = cursor.fetchone()
                if row is None or not row[0]:
                    raise MigrationProblem(
                        "后台进程（zhengwu work）正在运行，不能迁移。"
                        "请先停下它，再运行 zhengwu migrate。"
                    )
        if settings.ONE_DATABASE_USER:
            _make_app_role()
        if plan:
            call_command("migrate", verbosity=verbosity, interactive=False)
        with connection.cursor() as cursor:
            grants.apply(cursor, app_role())
        # The years that ship with this version; those that people here published stay as they are.
        calendars.load_shipped(at=now())
    return plan


def _make_app_role() -> None:
    role = sql.Identifier(settings.APP_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (settings.APP_ROLE,))
        missing = cursor.fetchone() is None
        try:
            if missing:
                cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
            cursor.execute("SELECT pg_has_role(current_user, %s, 'SET')", (settings.APP_ROLE,))
            row = cursor.fetchone()
            if row is None or not row[0]:
                cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        except ProgrammingError as problem:
            raise MigrationProblem(
                f"数据库用户不能建立角色 {settings.APP_ROLE}。请由数据库管理员执行："
                f"CREATE ROLE {settings.APP_ROLE} NOLOGIN; "
                f"GRANT {settings.APP_ROLE} TO {connection.settings_dict['USER']};"
            ) from problem


def working() -> bool:
    """Whether a worker works: it holds the lock for as long as it lives."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND objsubid = 1 AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())"
            " AND (classid::bigint << 32) + objid::bigint = %s)",
            [WORKING],
        )
        row = cursor.fetchone()
        return bool(row and row[0])


def unknown() -> list[str]:
    """Migrations that were applied and that this version does not have: a newer one was here."""
    executor = MigrationExecutor(connection)
    ours = {app for app, _ in executor.loader.graph.nodes}
    gone = executor.loader.applied_migrations.keys() - executor.loader.graph.nodes.keys()
    # A squashed migration stands for those it replaced; they are no sign of a newer version.
    replaced = {old for one in executor.loader.disk_migrations.values() for old in one.replaces}
    return sorted(f"{app}.{name}" for app, name in gone - replaced if app in ours)


def rewrites_the_log() -> bool:
    """Whether the application's role could alter or delete events: it must not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(has_table_privilege(current_user, c.oid, p)"
            " OR pg_has_role(current_user, c.relowner, 'USAGE'))"
            " FROM pg_class c, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)",
            (list(grants.APPEND_ONLY),),
        )
        row = cursor.fetchone()
        return bool(row and row[0])
