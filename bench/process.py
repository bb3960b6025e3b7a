"""The real process on the big city: queries and CPU of its page, its list of cases and its answer.

    python -m bench.process [--cases N] [--home FOLDER] [--explain 1]

The busiest organ's head and a supervisor of the whole city; an item with its published flow, everything,
a period two years back, an outcome that next to no case has. What is shown is a sample, so that none of
them may cost more than the limit, however many cases there are.
"""

from __future__ import annotations

from bench import _web
from bench._city import city
from bench._line import line

MOST_QUERIES, MOST_MS = 20, 200


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    _web.ROUNDS, _web.EACH = 3, 4  # a page of this kind takes as long as twenty of the others
    with city(given.cases, given.home) as it:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT person.code FROM accounts_roleholding h"
                " JOIN accounts_person person ON person.id = h.person_id"
                " WHERE h.role = 'supervisor' AND h.scope = '420100' AND person.is_active"
                " ORDER BY person.code LIMIT 1"
            )
            (supervisor,) = cursor.fetchone()
            cursor.execute(
                "SELECT item FROM cases_case WHERE agency = %s AND kind = 'promised'"
                " ORDER BY opened DESC LIMIT 1",
                [it.agency],
            )
            (item,) = cursor.fetchone()
        city_wide = _web.Browser(supervisor)
        head = _web.Browser(f"p-{it.agency.lower()}-head-a")
        asked = {
            "everything in the city": (city_wide, "/desk/process", ""),
            "an item beside its flow": (city_wide, "/desk/process", f"item={item}"),
            "an item, in detail": (city_wide, "/desk/process", f"item={item}&detail=many"),
            "two years ago": (city_wide, "/desk/process", "since=2024-12-01&until=2025-01-31"),
            "refused only": (city_wide, "/desk/process", f"item={item}&outcome=refused"),
            "a head's own organ": (head, "/desk/process", ""),
            "the interface": (head, "/api/v1/process", f"item={item}"),
        }
        pages = {}
        for name, (browser, path, query) in asked.items():

            def ask(
                n: int, browser: _web.Browser = browser, path: str = path, query: str = query
            ) -> _web.Answer:
                return browser.ask(path, query=query)

            if given.explain:
                print(f"===== {name}")
                _web.explained(lambda ask=ask: ask(0))  # type: ignore[misc]
            pages[name] = ask
        costs = _web.costs(pages)
        _web.table(costs)
        line("process-queries", max(one.queries for one in costs.values()), "queries",
             limit=MOST_QUERIES)  # fmt: skip
        dearest = max(one.together for one in costs.values())
        line("process", round(dearest, 1), "ms CPU a page", limit=MOST_MS)


if __name__ == "__main__":
    main()
