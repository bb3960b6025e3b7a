"""The open cases of a hall in the order of its list; and no index that nothing asks.

Django gives every unique text an index for LIKE; nobody looks for a part of a number, and every move
of a case wrote into it. The one of the hall takes its place: as many are written as before.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

LIKE = "cases_case_number_980c9551_like"


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on meanwhile
    dependencies: ClassVar = [("cases", "0011_alike")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["hall", "suspended", "due", "id"],
                condition=models.Q(("closed__isnull", True)),
                name="cases_case_of_hall",
            ),
        ),
        migrations.RunSQL(
            f"DROP INDEX CONCURRENTLY IF EXISTS {LIKE}",
            f"CREATE INDEX CONCURRENTLY {LIKE} ON cases_case (number varchar_pattern_ops)",
        ),
    ]
