"""Whole numbers of a fraction as exact decimal text."""

from loyalty_graphql.scalars import DecimalText


def percent(bp: int) -> DecimalText:
    """Basis points as percent: ``1250`` → ``12.5``."""
    return scaled(bp, 2)


def factor(bp: int) -> DecimalText:
    """Basis points as a factor: ``12500`` → ``1.25``."""
    return scaled(bp, 4)


def scaled(value: int, places: int) -> DecimalText:
    """``value`` / 10^``places`` without zeros at its end."""
    digits = str(abs(value)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    sign = "-" if value < 0 else ""
    return DecimalText(f"{sign}{digits[:-places]}{'.' if fraction else ''}{fraction}")
