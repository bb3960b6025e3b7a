"""The tables of supervision: heads of its streams, where to look when, tallies, trials."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Heard",
            fields=[
                ("source", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("agency", models.CharField(max_length=40)),
                ("region", models.CharField(max_length=16)),
                ("recorded", models.DateTimeField()),
                ("received", models.DateTimeField()),
                ("settled", models.DateTimeField(null=True)),
                ("days", models.JSONField(default=list)),
            ],
        ),
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
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("cause", models.CharField(max_length=16, verbose_name="起因")),
                ("month", models.DateField(null=True)),
                ("case", models.UUIDField(null=True)),
                ("case_number", models.CharField(blank=True, max_length=24)),
                ("agency", models.CharField(max_length=40, verbose_name="责任机关")),
                ("region", models.CharField(max_length=16)),
                ("person", models.CharField(max_length=80, null=True, verbose_name="责任人")),
                ("opened", models.DateTimeField()),
                ("due", models.DateTimeField(verbose_name="办理期限")),
                ("findings", models.IntegerField()),
                ("revoked", models.IntegerField(default=0)),
                ("state", models.CharField(max_length=12)),
                ("handler", models.CharField(max_length=80, null=True, verbose_name="承办人")),
                ("measure", models.CharField(max_length=16, null=True, verbose_name="处理")),
                ("decided", models.DateTimeField(null=True)),
                ("closed", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "-opened"], name="supervision_account_agency"),
                    models.Index(fields=["-opened", "-id"], name="supervision_account_opened"),
                    models.Index(fields=["state", "-opened"], name="supervision_account_state"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["opened", "taken_up", "heard", "decided", "carried_out", "closed"],
                            )
                        ),
                        name="supervision_account_state",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Check",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("since", models.DateField()),
                ("until", models.DateField()),
                ("agency", models.CharField(max_length=40, null=True)),
                ("region", models.CharField(max_length=16)),
                ("position", models.BigIntegerField()),
                ("seed", models.CharField(max_length=64)),
                ("wanted", models.IntegerField()),
                ("drawn", models.DateTimeField()),
                ("drawn_by", models.CharField(max_length=80)),
                ("state", models.CharField(max_length=8)),
                ("done", models.IntegerField(default=0)),
                ("closed", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["-drawn"], name="supervision_check_drawn")],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("rule", models.CharField(max_length=16, verbose_name="规则")),
                ("rule_name", models.CharField(max_length=100)),
                ("dimension", models.CharField(max_length=16, verbose_name="维度")),
                ("scored", models.CharField(blank=True, max_length=16, verbose_name="计分项")),
                ("level", models.CharField(max_length=8, verbose_name="级别")),
                ("first_level", models.CharField(max_length=8)),
                ("case", models.UUIDField(null=True)),
                ("number", models.CharField(blank=True, max_length=24, verbose_name="办件编号")),
                ("item_name", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(max_length=40, verbose_name="来源")),
                ("agency", models.CharField(max_length=40, verbose_name="责任机关")),
                ("region", models.CharField(max_length=16, verbose_name="区划")),
                ("hall", models.CharField(max_length=40, null=True)),
                ("window", models.CharField(max_length=20, null=True)),
                ("post", models.CharField(max_length=80, null=True, verbose_name="责任岗位")),
                ("person", models.CharField(max_length=80, null=True, verbose_name="责任人")),
                ("limit", models.CharField(max_length=40, null=True, verbose_name="期限")),
                ("due", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(verbose_name="应当发现的时刻")),
                ("issued", models.DateTimeField(verbose_name="发出")),
                ("whole", models.BooleanField(verbose_name="整件超期")),
                ("sign_due", models.DateTimeField(null=True, verbose_name="签收期限")),
                ("answer_due", models.DateTimeField(null=True, verbose_name="答复期限")),
                ("appeal_due", models.DateTimeField(null=True, verbose_name="裁定期限")),
                ("state", models.CharField(max_length=12)),
                ("appeal", models.CharField(blank=True, max_length=12)),
                ("basis_changed", models.BooleanField(default=False)),
                ("counts", models.BooleanField(default=True)),
                ("signed", models.DateTimeField(null=True)),
                ("answered", models.DateTimeField(null=True)),
                ("closed", models.DateTimeField(null=True)),
                ("reminded", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["case"], name="supervision_finding_case"),
                    models.Index(
                        fields=["agency", "-at", "-id"], name="supervision_finding_agency"
                    ),
                    models.Index(fields=["-at", "-id"], name="supervision_finding_at"),
                    models.Index(fields=["rule", "-at", "-id"], name="supervision_finding_rule"),
                    models.Index(
                        condition=models.Q(("hall__isnull", False)),
                        fields=["hall", "-at", "-id"],
                        name="supervision_finding_hall",
                    ),
                    models.Index(
                        condition=models.Q(("number", ""), _negated=True),
                        fields=["number"],
                        name="supervision_finding_number",
                    ),
                    models.Index(
                        condition=models.Q(("person__isnull", False)),
                        fields=["agency", "person", "at"],
                        name="supervision_finding_person",
                    ),
                    models.Index(
                        condition=models.Q(("post__isnull", False)),
                        fields=["agency", "post", "at"],
                        name="supervision_finding_post",
                    ),
                    models.Index(
                        condition=models.Q(("level__in", ["yellow", "red"])),
                        fields=["level", "-at"],
                        name="supervision_finding_card",
                    ),
                    models.Index(
                        condition=models.Q(("level__in", ["yellow", "red"])),
                        fields=["agency", "-at", "-id"],
                        name="supervision_finding_cards",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("answer_due__isnull", False), ("state__in", ["issued", "signed"])
                        ),
                        fields=["agency", "-at", "-id"],
                        name="supervision_finding_desk",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("answer_due__isnull", False), ("state__in", ["issued", "signed"])
                        ),
                        fields=["-at", "-id"],
                        name="supervision_finding_waiting",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("answer_due__isnull", False), ("state__in", ["issued", "signed"])
                        ),
                        fields=["answer_due"],
                        name="supervision_finding_overdue",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("state", "answered"),
                            ("appeal__in", ["open", "pending"]),
                            _connector="OR",
                        ),
                        fields=["-at", "-id"],
                        name="supervision_finding_ruling",
                    ),
                    models.Index(
                        condition=models.Q(("counts", False)),
                        fields=["-at", "-id"],
                        name="supervision_finding_gone",
                    ),
                    models.Index(
                        condition=models.Q(("basis_changed", True)),
                        fields=["-at", "-id"],
                        name="supervision_finding_basis",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("counts", True),
                            ("level__in", ["warning", "yellow", "red"]),
                            models.Q(("scored", ""), _negated=True),
                        ),
                        fields=["at"],
                        include=("agency", "region", "hall", "window", "person", "scored", "level"),
                        name="supervision_finding_scored",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("sign_due__isnull", False),
                            ("state", "issued"),
                            models.Q(
                                ("reminded__isnull", True),
                                ("reminded__lt", models.F("sign_due")),
                                _connector="OR",
                            ),
                        ),
                        fields=["sign_due"],
                        name="supervision_finding_unsigned",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("answer_due__isnull", False),
                            ("state__in", ["issued", "signed"]),
                            models.Q(
                                ("reminded__isnull", True),
                                ("reminded__lt", models.F("answer_due")),
                                _connector="OR",
                            ),
                        ),
                        fields=["answer_due"],
                        name="supervision_finding_late",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("appeal", "pending"),
                            ("appeal_due__isnull", False),
                            models.Q(
                                ("reminded__isnull", True),
                                ("reminded__lt", models.F("appeal_due")),
                                _connector="OR",
                            ),
                        ),
                        fields=["appeal_due"],
                        name="supervision_finding_unruled",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("level__in", ("hint", "warning", "yellow", "red")),
                            ("first_level__in", ("hint", "warning", "yellow", "red")),
                        ),
                        name="supervision_finding_level",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["issued", "signed", "answered", "closed"])
                        ),
                        name="supervision_finding_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "appeal__in",
                                [
                                    "",
                                    "open",
                                    "pending",
                                    "withdrawn",
                                    "upheld",
                                    "lowered",
                                    "revoked",
                                ],
                            )
                        ),
                        name="supervision_finding_appeal",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("number", models.CharField(max_length=60, unique=True, verbose_name="文号")),
                ("subject", models.CharField(max_length=32)),
                ("case", models.UUIDField(null=True)),
                ("case_number", models.CharField(blank=True, max_length=24)),
                ("finding", models.UUIDField(null=True)),
                ("agency", models.CharField(max_length=40, verbose_name="承办机关")),
                ("region", models.CharField(max_length=16)),
                ("post", models.CharField(max_length=80, null=True)),
                ("person", models.CharField(max_length=80, null=True)),
                ("opened", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=80)),
                ("sign_due", models.DateTimeField()),
                ("answer_due", models.DateTimeField()),
                ("state", models.CharField(max_length=12)),
                ("signed", models.DateTimeField(null=True)),
                ("reported", models.DateTimeField(null=True)),
                ("closed", models.DateTimeField(null=True)),
                ("escalated", models.DateTimeField(null=True)),
                ("returned", models.IntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "-opened"], name="supervision_order_agency"),
                    models.Index(fields=["-opened", "-id"], name="supervision_order_opened"),
                    models.Index(fields=["finding"], name="supervision_order_finding"),
                    models.Index(
                        condition=models.Q(("closed__isnull", True)),
                        fields=["answer_due"],
                        name="supervision_order_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["opened", "signed", "working", "reported", "returned", "closed"],
                            )
                        ),
                        name="supervision_order_state",
                    )
                ],
            },
        ),
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
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("case", models.UUIDField(primary_key=True, serialize=False)),
                ("look_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["look_at"], name="supervision_watch_at")],
            },
        ),
    ]
