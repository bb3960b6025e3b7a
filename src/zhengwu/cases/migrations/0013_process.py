"""The newest cases of one item, for its process: cases.process. Without it they were searched for
among all cases of the organ, 150,000 of the busiest in a city of 1,000,000.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: cases are worked on while it is built
    dependencies: ClassVar = [("cases", "0012_of_hall")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["item", "-opened"],
                condition=models.Q(("item__isnull", False)),
                name="cases_case_item",
            ),
        ),
    ]
