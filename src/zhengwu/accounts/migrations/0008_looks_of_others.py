"""The index by which the looks at one case are found also in lists; built beside running work."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: people look at cases meanwhile
    dependencies: ClassVar = [("accounts", "0007_look_at_list")]
    operations: ClassVar = [
        # What a build that broke off left behind.
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS accounts_look_of_others", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="look",
            index=GinIndex(
                fields=["others"],
                condition=models.Q(("others__isnull", False)),
                name="accounts_look_of_others",
                gin_pending_list_limit=512,
            ),
        ),
    ]
