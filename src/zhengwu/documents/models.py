"""Issued documents (文书) and uploaded files (上传件).

What a document says stands in erasable content rows of the log, what a file holds on the disk.
"""

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
    # 作废: rebuilt by services.void from what the stream's events say.
    void_since = models.DateTimeField(null=True)
    replaced_by = models.CharField(max_length=80, null=True)

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
            models.CheckConstraint(
                condition=models.Q(replaced_by__isnull=True) | models.Q(void_since__isnull=False),
                name="documents_replaced_is_void",
            ),
        )
        indexes = (models.Index(fields=("stream", "stream_id"), name="documents_of_stream"),)

    def __str__(self) -> str:
        return self.number


class Copy(models.Model):
    """打印记录: the original (number 1) and every copy printed after it (补打). Append-only.

    Personal data: `why` is free text about the applicant's reason.
    """

    document = models.ForeignKey(Document, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    person = models.CharField(max_length=40)
    agency = models.CharField(max_length=60, default="")
    why = models.CharField(max_length=200, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "documents_copy"
        constraints = (
            models.UniqueConstraint(fields=("document", "number"), name="documents_copy_once"),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="documents_copy_from_one"
            ),
            models.CheckConstraint(
                condition=models.Q(number=1) | ~models.Q(why=""), name="documents_copy_says_why"
            ),
        )

    def __str__(self) -> str:
        return f"{self.document_id} {self.number}"


class Upload(models.Model):
    """上传件: a scanned material, an agent's letter or a signature that somebody sent in.

    Personal data: `name` as the sender called the file, and the file itself, which stands on the
    disk under its id (see files.py). Erasing empties the name and removes the file.
    """

    id = models.UUIDField(primary_key=True)
    purpose = models.CharField(max_length=20)
    name = models.CharField(max_length=130)
    media = models.CharField(max_length=40)
    size = models.BigIntegerField()
    digest = models.CharField(max_length=80)
    pages = models.IntegerField()
    by = models.CharField(max_length=40)
    at = models.DateTimeField()
    key = models.UUIDField(null=True, unique=True)  # of whoever sends again when unsure
    stream = models.CharField(max_length=40, null=True)
    stream_id = models.UUIDField(null=True)
    unbound = models.DateTimeField(null=True)  # since when it belongs to no case any more
    erased = models.DateTimeField(null=True)

    class Meta:
        db_table = "documents_upload"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(purpose__in=("material", "letter", "signature")),
                name="documents_upload_purpose",
            ),
            models.CheckConstraint(
                condition=models.Q(media__in=("application/pdf", "image/png", "image/jpeg")),
                name="documents_upload_media",
            ),
            models.CheckConstraint(
                condition=models.Q(size__gt=0, pages__gt=0), name="documents_upload_not_empty"
            ),
            models.CheckConstraint(
                condition=models.Q(digest__startswith="sha256:"), name="documents_upload_sha256"
            ),
            models.CheckConstraint(
                condition=models.Q(stream__isnull=True, stream_id__isnull=True)
                | models.Q(stream__isnull=False, stream_id__isnull=False),
                name="documents_upload_bound_whole",
            ),
        )
        indexes = (
            models.Index(fields=("stream", "stream_id"), name="documents_uploads_of_stream"),
            models.Index(
                fields=("at",),
                condition=models.Q(stream_id__isnull=True),
                name="documents_uploads_unbound",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)
