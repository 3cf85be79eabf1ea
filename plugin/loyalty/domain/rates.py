"""Where points and money meet: integer fractions, each rounded once in a declared direction."""

from loyalty.domain.rulesets.ruleset import PointsTender, Rounding


def rounded(numerator: int, denominator: int, direction: Rounding) -> int:
    """``numerator / denominator`` as an integer.

    Args:
        numerator: >= 0.
        denominator: > 0.
        direction: HALF_UP takes exactly one half upwards.
    """
    if direction is Rounding.DOWN:
        return numerator // denominator
    if direction is Rounding.UP:
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def tender_value_minor(tender: PointsTender, points: int) -> int:
    """What points pay, rounded down: the shop never gives more than it promised."""
    return points * tender.minor // tender.points


def tender_points(tender: PointsTender, minor: int) -> int:
    """The fewest points that pay ``minor`` minor units or, where points are too coarse for
    that, the most that do not pay more.
    """
    fewest = -(-minor * tender.points // tender.minor)
    if tender_value_minor(tender, fewest) <= minor:
        return fewest
    # One point is worth more than one minor unit: step down to what does not overpay, and
    # then to the fewest points of that same value.
    fitting = fewest - 1
    return -(-tender_value_minor(tender, fitting) * tender.points // tender.minor)
