"""The database of the tests: every xdist worker starts a PostgreSQL of its own.

Writes are committed, as in life: inside an open transaction its own events are never below the
watermark, so followers could not run. A test gets a clean database by truncating what the test
before it wrote. Fixtures: `cluster` (the server), `db` (a clean database, Django connected as the
application role), `owner` (a psycopg connection as the owner). ZHENGWU_TEST_PG=16 or 18.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import django
import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from hypothesis import settings
from psycopg import sql

from zhengwu.config.postgres import APP, OWNER, Cluster

settings.register_profile("zhengwu", deadline=None)  # no timed assertions
settings.load_profile("zhengwu")

TEMPLATE = "zhengwu_template"
NAME = "zhengwu_test"
HOME = Path(tempfile.mkdtemp(prefix="zhengwu-test-"))
HOME.chmod(0o711)  # the server's system user passes through, and sees nothing
CLUSTER = Cluster(HOME, major=int(os.environ.get("ZHENGWU_TEST_PG", "18")), durable=False)

os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
os.environ["ZHENGWU_DATABASE_URL"] = CLUSTER.url(role=APP, database=NAME)
os.environ["ZHENGWU_OWNER_DATABASE_URL"] = CLUSTER.url(role=OWNER, database=NAME)
os.environ.setdefault("ZHENGWU_SECRET_KEY", "only-for-the-tests-and-for-nothing-else-0123456789")
os.environ.setdefault("ZHENGWU_DEMO", "1")
os.environ["ZHENGWU_HOME"] = str(HOME / "home")  # never the collected files of this checkout
os.environ["ZHENGWU_ALLOWED_HOSTS"] = "localhost,127.0.0.1,testserver"
django.setup()

# As in life, but quick to check: a million rounds are a third of a second for every password.
PBKDF2PasswordHasher.iterations = 1_000


def _remove() -> None:
    if CLUSTER.place != HOME:
        shutil.rmtree(CLUSTER.place, ignore_errors=True)
    shutil.rmtree(HOME, ignore_errors=True)


def _migrate(database: str) -> None:
    """Migrate as the owner; a context that has models and no migration yet is synchronised."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from zhengwu.ledger import grants

    bare = {
        app.label: None
        for app in apps.get_app_configs()
        if app.name.startswith("zhengwu.") and not list(Path(app.path).glob("migrations/0*.py"))
    }
    kept = dict(connection.settings_dict)
    before = settings.MIGRATION_MODULES
    connection.close()
    settings.MIGRATION_MODULES = {**before, **bare}
    connection.settings_dict.update(NAME=database, USER=OWNER, PASSWORD=CLUSTER.password(OWNER))
    try:
        call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            grants.apply(cursor, APP)
    finally:
        connection.close()
        settings.MIGRATION_MODULES = before
        connection.settings_dict.update(kept)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """This worker's server, with a migrated template and a database cloned from it."""
    with CLUSTER.start():
        with CLUSTER.connect() as connection:
            CLUSTER.create_database(TEMPLATE, connection)
        _migrate(TEMPLATE)
        with CLUSTER.connect() as connection:
            CLUSTER.create_database(NAME, connection, template=TEMPLATE)
        yield CLUSTER
        from django.db import connections

        connections.close_all()


@pytest.fixture(scope="session")
def _dynamic_tables(cluster: Cluster) -> tuple[list[str], dict[str, int]]:
    """The tables a test may fill, and the row counts of what the migrations themselves filled."""
    with psycopg.connect(cluster.url(role=OWNER, database=NAME), autocommit=True) as owner:
        names = [
            name
            for (name,) in owner.execute(
                "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p')"
                " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        ]
        filled = {}
        for name in names:
            row = owner.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchone()
            assert row is not None
            if row[0]:
                filled[name] = row[0]
    return names, filled


@pytest.fixture
def owner(cluster: Cluster) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection as the owner of the database, autocommit."""
    with psycopg.connect(cluster.url(role=OWNER, database=NAME), autocommit=True) as connection:
        yield connection


@pytest.fixture
def db(
    cluster: Cluster,
    owner: psycopg.Connection[tuple[object, ...]],
    _dynamic_tables: tuple[list[str], dict[str, int]],
) -> Iterator[None]:
    """A clean database; Django is connected to it as the application role and commits."""
    from django.db import connections

    names, filled = _dynamic_tables
    dirty = []
    for name in names:
        if name in filled:
            continue
        probe = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(name))
        row = owner.execute(probe).fetchone()
        if row is not None and row[0]:
            dirty.append(name)
    if dirty:
        owner.execute(
            sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(
                sql.SQL(", ").join(map(sql.Identifier, dirty))
            )
        )
    yield
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.in_atomic_block:
            raise AssertionError("the test left a transaction open")
    connections.close_all()


@dataclass(slots=True)
class Kept:
    """What a fixture built once in this worker's database, put back with one transaction."""

    database: psycopg.Connection[tuple[object, ...]]
    tables: list[str]
    built: set[str] = field(default_factory=set)

    def again(self, name: str, build: Callable[[], None]) -> None:
        """Build it the first time, copy it into a schema of its own; later copy it back."""
        schema = sql.Identifier(f"kept_{name}")
        if name not in self.built:
            build()
            self.database.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            for table in self.tables:
                self.database.execute(
                    sql.SQL("CREATE TABLE {}.{} AS TABLE public.{}").format(
                        schema, sql.Identifier(table), sql.Identifier(table)
                    )
                )
            self.built.add(name)
            return
        with self.database.transaction():
            for table in self.tables:
                self._put_back(schema, table)

    def _put_back(self, schema: sql.Identifier, table: str) -> None:
        columns = [
            str(name)
            for (name,) in self.database.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                [f'public."{table}"'],
            )
        ]
        # An event is as young as the transaction that puts it back: the sequencer has passed by.
        taken = [
            sql.SQL("pg_current_xact_id()")
            if (table, name) == ("ledger_event", "xid")
            else sql.Identifier(name)
            for name in columns
        ]
        self.database.execute(
            sql.SQL("INSERT INTO public.{} ({}) SELECT {} FROM {}.{}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(taken),
                schema,
                sql.Identifier(table),
            )
        )
        if "id" not in columns:
            return
        row = self.database.execute(
            "SELECT pg_get_serial_sequence(%s, 'id')", [f'public."{table}"']
        ).fetchone()
        if row and row[0]:
            self.database.execute(
                sql.SQL("SELECT setval({}, max(id)) FROM public.{} HAVING max(id) > 0").format(
                    sql.Literal(row[0]), sql.Identifier(table)
                )
            )


@pytest.fixture(scope="session")
def kept(cluster: Cluster, _dynamic_tables: tuple[list[str], dict[str, int]]) -> Iterator[Kept]:
    """What was built before need not be built again."""
    names, filled = _dynamic_tables
    with psycopg.connect(cluster.url(role=OWNER, database=NAME), autocommit=True) as connection:
        yield Kept(connection, [name for name in names if name not in filled])


@pytest.fixture
def city(db: None, kept: Kept) -> None:
    """A clean database with the small city of tests/accounts/city.py in it."""
    from tests.accounts.city import small_city

    kept.again("city", small_city)
