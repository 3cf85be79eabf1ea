"""Candidates of a quote: what became of each, why, and what would change it."""

from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money, reasons
from loyalty.domain.points import Points
from loyalty.domain.quotes import quote_terms
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.wording.reasons import Words
from loyalty_graphql.money import Money
from loyalty_graphql.types.reasons import ReasonCode


@strawberry.enum(description="What became of a candidate.")
class Outcome(Enum):
    APPLIED = value("APPLIED", description="It is part of the quote.")
    REJECTED = value("REJECTED", description="It cannot be; the reason says why.")
    DOMINATED = value("DOMINATED", description="It could be, and another choice is better.")


@strawberry.type(description="How far a candidate is from being applied; one of the three.")
class Gap:
    points: Points | None = strawberry.field(description="Points that are missing.")
    money: Money | None = strawberry.field(
        description="What is missing in the cart or of credit, or what goes past a limit."
    )
    tier: str | None = strawberry.field(description="Code of the tier it wants.")

    @classmethod
    def of(cls, gap: reasons.Gap, currency: str) -> "Gap":
        return cls(
            points=_points(gap.points), money=_money(gap.money_minor, currency), tier=gap.tier
        )


@strawberry.type(description="The smallest change after which a candidate applies when pinned.")
class NearestChange:
    kind: str = strawberry.field(
        description="`ADD_TO_CART`: worth `money` more. `ADD_MATCHING`: the same, of a product it "
        "covers. `USE_POINTS`: pay with `points`. `USE_CREDIT`: pay with `money` of credit. "
        "`ADD_CODE`: hand in a coupon's code for it. `ACTIVATE_OFFER`: make it active. `PIN`: pin "
        "it. `ALLOW`: exclude it no longer."
    )
    points: Points | None = strawberry.field(description="Points to pay with.")
    money: Money | None = strawberry.field(
        description="Value to add to the cart, or credit to pay with."
    )
    message: str | None = strawberry.field(
        description="The change in a sentence, in the quote's `language`."
    )

    @classmethod
    def of(cls, change: reasons.NearestChange, currency: str, words: Words) -> "NearestChange":
        return cls(
            kind=change.kind,
            points=_points(change.points),
            money=_money(change.money_minor, currency),
            message=words.change(change, currency),
        )


@strawberry.type(
    description="A reward, a tier's benefit, a code or a way of paying, and what became of it."
)
class Candidate:
    reward: str = strawberry.field(
        description="Code of the reward or benefit; `POINTS` for paying with points, `CREDIT` with "
        "credit, `GIFT_CARD:1` with the first gift card; a code that nothing is known of, as it "
        "was handed in."
    )
    name: str = strawberry.field(description="What members read.")
    kind: str = strawberry.field(description="What it does, such as `money_off`.")
    coupon_code: str | None = strawberry.field(
        description="Code of the coupon it came with; null without one. Pins and exclusions name "
        "it by this code."
    )
    tier: str | None = strawberry.field(
        description="Code of the tier whose benefit it is; null for what is none."
    )
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: ReasonCode | None = strawberry.field(
        description="Why it was not applied, or not in full; null when it was."
    )
    message: str | None = strawberry.field(
        description="The reason in a sentence, in the quote's `language`."
    )
    points: Points = strawberry.field(description="What it costs in points.")
    discount: Money = strawberry.field(
        description="What it takes off, or would by itself; for a way of paying, what it pays."
    )
    capped: Money | None = strawberry.field(
        description="What the program's caps on discounts kept back of it; null for shoppers where "
        "the cost had a say in it."
    )
    cut: Money | None = strawberry.field(
        description="What the margin floor kept back of it; null for shoppers."
    )
    gap: Gap | None = strawberry.field(
        description="How far it is from being applied; null where nothing can be measured, and "
        "for shoppers where the margin is the reason."
    )
    nearest_change: NearestChange | None = strawberry.field(
        description="The smallest change that lets it apply; null where no change of the cart "
        "could, and for shoppers where the margin is the reason."
    )

    @classmethod
    def of(
        cls, found: quote_terms.Candidate, rules: Ruleset, words: Words, *, shows_margin: bool
    ) -> "Candidate":
        currency = rules.currency
        # Of what the margin decided, any distance or change would tell a shopper the cost.
        is_open = shows_margin or found.reason is not reasons.Reason.MARGIN_LIMIT
        shows_cap = shows_margin or not found.is_cost_shaped
        gap, nearest = (found.gap, found.nearest) if is_open else (None, None)
        return cls(
            reward=found.code,
            name=found.name,
            kind=found.kind,
            coupon_code=found.coupon_code,
            tier=found.tier,
            outcome=Outcome[found.outcome.name],
            reason=None if found.reason is None else ReasonCode[found.reason.name],
            message=words.reason(found, rules, with_figures=is_open),
            points=Points(found.points),
            discount=Money.of(money.Money(found.discount_minor, currency)),
            capped=_money(found.capped_minor, currency) if shows_cap else None,
            cut=_money(found.cut_minor, currency) if shows_margin else None,
            gap=None if gap is None else Gap.of(gap, currency),
            nearest_change=None if nearest is None else NearestChange.of(nearest, currency, words),
        )


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money.of(money.Money(minor, currency))


def _points(points: int | None) -> Points | None:
    return None if points is None else Points(points)
