"""Which recommendation a purchase is owed to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


class Touch(NamedTuple):
    """What a member did with a recommended product.

    ``type``: IMPRESSION, CLICK, CART, or PURCHASE where the shop says so. ``recommendation`` is the
    answer's number; window, model and variant are the answer's, empty where there was none.
    """

    recommendation: int
    type: str
    at: datetime
    window: str
    model: str
    variant: str
    experiment_id: int | None


@dataclass(frozen=True, slots=True)
class AttributionTerms:
    """For how long a purchase is owed to what came before it.

    Args:
        acted: after a click or a cart.
        seen: after an impression alone.
    """

    acted: timedelta = timedelta(days=7)
    seen: timedelta = timedelta(days=1)

    @property
    def longest(self) -> timedelta:
        return max(self.acted, self.seen)

    def admits(self, touch: Touch, at: datetime) -> bool:
        """Whether a purchase at ``at`` may be owed to the touch."""
        within = self.seen if touch.type == "IMPRESSION" else self.acted
        return touch.at <= at < touch.at + within


_RANK = {"IMPRESSION": 0, "CLICK": 1, "CART": 2, "PURCHASE": 3}


def last_touch(touches: Iterable[Touch]) -> Touch:
    """Of one touch or more what the shop says; else the latest click or cart, else impression.

    What a shopper did says more than what happened to be on a page, and each product is owed once:
    sales of windows add up. The same whatever the sequence in which the touches became known.
    """
    return max(touches, key=_weight)


def _weight(touch: Touch) -> tuple[bool, bool, datetime, int, int]:
    is_said, is_done = touch.type == "PURCHASE", touch.type != "IMPRESSION"
    return is_said, is_done, touch.at, _RANK[touch.type], touch.recommendation
