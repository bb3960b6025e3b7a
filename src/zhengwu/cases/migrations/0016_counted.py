"""What the inbox counts by, and nothing besides: cases.queries.inbox.

`cases_case_alike` also held what tells one case from the next. With 1,000,000 cases, 50,000 of them
open, it had 12 MB where this one has half a megabyte, because cases alike share an entry; and an entry
read from it cost two to three times as much, because all of its columns are taken apart.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on meanwhile
    dependencies: ClassVar = [("cases", "0015_worst")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=[
                    "agency", "state", "suspended", "holder_kind", "holder_agency", "holder_post",
                    "holder_actor",
                ],
                condition=models.Q(("closed__isnull", True)),
                name="cases_case_counted",
            ),
        ),
        RemoveIndexConcurrently(model_name="case", name="cases_case_alike"),
    ]  # fmt: skip
