"""What of a tally can take points, beside it; and all tallies counted anew, from differences."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("supervision", "0002_served"), ("ledger", "0001_log")]
    operations: ClassVar = [
        # Counted from the findings as they stood, which may have moved on past the follower's
        # position: differences need a beginning that knows no more than it has read.
        migrations.RunSQL(
            [
                "DELETE FROM supervision_tally",
                "UPDATE ledger_follower SET position = 0 WHERE name = 'supervision.tally'",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="tally",
            name="cards",
            field=models.TextField("牌", default="", db_default=""),
        ),
        migrations.AddField(
            model_name="tally",
            name="warned",
            field=models.IntegerField("最多预警", default=0, db_default=0),
        ),
    ]
