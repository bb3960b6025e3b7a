"""A number is kept with the entry that used it, so that it is free when that counts no more."""

from django.db import migrations, models

# Numbers already kept are of the newest entry of their kind; typed as they are read from now on.
FORWARD = """
UPDATE cases_slip s SET
    version = coalesce((
        SELECT max(e.version) FROM ledger_event e
        WHERE e.stream = 'case' AND e.stream_id = s."case"
            AND e.kind = CASE s.kind WHEN 'ticket' THEN 'fee_paid' ELSE 'delivered' END
    ), 1);
UPDATE cases_slip s SET value = replace(s.value, '-', '')
WHERE s.value LIKE '%-%' AND NOT EXISTS (
    SELECT 1 FROM cases_slip o WHERE o.id <> s.id AND o.kind = s.kind
        AND replace(o.value, '-', '') = replace(s.value, '-', '')
);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_unanswered"), ("ledger", "0002_by_actor")]

    operations = [
        migrations.AddField(
            model_name="slip",
            name="version",
            field=models.IntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="slip",
            name="counts",
            field=models.BooleanField(default=True),
        ),
        migrations.RemoveConstraint(model_name="slip", name="cases_slip_once"),
        migrations.AddConstraint(
            model_name="slip",
            constraint=models.UniqueConstraint(
                fields=("kind", "value", "case", "version"), name="cases_slip_once"
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
