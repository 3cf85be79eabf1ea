"""What a quote is asked with, checked once before anything is reckoned."""

from dataclasses import replace

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.points import POINTS_MAX
from loyalty.domain.quotes.quote_tax import tax_table
from loyalty.domain.quotes.quote_terms import CREDIT, TENDER, Choice, CreditMode, PointsMode
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput

LINES_MAX = 200
QUANTITY_MAX = 1_000_000
TEXT_MAX = 128
CODES_MAX = 50
TAX_BP_MAX = 10_000


def validated(cart: Cart, ruleset: Ruleset) -> Cart:
    """The cart, once it is known to be one.

    Raises:
        BadInput: another currency than the program's, no lines or too many, two lines of one
            id, an empty or unprintable id, an amount or quantity out of range, or a sum, be it
            with the tax that is added, past what an amount can hold. ``field`` says where.
    """
    if cart.currency != ruleset.currency:
        raise BadInput(
            f"found a cart in {cart.currency!r}, wanted {ruleset.currency}, the program's currency",
            field=("currency",),
        )
    if not 1 <= len(cart.lines) <= LINES_MAX:
        raise BadInput(f"found {len(cart.lines)} lines, wanted 1 to {LINES_MAX}", field=("lines",))
    _check_text(cart.id, ("id",))
    _check_range(cart.shipping_minor, 0, AMOUNT_MINOR_MAX, ("shipping",))
    _check_range(cart.shipping_tax_bp, 0, TAX_BP_MAX, ("shippingTax",))
    seen: set[str] = set()
    gross, cost = cart.shipping_minor, 0
    for position, line in enumerate(cart.lines):
        _check_line(line, ("lines", str(position)))
        if line.id in seen:
            raise BadInput(
                f"found two lines of id {line.id!r}, wanted each id once",
                field=("lines", str(position), "id"),
            )
        seen.add(line.id)
        gross += line.gross_minor
        cost += (line.cost_minor or 0) * line.quantity
    tax = 0
    if not cart.tax_included:
        prices = [line.gross_minor for line in cart.lines]
        tax = tax_table(cart).added([*prices, cart.shipping_minor])
    # A shopper reads this too, so it does not say what the costs come to.
    for total, found in (
        (gross, f"amounts of {gross}"),
        (gross + tax, f"amounts of {gross + tax} with tax,"),
        (cost, "costs of more"),
    ):
        if total > AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found {found} minor units together, wanted <= {AMOUNT_MINOR_MAX}",
                field=("lines",),
            )
    return cart


def validated_choice(choice: Choice) -> Choice:
    """The choice with each code once.

    Raises:
        BadInput: fewer than one exact point or minor unit of credit, more than can be counted,
            too many codes, one both pinned and excluded, or a tender excluded.
    """
    if choice.points.mode is PointsMode.EXACT:
        _check_range(choice.points.points, 1, POINTS_MAX, ("points",))
    if choice.credit.mode is CreditMode.EXACT:
        _check_range(choice.credit.minor, 1, AMOUNT_MINOR_MAX, ("credit",))
    for name, codes in (
        ("pinned", choice.pinned),
        ("excluded", choice.excluded),
        ("codes", choice.codes),
    ):
        if len(codes) > CODES_MAX:
            raise BadInput(f"found {len(codes)} {name} codes, wanted <= {CODES_MAX}", field=(name,))
        for position, code in enumerate(codes):
            _check_text(code, (name, str(position)), f"{name} code")
    both = [code for code in choice.pinned if code in choice.excluded]
    if both:
        raise BadInput(
            f"found {both[0]!r} both pinned and excluded, wanted one of the two",
            field=("excluded",),
        )
    for tender, what in ((TENDER, "points"), (CREDIT, "credit")):
        if tender in choice.excluded:
            raise BadInput(
                f"found {tender!r} excluded, wanted {what} NONE to pay without {what}",
                field=("excluded",),
            )
    pinned, given = tuple(dict.fromkeys(choice.pinned)), tuple(dict.fromkeys(choice.codes))
    if len(pinned) == len(choice.pinned) and len(given) == len(choice.codes):
        return choice
    return replace(choice, pinned=pinned, codes=given)


def _check_line(line: CartLine, field: tuple[str, ...]) -> None:
    _check_text(line.id, (*field, "id"))
    _check_text(line.product, (*field, "product"))
    _check_range(line.quantity, 1, QUANTITY_MAX, (*field, "quantity"))
    _check_range(line.unit_minor, 0, AMOUNT_MINOR_MAX, (*field, "price"))
    _check_range(line.tax_bp, 0, TAX_BP_MAX, (*field, "tax"))
    if line.cost_minor is not None:
        _check_range(line.cost_minor, 0, AMOUNT_MINOR_MAX, (*field, "cost"))


def _check_range(found: int, least: int, most: int, field: tuple[str, ...]) -> None:
    if not least <= found <= most:
        raise BadInput(f"found {field[-1]} {found}, wanted {least} to {most}", field=field)


def _check_text(text: str, field: tuple[str, ...], what: str | None = None) -> None:
    if not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
        raise BadInput(
            f"found {what or field[-1]} {text[:40]!r}, wanted 1 to {TEXT_MAX} printable characters",
            field=field,
        )
