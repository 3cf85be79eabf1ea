"""Whole numbers of a fraction as exact decimal text."""

from loyalty.errors import BadInput
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


def basis_points(text: DecimalText, *path: str) -> int:
    """Percent as basis points: ``12.5`` → ``1250``; exact, so at most two decimals.

    Raises:
        BadInput: not from 0 to 100, or a finer part; ``field`` is ``path``.
    """
    whole, _, fraction = text.partition(".")
    fine = fraction.rstrip("0")
    found = int(whole + fine.ljust(2, "0")) if len(fine) <= 2 else -1
    if not 0 <= found <= 10_000:
        raise BadInput(
            f"found {path[-1]} {text}, wanted percent from 0 to 100 with at most two decimals",
            field=path,
        )
    return found
