"""Amounts and counts as a language writes them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from loyalty.domain.money import Money, digits


@dataclass(frozen=True, slots=True)
class Figures:
    """How one locale writes figures."""

    locale: Locale

    def money(self, money: Money) -> str:
        """With all the digits of its currency by ISO 4217: ``4,20 €``."""
        return _written(self.locale, money)

    def count(self, count: int) -> str:
        """Grouped: ``12,345``."""
        return format_decimal(count, locale=self.locale)

    def day(self, day: date) -> str:
        """Without its year: ``12 November``."""
        text: str = format_skeleton("MMMMd", day, locale=self.locale)
        return text


@lru_cache(maxsize=4_096)
def _written(locale: Locale, money: Money) -> str:
    """Kept, because a reason and its change say one amount, and a cart is quoted again and again:
    writing one anew takes 25 microseconds."""
    pattern = _pattern(str(locale), digits(money.currency))
    text: str = pattern.apply(
        Decimal(money.text()), locale, currency=money.currency, currency_digits=False
    )
    return text


@lru_cache(maxsize=256)
def _pattern(locale: str, places: int) -> NumberPattern:
    """The locale's pattern for amounts with so many decimals.

    Locale data has its own digits for some currencies (none for RSD, IQD and LBP); the standard
    decides here, so the pattern is a copy with the standard's.
    """
    pattern = parse_pattern(Locale.parse(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (places, places)
    return pattern
