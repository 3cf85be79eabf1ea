"""What came of recommendations: events, counts, attributed sales, and models on trial."""

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField, Uncommented


class RecommendationEventRow(Model, metaclass=Uncommented):
    """What was done with one product of one answer; kept for a while, and each once.

    ``recommendation`` is the answer's number, which its ``recommendationId`` carries; ``position``
    the product's place in it, from 1; 0: not known. ``model`` and ``variant`` are empty where
    there was none; ``member_id`` null without consent to profiling.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    recommendation = fields.BigIntField()
    type = fields.CharField(16)
    product = fields.CharField(128)
    position = fields.IntField()
    window_code = fields.CharField(16)
    model = fields.CharField(40)
    variant = fields.CharField(16)
    experiment_id = fields.BigIntField(null=True)
    member_id = fields.BigIntField(null=True)
    occurred_at = InstantField()
    booked_at = InstantField()

    class Meta(Model.Meta):
        table = "recommendation_event"
        unique_together = (("tenant_id", "recommendation", "type", "product"),)


class RecommendationDayRow(Model, metaclass=Uncommented):
    """How many events of each type there were on one day; these stay when the events go."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    day = fields.CharField(10)
    window_code = fields.CharField(16)
    model = fields.CharField(40)
    variant = fields.CharField(16)
    impressions = fields.BigIntField()
    clicks = fields.BigIntField()
    carts = fields.BigIntField()

    class Meta(Model.Meta):
        table = "recommendation_day"
        unique_together = (("tenant_id", "day", "window_code", "model", "variant"),)


class RecommendationSaleRow(Model, metaclass=Uncommented):
    """A product of an order that is owed to a recommendation, by the event ``touch``.

    ``quantity`` and ``sales_minor`` are what refunds left of it, as of ``attributed_at``; ``day``
    is the order's.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    order_id = fields.BigIntField()
    product = fields.CharField(128)
    day = fields.CharField(10)
    recommendation = fields.BigIntField()
    touch = fields.CharField(16)
    touched_at = InstantField()
    window_code = fields.CharField(16)
    model = fields.CharField(40)
    variant = fields.CharField(16)
    experiment_id = fields.BigIntField(null=True)
    currency = fields.CharField(3)
    quantity = fields.BigIntField()
    sales_minor = fields.BigIntField()
    attributed_at = InstantField()

    class Meta(Model.Meta):
        table = "recommendation_sale"
        unique_together = (("tenant_id", "order_id", "product"),)


class RecommendationPurchaseRow(Model, metaclass=Uncommented):
    """A product that an order has of a recommendation, as the shop says; the first word counts.

    The order need not be known yet, and may be a guest's.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    recommendation = fields.BigIntField()
    product = fields.CharField(128)
    order_external_id = fields.CharField(128)
    window_code = fields.CharField(16)
    model = fields.CharField(40)
    variant = fields.CharField(16)
    experiment_id = fields.BigIntField(null=True)
    answered_at = InstantField()
    booked_at = InstantField()

    class Meta(Model.Meta):
        table = "recommendation_purchase"
        unique_together = (("tenant_id", "order_external_id", "product"),)


class ExperimentRow(Model, metaclass=Uncommented):
    """Two models that share traffic. ``running`` is 1 for the one that does, null when it ended:
    a tenant has one at a time."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    control = fields.CharField(40)
    candidate = fields.CharField(40)
    share_bp = fields.IntField()
    running = fields.IntField(null=True)
    started_at = InstantField()
    ended_at = InstantField(null=True)
    started_by = fields.CharField(200)

    class Meta(Model.Meta):
        table = "experiment"
        unique_together = (("tenant_id", "running"),)


class ExperimentMemberRow(Model, metaclass=Uncommented):
    """A member who was shown something in an experiment: what its figures are per."""

    id = fields.BigIntField(primary_key=True, generated=False)
    tenant_id = fields.IntField()
    experiment_id = fields.BigIntField()
    member_id = fields.BigIntField()
    variant = fields.CharField(16)
    first_at = InstantField()

    class Meta(Model.Meta):
        table = "experiment_member"
        unique_together = (("tenant_id", "experiment_id", "member_id"),)
