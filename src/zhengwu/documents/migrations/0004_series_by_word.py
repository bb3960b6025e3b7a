"""江水收字 and 江水许收字 count apart from now on; what was given goes on after its last number."""

from django.db import migrations

FORWARD = """
INSERT INTO ledger_series (agency, kind, year, last)
SELECT agency, kind || '.other', substring(number from '〔([0-9]+)〕')::int,
    max(substring(number from '第([0-9]+)号')::int)
FROM documents_document
WHERE number ~ '〔[0-9]+〕第[0-9]+号' AND number !~ '许[^字]+字〔'
GROUP BY 1, 2, 3
ON CONFLICT (agency, kind, year) DO UPDATE SET last = greatest(ledger_series.last, excluded.last)
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_copies_stay"), ("ledger", "0002_by_actor")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
