"""What counts against a unit in a month, for rankings; and the index it is counted by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0002_trials")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "by",
                        "month",
                        "place",
                        "unit",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("by", models.CharField(max_length=8, verbose_name="排名对象")),
                ("month", models.DateField(verbose_name="月份")),
                ("place", models.CharField(max_length=80)),
                ("unit", models.CharField(max_length=80)),
                ("counts", models.JSONField()),
            ],
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(
                    ("counts", True),
                    ("level__in", ["warning", "yellow", "red"]),
                    models.Q(("scored", ""), _negated=True),
                ),
                fields=["at"],
                include=("agency", "region", "hall", "window", "person", "scored", "level"),
                name="supervision_finding_scored",
            ),
        ),
    ]
