"""The trials of rules as they are worked in the background. Nothing stood in the table before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0001_initial")]

    operations = [
        migrations.DeleteModel(name="Trial"),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("key", models.UUIDField(unique=True)),
                ("rule", models.JSONField()),
                ("present", models.JSONField(null=True)),
                ("since", models.DateField()),
                ("until", models.DateField()),
                ("asked", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=80)),
                ("state", models.CharField(default="waiting", max_length=10)),
                ("run", models.PositiveIntegerField(default=0)),
                ("deaths", models.PositiveSmallIntegerField(default=0)),
                ("looked", models.IntegerField(default=0)),
                ("total", models.IntegerField(null=True)),
                ("found", models.IntegerField(default=0)),
                ("cases", models.JSONField(default=list)),
                ("by_agency", models.JSONField(default=dict)),
                ("by_level", models.JSONField(default=dict)),
                ("compared", models.JSONField(default=dict)),
                ("done", models.DateTimeField(null=True)),
                ("alive", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done__isnull", True)),
                        fields=["asked"],
                        name="supervision_trial_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running", "done", "failed", "cancelled"])
                        ),
                        name="supervision_trial_state",
                    )
                ],
            },
        ),
    ]
