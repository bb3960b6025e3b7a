"""Issued documents (文书). What they say stands in erasable content rows of the log."""

from __future__ import annotations

from django.db import models


class Document(models.Model):
    """An issued document: public facts only.

    Personal data: none here; names stand in the content row that `content` points to.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=40)
    template = models.CharField(max_length=60)
    number = models.CharField(max_length=80)
    check_code = models.CharField(max_length=9)
    agency = models.CharField(max_length=60)
    stream = models.CharField(max_length=40)
    stream_id = models.UUIDField()
    event = models.UUIDField()
    content = models.UUIDField()
    digest = models.CharField(max_length=80)
    issued = models.DateTimeField()
    void_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "documents_document"
        constraints = (
            models.UniqueConstraint(fields=("check_code",), name="documents_check_code_once"),
            models.UniqueConstraint(
                fields=("agency", "kind", "number"), name="documents_number_once"
            ),
            models.UniqueConstraint(fields=("event", "kind"), name="documents_once_per_event"),
            models.CheckConstraint(
                condition=models.Q(digest__startswith="sha256:"), name="documents_digest_sha256"
            ),
        )
        indexes = (models.Index(fields=("stream", "stream_id"), name="documents_of_stream"),)

    def __str__(self) -> str:
        return self.number
