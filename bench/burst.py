"""Ten times as much as usual arrives for a minute (突发): nothing is lost, and soon all is as before.

    python -m bench.burst [--cases N] [--home FOLDER] [--seconds 60] [--times 10] [--rate R]

Against the real server, three stretches of a minute. Usual: sixteen users, a request a second each
(bench/users.py), a tenth of them acts: 1.6 receipts and acceptances a second. Rush: the same people,
and ten times as many acts as usual (16 a second; --rate says how many instead). After: as before.
Before them, how many acts a second the server can do at the most, so that the rates mean something.

Asked afterwards of the log: every act that was answered with 200 or 201 is in it exactly once under
its key, and of those answered otherwise, or not at all, none stands there twice, and none at all that
was told 503 (nothing was done). `burst` is the share of requests of the rush and after that were not
done; `burst-recovery` the seconds after the rush until a stretch of five seconds has a p95 of no
more than a quarter above the usual, and `burst-lost` the acts lost, doubled, or done in
spite of a 503; `burst-rude` the answers that were no more than a broken line or a bare error.
"""

from __future__ import annotations

import threading
import time
import uuid

import psycopg

from bench import _server, _web
from bench._city import City, city
from bench._line import line
from zhengwu.config.postgres import DATABASE, SUPERUSER

USUAL_ACTS = _server.USERS * dict(_server.MIX)["act"]
WINDOW = 5
CALLERS = 16


def capacity(town: _server.Town, seconds: float) -> float:
    """Acts a second when sixteen callers do nothing else."""
    until = time.perf_counter() + seconds
    counts: list[int] = []

    def work(n: int) -> None:
        count = 0
        while time.perf_counter() < until:
            count += town.act(n, str(uuid.uuid4())).status in (200, 201)
        counts.append(count)

    crew = [threading.Thread(target=work, args=(n,)) for n in range(CALLERS)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return sum(counts) / seconds


def in_the_log(it: City, town: _server.Town, keys: list[str]) -> dict[str, int]:
    """How often each key stands in the log, asked of the log itself."""
    logged = {town.logged(key): key for key in keys}
    with psycopg.connect(it.cluster.url(role=SUPERUSER, database=DATABASE)) as database:
        found = database.execute(
            "SELECT key, count(*) FROM ledger_event WHERE source = 'desk' AND key = ANY(%s)"
            " GROUP BY key",
            [list(logged)],
        ).fetchall()
    return {logged[str(key)]: int(count) for key, count in found}


def recovery(done: list[_server.Done], end: float, usual: float) -> float:
    """Seconds after `end` until a window's p95 is at most a quarter above the usual."""
    last = max(one.due for one in done)
    start = end
    while start + WINDOW <= last + 1:
        times = [one.seconds for one in done if start <= one.due < start + WINDOW]
        if times and _server.percentile(times, 0.95) <= 1.25 * usual:
            return start - end
        start += 1
    return last - end


def main() -> None:
    given = _web.arguments(__doc__, seconds=60, times=10, rate=0.0)
    stretch = given.seconds
    with city(given.cases, given.home) as it, _server.served(it) as server:
        town = _server.town(it, server.port)
        _server.play(town, _server.usual(10, seed=2))
        most = capacity(town, 10)
        rush = given.rate or USUAL_ACTS * given.times
        print(
            f"the server does {most:.0f} acts a second at the most; usual: {USUAL_ACTS:.1f} acts and"
            f" {_server.USERS - USUAL_ACTS:.1f} pages a second; in the rush {rush:.1f} acts a second"
        )
        plan = [
            *_server.usual(stretch * 3),
            *_server.acts(rush - USUAL_ACTS, stretch, start=stretch),
        ]
        done = _server.play(town, plan, threads=1_000)
        before = [one for one in done if one.due < stretch]
        during = [one for one in done if stretch <= one.due < 2 * stretch]
        after = [one for one in done if one.due >= 2 * stretch]
        for part, title in ((before, "usual"), (during, "rush"), (after, "after")):
            _server.summary(part, title)
        usual = _server.percentile([one.seconds for one in before], 0.95)
        acts = [one for one in done if one.key]
        found = in_the_log(it, town, [one.key for one in acts])
        lost = sum(found.get(one.key, 0) != 1 for one in acts if one.status in (200, 201))
        twice = sum(count > 1 for count in found.values())
        against = sum(one.key in found for one in acts if one.status == 503)
        unsure = sum(one.key in found for one in acts if one.status in (0, 500))
        failed = [one for one in (*during, *after) if one.status not in (200, 201)]
        rude = sum(not one.honest for one in done)
        print(
            f"{len(acts)} acts; done and not in the log once: {lost}; twice: {twice}; done in spite"
            f" of a 503: {against}; without an answer and done: {unsure}; not honest: {rude}"
        )
        line("burst-rude", rude, "answers that are no honest 503", limit=0)
        line("burst-lost", lost + twice + against, "acts", limit=0)
        line("burst-recovery", round(recovery(done, 2 * stretch, usual)), "s", limit=60)
        share = len(failed) / len((*during, *after)) * 100
        line("burst", round(share, 3), "% not done", ratio=round(rush / most, 2), limit=0.1)


if __name__ == "__main__":
    main()
