"""Personal offers: the plans by which they were chosen, and which member got which."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class OfferPlanRow(Model, metaclass=Uncommented):
    """A plan that is published, or is being published: nobody sees its offers before it is.

    ``key`` is a digest of the whole plan, so that the same plan is published once. ``starts_at`` is
    when its publication began. ``figures`` is JSON: what each offer was expected to come to.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    key = fields.CharField(64)
    state = fields.CharField(16)
    ruleset_version = fields.IntField()
    planned_at = InstantField()
    starts_at = InstantField()
    published_at = InstantField(null=True)
    withdrawn_at = InstantField(null=True)
    figures = fields.TextField()
    published_by = fields.CharField(200)

    class Meta(Model.Meta):
        table = "offer_plan"
        unique_together = (("tenant_id", "key"),)


class MemberOfferRow(Model, metaclass=Uncommented):
    """One member's offer; ``place`` is its place in the plan. What it still allows is counted in
    the quota of its own id.

    ``state``: OFFERED, WITHDRAWN, or HELD_OUT for one that the member would have got and did not,
    so that the effect of the others can be measured. What else may be said of it (used, held,
    expired) follows from its counts and the clock. ``use_ppm`` and ``cost_minor``: the uses
    expected, in millionths, and what one was expected to cost. ``reason`` is JSON.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    plan_id = fields.BigIntField()
    place = fields.BigIntField()
    member_id = fields.BigIntField()
    offer = fields.CharField(64)
    target = fields.CharField(64)
    state = fields.CharField(16)
    starts_at = InstantField()
    ends_at = InstantField()
    activated_at = InstantField(null=True)
    uses_max = fields.IntField()
    use_ppm = fields.IntField()
    cost_minor = fields.BigIntField()
    reason = fields.TextField()

    class Meta(Model.Meta):
        table = "member_offer"
        unique_together = (("tenant_id", "plan_id", "place"),)
