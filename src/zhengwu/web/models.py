"""The count of attempts per sender (访问次数)."""

from __future__ import annotations

from django.db import models


class Attempt(models.Model):
    """How often a hashed sender tried something since ``started``. No personal data: the key is a
    keyed digest."""

    key = models.CharField(primary_key=True, max_length=64)
    started = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        db_table = "web_attempt"


class Figure(models.Model):
    """What the worker counted and measured (后台进程的指标): see figures.py. No personal data."""

    name = models.CharField(max_length=60)
    label = models.CharField(max_length=80)
    value = models.FloatField()

    class Meta:
        db_table = "web_figure"
        constraints = (models.UniqueConstraint(fields=("name", "label"), name="web_figure_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.label}"
