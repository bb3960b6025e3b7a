"""The cases that run, by their due, for the whole city: cases.pressing. The worst fifty of a million
are the first fifty of it; by district they are counted from it alone.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on while it is built
    dependencies: ClassVar = [("cases", "0014_pressing")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["due", "id"],
                include=["region"],
                condition=models.Q(("closed__isnull", True), ("suspended", False)),
                name="cases_case_worst",
            ),
        ),
    ]
