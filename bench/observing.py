"""What the outermost middleware costs: CPU per request, with its figures and its log line.

python -m bench.observing
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path
from typing import cast

from bench._line import line

ROUNDS = 20_000
HOME = Path(tempfile.mkdtemp(prefix="zhengwu-bench-"))
os.environ |= {
    "PROMETHEUS_MULTIPROC_DIR": str(HOME),  # as the web processes count
    "DJANGO_SETTINGS_MODULE": "zhengwu.config.settings",
    "ZHENGWU_DEMO": "1",
    "ZHENGWU_HOME": str(HOME),
    "ZHENGWU_SECRET_KEY": "only-for-measuring-" * 4,
    "ZHENGWU_DATABASE_URL": "postgresql://nobody@localhost/none",
}


def main() -> None:
    import django

    django.setup()
    from django.http import HttpRequest, HttpResponse
    from django.test import RequestFactory
    from django.urls import ResolverMatch

    from zhengwu.config.logs import Lines
    from zhengwu.web import observing

    out = logging.StreamHandler(Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as we live
    out.setFormatter(Lines())
    logging.getLogger().handlers = [out]
    match = ResolverMatch(lambda: None, (), {}, url_name="inbox", namespaces=["desk"])

    def plain(request: HttpRequest) -> HttpResponse:
        request.resolver_match = match
        return HttpResponse(b"")

    observed = observing.observe(plain)

    def measured(path: str, answer: object) -> float:
        """Microseconds of CPU for one call, the least of five runs."""
        request = cast("HttpRequest", RequestFactory().get(path))
        runs = []
        for _ in range(5):
            begun = time.process_time()
            for _ in range(ROUNDS // 5):
                answer(request)  # type: ignore[operator]
            runs.append((time.process_time() - begun) / (ROUNDS // 5) * 1e6)
        return min(runs)

    bare = measured("/desk/", plain)
    whole, figures = measured("/desk/", observed) - bare, measured("/healthz", observed) - bare
    print(f"observed, with figures and a line: {whole:5.1f} µs of CPU")
    print(f"observed, figures alone:           {figures:5.1f} µs of CPU")
    line("observing", round(whole, 1), "µs of CPU a request")


if __name__ == "__main__":
    main()
