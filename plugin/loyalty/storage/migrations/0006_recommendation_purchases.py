"""What shops say was bought of a recommendation. SQL beside this."""

from tortoise import fields, migrations
from tortoise.migrations.operations import Operation

from loyalty.storage.fields import InstantField
from loyalty.storage.frozen_sql import DescribedModels, FrozenSql, described


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_early_access")]

    operations: list[Operation] = [
        DescribedModels(
            described(
                "RecommendationPurchaseRow",
                "recommendation_purchase",
                unique_together=(("tenant_id", "order_external_id", "product"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                recommendation=fields.BigIntField(),
                product=fields.CharField(max_length=128),
                order_external_id=fields.CharField(max_length=128),
                window_code=fields.CharField(max_length=16),
                model=fields.CharField(max_length=40),
                variant=fields.CharField(max_length=16),
                experiment_id=fields.BigIntField(null=True),
                answered_at=InstantField(),
                booked_at=InstantField(),
            ),
        ),
        FrozenSql(__file__),
    ]
