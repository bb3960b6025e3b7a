"""The database of the tests: every xdist worker starts a PostgreSQL of its own.

Writes are committed, as in life: inside an open transaction its own events are never below the
watermark, so followers could not run. A test gets a clean database by truncating what the test
before it wrote. Fixtures: `cluster` (the server), `db` (a clean database, Django connected as the
application role), `owner` (a psycopg connection as the owner). ZHENGWU_TEST_PG=16 or 18.
"""

from __future__ import annotations

import os
import shutil
import sys
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
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from zhengwu.config.postgres import APP, OWNER, Cluster

settings.register_profile("zhengwu", deadline=None)  # no timed assertions
settings.load_profile("zhengwu")

TEMPLATE = "zhengwu_template"
NAME = "zhengwu_test"
SMALL = 262_144  # bytes of a table up to which DELETE is quicker than TRUNCATE
HOME = Path(tempfile.mkdtemp(prefix="zhengwu-test-"))
HOME.chmod(0o711)  # the server's system user passes through, and sees nothing
CLUSTER = Cluster(HOME, major=int(os.environ.get("ZHENGWU_TEST_PG", "18")), durable=False)

os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
os.environ["ZHENGWU_DATABASE_URL"] = CLUSTER.url(role=APP, database=NAME)
os.environ["ZHENGWU_OWNER_DATABASE_URL"] = CLUSTER.url(role=OWNER, database=NAME)
os.environ.setdefault("ZHENGWU_SECRET_KEY", "only-for-the-tests-and-for-nothing-else-0123456789")
os.environ.setdefault("ZHENGWU_DEMO", "1")
os.environ["ZHENGWU_STRICT_PAGES"] = "1"
os.environ["ZHENGWU_HOME"] = str(HOME / "home")  # never the collected files of this checkout
os.environ["ZHENGWU_ALLOWED_HOSTS"] = "localhost,127.0.0.1,testserver"
# A process started by a test finds the modules compiled: from source a start takes thrice as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
django.setup()

# As in life, but quick to check: a million rounds are a third of a second for every password.
PBKDF2PasswordHasher.iterations = 1_000


# These ask for the same real log: one worker plays it once for all of them (tests/cases/receipt.py).
RECEIPT = (
    "tests/cases/test_replay.py", "tests/statistics/test_figures.py", "tests/api/test_statistics.py",
    "tests/portal/test_statistics.py", "tests/supervision/test_real_logs.py",
)  # fmt: skip
# These ask for the same simulated year.
YEAR = (
    "tests/cases/test_simulation_year.py", "tests/supervision/test_ranking.py",
    "tests/desk/test_ranking.py", "tests/desk/test_wall.py",
)  # fmt: skip
# What takes longest begins first, so that no worker waits for another at the end. The browser's
# files stand together: the browser is started once for all of them.
FIRST = (
    "tests/setup/test_start.py", "tests/browser/test_journeys.py", "tests/setup/test_deploy.py",
    "tests/browser/", "tests/accounts/test_demo_city.py", *RECEIPT, *YEAR, "tests/setup/", "tests/api/",
    "tests/accounts/", "tests/cases/", "tests/ledger/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the files; within a file it stays as it is written."""
    items.sort(
        key=lambda item: next(
            (nth for nth, begins in enumerate(FIRST) if item.nodeid.startswith(begins)), len(FIRST)
        )
    )


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    """A module goes to one worker, and those that share a city to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        for shared in (RECEIPT, YEAR):
            if nodeid.startswith(shared):
                return shared[0]
        return str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    return _Together(config, log) if config.getvalue("dist") == "loadscope" else None


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


def _quick_to_check(superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    """The same passwords of the same kind, in few rounds: every test connects anew, and proving a
    password takes both sides longer than the rest of it."""
    superuser.execute("SET scram_iterations = 1")
    for role in (APP, OWNER):
        superuser.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(CLUSTER.password(role))
            )
        )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """This worker's server, with a migrated template and a database cloned from it."""
    with CLUSTER.start():
        with CLUSTER.connect() as connection:
            _quick_to_check(connection)
            CLUSTER.create_database(TEMPLATE, connection)
        _migrate(TEMPLATE)
        with CLUSTER.connect() as connection:
            CLUSTER.create_database(NAME, connection, template=TEMPLATE)
        yield CLUSTER
        from django.db import connections

        connections.close_all()


@pytest.fixture(scope="session")
def _dynamic_tables(cluster: Cluster) -> list[str]:
    """The tables a test may fill: those that the migrations themselves left empty."""
    with psycopg.connect(cluster.url(role=OWNER, database=NAME), autocommit=True) as owner:
        names = [
            name
            for (name,) in owner.execute(
                "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p')"
                " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        ]
        return [
            name
            for name in names
            if owner.execute(
                sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(name))
            ).fetchone()
            == (True,)
        ]


@pytest.fixture
def owner(cluster: Cluster) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection as the owner of the database, autocommit."""
    with psycopg.connect(cluster.url(role=OWNER, database=NAME), autocommit=True) as connection:
        yield connection


@pytest.fixture
def db(kept: Kept) -> Iterator[None]:
    """A clean database; Django is connected to it as the application role and commits."""
    from django.db import connections

    kept.clean()
    yield
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.in_atomic_block:
            raise AssertionError("the test left a transaction open")
    connections.close_all()


@dataclass(slots=True)
class Kept:
    """What fixtures built once in this worker's database, put back with one script each.

    The connection is the superuser's with `session_replication_role = replica`: rows that are
    taken away and put back fire no trigger and are not checked again.
    """

    database: psycopg.Connection[tuple[object, ...]]
    tables: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, tuple[str, int]] = field(default_factory=dict)
    probe: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    standing: bool = False

    def __post_init__(self) -> None:
        self.database.execute("SET session_replication_role = replica")
        rows = self.database.execute(
            "SELECT c.relname, a.attname, q.name, s.seqstart"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL"
            " (SELECT pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS name) q"
            " LEFT JOIN pg_sequence s ON s.seqrelid = q.name::regclass WHERE c.relname = ANY(%s)"
            " AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0"
            " AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attnum",
            [self.tables],
        ).fetchall()
        for table, column, sequence, start in rows:
            self.columns.setdefault(str(table), []).append(str(column))
            if sequence:
                assert isinstance(start, int)
                self.sequences[str(table)] = (str(sequence), start)
        self.probe = (
            sql.SQL(" UNION ALL ")
            .join(
                sql.SQL(
                    "SELECT {}, pg_relation_size({}) WHERE EXISTS (SELECT 1 FROM public.{})"
                ).format(name, f'public."{name}"', sql.Identifier(name))
                for name in self.tables
            )
            .as_string(self.database)
        )

    def clean(self) -> None:
        """Nothing stands in the database but what the migrations filled."""
        few, many = self._filled(SMALL)
        if many:
            self._run(
                sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(
                    sql.SQL(", ").join(map(sql.Identifier, many))
                )
            )
        # Set, not restarted: that is no change of the catalogue, so no plan is made anew.
        script: list[sql.Composable] = [
            sql.SQL("DELETE FROM public.{}").format(sql.Identifier(name)) for name in few
        ]
        script += [
            sql.SQL("SELECT setval({}, {}, false)").format(*self.sequences[name])
            for name in few
            if name in self.sequences
        ]
        if script:
            self._run(*script)
        self.standing = False

    def again(self, name: str, build: Callable[[], None]) -> None:
        """Build it the first time, copy it into a schema of its own; later copy it back.

        What another call put there before goes away: a kept state is always whole.
        """
        if name not in self.scripts:
            build()
            self.scripts[name] = self._copy(name)
        else:
            if self.standing:
                self.clean()
            self.database.execute(self.scripts[name].encode())
        self.standing = True

    def _filled(self, limit: int) -> tuple[list[str], list[str]]:
        """The tables that hold rows: those of few bytes, for which DELETE is quicker, and others."""
        rows = self.database.execute(self.probe.encode(), prepare=True).fetchall()
        few = [str(name) for name, size in rows if isinstance(size, int) and size <= limit]
        return few, [str(name) for name, _ in rows if name not in few]

    def _run(self, *statements: sql.Composable) -> None:
        self.database.execute(sql.SQL("; ").join(statements))

    def _copy(self, name: str) -> str:
        """Copy every row aside; the answer is the script that puts them back."""
        schema = sql.Identifier(f"kept_{name}")
        few, many = self._filled(0)
        self._run(sql.SQL("CREATE SCHEMA {}").format(schema))
        back: list[sql.Composable] = []
        for table in [*few, *many]:
            copy = sql.SQL("{}.{}").format(schema, sql.Identifier(table))
            self._run(
                sql.SQL("CREATE TABLE {} AS TABLE public.{}").format(copy, sql.Identifier(table))
            )
            back.append(self._put_back(copy, table))
            if sequence := self.sequences.get(table):
                row = self.database.execute(
                    sql.SQL("SELECT last_value FROM {}").format(sql.SQL(sequence[0]))
                ).fetchone()
                assert row is not None
                back.append(sql.SQL("SELECT setval({}, {})").format(sequence[0], row[0]))
        return sql.SQL("; ").join(back).as_string(self.database)

    def _put_back(self, copy: sql.Composable, table: str) -> sql.Composable:
        # An event is as young as the transaction that puts it back: the sequencer has passed by.
        taken = [
            sql.SQL("pg_current_xact_id()")
            if (table, name) == ("ledger_event", "xid")
            else sql.Identifier(name)
            for name in self.columns[table]
        ]
        return sql.SQL(
            "INSERT INTO public.{} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, self.columns[table])),
            sql.SQL(", ").join(taken),
            copy,
        )


@pytest.fixture(scope="session")
def kept(cluster: Cluster, _dynamic_tables: list[str]) -> Iterator[Kept]:
    """What was built before need not be built again."""
    with cluster.connect(NAME) as connection:
        yield Kept(connection, _dynamic_tables)


# The cities that stand at the beginning of a test; `city` gives way to a richer one.
RICHER = ("town", "shop")


@pytest.fixture
def city(request: pytest.FixtureRequest, db: None, kept: Kept) -> None:
    """A clean database with the small city of tests/accounts/city.py in it."""
    from tests.accounts.city import small_city

    for name in RICHER:
        if name in request.fixturenames:
            request.getfixturevalue(name)
            return
    kept.again("city", small_city)


@pytest.fixture
def town(db: None, kept: Kept) -> None:
    """The small city with all the items of its departments: tests/cases/people.py."""
    from tests.accounts.city import small_city
    from tests.cases import people

    def build() -> None:
        small_city()
        people.items()

    kept.again("town", build)


@pytest.fixture
def shop(db: None, kept: Kept) -> None:
    """The small city with two items of the water bureau: tests/desk/walk.py."""
    from tests.accounts.city import small_city
    from tests.desk import walk

    def build() -> None:
        small_city()
        walk.publish_items()

    kept.again("shop", build)
