"""What a shopper is about to buy, as the shop describes it."""

from dataclasses import dataclass
from typing import NamedTuple


class CartLine(NamedTuple):
    """One line of a cart; a plain tuple because an import makes them by the million.

    ``unit_minor`` is the price of one piece as charged, ``cost_minor`` what one piece costs
    the shop (None: not known). Both in the cart's currency, >= 0. ``quantity`` >= 1.
    ``amount_minor`` is what the whole line costs where a shop tells that instead of a price,
    as paid orders do; it need not divide by the quantity.
    ``tax_bp``: the line's tax rate in basis points of the price before tax.
    """

    id: str
    product: str
    quantity: int
    unit_minor: int
    cost_minor: int | None = None
    category: str | None = None
    department: str | None = None
    brand: str | None = None
    amount_minor: int | None = None
    tax_bp: int = 0

    @property
    def gross_minor(self) -> int:
        amount = self.amount_minor
        return self.unit_minor * self.quantity if amount is None else amount


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart in one currency; ``id`` is the shop's own, and names the cart's hold.

    ``tax_included``: prices and shipping hold their tax already; otherwise it is added to what
    is left of them after discounts. ``shipping_tax_bp``: rate of shipping, as for a line.
    """

    id: str
    currency: str
    lines: tuple[CartLine, ...]
    shipping_minor: int = 0
    tax_included: bool = True
    shipping_tax_bp: int = 0

    @property
    def gross_minor(self) -> int:
        return sum(line.gross_minor for line in self.lines)
