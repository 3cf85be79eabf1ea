"""Events of recommendations, their counts and sales; models on trial. SQL beside this."""

from tortoise import fields, migrations
from tortoise.migrations.operations import Operation

from loyalty.storage.fields import InstantField
from loyalty.storage.frozen_sql import DescribedModels, FrozenSql, described


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_checkout")]

    operations: list[Operation] = [
        DescribedModels(
            described(
                "RecommendationEventRow",
                "recommendation_event",
                unique_together=(("tenant_id", "recommendation", "type", "product"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                recommendation=fields.BigIntField(),
                type=fields.CharField(max_length=16),
                product=fields.CharField(max_length=128),
                position=fields.IntField(),
                window_code=fields.CharField(max_length=16),
                model=fields.CharField(max_length=40),
                variant=fields.CharField(max_length=16),
                experiment_id=fields.BigIntField(null=True),
                member_id=fields.BigIntField(null=True),
                occurred_at=InstantField(),
                booked_at=InstantField(),
            ),
            described(
                "RecommendationDayRow",
                "recommendation_day",
                unique_together=(("tenant_id", "day", "window_code", "model", "variant"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                day=fields.CharField(max_length=10),
                window_code=fields.CharField(max_length=16),
                model=fields.CharField(max_length=40),
                variant=fields.CharField(max_length=16),
                impressions=fields.BigIntField(),
                clicks=fields.BigIntField(),
                carts=fields.BigIntField(),
            ),
            described(
                "RecommendationSaleRow",
                "recommendation_sale",
                unique_together=(("tenant_id", "order_id", "product"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                order_id=fields.BigIntField(),
                product=fields.CharField(max_length=128),
                day=fields.CharField(max_length=10),
                recommendation=fields.BigIntField(),
                touch=fields.CharField(max_length=16),
                touched_at=InstantField(),
                window_code=fields.CharField(max_length=16),
                model=fields.CharField(max_length=40),
                variant=fields.CharField(max_length=16),
                experiment_id=fields.BigIntField(null=True),
                currency=fields.CharField(max_length=3),
                quantity=fields.BigIntField(),
                sales_minor=fields.BigIntField(),
                attributed_at=InstantField(),
            ),
            described(
                "ExperimentRow",
                "experiment",
                unique_together=(("tenant_id", "running"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                control=fields.CharField(max_length=40),
                candidate=fields.CharField(max_length=40),
                share_bp=fields.IntField(),
                running=fields.IntField(null=True),
                started_at=InstantField(),
                ended_at=InstantField(null=True),
                started_by=fields.CharField(max_length=200),
            ),
            described(
                "ExperimentMemberRow",
                "experiment_member",
                unique_together=(("tenant_id", "experiment_id", "member_id"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                experiment_id=fields.BigIntField(),
                member_id=fields.BigIntField(),
                variant=fields.CharField(max_length=16),
                first_at=InstantField(),
            ),
            described(
                "TenantRow",
                "tenant",
                id=fields.IntField(primary_key=True, generated=False),
                code=fields.CharField(unique=True, max_length=64),
                name=fields.CharField(max_length=200),
                ruleset_version=fields.IntField(default=0),
                catalogue_version=fields.BigIntField(default=0),
                created_at=InstantField(),
                ledger_closed_until=InstantField(default=0),
                attributed_until=InstantField(default=0),
            ),
        ),
        FrozenSql(__file__),
    ]
