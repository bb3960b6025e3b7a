"""The wall on the big city: CPU of a board made anew, of a screen that has it, of the worst fifty.

    python -m bench.wall [--cases N] [--home FOLDER] [--explain 1]

The supervisor's wall with pictures and with tables, the digest, the head's of the busiest organ; each
made anew every time (nothing kept), then asked for by a screen that has it (304). The worst fifty
alone, of the whole city and of the organ. What has no place in the log yet gets one, and what the
statistics have not counted yet is counted first. The findings are made: FINDINGS of them over a year,
on cases of the city, where there are fewer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import psycopg

from bench import _web
from bench._city import city
from bench._line import line
from zhengwu.config.postgres import DATABASE

MOST_MS, MOST_WORST_MS, MOST_KB = 150, 10, 300
FINDINGS = 400_000
ROUNDS, EACH = 3, 4
MADE = """
INSERT INTO supervision_finding (id, version, rule, rule_name, dimension, scored, level, first_level,
    "case", number, item_name, source, agency, region, hall, "window", at, issued, whole, state,
    appeal, basis_changed, counts)
SELECT gen_random_uuid(), 1, 'T03', '办理超过承诺时限', 'time', 'limits', c.level, c.level, c.id,
    c.number, c.item_name, c.source, c.agency, c.region, c.hall, c."window", c.at,
    c.at + interval '20 seconds', false, 'issued', '', false, true
FROM (SELECT o.*, %(at)s::timestamptz - row_number() OVER () * interval '365 days' / %(many)s AS at,
    (ARRAY['hint', 'hint', 'hint', 'hint', 'hint', 'hint', 'warning', 'warning', 'warning',
        'yellow', 'red'])[1 + get_byte(uuid_send(o.id), 15) %% 11] AS level
    FROM cases_case o ORDER BY o.id LIMIT %(many)s) c
"""


def _findings(owner: psycopg.Connection[tuple[object, ...]], at: object) -> None:
    row = owner.execute("SELECT count(*) FROM supervision_finding").fetchone()
    lacking = FINDINGS - int(str(row[0] if row else 0))
    if lacking > 0:
        owner.execute(MADE, {"many": lacking, "at": at})
        owner.execute("ANALYZE supervision_finding")
        print(f"made {lacking:,} findings", flush=True)


def _cpu(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of this process and of its backend, the median of ROUNDS rounds."""
    work()
    pid = _web.backend()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        own, other = _web.own_seconds(), _web.seconds_of(pid)
        for _ in range(EACH):
            work()
        ours.append((_web.own_seconds() - own) * 1_000 / EACH)
        theirs.append((_web.seconds_of(pid) - other) * 1_000 / EACH)
    return statistics.median(ours), statistics.median(theirs)


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    with city(given.cases, given.home) as it:
        from django.contrib.staticfiles.storage import staticfiles_storage

        from zhengwu.accounts import queries as accounts
        from zhengwu.desk.wall import views
        from zhengwu.ledger import sequencer
        from zhengwu.supervision import wall
        from zhengwu.web.clock import now

        # A city that was served before knows the files of that day only: plain names will do.
        staticfiles_storage.hashed_files.clear()  # type: ignore[attr-defined]
        while sequencer.sequence():
            pass
        it.count_figures()
        with it.cluster.connect(DATABASE) as database:
            _findings(database, it.at)
        supervisor = _web.Browser("p-420100-c00-supervisor")
        head_code = f"p-{it.agency.lower()}-head-a"
        head = _web.Browser(head_code)
        asked = {
            "the wall": (supervisor, "/desk/wall", ""),
            "its tables": (supervisor, "/desk/wall", "tables=1"),
            "the digest": (supervisor, "/desk/digest", ""),
            "a head's own wall": (head, "/desk/wall", ""),
        }
        files = Path(views.__file__).parents[2] / "web/static/zw"
        beside = sum((files / name).stat().st_size for name in ("wall.css", "wall.js"))
        dearest, largest = 0.0, 0.0
        print(f"{'':<26}{'queries':>8}{'ours ms':>9}{'theirs ms':>11}{'CPU ms':>8}{'KB':>6}")
        for name, (browser, path, query) in asked.items():

            def anew(
                browser: _web.Browser = browser, path: str = path, query: str = query
            ) -> _web.Answer:
                views._boards.clear()
                answer = browser.ask(path, query=query)
                assert answer.status == 200, (path, answer.status, answer.body[:300])
                return answer

            if given.explain:
                print(f"===== {name}")
                _web.explained(anew)
            anew()
            with _web.counted() as said:
                answer = anew()
            ours, theirs = _cpu(anew)
            size = (len(answer.body) + beside) / 1024
            dearest, largest = max(dearest, ours + theirs), max(largest, size)
            print(
                f"{name:<26}{len(said):>8}{ours:>9.1f}{theirs:>11.1f}{ours + theirs:>8.1f}{size:>6.0f}",
                flush=True,
            )
        ours, theirs = _cpu(lambda: supervisor.ask("/desk/wall", query="part=1"))
        print(
            f"{'a screen that has it':<26}{'':>8}{ours:>9.1f}{theirs:>11.1f}{ours + theirs:>8.1f}"
        )
        worst = 0.0
        for name, code in (("worst 50, the city", ""), ("worst 50, an organ", head_code)):
            reach = wall.reach(accounts.actor(code or "p-420100-c00-supervisor"))
            at = now()
            ours, theirs = _cpu(
                lambda reach=reach, at=at: wall.listed(reach, people=True, at=at, most=wall.WORST)  # type: ignore[misc]
            )
            worst = max(worst, ours + theirs)
            print(f"{name:<26}{'':>8}{ours:>9.1f}{theirs:>11.1f}{ours + theirs:>8.1f}", flush=True)
        line("wall-worst", round(worst, 1), "ms CPU for the worst fifty", limit=MOST_WORST_MS)
        line("wall-size", round(largest), "KB, the largest with its files", limit=MOST_KB)
        line("wall", round(dearest, 1), "ms CPU for a board made anew", limit=MOST_MS)


if __name__ == "__main__":
    main()
