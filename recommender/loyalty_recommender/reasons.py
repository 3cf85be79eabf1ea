"""Why a product is in an answer, as facts; words are made of them by the caller."""

from enum import StrEnum
from typing import NamedTuple


class ReasonCode(StrEnum):
    """What kind of reason it is."""

    BOUGHT_BEFORE = "BOUGHT_BEFORE"
    """The member bought it: how often, how regularly, how long ago."""
    BECAUSE_YOU_BUY = "BECAUSE_YOU_BUY"
    """Those who buy it buy ``about`` too, which the member bought."""
    BECAUSE_YOU_VIEWED = "BECAUSE_YOU_VIEWED"
    """Bought in the same visits as ``about``, which was looked at."""
    VIEWED_BEFORE = "VIEWED_BEFORE"
    """It was looked at itself."""
    GOES_WITH = "GOES_WITH"
    """Bought in the same visits as ``about``, which is in the cart or on the page."""
    SIMILAR_TO = "SIMILAR_TO"
    """Bought by the same people as ``about``, which is on the page."""
    POPULAR = "POPULAR"
    """Many buy it now."""
    NEW = "NEW"
    """First bought only lately."""


class Reason(NamedTuple):
    """One reason; facts that do not belong to its code are None."""

    code: ReasonCode
    about: str | None = None
    """Another product's id."""
    times: int | None = None
    """Visits: of the member with the product (BOUGHT_BEFORE), of everybody in the last 28 days of
    the data (POPULAR)."""
    every_days: int | None = None
    """Days from one visit with the product to the next, in the mean; None after a single one."""
    last_days: int | None = None
    """Days since the member's last visit with it (BOUGHT_BEFORE), since anybody's first (NEW)."""
