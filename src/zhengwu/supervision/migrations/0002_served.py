"""Whom a finding is served to, and what waits for the supervisors with what is served to them alone.

Written beside running work: the column has a default and is not filled row by row, the index is
built and the constraint is checked while findings are issued.
"""

from typing import ClassVar

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY
    dependencies: ClassVar = [("supervision", "0001_initial")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="finding",
            name="served",
            field=models.SmallIntegerField("送达", db_default=3),
        ),
        AddConstraintNotValid(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(("served__gte", 1), ("served__lte", 7)),
                name="supervision_finding_served",
            ),
        ),
        ValidateConstraint(model_name="finding", name="supervision_finding_served"),
        AddIndexConcurrently(
            model_name="finding",
            index=models.Index(
                fields=["-at", "-id"],
                condition=models.Q(
                    ("state", "answered"),
                    ("appeal__in", ["open", "pending"]),
                    models.Q(("answer_due__isnull", True), ("served__gte", 4), ("state", "issued")),
                    _connector="OR",
                ),
                name="supervision_finding_todo",
            ),
        ),
        RemoveIndexConcurrently(model_name="finding", name="supervision_finding_ruling"),
    ]
