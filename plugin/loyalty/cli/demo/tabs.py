"""Ready tabs of the demo's GraphiQL, each with a credential and variables that work."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from loyalty.cli.demo.prepare import Prepared
from loyalty.domain.money import Money
from loyalty.services.services import Services
from loyalty_graphql.graphiql import Tab

TTL_S = 43_200
"""Lifetime of the shopper's token in the tabs, in seconds."""
CART_LINES = 3

MEMBER = """query Member {
  member {
    externalId
    balance { available pending held expiringSoon { points at } value { amount currencyCode } }
    tier { current { code name } qualifying next { tier { name } pointsMissing by } }
    history(first: 5) { nodes { kind points effectiveAt orderExternalId } }
  }
}"""

RECOMMENDATIONS = """query Recommendations {
  nextVisit: recommendations(window: NEXT_VISIT, first: 5) { ...Shown }
  forYou: recommendations(window: FOR_YOU, first: 5) { ...Shown }
}

fragment Shown on Recommendations {
  strategy
  trainedAt
  items {
    rank
    product { externalId name category price { amount currencyCode } }
    reason { text }
    boosts
    loyalty {
      priceAfterBestReward { amount }
      pointsEarned
      liftsToTier { name }
      coveredByExpiringPoints { points expiresAt }
    }
  }
}"""

QUOTE = """query Quote($input: CheckoutQuoteInput!) {
  checkoutQuote(input: $input) {
    quote {
      token
      validUntil
      subtotal { amount }
      discount { amount }
      tender { points value { amount } }
      payable { amount currencyCode }
      candidates { reward outcome reason message }
      earnings { pointType points availableAt }
      margin { limited floor actual }
    }
    userErrors { code message field }
  }
}"""

RESERVE = """mutation Reserve($input: CheckoutReserveInput!) {
  checkoutReserve(input: $input) {
    reservation { id state expiresAt points }
    replayed
    userErrors { code message field }
  }
}"""

WATCH = """# Pay with points in the storefront and watch this one.
subscription Watch {
  memberChanged { reason member { balance { available pending held } tier { current { name } } } }
}"""

SHOP = """query Shop {
  program { name rulesetVersion tiers { code name threshold } rewards { code name points } }
  members(first: 5) {
    nodes { externalId state balance { available pending } tier { current { name } } }
  }
}"""

PROOF = """query Proof {
  ledgerVerify { ok members transactions entries problems }
}"""


class DemoTabs:
    """Tab sources of both GraphiQLs; see ``loyalty_graphql.graphiql.TabSource``."""

    def __init__(self, services: Callable[[], Services], prepared: Prepared) -> None:
        self._services = services
        self._prepared = prepared
        self._token = ""
        self._renew_at: datetime | None = None

    async def storefront(self) -> Sequence[Tab]:
        shopper = _bearer(await self._shopper_token())
        service = _bearer(self._prepared.checkout_key)
        quote = _written({"input": await self._cart()})
        hold = _written(
            {"input": {"idempotencyKey": "try-1", "quoteToken": "the token of the quote before"}}
        )
        return [
            Tab("A member, with a shopper's token", MEMBER, headers=shopper),
            Tab("What to show next", RECOMMENDATIONS, headers=shopper),
            Tab("A binding quote, with the checkout service's key", QUOTE, quote, service),
            Tab("Hold what was quoted", RESERVE, hold, service),
            Tab("What changes, as it happens", WATCH, headers=shopper),
        ]

    async def admin(self) -> Sequence[Tab]:
        merchant = _bearer(self._prepared.merchant_key)
        return [
            Tab("The shop", SHOP, headers=merchant),
            Tab("The books, recomputed", PROOF, headers=merchant),
        ]

    async def _shopper_token(self) -> str:
        """Fresh, and the same for a while: GraphiQL forgets its tabs when they differ."""
        services, tenant = self._services(), self._prepared.tenant
        now = services.clock.now()
        if self._renew_at is None or now >= self._renew_at:
            member = self._prepared.members[0].external_id
            self._token, expires = await services.credentials.mint(tenant.id, member, TTL_S)
            self._renew_at = expires - timedelta(seconds=TTL_S // 2)
        return self._token

    async def _cart(self) -> dict[str, Any]:
        """A cart of what the member would buy, at the catalogue's prices."""
        services, tenant = self._services(), self._prepared.tenant
        member = self._prepared.members[0].external_id
        answer = await services.recommendations.answer(
            tenant.id,
            rules=await services.rulesets.current(tenant.id),
            member=await services.summaries.shown(tenant.id, member),
            window="FOR_YOU",
            first=4 * CART_LINES,
            product=None,
            cart=(),
        )
        lines = [
            {
                "id": str(number),
                "product": item.product.external_id,
                "quantity": 2,
                "unitPrice": {
                    "amount": Money(item.product.price_minor, item.product.currency).text(),
                    "currencyCode": item.product.currency,
                },
            }
            for number, item in enumerate(answer.items, start=1)
            if item.product.price_minor is not None
        ]
        points = {"exact": 100}
        return {"cartId": "try", "member": member, "lines": lines[:CART_LINES], "points": points}


def _bearer(credential: str) -> str:
    return _written({"Authorization": f"Bearer {credential}"})


def _written(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)
