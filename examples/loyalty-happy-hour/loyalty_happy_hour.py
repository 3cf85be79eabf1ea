"""A condition and a reward that Storefront Loyalty does not have by itself.

A kind is a frozen dataclass. Its fields are its settings in the ruleset, read and checked by
their annotations; ``validate`` says what else is wrong with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import Facts
from loyalty.domain.reasons import Reason, Unmet
from loyalty.domain.rewards import OpenLine


@dataclass(frozen=True, slots=True)
class HappyHour:
    """Certain hours of the day, on the program's own clock.

    From ``from_hour``:00 up to, but not including, ``until_hour``:00. Where ``until_hour`` is
    the smaller one the hours run past midnight.
    """

    kind: ClassVar[str] = "happy_hour"

    from_hour: int
    until_hour: int

    def validate(self) -> Iterator[str]:
        if not 0 <= self.from_hour <= 23:
            yield f"from_hour: found {self.from_hour}, wanted a whole number from 0 to 23"
        if not 0 <= self.until_hour <= 24:
            yield f"until_hour: found {self.until_hour}, wanted a whole number from 0 to 24"
        if self.from_hour == self.until_hour:
            yield f"until_hour: found {self.until_hour}, wanted another hour than from_hour"

    def covers(self, line: CartLine) -> bool:
        return True

    def unmet(self, facts: Facts) -> Unmet | None:
        hour = facts.local.hour
        if self.from_hour < self.until_hour:
            is_happy = self.from_hour <= hour < self.until_hour
        else:
            is_happy = hour >= self.from_hour or hour < self.until_hour
        # No change of the cart moves the clock, so there is no nearest change.
        return None if is_happy else Unmet(Reason.CONDITION_NOT_MET)


@dataclass(frozen=True, slots=True)
class NthFree:
    """Every ``nth`` piece of a line is free: with 3, one of three pieces and two of six.

    The free pieces count at what earlier rewards left of the line, rounded down per line.
    """

    kind: ClassVar[str] = "nth_free"
    # Two thirds of a free piece are not what was promised.
    may_cut: ClassVar[bool] = False

    nth: int

    def validate(self) -> Iterator[str]:
        if not 2 <= self.nth <= 1_000:
            yield f"nth: found {self.nth}, wanted a whole number from 2 to 1000"

    def offer(self, lines: Sequence[OpenLine]) -> list[int]:
        return [
            open_line.left_minor * (line.quantity // self.nth) // line.quantity
            for open_line in lines
            for line in [open_line.line]
        ]

    @property
    def value_minor(self) -> int | None:
        return None

    @property
    def percent_bp(self) -> int | None:
        return None
