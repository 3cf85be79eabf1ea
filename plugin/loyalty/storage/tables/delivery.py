"""Once-only intake, repeatable calls, resumable imports."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class IdempotencyRow(Model, metaclass=Uncommented):
    """The first outcome of a key, kept for a while; natural keys stand behind it for ever.

    ``subject`` is a digest of the member concerned (``services.subjects``), by which erasing finds
    the row; 0 for nobody. The inbox has the same.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    client = fields.CharField(64)
    operation = fields.CharField(40)
    key = fields.CharField(128)
    body_hash = fields.CharField(64)
    outcome = fields.TextField()
    created_at = InstantField()
    subject = fields.BigIntField(default=0)

    class Meta(Model.Meta):
        table = "idempotency"
        unique_together = (("tenant_id", "key", "client", "operation"),)


class InboxRow(Model, metaclass=Uncommented):
    """A delivery that was taken in; a second one of the same id does nothing."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    source = fields.CharField(64)
    delivery = fields.CharField(128)
    event = fields.CharField(40)
    body_hash = fields.CharField(64)
    outcome = fields.CharField(40)
    received_at = InstantField()
    subject = fields.BigIntField(default=0)

    class Meta(Model.Meta):
        table = "inbox"
        unique_together = (("tenant_id", "source", "delivery"),)


class ImportRow(Model, metaclass=Uncommented):
    """How far an import of a file has come, so that it can go on after a stop."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    kind = fields.CharField(20)
    file_hash = fields.CharField(64)
    rows_done = fields.BigIntField()
    accepted = fields.BigIntField()
    rejected = fields.BigIntField()
    is_complete = fields.BooleanField()
    shifted_weeks = fields.IntField(default=0)
    started_at = InstantField()
    updated_at = InstantField()

    class Meta(Model.Meta):
        table = "import_run"
        unique_together = (("tenant_id", "kind", "file_hash"),)
