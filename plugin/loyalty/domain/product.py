"""Products as a shop describes them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What a shop says of one product, and when; an older word never replaces a newer one.

    Amounts in minor units of ``currency``; ``stock`` None: not counted. ``type`` is the level below
    the category, ``department`` that above it. ``tiers`` are the codes that may see it, empty:
    everybody; everybody too from ``tiers_until`` on, None: never. ``invented`` names fields made up
    for a demonstration.
    """

    external_id: str
    name: str
    said_at: datetime
    currency: str
    category: str | None = None
    department: str | None = None
    type: str | None = None
    brand: str | None = None
    image_url: str | None = None
    price_minor: int | None = None
    cost_minor: int | None = None
    stock: int | None = None
    tiers: tuple[str, ...] = ()
    tiers_until: datetime | None = None
    invented: tuple[str, ...] = ()
    is_active: bool = True
