"""Products of a file, written into the catalogue.

Writing a product twice changes nothing, so they need not share a transaction with the
import's progress.
"""

from collections.abc import Sequence
from datetime import datetime

from loyalty.connectors.piece import Block
from loyalty.connectors.products import ProductReading, ReadProduct
from loyalty.domain.books.ledger import instant
from loyalty.domain.product import ProductFacts
from loyalty.errors import BadInput
from loyalty.services.catalogue import Catalogue, check
from loyalty.services.imports.import_run import Place, Placed, Tally

_FIELDS = {"price": "price_minor", "cost": "cost_minor", "image": "image_url"}
"""What the catalogue calls the columns that may be invented."""


class ProductTaking:
    """How a file of products is taken in.

    Args:
        said_at: the moment for which the file speaks; a newer word of the shop stays.
    """

    def __init__(
        self, catalogue: Catalogue, tenant_id: int, reading: ProductReading, said_at: datetime
    ) -> None:
        self.reading = reading
        self._catalogue = catalogue
        self._tenant_id = tenant_id
        self._currency = reading.mapping.currency or reading.currency
        self._said_at = said_at

    async def commands(self, block: Block, tally: Tally) -> Sequence[Placed]:
        """Writes the products that can be; nothing is left to book."""
        facts = []
        for position, read in enumerate(block.items):
            found = self._facts(read)
            try:
                check(found)
                facts.append(found)
            except BadInput as problem:
                label = f"product {read.external_id}"
                place = Place(tally, position, read.row, read.line, 1, label)
                place.refuse("product_unusable", problem.message)
        await self._catalogue.upsert(self._tenant_id, facts)
        return ()

    def _facts(self, read: ReadProduct) -> ProductFacts:
        values = read.values
        active = values["active"]
        return ProductFacts(
            external_id=read.external_id,
            name=values["name"],
            said_at=self._said_at,
            currency=self._currency,
            category=values["category"],
            department=values["department"],
            type=values["type"],
            brand=values["brand"],
            image_url=values["image"],
            price_minor=values["price"],
            cost_minor=values["cost"],
            stock=values["stock"],
            tiers=values["tiers"],
            tiers_until=None if values["tiersUntil"] is None else instant(values["tiersUntil"]),
            invented=tuple(_FIELDS.get(name, name) for name in values["invented"]),
            is_active=True if active is None else active,
        )
