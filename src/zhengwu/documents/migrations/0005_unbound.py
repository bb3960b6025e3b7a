"""When a file was let go by the entry that named it: seven days to bind it elsewhere."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0004_series_by_word")]
    operations = [
        migrations.AddField(
            model_name="upload", name="unbound", field=models.DateTimeField(null=True)
        )
    ]
