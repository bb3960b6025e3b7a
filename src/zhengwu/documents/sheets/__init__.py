"""Tables (表格) that come in and go out: XLSX, CSV and JSON. Nothing in them is believed.

Reading, for an import:
- `read(data, filename=…)` gives a `Table`: columns by their heading, every cell as clean text. What
  is wrong with the whole file is raised as a Refusal (`sheets.*`); what is wrong with one row stands
  in that row's `faults`, each with the column as its field, so that a person sees all of it at once.
  What was done without asking (empty rows passed over, a code page recognised, a sheet not read)
  stands in `Table.notes`.
- `parse_date(text)` is for a column of dates.

Writing, for an export: `write_xlsx` (bytes), `save_xlsx` (to a place, in constant memory),
`save_sheets` (the same; what one sheet does not hold goes on in the next), `write_csv` and
`write_json` (pieces, to be streamed). What `write_*` wrote `read` gives back, the text cleaned. In XLSX and CSV a cell that a spreadsheet would take for a formula gets a ' in front;
reading takes it away again.

An XLSX is read here and not by calamine, which was meant for it: it does not tell where a formula
stands, it ends the whole process over 1.5 KB with one cell in the last corner, and it asks for more
than 6 GB over 20 KB in which every cell names the same long text. Looking for that first means
reading every cell here anyway. The tests hold our values against calamine's.
"""

from __future__ import annotations

from zhengwu.documents.sheets.dates import parse_date
from zhengwu.documents.sheets.reading import read
from zhengwu.documents.sheets.table import Note, SheetRow, Table, clean
from zhengwu.documents.sheets.writing import (
    save_sheets,
    save_xlsx,
    write_book,
    write_csv,
    write_json,
    write_xlsx,
)  # fmt: skip

__all__ = [
    "Note",
    "SheetRow",
    "Table",
    "clean",
    "parse_date",
    "read",
    "save_sheets",
    "save_xlsx",
    "write_book",
    "write_csv",
    "write_json",
    "write_xlsx",
]
