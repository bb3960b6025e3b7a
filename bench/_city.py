"""A big city (大城市): a million cases with eight million events on a private, durable server.

    python -m bench._city [--cases N] [--home FOLDER] [--again]

builds it once (1,000,000 cases; some minutes, some 20 GB under FOLDER, `var/bench/city-N` by
default) and says what it cost; later runs find it. For a measurement:

    with city(1_000_000) as it:            # starts the server, sets the environment and Django up
        it.url, it.owner_url, it.home      # the application's URL, the owner's, ZHENGWU_HOME
        it.at                              # the city's present; web.clock.now() shows it, too
        it.agency                          # the busiest organ: 市水务局, 420100-D16
        it.clerk, it.reviewer, it.approver # codes of its people: accounts.queries.actor(it.clerk)
        it.numbers("handling", 100)        # (number, query code) of open cases of the busiest organ
        it.numbers("closed", 100, agency=None)  # of the whole city
        it.cases, it.open, it.events       # counts, as built

Writing benches work on the same city: nothing is put back, every case moves on as it was moved.
Only one at a time: the last one to leave stops the server. An own session: `Client().force_login`.

How it is made. A few hundred cases by lawful steps through the services (cases/simulate.py), with
their alarms, archived where they were closed a month ago; then copied (_copies.py): new ids, numbers,
codes, applicants; closed ones moved into the past by whole weeks, up to two years; those of one
district's bureaus moved to the bureaus of the other fourteen. Organs have cases as the n-th busiest
one n-th as often; 95 % are closed, 5 % open, of those one in thirty overdue. Heads are copied with
their events; 1,000 of them are derived again from the story and compared, and building fails where
one differs.

What is not as in life: the leaves of copied events are fillers, and the digests in copied events and
documents are those of the template (the bytes cost the same); papers keep the template's dates and
the names of its district; the daily figures of statistics know the templates only; no uploads, no
copies printed, no looks. Events of one case lie as far apart on the disk as a week's cases put them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from bench import _copies
from zhengwu.config.postgres import APP, DATABASE, OWNER, SUPERUSER, Cluster

CASES = 1_000_000
SEED = 20261127
FAR = 200_000  # entries: where more are not counted yet, the statistics are counted anew
AT = datetime(2026, 11, 27, 7, tzinfo=UTC)  # a Friday afternoon in Shanghai
BUSIEST, SECOND = "420100-D16", "420100-D23"
DISTRICT = "420102"
OPEN, RECENT = 0.05, 0.05  # shares of open cases, and of those closed within the last weeks
OVERDUE = 0.03  # of the open ones, about
WEEKS = 104
EVENTS = 8  # a case, on the average
CHUNK = 4_000  # cases of a transaction
LOADERS = 2
SAMPLE = 1_000
TABLES = (*_copies.TABLES, _copies.POSITIONS)
KEY = "only-for-the-bench-and-for-nothing-else-0123456789"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: counts, what it cost."""

    cases: int
    open: int
    events: int
    parties: int
    templates: int
    minutes: float
    gigabytes: float
    steps: dict[str, float]  # seconds


@dataclass(frozen=True, slots=True)
class City:
    """A running city, Django set up and connected to it as the application role."""

    cluster: Cluster
    home: Path
    at: datetime
    built: Built
    agency: str = BUSIEST
    clerk: str = "p-420100-d16-clerk-a"
    reviewer: str = "p-420100-d16-reviewer-a"
    approver: str = "p-420100-d16-approver-a"

    @property
    def url(self) -> str:
        return self.cluster.url(role=APP, database=DATABASE)

    @property
    def owner_url(self) -> str:
        return self.cluster.url(role=OWNER, database=DATABASE)

    @property
    def cases(self) -> int:
        return self.built.cases

    @property
    def open(self) -> int:
        return self.built.open

    @property
    def events(self) -> int:
        return self.built.events

    def count_figures(self) -> None:
        """The statistics up to the end of the log; far behind, from its beginning in as many processes
        as there are cores (`zhengwu statistics --rebuild`), at two fifths of what following costs."""
        from zhengwu.ledger import services as ledger
        from zhengwu.statistics import services as figures

        began, since = time.perf_counter(), figures.position()
        with self.cluster.connect(DATABASE) as database:
            row = database.execute(
                "SELECT coalesce(max(position), 0) FROM ledger_position"
            ).fetchone()
        if int(str(row[0] if row else 0)) - since > FAR:
            figures.rebuild(parts=figures.parts())
        while ledger.follow("statistics.figures", limit=5_000):
            pass
        if (reached := figures.position()) > since:
            minutes = (time.perf_counter() - began) / 60
            print(f"counted up to entry {reached:,} in {minutes:.1f} minutes", flush=True)

    def numbers(
        self, state: str, many: int, *, agency: str | None = BUSIEST, kind: str | None = None
    ) -> list[tuple[str, str]]:
        """Numbers and query codes of cases in a state, the newest first, then evenly thinned."""
        where = "c.closed IS NULL AND c.state = %(state)s" if state != "closed" else (
            "c.closed IS NOT NULL"
        )  # fmt: skip
        if agency:
            where += " AND c.agency = %(agency)s"
        if kind:
            where += " AND c.kind = %(kind)s"
        with self.cluster.connect(DATABASE) as database:
            found = database.execute(
                f"SELECT c.number, c.query_code FROM cases_case c WHERE {where}"
                " ORDER BY c.opened DESC, c.id LIMIT %(most)s",
                {"state": state, "agency": agency, "kind": kind, "most": many * 20},
            ).fetchall()
        step = max(1, len(found) // many)
        return [(str(number), str(code)) for number, code in found[::step][:many]]


def place(cases: int) -> Path:
    """Where a city of so many cases stands by default."""
    return Path(os.environ.get("ZHENGWU_BENCH_HOME", "var/bench")).resolve() / f"city-{cases}"


@contextmanager
def city(cases: int = CASES, home: Path | None = None, *, durable: bool = True) -> Iterator[City]:
    """The city, built if it does not stand yet. Call it before Django is set up."""
    home = home or place(cases)
    cluster = Cluster(home, durable=durable)
    stands = (home / "built.json").exists()
    if not stands:
        _clear(cluster)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)  # the server's system user passes through
    (home / "home").mkdir(exist_ok=True)
    _surround(cluster, home)
    if not stands:
        with cluster.start():
            _setup()
            built = Builder(cluster, cases).build()
        (home / "built.json").write_text(json.dumps(asdict(built), indent=1))
        print(_told(built), flush=True)
    built = Built(**json.loads((home / "built.json").read_text()))
    with cluster.start():
        _setup()
        from django.db import connections

        from zhengwu.config import migrate

        migrate.run()
        connections.close_all()
        yield City(cluster, home / "home", AT, built)
        connections.close_all()


def _surround(cluster: Cluster, home: Path) -> None:
    """The environment of ours and of every process that we start."""
    late = round((datetime.now(UTC) - AT).total_seconds() / 60)
    clock = f"{-late:+d}m" if abs(late) < 100_000 else f"{round(-late / 1440):+d}d"
    os.environ.update(
        DJANGO_SETTINGS_MODULE="zhengwu.config.settings",
        ZHENGWU_DEMO="1",
        ZHENGWU_STRICT_PAGES="1",
        ZHENGWU_DEMO_CLOCK=clock,
        ZHENGWU_HOME=str(home / "home"),
        ZHENGWU_SECRET_KEY=KEY,
        ZHENGWU_DATABASE_URL=cluster.url(role=APP, database=DATABASE),
        ZHENGWU_OWNER_DATABASE_URL=cluster.url(role=OWNER, database=DATABASE),
    )
    os.environ.setdefault("ZHENGWU_LOG_LEVEL", "ERROR")


def _setup() -> None:
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def _clear(cluster: Cluster) -> None:
    if cluster.runs():
        raise SystemExit(f"{cluster.home} is being built by another process.")
    if cluster.place != cluster.home.resolve():
        shutil.rmtree(cluster.place, ignore_errors=True)
    shutil.rmtree(cluster.home, ignore_errors=True)


def _told(built: Built) -> str:
    steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in built.steps.items())
    return (
        f"{built.cases:,} cases ({built.open:,} open), {built.events:,} events,"
        f" {built.parties:,} applicants out of {built.templates} lawful cases:"
        f" {built.minutes:.1f} minutes, {built.gigabytes:.1f} GB ({steps})"
    )


# --- what is where ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Planned:
    """A case to be copied: which form, how far back."""

    form: int
    weeks: int


class Builder:
    """Builds the city in an empty cluster that runs."""

    def __init__(self, cluster: Cluster, cases: int) -> None:
        self.cluster, self.cases = cluster, cases
        self.chance = random.Random(SEED)
        self.steps: dict[str, float] = {}

    def build(self) -> Built:
        from django.db import connections

        began = time.perf_counter()
        with self._step("city"):
            self._city()
        with self._step("lawful cases"):
            self._lawful()
            connections.close_all()
        with self.cluster.connect(DATABASE) as database:
            with self._step("templates"):
                forms = self._forms(database)
                plan = self._plan(forms)
            kept = _unindexed(database)
            self._fast(database, True)
            with self._step("copies"):
                self._load(database, forms, plan)
            with self._step("indexes"):
                _index(self.cluster, kept)
            with self._step("last"):
                self._last(database)
            self._fast(database, False)
            with self._step("checked"):
                self._check(database)
            counts: Any = database.execute(
                "SELECT (SELECT count(*) FROM cases_case),"
                " (SELECT count(*) FROM cases_case WHERE closed IS NULL),"
                " (SELECT last FROM ledger_sequencer), (SELECT count(*) FROM cases_party),"
                " pg_database_size(current_database())"
            ).fetchone()
        assert counts is not None
        connections.close_all()
        minutes = (time.perf_counter() - began) / 60
        return Built(
            counts[0], counts[1], counts[2], counts[3], len({id(f.template) for f in forms}),
            round(minutes, 1), round(counts[4] / 1e9, 1), self.steps,
        )  # fmt: skip

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.steps[name] = round(time.perf_counter() - began, 1)
        print(f"  {name}: {self.steps[name]:.0f} s", flush=True)

    def _city(self) -> None:
        from zhengwu.config import demo, migrate

        migrate.run()
        demo.build(at=AT - timedelta(days=200), cases=0)

    def _lawful(self) -> None:
        """Cases by lawful steps: old ones, archived by now, and those of the last weeks."""
        from zhengwu.cases import alarms, services, simulate
        from zhengwu.catalog import queries as catalog
        from zhengwu.ledger import services as ledger

        organs = {one.agency for one in catalog.all_in_force(AT.date())}
        below = sorted(one for one in organs if one.startswith(f"{DISTRICT}-"))
        others = sorted(one for one in organs if one.startswith("420100-D"))
        others = [one for one in others if one not in (BUSIEST, SECOND)][:8]
        # So small a city needs no more; a big one shall not show the same few again and again.
        share = min(1.0, max(0.2, self.cases / 50_000))
        seed = 1
        for at, days, of in (
            (AT - timedelta(days=40), 60, ((BUSIEST,), 40, (SECOND,), 30, others, 50, below, 90)),
            (AT, 25, ((BUSIEST,), 60, (SECOND,), 30, others, 50, below, 90)),
        ):
            for agencies, many in zip(of[::2], of[1::2], strict=True):
                simulate.run(
                    max(8, round(many * share)), seed=seed, at=at, days=days, agencies=agencies
                )  # fmt: skip
                seed += 1
        while alarms.sweep(AT):
            pass
        services.archive(at=AT, after=timedelta(days=30))
        ledger.catch_up()

    def _forms(self, database: Connection) -> list[_copies.Form]:
        """A form of every template, and for a bureau's one in each district that has the like."""
        from zhengwu.accounts import city as plan
        from zhengwu.cases import wording

        cases = database.execute(
            "SELECT c.id FROM cases_case c WHERE NOT EXISTS (SELECT 1 FROM ledger_event e"
            " WHERE e.stream = 'case' AND e.stream_id = c.id AND e.kind = 'deemed_accepted')"
            " ORDER BY c.id"
        ).fetchall()
        posts = {row[0] for row in database.execute("SELECT code FROM accounts_post")}
        items = {row[0] for row in database.execute("SELECT code FROM catalog_item")}
        forms = []
        for (case,) in cases:
            template = _copies.read(database, case)
            masked = wording.masked(str(template.known["name"]))
            places: list[str | None] = [None]
            if template.agency.startswith(DISTRICT):
                for one in plan.districts():
                    there = [text.replace(DISTRICT, one.code) for text in template.posts]
                    item = template.item.replace(DISTRICT, one.code)
                    if one.code != DISTRICT and posts.issuperset(there) and item in items:
                        places.append(one.code)
            forms += [
                _copies.Form(template, moved=where, home=DISTRICT, masked=masked)
                for where in places
            ]
        return forms

    def _plan(self, forms: Sequence[_copies.Form]) -> list[Planned]:
        """Which case is a copy of what, in the order in which they were opened."""
        templates = len({id(form.template) for form in forms})
        many = self.cases - templates
        opened, recent = round(many * OPEN), round(many * RECENT)
        groups = {
            "open": [n for n, f in enumerate(forms) if not f.template.closed],
            "recent": [n for n, f in enumerate(forms) if f.template.closed and not f.template.archived],
            "old": [n for n, f in enumerate(forms) if f.template.archived],
        }  # fmt: skip
        ranks = self._ranks(forms)
        early = _copies.microseconds(AT - timedelta(days=40))

        def weight(n: int, among: Sequence[int]) -> float:
            form = forms[n]
            alike = sum(1 for other in among if _agency(forms[other]) == _agency(form))
            own = ranks[_agency(form)] / alike
            late = not form.template.closed and form.template.opened < early
            return own * (OVERDUE if late else 1)

        chosen: list[Planned] = []
        for name, count in (("open", opened), ("recent", recent), ("old", many - opened - recent)):
            among = groups[name]
            weights = [weight(n, among) for n in among]
            if name == "old":
                weights = self._balanced(forms, among, weights, chosen, many)
            for n in self.chance.choices(among, weights, k=count):
                weeks = self.chance.randrange(WEEKS) if name == "old" else 0
                chosen.append(Planned(n, weeks))
        week = timedelta(weeks=1) // timedelta(microseconds=1)
        chosen.sort(key=lambda one: forms[one.form].template.opened - one.weeks * week)
        return chosen

    def _ranks(self, forms: Sequence[_copies.Form]) -> dict[str, float]:
        """The n-th busiest organ has one n-th as many cases; the two whose people sign in lead."""
        rest = sorted({_agency(form) for form in forms} - {BUSIEST, SECOND})
        self.chance.shuffle(rest)
        return {one: 1 / n for n, one in enumerate((BUSIEST, SECOND, *rest), 1)}

    def _balanced(
        self, forms: Sequence[_copies.Form], among: Sequence[int], weights: list[float],
        chosen: Sequence[Planned], many: int,
    ) -> list[float]:  # fmt: skip
        """Immediate cases as often as it takes for EVENTS a case on the average."""
        left = EVENTS * many - sum(forms[one.form].template.events for one in chosen)
        wanted = left / (many - len(chosen))

        def mean(of: Sequence[tuple[int, float]]) -> float:
            return sum(forms[n].template.events * w for n, w in of) / sum(w for _, w in of)

        pairs = list(zip(among, weights, strict=True))
        short = [(n, w) for n, w in pairs if forms[n].template.events <= EVENTS]
        long = [(n, w) for n, w in pairs if forms[n].template.events > EVENTS]
        if not short or not long:
            return weights
        share = min(0.95, max(0.05, (mean(long) - wanted) / (mean(long) - mean(short))))
        scale_short = share / sum(w for _, w in short)
        scale_long = (1 - share) / sum(w for _, w in long)
        return [
            w * (scale_short if forms[n].template.events <= EVENTS else scale_long)
            for n, w in pairs
        ]

    def _load(
        self, database: Connection, forms: list[_copies.Form], plan: Sequence[Planned]
    ) -> None:
        row = database.execute("SELECT last FROM ledger_sequencer").fetchone()
        position = row[0] if row else 0
        chunks = []
        first = 1
        for start in range(0, len(plan), CHUNK):
            part = plan[start : start + CHUNK]
            chunks.append((first, position + 1, part))
            first += len(part)
            position += sum(forms[one.form].template.events for one in part)
        url = self.cluster.url(role=SUPERUSER, database=DATABASE)
        _Loader.forms, _Loader.url = forms, url
        with multiprocessing.get_context("fork").Pool(LOADERS) as pool:
            for _ in pool.imap_unordered(_Loader.load, chunks):
                pass
        database.execute("UPDATE ledger_sequencer SET last = %s", [position])
        database.execute("UPDATE ledger_follower SET position = %s", [position])
        database.execute("SELECT setval('cases_number', %s)", [len(plan) + 10_000])

    def _fast(self, database: Connection, fast: bool) -> None:
        """Nothing waits for the disk while it is loaded; a broken-off load is thrown away."""
        for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            if fast:
                database.execute(f"ALTER SYSTEM SET {name} = off")
            else:
                database.execute(f"ALTER SYSTEM RESET {name}")
        long = "SET checkpoint_timeout = '1h'" if fast else "RESET checkpoint_timeout"
        database.execute(f"ALTER SYSTEM {long}")
        database.execute("SELECT pg_reload_conf()")

    def _last(self, database: Connection) -> None:
        """The sequencer begins behind everything; every table is vacuumed and known."""
        database.execute(
            "UPDATE ledger_sequencer SET low_xid = pg_snapshot_xmin(pg_current_snapshot())"
        )
        database.execute("SET maintenance_work_mem = '1GB'")
        database.execute("VACUUM (ANALYZE, PARALLEL 0)")
        database.execute("CHECKPOINT")

    def _check(self, database: Connection) -> None:
        """1,000 heads, derived again from their stories, in every state. Raises SystemExit."""
        found = database.execute(
            "SELECT number FROM ((SELECT number FROM cases_case WHERE closed IS NULL"
            " ORDER BY md5(id::text) LIMIT %(n)s) UNION ALL (SELECT number FROM cases_case"
            " TABLESAMPLE BERNOULLI (%(share)s) WHERE closed IS NOT NULL LIMIT %(n)s)) few",
            {"n": SAMPLE // 2, "share": min(100.0, SAMPLE * 100 / self.cases)},
        ).fetchall()
        wrong = check([row[0] for row in found])
        if wrong:
            raise SystemExit(f"{len(wrong)} heads are not as their events say: {wrong[:5]}")
        print(f"  {len(found)} heads are as their events say", flush=True)


def check(numbers: Sequence[str]) -> list[str]:
    """The cases whose head is not what their story says, and where."""
    from django.db import connection

    from zhengwu.cases import loading, writing

    wrong = []
    names = (
        "state", "suspended", "step", "holder_kind", "holder_agency", "holder_post", "holder_actor",
        "outcome", "accepted", "decided", "closed", "archived", "due", "warn", "provisional",
    )  # fmt: skip
    for number in numbers:
        loaded = loading.load_bare(number)
        # As the last act wrote it: what presses is read when something happens.
        last = loaded.events[-1].occurred
        derived = writing.head(loaded.events, region=loaded.region, hall=loaded.hall, at=last)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT version, {', '.join(names)} FROM cases_case WHERE id = %s",
                [loaded.id],
            )
            version, *stands = cursor.fetchone()
        same = version == len(loaded.events) == loaded.events[-1].version
        said = [one for one, value in zip(names, stands, strict=True) if derived[one] != value]
        if said or not same:
            wrong.append(f"{number} {said or version}")
    return wrong


def _agency(form: _copies.Form) -> str:
    agency = form.template.agency
    return agency.replace(DISTRICT, form._moved) if form._moved else agency


class _Loader:
    """In a process of its own: what the fork inherited, a connection of its own."""

    forms: list[_copies.Form]
    url: str
    database: Connection | None = None
    pools: ClassVar[dict[str, Any]] = {}

    @classmethod
    def load(cls, chunk: tuple[int, int, Sequence[Planned]]) -> int:
        first, position, planned = chunk
        if cls.database is None:
            cls.database = psycopg.connect(cls.url, autocommit=True)
        batch = _copies.Batch(position, pools=cls.pools)
        chance = random.Random(first).random
        week = timedelta(weeks=1) // timedelta(microseconds=1)
        for n, one in enumerate(planned, first):
            batch.add(cls.forms[one.form], n=n, shift=one.weeks * week, chance=chance)
        _copies.copied(cls.database, batch)
        return len(planned)


# --- indexes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """What was taken away while the rows were loaded, in the words of the catalogue."""

    indexes: list[tuple[str, str]]  # table, definition
    keys: list[tuple[str, str]]
    foreign: list[tuple[str, str]]


def _unindexed(database: Connection) -> Kept:
    """Take every index and key of the loaded tables away."""
    tables = list(TABLES)
    constraints = database.execute(
        "SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid),"
        " c.contype::text FROM pg_constraint c WHERE c.contype IN ('p', 'u', 'f')"
        " AND (c.conrelid = ANY(%(tables)s::regclass[]) OR c.confrelid = ANY(%(tables)s::regclass[]))"
        " ORDER BY c.contype",  # f before p before u
        {"tables": tables},
    ).fetchall()
    kept = Kept([], [], [])
    for table, name, definition, kind in constraints:
        database.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        words = f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
        (kept.foreign if kind == "f" else kept.keys).append((table, words))
    for table, name, definition in database.execute(
        "SELECT tablename, quote_ident(indexname), indexdef FROM pg_indexes"
        " WHERE schemaname = 'public' AND tablename = ANY(%s)",
        [tables],
    ).fetchall():
        database.execute(f"DROP INDEX {name}")
        kept.indexes.append((table, definition))
    return kept


def _index(cluster: Cluster, kept: Kept) -> None:
    """Build them again: two processes, the big tables first; foreign keys when all keys stand."""
    url = cluster.url(role=SUPERUSER, database=DATABASE)
    big = {"ledger_event": 0, "ledger_content": 1, "documents_document": 2}
    by_table: dict[str, list[str]] = {}
    for table, words in (*kept.keys, *kept.indexes):
        by_table.setdefault(table, []).append(words)
    jobs = [(url, words) for table in sorted(by_table, key=lambda t: big.get(t, 9))
            for words in by_table[table]]  # fmt: skip
    plain = [job for job in jobs if job[1].startswith("CREATE")]
    keys = [job for job in jobs if not job[1].startswith("CREATE")]
    with multiprocessing.get_context("fork").Pool(LOADERS) as pool:
        # A key's ALTER TABLE locks its table: one table's keys do not stand in each other's way
        # if the tables take turns.
        pool.map(_make, keys, chunksize=1)
        pool.map(_make, plain, chunksize=1)
        pool.map(_make, [(url, words) for _, words in kept.foreign], chunksize=1)


def _make(job: tuple[str, str]) -> None:
    url, words = job
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET maintenance_work_mem = '1GB'")
        database.execute("SET max_parallel_maintenance_workers = 0")
        database.execute(words)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--again", action="store_true", help="build it anew")
    given = parser.parse_args()
    home = given.home or place(given.cases)
    if given.again:
        _clear(Cluster(home))
    with city(given.cases, home) as it:
        print(_told(it.built))
        print(json.dumps({"name": "city", "value": it.built.minutes, "unit": "min to build",
                          "ratio": None, "limit": 10}))  # fmt: skip


if __name__ == "__main__":
    main()
