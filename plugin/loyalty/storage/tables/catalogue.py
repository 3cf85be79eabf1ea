"""Products."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class ProductRow(Model, metaclass=Uncommented):
    """``tiers``: codes that may see it, comma between, empty for everybody; everybody too from
    ``tiers_until`` on, None: never.

    ``invented`` names the columns that were made up for a demonstration, comma between.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    external_id = fields.CharField(128)
    name = fields.CharField(300)
    category = fields.CharField(200, null=True)
    department = fields.CharField(200, null=True)
    type = fields.CharField(200, null=True)
    brand = fields.CharField(200, null=True)
    image_url = fields.CharField(1000, null=True)
    price_minor = fields.BigIntField(null=True)
    currency = fields.CharField(3)
    cost_minor = fields.BigIntField(null=True)
    stock = fields.BigIntField(null=True)
    tiers = fields.TextField(default="")
    invented = fields.TextField(default="")
    tiers_until = InstantField(null=True)
    is_active = fields.BooleanField(default=True)
    changed_at = InstantField()

    class Meta(Model.Meta):
        table = "product"
        unique_together = (("tenant_id", "external_id"),)
