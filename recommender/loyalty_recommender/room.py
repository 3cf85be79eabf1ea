"""How many purchases fit into memory while a model is trained."""

from __future__ import annotations

from dataclasses import dataclass

from loyalty_recommender.errors import FitFailed

MB = 1_000_000

FIXED_BYTES = 350 * MB
"""The process with its libraries, and what is looked at of ``pasts.MEMBERS_MAX`` members."""
LINE_BYTES = 300
MEMBER_BYTES = 1_500
PRODUCT_BYTES = 2_000

LINES_MIN = 10_000
"""Room for less is room for nothing."""


@dataclass(frozen=True, slots=True)
class Room:
    """An amount of memory for a whole process."""

    memory_max_mb: int
    """In 10^6 bytes."""

    def lines(self, members: int, products: int) -> int:
        """How many lines of receipts fit.

        Raises:
            FitFailed: none worth training with.
        """
        other = FIXED_BYTES + members * MEMBER_BYTES + products * PRODUCT_BYTES
        room = (self.memory_max_mb * MB - other) // LINE_BYTES
        if room < LINES_MIN:
            least = -(-(other + LINES_MIN * LINE_BYTES) // MB)
            raise FitFailed(
                f"training with {members:,} members and {products:,} products takes at least "
                f"{least:,} MB, allowed are {self.memory_max_mb:,}"
            )
        return room
