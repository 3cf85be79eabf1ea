"""What a product is, a level below its category. SQL beside this."""

from tortoise import fields, migrations
from tortoise.migrations.operations import Operation

from loyalty.storage.fields import InstantField
from loyalty.storage.frozen_sql import DescribedModels, FrozenSql, described


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_recommendation_purchases")]

    operations: list[Operation] = [
        DescribedModels(
            described(
                "ProductRow",
                "product",
                unique_together=(("tenant_id", "external_id"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                external_id=fields.CharField(max_length=128),
                name=fields.CharField(max_length=300),
                category=fields.CharField(null=True, max_length=200),
                department=fields.CharField(null=True, max_length=200),
                type=fields.CharField(null=True, max_length=200),
                brand=fields.CharField(null=True, max_length=200),
                image_url=fields.CharField(null=True, max_length=1000),
                price_minor=fields.BigIntField(null=True),
                currency=fields.CharField(max_length=3),
                cost_minor=fields.BigIntField(null=True),
                stock=fields.BigIntField(null=True),
                tiers=fields.TextField(
                    default="",
                ),
                invented=fields.TextField(
                    default="",
                ),
                tiers_until=InstantField(null=True),
                is_active=fields.BooleanField(default=True),
                changed_at=InstantField(),
            ),
        ),
        FrozenSql(__file__),
    ]
