from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("started", models.DateTimeField()),
                ("count", models.PositiveIntegerField()),
            ],
            options={"db_table": "web_attempt"},
        ),
    ]
