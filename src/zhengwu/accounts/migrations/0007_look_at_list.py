"""A look at a list is one row: accounts.services.look_through.

It had been a row for each case that stood in it, which was the dearest part of showing a list: twenty
rows with four indexes each. What was recorded before stays as it is. The column takes a moment whatever
the table holds; the index reads it once, beside running work.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY: people look at cases meanwhile
    dependencies: ClassVar = [("accounts", "0006_systems")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="look",
            name="others",
            field=ArrayField(base_field=models.UUIDField(), null=True, size=None),
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
