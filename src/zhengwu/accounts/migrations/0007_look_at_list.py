"""A look at a list is one row: accounts.services.look_through.

It had been a row for each case that stood in it, which was the dearest part of showing a list: twenty
rows with four indexes each. What was recorded before stays as it is. The column takes a moment whatever
the table holds, but nobody may be reading the table at that moment: behind a backup it gives up, and is
made by the next try. Going back makes a row of each again: nothing that was looked at is lost.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

APART = """
INSERT INTO accounts_look (person, agency, stream, stream_id, why, fields, at)
SELECT person, agency, stream, unnest(others), why, fields, at FROM accounts_look
WHERE others IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0006_systems")]
    operations: ClassVar = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="look",
            name="others",
            field=ArrayField(base_field=models.UUIDField(), null=True, size=None),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, APART),
    ]
