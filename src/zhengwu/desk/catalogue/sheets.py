"""Tables of the catalogue as files (导出): CSV or XLSX, the same rows that the page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpResponse

from zhengwu.documents import sheets
from zhengwu.web import words

MOST = 5_000
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def answer(
    form: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str,
    at: datetime,
) -> HttpResponse:
    """The table in one of the forms; another form is not there (404). A cell: text, number, None."""
    if form not in TYPES:
        raise Http404
    if form == "csv":
        data = b"".join(sheets.write_csv(columns, rows))
    else:
        data = sheets.write_xlsx(columns, rows, title=title)
    stamp = f"{words.local(at):%Y%m%d-%H%M}.{form}"
    response = HttpResponse(data, content_type=TYPES[form])
    response["Content-Disposition"] = (
        f"attachment; filename=\"catalogue-{stamp}\"; filename*=UTF-8''{quote(title)}-{stamp}"
    )
    return response
