"""The pages of ranking over a year at real size: CPU of a page, of ours and of PostgreSQL's.

    python -m bench.ranking [--home FOLDER] [--explain 1] [--keep]

A demo city without cases is given a year of figures and findings by SQL: PEOPLE people with figures
of DAYS days each, every window and department with theirs (the table of workload is filled from them
as its migration fills it), FINDINGS findings, tallied: as many as a million cases of the simulated year
bring (bench.supervising), two in three hints, one in twenty a card. Asked as the supervisor, who sees
everybody, and as a head: where departments, districts, windows and people stand in the year, a later
page, the sheet of who has most. `first`: a page that is asked for the first time in a process;
`ratio`: to the bare loop of the same minutes, in thousandths. Some 1.5 GB under FOLDER, gone at the end.
"""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path

import psycopg

from bench import _loop, _web
from bench._line import line
from bench.wall import _cpu
from bench.year import _clear, demo
from zhengwu.config.postgres import DATABASE, SUPERUSER, Cluster

YEAR = 2025
PEOPLE, DAYS, FINDINGS, ITEMS = 6_000, 250, 300_000, 20
MOST_MS = 200
SUPERVISOR = "p-420100-c00-supervisor"

# Who is there: the people of the demo city, and as many more at their desks as there would be.
WHO = """
INSERT INTO accounts_person (password, code, username, name, email, is_active, agency_id)
SELECT '!', p.code || '-' || n, p.code || '-' || n, p.name, '', true, p.agency_id
FROM accounts_person p, generate_series(2, 9) n
ORDER BY n, p.id LIMIT greatest(0, %(people)s - (SELECT count(*) FROM accounts_person));
"""
STAND = """
CREATE TABLE bench_person AS
SELECT row_number() OVER (ORDER BY p.id) AS nth, p.code, p.agency_id AS agency, a.region_id AS region,
    w.hall_id AS hall, w.code AS "window"
FROM accounts_person p JOIN accounts_agency a ON a.code = p.agency_id
LEFT JOIN LATERAL (SELECT o.hall_id, o.code FROM halls_window o WHERE o.agency_id = p.agency_id
    ORDER BY md5(o.id::text || p.code) LIMIT 1) w ON true
LIMIT %(people)s;
"""
PERSONS = """
INSERT INTO statistics_person (start, person, agency, received, accepted, steps, granted, on_time)
SELECT d.day, p.code, p.agency, 1 + (p.nth * 7 + d.nth) %% 5, 1 + (p.nth + d.nth * 3) %% 3,
    (p.nth * d.nth) %% 6, (p.nth + d.nth) %% 3, (p.nth + d.nth) %% 3
FROM bench_person p, (SELECT day::date AS day, row_number() OVER (ORDER BY day) AS nth
    FROM generate_series(%(since)s::date, %(until)s::date, interval '1 day') day
    WHERE extract(isodow FROM day) < 6 LIMIT %(days)s) d;
"""
PLACES = """
INSERT INTO statistics_place (agency, unit, region, kind, source, channel, item, hall, "window")
SELECT DISTINCT p.agency, '', p.region, 'ordinary', 'zhengwu', 'window', '', '', ''
FROM bench_person p
UNION ALL SELECT w.agency_id, '', a.region_id, 'ordinary', 'zhengwu', 'window', 'XK' || n, w.hall_id,
    w.code FROM halls_window w JOIN accounts_agency a ON a.code = w.agency_id,
    generate_series(1, %(items)s) n;
"""
MONTHS = """
INSERT INTO {table} (start, place_id, received, closed, on_time, late, early, unjudged)
SELECT m::date, p.id, 40, 40 - k.n, 37 - k.n - k.n / 2, k.n, 5 + k.n, 3 - k.n / 2
FROM statistics_place p,
    generate_series(%(since)s::date, %(until)s::date, interval '1 month') m,
    LATERAL (SELECT (p.id + extract(month FROM m)::int * 7) %% 4 AS n) k
WHERE (p.item = '') = {coarse};
"""
MADE = """
INSERT INTO supervision_finding (id, version, rule, rule_name, dimension, scored, level, first_level,
    number, item_name, source, agency, region, hall, "window", person, at, issued, whole, state,
    appeal, basis_changed, counts)
SELECT gen_random_uuid(), 1, 'T03', '办理超过承诺时限', 'time', f.part, f.level, f.level, '', '',
    'zhengwu', p.agency, p.region, p.hall, p."window", p.code, f.at, f.at + interval '20 seconds',
    false, 'closed', '', false, true
FROM (SELECT 1 + floor(random() * %(people)s)::int AS nth,
        %(since)s::date + random() * interval '365 days' AS at,
        (ARRAY['hint', 'warning', 'yellow', 'red'])[
            1 + width_bucket(random(), ARRAY[0.66, 0.95, 0.99])] AS level,
        (ARRAY['limits', 'limits', 'limits', 'process', 'openness', 'oversight'])[
            1 + floor(random() * 6)::int] AS part
    FROM generate_series(1, %(findings)s)) f JOIN bench_person p ON p.nth = f.nth;
"""
TALLIED = """
INSERT INTO supervision_tally ("by", month, place, unit, counts, cards, warned)
SELECT u."by", u.month, u.place, u.unit, jsonb_object_agg(u.part, u.told),
    coalesce(replace((jsonb_object_agg(u.part, u.told - 'warning') FILTER (WHERE u.carded))::text,
        ' ', ''), ''), max(u.warned)
FROM (SELECT t."by", t.month, t.place, t.unit, t.part,
        jsonb_strip_nulls(jsonb_build_object(
            'yellow', sum(t.n) FILTER (WHERE t.level = 'yellow'),
            'red', sum(t.n) FILTER (WHERE t.level = 'red'),
            'warning', jsonb_object_agg(t.day, t.n) FILTER (WHERE t.level = 'warning'))) AS told,
        bool_or(t.level <> 'warning') AS carded,
        coalesce(sum(t.n) FILTER (WHERE t.level = 'warning'), 0) AS warned
    FROM (SELECT b."by", date_trunc('month', f.local)::date AS month, b.place, b.unit,
            f.scored AS part, f.level,
            CASE WHEN f.level = 'warning' THEN extract(day FROM f.local)::int ELSE 0 END AS day,
            count(*) AS n
        FROM (SELECT o.*, o.at AT TIME ZONE 'Asia/Shanghai' AS local FROM supervision_finding o
            WHERE o.level IN ('warning', 'yellow', 'red')) f,
        LATERAL (VALUES ('agency', '', f.agency), ('district', '', f.region),
            ('window', f.hall, f."window"), ('person', f.agency, f.person)) b("by", place, unit)
        WHERE b.unit IS NOT NULL AND b.place IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7) t
    GROUP BY 1, 2, 3, 4, 5) u
GROUP BY 1, 2, 3, 4;
"""


def build(database: psycopg.Connection[tuple[object, ...]]) -> None:
    """A year of everybody's figures and findings."""
    given = {
        "people": PEOPLE, "days": DAYS, "findings": FINDINGS, "items": ITEMS,
        "since": f"{YEAR}-01-01", "until": f"{YEAR}-12-31",
    }  # fmt: skip
    fill = import_module("zhengwu.statistics.migrations.0003_workload").FILL
    database.execute("SELECT setseed(0.5)")
    for statement in (
        WHO, STAND, PERSONS, PLACES, MONTHS.format(table="statistics_month", coarse="true"),
        MONTHS.format(table="statistics_finemonth", coarse="false"), MADE, TALLIED,
    ):  # fmt: skip
        database.execute(statement, given)
    for statement in fill:
        database.execute(statement)
    database.execute("DROP TABLE bench_person")
    database.execute("VACUUM (ANALYZE, PARALLEL 0)")
    for table in ("statistics_person", "statistics_workload", "supervision_finding", "supervision_tally"):  # fmt: skip
        row = database.execute(
            f"SELECT count(*), pg_size_pretty(pg_total_relation_size('{table}')) FROM {table}"
        ).fetchone()
        assert row is not None
        print(f"{table}: {row[0]:,} rows, {row[1]}", flush=True)


def asked(database: psycopg.Connection[tuple[object, ...]]) -> dict[str, tuple[str, str, str]]:
    """Name → who asks, path, query."""
    row = database.execute(
        "SELECT t.place, t.unit, to_char(t.month, 'YYYY-MM') FROM supervision_tally t"
        " WHERE t.\"by\" = 'person' ORDER BY t.warned DESC, t.unit LIMIT 1"
    ).fetchone()
    head = database.execute(
        "SELECT code FROM accounts_person WHERE code = 'p-420100-d16-head-a'"
    ).fetchone()
    assert row is not None
    assert head is not None
    sheet = f"by=person&place={row[0]}&unit={row[1]}&period={row[2]}"
    path = "/desk/ranking"
    return {
        "departments": (SUPERVISOR, path, f"by=agency&period={YEAR}"),
        "districts": (SUPERVISOR, path, f"by=district&period={YEAR}"),
        "windows": (SUPERVISOR, path, f"by=window&period={YEAR}"),
        "people": (SUPERVISOR, path, f"by=person&period={YEAR}"),
        "people, page 60": (SUPERVISOR, path, f"by=person&period={YEAR}&page=60"),
        "people, a month": (SUPERVISOR, path, f"by=person&period={YEAR}-06"),
        "people of one district": (SUPERVISOR, path, f"by=person&period={YEAR}&district=420102"),
        "a head's people": (str(head[0]), path, f"by=person&period={YEAR}"),
        "a person's sheet": (SUPERVISOR, f"{path}/sheet", sheet),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--explain", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the city standing")
    given = parser.parse_args()
    base = Path(os.environ.get("ZHENGWU_BENCH_HOME", "var/bench")).resolve()
    home = given.home or base / "ranking"
    cluster = Cluster(home, durable=True)
    if cluster.runs():
        raise SystemExit(f"{home} is in use.")
    _clear(cluster)
    dearest, loops = 0.0, 0.0
    with demo(home) as it:
        url = it.url(role=SUPERUSER, database=DATABASE)
        with psycopg.connect(url, autocommit=True) as database:
            build(database)
            pages = asked(database)
        browsers = {code: _web.Browser(code) for code, _, _ in pages.values()}
        print(
            f"{'':<26}{'queries':>8}{'first ms':>10}{'ours ms':>9}{'theirs ms':>11}{'CPU ms':>8}"
            f"{'KB':>6}{'loop s':>8}{'‰ loop':>8}"
        )
        for name, (code, path, query) in pages.items():

            def ask(code: str = code, path: str = path, query: str = query) -> _web.Answer:
                answer = browsers[code].ask(path, query=query)
                assert answer.status == 200, (path, query, answer.status, answer.body[:300])
                return answer

            pid = _web.backend()
            before = _web.own_seconds() + _web.seconds_of(pid)
            ask()
            first = (_web.own_seconds() + _web.seconds_of(pid) - before) * 1_000
            if given.explain:
                print(f"===== {name}")
                _web.explained(ask)
            with _web.counted() as said:
                size = len(ask().body) // 1024
            earlier = _loop.seconds()
            ours, theirs = _cpu(ask)
            loop = (earlier + _loop.seconds()) / 2
            dearest, loops = max((dearest, loops), (ours + theirs, (ours + theirs) / loop))
            print(
                f"{name:<26}{len(said):>8}{first:>10.1f}{ours:>9.1f}{theirs:>11.1f}"
                f"{ours + theirs:>8.1f}{size:>6}{loop:>8.2f}{(ours + theirs) / loop:>8.0f}",
                flush=True,
            )
    if not given.keep:
        _clear(cluster)
    line("ranking", round(dearest, 1), "ms CPU a page", ratio=round(loops), limit=MOST_MS)


if __name__ == "__main__":
    main()
