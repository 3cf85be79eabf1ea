"""Quotes: what a cart would get, and why."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money, quote_terms
from loyalty.domain.points import Points
from loyalty.domain.reasons import Reason
from loyalty.domain.ruleset import Ruleset
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import DecimalText, ExternalId
from loyalty_graphql.types.exact_text import percent
from loyalty_graphql.types.orders import Tender
from loyalty_graphql.types.reasons import ReasonCode, sentence
from loyalty_graphql.types.rulesets import Tier, tier_named


@strawberry.enum(description="What became of a candidate.")
class Outcome(Enum):
    APPLIED = value("APPLIED", description="It is part of the quote.")
    REJECTED = value("REJECTED", description="It cannot be; the reason says why.")
    DOMINATED = value("DOMINATED", description="It could be, and another choice is better.")


@strawberry.type(description="What one reward takes off one line.")
class LinePart:
    reward: str = strawberry.field(description="Code of the reward.")
    amount: Money = strawberry.field(description="What it takes off.")


@strawberry.type(description="A line of the cart with what is taken off it.")
class QuoteLine:
    id: ExternalId = strawberry.field(description="The line's id as it was asked about.")
    product: ExternalId = strawberry.field(description="External id of the product.")
    gross: Money = strawberry.field(description="The whole line's price.")
    discount: Money = strawberry.field(description="What is taken off: the sum of the parts.")
    net: Money = strawberry.field(description="Gross less discount.")
    parts: list[LinePart] = strawberry.field(description="What each reward takes off.")


@strawberry.type(description="How far a candidate is from being applied; one of the three.")
class Gap:
    points: Points | None = strawberry.field(description="Points that are missing.")
    money: Money | None = strawberry.field(description="Value that the cart is missing.")
    tier: str | None = strawberry.field(description="Code of the tier it wants.")


@strawberry.type(description="The smallest change after which a candidate applies when pinned.")
class NearestChange:
    kind: str = strawberry.field(
        description="`ADD_TO_CART`: worth `money` more. `ADD_MATCHING`: the same, of a product it "
        "covers. `USE_POINTS`: pay with `points`. `PIN`: pin it. `ALLOW`: exclude it no longer."
    )
    points: Points | None = strawberry.field(description="Points to pay with.")
    money: Money | None = strawberry.field(description="Value to add to the cart.")


@strawberry.type(description="A reward, or paying with points, and what became of it.")
class Candidate:
    reward: str = strawberry.field(
        description="Code of the reward; `POINTS` for paying with points."
    )
    name: str = strawberry.field(description="What members read.")
    kind: str = strawberry.field(description="What it does, such as `money_off`.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: ReasonCode | None = strawberry.field(
        description="Why it was not applied, or not in full; null when it was."
    )
    message: str | None = strawberry.field(description="The reason in an English sentence.")
    points: Points = strawberry.field(description="What it costs in points.")
    discount: Money = strawberry.field(
        description="What it takes off, or would by itself; for `POINTS`, what they pay."
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
    def of(cls, found: quote_terms.Candidate, rules: Ruleset, *, shows_margin: bool) -> "Candidate":
        def amount(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(money.Money(minor, rules.currency))

        # Of what the margin decided, any distance or change would tell a shopper the cost.
        is_open = shows_margin or found.reason is not Reason.MARGIN_LIMIT
        gap, nearest = (found.gap, found.nearest) if is_open else (None, None)
        return cls(
            reward=found.code,
            name=found.name,
            kind=found.kind,
            outcome=Outcome[found.outcome.name],
            reason=None if found.reason is None else ReasonCode[found.reason.name],
            message=sentence(found, rules),
            points=Points(found.points),
            discount=Money.of(money.Money(found.discount_minor, rules.currency)),
            cut=amount(found.cut_minor) if shows_margin else None,
            gap=None
            if gap is None
            else Gap(points=_points(gap.points), money=amount(gap.money_minor), tier=gap.tier),
            nearest_change=None
            if nearest is None
            else NearestChange(
                kind=nearest.kind,
                points=_points(nearest.points),
                money=amount(nearest.money_minor),
            ),
        )


@strawberry.type(description="Points the purchase would earn.")
class Earning:
    point_type: str = strawberry.field(description="Code of the point type.")
    points: Points = strawberry.field(description="How many.")
    available_at: datetime | None = strawberry.field(description="From when they can be spent.")
    expires_at: datetime | None = strawberry.field(
        description="When they expire; null when they do not."
    )


@strawberry.type(description="The margin check. The figures are for services and merchants only.")
class Margin:
    limited: bool = strawberry.field(description="The floor cut or kept out something.")
    floor: DecimalText | None = strawberry.field(
        description='The least margin in percent, "5"; null for shoppers.'
    )
    actual: DecimalText | None = strawberry.field(
        description="The margin in percent over the lines of known cost, rounded down; null for "
        "shoppers, and where nothing of known cost is charged."
    )
    unknown_cost: bool | None = strawberry.field(
        description="The cost of some line is not known; null for shoppers."
    )

    @classmethod
    def of(cls, report: quote_terms.MarginReport, *, shows_margin: bool) -> "Margin":
        if not shows_margin:
            return cls(limited=report.limited, floor=None, actual=None, unknown_cost=None)
        return cls(
            limited=report.limited,
            floor=percent(report.floor_bp),
            actual=None if report.actual_bp is None else percent(report.actual_bp),
            unknown_cost=report.unknown_cost,
        )


@strawberry.type(
    description="What a cart would get, and why. subtotal - discount + shipping = total, and "
    "total - tender = payable."
)
class Quote:
    token: str | None = strawberry.field(
        description="Hand it in to `checkoutReserve`, as it is. Null for shoppers, whose quotes "
        "are indicative, and within a reservation, which holds the quote already."
    )
    hash: str = strawberry.field(
        description="Identifies the answer: the same cart, choice, rules and member at one moment "
        "give the same. A shopper's is another one than a service's."
    )
    binding: bool = strawberry.field(
        description="Whether it can be reserved. Prices that a browser names are only indicative."
    )
    cart_id: ExternalId = strawberry.field(description="The shop's own id of the cart.")
    valid_until: datetime = strawberry.field(description="Until when it can be reserved.")
    ruleset_version: int = strawberry.field(description="Version of the rules it was made by.")
    tier: Tier | None = strawberry.field(description="The member's tier; null for a guest.")
    subtotal: Money = strawberry.field(description="The lines' prices together.")
    discount: Money = strawberry.field(description="What rewards take off.")
    shipping: Money = strawberry.field(description="Shipping as it was given.")
    total: Money = strawberry.field(description="What the order costs.")
    tender: Tender | None = strawberry.field(description="Points that pay; null for none.")
    payable: Money = strawberry.field(description="What is left to be paid with money.")
    lines: list[QuoteLine] = strawberry.field(description="The cart's lines, in their order.")
    candidates: list[Candidate] = strawberry.field(
        description="Every reward in the order in which they apply, then paying with points."
    )
    earnings: list[Earning] = strawberry.field(description="Points the purchase would earn.")
    margin: Margin | None = strawberry.field(
        description="The margin check; null where the program has no floor."
    )
    proven: bool = strawberry.field(
        description="Whether no other choice of rewards is better. False where there were so many "
        "that the search ended at its bound of steps; the choice is a good one all the same."
    )

    @classmethod
    def of(
        cls,
        quote: quote_terms.Quote,
        rules: Ruleset,
        *,
        shows_margin: bool,
        hash: str,
        token: str | None,
        binding: bool,
    ) -> "Quote":
        """The API's view of a quote.

        Args:
            rules: the version the quote was made by.
            shows_margin: whether the caller may read what tells the cost.
        """

        def amount(minor: int) -> Money:
            return Money.of(money.Money(minor, quote.cart.currency))

        tender = None
        if quote.tender is not None:
            used = quote.tender
            tender = Tender(points=Points(used.points), value=amount(used.value_minor))
        margin = None
        if quote.margin is not None:
            margin = Margin.of(quote.margin, shows_margin=shows_margin)
        return cls(
            token=token,
            hash=hash,
            binding=binding,
            cart_id=ExternalId(quote.cart.id),
            valid_until=quote.valid_until,
            ruleset_version=quote.ruleset_version,
            tier=tier_named(rules, quote.tier),
            subtotal=amount(quote.subtotal_minor),
            discount=amount(quote.discount_minor),
            shipping=amount(quote.shipping_minor),
            total=amount(quote.total_minor),
            tender=tender,
            payable=amount(quote.payable_minor),
            lines=_lines(quote),
            candidates=[
                Candidate.of(candidate, rules, shows_margin=shows_margin)
                for candidate in quote.candidates
            ],
            earnings=[
                Earning(
                    point_type=item.point_type,
                    points=Points(item.points),
                    available_at=item.available_at,
                    expires_at=item.expires_at,
                )
                for item in quote.earnings
            ],
            margin=margin,
            proven=quote.proven,
        )


def _lines(quote: quote_terms.Quote) -> list[QuoteLine]:
    def amount(minor: int) -> Money:
        return Money.of(money.Money(minor, quote.cart.currency))

    return [
        QuoteLine(
            id=ExternalId(line.id),
            product=ExternalId(line.product),
            gross=amount(line.gross_minor),
            discount=amount(line.discount_minor),
            net=amount(line.net_minor),
            parts=[LinePart(reward=part.code, amount=amount(part.minor)) for part in line.parts],
        )
        for line in quote.lines
    ]


def _points(points: int | None) -> Points | None:
    return None if points is None else Points(points)
