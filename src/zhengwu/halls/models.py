"""Halls and their windows (大厅与窗口)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Hall(models.Model):
    """政务服务大厅."""

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=100)
    region = models.ForeignKey("accounts.Region", models.PROTECT, related_name="+")
    address = models.CharField(max_length=200)
    hours = models.CharField(max_length=100)


class Window(models.Model):
    """窗口 of one agency in one hall."""

    code = models.CharField(max_length=20)
    hall = models.ForeignKey(Hall, models.PROTECT, related_name="+")
    agency = models.ForeignKey("accounts.Agency", models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("hall", "code"), name="halls_window_once")
        ]
