"""Members: who they are, where their chain ends, and what tier they are in."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class MemberRow(Model, metaclass=Uncommented):
    """A holder of accounts: a member, or (``kind`` GIFT_CARD) the money of a gift card.

    ``version`` counts every change of the row or of the member's accounts.

    ``profile_at`` is the moment of the shop's latest word on the profile; older events than
    that change nothing.
    ``seq`` and ``hash`` are the end of the ledger chain; ``settled_at`` is the moment up to
    which expiries, hold time-outs and tier ends are booked; ``next_change_at`` the next one.
    ``merged_into`` is the member whom the external id answers for since a merge.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    kind = fields.CharField(16, default="MEMBER")
    external_id = fields.CharField(128)
    state = fields.CharField(16)
    version = fields.BigIntField(default=1)
    name = fields.CharField(200, null=True)
    email = fields.CharField(320, null=True)
    locale = fields.CharField(35, null=True)
    birthday = fields.CharField(10, null=True)
    consent_email = fields.BooleanField(default=False)
    consent_sms = fields.BooleanField(default=False)
    consent_profiling = fields.BooleanField(default=False)
    consents_at = InstantField(null=True)
    profile_at = InstantField(null=True)
    joined_at = InstantField()
    state_reason = fields.CharField(200, null=True)
    seq = fields.BigIntField(default=0)
    hash = fields.BinaryField()
    settled_at = InstantField()
    booked_at = InstantField()
    next_change_at = InstantField()
    tier = fields.CharField(64)
    tier_since = InstantField()
    tier_grace_until = InstantField(null=True)
    merged_into = fields.BigIntField(null=True)

    class Meta(Model.Meta):
        table = "member"
        unique_together = (("tenant_id", "external_id"),)


class TierChangeRow(Model, metaclass=Uncommented):
    """Append-only history of tiers.

    ``at`` is when it happened, ``booked_at`` when it was booked; ``since_from`` since when the
    tier before it was held, ``grace_until`` the end of the grace that it began. The latter three
    are missing from what an older version booked.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField()
    at = InstantField()
    tier_from = fields.CharField(64, null=True)
    tier_to = fields.CharField(64)
    reason = fields.CharField(16)
    booked_at = InstantField(null=True)
    since_from = InstantField(null=True)
    grace_until = InstantField(null=True)

    class Meta(Model.Meta):
        table = "tier_change"


class MemberMergeRow(Model, metaclass=Uncommented):
    """One member made part of another. ``moved`` is JSON: what undoing it needs."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    source_id = fields.BigIntField()
    target_id = fields.BigIntField()
    state = fields.CharField(16)
    moved = fields.TextField()
    merged_at = InstantField()
    unmerged_at = InstantField(null=True)

    class Meta(Model.Meta):
        table = "member_merge"
