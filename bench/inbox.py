"""The inbox on the big city: queries and CPU of the busiest desks.

    python -m bench.inbox [--cases N] [--home FOLDER] [--explain 1]

The clerk and the reviewer of the busiest organ (some thousands of open cases), folders, a light,
the last page, what is closed, and the centre's manager, who sees a whole hall.
"""

from __future__ import annotations

from bench import _web
from bench._city import city


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    with city(given.cases, given.home) as it:
        from zhengwu.cases import queries

        people = {
            "clerk": it.clerk,
            "reviewer": it.reviewer,
            "manager": "p-420100-c00-centre-manager",
        }
        browsers = {name: _web.Browser(code) for name, code in people.items()}
        path = "/desk/"
        asked = {
            "clerk": ("clerk", ""),
            "clerk, what waits for acceptance": ("clerk", "folder=receiving"),
            "clerk, over": ("clerk", "light=over"),
            "clerk, page 40": ("clerk", "page=40"),
            "clerk, closed": ("clerk", "folder=closed"),
            "reviewer": ("reviewer", ""),
            "reviewer, under review": ("reviewer", "folder=handling"),
            "manager of the centre": ("manager", ""),
        }
        if given.explain:
            for who in people:
                print(f"===== {who}")
                _web.explained(lambda who=who: browsers[who].ask(path))  # type: ignore[misc]
        from zhengwu.accounts import queries as accounts

        total = queries.inbox(accounts.actor(it.clerk), at=it.at).total
        print(f"{it.cases:,} cases, {it.open:,} open, {total:,} in the clerk's inbox")
        pages = {
            name: lambda n, who=who, query=query: browsers[who].ask(path, query=query)
            for name, (who, query) in asked.items()
        }
        _web.told("inbox", _web.costs(pages))


if __name__ == "__main__":
    main()
