"""Service items (事项) and their versions by date of force. No personal data."""

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
