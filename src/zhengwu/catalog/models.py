"""Service items (事项), their versions and changes, forms, and who may decide at a window.

No personal data but the codes of members of staff.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value


class Item(models.Model):
    """An item on one level (事项): what all its versions are versions of.

    base: what the same item shares on every level and in every place. generated: made for size by
    `catalog fill`, and marked so wherever it is shown.
    """

    stream = models.UUIDField(unique=True)
    code = models.CharField("事项编码", max_length=40, unique=True)
    base = models.CharField("同一事项", max_length=40)
    level = models.CharField("清单层级", max_length=16)
    region = models.CharField("区域", max_length=12)
    generated = models.BooleanField("生成的演示事项", default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__in=["province", "city", "implementation"]),
                name="catalog_item_level",
            ),
            # One list entry of a base on the province's and on the city's level.
            models.UniqueConstraint(
                fields=["base", "level"],
                condition=Q(level__in=["province", "city"]),
                name="catalog_item_listed_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["base", "level"], name="catalog_item_base")]

    def __str__(self) -> str:
        return self.code


class ItemVersion(models.Model):
    """One version, whole and never edited; a change is a new version with its own force.

    own: what this level says itself (domain.guide); the whole is own over that of `above`, the
    version of the level above under which it was published. steps: the flow as it was derived on
    that day. name, type, agency, kind, pay_first, themes, targets, score, needle and search are
    read from the whole when it is published, so that lists and searches need no whole.
    root: stands for the item in the public's search (the city's common list, or an item of its own).
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    in_force = DateRangeField("施行期间")
    above = models.ForeignKey("self", models.PROTECT, null=True, related_name="below")
    own = models.JSONField("本级要素")
    steps = models.JSONField("办理流程")
    name = models.CharField("事项名称", max_length=200)
    type = models.CharField("事项类型", max_length=40)
    agency = models.CharField("实施机关", max_length=40)
    kind = models.CharField("办件类型", max_length=16, blank=True)
    pay_first = models.BooleanField("送达前缴费", default=False)
    root = models.BooleanField("代表事项", default=True)
    retired = models.BooleanField("已取消", default=False)
    retired_on = models.DateField("取消日期", null=True)
    transition = models.BooleanField("过渡条款", default=False)
    themes = ArrayField(models.TextField(), default=list)
    targets = ArrayField(models.TextField(), default=list)
    score = models.SmallIntegerField("完整度", default=0)
    needle = models.TextField("查找用字")
    search = SearchVectorField("查找")
    digest = models.CharField(max_length=64)
    change = models.UUIDField("变更", null=True)
    approved = models.CharField("批准文号", max_length=80, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "version"], name="catalog_version_once"),
            # One version of an item at a time; a range of one number stands for the item, so that
            # no extension is needed.
            ExclusionConstraint(
                name="catalog_one_version_in_force",
                expressions=[
                    (
                        Func(F("item"), F("item"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    ("in_force", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["", "immediate", "promised", "forwarded"]),
                name="catalog_version_kind",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="catalog_version_named"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["agency"], name="catalog_version_agency"),
            GinIndex(
                fields=["search"],
                condition=Q(root=True, retired=False),
                name="catalog_version_search",
            ),
            models.Index(
                fields=["type", "item"], condition=Q(root=True), name="catalog_version_roots"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} @{self.version}"


class Change(models.Model):
    """事项变更: a draft on its way from the department to its publication; the head of its stream.

    purpose: new | revise | retire. onto: the version it was drafted on, 0 for a new item. Each
    *_by is the code of a member of staff, so that the next step knows the second person.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    state = models.CharField("状态", max_length=16)
    purpose = models.CharField("目的", max_length=8)
    item = models.CharField("事项编码", max_length=40)
    base = models.CharField("同一事项", max_length=40)
    level = models.CharField("清单层级", max_length=16)
    region = models.CharField("区域", max_length=12)
    agency = models.CharField("实施机关", max_length=40)
    above = models.CharField("上级清单", max_length=40, blank=True)
    name = models.CharField("事项名称", max_length=200)
    onto = models.IntegerField("起草所依据的版本")
    own = models.JSONField("本级要素")
    since = models.DateField("施行日期", null=True)
    transition = models.BooleanField("过渡条款")
    drafted_by = models.CharField("起草人", max_length=40)
    last_by = models.CharField("上一步办理人", max_length=40)
    list_number = models.CharField("批准文号", max_length=80, blank=True, default="")
    list_date = models.DateField("批准日期", null=True)
    batch = models.CharField("批次", max_length=60, blank=True, default="")
    published = models.IntegerField("发布为版本", null=True)
    updated = models.DateTimeField("最近变动")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "drafting", "submitted", "checked", "approved", "listed", "published",
                        "withdrawn",
                    ]
                ),
                name="catalog_change_state",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["new", "revise", "retire"]),
                name="catalog_change_purpose",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(
                fields=["state", "-updated"],
                condition=~Q(state__in=["published", "withdrawn"]),
                name="catalog_change_open",
            ),
            models.Index(fields=["item"], name="catalog_change_item"),
            models.Index(fields=["agency", "-updated"], name="catalog_change_agency"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class Synonym(models.Model):
    """同义词: a word that people say and the words that items are called by."""

    word = models.CharField("群众的说法", max_length=30, unique=True)
    means = ArrayField(models.CharField(max_length=30), verbose_name="事项里的说法")
    by = models.CharField("录入人", max_length=40)
    at = models.DateTimeField("录入时间")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(word=""), name="catalog_synonym_word"),
            models.CheckConstraint(condition=Q(means__len__gt=0), name="catalog_synonym_means"),
        ]

    def __str__(self) -> str:
        return self.word


class Form(models.Model):
    """表格: the file of a blank or sample form, by the digest of its bytes; versions point at it."""

    digest = models.CharField(max_length=64, primary_key=True)
    filename = models.CharField("文件名", max_length=120)
    mime = models.CharField(max_length=100)
    size = models.IntegerField()
    data = models.BinaryField()
    generated = models.BooleanField("生成的演示表格", default=False)
    by = models.CharField("上传人", max_length=40, blank=True)
    at = models.DateTimeField("上传时间")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(size__gt=0), name="catalog_form_size")
        ]

    def __str__(self) -> str:
        return self.filename


class Authorisation(models.Model):
    """书面授权: what one person may decide of one item at a window; the head of its stream.

    window: "" stands for every window of the agency in the hall. The last day (until) is included;
    ended_on is the first day on which an authorisation that was ended no longer stands. Of one
    person, item and window no two stand on one day: the migration adds the exclusion constraint.
    """

    id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    agency = models.CharField("机关", max_length=60)
    hall = models.CharField("大厅", max_length=40)
    window = models.CharField("窗口", max_length=20, blank=True)
    item = models.CharField("事项编码", max_length=40)
    person = models.CharField("被授权人", max_length=40)
    may_grant = models.BooleanField("可以准予")
    may_refuse = models.BooleanField("可以不予")
    since = models.DateField("起始日")
    until = models.DateField("截止日", null=True)
    number = models.CharField("授权书文号", max_length=80)
    issued_by = models.CharField("签发人", max_length=40)
    issued = models.DateTimeField("签发时间")
    ended = models.DateTimeField("终止时间", null=True)
    ended_on = models.DateField("终止日", null=True)
    ended_by = models.CharField("终止人", max_length=40, null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(may_grant=True) | Q(may_refuse=True),
                name="catalog_authorisation_power",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")),
                name="catalog_authorisation_ends_later",
            ),
            models.CheckConstraint(condition=~Q(number=""), name="catalog_authorisation_paper"),
            models.CheckConstraint(
                condition=Q(ended__isnull=True, ended_on__isnull=True, ended_by__isnull=True)
                | Q(ended__isnull=False, ended_on__isnull=False, ended_by__isnull=False),
                name="catalog_authorisation_ended_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["person", "item", "hall", "since"], name="catalog_authorisation_stand"
            ),
            models.Index(
                fields=["agency", "hall", "window", "item"], name="catalog_authorisation_list"
            ),
        ]

    def __str__(self) -> str:
        return self.number
