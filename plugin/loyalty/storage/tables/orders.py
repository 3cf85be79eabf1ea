"""Orders as they were judged, their lines and refunds."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class OrderRow(Model, metaclass=Uncommented):
    """``context`` is canonical JSON: earnings with their lots, allocations, ruleset, tier.

    ``refunds`` is canonical JSON: what came back so far, and what that moved; null for nothing.
    ``mismatch`` marks a paid order whose amounts differ from its quote; ``shortfall`` the
    points a refund could not take back.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    external_id = fields.CharField(128)
    member_id = fields.BigIntField(null=True)
    state = fields.CharField(20)
    source = fields.CharField(64)
    currency = fields.CharField(3)
    total_minor = fields.BigIntField()
    discount_minor = fields.BigIntField(default=0)
    tender_points = fields.BigIntField(default=0)
    tender_minor = fields.BigIntField(default=0)
    points_earned = fields.BigIntField(default=0)
    points_redeemed = fields.BigIntField(default=0)
    shortfall = fields.BigIntField(default=0)
    mismatch = fields.BooleanField(default=False)
    reservation_id = fields.BigIntField(null=True)
    ruleset_version = fields.IntField()
    tier = fields.CharField(64, null=True)
    context = fields.TextField()
    refunds = fields.TextField(null=True)
    credit_minor = fields.BigIntField(default=0)
    gift_minor = fields.BigIntField(default=0)
    tax_minor = fields.BigIntField(default=0)
    occurred_at = InstantField()
    booked_at = InstantField()

    class Meta(Model.Meta):
        table = "shop_order"
        # Orders without a reservation are not alike: both databases hold NULLs to be distinct.
        unique_together = (("tenant_id", "external_id"), ("tenant_id", "reservation_id"))


class OrderLineRow(Model, metaclass=Uncommented):
    """One line as bought; ``product`` is the shop's own id, which need not be in the catalogue."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    order_id = fields.BigIntField()
    line = fields.IntField()
    product = fields.CharField(128)
    quantity = fields.IntField()
    amount_minor = fields.BigIntField()
    discount_minor = fields.BigIntField(default=0)

    class Meta(Model.Meta):
        table = "order_line"


class RefundRow(Model, metaclass=Uncommented):
    """``state`` WAITING: it came before its order, and is booked as soon as that arrives.

    ``lines`` is JSON of what comes back; null: the whole order. ``booked`` is JSON of what
    this step booked, in more detail than the columns.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    external_id = fields.CharField(128)
    order_external_id = fields.CharField(128)
    order_id = fields.BigIntField(null=True)
    state = fields.CharField(16)
    reason = fields.CharField(200, null=True)
    points_returned = fields.BigIntField(default=0)
    points_reversed = fields.BigIntField(default=0)
    shortfall = fields.BigIntField(default=0)
    money_minor = fields.BigIntField(default=0)
    credit_minor = fields.BigIntField(default=0)
    gift_minor = fields.BigIntField(default=0)
    kind = fields.CharField(16, default="REFUND")
    lines = fields.TextField(null=True)
    booked = fields.TextField(null=True)
    occurred_at = InstantField()
    booked_at = InstantField()

    class Meta(Model.Meta):
        table = "order_refund"
        unique_together = (("tenant_id", "external_id"),)
