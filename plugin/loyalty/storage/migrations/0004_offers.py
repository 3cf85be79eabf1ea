"""Plans of personal offers, and the offers that members got by them. SQL beside this."""

from tortoise import fields, migrations
from tortoise.migrations.operations import Operation

from loyalty.storage.fields import InstantField
from loyalty.storage.frozen_sql import DescribedModels, FrozenSql, described


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0003_recommendations")]

    operations: list[Operation] = [
        DescribedModels(
            described(
                "OfferPlanRow",
                "offer_plan",
                unique_together=(("tenant_id", "key"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                key=fields.CharField(max_length=64),
                state=fields.CharField(max_length=16),
                ruleset_version=fields.IntField(),
                planned_at=InstantField(),
                starts_at=InstantField(),
                published_at=InstantField(null=True),
                withdrawn_at=InstantField(null=True),
                figures=fields.TextField(),
                published_by=fields.CharField(max_length=200),
            ),
            described(
                "MemberOfferRow",
                "member_offer",
                unique_together=(("tenant_id", "plan_id", "place"),),
                id=fields.BigIntField(primary_key=True, generated=False),
                tenant_id=fields.IntField(),
                plan_id=fields.BigIntField(),
                place=fields.BigIntField(),
                member_id=fields.BigIntField(),
                offer=fields.CharField(max_length=64),
                target=fields.CharField(max_length=64),
                state=fields.CharField(max_length=16),
                starts_at=InstantField(),
                ends_at=InstantField(),
                activated_at=InstantField(null=True),
                uses_max=fields.IntField(),
                use_ppm=fields.IntField(),
                cost_minor=fields.BigIntField(),
                reason=fields.TextField(),
            ),
        ),
        FrozenSql(__file__),
    ]
