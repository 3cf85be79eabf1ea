"""Quotes: what a cart would get, and why."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.points import Points
from loyalty.domain.quotes import quote_terms
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.wording.reasons import Words
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import DecimalText, ExternalId
from loyalty_graphql.types.candidates import Candidate
from loyalty_graphql.types.exact_text import percent
from loyalty_graphql.types.orders import Tender
from loyalty_graphql.types.rulesets import Tier, tier_named


@strawberry.type(description="What one reward takes off one line.")
class LinePart:
    reward: str = strawberry.field(description="Code of the reward.")
    amount: Money = strawberry.field(description="What it takes off.")


@strawberry.type(
    description="What pays how much of a line. The shares follow from the margin check of each "
    "line, so they are for services and merchants only."
)
class LinePayment:
    points: Money = strawberry.field(description="What points pay.")
    gift_cards: Money = strawberry.field(description="What gift cards pay.")
    credit: Money = strawberry.field(description="What credit pays.")


@strawberry.type(description="A line of the cart with what is taken off it.")
class QuoteLine:
    id: ExternalId = strawberry.field(description="The line's id as it was asked about.")
    product: ExternalId = strawberry.field(description="External id of the product.")
    gross: Money = strawberry.field(description="The whole line's price.")
    discount: Money = strawberry.field(description="What is taken off: the sum of the parts.")
    net: Money = strawberry.field(description="Gross less discount.")
    tax: Money = strawberry.field(
        description="The tax in `net`, or on it where the cart's tax is added."
    )
    parts: list[LinePart] = strawberry.field(description="What each reward takes off.")
    paid: LinePayment | None = strawberry.field(
        description="What pays how much of it; null for shoppers."
    )


@strawberry.type(description="Shipping with what is taken off it.")
class QuoteShipping:
    gross: Money = strawberry.field(description="Shipping as it was given.")
    discount: Money = strawberry.field(description="What is taken off: the sum of the parts.")
    net: Money = strawberry.field(description="Gross less discount.")
    tax: Money = strawberry.field(
        description="The tax in `net`, or on it where the cart's tax is added."
    )
    parts: list[LinePart] = strawberry.field(description="What each reward takes off.")
    paid: LinePayment | None = strawberry.field(
        description="What pays how much of it; null for shoppers."
    )


@strawberry.type(description="A gift card that pays.")
class GiftCardUsed:
    label: str = strawberry.field(
        description='What may be shown of its code: the last four characters, "…7Q2M".'
    )
    amount: Money = strawberry.field(description="What it pays.")

    @classmethod
    def all_of(cls, quote: quote_terms.Quote) -> "list[GiftCardUsed]":
        currency = quote.cart.currency
        return [
            cls(label=card.label, amount=Money.of(money.Money(card.minor, currency)))
            for card in quote.gift_cards
        ]


@strawberry.enum(description="What is counted for several members together.")
class UseKind(Enum):
    COUPON = value("COUPON", description="Uses of a coupon.")
    STOCK = value("STOCK", description="Pieces or uses of a reward.")
    OFFER = value("OFFER", description="Uses of the member's own offer.")


@strawberry.type(description="A use of something that is counted, held with the reservation.")
class CountedUse:
    kind: UseKind = strawberry.field(description="What is counted.")
    code: str = strawberry.field(
        description="The coupon's code, the reward's, or what the offer is called among the "
        "candidates."
    )
    quantity: int = strawberry.field(description="How many uses.")

    @classmethod
    def all_of(cls, quote: quote_terms.Quote) -> "list[CountedUse]":
        """All but what is left of budgets, which is the merchant's."""
        names = {item.offer_id: item.code for item in quote.applied if item.offer_id is not None}
        found = []
        for use in quote.uses:
            if use.kind is not quote_terms.QuotaKind.BUDGET:
                found.append(
                    cls(kind=UseKind[use.kind.name], code=use.subject, quantity=use.quantity)
                )
            elif use.coupon_id in names:
                found.append(
                    cls(kind=UseKind.OFFER, code=names[use.coupon_id], quantity=use.quantity)
                )
        return found


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
    limited: bool = strawberry.field(description="A floor cut or kept out something.")
    floor: DecimalText | None = strawberry.field(
        description='The least margin of the order in percent, "5"; null for shoppers.'
    )
    line_floor: DecimalText | None = strawberry.field(
        description="The least margin of each line in percent; null where the program has none, "
        "and for shoppers."
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
            return cls(
                limited=report.limited,
                floor=None,
                line_floor=None,
                actual=None,
                unknown_cost=None,
            )
        line_floor = report.line_floor_bp
        return cls(
            limited=report.limited,
            floor=percent(report.floor_bp),
            line_floor=None if line_floor is None else percent(line_floor),
            actual=None if report.actual_bp is None else percent(report.actual_bp),
            unknown_cost=report.unknown_cost,
        )


@strawberry.type(
    description="What a cart would get, and why. subtotal - discount + shipping = total, and tax "
    "with it unless `taxIncluded`; total - tender - gift cards - credit = payable."
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
    language: str = strawberry.field(
        description="The language of the messages, as a tag such as `hu`."
    )
    subtotal: Money = strawberry.field(description="The lines' prices together.")
    discount: Money = strawberry.field(description="What rewards take off, shipping included.")
    shipping: Money = strawberry.field(description="Shipping as it was given.")
    shipping_line: QuoteShipping = strawberry.field(
        description="Shipping with what is taken off it."
    )
    tax: Money = strawberry.field(
        description="The tax of lines and shipping after discounts; nothing without a rate."
    )
    tax_included: bool = strawberry.field(
        description="Whether prices hold their tax already; otherwise it is added."
    )
    total: Money = strawberry.field(description="What the order costs, with its tax.")
    tender: Tender | None = strawberry.field(description="Points that pay; null for none.")
    gift_cards: list[GiftCardUsed] = strawberry.field(
        description="Gift cards that pay, in the sequence in which their codes were handed in."
    )
    credit: Money | None = strawberry.field(description="Credit that pays; null for none.")
    payable: Money = strawberry.field(description="What is left to be paid with money.")
    lines: list[QuoteLine] = strawberry.field(description="The cart's lines, in their order.")
    candidates: list[Candidate] = strawberry.field(
        description="Every reward and benefit in the order in which they apply, codes that open "
        "nothing, and the ways of paying."
    )
    earnings: list[Earning] = strawberry.field(description="Points the purchase would earn.")
    margin: Margin | None = strawberry.field(
        description="The margin check; null where the program has no floor."
    )
    proven: bool = strawberry.field(
        description="Whether no other choice of rewards is better. False where there were so many "
        "that the search ended at its bound of steps; the choice is a good one all the same."
    )
    savings_gap: Money | None = strawberry.field(
        description="How much more another choice might save at most; nothing when `proven`. Null "
        "for shoppers."
    )
    uses: list[CountedUse] = strawberry.field(
        description="Coupon uses and stock that it takes; a reservation holds them."
    )

    @classmethod
    def of(
        cls,
        quote: quote_terms.Quote,
        rules: Ruleset,
        *,
        words: Words,
        shows_margin: bool,
        hash: str,
        token: str | None,
        binding: bool,
    ) -> "Quote":
        """The API's view of a quote.

        Args:
            rules: the version the quote was made by.
            words: of the language in which its reasons are told.
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
            language=words.language.tag,
            subtotal=amount(quote.subtotal_minor),
            discount=amount(quote.discount_minor),
            shipping=amount(quote.shipping_minor),
            shipping_line=_shipping(quote, shows_margin=shows_margin),
            tax=amount(quote.tax_minor),
            tax_included=quote.cart.tax_included,
            total=amount(quote.total_minor),
            tender=tender,
            gift_cards=GiftCardUsed.all_of(quote),
            credit=None if quote.credit is None else amount(quote.credit.minor),
            payable=amount(quote.payable_minor),
            lines=_lines(quote, shows_margin=shows_margin),
            candidates=[
                Candidate.of(candidate, rules, words, shows_margin=shows_margin)
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
            savings_gap=amount(quote.gap_minor) if shows_margin else None,
            uses=CountedUse.all_of(quote),
        )


def _lines(quote: quote_terms.Quote, *, shows_margin: bool) -> list[QuoteLine]:
    return [
        QuoteLine(
            id=ExternalId(line.id),
            product=ExternalId(line.product),
            **_figures(quote, line, shows_margin=shows_margin),
        )
        for line in quote.lines
    ]


def _shipping(quote: quote_terms.Quote, *, shows_margin: bool) -> QuoteShipping:
    return QuoteShipping(**_figures(quote, quote.shipping_line, shows_margin=shows_margin))


def _figures(
    quote: quote_terms.Quote, line: quote_terms.QuoteLine, *, shows_margin: bool
) -> dict[str, Any]:
    """What lines and shipping have in common."""

    def amount(minor: int) -> Money:
        return Money.of(money.Money(minor, quote.cart.currency))

    paid = LinePayment(
        points=amount(line.tender_minor),
        gift_cards=amount(line.gift_minor),
        credit=amount(line.credit_minor),
    )
    return {
        "gross": amount(line.gross_minor),
        "discount": amount(line.discount_minor),
        "net": amount(line.net_minor),
        "tax": amount(line.tax_minor),
        "parts": [LinePart(reward=part.code, amount=amount(part.minor)) for part in line.parts],
        "paid": paid if shows_margin else None,
    }
