from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.quotes.quote import (
    TENDER,
    Choice,
    PointsMode,
    PointsWanted,
    exactly,
    quote,
    validated,
)
from loyalty.domain.rulesets.ruleset import EarningBase, PointType, Ruleset, Tier, TierPolicy
from loyalty.errors import BadInput

RULES = Ruleset(
    code="club",
    name="Club",
    currency="EUR",
    time_zone="UTC",
    point_types=(PointType("points", "Points"),),
    earning_base=EarningBase(),
    earning_rules=(),
    tier_policy=TierPolicy("points", (Tier("basic", "Basic", 0),)),
)
LINE = CartLine("a", "tea", 1, 1_000)
CART = Cart("c", "EUR", (LINE,))


def with_line(
    id: str = "b",
    product: str = "tea",
    quantity: int = 1,
    unit_minor: int = 1_000,
    cost_minor: int | None = None,
) -> Cart:
    return replace(CART, lines=(LINE, CartLine(id, product, quantity, unit_minor, cost_minor)))


def taxed(unit_minor: int, *, tax_included: bool = False, **more: Any) -> Cart:
    """One line that bears 20 % of tax, on top of its price unless it is included."""
    line = LINE._replace(unit_minor=unit_minor, tax_bp=2_000)
    return replace(CART, lines=(line,), tax_included=tax_included, **more)


@pytest.mark.parametrize(
    ("case", "cart", "field", "message"),
    [
        ("other currency", replace(CART, currency="ZAR"), ("currency",), "wanted EUR"),
        ("no lines", replace(CART, lines=()), ("lines",), "found 0 lines, wanted 1 to 200"),
        ("too many lines", replace(CART, lines=(LINE,) * 201), ("lines",), "found 201 lines"),
        ("empty id", replace(CART, id=""), ("id",), "printable"),
        ("control character", replace(CART, id="a\0"), ("id",), "printable"),
        ("negative shipping", replace(CART, shipping_minor=-1), ("shipping",), "found shipping -1"),
        ("one id twice", with_line(id="a"), ("lines", "1", "id"), "two lines of id 'a'"),
        ("long product", with_line(product="x" * 129), ("lines", "1", "product"), "printable"),
        ("quantity 0", with_line(quantity=0), ("lines", "1", "quantity"), "wanted 1 to 1000000"),
        ("too much of it", with_line(quantity=1_000_001), ("lines", "1", "quantity"), "1000001"),
        ("negative price", with_line(unit_minor=-1), ("lines", "1", "price"), "found price -1"),
        ("negative cost", with_line(cost_minor=-1), ("lines", "1", "cost"), "found cost -1"),
        ("too dear", with_line(unit_minor=AMOUNT_MINOR_MAX + 1), ("lines", "1", "price"), "wanted"),
        ("too dear together", with_line(unit_minor=AMOUNT_MINOR_MAX), ("lines",), "amounts of"),
        ("too many dear", with_line(unit_minor=2**40, quantity=2**14), ("lines",), "amounts"),
        ("costs past counting", with_line(cost_minor=2**40, quantity=2**14), ("lines",), "costs"),
        ("too dear with tax", taxed(AMOUNT_MINOR_MAX * 5 // 6 + 2), ("lines",), "with tax"),
        (
            "shipping too dear with tax",
            taxed(1_000, shipping_minor=AMOUNT_MINOR_MAX - 1_000, shipping_tax_bp=1),
            ("lines",),
            "with tax",
        ),
    ],
)  # fmt: skip
def test_what_is_no_cart_is_refused(
    case: str, cart: Cart, field: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        validated(cart, RULES)

    assert refused.value.field == field


@pytest.mark.parametrize(
    "cart",
    [
        CART,
        with_line(unit_minor=AMOUNT_MINOR_MAX - 1_000),
        with_line(unit_minor=0, quantity=1_000_000),
        taxed(AMOUNT_MINOR_MAX, tax_included=True),
        replace(CART, lines=tuple(LINE._replace(id=str(index)) for index in range(200))),
    ],
)
def test_a_cart_within_bounds_is_quoted(cart: Cart) -> None:
    found = quote(RULES, None, cart, Choice(), datetime(2026, 1, 1, tzinfo=UTC))

    assert found.payable_minor == cart.gross_minor


def test_the_dearest_order_with_tax_can_still_be_paid() -> None:
    cart = taxed(AMOUNT_MINOR_MAX * 5 // 6)

    found = quote(RULES, None, cart, Choice(), datetime(2026, 1, 1, tzinfo=UTC))

    assert AMOUNT_MINOR_MAX - 1 <= found.payable_minor <= AMOUNT_MINOR_MAX


@pytest.mark.parametrize(
    ("case", "choice", "field", "message"),
    [
        ("no exact points", Choice(exactly(0)), ("points",), "found points 0"),
        ("negative points", Choice(exactly(-5)), ("points",), "found points -5"),
        ("points past counting", Choice(exactly(2**53)), ("points",), "wanted 1 to"),
        ("both", Choice(pinned=("a", "b"), excluded=("b",)), ("excluded",), "'b' both"),
        ("tender excluded", Choice(excluded=(TENDER,)), ("excluded",), "points NONE"),
        ("too many pinned", Choice(pinned=("a",) * 51), ("pinned",), "found 51"),
        ("no code", Choice(excluded=("",)), ("excluded", "0"), "found excluded code ''"),
    ],
)
def test_what_is_no_choice_is_refused(
    case: str, choice: Choice, field: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        quote(RULES, None, CART, choice, datetime(2026, 1, 1, tzinfo=UTC))

    assert refused.value.field == field


def test_points_count_for_an_exact_wish_only() -> None:
    wish = PointsWanted(PointsMode.ALL, -3)

    found = quote(RULES, None, CART, Choice(wish), datetime(2026, 1, 1, tzinfo=UTC))

    assert found.tender is None
