"""The lists of an agency and of a hall in their order, and their lights counted from the index alone.

The one of the agencies did not know what is suspended, that of the halls not the state, so that
lights were looked for in the table. And the table is vacuumed after some thousand moves, not after some hundred thousand: what
is counted from an index is looked up in the table where that was not done.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

VACUUMED = {
    "autovacuum_vacuum_scale_factor": "0.005",
    "autovacuum_vacuum_insert_scale_factor": "0.005",
    # Few dead rows would be left to their indexes, and with them their pages unmarked.
    "vacuum_index_cleanup": "on",
}


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on meanwhile
    dependencies: ClassVar = [("cases", "0013_process")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["agency", "suspended", "due", "id"],
                include=["state"],
                condition=models.Q(("closed__isnull", True)),
                name="cases_case_pressing",
            ),
        ),
        RemoveIndexConcurrently(model_name="case", name="cases_case_open"),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["hall", "suspended", "due", "id"],
                include=["state"],
                condition=models.Q(("closed__isnull", True)),
                name="cases_case_in_hall",
            ),
        ),
        RemoveIndexConcurrently(model_name="case", name="cases_case_of_hall"),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["hall", "suspended"],
                condition=models.Q(("closed__isnull", True), ("state", "supplementing")),
                name="cases_case_awaited",
            ),
        ),
        migrations.RunSQL(
            f"ALTER TABLE cases_case SET ({', '.join(f'{k} = {v}' for k, v in VACUUMED.items())})",
            f"ALTER TABLE cases_case RESET ({', '.join(VACUUMED)})",
        ),
    ]
