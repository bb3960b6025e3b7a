"""The applicant's progress page on the big city: queries and CPU.

    python -m bench.track [--cases N] [--home FOLDER] [--explain 1]

Number and query code in the body, a hundred different cases, open and closed ones.
"""

from __future__ import annotations

from bench import _web
from bench._city import city


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    with city(given.cases, given.home) as it:
        from zhengwu.cases import tracking

        # Whoever asks two thousand times in ten minutes would be sent away.
        tracking.PER_SENDER = tracking.PER_NUMBER = 10**9
        browser = _web.Browser()
        token = browser.token("/track")
        pages = {}
        for name, state in (
            ("just received", "received"),
            ("under review", "handling"),
            ("decided", "decided"),
            ("closed", "closed"),
        ):
            pairs = it.numbers(state, 100)

            def ask(n: int, pairs: list[tuple[str, str]] = pairs) -> _web.Answer:
                number, code = pairs[n % len(pairs)]
                form = {"csrfmiddlewaretoken": token, "number": number, "code": code}
                return browser.ask("/track", form)

            if given.explain:
                print(f"===== {name}")
                _web.explained(lambda ask=ask: ask(0))  # type: ignore[misc]
            pages[name] = ask
        _web.told("track", _web.costs(pages))


if __name__ == "__main__":
    main()
