"""Tables of cases. They decide nothing; the rows of `Case` are heads of streams of the log."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# What the inbox counts an agency's open cases by: queries.inbox. Nothing by which one case differs
# from the next: those alike share an entry, and whoever counts them reads a few pages.
COUNTED_BY = [
    "agency", "state", "suspended", "holder_kind", "holder_agency", "holder_post", "holder_actor",
]  # fmt: skip


class Party(models.Model):
    """Applicant (申请人): a person or an organisation. Personal data: all of it."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField("类别", max_length=16)
    name = models.CharField("姓名或者名称", max_length=100)
    phone = models.CharField("手机号", max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["person", "organisation"]), name="cases_party_kind"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="cases_party_named"),
        ]
        indexes: ClassVar = [models.Index(fields=["name"], name="cases_party_name")]

    def __str__(self) -> str:
        return str(self.id)


class PartyIdentifier(models.Model):
    """Dated identifier of a party (证件): an enterprise of 2009 had three numbers, now one.

    Personal data: the value.
    """

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField("证件类型", max_length=24)
    value = models.CharField("证件号码", max_length=40)
    country = models.CharField("签发国", max_length=3, blank=True, default="", db_default="")
    valid_from = models.DateField("有效期起")
    valid_to = models.DateField("有效期止", null=True)

    class Meta:
        constraints: ClassVar = [
            # A number in force belongs to one party; an old one may stand beside it.
            models.UniqueConstraint(
                fields=["kind", "value", "country"],
                condition=Q(valid_to__isnull=True),
                name="cases_identifier_one_party",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="cases_identifier_dates",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["kind", "value"], name="cases_identifier_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class PartyPerson(models.Model):
    """Who was called or came for a party before (联系人、代理人、经办人), to be brought up again.

    Personal data: all of it.
    """

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="people")
    role = models.CharField("身份", max_length=16)
    name = models.CharField("姓名或者名称", max_length=100)
    identifier_kind = models.CharField("证件类型", max_length=24, blank=True)
    identifier = models.CharField("证件号码", max_length=40, blank=True)
    phone = models.CharField("电话", max_length=20)
    used = models.DateTimeField("最近一次")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["party", "role", "name", "identifier"], name="cases_partyperson_once"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["contact", "agent", "staff"]), name="cases_partyperson_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"


class Case(models.Model):
    """Case (办件): the head of its stream. All but `id`, `number`, `query_code` and what was
    fixed at the receipt is derived from the events, by `heads.derived`.

    No index on the version. What the inbox counts stands in `cases_case_counted`, so that it reads no
    page of the table: three of four moves were not HOT before it either, because they move `next_at`.
    `cases_case_pressing` is the list of an agency in its order, and what its lights are counted from;
    `cases_case_staged` is the same of one state, as most folders are; `cases_case_in_hall` is that of a
    hall, with `cases_case_awaited` for what waits there for the applicant. No index for LIKE on the
    number.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    number = models.CharField("办件编号", max_length=24, unique=True)
    query_code = models.CharField("查询码", max_length=12)
    source = models.CharField("来源", max_length=40)
    foreign_id = models.CharField("来源系统编号", max_length=100, null=True)
    kind = models.CharField("办件类型", max_length=16)
    item = models.CharField("事项编码", max_length=40, null=True)
    item_version = models.IntegerField("事项版本", null=True)
    item_name = models.CharField("事项名称", max_length=200)
    agency = models.CharField("办理机关", max_length=40)
    region = models.CharField("区划", max_length=16)
    hall = models.CharField("收件大厅", max_length=40, null=True)
    window = models.CharField("收件窗口", max_length=40, null=True)
    applicant = models.ForeignKey(
        Party, null=True, on_delete=models.PROTECT, related_name="+", db_index=True
    )
    opened = models.DateTimeField("收件时间")
    # Derived.
    state = models.CharField(max_length=16)
    suspended = models.BooleanField(default=False)
    step = models.TextField(null=True)
    holder_kind = models.CharField(max_length=16)
    holder_agency = models.CharField(max_length=40, null=True)
    holder_post = models.CharField(max_length=40, null=True)
    holder_actor = models.CharField(max_length=40, null=True)
    outcome = models.CharField(max_length=16, null=True)
    accepted = models.DateTimeField("受理时间", null=True)
    due = models.DateTimeField("到期时间", null=True)
    warn = models.DateTimeField("预警时间", null=True)
    provisional = models.BooleanField(default=False)
    decided = models.DateTimeField("决定时间", null=True)
    closed = models.DateTimeField("办结时间", null=True)
    archived = models.DateTimeField("归档时间", null=True)
    next_at = models.DateTimeField("时钟下次要做事的时间", null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(version__gte=1), name="cases_case_version"),
            models.CheckConstraint(
                condition=Q(kind__in=["immediate", "promised", "forwarded", "foreign"]),
                name="cases_case_kind",
            ),
            models.UniqueConstraint(
                fields=["source", "foreign_id"],
                condition=Q(foreign_id__isnull=False),
                name="cases_case_foreign",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["agency", "suspended", "due", "id"],
                include=["state"],
                condition=Q(closed__isnull=True),
                name="cases_case_pressing",
            ),
            # The same of one state: a folder.
            models.Index(
                fields=["agency", "state", "suspended", "due", "id"],
                include=["holder_kind"],
                condition=Q(closed__isnull=True),
                name="cases_case_staged",
            ),
            models.Index(
                fields=["hall", "suspended", "due", "id"],
                include=["state"],
                condition=Q(closed__isnull=True),
                name="cases_case_in_hall",
            ),
            models.Index(
                fields=["hall", "suspended"],
                condition=Q(closed__isnull=True, state="supplementing"),
                name="cases_case_awaited",
            ),
            # The same of the whole city, by district: the wall.
            models.Index(
                fields=["due", "id"],
                include=["region"],
                condition=Q(closed__isnull=True, suspended=False),
                name="cases_case_worst",
            ),
            models.Index(
                fields=["agency", "-closed", "id"],
                condition=Q(closed__isnull=False),
                name="cases_case_closed",
            ),
            models.Index(
                fields=["due"],
                condition=Q(closed__isnull=True, accepted__isnull=True) & ~Q(kind="foreign"),
                name="cases_case_unanswered",
            ),
            models.Index(
                fields=["closed"],
                condition=Q(closed__isnull=False, archived__isnull=True) & ~Q(kind="foreign"),
                name="cases_case_to_archive",
            ),
            models.Index(
                fields=["next_at", "id"],
                condition=Q(next_at__isnull=False),
                name="cases_case_alarms",
            ),
            models.Index(
                fields=["id"], condition=Q(closed__isnull=True), name="cases_case_running"
            ),
            models.Index(
                fields=COUNTED_BY,
                condition=Q(closed__isnull=True),
                name="cases_case_counted",
            ),
            models.Index(fields=["agency", "-opened"], name="cases_case_opened"),
            models.Index(fields=["-opened"], name="cases_case_recent"),
            # The process of one item: its newest cases.
            models.Index(
                fields=["item", "-opened"],
                condition=Q(item__isnull=False),
                name="cases_case_item",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Draft(models.Model):
    """草稿: what a person typed and has not submitted; deleted 30 days after the last typing.

    Personal data: `fields` and `title`; only the owner reads them.
    """

    id = models.UUIDField(primary_key=True)
    person = models.CharField("工号", max_length=40)
    slot = models.CharField("表单", max_length=80)
    title = models.CharField("标题", max_length=100, blank=True)
    fields = models.JSONField("填写的内容")
    version = models.IntegerField("版本")
    at = models.DateTimeField("保存时间")
    parked = models.BooleanField("暂存", default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "slot"], name="cases_draft_slot"),
            models.CheckConstraint(condition=Q(version__gte=1), name="cases_draft_version"),
            models.CheckConstraint(condition=~Q(slot=""), name="cases_draft_slotted"),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="cases_draft_at")]

    def __str__(self) -> str:
        return self.slot


class Publication(models.Model):
    """Published decision (许可决定公开), kept by the follower `cases.publication`.

    Personal data: none whole; `applicant` is masked before it is written.
    """

    id = models.UUIDField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField("文号", max_length=80)
    item = models.CharField("事项编码", max_length=40)
    item_version = models.IntegerField("事项版本")
    item_name = models.CharField("事项名称", max_length=200)
    item_type = models.CharField("事项类型", max_length=40)
    agency = models.CharField("决定机关", max_length=40)
    applicant_kind = models.CharField("申请人类别", max_length=16)
    applicant = models.CharField("申请人（已脱敏）", max_length=100)
    outcome = models.CharField("决定", max_length=16)
    decided = models.DateField("决定日期")
    publish_by = models.DateField("应公开日期")
    status = models.CharField("状态", max_length=16)
    ended = models.DateField("失效或者更正日期", null=True)
    replaced_by = models.CharField("更正、撤销等文书的文号", max_length=80, blank=True)
    published = models.DateTimeField("公开时间")
    changed = models.DateTimeField("变动时间")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "valid", "corrected", "revoked", "cancelled", "taken_back",
                        "entry_withdrawn",
                    ]
                ),
                name="cases_publication_status",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["case"], name="cases_publication_case"),
            models.Index(fields=["-decided", "-id"], name="cases_publication_newest"),
            models.Index(fields=["agency", "-decided", "-id"], name="cases_publication_agency"),
            models.Index(fields=["item", "-decided", "-id"], name="cases_publication_item"),
            models.Index(
                fields=["number"],
                opclasses=["varchar_pattern_ops"],
                name="cases_publication_number",
            ),
            models.Index(
                fields=["status", "-decided", "-id"],
                condition=~Q(status="valid"),
                name="cases_publication_ended",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Slip(models.Model):
    """A number that proves something once (凭证号): which case, which applicant it stands for.

    version: the entry that used it. counts: whether that entry does; rebuilt by slips.recount.
    """

    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=40)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_column="case")
    party = models.UUIDField(null=True)
    version = models.IntegerField()
    counts = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "value", "case", "version"], name="cases_slip_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["tracking", "ticket"]), name="cases_slip_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Alarm(models.Model):
    """Alarm (预警、超期): the head of its own stream of one event, one for each limit, level and
    due. Raised once; a due that moved later leaves it in the log.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="+", db_column="case", db_index=False
    )
    limit = models.CharField("期限", max_length=40)
    level = models.CharField(max_length=8)
    due = models.DateTimeField("到期时间")
    occurred = models.DateTimeField("依法应当报警的时间")
    agency = models.CharField("办理机关", max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "limit", "level", "due"], name="cases_alarm_once"
            ),
            models.CheckConstraint(
                condition=Q(level__in=["near", "over"]), name="cases_alarm_level"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agency", "-occurred"], name="cases_alarm_agency"),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.limit} {self.case_id}"


class Run(models.Model):
    """Re-projection (重新推算) of all running cases by an edition of the calendar: how far it is.

    edition, former: versions of the calendar's stream; former None: none was made before. Two
    passes in the order of the cases' ids; `cursor` is the last one looked at in this pass.
    """

    edition = models.IntegerField(primary_key=True)
    former = models.IntegerField(null=True)
    turn = models.SmallIntegerField("遍数", default=1, db_column="pass")
    cursor = models.UUIDField(null=True)
    looked = models.IntegerField("看过的办件", default=0)
    unread = models.IntegerField("读不出的办件", default=0)
    unread_numbers = ArrayField(models.TextField(), verbose_name="读不出的办件编号", default=list)
    moved = models.IntegerField("变动的办件", default=0)
    started = models.DateTimeField("开始")
    passed = models.DateTimeField("第一遍完成", null=True)
    finished = models.DateTimeField("第二遍完成", null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(turn__in=[1, 2]), name="cases_run_pass"),
        ]

    def __str__(self) -> str:
        return str(self.edition)


class Moved(models.Model):
    """A limit that a change of the calendar moved (期限变动), kept beside the log: it could be
    read again from the case's story and two editions.

    due, provisional: of the pressing limit. limits: every running limit that changed, a list of
    {kind, before, after, provisional_before, provisional_after}.
    """

    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="+", db_column="run", db_index=False
    )
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="+", db_column="case", db_index=False
    )
    former = models.IntegerField("原来的历法")
    due_before = models.DateTimeField("原到期时间", null=True)
    due_after = models.DateTimeField("新到期时间", null=True)
    provisional_before = models.BooleanField()
    provisional_after = models.BooleanField()
    limits = models.JSONField("变动的期限")
    at = models.DateTimeField("推算时间")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "run"], name="cases_moved_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.case_id}"


class Transition(models.Model):
    """The run of a new version's transitional clause (过渡条款) over the running cases of the older
    ones, once a version. `cursor` is the last case looked at, in the order of their ids.

    Personal data: none.
    """

    item = models.CharField("事项编码", max_length=40)
    version = models.IntegerField("新版本")
    cursor = models.UUIDField(null=True)
    begun = models.DateTimeField("开始")
    done = models.DateTimeField("完成", null=True)
    looked = models.IntegerField("看过的办件", default=0)
    moved = models.IntegerField("改用新版的办件", default=0)
    kept = models.IntegerField("保留原期限的办件", default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "version"], name="cases_transition_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item}@{self.version}"


class Attempt(models.Model):
    """An attempt to ask for what the published guide does not list (列表外索要): the head of its own
    stream of one event, whose body says what. Nothing came of it; it stays for supervision.

    Personal data: none; whoever tried stands in the event as its actor.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    case = models.ForeignKey(
        Case, null=True, on_delete=models.PROTECT, related_name="+", db_column="case",
        db_index=False,
    )  # fmt: skip
    item = models.CharField("事项编码", max_length=40)
    item_version = models.IntegerField("事项版本")
    act = models.CharField("办理动作", max_length=40)
    agency = models.CharField("机关", max_length=60, null=True)
    hall = models.CharField("大厅", max_length=40, null=True)
    occurred = models.DateTimeField("时间")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["agency", "-occurred", "-id"], name="cases_attempt_agency"),
            models.Index(fields=["-occurred", "-id"], name="cases_attempt_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.item}@{self.item_version}"
