"""What the demo hands out, so that there is something to enter and to pay with: coupons, a gift
card, store credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from loyalty.cli.demo.session import DemoCode, DemoMember
from loyalty.domain.money import Money
from loyalty.domain.rulesets.ruleset import Reward, Ruleset
from loyalty.errors import AlreadyExists
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.checkout.checkout import idempotent
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty.services.members.adjustments import Correction
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant

BY = "demo"
PER_MEMBER_MAX = 25
"""Uses of a demo coupon for one member."""
USES_MAX = 1_000
STOCK = 200
"""Of each reward that has stock."""
CARD_MINOR = 2_500
CREDIT_MINOR = 1_250
OVER = "SUMMER-IS-OVER"
"""A coupon whose time is over."""


async def handed_out(
    services: Services, tenant: Tenant, members: Sequence[DemoMember]
) -> list[DemoCode]:
    """Issue what there is to try; done before, it is done no second time.

    Each reward that needs a coupon has one with the reward's own code in capitals, the first of
    them one more that is over. Credit goes to the members whom the page proposes.
    """
    ruleset = await services.rulesets.current(tenant.id)
    merchant = Viewer(tenant.id, ViewerKind.MERCHANT, None, frozenset({Scope.ADMIN}), BY)
    codes = await _coupons(services, merchant, ruleset)
    for reward in ruleset.rewards:
        if reward.stocked:
            await services.coupons.set_stock(tenant.id, None, reward.code, STOCK)
    amount = Money(CARD_MINOR, ruleset.currency)
    once = idempotent(merchant, "giftCardIssue", "demo-card", [amount.minor, amount.currency])
    card = await services.gift_cards.issue(tenant.id, once, amount, None, BY)
    codes.append(DemoCode(card.code, f"a gift card of {amount.text()} {amount.currency}"))
    if ruleset.credit is not None:
        for member in members:
            credit = Correction(
                member.external_id,
                CREDIT_MINOR,
                "Welcome to the demo",
                currency=ruleset.currency,
            )
            key = f"demo-credit-{member.external_id}"
            await services.adjustments.adjust(merchant, key, credit)
    return codes


async def _coupons(services: Services, merchant: Viewer, ruleset: Ruleset) -> list[DemoCode]:
    now = services.clock.now()
    opened: list[Reward] = [reward for reward in ruleset.rewards if reward.needs_coupon]
    codes: list[DemoCode] = []
    for reward in opened:
        terms = CouponTerms(reward.code, uses_max=USES_MAX, uses_per_member_max=PER_MEMBER_MAX)
        await _issued(services, merchant, reward.code.upper(), terms)
        codes.append(DemoCode(reward.code.upper(), f"a coupon: {reward.name}"))
    if opened:
        over = CouponTerms(
            opened[0].code, starts_at=now - timedelta(days=60), ends_at=now - timedelta(days=1)
        )
        await _issued(services, merchant, OVER, over)
        codes.append(DemoCode(OVER, "a coupon whose time is over"))
    return codes


async def _issued(services: Services, merchant: Viewer, code: str, terms: CouponTerms) -> None:
    # The body leaves the dates out: a second start has others, and wants the first coupon.
    once = idempotent(merchant, "couponIssue", f"demo-{code}", [code, terms.reward])
    try:
        await services.coupons.issue(merchant.tenant_id, once, terms, BY, codes=[code])
    except AlreadyExists:
        # Keys are forgotten after a month, coupons are not.
        return
