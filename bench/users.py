"""Sixteen people at work: a request a second each, for a minute, against the real server.

    python -m bench.users [--cases N] [--home FOLDER] [--seconds 60]

40 % the inbox, 40 % a case, 10 % an applicant's progress page, 10 % an act (a receipt, or the
acceptance of what was received). p95 is over all of them, from when each request was due.
"""

from __future__ import annotations

from bench import _server, _web
from bench._city import city
from bench._line import line

LIMIT = 100


def main() -> None:
    given = _web.arguments(__doc__, seconds=60)
    with city(given.cases, given.home) as it, _server.served(it) as server:
        town = _server.town(it, server.port)
        _server.play(town, _server.usual(10, seed=2))  # what is read for the first time
        done = _server.play(town, _server.usual(given.seconds))
        _server.summary(done, f"{it.cases:,} cases, 16 users, {given.seconds} s")
        wrong = [one for one in done if one.status not in (200, 201)]
        assert not wrong, wrong[:3]
        line("users", _server.percentile([one.seconds for one in done], 0.95), "ms p95",
                  limit=LIMIT)  # fmt: skip


if __name__ == "__main__":
    main()
