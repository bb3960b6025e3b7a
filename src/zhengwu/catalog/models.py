"""Service items (事项), their versions by date of force, and who may decide them at a window.

No personal data but the codes of members of staff.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value


class Item(models.Model):
    """An item: what all its versions are versions of."""

    stream = models.UUIDField(unique=True)
    code = models.CharField("事项编码", max_length=40, unique=True)

    def __str__(self) -> str:
        return self.code


class ItemVersion(models.Model):
    """One version, whole and never edited; a change is a new version with its own force."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    in_force = DateRangeField("施行期间")
    name = models.CharField("事项名称", max_length=200)
    type = models.CharField("事项类型", max_length=40)
    agency = models.CharField("实施机关", max_length=40)
    kind = models.CharField("办件类型", max_length=16)
    statutory = models.JSONField("法定时限", null=True)
    promised = models.JSONField("承诺时限", null=True)
    promised_is = models.CharField("承诺的来历", max_length=16, blank=True)
    materials = models.JSONField("申请材料")
    steps = models.JSONField("办理流程")
    result = models.CharField("办理结果", max_length=100)
    basis = models.TextField("设定依据")
    fee = models.TextField("收费", blank=True)
    pay_first = models.BooleanField("送达前缴费", default=False)
    note = models.TextField("说明", blank=True)
    retired = models.BooleanField("已取消", default=False)
    retired_on = models.DateField("取消日期", null=True)
    digest = models.CharField(max_length=64)

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
                condition=Q(kind__in=["immediate", "promised", "forwarded"]),
                name="catalog_version_kind",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="catalog_version_named"),
        ]
        indexes: ClassVar = [models.Index(fields=["agency"], name="catalog_version_agency")]

    def __str__(self) -> str:
        return f"{self.name} @{self.version}"


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
