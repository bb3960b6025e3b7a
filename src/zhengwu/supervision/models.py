"""Tables of supervision. They decide nothing: heads of streams, and where to look when."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

LEVELS = ("hint", "warning", "yellow", "red")


class Finding(models.Model):
    """Finding (监察发现): the head of its stream. case None: of a source, not of a case.

    at: the lawful instant; issued: when it was noticed. counts: false once revoked. level is the
    present one, first_level the one it was issued with. person: a code of ours, or of another
    system's operator; no name. rule_name, item_name as they were then. served: to whom, bits of
    `rulebook.SERVED`; what was issued before that counted was for desk and head.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    rule = models.CharField("规则", max_length=16)
    rule_name = models.CharField(max_length=100)
    dimension = models.CharField("维度", max_length=16)
    scored = models.CharField("计分项", max_length=16, blank=True)
    level = models.CharField("级别", max_length=8)
    first_level = models.CharField(max_length=8)
    case = models.UUIDField(null=True)
    number = models.CharField("办件编号", max_length=24, blank=True)
    item_name = models.CharField(max_length=200, blank=True)
    source = models.CharField("来源", max_length=40)
    agency = models.CharField("责任机关", max_length=40)
    region = models.CharField("区划", max_length=16)
    hall = models.CharField(max_length=40, null=True)
    window = models.CharField(max_length=20, null=True)
    post = models.CharField("责任岗位", max_length=80, null=True)
    person = models.CharField("责任人", max_length=80, null=True)
    limit = models.CharField("期限", max_length=40, null=True)
    due = models.DateTimeField(null=True)
    at = models.DateTimeField("应当发现的时刻")
    issued = models.DateTimeField("发出")
    whole = models.BooleanField("整件超期")
    served = models.SmallIntegerField("送达", db_default=3)
    sign_due = models.DateTimeField("签收期限", null=True)
    answer_due = models.DateTimeField("答复期限", null=True)
    appeal_due = models.DateTimeField("裁定期限", null=True)
    state = models.CharField(max_length=12)
    appeal = models.CharField(max_length=12, blank=True)
    basis_changed = models.BooleanField(default=False)
    counts = models.BooleanField(default=True)
    signed = models.DateTimeField(null=True)
    answered = models.DateTimeField(null=True)
    closed = models.DateTimeField(null=True)
    reminded = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__in=LEVELS) & Q(first_level__in=LEVELS),
                name="supervision_finding_level",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["issued", "signed", "answered", "closed"]),
                name="supervision_finding_state",
            ),
            models.CheckConstraint(
                condition=Q(
                    appeal__in=["", "open", "pending", "withdrawn", "upheld", "lowered", "revoked"]
                ),
                name="supervision_finding_appeal",
            ),
            models.CheckConstraint(
                condition=Q(served__gte=1) & Q(served__lte=7), name="supervision_finding_served"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["case"], name="supervision_finding_case"),
            # The desk's lists, newest first, page by page behind (at, id).
            models.Index(fields=["agency", "-at", "-id"], name="supervision_finding_agency"),
            models.Index(fields=["-at", "-id"], name="supervision_finding_at"),
            models.Index(fields=["rule", "-at", "-id"], name="supervision_finding_rule"),
            models.Index(
                fields=["hall", "-at", "-id"],
                name="supervision_finding_hall",
                condition=Q(hall__isnull=False),
            ),
            models.Index(
                fields=["number"], name="supervision_finding_number", condition=~Q(number="")
            ),
            models.Index(
                fields=["agency", "person", "at"],
                name="supervision_finding_person",
                condition=Q(person__isnull=False),
            ),
            models.Index(
                fields=["agency", "post", "at"],
                name="supervision_finding_post",
                condition=Q(post__isnull=False),
            ),
            models.Index(
                fields=["level", "-at"],
                name="supervision_finding_card",
                condition=Q(level__in=["yellow", "red"]),
            ),
            models.Index(
                fields=["agency", "-at", "-id"],
                name="supervision_finding_cards",
                condition=Q(level__in=["yellow", "red"]),
            ),
            # What waits for the desk, and what for the supervisors: few, whatever there is in all.
            models.Index(
                fields=["agency", "-at", "-id"],
                name="supervision_finding_desk",
                condition=Q(state__in=["issued", "signed"], answer_due__isnull=False),
            ),
            models.Index(
                fields=["-at", "-id"],
                name="supervision_finding_waiting",
                condition=Q(state__in=["issued", "signed"], answer_due__isnull=False),
            ),
            models.Index(
                fields=["answer_due"],
                name="supervision_finding_overdue",
                condition=Q(state__in=["issued", "signed"], answer_due__isnull=False),
            ),
            models.Index(
                fields=["-at", "-id"],
                name="supervision_finding_todo",
                condition=Q(state="answered")
                | Q(appeal__in=["open", "pending"])
                # A clue for the supervisors, which nobody else deals with.
                | Q(served__gte=4, state="issued", answer_due__isnull=True),
            ),
            models.Index(
                fields=["-at", "-id"],
                name="supervision_finding_gone",
                condition=Q(counts=False),
            ),
            models.Index(
                fields=["-at", "-id"],
                name="supervision_finding_basis",
                condition=Q(basis_changed=True),
            ),
            # What counts of a month, for the sheets of districts and windows, by index alone.
            models.Index(
                fields=["at"],
                include=["agency", "region", "hall", "window", "person", "scored", "level"],
                name="supervision_finding_scored",
                condition=Q(counts=True, level__in=["warning", "yellow", "red"]) & ~Q(scored=""),
            ),
            # What was not done in time; what was reminded of falls out.
            models.Index(
                fields=["sign_due"],
                name="supervision_finding_unsigned",
                condition=Q(state="issued", sign_due__isnull=False)
                & (Q(reminded__isnull=True) | Q(reminded__lt=F("sign_due"))),
            ),
            models.Index(
                fields=["answer_due"],
                name="supervision_finding_late",
                condition=Q(state__in=["issued", "signed"], answer_due__isnull=False)
                & (Q(reminded__isnull=True) | Q(reminded__lt=F("answer_due"))),
            ),
            models.Index(
                fields=["appeal_due"],
                name="supervision_finding_unruled",
                condition=Q(appeal="pending", appeal_due__isnull=False)
                & (Q(reminded__isnull=True) | Q(reminded__lt=F("appeal_due"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.id}"


class Tally(models.Model):
    """What counts against a unit in a month (计分发现合计), kept by `supervision.tally` from findings.

    by: agency | district | window | person; unit: its code, place: the hall of a window, the agency
    of a person. counts: {part: {"yellow": n, "red": n, "warning": {day of the month: n}}}. cards: the
    same without warnings, as text, empty without cards; warned: warnings of the part with most. With
    fewer than make a run only the cards take points.
    """

    pk = models.CompositePrimaryKey("by", "month", "place", "unit")
    by = models.CharField("排名对象", max_length=8)
    month = models.DateField("月份")
    place = models.CharField(max_length=80)
    unit = models.CharField(max_length=80)
    counts = models.JSONField()
    cards = models.TextField("牌", default="", db_default="")
    warned = models.IntegerField("最多预警", default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.by} {self.unit} {self.month}"


class Watch(models.Model):
    """Where to look when (待查): a case in which time alone may bring something to light.

    look_at: not later than the instant; the case is read then, and it says when to look again.
    """

    case = models.UUIDField(primary_key=True)
    look_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["look_at"], name="supervision_watch_at")]

    def __str__(self) -> str:
        return str(self.case)


class Heard(models.Model):
    """Until when another system's news is known (报送到): the last moment it was entered there.

    recorded, received: of the last entry; settled: of what came before the exchange that may still
    go on. days: ordinals of the last days on which something came.
    """

    source = models.CharField(primary_key=True, max_length=40)
    agency = models.CharField(max_length=40)
    region = models.CharField(max_length=16)
    recorded = models.DateTimeField()
    received = models.DateTimeField()
    settled = models.DateTimeField(null=True)
    days = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.source


class Order(models.Model):
    """Supervision order (督办): the head of its stream."""

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    number = models.CharField("文号", max_length=60, unique=True)
    subject = models.CharField(max_length=32)
    case = models.UUIDField(null=True)
    case_number = models.CharField(max_length=24, blank=True)
    finding = models.UUIDField(null=True)
    agency = models.CharField("承办机关", max_length=40)
    region = models.CharField(max_length=16)
    post = models.CharField(max_length=80, null=True)
    person = models.CharField(max_length=80, null=True)
    opened = models.DateTimeField()
    opened_by = models.CharField(max_length=80)
    sign_due = models.DateTimeField()
    answer_due = models.DateTimeField()
    state = models.CharField(max_length=12)
    signed = models.DateTimeField(null=True)
    reported = models.DateTimeField(null=True)
    closed = models.DateTimeField(null=True)
    escalated = models.DateTimeField(null=True)
    returned = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["opened", "signed", "working", "reported", "returned", "closed"]
                ),
                name="supervision_order_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agency", "-opened"], name="supervision_order_agency"),
            models.Index(fields=["-opened", "-id"], name="supervision_order_opened"),
            models.Index(fields=["finding"], name="supervision_order_finding"),
            models.Index(
                fields=["answer_due"],
                name="supervision_order_open",
                condition=Q(closed__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Account(models.Model):
    """Accountability record (问责): the head of its stream. It opens itself and cannot be deleted.

    cause: overdue | red | person_month | agency_month | order. findings, revoked: how many causes,
    and how many of them were revoked since.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    cause = models.CharField("起因", max_length=16)
    month = models.DateField(null=True)
    case = models.UUIDField(null=True)
    case_number = models.CharField(max_length=24, blank=True)
    agency = models.CharField("责任机关", max_length=40)
    region = models.CharField(max_length=16)
    person = models.CharField("责任人", max_length=80, null=True)
    opened = models.DateTimeField()
    due = models.DateTimeField("办理期限")
    findings = models.IntegerField()
    revoked = models.IntegerField(default=0)
    state = models.CharField(max_length=12)
    handler = models.CharField("承办人", max_length=80, null=True)
    measure = models.CharField("处理", max_length=16, null=True)
    decided = models.DateTimeField(null=True)
    closed = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["opened", "taken_up", "heard", "decided", "carried_out", "closed"]
                ),
                name="supervision_account_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agency", "-opened"], name="supervision_account_agency"),
            models.Index(fields=["-opened", "-id"], name="supervision_account_opened"),
            models.Index(fields=["state", "-opened"], name="supervision_account_state"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.id}"


class Check(models.Model):
    """Spot check (抽查): cases drawn so that anybody can draw them again."""

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    since = models.DateField()
    until = models.DateField()
    agency = models.CharField(max_length=40, null=True)
    region = models.CharField(max_length=16)
    position = models.BigIntegerField()
    seed = models.CharField(max_length=64)
    wanted = models.IntegerField()
    drawn = models.DateTimeField()
    drawn_by = models.CharField(max_length=80)
    state = models.CharField(max_length=8)
    done = models.IntegerField(default=0)
    closed = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-drawn"], name="supervision_check_drawn")]

    def __str__(self) -> str:
        return str(self.id)


class Trial(models.Model):
    """A rule tried on history (试算): made in the background; what it found is kept for a while.

    rule: as it would be; present: the version in force when it was asked for, None of a new rule.
    `run` is raised with every start: whoever made a start that is no longer the last writes nothing
    more. cases: the first of what it found, no person in it. compared: what the present version
    finds in the same cases (present), only the new one (more), only the present one (fewer), what
    was issued by the rule in that time (issued), cases that could not be read (unread).
    """

    id = models.UUIDField(primary_key=True)
    key = models.UUIDField(unique=True)
    rule = models.JSONField()
    present = models.JSONField(null=True)
    since = models.DateField()
    until = models.DateField()
    asked = models.DateTimeField()
    asked_by = models.CharField(max_length=80)
    state = models.CharField(max_length=10, default="waiting")
    run = models.PositiveIntegerField(default=0)
    deaths = models.PositiveSmallIntegerField(default=0)
    looked = models.IntegerField(default=0)
    total = models.IntegerField(null=True)
    found = models.IntegerField(default=0)
    cases = models.JSONField(default=list)
    by_agency = models.JSONField(default=dict)
    by_level = models.JSONField(default=dict)
    compared = models.JSONField(default=dict)
    done = models.DateTimeField(null=True)
    alive = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["asked"], name="supervision_trial_waiting", condition=Q(done__isnull=True)
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed", "cancelled"]),
                name="supervision_trial_state",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
