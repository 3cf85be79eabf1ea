"""The lines of an order as a shop tells them, before they are booked."""

from collections.abc import Mapping, Sequence

from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.order import OrderLine
from loyalty.errors import BadInput
from loyalty.services.catalogue import Product


def with_catalogue(
    lines: Sequence[OrderLine], products: Mapping[str, Product]
) -> tuple[OrderLine, ...]:
    """Lines with what the catalogue knows of their products; what the shop says comes first."""
    return tuple(_with_product(line, products.get(line.product)) for line in lines)


def _with_product(line: OrderLine, product: Product | None) -> OrderLine:
    if product is None:
        return line
    return line._replace(
        category=line.category or product.category,
        department=line.department or product.department,
        brand=line.brand or product.brand,
    )


def products_of(lines: Sequence[OrderLine]) -> list[str]:
    """The lines' products, each once."""
    return list(dict.fromkeys(line.product for line in lines))


def check_gross(lines: Sequence[OrderLine], shipping_minor: int) -> None:
    """Raises BadInput when an order comes to more than an amount can hold."""
    gross = shipping_minor + sum(line.amount_minor for line in lines)
    if gross > AMOUNT_MINOR_MAX:
        raise BadInput(
            f"found amounts of {gross} minor units together, wanted <= {AMOUNT_MINOR_MAX}",
            field=("lines",),
        )
