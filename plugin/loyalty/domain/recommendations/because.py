"""Why a product is shown, as facts; ``wording`` says it."""

from dataclasses import dataclass
from enum import StrEnum


class BecauseCode(StrEnum):
    """What kind of reason it is."""

    BOUGHT_BEFORE = "BOUGHT_BEFORE"
    BECAUSE_YOU_BUY = "BECAUSE_YOU_BUY"
    BECAUSE_YOU_VIEWED = "BECAUSE_YOU_VIEWED"
    VIEWED_BEFORE = "VIEWED_BEFORE"
    GOES_WITH = "GOES_WITH"
    SIMILAR_TO = "SIMILAR_TO"
    POPULAR = "POPULAR"
    NEW = "NEW"


@dataclass(frozen=True, slots=True)
class Because:
    """One reason; figures that do not belong to its code are None.

    ``about``: the shop's id of another product: one that the member buys (BECAUSE_YOU_BUY), that
    was looked at (BECAUSE_YOU_VIEWED), that is in the cart or on the page (GOES_WITH), or on the
    page (SIMILAR_TO). ``times``: the member's visits with the product, ``every_days`` from one to
    the next, ``last_days`` since the last of them (BOUGHT_BEFORE) or since anybody first bought it
    (NEW).
    """

    code: BecauseCode
    about: str | None = None
    times: int | None = None
    every_days: int | None = None
    last_days: int | None = None


POPULAR = Because(BecauseCode.POPULAR)
