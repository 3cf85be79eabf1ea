"""What is asked of a member's past to tell how likely it is to buy what an offer is for."""

from dataclasses import dataclass

LOOK_BACK_DAYS = 364
"""Purchases of so many days before a plan count as a member's own."""
LATELY_DAYS = 28
"""Purchases of so many days count as of late."""


@dataclass(frozen=True, slots=True)
class TargetHistory:
    """A member's own purchases of one target, within ``LOOK_BACK_DAYS``.

    ``times``: days on which it was bought, ``lately`` of them within ``LATELY_DAYS``.
    ``since_days``: days since the last of them, 0 where there is none.
    """

    times: int
    lately: int
    since_days: int


NEVER = TargetHistory(0, 0, 0)
