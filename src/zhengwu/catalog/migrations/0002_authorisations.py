"""Written authorisations. What only SQL can promise: no two of one person, item and window stand on
one day; one for every window of a hall overlaps with that for each.
"""

from django.db import migrations, models

FORWARD = """
CREATE TYPE catalog_textrange AS RANGE (subtype = text, collation = "C");
ALTER TABLE catalog_authorisation ADD CONSTRAINT catalog_authorisation_once EXCLUDE USING gist (
    catalog_textrange(person || ' ' || item || ' ' || hall, person || ' ' || item || ' ' || hall,
        '[]') WITH &&,
    catalog_textrange(nullif("window", ''), nullif("window", ''), '[]') WITH &&,
    daterange(since, until, '[]') WITH &&) WHERE (ended IS NULL);
"""
BACKWARD = """
ALTER TABLE catalog_authorisation DROP CONSTRAINT catalog_authorisation_once;
DROP TYPE catalog_textrange;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Authorisation",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("agency", models.CharField(max_length=60, verbose_name="机关")),
                ("hall", models.CharField(max_length=40, verbose_name="大厅")),
                ("window", models.CharField(blank=True, max_length=20, verbose_name="窗口")),
                ("item", models.CharField(max_length=40, verbose_name="事项编码")),
                ("person", models.CharField(max_length=40, verbose_name="被授权人")),
                ("may_grant", models.BooleanField(verbose_name="可以准予")),
                ("may_refuse", models.BooleanField(verbose_name="可以不予")),
                ("since", models.DateField(verbose_name="起始日")),
                ("until", models.DateField(null=True, verbose_name="截止日")),
                ("number", models.CharField(max_length=80, verbose_name="授权书文号")),
                ("issued_by", models.CharField(max_length=40, verbose_name="签发人")),
                ("issued", models.DateTimeField(verbose_name="签发时间")),
                ("ended", models.DateTimeField(null=True, verbose_name="终止时间")),
                ("ended_on", models.DateField(null=True, verbose_name="终止日")),
                ("ended_by", models.CharField(max_length=40, null=True, verbose_name="终止人")),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["person", "item", "hall", "since"],
                        name="catalog_authorisation_stand",
                    ),
                    models.Index(
                        fields=["agency", "hall", "window", "item"],
                        name="catalog_authorisation_list",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("may_grant", True), ("may_refuse", True), _connector="OR"
                        ),
                        name="catalog_authorisation_power",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until__isnull", True),
                            ("until__gte", models.F("since")),
                            _connector="OR",
                        ),
                        name="catalog_authorisation_ends_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        name="catalog_authorisation_paper",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended__isnull", True),
                                ("ended_by__isnull", True),
                                ("ended_on__isnull", True),
                            ),
                            models.Q(
                                ("ended__isnull", False),
                                ("ended_by__isnull", False),
                                ("ended_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="catalog_authorisation_ended_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
