"""The tax of a cart: rounded once per rate over the order, spread over its lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.domain.cart import Cart
from loyalty.domain.money import allocated
from loyalty.domain.rates import rounded
from loyalty.domain.rulesets.ruleset import Rounding

_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class TaxTable:
    """The rates of a cart and where they hold; shipping is the last position.

    ``is_added``: tax comes on top of the prices; otherwise it is in them.
    """

    is_added: bool
    rates: tuple[tuple[int, tuple[int, ...]], ...]

    def by_line(self, left: Sequence[int]) -> list[int]:
        """Tax of each line and of shipping, given what is left of them after discounts.

        For each rate the tax of the whole is rounded half up once, then spread over its lines
        cumulatively, so that the parts add up to it.
        """
        taxes = [0] * len(left)
        for rate_bp, positions in self.rates:
            bases = [left[position] for position in positions]
            for position, part in zip(
                positions, allocated(self._tax(rate_bp, sum(bases)), bases), strict=True
            ):
                taxes[position] = part
        return taxes

    def added(self, left: Sequence[int]) -> int:
        """What tax adds to the order; nothing where it is in the prices."""
        if not self.is_added:
            return 0
        return sum(
            self._tax(rate_bp, sum([left[position] for position in positions]))
            for rate_bp, positions in self.rates
        )

    def worth(self, off_minor: int) -> int:
        """What a discount of so much saves at most, with the tax that then is not added."""
        if not self.is_added or not off_minor or not self.rates:
            return off_minor
        dearest = max(rate_bp for rate_bp, _ in self.rates)
        # Each rate is rounded by itself, by less than one each time.
        return off_minor + -(-off_minor * dearest // _UNIT_BP) + len(self.rates)

    def _tax(self, rate_bp: int, base: int) -> int:
        whole = _UNIT_BP if self.is_added else _UNIT_BP + rate_bp
        return rounded(base * rate_bp, whole, Rounding.HALF_UP)


def tax_table(cart: Cart) -> TaxTable:
    """The rates of a cart, lowest first; what is not taxed is left out."""
    found: dict[int, list[int]] = {}
    for position, line in enumerate(cart.lines):
        found.setdefault(line.tax_bp, []).append(position)
    found.setdefault(cart.shipping_tax_bp, []).append(len(cart.lines))
    return TaxTable(
        not cart.tax_included,
        tuple((rate, tuple(positions)) for rate, positions in sorted(found.items()) if rate),
    )
