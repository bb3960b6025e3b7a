"""Daily figures, kept by a follower of the log; every event counts exactly once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Daily(models.Model):
    """How often something happened on a day, by agency, source and what (日统计). No personal data.

    day: of `occurred`, in Shanghai.
    """

    day = models.DateField()
    agency = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    what = models.CharField(max_length=24)
    count = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "agency", "source", "what"], name="statistics_daily_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.what} {self.count}"
