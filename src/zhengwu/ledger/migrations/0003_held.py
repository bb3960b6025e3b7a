"""A follower that counts anew out of the log's order takes no step meanwhile: whose work it is."""

from django.db import migrations

UP = "ALTER TABLE ledger_follower ADD COLUMN held uuid"
DOWN = "ALTER TABLE ledger_follower DROP COLUMN held"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_by_actor")]
    operations = [migrations.RunSQL(UP, DOWN)]
