"""What merchants change by hand, and the trail of it."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class AdjustmentRow(Model, metaclass=Uncommented):
    """A correction of an account; PROPOSED ones wait for a second approver.

    ``reason`` may hold personal data, so it is emptied when the member is erased.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField()
    unit = fields.CharField(64)
    amount = fields.BigIntField()
    expires_at = InstantField(null=True)
    allows_deficit = fields.BooleanField(default=False)
    state = fields.CharField(16)
    reason = fields.CharField(200, null=True)
    proposed_by = fields.CharField(200)
    decided_by = fields.CharField(200, null=True)
    transaction_id = fields.BigIntField(null=True)
    created_at = InstantField()
    decided_at = InstantField(null=True)

    class Meta(Model.Meta):
        table = "adjustment"


class AuditEventRow(Model, metaclass=Uncommented):
    """Append-only: who changed what, and when. Holds no personal values."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    at = InstantField()
    actor = fields.CharField(200)
    action = fields.CharField(64)
    subject_kind = fields.CharField(32)
    subject_id = fields.CharField(128)
    detail = fields.TextField()

    class Meta(Model.Meta):
        table = "audit_event"
