"""Money as integer minor units of an ISO 4217 currency."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import sub

from iso4217 import Currency

from loyalty.errors import BadMoney

AMOUNT_MINOR_MAX = 2**53 - 1
"""Largest amount of minor units; what a JSON number carries exactly."""

_TEXT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,6}))?", re.ASCII)


@lru_cache(maxsize=256)
def digits(currency: str) -> int:
    """Digits after the decimal point of a currency, from the standard's own table.

    Locale data says otherwise for RSD, IQD and LBP (they are shown without minor units);
    the standard counts.

    Raises:
        BadMoney: not an ISO 4217 code of a currency with minor units.
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise BadMoney(f"found currency {currency!r}, wanted an ISO 4217 code such as EUR")
    return int(exponent)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: ``minor`` in the smallest unit (cents, fillér, kopecks)."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read plain decimal text such as ``12.34``; never more digits than the currency has.

        Raises:
            BadMoney: another form, too many digits, or out of range.
        """
        places = digits(currency)
        match = _TEXT.fullmatch(text)
        if match is None:
            raise BadMoney(f"found amount {text[:40]!r}, wanted decimal text such as 12.34")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction.rstrip("0")) > places:
            raise BadMoney(f"found amount {text!r}, wanted at most {places} decimals ({currency})")
        minor = int(whole + fraction[:places].ljust(places, "0"))
        if minor > AMOUNT_MINOR_MAX:
            raise BadMoney(f"found amount {text!r}, wanted at most {AMOUNT_MINOR_MAX} minor units")
        return cls(-minor if sign else minor, currency)

    def text(self) -> str:
        """Exact decimal text with all the currency's digits: ``12.30``, ``1500`` for JPY."""
        places = digits(self.currency)
        sign = "-" if self.minor < 0 else ""
        whole = str(abs(self.minor)).rjust(places + 1, "0")
        return f"{sign}{whole[:-places]}.{whole[-places:]}" if places else sign + whole

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise BadMoney(f"found {other.currency}, wanted {self.currency}: currencies differ")
        return other.minor


def allocated(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to ``weights``.

    Cumulative: each part is the difference of rounded-down running totals, so the parts add
    up to the whole, none is negative, and none exceeds its weight while ``total`` does not
    exceed the sum of the weights.

    Args:
        total: minor units or points, >= 0.
        weights: one per part, >= 0. All zero is allowed only with a zero total.
    """
    whole = sum(weights)
    if total < 0 or (weights and min(weights) < 0) or (total and not whole):
        raise ValueError(f"cannot split {total} by {list(weights)[:20]}")
    if not total:
        return [0] * len(weights)
    upto = [total * running // whole for running in accumulate(weights)]
    return [*upto[:1], *map(sub, upto[1:], upto)]
