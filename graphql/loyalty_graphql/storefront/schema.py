"""The storefront schema, put together. Its printed form is ``graphql/storefront.graphql``."""

import strawberry
from strawberry.tools import create_type

from loyalty_graphql.scalars import schema_config
from loyalty_graphql.storefront.mutations import checkout as checkout_steps
from loyalty_graphql.storefront.mutations import (
    enrolment,
    merging,
    order_edits,
    product_views,
    recommendation_events,
)
from loyalty_graphql.storefront.mutations import offers as offer_steps
from loyalty_graphql.storefront.mutations import orders as refunds
from loyalty_graphql.storefront.queries import (
    access,
    catalogue,
    checkout,
    members,
    offers,
    orders,
    recommendations,
    rulesets,
)
from loyalty_graphql.storefront.subscriptions import changes
from loyalty_graphql.user_errors import CONCRETE_ERRORS

Query = create_type(
    "Query",
    [
        rulesets.program,
        access.viewer,
        members.member,
        catalogue.product,
        catalogue.products,
        recommendations.recommendations,
        offers.offers,
        recommendations.rank_products,
        checkout.checkout_quote,
        orders.reservation,
        orders.order,
        orders.order_refund_preview,
    ],
    description="What can be asked.",
)
Mutation = create_type(
    "Mutation",
    [
        enrolment.member_enrol,
        enrolment.member_update,
        merging.member_merge,
        merging.member_unmerge,
        offer_steps.offer_activate,
        checkout_steps.checkout_reserve,
        checkout_steps.checkout_extend,
        checkout_steps.checkout_commit,
        checkout_steps.checkout_release,
        refunds.order_refund,
        refunds.order_cancel,
        order_edits.order_edit,
        recommendation_events.recommendation_events,
        product_views.product_views,
    ],
    description="What can be changed. Each answers the same again for the same idempotency key.",
)
Subscription = create_type(
    "Subscription", [changes.member_changed], description="What a caller can be told of."
)

schema = strawberry.Schema(
    Query, Mutation, Subscription, types=CONCRETE_ERRORS, config=schema_config()
)
