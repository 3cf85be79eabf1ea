"""A cart as a caller describes it, read once into the domain's."""

from enum import Enum

import strawberry
from strawberry import UNSET
from strawberry import enum_value as value

from loyalty.domain import cart
from loyalty.domain.money import Money
from loyalty.domain.points import Points
from loyalty.domain.quotes.quote_input import LINES_MAX
from loyalty.domain.quotes.quote_terms import (
    ALL_CREDIT,
    ALL_POINTS,
    NO_CREDIT,
    NO_POINTS,
    Choice,
    CreditWanted,
    PointsWanted,
    exact_credit,
    exactly,
)
from loyalty.domain.quotes.quote_terms import Objective as DomainObjective
from loyalty.errors import BadInput, BadMoney
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.scalars import DecimalText, ExternalId
from loyalty_graphql.types.exact_text import basis_points
from loyalty_graphql.types.note import note
from loyalty_graphql.user_errors import within


@strawberry.enum(description="What the choice among rewards is to achieve.")
class Objective(Enum):
    MOST_SAVED = value("MOST_SAVED", description="Least money to pay, then fewest points.")
    FEWEST_POINTS = value(
        "FEWEST_POINTS", description="Fewest points for rewards, then least money."
    )
    EXPIRING_FIRST = value(
        "EXPIRING_FIRST",
        description="Most points that expire soon, then most coupons and offers that end soon, "
        "then least money to pay.",
    )
    PINNED = value("PINNED", description="Nothing but what is pinned.")


@strawberry.input(description="One line of a cart.")
class CartLineInput:
    id: ExternalId = strawberry.field(description="The line's id, unique within the cart.")
    product: ExternalId = strawberry.field(description="External id of the product.")
    quantity: int = strawberry.field(description="How many pieces: 1 to 1000000.")
    unit_price: MoneyInput = strawberry.field(
        description="Price of one piece as charged, in the program's currency. What a shopper says "
        "counts only where the catalogue has no price."
    )
    unit_cost: MoneyInput | None = strawberry.field(
        description="What one piece costs the shop; what the catalogue says by default. For "
        "services only.",
        default=UNSET,
    )
    category: str | None = strawberry.field(
        description="The product's category; what the catalogue says by default.", default=UNSET
    )
    tax_rate: DecimalText | None = strawberry.field(
        description='Its tax in percent of the price before tax, "27" or "5.5": 0 to 100, with at '
        "most two decimals; none by default.",
        default=UNSET,
    )


@strawberry.input(
    one_of=True, description="How many points to pay with: exactly one of the fields."
)
class PointsChoice:
    none: bool | None = strawberry.field(description="`true`: none.", default=UNSET)
    all: bool | None = strawberry.field(
        description="`true`: as many as may pay for this cart.", default=UNSET
    )
    exact: Points | None = strawberry.field(
        description="This many, 1 or more, or none at all.", default=UNSET
    )


@strawberry.input(
    one_of=True, description="How much credit to pay with: exactly one of the fields."
)
class CreditChoice:
    none: bool | None = strawberry.field(description="`true`: none.", default=UNSET)
    all: bool | None = strawberry.field(
        description="`true`: as much as there is and as is to be paid.", default=UNSET
    )
    exact: MoneyInput | None = strawberry.field(
        description="This much, more than nothing, or none at all.", default=UNSET
    )


@strawberry.input(description="What the shopper decided about rewards.")
class RewardChoice:
    pinned: list[str] | None = strawberry.field(
        description="Codes of rewards or coupons wanted before anything else, the first the most; "
        "`POINTS` and `CREDIT` stand for paying with them. At most 50.",
        default=UNSET,
    )
    excluded: list[str] | None = strawberry.field(
        description="Codes not wanted at all. At most 50.", default=UNSET
    )


@strawberry.input(description="A cart, and what the shopper decided.")
class CheckoutQuoteInput:
    cart_id: ExternalId = strawberry.field(description="The shop's own id of the cart.")
    member: ExternalId | None = strawberry.field(
        description="Whose cart it is. Shoppers leave it out; services name the member, or leave "
        "it out for a guest.",
        default=UNSET,
    )
    lines: list[CartLineInput] = strawberry.field(description="What is in it: 1 to 200 lines.")
    shipping: MoneyInput | None = strawberry.field(
        description="What shipping costs; nothing by default.", default=UNSET
    )
    shipping_tax_rate: DecimalText | None = strawberry.field(
        description="Shipping's tax in percent, as that of a line.", default=UNSET
    )
    tax_included: bool | None = strawberry.field(
        description="Whether prices hold their tax already. `false`: it is added to what is left "
        "of them after discounts.",
        default=True,
    )
    codes: list[str] | None = strawberry.field(
        description="Codes of coupons and gift cards as they were typed. Gift cards pay in this "
        "sequence. At most 20.",
        default=UNSET,
    )
    points: PointsChoice | None = strawberry.field(
        description="How many points to pay with; none by default.", default=UNSET
    )
    credit: CreditChoice | None = strawberry.field(
        description="How much credit to pay with; none by default.", default=UNSET
    )
    rewards: RewardChoice | None = strawberry.field(
        description="Which rewards to take; the best by default.", default=UNSET
    )
    objective: Objective | None = strawberry.field(
        description="What the choice is to achieve.", default=Objective.MOST_SAVED
    )
    locale: str | None = strawberry.field(
        description="In which language to give reasons, as a tag such as `hu` or `zh-CN`. By "
        "default the member's, else that of the header Accept-Language. English where there is "
        "none of it.",
        default=UNSET,
    )


def cart_of(given: CheckoutQuoteInput, currency: str, *, with_cost: bool) -> cart.Cart:
    """The cart in the program's currency.

    Args:
        with_cost: whether the caller may say what things cost the shop.

    Raises:
        BadInput: an amount that is none, another currency, no lines or too many; ``field`` is the
            path within the mutation's arguments.
    """
    # The domain looks again; here before 1,000 lines of amounts are read.
    if not 1 <= len(given.lines) <= LINES_MAX:
        raise BadInput(
            f"found {len(given.lines)} lines, wanted 1 to {LINES_MAX}", field=("input", "lines")
        )
    lines = tuple(
        _line(line, currency, ("input", "lines", str(place)), with_cost=with_cost)
        for place, line in enumerate(given.lines)
    )
    shipping = 0
    if given.shipping:
        shipping = minor_of(given.shipping, currency, "input", "shipping")
    return cart.Cart(
        given.cart_id,
        currency,
        lines,
        shipping,
        tax_included=given.tax_included is not False,
        shipping_tax_bp=_tax_bp(given.shipping_tax_rate, "input", "shippingTaxRate"),
    )


def choice_of(given: CheckoutQuoteInput, currency: str) -> Choice:
    """What the shopper decided; codes as they were typed.

    Raises:
        BadInput: ``false`` where only ``true`` says something, or an amount that is none.
    """
    rewards = given.rewards or RewardChoice()
    return Choice(
        _points(given.points) if given.points else NO_POINTS,
        tuple(rewards.pinned or ()),
        tuple(rewards.excluded or ()),
        DomainObjective[(given.objective or Objective.MOST_SAVED).name],
        tuple(given.codes or ()),
        _credit(given.credit, currency) if given.credit else NO_CREDIT,
    )


def minor_of(given: MoneyInput, currency: str, *path: str) -> int:
    """An amount in minor units of the program's currency.

    Raises:
        BadInput: not an amount, or of another currency; ``field`` is ``path``.
    """
    return money_of(given, currency, *path).minor


def money_of(given: MoneyInput, currency: str, *path: str) -> Money:
    """As ``minor_of``, with its currency."""
    if given.currency_code != currency:
        raise BadInput(
            f"found {given.currency_code}, wanted {currency}, the program's currency",
            field=(*path, "currencyCode"),
        )
    return money_told(given, *path)


def money_told(given: MoneyInput, *path: str) -> Money:
    """An amount in whatever currency it is told.

    Raises:
        BadMoney: not an amount; ``field`` is within ``path``.
    """
    try:
        return given.to_domain()
    except BadMoney as problem:
        raise within(problem, *path, "amount") from problem


def as_asked(refusal: BadInput) -> BadInput:
    """A refusal of the domain's cart, with the path that the caller knows."""
    path = tuple(_NAMES.get(part, part) for part in refusal.field)
    if path and path[0] != "input":
        first = {"id": ("cartId",), "pinned": ("rewards", "pinned"), "excluded": _EXCLUDED}
        path = ("input", *first.get(path[0], path[:1]), *path[1:])
    return within(refusal, *path)


_NAMES = {
    "price": "unitPrice",
    "cost": "unitCost",
    "tax": "taxRate",
    "shippingTax": "shippingTaxRate",
}
_EXCLUDED = ("rewards", "excluded")


def _line(
    line: CartLineInput, currency: str, path: tuple[str, ...], *, with_cost: bool
) -> cart.CartLine:
    cost = None
    if line.unit_cost:
        if not with_cost:
            raise BadInput(
                "found a unitCost, wanted none: only services say what things cost",
                field=(*path, "unitCost"),
            )
        cost = minor_of(line.unit_cost, currency, *path, "unitCost")
    return cart.CartLine(
        line.id,
        line.product,
        line.quantity,
        minor_of(line.unit_price, currency, *path, "unitPrice"),
        cost,
        note(line.category or None, *path, "category"),
        tax_bp=_tax_bp(line.tax_rate, *path, "taxRate"),
    )


def _tax_bp(rate: DecimalText | None, *path: str) -> int:
    return basis_points(rate, *path) if rate else 0


def _points(given: PointsChoice) -> PointsWanted:
    if given.exact is not UNSET and given.exact is not None:
        return exactly(given.exact)
    return ALL_POINTS if _wants_all(given, "points") else NO_POINTS


def _credit(given: CreditChoice, currency: str) -> CreditWanted:
    if given.exact:
        return exact_credit(minor_of(given.exact, currency, "input", "credit", "exact"))
    return ALL_CREDIT if _wants_all(given, "credit") else NO_CREDIT


def _wants_all(given: PointsChoice | CreditChoice, what: str) -> bool:
    """Of ``all`` and ``none``, which is said. Raises BadInput where neither is."""
    name = "all" if given.all is not UNSET else "none"
    if getattr(given, name) is not True:
        raise BadInput(
            f"found {name}: false, wanted {name}: true or another field",
            field=("input", what, name),
        )
    return name == "all"
