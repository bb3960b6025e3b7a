"""Figures of the city (统计), kept by a follower of the log: every event counts exactly once.

A star: `Place` says where and what, `Day` and `Month` hold the figures of a place, `FineDay` and
`FineMonth` the same item by item and window by window. `Measured` holds each case as it was counted,
so that a correction is a difference and any number leads to its cases. No personal data.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from zhengwu.domain.measuring import MEASURES, PERSONAL


class Place(models.Model):
    """Where a case counts (归属). Empty: not told, or not told apart.

    unit: the department a sending system names within itself. Coarse places have no item, hall
    and window.
    """

    agency = models.CharField("机关", max_length=40)
    unit = models.CharField("来源系统的部门", max_length=100)
    region = models.CharField("区划", max_length=16)
    kind = models.CharField("办件类型", max_length=16)
    source = models.CharField("来源", max_length=40)
    channel = models.CharField("渠道", max_length=40)
    item = models.CharField("事项编码", max_length=40)
    hall = models.CharField("大厅", max_length=40)
    window = models.CharField("窗口", max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "agency", "unit", "region", "kind", "source", "channel", "item", "hall", "window",
                ],
                name="statistics_place_once",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["item"], name="statistics_place_item"),
            models.Index(fields=["hall", "window"], name="statistics_place_hall"),
        ]

    def __str__(self) -> str:
        return f"{self.agency} {self.item}"


class _Figures(models.Model):
    """The figures of a place from `start` on, a column for each measure."""

    pk = models.CompositePrimaryKey("start", "place_id")
    start = models.DateField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


def _columns(kind: type[models.Model]) -> Any:
    for one in MEASURES:
        column = models.BigIntegerField if one.big else models.IntegerField
        column(one.zh, default=0, db_default=0).contribute_to_class(kind, one.code)
    return kind


@_columns
class Day(_Figures):
    """A day, without items and windows (日统计)."""

    class Meta:
        db_table = "statistics_day"


@_columns
class Month(_Figures):
    """A month, without items and windows (月统计)."""

    class Meta:
        db_table = "statistics_month"


@_columns
class FineDay(_Figures):
    """A day by item and window (日统计明细)."""

    class Meta:
        db_table = "statistics_fineday"
        indexes: ClassVar = [
            models.Index(fields=["place", "start"], name="statistics_fineday_place")
        ]


@_columns
class FineMonth(_Figures):
    """A month by item and window (月统计明细)."""

    class Meta:
        db_table = "statistics_finemonth"
        indexes: ClassVar = [
            models.Index(fields=["place", "start"], name="statistics_finemonth_place")
        ]


class Spread(models.Model):
    """How many closed cases took how many working days in a month, by item and window (办理时长分布)."""

    pk = models.CompositePrimaryKey("start", "place_id", "days")
    start = models.DateField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_index=False)
    days = models.IntegerField("工作日")
    count = models.IntegerField()


class Handing(models.Model):
    """Hand-overs between two agencies, of the cases closed on a day (移交)."""

    pk = models.CompositePrimaryKey("start", "giver", "taker", "place_id")
    start = models.DateField()
    giver = models.CharField("移交方", max_length=40)
    taker = models.CharField("接收方", max_length=40)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_index=False)
    times = models.IntegerField("次数")
    seconds = models.BigIntegerField("途中秒数")
    office = models.BigIntegerField("其中办公时间")


class Person(models.Model):
    """What a person did on a day (人员), by the agency in whose name."""

    pk = models.CompositePrimaryKey("start", "person", "agency")
    start = models.DateField()
    person = models.CharField("工号", max_length=40)
    agency = models.CharField("机关", max_length=40)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["agency", "start"], name="statistics_person_agency")
        ]


for _code, _zh in PERSONAL.items():
    models.IntegerField(_zh, default=0, db_default=0).contribute_to_class(Person, _code)


class Workload(models.Model):
    """What a unit finished in a month, as far as it is scored by it (业务量).

    by: agency | district | window | person; unit: its code, place: the hall of a window, the agency
    of a person, else empty. judged: on time or late; of a person finished alone is counted, acts.
    """

    pk = models.CompositePrimaryKey("by", "start", "place", "unit")
    by = models.CharField("归集对象", max_length=8)
    start = models.DateField()
    place = models.CharField(max_length=40)
    unit = models.CharField(max_length=40)
    finished = models.IntegerField("办结", default=0, db_default=0)
    judged = models.IntegerField("可评判", default=0, db_default=0)
    early = models.IntegerField("提前办结", default=0, db_default=0)
    incomplete = models.IntegerField("不评判", default=0, db_default=0)


class Measured(models.Model):
    """A case as it was counted (办件计量): domain.measuring.Fact, and its place.

    closing: the rest of Closing, as an array. Kept for every case, whoever handled it.
    project: the joint project that will count once, whatever it consists of; none today.
    """

    case = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_index=False)
    project = models.UUIDField(null=True)
    received = models.DateField()
    last = models.DateTimeField()
    marks = models.JSONField()
    claim_due = models.DateTimeField(null=True)
    closed = models.DateField(null=True)
    verdict = models.CharField(max_length=8, null=True)
    claim = models.CharField(max_length=8, null=True)
    due = models.DateTimeField(null=True)
    days = models.IntegerField(null=True)
    closing = models.JSONField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["place", "received"], name="statistics_measured_in"),
            models.Index(
                fields=["place", "closed", "days"],
                condition=models.Q(closed__isnull=False),
                name="statistics_measured_out",
            ),
            # How long they took, by index alone.
            models.Index(
                fields=["closed", "place", "days"],
                condition=models.Q(closed__isnull=False),
                name="statistics_measured_spread",
            ),
            # What is in hand, by index alone.
            models.Index(
                fields=["place", "claim_due"],
                condition=models.Q(closed__isnull=True),
                name="statistics_measured_open",
            ),
            # Overdue at the end of a past day: closed late, and later than that.
            models.Index(
                fields=["closed", "due", "place"],
                condition=models.Q(verdict="late"),
                name="statistics_measured_late",
            ),
        ]

    def __str__(self) -> str:
        return str(self.case)


class Restatement(models.Model):
    """A figure of a day that was over, changed later (更正): by how much, noticed on which day.

    positions: of the log, first and last entry that did it.
    """

    pk = models.CompositePrimaryKey("noticed", "start", "place_id", "what")
    noticed = models.DateField("更正日")
    start = models.DateField("被更正的日期")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_index=False)
    what = models.CharField("指标", max_length=24)
    delta = models.BigIntegerField("增减")
    first = models.BigIntegerField("起于事件账序号")
    until = models.BigIntegerField("止于事件账序号")
