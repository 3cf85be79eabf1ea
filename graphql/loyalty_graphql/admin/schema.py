"""The admin schema, put together. Its printed form is ``graphql/admin.graphql``."""

import strawberry
from strawberry.tools import create_type

from loyalty_graphql.admin.mutations import adjustments as corrections
from loyalty_graphql.admin.mutations import catalogue as products_written
from loyalty_graphql.admin.mutations import coupons as coupons_issued
from loyalty_graphql.admin.mutations import credentials as keys
from loyalty_graphql.admin.mutations import gift_cards as cards_issued
from loyalty_graphql.admin.mutations import members as members_moved
from loyalty_graphql.admin.mutations import membership as memberships
from loyalty_graphql.admin.mutations import models as models_chosen
from loyalty_graphql.admin.mutations import offers as offers_published
from loyalty_graphql.admin.mutations import rulesets as published
from loyalty_graphql.admin.queries import (
    adjustments,
    audit,
    catalogue,
    coupons,
    credentials,
    experiments,
    gift_cards,
    ledger,
    member_ledger,
    members,
    membership,
    metrics_summary,
    offers,
    recommendation_figures,
    recommendations,
    reservations,
    roots,
    rulesets,
)
from loyalty_graphql.scalars import schema_config
from loyalty_graphql.user_errors import CONCRETE_ERRORS

Query = create_type(
    "Query",
    [
        credentials.viewer,
        rulesets.program,
        rulesets.ruleset,
        rulesets.rulesets,
        rulesets.ruleset_validate,
        members.member,
        members.members,
        membership.member_export,
        catalogue.product,
        catalogue.products,
        recommendations.model,
        recommendations.models,
        experiments.experiments,
        recommendation_figures.recommendation_figures,
        member_ledger.member_ledger,
        adjustments.adjustments,
        coupons.coupon,
        coupons.coupons,
        coupons.reward_stocks,
        gift_cards.gift_card,
        gift_cards.gift_cards,
        offers.offer_plans,
        offers.offer_plan,
        offers.offer_effect,
        reservations.reservations,
        audit.audit_events,
        ledger.ledger_verify,
        roots.ledger_roots,
        roots.ledger_proof_of,
        metrics_summary.metrics_summary,
        credentials.api_keys,
        credentials.webhook_sources,
    ],
    description="What a merchant can ask.",
)
Mutation = create_type(
    "Mutation",
    [
        published.ruleset_publish,
        members_moved.member_update,
        members_moved.member_suspend,
        members_moved.member_reactivate,
        members_moved.member_close,
        memberships.member_merge,
        memberships.member_unmerge,
        memberships.member_erase,
        corrections.points_adjust,
        corrections.adjustment_approve,
        corrections.adjustment_decline,
        coupons_issued.coupon_issue,
        coupons_issued.coupon_revoke,
        coupons_issued.reward_stock_set,
        cards_issued.gift_card_issue,
        cards_issued.gift_card_block,
        cards_issued.gift_card_unblock,
        offers_published.offer_plan_withdraw,
        products_written.product_upsert,
        models_chosen.model_rollback,
        models_chosen.experiment_start,
        models_chosen.experiment_stop,
        keys.api_key_create,
        keys.api_key_revoke,
    ],
    description="What a merchant can change.",
)

schema = strawberry.Schema(Query, Mutation, types=CONCRETE_ERRORS, config=schema_config())
