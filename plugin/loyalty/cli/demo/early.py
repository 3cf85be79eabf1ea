"""Products that the demo shows to its higher tiers before everybody else: the data has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from loyalty.cli.demo.session import DemoMember
from loyalty.services.catalogue import Product
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant

DAYS = 7
"""How long the others have to wait."""
LOOKED_AT = 5
"""Products looked at for each member; the first of them stays everybody's."""
INVENTED = ("tiers", "tiers_until")


async def shown_early(services: Services, tenant: Tenant, members: Sequence[DemoMember]) -> int:
    """Take one product out of what each of the members may like, where its tier is not the first.

    Returns:
        How many products there are.
    """
    rules = await services.rulesets.current(tenant.id)
    tiers = rules.tier_policy.ranks[1:]
    now = services.clock.now()
    chosen: dict[str, Product] = {}
    for proposed in members:
        member = await services.summaries.shown(tenant.id, proposed.external_id, rules)
        if member.tier.current.code not in tiers:
            continue
        answer = await services.recommendations.answer(
            tenant.id, rules=rules, member=member, window="FOR_YOU", first=LOOKED_AT
        )
        fresh = [item.product for item in answer.items[1:] if not item.product.tiers]
        fresh = [product for product in fresh if product.external_id not in chosen]
        chosen |= {product.external_id: product for product in fresh[:1]}
    early = [
        replace(
            product.facts(now),
            tiers=tiers,
            tiers_until=now + timedelta(days=DAYS),
            invented=(*product.invented, *INVENTED),
        )
        for product in chosen.values()
    ]
    await services.catalogue.upsert(tenant.id, early)
    return len(early)
