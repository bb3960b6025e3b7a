"""The case page on the big city: queries and CPU, of cases in every state.

    python -m bench.case_page [--cases N] [--home FOLDER] [--explain 1]

A hundred different cases of each kind; the look at the applicant is recorded as in life.
"""

from __future__ import annotations

from bench import _web
from bench._city import city


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    with city(given.cases, given.home) as it:
        browsers = {"clerk": _web.Browser(it.clerk), "reviewer": _web.Browser(it.reviewer)}
        asked = {
            "clerk, received": ("clerk", "received"),
            "reviewer, under review": ("reviewer", "handling"),
            "clerk, decided": ("clerk", "decided"),
            "clerk, closed": ("clerk", "closed"),
        }
        pages = {}
        for name, (who, state) in asked.items():
            numbers = [number for number, _ in it.numbers(state, 100)]
            ask = lambda n, who=who, numbers=numbers: browsers[who].ask(  # noqa: E731
                f"/desk/cases/{numbers[n % len(numbers)]}"
            )
            if given.explain:
                print(f"===== {name}")
                _web.explained(lambda ask=ask: ask(0))  # type: ignore[misc]
            pages[name] = ask
        _web.told("case-page", _web.costs(pages))


if __name__ == "__main__":
    main()
