"""How likely a member is to buy what an offer is for: what is asked, whoever answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loyalty.domain.offer_plan import Goods

LOOK_BACK_DAYS = 364
"""Purchases of so many days before a plan count."""
LATELY_DAYS = 28
"""Purchases of so many days count as of late."""


@dataclass(frozen=True, slots=True)
class TargetHistory:
    """A member's own purchases of one target, within ``LOOK_BACK_DAYS``.

    ``times``: days on which it was bought, ``lately`` of them within ``LATELY_DAYS``.
    ``since_days``: days since the last of them, 0 where there is none. ``buyers_bp``: of 10,000
    members so many bought it lately.
    """

    times: int
    lately: int
    since_days: int
    buyers_bp: int


class Propensity(Protocol):
    """A model of it."""

    @property
    def name(self) -> str:
        """What a plan says it was made with."""

    def chances_ppm(
        self,
        goods: Goods,
        members: Sequence[int],
        histories: Sequence[TargetHistory],
        window_days: int,
    ) -> Sequence[int]:
        """For each member the chance, in millionths, that a target is bought within ``window_days``
        without any offer.

        Args:
            goods: what the target is for.
            members: by our row ids, each with its history of the target.
        """
