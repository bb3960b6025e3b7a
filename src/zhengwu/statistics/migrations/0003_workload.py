from django.db import migrations, models

# What was counted before this table came, added up as the follower would have.
COUNTED = (
    "sum(f.closed), sum(f.on_time + f.late), sum(f.early), sum(f.unjudged)"
    " FROM {table} f JOIN statistics_place p ON p.id = f.place_id"
)
KEPT = " HAVING sum(f.closed) <> 0 OR sum(f.on_time + f.late) <> 0 OR sum(f.early) <> 0 OR sum(f.unjudged) <> 0"
INTO = 'INSERT INTO statistics_workload ("by", start, place, unit, finished, judged, early, incomplete) '
COARSE = COUNTED.format(table="statistics_month")
FINE = COUNTED.format(table="statistics_finemonth")
DONE = (
    "sum(f.received + f.accepted + f.not_accepted + f.steps + f.granted + f.refused + f.delivered)"
)
FILL = (
    f"{INTO}SELECT 'agency', f.start, '', p.agency, {COARSE} WHERE p.agency <> ''"
    f" GROUP BY f.start, p.agency{KEPT}",
    f"{INTO}SELECT 'district', f.start, '', p.region, {COARSE} WHERE p.region <> ''"
    f" GROUP BY f.start, p.region{KEPT}",
    f"{INTO}SELECT 'window', f.start, p.hall, p.\"window\", {FINE}"
    f" WHERE p.hall <> '' AND p.\"window\" <> '' GROUP BY f.start, p.hall, p.\"window\"{KEPT}",
    f"{INTO}SELECT 'person', date_trunc('month', f.start)::date, f.agency, f.person, {DONE}, 0, 0, 0"  # noqa: S608
    " FROM statistics_person f WHERE f.agency <> '' AND f.person <> ''"
    f" GROUP BY 2, f.agency, f.person HAVING {DONE} <> 0",
)


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0002_figures"),
    ]

    operations = [
        migrations.CreateModel(
            name="Workload",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "by", "start", "place", "unit",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                ("by", models.CharField(max_length=8, verbose_name="归集对象")),
                ("start", models.DateField()),
                ("place", models.CharField(max_length=40)),
                ("unit", models.CharField(max_length=40)),
                ("finished", models.IntegerField(db_default=0, default=0, verbose_name="办结")),
                ("judged", models.IntegerField(db_default=0, default=0, verbose_name="可评判")),
                ("early", models.IntegerField(db_default=0, default=0, verbose_name="提前办结")),
                ("incomplete", models.IntegerField(db_default=0, default=0, verbose_name="不评判")),
            ],
        ),
        migrations.RunSQL(list(FILL), migrations.RunSQL.noop),
    ]  # fmt: skip
