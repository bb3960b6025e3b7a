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
