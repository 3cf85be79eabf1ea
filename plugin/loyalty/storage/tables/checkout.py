"""Reservations, and which lots paid for them."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class ReservationRow(Model, metaclass=Uncommented):
    """``state`` HELD past ``expires_at`` means expired, whether or not anybody settled it.

    ``quote`` is the quote in canonical JSON, the context the order will keep.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    member_id = fields.BigIntField(null=True)
    cart_id = fields.CharField(128)
    state = fields.CharField(20)
    quote = fields.TextField()
    order_id = fields.BigIntField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    extended_until_max = InstantField()

    class Meta(Model.Meta):
        table = "reservation"


class DrawRow(Model, metaclass=Uncommented):
    """What one lot paid of one reservation; ``returned`` is what refunds gave back.

    ``holder_id`` is whose lot it is: the member, or a gift card. ``state``: HELD, SPENT, or
    GIVEN_BACK when the hold ended without an order.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    reservation_id = fields.BigIntField()
    lot_id = fields.BigIntField()
    holder_id = fields.BigIntField()
    unit = fields.CharField(64)
    amount = fields.BigIntField()
    returned = fields.BigIntField(default=0)
    state = fields.CharField(16, default="HELD")

    class Meta(Model.Meta):
        table = "draw"
        unique_together = (("tenant_id", "reservation_id", "lot_id"),)
