"""What shoppers hold beside points: coupons, gift cards, and counters that several share."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class QuotaRow(Model, metaclass=Uncommented):
    """How often something may be taken: a coupon's uses, a reward's stock.

    ``used`` counts what was taken for good; what open reservations hold is in ``quota_use``.
    A limit that is null does not limit.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    kind = fields.CharField(16)
    subject = fields.CharField(128)
    total_max = fields.BigIntField(null=True)
    member_max = fields.BigIntField(null=True)
    used = fields.BigIntField(default=0)

    class Meta(Model.Meta):
        table = "quota"
        unique_together = (("tenant_id", "kind", "subject"),)


class QuotaUseRow(Model, metaclass=Uncommented):
    """``state`` HELD past ``expires_at`` is free again, whether or not anybody settled it."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    quota_id = fields.BigIntField()
    member_id = fields.BigIntField(null=True)
    reservation_id = fields.BigIntField()
    quantity = fields.BigIntField(default=1)
    state = fields.CharField(16)
    expires_at = InstantField()

    class Meta(Model.Meta):
        table = "quota_use"
        unique_together = (("tenant_id", "reservation_id", "quota_id"),)


class CouponRow(Model, metaclass=Uncommented):
    """A code that brings a reward of the ruleset; ``id`` is that of the quota of its uses.

    ``member_id`` null: anybody's.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    code = fields.CharField(64)
    reward = fields.CharField(64)
    member_id = fields.BigIntField(null=True)
    starts_at = InstantField(null=True)
    ends_at = InstantField(null=True)
    state = fields.CharField(16)
    created_at = InstantField()
    created_by = fields.CharField(200)

    class Meta(Model.Meta):
        table = "coupon"
        unique_together = (("tenant_id", "code"),)


class GiftCardRow(Model, metaclass=Uncommented):
    """Money on a card. Its account is that of ``holder_id``, a row of ``member`` of that kind.

    ``code_hash`` is keyed, so a copy of the database pays for nothing.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    code_hash = fields.CharField(64)
    last4 = fields.CharField(4)
    holder_id = fields.BigIntField()
    currency = fields.CharField(3)
    initial_minor = fields.BigIntField()
    state = fields.CharField(16)
    expires_at = InstantField(null=True)
    created_at = InstantField()
    created_by = fields.CharField(200)

    class Meta(Model.Meta):
        table = "gift_card"
        unique_together = (("tenant_id", "code_hash"), ("tenant_id", "holder_id"))
