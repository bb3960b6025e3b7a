"""The orders (导出单). The file stands under HOME/exports, called by `place` and by nothing else."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

STATES = ("waiting", "running", "ready", "failed", "cancelled", "expired", "deleted")


class Order(models.Model):
    """导出单: who wants which table, how far it is, where the file is and until when.

    Personal data: none; a file may hold some (the looks), and goes with `until`. `run` is raised with
    every start: whoever made a start that is no longer the last writes nothing more. `reach` is how
    far the owner saw when the file was made; who sees less now does not get it.
    """

    id = models.UUIDField(primary_key=True)
    key = models.UUIDField(unique=True)
    owner = models.CharField(max_length=60)
    agency = models.CharField(max_length=60, default="")
    system = models.UUIDField(null=True)
    scopes = models.JSONField(default=list)
    table = models.CharField(max_length=40)
    form = models.CharField(max_length=10)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="waiting")
    run = models.PositiveIntegerField(default=0)
    deaths = models.PositiveSmallIntegerField(default=0)
    ordered = models.DateTimeField()
    began = models.DateTimeField(null=True)
    moved = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    place = models.CharField(max_length=64, default="")
    size = models.BigIntegerField(default=0)
    reach = models.JSONField(null=True)
    until = models.DateTimeField(null=True)
    why = models.CharField(max_length=300, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("owner", "-ordered"), name="exports_of_owner"),
            models.Index(
                fields=("id",),
                name="exports_under_way",
                condition=Q(state__in=("waiting", "running")),
            ),
        ]
        constraints: ClassVar = [
            # One at a time for each person, whatever two processes decide at once.
            models.UniqueConstraint(
                fields=("owner",), name="exports_one_at_a_time", condition=Q(state="running")
            ),
            models.CheckConstraint(condition=Q(state__in=STATES), name="exports_state_known"),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(until__isnull=False) & ~Q(place=""),
                name="exports_ready_has_a_file",
            ),
        ]
