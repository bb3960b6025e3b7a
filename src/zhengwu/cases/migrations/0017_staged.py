"""The open cases of an agency by state in the order of the list: cases.queries.inbox.

Most folders of the inbox are one state. Their first page had been sought through all open cases of the
agency, or sorted from the table: 14 ms of PostgreSQL for what is under review at the busiest agency
with 1,000,000 cases, 50,000 of them open, now 4. The index has 4 MB there; holder_kind lets what
waits for its papers be counted in it without the table.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on meanwhile
    dependencies: ClassVar = [("cases", "0016_counted")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["agency", "state", "suspended", "due", "id"],
                include=["holder_kind"],
                condition=models.Q(("closed__isnull", True)),
                name="cases_case_staged",
            ),
        ),
    ]
