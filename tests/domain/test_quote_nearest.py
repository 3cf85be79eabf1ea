"""Making a nearest change removes the rejection: the candidate applies when pinned."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from quote_cases import AT, Case, case

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import BrandIs, CategoryIs, DepartmentIs, ProductIs
from loyalty.domain.quotes.quote import (
    Candidate,
    CouponFacts,
    Outcome,
    Quote,
    exact_credit,
    exactly,
    quote,
)
from loyalty.domain.rewards import FreeProduct
from loyalty.domain.rulesets.ruleset import Benefit, Reward

SHARDS = 3
KINDS = {"ADD_TO_CART", "ADD_MATCHING", "USE_POINTS", "USE_CREDIT", "PIN", "ALLOW", "ADD_CODE"}


def asked(case: Case) -> Quote:
    return quote(case.ruleset, case.member, case.cart, case.choice, AT, case.holdings)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_nearest_change_removes_the_rejection(shard: int, is_soak: bool) -> None:
    seen: Counter[str] = Counter()
    for number in range(shard, 4_000 if is_soak else 400, SHARDS):
        one = case(number)
        for candidate in asked(one).candidates:
            if candidate.nearest is None:
                continue

            changed, wish = made(one, candidate)

            after = [item for item in asked(changed).candidates if item.wish == wish]
            outcomes = {item.outcome for item in after}
            assert Outcome.APPLIED in outcomes, (number, candidate)
            seen[candidate.nearest.kind] += 1
    assert set(seen) == KINDS


def made(one: Case, candidate: Candidate) -> tuple[Case, str]:
    """The case with the candidate's nearest change made and the candidate pinned first, and the
    name under which it is pinned.
    """
    nearest, choice, cart, holdings = candidate.nearest, one.choice, one.cart, one.holdings
    assert nearest is not None
    wish = candidate.wish
    if nearest.kind == "ALLOW":
        names = {candidate.code, wish}
        choice = replace(choice, excluded=tuple(set(choice.excluded) - names))
    elif nearest.kind == "USE_POINTS":
        assert nearest.points is not None
        choice = replace(choice, points=exactly(nearest.points))
    elif nearest.kind == "USE_CREDIT":
        assert nearest.money_minor is not None
        choice = replace(choice, credit=exact_credit(nearest.money_minor))
    elif nearest.kind == "ADD_CODE":
        wish = "A-NEW-ONE"
        coupon = CouponFacts(999, wish, candidate.code)
        choice = replace(choice, codes=(*choice.codes, wish))
        holdings = replace(holdings, coupons=(*holdings.coupons, coupon))
    elif nearest.kind in ("ADD_TO_CART", "ADD_MATCHING"):
        assert nearest.money_minor is not None
        added = CartLine("added", "some product", 1, nearest.money_minor)
        if nearest.kind == "ADD_MATCHING":
            added = added._replace(**attributes(one, candidate.code))
        cart = replace(cart, lines=(*cart.lines, added))
    else:
        assert nearest.kind == "PIN"
    pinned = tuple(code for code in choice.pinned if code != wish)
    choice = replace(choice, pinned=(wish, *pinned))
    return one._replace(choice=choice, cart=cart, holdings=holdings), wish


def attributes(one: Case, code: str) -> dict[str, Any]:
    """What a product is like that the reward covers."""
    offers: list[Reward | Benefit] = [*one.ruleset.rewards]
    offers += [benefit for tier in one.ruleset.tier_policy.tiers for benefit in tier.benefits]
    reward = next(item for item in offers if item.code == code)
    allowed: dict[str, set[str]] = {}
    for item in reward.conditions:
        if isinstance(item, CategoryIs | ProductIs | BrandIs | DepartmentIs):
            allowed[item.kind] = allowed.get(item.kind, set(item.any_of)) & set(item.any_of)
    if isinstance(reward.does, FreeProduct):
        products = set(reward.does.any_of)
        allowed["product"] = allowed.get("product", products) & products
    return {name: sorted(values)[0] for name, values in allowed.items()}
