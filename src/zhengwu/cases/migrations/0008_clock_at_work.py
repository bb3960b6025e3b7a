"""When the clock has something to do for a case; alarms; limits that a change of calendar moved."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

# The first sweep reads these cases and settles them.
FORWARD = """
UPDATE cases_case SET next_at = least(warn, due) WHERE closed IS NULL AND due IS NOT NULL;
"""


def case() -> models.ForeignKey:
    return models.ForeignKey(
        db_column="case",
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="cases.case",
    )


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_slips_of_entries")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="next_at",
            field=models.DateTimeField("时钟下次要做事的时间", null=True),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["next_at", "id"],
                condition=Q(next_at__isnull=False),
                name="cases_case_alarms",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["id"], condition=Q(closed__isnull=True), name="cases_case_running"
            ),
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("case", case()),
                ("limit", models.CharField("期限", max_length=40)),
                ("level", models.CharField(max_length=8)),
                ("due", models.DateTimeField("到期时间")),
                ("occurred", models.DateTimeField("依法应当报警的时间")),
                ("agency", models.CharField("办理机关", max_length=40)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "limit", "level", "due"), name="cases_alarm_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(level__in=["near", "over"]), name="cases_alarm_level"
                    ),
                ],
                "indexes": [
                    models.Index(fields=["agency", "-occurred"], name="cases_alarm_agency")
                ],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("edition", models.IntegerField(primary_key=True, serialize=False)),
                ("former", models.IntegerField(null=True)),
                ("turn", models.SmallIntegerField("遍数", db_column="pass", default=1)),
                ("cursor", models.UUIDField(null=True)),
                ("looked", models.IntegerField("看过的办件", default=0)),
                ("moved", models.IntegerField("变动的办件", default=0)),
                ("started", models.DateTimeField("开始")),
                ("passed", models.DateTimeField("第一遍完成", null=True)),
                ("finished", models.DateTimeField("第二遍完成", null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(turn__in=[1, 2]), name="cases_run_pass")
                ],
            },
        ),
        migrations.CreateModel(
            name="Moved",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_column="run",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.run",
                    ),
                ),
                ("case", case()),
                ("former", models.IntegerField("原来的历法")),
                ("due_before", models.DateTimeField("原到期时间", null=True)),
                ("due_after", models.DateTimeField("新到期时间", null=True)),
                ("provisional_before", models.BooleanField()),
                ("provisional_after", models.BooleanField()),
                ("limits", models.JSONField("变动的期限")),
                ("at", models.DateTimeField("推算时间")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "run"), name="cases_moved_once")
                ],
            },
        ),
    ]
